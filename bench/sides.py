"""The sides of `bench.peers`: ways to find entities with one encoder, ours and others'.

Each trains on the same batches and reads the same texts as single characters, in windows of 256 where it has windows.
"""

import random
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import spacy
import torch
from spacy.language import Language
from spacy.training import Example
from spacy.util import fix_random_seed, load_config

from bench.plain import MAX_CHARS, PlainPointer, Text, make_optimizer, predict, train_step
from spacy_medflat.compression.parts import Part, parts_of
from spacy_medflat.corpus.reader import create_cmeee_reader
from spacy_medflat.training.optimizer.layerwise import create_layerwise_adamw

CONFIGS = Path(__file__).parent.parent / "configs"
ASSETS = Path(__file__).parent.parent / "assets"
# Of the entities of CMeEE, 97.7 % have at most so many characters. spancat scores every span up to the limit.
SPANCAT_WIDTH = 16
ENCODER_RATE, HEAD_RATE = 1e-4, 1e-3


class Setting(NamedTuple):
    """What all sides share.

    encoder (str): a name or a folder, with weights.
    data (Path): annotated texts.
    texts (int): how many of them make a round.
    batch (int): texts of a batch.
    vectors (Path or None): word vectors for FLAT, in spaCy's format.
    lexicon (Path): its words.
    """

    encoder: str
    data: Path
    texts: int
    batch: int
    vectors: Path | None
    lexicon: Path


class Side(NamedTuple):
    """One side of the comparison.

    train (callable): updates once on each batch.
    infer (callable): reads the texts.
    longest (int or None): the most characters that it reads without cutting or running out of memory.
    """

    train: Callable[[], None]
    infer: Callable[[Sequence[str]], None]
    longest: int | None = None


def read_batches(nlp: Language, setting: Setting) -> list[list[Example]]:
    """Batches of texts of like length, as the default batcher makes them, in random order."""
    examples = sorted(create_cmeee_reader(setting.data, limit=setting.texts)(nlp), key=lambda eg: len(eg.text))
    groups = [examples[i : i + setting.batch] for i in range(0, len(examples), setting.batch)]
    random.Random(0).shuffle(groups)
    return groups


def _pipeline_side(
    config: str,
    setting: Setting,
    overrides: dict[str, Any] | None = None,
    theirs: dict[str, Any] | None = None,
    int8: bool = False,
) -> Side:
    """A pipeline of ours, or with their encoder in the place of ours; with 8-bit weights from the first reading on."""
    paths: dict[str, Any] = {"paths.encoder": setting.encoder, "paths.train": str(setting.data)}
    loaded = load_config(CONFIGS / config, {**paths, **(overrides or {})})
    if theirs is not None:
        loaded["components"]["transformer"]["model"] = theirs
    nlp = spacy.util.load_model_from_config(loaded, auto_fill=True)
    if setting.vectors is not None and "lattice" in nlp.pipe_names:
        spacy.training.initialize.load_vectors_into_model(nlp, setting.vectors, add_strings=True)
    side = _spacy_side(nlp, setting, annotates=[name for name in nlp.pipe_names if name == "lattice"])
    if not int8:
        return side
    compressed: list[Part] = []

    def infer(texts: Sequence[str]) -> None:
        if not compressed:
            compressed.extend(parts_of(nlp, config))
            for part in compressed:
                part.use(True)
        side.infer(texts)

    return side._replace(infer=infer)


def _spacy_side(nlp: Language, setting: Setting, annotates: Iterable[str] = ()) -> Side:
    sample = list(create_cmeee_reader(setting.data, limit=2000)(nlp))
    fix_random_seed(0)
    nlp.initialize(lambda: sample)
    batches = read_batches(nlp, setting)
    for example in (eg for group in batches for eg in group):
        example.reference.ents = spacy.util.filter_spans(example.reference.spans["sc"])
    optimizer = create_layerwise_adamw(encoder_rate=ENCODER_RATE, head_rate=HEAD_RATE)
    annotates = list(annotates)

    def train() -> None:
        for group in batches:
            nlp.update(group, sgd=optimizer, annotates=annotates)

    def infer(texts: Sequence[str]) -> None:
        for _ in nlp.pipe(texts):
            pass

    return Side(train, infer)


def _their_transformer(encoder: str) -> dict[str, Any]:
    return {
        "@architectures": "spacy-transformers.TransformerModel.v3",
        "name": encoder,
        "get_spans": {"@span_getters": "spacy-transformers.strided_spans.v1", "window": 256, "stride": 224},
    }


def _their_pipeline(factory: str, config: dict[str, Any], setting: Setting) -> Side:
    nlp = spacy.blank("zh")
    nlp.add_pipe("transformer", config={"model": _their_transformer(setting.encoder)})
    nlp.add_pipe(factory, config=config)
    nlp.add_pipe("doc_cleaner", config={"attrs": {"_.trf_data": None}})
    return _spacy_side(nlp, setting)


_LISTENER = {
    "@architectures": "spacy-transformers.TransformerListener.v1",
    "grad_factor": 1.0,
    "pooling": {"@layers": "reduce_mean.v1"},
    "upstream": "*",
}


def _spancat(setting: Setting) -> Side:
    sizes = {"@misc": "spacy.ngram_range_suggester.v1", "min_size": 1, "max_size": SPANCAT_WIDTH}
    model = {
        "@architectures": "spacy.SpanCategorizer.v1",
        "tok2vec": _LISTENER,
        "reducer": {"@layers": "spacy.mean_max_reducer.v1", "hidden_size": 128},
        "scorer": {"@layers": "spacy.LinearLogistic.v1", "nO": None, "nI": None},
    }
    return _their_pipeline("spancat", {"suggester": sizes, "model": model}, setting)


