"""The same array for the same parameter at every step."""

from typing import Any

from thinc.types import FloatsXd

from .averages import KeyT


class Views(dict[KeyT, FloatsXd]):
    """The array of each parameter as it came first.

    thinc makes a new tensor of every array that an optimizer returns, and a new array of that tensor at the next step.
    Each of them keeps the one before alive, unless the same array is returned every time.
    """

    def first(self, key: KeyT, weights: FloatsXd) -> FloatsXd:
        """The array that came for this parameter first, if `weights` is the same memory."""
        first = self.get(key)
        if first is None or first.shape != weights.shape or _address(first) != _address(weights):
            first = self[key] = weights
        return first


def _address(array: Any) -> int:
    """Where the values of an array of numpy or cupy begin."""
    interface = getattr(array, "__cuda_array_interface__", None) or array.__array_interface__
    return interface["data"][0]
