"""The forms of answers, which OpenAPI shows. They are made of plain values, and not validated on their way out."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Versions(BaseModel):
    """What answered: package, pipeline, a digest of its files, and how often its words were changed."""

    spacy_medflat: str = Field(examples=["0.1.0"])
    pipeline: str = Field(examples=["zh_medflat 0.1.0"])
    digest: str = Field(examples=["0f3a9c1b2d4e"])
    lexicon: int = Field(examples=[0])


class Answer(BaseModel):
    """What every answer has."""

    versions: Versions


class ErrorFields(BaseModel):
    """What is wrong."""

    code: str = Field(examples=["too_large"])
    message: str


class ErrorAnswer(Answer):
    """The answer to a request that failed."""

    error: ErrorFields


class EntityAnswer(BaseModel):
    """An entity, with what the pipeline says about it: `assertion`, `value`, `codes` and others."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [{"start": 2, "end": 4, "label": "sym", "text": "咳嗽", "score": 0.93, "above": True}]
        },
    )

    start: int
    end: int
    label: str
    text: str
    score: float | None
    above: bool = Field(description="Whether its score is above the threshold of its label.")


class WordAnswer(BaseModel):
    """A word of the lattice."""

    start: int
    end: int
    type: str
    source: str


class TextAnswer(BaseModel):
    """What was found in a text, or why nothing was looked for."""

    id: str | None
    text_length: int | None = None
    entities: list[EntityAnswer] | None = None
    words: list[WordAnswer] | None = None
    milliseconds: float | None = Field(None, description="Its share of the time that its batch took.")
    error: ErrorFields | None = None


class AnnotateAnswer(Answer):
    """A result for each text, in their order."""

    results: list[TextAnswer]


class LexiconWord(BaseModel):
    """A word of a lexicon."""

    word: str
    type: str
    user: bool


class LexiconAnswer(Answer):
    """Words that were looked for, and how many there are."""

    words: list[LexiconWord]
    total: int


class AddedAnswer(Answer):
    """How many words are new or have another type."""

    added: int


class RemovedAnswer(Answer):
    """How many words were there."""

    removed: int


class StoredAnswer(Answer):
    """How many records were added to the file."""

    stored: int


class PipelineAnswer(Answer):
    """What the pipeline is, and what the service lets be done with it."""

    name: str
    version: str
    description: str
    language: str
    digest: str
    components: list[str]
    labels: list[dict[str, Any]]
    floor: float
    nesting: str
    facts: list[str]
    limits: dict[str, int]
    lexicon: dict[str, Any]
    corrections: dict[str, bool]
    export: list[str]
    licence: str
    sources: list[dict[str, Any]]


class HealthAnswer(Answer):
    """How many workers are alive, and how many texts wait."""

    status: str
    workers: dict[str, int]
    waiting: int
