"""`medflat_ner`: the component that writes nested entities into `doc.spans`."""

from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import srsly
from numpy.typing import NDArray
from spacy.language import Language
from spacy.pipeline.trainable_pipe import TrainablePipe
from spacy.tokens import Doc
from spacy.training import Example, validate_examples, validate_get_examples
from spacy.util import SimpleFrozenList, ensure_path, logger
from spacy.vocab import Vocab
from thinc.api import Config, Model

from ..windows import greedy_batches
from .calibrator import LOWEST, Calibrator
from .gold import GoldCoverage, read_gold
from .head import SpanHead
from .span_finder import SpanFinder
from .spans import Candidates, GoldSpans, Nesting, logit
from .training_texts import TrainingTexts

# Several copies of the tokens' vectors are alive in a prediction. A batch of long texts must not multiply them.
PREDICT_TOKENS = 2**14

DEFAULT_CONFIG = Config().from_str("""
[medflat_ner]
spans_key = "sc"
threshold = 0.5
label_thresholds = {}
nesting = "all"
set_ents = false
scorer = {"@scorers":"spacy_medflat.nested_scorer.v1"}

[medflat_ner.model]
@architectures = "spacy_medflat.EfficientGlobalPointer.v1"
head_size = 64
max_width = 128
rotary_base = 10000.0
dropout = 0.0

[medflat_ner.model.tok2vec]
@architectures = "spacy.HashEmbedCNN.v2"
pretrained_vectors = null
width = 96
depth = 4
embed_size = 2000
window_size = 1
maxout_pieces = 3
subword_features = true
""")


@Language.factory(
    "medflat_ner",
    assigns=["doc.spans"],
    default_config=DEFAULT_CONFIG["medflat_ner"],
    default_score_weights={"spans_sc_f": 1.0, "spans_sc_p": 0.0, "spans_sc_r": 0.0},
)
def make_medflat_ner(
    nlp: Language,
    name: str,
    model: Model[list[Doc], Any],
    spans_key: str,
    threshold: float,
    label_thresholds: dict[str, float],
    nesting: Nesting,
    set_ents: bool,
    scorer: Callable[..., dict[str, Any]] | None,
) -> "NestedEntityRecognizer":
    """Make the component. The settings are those of `NestedEntityRecognizer`."""
    return NestedEntityRecognizer(
        nlp.vocab,
        model,
        name,
        spans_key=spans_key,
        threshold=threshold,
        label_thresholds=label_thresholds,
        nesting=nesting,
        set_ents=set_ents,
        scorer=scorer,
    )


