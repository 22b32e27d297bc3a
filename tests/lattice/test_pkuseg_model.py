import hashlib
import io
import pickle
import zipfile

import numpy as np
import pytest
import srsly

from spacy_medflat.lattice.segmenter import SegmenterWords

from ..corpus.helpers import write
from .helpers import PLACES, TEXT, rows

pkuseg = pytest.importorskip("spacy_pkuseg")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model trained on two sentences."""
    folder = tmp_path_factory.mktemp("pkuseg")
    lines = "肾盂 、 膀胱 及 输尿管 结石 。\n2 . 肾盂 、 膀胱 及 输尿管 结石 。\n" * 20
    data = str(write(folder / "train.utf8", lines))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        pkuseg.train(data, data, str(folder / "model"), train_iter=10)
    return folder / "model"


def copy(model, folder):
    folder.mkdir(parents=True)
    for name in ("features.msgpack", "weights.npz"):
        (folder / name).write_bytes((model / name).read_bytes())
    return folder


def places(source, text=TEXT):
    return [(text[start:end], start, end) for _, start, end, *_ in rows(source.find([text]))]


def test_the_printed_example_after_the_folder_is_gone(model, tmp_path):
    folder = copy(model, tmp_path / "model")
    source = SegmenterWords(model=str(folder))
    source.initialize()
    for path in folder.iterdir():
        path.unlink()
    assert places(source) == PLACES
    source.to_disk(tmp_path / "saved")
    assert not [path for path in (tmp_path / "saved").iterdir() if path.suffix == ".pkl"]
    assert places(SegmenterWords().from_disk(tmp_path / "saved")) == PLACES
    assert places(pickle.loads(pickle.dumps(source))) == PLACES


def test_words_of_the_user(model, tmp_path):
    user_dict = write(tmp_path / "user.txt", "及输尿管\n")
    source = SegmenterWords(model=str(model), user_dict=str(user_dict))
    source.initialize()
    assert ("及输尿管", 7, 11) in places(SegmenterWords().from_bytes(source.to_bytes()))


def as_pickle(model, folder):
    features = srsly.read_msgpack(model / "features.msgpack")
    folder.mkdir(parents=True)
    (folder / "features.pkl").write_bytes(pickle.dumps({**features, "unigram": set(features["unigram"])}))
    (folder / "weights.npz").write_bytes((model / "weights.npz").read_bytes())
    (folder / "medicine_dict.pkl").write_bytes(pickle.dumps("肾盂、\n"))
    return folder


def test_a_model_by_name(model, tmp_path, monkeypatch):
    monkeypatch.setattr(pkuseg.config, "pkuseg_home", str(tmp_path))
    as_pickle(model, tmp_path / "medicine")
    source = SegmenterWords(model="medicine")
    source.initialize()
    # The model's own dictionary puts words together again; this one is then not Chinese throughout.
    assert places(source) == PLACES[1:]


def test_a_model_by_name_as_a_zip_file(model, tmp_path, monkeypatch):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for path in as_pickle(model, tmp_path / "unpacked").iterdir():
            archive.write(path, path.name)
    monkeypatch.setattr(pkuseg.config, "pkuseg_home", str(tmp_path))
    (tmp_path / "medicine.zip").write_bytes(data.getvalue())
    with pytest.raises(
        ValueError, match=r"medicine.zip is damaged: its SHA-256 is not 773d65.*get it again from https"
    ):
        SegmenterWords(model="medicine").initialize()
    digest = hashlib.sha256(data.getvalue()).hexdigest()
    monkeypatch.setitem(pkuseg.config.model_hash, "medicine", digest)
    source = SegmenterWords(model="medicine")
    source.initialize()
    assert places(source) == PLACES[1:]


def test_an_absent_model(tmp_path, monkeypatch):
    monkeypatch.setattr(pkuseg.config, "pkuseg_home", str(tmp_path))
    message = r"download https://github.com/.*/medicine.zip \(SHA-256 773d.*\) and put it at .*medicine.zip"
    with pytest.raises(ValueError, match=message):
        SegmenterWords(model="medicine").initialize()
    with pytest.raises(ValueError, match="no pkuseg model 'no/folder'"):
        SegmenterWords(model="no/folder").initialize()
    with pytest.raises(ValueError, match="pkuseg needs a model: set model to the folder"):
        SegmenterWords().initialize()
    assert not list(tmp_path.iterdir())


class Harm:
    def __reduce__(self):
        return (print, ("harm",))


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("features.msgpack", None, "it has none of the files features.msgpack"),
        ("features.msgpack", b"\x81", "damaged or incompatible"),
        ("features.msgpack", srsly.msgpack_dumps({"unigram": []}), "does not have bigram, feature_to_idx"),
        ("features.pkl", pickle.dumps(Harm()), "the file asks for builtins.print"),
        ("weights.npz", None, "weights.npz"),
        ("weights.npz", b"PK\x03\x04", "damaged or incompatible"),
    ],
)
def test_damaged_models(model, tmp_path, name, data, message, capsys):
    folder = copy(model, tmp_path / "model")
    if name.endswith(".pkl"):
        (folder / "features.msgpack").unlink()
    (folder / name).unlink(missing_ok=True)
    if data is not None:
        (folder / name).write_bytes(data)
    with pytest.raises(ValueError, match=message) as caught:
        SegmenterWords(model=str(folder)).initialize()
    assert str(folder) in str(caught.value)
    assert "harm" not in capsys.readouterr().out


def test_weights_of_another_model(model, tmp_path):
    folder = copy(model, tmp_path / "model")
    np.savez(folder / "weights.npz", sizes=np.array([5, 3]), w=np.zeros(40))
    with pytest.raises(ValueError, match=r"entries in feature_to_idx, but weights.npz is made for 3"):
        SegmenterWords(model=str(folder)).initialize()
    np.savez(folder / "weights.npz", sizes=np.array([5, 3]), w=np.zeros(41))
    with pytest.raises(ValueError, match=r"weights for 3 features and 5 tags"):
        SegmenterWords(model=str(folder)).initialize()
