"""A pipeline that reads batches of texts for the service."""

import sys
from bisect import bisect_right
from collections.abc import Sequence
from contextlib import nullcontext
from time import perf_counter
from typing import Any

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc, SpanGroup

from ..context.component import ContextDetector
from ..context.sections import SectionFinder
from ..corpus.docs import spans_with_scores
from ..fact_pipe import FactPipe
from ..lattice.component import Lattice
from ..lattice.lexicon import Lexicon
from ..lattice.lexicon_words import LexiconWords
from ..lattice.union_words import UnionWords, with_lexicon
from ..lattice.words import USER_SOURCE
from ..linking.component import CodeLinker
from ..loading import first_span_finder
from ..ner.span_finder import below_key
from ..scale.annotator import entities_of
from ..scale.items import FoundEntity
from ..values.component import ValueFinder
from .messages import Description, Outcome, TextFailure, TextJob

# What components say of entities, under the name by which the page knows it.
_FACTS: dict[str, type] = {
    "assertion": ContextDetector,
    "value": ValueFinder,
    "codes": CodeLinker,
    "section": SectionFinder,
}
_SCORE_STEP = 0.0001
# Lower ones are of no use to anybody.
_LOWEST_FLOOR = 0.001
_BANDS = (0.4, 0.3, 0.2, 0.1, 0.0)


