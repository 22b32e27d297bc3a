"""`spacy_medflat.FlatLattice.v1`: FLAT as a tok2vec over any other tok2vec."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from weakref import WeakSet

import numpy as np
from spacy.tokens import Doc
from spacy.util import logger, registry
from thinc.api import ArgsKwargs, Model, get_array_module, torch2xp, xp2torch
from thinc.types import Floats2d

from .._internals import module_of
from ..runtime import one_torch_thread_in_workers
from ..torch_layer import CpuAutocast, set_size, torch_layer
from .batch import DocWords, Part, cut_windows, pack_parts
from .model import FlatTexts
from .settings import Attend, FlatSettings, Fusion
from .word_features import Missing, WordReader, read_words

# A log line is a warning if more than this share of the words is left out.
MAX_LOST_SHARE = 0.5


@registry.architectures("spacy_medflat.FlatLattice.v1")
def create_flat_lattice(
    tok2vec: Model[list[Doc], list[Floats2d]],
    spans_key: str | None = "lattice",
    width: int | None = None,
    n_heads: int = 8,
    n_layers: int = 1,
    feed_forward: int | None = None,
    fusion: Fusion = "ff",
    attend: Attend = "lattice",
    shared_positions: bool = True,
    learned_positions: bool = False,
    scaled: bool = True,
    gated: bool = True,
    missing: Missing = "compose",
    normalize_vectors: bool = True,
    word_types: list[str] = [],  # noqa: B006 (thinc's registry needs plain defaults; never changed here)
    input_dropout: float = 0.0,
    attention_dropout: float = 0.1,
    dropout: float = 0.1,
    word_dropout: float = 0.0,
    window: int = 256,
    overlap: int = 32,
    max_words: int = 256,
    max_word_length: int = 16,
    max_batch_items: int = 2048,
    mixed_precision: bool = False,
    grad_scaler_config: dict[str, Any] = {},  # noqa: B006
) -> Model[list[Doc], list[Floats2d]]:
    """Mix the words of a lattice into the tokens' vectors with FLAT (Li et al., ACL 2020).

    Reads the words from `doc.spans[spans_key]`, whoever wrote them, and their vectors from `nlp.vocab`. A text longer
    than `window` is read in overlapping windows. A result does not depend on the order of the words, nor on what else
    is in the batch. The settings that are not listed are those of `FlatSettings`.

    tok2vec (Model): one vector for each token.
    spans_key (str or None): the span group of the words; None for FLAT over characters alone.
    missing (str): a word without a vector: `drop`, or `compose` it from its characters' vectors.
    normalize_vectors (bool): scale word vectors to length 1.
    word_types (list of str): types with an embedding of their own, as the labels of the spans have them.
    max_word_length (int): longer words are left out.
    mixed_precision (bool): see `CpuAutocast`; on a GPU as in thinc's PyTorchWrapper.
    grad_scaler_config (dict): as in thinc's PyTorchWrapper; it acts on a GPU.
    RAISES (ValueError): a setting is out of range; at initialization, if there are no word vectors; later, if the word
        vectors have another width than at initialization, or a Doc has no such span group.
    """
    settings = FlatSettings(
        width=width,
        n_heads=n_heads,
        n_layers=n_layers,
        feed_forward=feed_forward,
        fusion=fusion,
        attend=attend,
        shared_positions=shared_positions,
        learned_positions=learned_positions,
        scaled=scaled,
        gated=gated,
        input_dropout=input_dropout,
        attention_dropout=attention_dropout,
        dropout=dropout,
        word_dropout=word_dropout,
        window=window,
        overlap=overlap,
        max_words=max_words,
        max_batch_items=max_batch_items,
    )
    reader = None
    if spans_key is not None:
        reader = WordReader(spans_key, missing, normalize_vectors, max_word_length, tuple(word_types))
    elif attend == "words":
        raise ValueError("attend='words' needs words: set spans_key, or attend='lattice' for characters alone")
    autocast = CpuAutocast(mixed_precision)
    layer = torch_layer(
        "flat",
        FlatTexts,
        ["n_in", "n_word"],
        convert_inputs=_convert_inputs,
        mixed_precision=autocast.for_gpu,
        grad_scaler_config=grad_scaler_config,
        settings=settings,
    )
    return Model(
        "flat_lattice",
        forward,
        init=init,
        layers=[tok2vec, layer],
        dims={"nO": None},
        refs={"tok2vec": tok2vec, "flat": layer},
        # thinc saves and restores plain values, and would undo what a config says; these objects it leaves alone.
        attrs={
            "reader": reader,
            "settings": settings,
            "autocast": autocast,
            "counts": WordCounts(),
            "samples": _Samples(),
        },
    )


@dataclass
class WordCounts:
    """How many words FLAT has read since training began or the pipeline was loaded, and left out, and why.

    texts (int): texts that were read.
    words (Counter): words `read`, and words left out, by reason.
    logged (bool): whether the first batch of a training was logged.
    """

    texts: int = 0
    words: Counter[str] = field(default_factory=Counter)
    logged: bool = False

    def add(self, n_texts: int, counts: Counter[str], is_train: bool) -> None:
        """Add a batch; log the first of a training."""
        first = is_train and not self.logged
        if first:
            # What was read before are samples for initialization, without words.
            self.texts, self.words, self.logged = 0, Counter(), True
        self.texts += n_texts
        self.words.update(counts)
        if first:
            level = logger.warning if self.lost_share > MAX_LOST_SHARE else logger.info
            level("FLAT, first batch: %s", self)

    @property
    def lost_share(self) -> float:
        """Share of the words that were left out, 0 to 1."""
        return (self.words.total() / self.words["read"] - 1) if self.words["read"] else 0.0

    def __str__(self) -> str:
        read = self.words["read"]
        lost = ", ".join(
            f"{count / read:.1%} {why}" for why, count in sorted(self.words.items()) if count and why != "read"
        )
        return f"{read / max(self.texts, 1):.1f} words a text; left out: {lost or 'none'}"


def init(model: Model[list[Doc], list[Floats2d]], X: list[Doc] | None = None, Y: Any = None) -> None:
    """Initialize the tok2vec, and make FLAT for its width and for the width of the word vectors."""
    tok2vec, layer = model.layers
    tok2vec.initialize(X=X, Y=Y)
    if X:
        layer.attrs["n_in"] = tok2vec.predict([next((doc for doc in X if len(doc)), X[0])])[0].shape[1]
        reader: WordReader | None = model.attrs["reader"]
        layer.attrs["n_word"] = reader.width(X[0].vocab) if reader else 0
        layer.initialize()
        model.set_dim("nO", module_of(layer.shims[0]).flat.n_out, force=True)
        model.attrs["samples"].docs.update(X)


def forward(
    model: Model[list[Doc], list[Floats2d]], docs: list[Doc], is_train: bool
) -> tuple[list[Floats2d], Callable[[list[Floats2d]], list[Doc]]]:
    """Run the tok2vec, then FLAT over the texts that have tokens."""
    one_torch_thread_in_workers()
    tok2vec, layer = model.layers
    vectors, backprop_tok2vec = tok2vec(docs, is_train)
    lengths: Any = np.array([len(x) for x in vectors])  # where thinc needs them, whatever the device
    flat = model.ops.flatten(vectors)
    if not len(flat):
        empty = [model.ops.alloc2f(0, model.get_dim("nO")) for _ in docs]
        return empty, lambda d_output: backprop_tok2vec(model.ops.unflatten(flat, lengths))
    features, parts = _lay_out(model, docs, flat, is_train)
    with model.attrs["autocast"]():
        output, backprop_layer = layer((flat, features, parts), is_train)

    def backprop(d_output: list[Floats2d]) -> list[Doc]:
        d_flat = backprop_layer(model.ops.flatten(d_output))
        return backprop_tok2vec(model.ops.unflatten(d_flat, lengths))

    return model.ops.unflatten(output, lengths), backprop


def _lay_out(model: Model, docs: Sequence[Doc], flat: Floats2d, is_train: bool) -> tuple[Any, list[Part]]:
    """The features of the words of a batch, and its windows."""
    layer, settings, reader = model.layers[1], model.attrs["settings"], model.attrs["reader"]
    filled = [doc for doc in docs if len(doc)]
    xp = get_array_module(flat)
    words, features, counts = [DocWords.none() for _ in filled], xp.zeros((0, 0), dtype="f"), Counter[str]()
    if reader is not None:
        set_size(layer, "n_word", reader.width(filled[0].vocab))
        words, features, counts = read_words(filled, reader, xp, model.attrs["samples"].docs)
    lengths = [len(doc) for doc in filled]
    windows, left_out = cut_windows(lengths, words, settings.window, settings.overlap, settings.max_words)
    if reader is not None:
        model.attrs["counts"].add(len(filled), counts + left_out, is_train)
    shim: Any = layer.shims[0]
    # In training all windows run together, because position rows are computed anew for every part.
    return features, pack_parts(windows, None if is_train else settings.max_batch_items, shim.device)


class _Samples:
    """The Docs that a model was initialized with: no component has annotated them, and none needs to have.

    A copy of a model has no samples.
    """

    def __init__(self) -> None:
        self.docs: WeakSet[Doc] = WeakSet()

    def __reduce__(self) -> tuple[type["_Samples"], tuple[()]]:
        return _Samples, ()


def _convert_inputs(model: Model, inputs: tuple[Floats2d, Any, list[Part]], is_train: bool) -> tuple[Any, Callable]:
    flat, features, parts = inputs
    arrays = (xp2torch(flat, requires_grad=is_train), xp2torch(features, requires_grad=False))

    def backprop(d_inputs: ArgsKwargs) -> Floats2d:
        return cast(Floats2d, torch2xp(d_inputs.args[0]))

    return ArgsKwargs(args=arrays, kwargs={"parts": parts}), backprop
