"""`spacy_medflat.CharTransformer.v1`: a BERT-family encoder over characters, for the `transformer` component."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from spacy.tokens import Doc
from spacy.util import logger, registry
from spacy_transformers.architectures import split_trf_batch, trfs2arrays
from spacy_transformers.data_classes import FullTransformerBatch, HFObjects, TransformerData, WordpieceBatch
from spacy_transformers.layers.hf_wrapper import HFWrapper
from thinc.api import Model, chain, torch2xp
from thinc.types import ArgsKwargs, Floats2d, Ints2d, Ragged
from transformers.utils import ModelOutput

from .._internals import encoder_of, encoder_settings, set_encoder
from ..runtime import one_torch_thread_in_workers, to_device
from ..torch_layer import CpuAutocast
from ..windows import batch_overhead, check_window
from .load import load_encoder, position_room
from .pieces import PieceBatch, PieceMap, batch_pieces
from .recipe import SavedEncoderModel

MAX_UNKNOWN_SHARE = 0.5


@dataclass(frozen=True)
class EncoderLimits:
    """How texts are cut.

    window, overlap, max_batch_items (int): see `create_char_transformer`.
    """

    window: int
    overlap: int
    max_batch_items: int

    def __post_init__(self) -> None:
        """RAISES (ValueError): a setting is out of range."""
        check_window(self.window, self.overlap)


@registry.architectures("spacy_medflat.CharTransformer.v1")
def create_char_transformer(
    name: str,
    window: int = 256,
    overlap: int = 32,
    max_batch_items: int = 1024,
    tokenizer_config: dict[str, Any] = {},  # noqa: B006 (thinc's registry needs plain defaults; never changed here)
    transformer_config: dict[str, Any] = {},  # noqa: B006
    mixed_precision: bool = False,
    grad_scaler_config: dict[str, Any] = {},  # noqa: B006
) -> Model[list[Doc], FullTransformerBatch]:
    """Build a character transformer. It takes the place of `spacy-transformers.TransformerModel.v3`.

    Every spaCy token is exactly one wordpiece (see `PieceMap`), so every token has exactly one vector. A text longer
    than `window` is read in overlapping windows, and each token takes its vector from the window that shows the most
    text around it. Only the last hidden state is kept.

    name (str): a name on the Hugging Face hub, a folder with weights, a folder with a `recipe.json`, or an installed
        pipeline or its folder, whose encoder is taken. It is read once, at initialization: a saved pipeline carries
        weights and vocabulary.
    window (int): the most tokens read at once, not counting [CLS] and [SEP].
    overlap (int): the fewest tokens that neighbouring windows share.
    max_batch_items (int): the most wordpieces, padding included, that prediction runs at once. It bounds memory for
        long texts and never changes a result. A CPU is fastest with what fits its caches, a GPU with more.
    tokenizer_config, transformer_config (dict): settings that override the encoder's own.
    mixed_precision (bool): see `CpuAutocast`; on a GPU as in spacy-transformers.
    grad_scaler_config (dict): as in spacy-transformers; it acts on a GPU.
    RAISES (ValueError): at initialization, if the encoder cannot be loaded, cannot hold `window` positions, or does not
        know Chinese characters.
    """
    limits = EncoderLimits(window, overlap, max_batch_items)
    autocast = CpuAutocast(mixed_precision)
    wrapper = HFWrapper(
        HFObjects(None, None, None, dict(tokenizer_config), dict(transformer_config)),
        convert_inputs=_convert_inputs,
        convert_outputs=_convert_outputs,
        mixed_precision=autocast.for_gpu,
        grad_scaler_config=dict(grad_scaler_config),
        model_cls=SavedEncoderModel,
    )
    return Model(
        "char_transformer",
        forward,
        init=init,
        layers=[wrapper],
        dims={"nO": None},
        attrs={
            "name": name,
            # Not plain values: thinc would restore those, and undo what a config says at loading.
            "limits": limits,
            "autocast": autocast,
            "vocabulary": _Vocabulary(),
            "replace_listener": replace_listener,
            "replace_listener_cfg": replace_listener_cfg,
        },
    )


@registry.architectures("spacy_medflat.CharTransformerTok2Vec.v1")
def create_char_transformer_tok2vec(
    name: str,
    pooling: Model[Ragged, Floats2d],
    grad_factor: float = 1.0,
    window: int = 256,
    overlap: int = 32,
    max_batch_items: int = 1024,
    tokenizer_config: dict[str, Any] = {},  # noqa: B006
    transformer_config: dict[str, Any] = {},  # noqa: B006
    mixed_precision: bool = False,
    grad_scaler_config: dict[str, Any] = {},  # noqa: B006
) -> Model[list[Doc], list[Floats2d]]:
    """A character transformer inside one component, not shared with others: what `nlp.replace_listeners` leaves.

    The settings that are not listed are those of `create_char_transformer`.

    pooling (Model): reduces the pieces of a token; there is one piece, so any reduction gives the same.
    grad_factor (float): factor on the gradient that flows back into the encoder.
    """
    transformer = create_char_transformer(
        name=name,
        window=window,
        overlap=overlap,
        max_batch_items=max_batch_items,
        tokenizer_config=tokenizer_config,
        transformer_config=transformer_config,
        mixed_precision=mixed_precision,
        grad_scaler_config=grad_scaler_config,
    )
    return chain(replace_listener(transformer), trfs2arrays(pooling, grad_factor))


def replace_listener(model: Model) -> Model:
    """What spaCy puts in the place of a listener when a component gets its own copy of the encoder."""
    return chain(model, split_trf_batch())


def replace_listener_cfg(transformer_cfg: dict[str, Any], listener_cfg: dict[str, Any]) -> dict[str, Any]:
    """The config that describes a component which got its own copy of the encoder.

    transformer_cfg (dict): of the shared encoder.
    listener_cfg (dict): spaCy gives what the component's model calls its tok2vec; the listener may lie deeper.
    """
    while "pooling" not in listener_cfg and "tok2vec" in listener_cfg:
        listener_cfg = listener_cfg["tok2vec"]
    shared: dict[str, Any] = {key: listener_cfg[key] for key in ("pooling", "grad_factor") if key in listener_cfg}
    return {**transformer_cfg, **shared, "@architectures": "spacy_medflat.CharTransformerTok2Vec.v1"}


def init(model: Model, X: Any = None, Y: Any = None) -> None:
    """Load the encoder, unless the model holds one, which keeps its weights, as in spacy-transformers."""
    shim: Any = model.layers[0].shims[0]
    if encoder_of(shim).transformer is not None:
        return
    hf = load_encoder(model.attrs["name"], *encoder_settings(encoder_of(shim)))
    _check_window(hf, model.attrs["name"], model.attrs["limits"].window)
    _check_vocabulary(hf, model.attrs["name"])
    set_encoder(shim, hf)
    model.set_dim("nO", hf.transformer.config.hidden_size)


def _check_window(hf: HFObjects, name: str, window: int) -> None:
    room = position_room(hf.transformer.config) - 2
    if window > room:
        raise ValueError(
            f"window={window} does not fit the encoder {name!r}: it has positions for {room} characters beside [CLS] "
            f"and [SEP]; set window to {room} or less"
        )


def _check_vocabulary(hf: HFObjects, name: str) -> None:
    unknown = PieceMap(hf.tokenizer).unknown_share()
    if unknown > MAX_UNKNOWN_SHARE:
        raise ValueError(
            f"the vocabulary of the encoder {name!r} does not know {unknown:.0%} of the commonest Chinese characters: "
            "choose an encoder whose wordpieces are Chinese characters, such as hfl/chinese-roberta-wwm-ext"
        )


def forward(
    model: Model[list[Doc], FullTransformerBatch], docs: list[Doc], is_train: bool
) -> tuple[FullTransformerBatch, Callable[[FullTransformerBatch], list[Doc]]]:
    """Run the encoder over whole texts. Docs without tokens get empty data."""
    one_torch_thread_in_workers()
    pieces, limits = _piece_map(model), model.attrs["limits"]
    ids = [pieces(doc) for doc in docs]
    batch = batch_pieces(ids, limits.window, limits.overlap, pieces)
    if not len(batch):
        return FullTransformerBatch.empty(len(docs)), lambda d_output: docs
    if is_train:
        _warn_of_unknown(model.attrs["vocabulary"], ids)
    with model.attrs["autocast"]():
        if is_train:
            output, backprop_encoder = model.layers[0](batch, True)
            hidden = output.last_hidden_state
        else:
            hidden = _predict_in_parts(model.layers[0], batch, limits.max_batch_items)
            output, backprop_encoder = ModelOutput(last_hidden_state=hidden), None

    def backprop(d_output: FullTransformerBatch) -> list[Doc]:
        if backprop_encoder is not None:
            backprop_encoder(d_output.model_output)
        return docs

    full = FullTransformerBatch(
        spans=[
            [doc[start:end] for start, end in zip(w.starts.tolist(), w.ends.tolist(), strict=True)]
            for doc, w in zip(docs, batch.windows, strict=True)
        ],
        wordpieces=_wordpieces(batch, hidden.shape[1]),
        model_output=output,
        align=Ragged(batch.rows(hidden.shape[1]), np.ones(batch.n_tokens, dtype="i")),  # type: ignore[arg-type]
    )
    full.cached_doc_data = _split_by_doc(full, batch, torch2xp(hidden))
    return full, backprop


class _Vocabulary:
    """What is derived from the loaded tokenizer: its piece map, and whether its unknown tokens were looked at.

    It is not saved, and a copy of a model derives its own.
    """

    def __init__(self) -> None:
        self.tokenizer: Any = None
        self.pieces: Any = None
        self.looked = False

    def __reduce__(self) -> tuple[type["_Vocabulary"], tuple[()]]:
        return _Vocabulary, ()


def _piece_map(model: Model) -> PieceMap:
    hf, vocabulary = encoder_of(model.layers[0].shims[0]), model.attrs["vocabulary"]
    if hf.tokenizer is None:
        raise ValueError(
            "the character transformer has no encoder yet: call nlp.initialize() or load a trained pipeline"
        )
    if vocabulary.tokenizer is not hf.tokenizer:
        # A pipeline may be loaded with another window than it was initialized with.
        _check_window(hf, model.attrs["name"], model.attrs["limits"].window)
        vocabulary.tokenizer, vocabulary.pieces, vocabulary.looked = hf.tokenizer, PieceMap(hf.tokenizer), False
    return vocabulary.pieces


def _warn_of_unknown(vocabulary: _Vocabulary, ids: list[NDArray[np.int64]]) -> None:
    """Look once at what is learnt from: words for tokens, where the vocabulary has characters, are all the same.

    ids (list of int64 [tokens]): of the Docs of a batch, together at least one token.
    """
    if vocabulary.looked:
        return
    vocabulary.looked = True
    share = float((np.concatenate(ids) == vocabulary.pieces.unk_id).mean())
    if share > MAX_UNKNOWN_SHARE:
        logger.warning(
            "the encoder does not know %.0f%% of the tokens of the first batch, and reads them all alike: use spaCy's "
            "zh tokenizer with segmenter 'char'",
            100 * share,
        )


def _predict_in_parts(encoder: Model, batch: PieceBatch, max_items: int) -> Any:
    """Predict all windows, at most `max_items` padded pieces at once.

    RETURNS (torch float [windows, longest, hidden])
    """
    parts = list(batch.parts(max_items, batch_overhead(encoder.ops.device_type, max_items)))
    if len(parts) == 1:
        return encoder.predict(batch).last_hidden_state
    hidden = None
    for rows, part in parts:
        output = encoder.predict(part).last_hidden_state
        if hidden is None:
            hidden = output.new_zeros((len(batch), batch.longest, output.shape[-1]))
        hidden[to_device(rows, output.device), : output.shape[1]] = output
    return hidden


def _wordpieces(batch: PieceBatch, width: int) -> WordpieceBatch:
    ids, mask = batch.padded(width)
    return WordpieceBatch(
        strings=[[] for _ in range(len(batch))],
        input_ids=cast(Ints2d, ids),
        attention_mask=cast(Floats2d, mask),
        lengths=batch.lengths.tolist(),
        token_type_ids=None,
    )


def _split_by_doc(full: FullTransformerBatch, batch: PieceBatch, hidden: Any) -> list[TransformerData]:
    """One TransformerData per Doc. The general method of spacy-transformers looks every token up in a dictionary."""
    data = []
    token, window = 0, 0
    for spans in full.spans:
        if not spans:
            data.append(TransformerData.empty())
            continue
        n_tokens, n_windows = spans[-1].end, len(spans)
        rows = full.align.dataXd[token : token + n_tokens] - window * hidden.shape[1]
        data.append(
            TransformerData(
                wordpieces=full.wordpieces[window : window + n_windows],
                model_output=ModelOutput(last_hidden_state=hidden[window : window + n_windows]),
                align=Ragged(rows, np.ones(n_tokens, dtype="i")),  # type: ignore[arg-type]
            )
        )
        token, window = token + n_tokens, window + n_windows
    return data


def _convert_inputs(model: Model, batch: PieceBatch, is_train: bool) -> tuple[ArgsKwargs, Callable]:
    shim: Any = model.shims[0]
    ids, mask = (to_device(array, shim.device) for array in batch.padded(batch.longest))
    kwargs = {"input_ids": ids, "attention_mask": mask}
    return ArgsKwargs(args=(), kwargs=kwargs), lambda d_inputs: []


def _convert_outputs(model: Model, inputs_outputs: tuple[Any, Any], is_train: bool) -> tuple[Any, Callable]:
    _, output = inputs_outputs

    def backprop(d_output: Any) -> ArgsKwargs:
        return ArgsKwargs(args=((output.last_hidden_state,),), kwargs={"grad_tensors": list(d_output.values())})

    return output, backprop
