"""`medflat_ner`: the component that writes nested entities into `doc.spans`."""

import math
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

import numpy as np
from spacy.language import Language
from spacy.pipeline.trainable_pipe import TrainablePipe
from spacy.tokens import Doc
from spacy.training import Example, validate_examples, validate_get_examples
from spacy.util import logger
from spacy.vocab import Vocab
from thinc.api import Config, Model
from thinc.types import Ragged

from ..runtime import one_torch_thread_in_workers
from ..span_pipe import SpanPipe
from ..windows import greedy_batches
from .gold import Coverage, read_gold
from .head import SpanHead
from .spans import MODES, Candidates, GoldSpans, Nesting, annotate

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
    model: Model[list[Doc], Ragged],
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


class NestedEntityRecognizer(SpanPipe, TrainablePipe):
    """Finds entities inside entities, with the head that its model carries.

    Initializing it again makes a new head; so does FLAT, while an encoder keeps its weights.

    Writes `doc.spans[spans_key]`, ordered by start, longer spans first, with one probability for each span in
    `attrs["scores"]` (float32, 0 to 1; what the model makes of it, not calibrated to frequencies).

    It cannot find discontinuous spans, nor, with a pointer head, spans wider than the head's `max_width`.
    """

    def __init__(
        self,
        vocab: Vocab,
        model: Model[list[Doc], Ragged],
        name: str = "medflat_ner",
        *,
        spans_key: str = "sc",
        threshold: float = 0.5,
        label_thresholds: dict[str, float] | None = None,
        nesting: Nesting = "all",
        set_ents: bool = False,
        scorer: Callable[..., dict[str, Any]] | None = None,
    ):
        """Make the component.

        model (Model): an architecture whose `attrs["span_head"]` is a `SpanHead`, and whose `output_layer` takes the
            sizes that the head names as its `attrs` before it is initialized.
        spans_key (str): the span group to write, and to learn from.
        threshold (float): a span needs a probability above this.
        label_thresholds (dict): thresholds of single labels, in place of `threshold`.
        nesting (str): `all` spans that pass; `nested`, without those that cross a better one; `flat`, without overlap.
        set_ents (bool): also write the best spans without overlap into `doc.ents`.
        RAISES ValueError: the model has no span head, or a setting is out of range.
        """
        head = model.attrs.get("span_head")
        if not isinstance(head, SpanHead):
            raise ValueError(
                f"the model of {name!r} ({model.name!r}) has no span head: use "
                "spacy_medflat.EfficientGlobalPointer.v1, spacy_medflat.GlobalPointer.v1, "
                "spacy_medflat.LinearNested.v1, or an architecture that sets attrs['span_head']"
            )
        if nesting not in MODES:
            raise ValueError(f"nesting of {name!r} must be one of {', '.join(MODES)}, but it is {nesting!r}")
        thresholds = dict(label_thresholds or {})
        for label, value in {"threshold": threshold, **thresholds}.items():
            if not 0.0 <= value <= 1.0:
                raise ValueError(f"the threshold {label!r} of {name!r} must be from 0 to 1, but it is {value}")
        self.vocab = vocab
        self.model = model
        self.name = name
        self.scorer = scorer
        self.cfg: dict[str, Any] = {
            "labels": [],
            "spans_key": spans_key,
            "threshold": threshold,
            "label_thresholds": thresholds,
            "nesting": nesting,
            "set_ents": set_ents,
        }
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
        """Makes the loss and the spans of the model's features."""
        return self.model.attrs["span_head"]

    def add_label(self, label: str) -> int:
        """Add a label. Possible before initialization only.

        RETURNS (int): 1, or 0 if the label is there already.
        RAISES ValueError: the label is not a string, or the head is made already.
        """
        if not isinstance(label, str):
            raise ValueError(f"a label of {self.name!r} must be a string, but it is {label!r}")
        if label in self.cfg["labels"]:
            return 0
        made = self.model.get_ref("output_layer").attrs
        if all(made[size] is not None for size in self.head.sizes(self.labels)):
            raise ValueError(
                f"cannot add the label {label!r} to {self.name!r}: its head is made for {', '.join(self.labels)}. "
                "Add labels before initialization, or train a new component"
            )
        self.cfg["labels"].append(label)
        self.vocab.strings.add(label)
        return 1

    def predict(self, docs: Iterable[Doc]) -> list[Candidates]:
        """Find the spans above the thresholds, without changing the Docs."""
        return self.candidates(docs, [self.threshold_of(label) for label in self.labels])

    def threshold_of(self, label: str) -> float:
        """The threshold that a span of this label must pass."""
        return float(self.cfg["label_thresholds"].get(label, self.cfg["threshold"]))

    def candidates(self, docs: Iterable[Doc], thresholds: Iterable[float]) -> list[Candidates]:
        """Find the spans with a probability above the threshold of their label, nesting not resolved.

        thresholds (float [labels]): probabilities, in the order of the labels.
        RETURNS: one for each Doc.
        """
        floors = np.array([_logit(value) for value in thresholds], dtype=np.float32)
        found: list[Candidates] = []
        for group in greedy_batches(docs, lambda n, doc: (n or 0) + len(doc), lambda _, n: n <= PREDICT_TOKENS):
            if any(len(doc) for doc in group):
                found.extend(self.head.candidates(self.model.predict(group), floors, self.labels))
            else:
                found.extend(Candidates.empty() for _ in group)
        return found

    def set_annotations(self, docs: Iterable[Doc], scores: list[Candidates]) -> None:
        """Write the spans into the Docs."""
        labels = self.labels
        for doc, candidates in zip(docs, scores, strict=True):
            annotate(doc, candidates, labels, self.key, self.cfg["nesting"], self.cfg["set_ents"])

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 128) -> Iterator[Doc]:
        """Apply the component to a stream of Docs."""
        # Here, and not only where torch is called: this generator starts before those upstream in the pipeline.
        one_torch_thread_in_workers()
        yield from super().pipe(stream, batch_size=batch_size)

    def get_loss(self, examples: Iterable[Example], scores: Ragged) -> tuple[float, Ragged]:
        """The loss of a batch, summed over texts and labels, and its gradient.

        scores (Ragged float [tokens, features]): what the model gives.
        """
        validate_examples(examples, f"{type(self).__name__}.get_loss")
        gold, coverage = self._read_gold(examples)
        for label in set(coverage.unknown) - self._warned:
            self._warned.add(label)
            logger.warning("%s: label %r is in the training data but not in the component; ignored", self.name, label)
        return self.head.loss(scores, gold, self.labels)

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Language | None = None,
        labels: Iterable[str] | None = None,
    ) -> None:
        """Make the head for the labels of the data, and count how much of the gold it can reach.

        labels: the labels, in place of those found in the data.
        RAISES ValueError: there are no labels, none of the gold is within reach, a threshold names an unknown label,
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
        strangers = sorted(set(self.cfg["label_thresholds"]) - set(self.labels))
        if strangers:
            raise ValueError(
                f"label_thresholds of {self.name!r} names {', '.join(strangers)}, but the labels are "
                f"{', '.join(self.labels)}"
            )
        self._report_coverage(self._read_gold(examples)[1])
        sample = [eg.x for eg in islice((eg for eg in examples if len(eg.x)), 10)]
        if not sample:
            raise ValueError(f"{self.name!r} cannot be initialized: none of the {len(examples)} texts has a token")
        self.model.get_ref("output_layer").attrs.update(self.head.sizes(self.labels))
        self.model.initialize(X=sample)

    def _read_gold(self, examples: Iterable[Example]) -> tuple[GoldSpans, Coverage]:
        """The gold that the head can learn, and a count of what it cannot."""
        gold, coverage = read_gold(examples, self.key, self.labels)
        within_reach = np.ones(len(gold.doc), dtype=np.bool_)
        for reason, lost in self.head.out_of_reach(gold, self.labels).items():
            coverage.lost[reason] = int(lost.sum())
            within_reach &= ~lost
        return gold.take(within_reach), coverage

    def _report_coverage(self, coverage: Coverage) -> None:
        logger.info("%s: %s", self.name, coverage)
        if coverage.gold and not coverage.reached:
            raise ValueError(
                f"{self.name!r} can reach none of the gold: {coverage}. Check the tokenizer (zh with segmenter "
                "'char'), the labels, and the settings of the model"
            )
        if coverage.reached < coverage.gold:
            logger.warning("%s: %d gold spans cannot be learnt", self.name, coverage.gold - coverage.reached)

    def _check_score_weights(self, nlp: Language) -> None:
        """A weight on another span group is always 0, and training would never keep a best model."""
        config = nlp.config.interpolate()
        # Without a corpus this is not `spacy train`, and the weights are a default that nobody reads.
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


def _key_of(pipe: Any) -> str | None:
    return getattr(pipe, "key", None) or getattr(pipe, "cfg", {}).get("spans_key")


def _labels_of(examples: Iterable[Example], key: str) -> list[str]:
    """The labels of the gold spans, in the order in which they come."""
    return list(dict.fromkeys(span.label_ for eg in examples for span in eg.reference.spans.get(key, [])))


def _logit(probability: float) -> float:
    if probability <= 0.0 or probability >= 1.0:
        return math.inf if probability > 0.5 else -math.inf
    return math.log(probability / (1.0 - probability))
