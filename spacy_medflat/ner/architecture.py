"""The architectures of `medflat_ner`: pointer heads and tag sequences over any tok2vec."""

from collections.abc import Callable, Sequence
from typing import cast

from spacy.tokens import Doc
from spacy.util import registry
from thinc.api import Model, chain, with_array
from thinc.types import Floats2d, Ragged

from ..torch_layer import MakeModule, torch_layer
from .head import SpanHead
from .pointer import (
    EfficientGlobalPointer,
    EfficientGlobalPointerScores,
    GlobalPointer,
    GlobalPointerScores,
    SpanScores,
)
from .pointer_head import PointerHead
from .tagging import LinearNestedHead, TagScores


@registry.architectures("spacy_medflat.EfficientGlobalPointer.v1")
def create_efficient_global_pointer(
    tok2vec: Model[list[Doc], list[Floats2d]],
    head_size: int = 64,
    max_width: int = 128,
    rotary_base: float = 10000.0,
    dropout: float = 0.0,
) -> Model[list[Doc], Ragged]:
    """Score every span with one rotary pointer that all labels share, and a bias for each label.

    tok2vec (Model): one vector for each token.
    head_size (int): size of the pointer, even.
    max_width (int): the most tokens in a span. Memory grows with it; wider gold spans are counted at initialization.
    rotary_base (float): longest period of the rotary positions, in tokens, over 2π.
    dropout (float): on the tokens' vectors.
    RETURNS: features of each token; `attrs["span_head"]` makes spans of them.
    RAISES ValueError: a setting is out of range.
    """
    scores = EfficientGlobalPointerScores(head_size, rotary_base)
    return _pointer(tok2vec, EfficientGlobalPointer, scores, head_size, max_width, dropout)


@registry.architectures("spacy_medflat.GlobalPointer.v1")
def create_global_pointer(
    tok2vec: Model[list[Doc], list[Floats2d]],
    head_size: int = 64,
    max_width: int = 128,
    rotary_base: float = 10000.0,
    dropout: float = 0.0,
) -> Model[list[Doc], Ragged]:
    """Score every span with a rotary pointer of its own for each label.

    The settings are those of `spacy_medflat.EfficientGlobalPointer.v1`.
    """
    return _pointer(tok2vec, GlobalPointer, GlobalPointerScores(head_size, rotary_base), head_size, max_width, dropout)


@registry.architectures("spacy_medflat.LinearNested.v1")
def create_linear_nested(
    tok2vec: Model[list[Doc], list[Floats2d]],
    groups: Sequence[Sequence[str]] = (("sym",),),
    crf: bool = True,
    dropout: float = 0.1,
) -> Model[list[Doc], Ragged]:
    """Tag the tokens with one BIO sequence for each group of labels: nested spans, as long as their groups differ.

    Gold spans that overlap within a group are counted at initialization. There is no limit to a span's width.

    tok2vec (Model): one vector for each token.
    groups (list of lists of str): labels by group. Those that the data lack are passed over; those that stand in no
        group share a last one.
    crf (bool): a conditional random field for each sequence; otherwise a softmax for each token.
    dropout (float): on the tokens' vectors.
    RETURNS: features of each token; `attrs["span_head"]` makes spans of them.
    RAISES ValueError: a group is not a list, a label stands in two of them, or a setting is out of range.
    """
    for group in groups:
        if isinstance(group, str):
            raise ValueError(f"groups must be a list of lists of labels, but it has {group!r}: write [[{group!r}]]")
    named = [label for group in groups for label in group]
    repeated = sorted({label for label in named if named.count(label) > 1})
    if repeated:
        raise ValueError(f"groups must name a label once, but {', '.join(repeated)} stand in them more often")
    _check_dropout(dropout)
    layer = torch_layer("tag_scores", TagScores, ["n_in", "n_tags", "n_moves"], dropout=dropout)
    return _model(tok2vec, layer, LinearNestedHead(tuple(tuple(group) for group in groups), crf))


def list_to_ragged() -> Model[list[Floats2d], Ragged]:
    """thinc's `list2ragged`, but a batch with one text of any length is passed on as it is, not copied."""
    return Model("list_to_ragged", _list_to_ragged)


def _list_to_ragged(model: Model, X: list[Floats2d], is_train: bool) -> tuple[Ragged, Callable]:
    lengths = model.ops.asarray1i([len(x) for x in X])
    filled = [x for x in X if len(x)]

    def backprop(d_ragged: Ragged) -> list[Floats2d]:
        return model.ops.unflatten(cast(Floats2d, d_ragged.data), lengths)

    return Ragged(filled[0] if len(filled) == 1 else model.ops.flatten(X), lengths), backprop


def _pointer(
    tok2vec: Model[list[Doc], list[Floats2d]],
    make_module: MakeModule,
    scores: SpanScores,
    head_size: int,
    max_width: int,
    dropout: float,
) -> Model[list[Doc], Ragged]:
    if head_size < 2 or head_size % 2:
        raise ValueError(f"head_size must be an even number of at least 2, but it is {head_size}")
    if max_width < 1:
        raise ValueError(f"max_width must be at least 1, but it is {max_width}")
    _check_dropout(dropout)
    layer = torch_layer("span_pointer", make_module, ["n_in", "n_labels"], head_size=head_size, dropout=dropout)
    return _model(tok2vec, layer, PointerHead(scores, max_width))


def _check_dropout(dropout: float) -> None:
    if not 0.0 <= dropout < 1.0:
        raise ValueError(f"dropout must be at least 0 and less than 1, but it is {dropout}")


def _model(tok2vec: Model[list[Doc], list[Floats2d]], layer: Model, head: SpanHead) -> Model[list[Doc], Ragged]:
    model: Model[list[Doc], Ragged] = chain(tok2vec, list_to_ragged(), with_array(layer))
    model.set_ref("tok2vec", tok2vec)
    model.set_ref("output_layer", layer)
    model.attrs["span_head"] = head
    return model
