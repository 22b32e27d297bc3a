"""pkuseg models as files, read without running code from them and checked, and segmenters made of them."""

import hashlib
import io
import json
import pickle
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import srsly

from ..errors import MedflatError

FEATURES = "features.msgpack"
WEIGHTS = "weights.npz"
# Words that pkuseg puts together again after it has cut them apart.
MERGED_WORDS = "merged_words.txt"

_FEATURE_KEYS = {"unigram", "bigram", "feature_to_idx", "tag_to_idx"}

Members = Mapping[str, Callable[[], bytes]]


def read_pkuseg(model: str | None) -> dict[str, bytes]:
    """Read a model: its features, its weights, and the words that pkuseg puts together again.

    model (str or None): a folder, or the name of a model, which is looked for in pkuseg's home (`~/.pkuseg` or
        PKUSEG_HOME) as a folder or as the zip file that it is published as. Nothing is downloaded.
    RETURNS (dict of str to bytes): the files.
    RAISES (MedflatError): there is no such model, or it is damaged or of another kind.
    """
    pkuseg = _import_pkuseg()
    place, members = _find(model, pkuseg.config)
    try:
        features = _read_features(members)
        weights = members[WEIGHTS]()
        _check(features, weights)
    except Exception as error:
        message = f"damaged or incompatible pkuseg model in {place}: {error or type(error).__name__}"
        raise MedflatError(message) from error
    words = _read_words((Path(pkuseg.__file__).parent / "dicts" / "default.pkl").read_bytes())
    words += [word for name, read in members.items() if name.endswith("_dict.pkl") for word in _read_words(read())]
    merged = "\n".join(sorted({word for word in words if word}))
    return {FEATURES: srsly.msgpack_dumps(features), WEIGHTS: weights, MERGED_WORDS: merged.encode("utf-8")}


def load_pkuseg(files: dict[str, bytes], user_words: list[str]) -> Callable[[str], Sequence[str]]:
    """Make a segmenter.

    files (dict of str to bytes): what `read_pkuseg` gave.
    user_words (list of str): words to keep whole.
    RETURNS (callable): cuts a text into words, without its white space.
    RAISES (KeyError): one of the files is not there.
    """
    pkuseg = _import_pkuseg()
    with tempfile.TemporaryDirectory() as folder:
        for name in (FEATURES, WEIGHTS):
            Path(folder, name).write_bytes(files[name])
        # Without a dictionary, because those that come with pkuseg are pickles.
        model = pkuseg.pkuseg(folder, user_dict=None)
    model.preprocesser = pkuseg.Preprocesser(user_words)
    merged = files[MERGED_WORDS].decode("utf-8")
    if merged:
        model.postprocesser.do_process = True
        model.postprocesser.common_words = set()
        model.postprocesser.other_words = set(merged.split("\n"))
    return model.cut


def _import_pkuseg() -> Any:
    try:
        import spacy_pkuseg
    except ImportError as error:
        raise ImportError("spacy-pkuseg is not installed: pip install 'spacy-medflat[pkuseg]'") from error
    return spacy_pkuseg


def _find(model: str | None, config: Any) -> tuple[Path, Members]:
    """Where a model is, and what reads each of its files."""
    if model is None:
        names = ", ".join(config.available_models)
        raise MedflatError(f"pkuseg needs a model: set model to the folder of one, or to one of {names}")
    folder = Path(model)
    if folder.is_dir():
        return folder, _members_of_folder(folder)
    if model not in config.available_models:
        raise MedflatError(
            f"no pkuseg model {model!r}: there is no such folder, and no model of this name; known are "
            f"{', '.join(config.available_models)}"
        )
    # As spacy_pkuseg has it, and not anew from the environment, so that both look in the same place.
    home = Path(config.pkuseg_home)
    if (home / model).is_dir():
        return home / model, _members_of_folder(home / model)
    archive = home / f"{model}.zip"
    address, digest = config.model_urls[model], config.model_hash[model]
    if not archive.is_file():
        raise MedflatError(
            f"the pkuseg model {model!r} is not there: download {address} (SHA-256 {digest}) and put it at {archive}, "
            f"or unpack it into the folder {home / model}"
        )
    data = archive.read_bytes()
    if hashlib.sha256(data).hexdigest() != digest:
        raise MedflatError(f"{archive} is damaged: its SHA-256 is not {digest}; get it again from {address}")
    zipped = zipfile.ZipFile(io.BytesIO(data))
    return archive, {Path(name).name: partial(zipped.read, name) for name in zipped.namelist()}


def _members_of_folder(folder: Path) -> Members:
    return {path.name: path.read_bytes for path in sorted(folder.iterdir()) if path.is_file()}


def _read_features(members: Members) -> dict[str, Any]:
    for name, parse in ((FEATURES, srsly.msgpack_loads), ("features.pkl", _read_plain), ("features.json", json.loads)):
        if name in members:
            features = parse(members[name]())
            if not isinstance(features, dict) or not set(features) >= _FEATURE_KEYS:
                raise ValueError(f"{name} does not have {', '.join(sorted(_FEATURE_KEYS))}")
            lists = {key: sorted(features[key]) for key in ("unigram", "bigram")}
            return {**lists, "feature_to_idx": features["feature_to_idx"], "tag_to_idx": features["tag_to_idx"]}
    raise ValueError(f"it has none of the files {FEATURES}, features.pkl and features.json")


def _check(features: dict[str, Any], weights: bytes) -> None:
    """Sizes that do not fit would make pkuseg read memory that is not its own."""
    with np.load(io.BytesIO(weights), allow_pickle=False) as arrays:
        n_tags, n_features = (int(size) for size in arrays["sizes"])
        n_weights = arrays["w"].shape
    if n_weights != (n_tags * (n_features + n_tags),):
        raise ValueError(f"{WEIGHTS} has {n_weights} weights for {n_features} features and {n_tags} tags")
    for key, size in (("feature_to_idx", n_features), ("tag_to_idx", n_tags)):
        numbers = features[key].values()
        if len(numbers) != size or (size and (min(numbers) < 0 or max(numbers) >= size)):
            raise ValueError(f"the features have {len(numbers)} entries in {key}, but {WEIGHTS} is made for {size}")


class _PlainUnpickler(pickle.Unpickler):
    """Reads text, numbers and containers. What would run code is refused, so a file from elsewhere can do no harm."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("builtins", "set"):
            return set
        raise pickle.UnpicklingError(f"the file asks for {module}.{name}, which a model does not need")


def _read_plain(data: bytes) -> Any:
    return _PlainUnpickler(io.BytesIO(data)).load()


def _read_words(data: bytes) -> list[str]:
    return [word.strip() for word in _read_plain(data).split("\n")]