class NestedEntityRecognizer(SpanFinder, TrainablePipe):
    """Finds entities inside entities, with the head that its model carries.

    Initializing it again makes a new head; so does FLAT, while an encoder keeps its weights.

    A span's score is the probability that the model gives it. With a `calibrator`, which `spacy medflat calibrate`
    fits, it is a frequency on texts like those of the fit, and words and training texts count too. It cannot find
    discontinuous spans, nor, with a pointer head, spans wider than the head's `max_width`.
    """

    def __init__(self, vocab: Vocab, model: Model[list[Doc], Any], name: str = "medflat_ner", **settings: Any):
        """Make the component.

        model (Model): an architecture whose `attrs["span_head"]` is a `SpanHead`.
        settings: see `SpanFinder`; `spans_key` is also the group to learn from.
        RAISES (ValueError): the model has no span head, or a setting is out of range.
        """
        if not isinstance(model.attrs.get("span_head"), SpanHead):
            raise ValueError(
                f"the model of {name!r} ({model.name!r}) has no span head: use "
                "spacy_medflat.EfficientGlobalPointer.v1, spacy_medflat.GlobalPointer.v1, "
                "spacy_medflat.LinearNested.v1, or an architecture that sets attrs['span_head']"
            )
        super().__init__(vocab, name, **settings)
        self.model = model
        self.calibrator: Calibrator | None = None
        self.training_texts: TrainingTexts | None = None
        self.cfg = {"labels": [], **self.cfg}
        self._warned: set[str] = set()

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, in the order of the head."""
        return tuple(self.cfg["labels"])

    @property
    def label_data(self) -> list[str]:
        """What `spacy init labels` writes and `initialize(labels=)` reads."""
        return list(self.labels)

    @property
    def head(self) -> SpanHead:
        """What makes a loss and spans of the model's features."""
        return self.model.attrs["span_head"]

    def add_label(self, label: str) -> int:
        """Add a label. Possible before initialization only.

        RETURNS (int): 1, or 0 if the label is there already.
        RAISES (ValueError): the label is not a string, or the head is made already.
        """
        if not isinstance(label, str):
            raise ValueError(f"a label of {self.name!r} must be a string, but it is {label!r}")
        if label in self.cfg["labels"]:
            return 0
        made = self.model.get_ref("output_layer").attrs
        if all(made.get(size) is not None for size in self.head.sizes(self.labels)):
            raise ValueError(
                f"cannot add the label {label!r} to {self.name!r}: its head is made for {', '.join(self.labels)}. "
                "Add labels before initialization, or train a new component"
            )
        self.cfg["labels"].append(label)
        self.vocab.strings.add(label)
        return 1

    def candidates(self, docs: Iterable[Doc], thresholds: Iterable[float]) -> list[Candidates]:
        """Find the spans with a probability above the threshold of their label, nesting not resolved.

        thresholds (float [labels]): probabilities, in the order of the labels.
        RETURNS (list of Candidates): one for each Doc.
        """
        lowest = logit(list(thresholds)).astype(np.float32)
        if self.calibrator is None:
            return self.head_candidates(docs, lowest)
        docs = list(docs)
        found = self.head_candidates(docs, np.full(len(self.labels), LOWEST, dtype=np.float32))
        return [candidates.above(lowest) for candidates in self.calibrator(docs, found, self.training_texts)]

    def head_candidates(self, docs: Iterable[Doc], lowest: NDArray[np.floating]) -> list[Candidates]:
        """Find the spans to which the head gives a logit above the lowest of their label, not calibrated.

        lowest (float [labels]): logits, in the order of the labels.
        RETURNS (list of Candidates): one for each Doc.
        """
        found: list[Candidates] = []
        for group in greedy_batches(docs, lambda n, doc: (n or 0) + len(doc), lambda _, n: n <= PREDICT_TOKENS):
            lengths = np.array([len(doc) for doc in group], dtype=np.int64)
            if lengths.any():
                found.extend(self.head.candidates(self.model.predict(group), lengths, lowest, self.labels))
            else:
                found.extend(Candidates.empty() for _ in group)
        return found

    def get_loss(self, examples: Iterable[Example], scores: Any) -> tuple[float, Any]:
        """The loss of a batch, summed over texts and labels, and its gradient.

        examples (iterable of Example): with at least one token.
        scores: the features that the model gives.
        RETURNS (float, same structure as scores): the loss; its gradient.
        """
        validate_examples(examples, f"{type(self).__name__}.get_loss")
        gold, coverage = self._read_gold(examples)
        for label in set(coverage.unknown) - self._warned:
            self._warned.add(label)
            logger.warning("%s: label %r is in the training data but not in the component; ignored", self.name, label)
        lengths = np.array([len(eg.predicted) for eg in examples], dtype=np.int64)
        return self.head.loss(scores, lengths, gold, self.labels)

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Language | None = None,
        labels: Iterable[str] | None = None,
    ) -> None:
        """Make the head for the labels of the data, and count how much of the gold it can reach.

        labels (iterable of str or None): the labels, in place of those found in the data.
        RAISES (ValueError): there are no labels, none of the gold is within reach, a threshold names an unknown label,
            or the config's score weights look at another span group.
        """
        validate_get_examples(get_examples, f"{type(self).__name__}.initialize")
        if nlp is not None:
            self._check_score_weights(nlp)
        examples = list(get_examples())
        for label in _labels_of(examples, self.key) if labels is None else labels:
            self.add_label(label)
        if not self.labels:
            raise ValueError(
                f"{self.name!r} has no labels: none of the {len(examples)} training texts has a span in "
                f"doc.spans[{self.key!r}]. Check spans_key, or pass labels"
            )
        unknown = sorted(set(self.cfg["label_thresholds"]) - set(self.labels))
        if unknown:
            raise ValueError(
                f"label_thresholds of {self.name!r} names {', '.join(unknown)}, but the labels are "
                f"{', '.join(self.labels)}"
            )
        self._report_coverage(self._read_gold(examples)[1])
        self.calibrator = None
        self.training_texts = TrainingTexts.of(examples, self.key, self.labels)
        sample = [eg.x for eg in islice((eg for eg in examples if len(eg.x)), 10)]
        if not sample:
            raise ValueError(f"{self.name!r} cannot be initialized: none of the {len(examples)} texts has a token")
        self.model.get_ref("output_layer").attrs.update(self.head.sizes(self.labels))
        self.model.initialize(X=sample)

    def _read_gold(self, examples: Iterable[Example]) -> tuple[GoldSpans, GoldCoverage]:
        """The gold that the head can learn, and a count of what it cannot."""
        gold, coverage = read_gold(examples, self.key, self.labels)
        within_reach = np.ones(len(gold.doc), dtype=np.bool_)
        for reason, lost in self.head.out_of_reach(gold, self.labels).items():
            coverage.lost[reason] = int(lost.sum())
            within_reach &= ~lost
        return gold.take(within_reach), coverage

    def _report_coverage(self, coverage: GoldCoverage) -> None:
        logger.info("%s: %s", self.name, coverage)
        if coverage.gold and not coverage.reached:
            raise ValueError(
                f"{self.name!r} can reach none of the gold: {coverage}. Check the tokenizer (zh with segmenter "
                "'char'), the labels, and the settings of the model"
            )
        if coverage.reached < coverage.gold:
            logger.warning("%s: %d gold spans cannot be learnt", self.name, coverage.gold - coverage.reached)

    def to_bytes(self, *, exclude: Iterable[str] = SimpleFrozenList()) -> bytes:
        """The component as bytes.

        exclude (iterable of str): `cfg`, `model`, `vocab`, `calibration`, `training_texts`.
        """
        parts = {name: part.to_bytes() for name, part in self._parts().items() if part and name not in exclude}
        return srsly.msgpack_dumps({**srsly.msgpack_loads(super().to_bytes(exclude=exclude)), **parts})

    def from_bytes(self, data: bytes, *, exclude: Iterable[str] = SimpleFrozenList()) -> "NestedEntityRecognizer":
        """Load what `to_bytes` gave."""
        super().from_bytes(data, exclude=exclude)
        parts = srsly.msgpack_loads(data)
        self._take_parts({name: parts.get(name) for name in _PARTS if name not in exclude})
        return self

    def to_disk(self, path: str | Path, *, exclude: Iterable[str] = SimpleFrozenList()) -> None:
        """Write the component as a folder.

        exclude (iterable of str): `cfg`, `model`, `vocab`, `calibration`, `training_texts`.
        """
        super().to_disk(path, exclude=exclude)
        for name, part in self._parts().items():
            file = ensure_path(path) / name
            if part and name not in exclude:
                file.write_bytes(part.to_bytes())
            else:
                file.unlink(missing_ok=True)

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = SimpleFrozenList()) -> "NestedEntityRecognizer":
        """Load what `to_disk` wrote.

        RAISES (MedflatError): the calibration or the record of the training texts is damaged.
        """
        super().from_disk(path, exclude=exclude)
        files = {name: ensure_path(path) / name for name in _PARTS if name not in exclude}
        self._take_parts({name: file.read_bytes() if file.exists() else None for name, file in files.items()})
        return self

    def _parts(self) -> dict[str, Calibrator | TrainingTexts | None]:
        return {"calibration": self.calibrator, "training_texts": self.training_texts}

    def _take_parts(self, parts: dict[str, bytes | None]) -> None:
        made = {name: _PARTS[name].from_bytes(part) if part else None for name, part in parts.items()}
        self.calibrator = made.get("calibration", self.calibrator)
        self.training_texts = made.get("training_texts", self.training_texts)

    def _check_score_weights(self, nlp: Language) -> None:
        """A weight on another span group is always 0, and training would never keep a best model."""
        config = nlp.config.interpolate()
        # Without a corpus this is not `spacy train`, and the weights are a default that is not used.
        corpora = config["corpora"]
        if all(isinstance(corpus, dict) and corpus.get("path", "") is None for corpus in corpora.values()):
            return
        weights = config["training"]["score_weights"]
        # Frozen components are disabled now, and scored all the same.
        written = {_key_of(nlp.get_pipe(name)) for name in nlp.component_names} - {None}
        stray = [
            name
            for name, weight in weights.items()
            if weight and name.startswith("spans_") and not name.startswith(tuple(f"spans_{key}_" for key in written))
        ]
        if stray:
            raise ValueError(
                f"{self.name!r} writes the span group {self.key!r}, but [training.score_weights] has "
                f"{', '.join(sorted(stray))}, which no component's group answers to: set them to 0, and give "
                f"spans_{self.key}_f a weight, or set spans_key"
            )


# Files beside cfg and model. Pipelines that were saved before there were any have none.
_PARTS: dict[str, Any] = {"calibration": Calibrator, "training_texts": TrainingTexts}


def _key_of(pipe: Any) -> str | None:
    return getattr(pipe, "key", None) or getattr(pipe, "cfg", {}).get("spans_key")


def _labels_of(examples: Iterable[Example], key: str) -> list[str]:
    """The labels of the gold spans, in the order in which they come."""
    return list(dict.fromkeys(span.label_ for eg in examples for span in eg.reference.spans.get(key, [])))
