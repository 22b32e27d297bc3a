"""Requests and answers, with examples for OpenAPI."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

_NOTE = "患者咳嗽3天，否认糖尿病史。"


class _Request(BaseModel):
    # A misspelt field is an error: what it was to say would be lost.
    model_config = ConfigDict(extra="forbid", strict=True)


def _writable(text: str) -> str:
    # JSON can say half a surrogate pair, and no file in UTF-8 can hold it.
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(f"half a surrogate pair at character {error.start:,}; send whole characters") from error
    return text


Text = Annotated[str, AfterValidator(_writable)]
Identifier = Annotated[str, Field(max_length=200), AfterValidator(_writable)]


class TextItem(_Request):
    """A text with an identifier, which comes back with its result."""

    id: Identifier | None = None
    text: Text


def _as_item(given: Any) -> Any:
    return {"text": given} if isinstance(given, str) else given


# A union of both would say of a wrong text what is wrong with it as an item, too.
TextOrItem = Annotated[TextItem, BeforeValidator(_as_item, json_schema_input_type=str | TextItem)]


class AnnotateRequest(_Request):
    """One text, or a list of them."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"text": _NOTE},
                {"texts": ["右肺上叶腺癌术后。", {"id": "n1", "text": _NOTE}], "floor": 0.05, "words": True},
            ]
        }
    )

    text: Text | None = None
    # Lists fail fast: a body of wrong values would become as many errors.
    texts: Annotated[list[TextOrItem], Field(fail_fast=True)] | None = None
    floor: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = Field(
        None, description="Also spans with scores from here on, marked as below their threshold."
    )
    words: bool = Field(False, description="Also the words of the lattice.")
    labels: Annotated[list[str], Field(fail_fast=True, max_length=1000)] | None = Field(
        None, description="Only entities with these labels."
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> "AnnotateRequest":
        if (self.text is None) == (self.texts is None):
            raise ValueError("give either 'text' or 'texts'")
        return self

    def items(self) -> list[tuple[str | None, str]]:
        """Identifiers and texts."""
        if self.text is not None:
            return [(None, self.text)]
        return [(item.id, item.text) for item in self.texts or []]


class WordItem(_Request):
    """A word with its type: a label, `none` for what is never an entity, or nothing."""

    word: str
    type: str = ""


class AddWordsRequest(_Request):
    """Words of users."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"words": [{"word": "经皮肾镜", "type": "pro"}]}]})

    words: Annotated[list[WordItem], Field(fail_fast=True, max_length=100_000)]


class RemoveWordsRequest(_Request):
    """Words of users to be removed."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"words": ["经皮肾镜"]}]})

    words: Annotated[list[str], Field(fail_fast=True, max_length=100_000)]


class SpanFields(_Request):
    """A labelled stretch of a text: characters (code points), `end` exclusive."""

    start: Annotated[int, Field(ge=0)]
    end: Annotated[int, Field(ge=1)]
    label: Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_writable)]


class RecordFields(_Request):
    """A text with its entities; spans that nobody judged are `unknown`."""

    id: Identifier | None = None
    text: Text
    entities: Annotated[list[SpanFields], Field(fail_fast=True)] = []
    unknown: Annotated[list[SpanFields], Field(fail_fast=True)] = []

    @model_validator(mode="after")
    def _spans_are_in_the_text(self) -> "RecordFields":
        for span in (*self.entities, *self.unknown):
            if not span.start < span.end <= len(self.text):
                raise ValueError(
                    f"a span from {span.start} to {span.end} is not in a text of {len(self.text)} characters"
                )
            if not span.label.isprintable() or span.label != span.label.strip():
                raise ValueError("a label has control characters, or white space at its ends")
        return self

    def fields(self) -> dict[str, Any]:
        """What is written of it as JSON lines."""
        fields = self.model_dump(exclude_none=True)
        return fields if self.unknown else {name: value for name, value in fields.items() if name != "unknown"}


class RecordsRequest(_Request):
    """Texts that users corrected."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "records": [
                        {
                            "id": "n1",
                            "text": _NOTE,
                            "entities": [{"start": 2, "end": 4, "label": "sym"}],
                            "unknown": [{"start": 9, "end": 12, "label": "dis"}],
                        }
                    ]
                }
            ]
        }
    )

    records: Annotated[list[RecordFields], Field(fail_fast=True)]