def _ner(setting: Setting) -> Side:
    model = {
        "@architectures": "spacy.TransitionBasedParser.v2",
        "state_type": "ner",
        "extra_state_tokens": False,
        "hidden_width": 64,
        "maxout_pieces": 2,
        "use_upper": False,
        "nO": None,
        "tok2vec": _LISTENER,
    }
    return _their_pipeline("ner", {"model": model}, setting)


def _plain_pointer(setting: Setting) -> Side:
    from transformers import AutoModel, AutoTokenizer

    nlp = spacy.blank("zh")
    labels = sorted({span.label_ for eg in create_cmeee_reader(setting.data)(nlp) for span in eg.reference.spans["sc"]})
    batches = [[_to_text(eg, labels) for eg in group] for group in read_batches(nlp, setting)]
    vocab = AutoTokenizer.from_pretrained(setting.encoder).get_vocab()
    model = PlainPointer(AutoModel.from_pretrained(setting.encoder), vocab, len(labels))
    optimizer = make_optimizer(model)

    def train() -> None:
        for group in batches:
            train_step(model, optimizer, group)

    return Side(train, partial(_in_batches, partial(predict, model), setting.batch), longest=MAX_CHARS)


def _encoder_alone(setting: Setting) -> Side:
    """The encoder without anything to find: what no pipeline on it can beat."""
    from transformers import AutoModel, AutoTokenizer

    nlp = spacy.blank("zh")
    batches = [[eg.text for eg in group] for group in read_batches(nlp, setting)]
    vocab = AutoTokenizer.from_pretrained(setting.encoder).get_vocab()
    model = PlainPointer(AutoModel.from_pretrained(setting.encoder), vocab, n_labels=1)
    optimizer = make_optimizer(model)

    def train() -> None:
        model.train()
        for group in batches:
            ids, mask = model.encode(group)
            model.encoder(input_ids=ids, attention_mask=mask).last_hidden_state.square().mean().backward()
            optimizer.step()
            optimizer.zero_grad()

    @torch.no_grad()
    def encode(texts: Sequence[str]) -> None:
        model.eval()
        ids, mask = model.encode(texts)
        model.encoder(input_ids=ids, attention_mask=mask)

    return Side(train, partial(_in_batches, encode, setting.batch), longest=MAX_CHARS)


def _in_batches(run: Callable[[Sequence[str]], Any], size: int, texts: Sequence[str]) -> None:
    by_length = sorted(texts, key=len)
    for i in range(0, len(by_length), size):
        run(by_length[i : i + size])


def _to_text(example: Example, labels: Sequence[str]) -> Text:
    spans = example.reference.spans["sc"]
    return Text(example.text, [(s.start_char, s.end_char - 1, labels.index(s.label_)) for s in spans])


def _edsnlp(setting: Setting, *, bfloat16: bool) -> Side:
    """edsnlp's trainable recognizer: overlapping entities of different labels, by a CRF for each label."""
    import edsnlp
    import edsnlp.pipes as eds

    nlp: Any = edsnlp.blank("zh")
    embedding = eds.transformer(model=setting.encoder, window=256, stride=224)
    nlp.add_pipe(eds.ner_crf(embedding=embedding, mode="independent", target_span_getter=["sc"]), name="ner")
    batches = [[eg.reference for eg in group] for group in read_batches(spacy.blank("zh"), setting)]
    nlp.post_init(doc for group in batches for doc in group)
    encoder = list(embedding.parameters())
    mine = {id(p) for p in encoder}
    head = [p for p in nlp.get_pipe("ner").parameters() if id(p) not in mine]
    optimizer = torch.optim.AdamW(
        [{"params": encoder, "lr": ENCODER_RATE}, {"params": head, "lr": HEAD_RATE}], weight_decay=0.01
    )

    def train() -> None:
        nlp.train(True)
        for group in batches:
            ready = nlp.collate([nlp.preprocess(doc, supervision=True) for doc in group])
            with nlp.cache(), torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
                outputs = [pipe(ready[name]) for name, pipe in nlp.torch_components() if name in ready]
            sum(output["loss"] for output in outputs if output.get("loss") is not None).backward()
            optimizer.step()
            optimizer.zero_grad()

    def infer(texts: Sequence[str]) -> None:
        nlp.train(False)
        # Its own choice is half precision, on a CPU too.
        for _ in nlp.pipe(texts).set_processing(autocast=torch.bfloat16 if bfloat16 else False):
            pass

    return Side(train, infer)


def _flat(config: str, setting: Setting) -> Side:
    return _pipeline_side(config, setting, {"paths.lexicon": str(setting.lexicon)})


SIDES: dict[str, Callable[[Setting], Side]] = {
    "ours": partial(_pipeline_side, "encoder_only.cfg"),
    "ours, bfloat16": partial(
        _pipeline_side, "encoder_only.cfg", overrides={"components.transformer.model.mixed_precision": True}
    ),
    "ours, 8 bit": partial(_pipeline_side, "encoder_only.cfg", int8=True),
    "ours, with FLAT": partial(_flat, "default.cfg"),
    "ours, FLAT over words": partial(_flat, "flat_words.cfg"),
    "encoder alone": _encoder_alone,
    "plain GlobalPointer": _plain_pointer,
    "ours on TransformerModel.v3": lambda setting: _pipeline_side(
        "encoder_only.cfg", setting, theirs=_their_transformer(setting.encoder)
    ),
    "transformer + spancat": _spancat,
    "transformer + ner": _ner,
    "edsnlp ner_crf": partial(_edsnlp, bfloat16=False),
    "edsnlp ner_crf, bfloat16": partial(_edsnlp, bfloat16=True),
}
