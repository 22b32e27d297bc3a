"""The architectures of `medflat_ner`: pointer heads and tag sequences over any tok2vec."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from spacy.tokens import Doc
from spacy.util import registry
from thinc.api import Model, chain, with_array
from thinc.types import Floats2d

from ..torch_layer import MakeModule, torch_layer
from .head import SpanHead, convert_named_outputs
from .pointer import EfficientGlobalPointer, GlobalPointer, PointerFeatures
from .pointer_head import PointerHead
from .tagging import LinearNestedHead, TagFeatures, TagScores


@registry.architectures("spacy_medflat.EfficientGlobalPointer.v1")
def create_efficient_global_pointer(
    tok2vec: Model[list[Doc], list[Floats2d]],
    head_size: int = 64,
    max_width: int = 128,
    rotary_base: float = 10000.0,
    dropout: float = 0.0,
) -> Model[list[Doc], PointerFeatures]:
    """Score every span with one rotary pointer that all labels share, and a bias for each label.

    tok2vec (Model): one vector for each token.
    head_size (int): size of the pointer, even.
    max_width (int): the most tokens in a span. Memory grows with it; wider gold spans are counted at initialization.
    rotary_base (float): longest period of the rotary positions, in tokens, over 2π.
    dropout (float): on the tokens' vectors.
    RETURNS (Model): named tensors of the tokens; the `SpanHead` in its `attrs["span_head"]` makes spans of them.
    RAISES (ValueError): a setting is out of range.
    """
    return _pointer_model(tok2vec, EfficientGlobalPointer, head_size, max_width, rotary_base, dropout)


@registry.architectures("spacy_medflat.GlobalPointer.v1")
def create_global_pointer(
    tok2vec: Model[list[Doc], list[Floats2d]],
    head_size: int = 64,
    max_width: int = 128,
    rotary_base: float = 10000.0,
    dropout: float = 0.0,
) -> Model[list[Doc], PointerFeatures]:
    """Score every span with a rotary pointer of its own for each label.

    The settings are those of `spacy_medflat.EfficientGlobalPointer.v1`.
    """
    return _pointer_model(tok2vec, GlobalPointer, head_size, max_width, rotary_base, dropout)


@registry.architectures("spacy_medflat.LinearNested.v1")
def create_linear_nested(
    tok2vec: Model[list[Doc], list[Floats2d]],
    groups: Sequence[Sequence[str]] = (("sym",),),
    crf: bool = True,
    dropout: float = 0.1,
) -> Model[list[Doc], TagFeatures]:
    """Tag the tokens with one BIO sequence for each group of labels: nested spans, as long as their groups differ.

    Gold spans that overlap within a group are counted at initialization. There is no limit to a span's width.

    tok2vec (Model): one vector for each token.
    groups (list of lists of str): labels by group. Labels that the data lack are ignored; labels without a group share
        a last one.
    crf (bool): a conditional random field for each sequence; otherwise a softmax for each token.
    dropout (float): on the tokens' vectors.
    RETURNS (Model): named tensors of the tokens; the `SpanHead` in its `attrs["span_head"]` makes spans of them.
    RAISES (ValueError): a group is not a list, a label stands in two of them, or a setting is out of range.
    """
    for group in groups:
        if isinstance(group, str):
            raise ValueError(f"groups must be a list of lists of labels, but it has {group!r}: write [[{group!r}]]")
    named = [label for group in groups for label in group]
    repeated = sorted({label for label in named if named.count(label) > 1})
    if repeated:
        raise ValueError(f"groups must name a label once, but {', '.join(repeated)} stand in them more often")
    head = LinearNestedHead(tuple(tuple(group) for group in groups), crf)
    return _model(tok2vec, head, "tag_scores", TagScores, ["n_tags", "n_moves"], dropout=dropout)


def _pointer_model(
    tok2vec: Model[list[Doc], list[Floats2d]],
    make_module: MakeModule,
    head_size: int,
    max_width: int,
    rotary_base: float,
    dropout: float,
) -> Model[list[Doc], PointerFeatures]:
    if head_size < 2 or head_size % 2:
        raise ValueError(f"head_size must be an even number of at least 2, but it is {head_size}")
    if max_width < 1:
        raise ValueError(f"max_width must be at least 1, but it is {max_width}")
    settings = {"head_size": head_size, "rotary_base": rotary_base, "dropout": dropout}
    return _model(tok2vec, PointerHead(max_width), "span_pointer", make_module, ["n_labels"], **settings)


def _model(
    tok2vec: Model[list[Doc], list[Floats2d]],
    head: SpanHead,
    name: str,
    make_module: MakeModule,
    sizes: Sequence[str],
    dropout: float,
    **settings: Any,
) -> Model[list[Doc], Any]:
    """A module over the tokens' vectors of all texts, whose NamedTuple of tensors goes to the head."""
    if not 0.0 <= dropout < 1.0:
        raise ValueError(f"dropout must be at least 0 and less than 1, but it is {dropout}")
    layer = torch_layer(name, make_module, ["n_in", *sizes], dropout=dropout, **settings)
    layer.attrs["convert_outputs"] = convert_named_outputs
    # `with_array` passes an array on as it is. It is here because saved pipelines have it.
    model: Model[list[Doc], Any] = chain(tok2vec, concatenate_texts(), with_array(layer))
    model.set_ref("tok2vec", tok2vec)
    model.set_ref("output_layer", layer)
    model.attrs["span_head"] = head
    return model


def concatenate_texts() -> Model[list[Floats2d], Floats2d]:
    """thinc's `list2array`, but a batch with one text of any length is passed on as it is, not copied."""
    return Model("concatenate_texts", _concatenate_texts)


def _concatenate_texts(model: Model, X: list[Floats2d], is_train: bool) -> tuple[Floats2d, Callable]:
    lengths: Any = np.array([len(x) for x in X])  # where thinc needs them, whatever the device
    filled = [x for x in X if len(x)]

    def backprop(d_output: Floats2d) -> list[Floats2d]:
        return model.ops.unflatten(d_output, lengths)

    return filled[0] if len(filled) == 1 else model.ops.flatten(X), backprop