class TextReader:
    """Reads texts with a pipeline, and changes the words of its users."""

    def __init__(self, nlp: Language, model: str):
        """nlp (Language): the pipeline. model (str): its name, for messages.

        RAISES (MedflatError): no component finds nested spans.
        """
        self.nlp = nlp
        self.finder = first_span_finder(nlp, model)
        self.lattice = next((pipe for _, pipe in nlp.pipeline if isinstance(pipe, Lattice)), None)
        names = nlp.pipe_names
        later = [nlp.get_pipe(name) for name in names[names.index(self.finder.name) :]]
        self._sections = next((pipe for pipe in later if isinstance(pipe, SectionFinder)), None)
        self._fact_pipes: list[Any] = [pipe for pipe in later if isinstance(pipe, FactPipe)]
        # spaCy's limit is for parsers, whose memory grows with the length; ours read long texts in windows.
        nlp.max_length = sys.maxsize

    def read(self, jobs: Sequence[TextJob]) -> list[Outcome]:
        """What is found in each text, in their order. A text that fails does not fail its batch."""
        # Texts of like length stand together, so that little is padded.
        order = sorted(range(len(jobs)), key=lambda i: len(jobs[i].text))
        # What a zone allocates is freed at its end, so that new words do not fill the memory; no Doc leaves it.
        with self.nlp.memory_zone():
            found = self._batch([jobs[i] for i in order])
        places = {index: place for place, index in enumerate(order)}
        return [found[places[i]] for i in range(len(jobs))]

    def _batch(self, jobs: list[TextJob]) -> list[Outcome]:
        begin = perf_counter()
        floors = [job.floor for job in jobs if job.floor is not None]
        try:
            with self.finder.floor(max(_LOWEST_FLOOR, min(floors))) if floors else nullcontext():
                docs = list(self.nlp.pipe([job.text for job in jobs], batch_size=len(jobs)))
            if len(docs) != len(jobs):
                raise ValueError(f"the pipeline gave {len(docs)} documents for {len(jobs)} texts")
            results = [self._result(doc, job) for doc, job in zip(docs, jobs, strict=True)]
        except Exception as error:
            if len(jobs) > 1:
                return [outcome for job in jobs for outcome in self._batch([job])]
            # Its message may have the text in it, which is not to stand in logs.
            name = type(error).__name__
            return [TextFailure("failed", f"the pipeline failed on this text ({name}); send it in parts, or report it")]
        each = 1000 * (perf_counter() - begin) / max(1, sum(len(job.text) for job in jobs))
        for job, result in zip(jobs, results, strict=True):
            result["milliseconds"] = round(each * len(job.text), 2)
        return list(results)

    def _result(self, doc: Doc, job: TextJob) -> dict[str, Any]:
        entities = [{**found.fields(), "above": True} for found in entities_of(doc, self.finder.key)]
        if job.floor is not None:
            entities += [{**found.fields(), "above": False} for found in self._below(doc, job.floor)]
            entities.sort(key=lambda entity: (entity["start"], -entity["end"]))
        if job.labels is not None:
            entities = [entity for entity in entities if entity["label"] in job.labels]
        self._add_sections(doc, entities)
        result: dict[str, Any] = {"text_length": len(doc.text), "entities": entities}
        if job.words:
            result["words"] = self._words(doc)
        return result

    def _add_sections(self, doc: Doc, entities: list[dict[str, Any]]) -> None:
        """Say of each entity in which section it begins, if in any."""
        sections = list(doc.spans.get(self._sections.key, ())) if self._sections else []
        starts = [section.start_char for section in sections]
        for entity in entities:
            place = bisect_right(starts, entity["start"]) - 1
            if place >= 0 and entity["start"] < sections[place].end_char:
                entity["section"] = sections[place].label_

    def _below(self, doc: Doc, floor: float) -> list[FoundEntity]:
        """The spans from the floor on that are not among the chosen, with what is said about them.

        A span can change what is said about others, as one that has the 无 of 无贫血 in it. So nothing is said anew
        about those above the thresholds, and those below are looked at together with better ones, in bands of scores.
        """
        key, below = self.finder.key, below_key(self.finder.key)
        scored = [(span, float(score or 0.0)) for span, score in spans_with_scores(doc, below)]
        left = sorted(scored, key=lambda pair: -pair[1])
        judged, found = list(doc.spans[key]), []
        for lowest in _BANDS:
            band = [pair for pair in left if pair[1] >= max(lowest, floor)]
            left = left[len(band) :]
            if not band:
                continue
            spans, scores = zip(*band, strict=True)
            judged += spans
            doc.spans[key] = judged
            for pipe in self._fact_pipes:
                pipe(doc)
            doc.spans[below] = SpanGroup(doc, name=below, spans=spans, attrs={"scores": np.array(scores)})
            found += entities_of(doc, below)
        return [self._beside_threshold(entity) for entity in found]

    def _beside_threshold(self, entity: FoundEntity) -> FoundEntity:
        """The entity with a score that is, rounded, still below its threshold if it was before."""
        limit = round_score(self.finder.threshold_of(entity.label))
        crossed = self.finder.cfg["nesting"] == "all" and entity.score is not None and entity.score >= limit
        return entity._replace(score=round_score(limit - _SCORE_STEP)) if crossed else entity

    def _words(self, doc: Doc) -> list[dict[str, Any]]:
        if self.lattice is None:
            return []
        return [
            {"start": span.start_char, "end": span.end_char, "type": span.label_, "source": span.id_}
            for span in doc.spans.get(self.lattice.key, ())
        ]

    def use_words(self, words: dict[str, str]) -> None:
        """Let these be the words of users, and no others.

        words (dict of str): their types.
        """
        if self.lattice is None or not (words or self._user_lexicon()):
            return
        self.lattice.words = with_lexicon(self.lattice.words, USER_SOURCE)
        self.lattice.words.lexicon_of(USER_SOURCE).lexicon = Lexicon(words)

    def _user_lexicon(self) -> Lexicon | None:
        return next((source.lexicon for source in self._lexicons() if source.name == USER_SOURCE), None)

    def _lexicons(self) -> list[LexiconWords]:
        words = None if self.lattice is None else self.lattice.words
        sources = words.sources.values() if isinstance(words, UnionWords) else [words]
        return [source for source in sources if isinstance(source, LexiconWords)]

    def describe(self) -> Description:
        """What the pipeline is and has."""
        meta: dict[str, Any] = self.nlp.meta
        others = {e.word: e.types for s in self._lexicons() if s.name != USER_SOURCE for e in s.lexicon.entries()}
        own = self._user_lexicon()
        return Description(
            name=f"{self.nlp.lang}_{meta['name']}",
            version=meta["version"],
            description=meta.get("description", ""),
            language=self.nlp.lang or "",
            licence=meta.get("license", ""),
            sources=list(meta.get("sources") or []),
            components=list(self.nlp.pipe_names),
            labels=[(label, round_score(self.finder.threshold_of(label))) for label in self.finder.labels],
            nesting=self.finder.cfg["nesting"],
            facts=[name for name, kind in _FACTS.items() if any(isinstance(p, kind) for _, p in self.nlp.pipeline)],
            words=list(others.items()),
            user_words={entry.word: entry.types for entry in own.entries()} if own else {},
            has_lattice=self.lattice is not None,
        )


def round_score(score: float) -> float:
    """A score or threshold as it is written."""
    return round(score, 4)
