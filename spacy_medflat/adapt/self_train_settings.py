"""What self-training takes from notes, and what becomes of the spans in them."""

from pydantic import BaseModel, ConfigDict

from ..errors import MedflatError
from ..ner.span_finder import LOWEST_SCORE
from ..partial_annotation import checked_weight
from .sure_spans import Agree


class NoteSettings(BaseModel):
    """Which texts are taken from notes.

    kind, encoding (str or None): see `find_sources`; a `.txt` file has a text a line unless `kind` says otherwise.
    text_field, id_field (str): names of fields.
    max_length (int): characters of a piece at most.
    min_letters (int): pieces with fewer letters are left out.
    count (int or None): so many pieces are drawn at most, evenly from all; None takes all in their order.
    seed (int): of the draw.
    """

    model_config = ConfigDict(frozen=True)

    kind: str | None = None
    encoding: str | None = None
    text_field: str = "text"
    id_field: str = "id"
    max_length: int = 256
    min_letters: int = 5
    count: int | None = None
    seed: int = 0


class ChoiceSettings(BaseModel):
    """What becomes of the spans.

    sure, unlikely (float): see `choose`.
    agree (str): see `merge`.
    most (int or None), share (float or None): see `make_quota`.
    weight (float): of each text, in a training.
    """

    model_config = ConfigDict(frozen=True)

    sure: float = 0.9
    unlikely: float = 0.1
    agree: Agree = "mean"
    most: int | None = None
    share: float | None = None
    weight: float = 1.0

    def check(self) -> None:
        """RAISES (MedflatError): scores out of order, or below what is asked of pipelines; a weight that is none."""
        if not LOWEST_SCORE <= self.unlikely <= self.sure <= 1.0:
            raise MedflatError(
                f"--unlikely {self.unlikely:g} and --sure {self.sure:g} must be from {LOWEST_SCORE:g} to 1, and the "
                "first not above the second"
            )
        checked_weight(self.weight, "--weight")
