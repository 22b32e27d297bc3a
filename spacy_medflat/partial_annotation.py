"""How a Doc holds what its annotation is not sure of: spans that may be entities or not, and a weight of the whole."""

import math
from typing import Any

from spacy.tokens import Doc

from .errors import MedflatError, clipped

# What this package keeps in `doc.user_data`.
USER_DATA_KEY = "medflat"
_WEIGHT = "weight"


def unknown_key(spans_key: str) -> str:
    """The span group with the spans that may be entities or not, beside the group of the entities."""
    return f"{spans_key}_unknown"


def weight_of(doc: Doc) -> float:
    """What the loss of a Doc is multiplied by; 1 unless `set_weight` set it.

    RAISES (MedflatError): it is no number, or not finite, or below 0.
    """
    stored = doc.user_data.get(USER_DATA_KEY)
    weight = stored.get(_WEIGHT, 1.0) if isinstance(stored, dict) else 1.0
    # This is asked for every text of every batch, and a message for it is not made in vain.
    return float(weight) if _is_weight(weight) else checked_weight(weight, f"text {clipped(doc.text)}")


def set_weight(doc: Doc, weight: float) -> None:
    """Set what the loss of a Doc is multiplied by. It is saved with `doc.user_data`."""
    doc.user_data.setdefault(USER_DATA_KEY, {})[_WEIGHT] = checked_weight(weight, "weight")


def checked_weight(weight: Any, place: str) -> float:
    """The weight, if it can be one.

    place (str): where it stands, for the message.
    RAISES (MedflatError): it is no number, or not finite, or below 0.
    """
    if not _is_weight(weight):
        raise MedflatError(f"{place}: the weight of a text must be a number from 0 on, but it is {clipped(weight)}")
    return float(weight)


def _is_weight(weight: Any) -> bool:
    return isinstance(weight, (int, float)) and not isinstance(weight, bool) and 0.0 <= weight < math.inf
