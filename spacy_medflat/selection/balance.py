"""Weights of labels, so that what is most unsure is not all of one kind."""

import numpy as np
from numpy.typing import NDArray

_ROUNDS = 200
_RATE = 0.1
# A share of all doubt. A label with far less is hardly weighed up: the few texts of it say little.
_SMOOTHING = 0.01


def label_weights(bits: NDArray[np.float64], costs: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Weights that give each label the share of the doubt in the most unsure texts that it has in all texts.

    Without weights the most unsure texts for each character are enumerations, such as of symptoms, and what a pipeline
    learns from them is mostly one label. The weights are the fixed point of multiplicative updates: a label with too
    little among the `count` texts is raised, one with too much is lowered. The mean of the later logarithms is taken,
    since the texts that are the most unsure ones change in steps.

    bits (ndarray): doubt by text and label (float64 [texts, labels]), see `uncertainty.label_bits`.
    costs (ndarray): what reading each text costs, in characters (float64 [texts]).
    count (int): how many of the most unsure texts shall be balanced.
    RETURNS (ndarray): weights (float64 [labels]), 1 where there is nothing to balance.
    """
    everything = bits.sum(axis=0)
    if len(bits) <= count or not everything.any():
        return np.ones(bits.shape[1])
    wanted = _shares(everything)
    rates = bits / costs[:, None]
    logs = np.zeros((_ROUNDS + 1, bits.shape[1]))
    for i in range(_ROUNDS):
        unsure = np.argsort(-(rates @ np.exp(logs[i])), kind="stable")[:count]
        logs[i + 1] = logs[i] + _RATE * np.log((wanted + _SMOOTHING) / (_shares(bits[unsure].sum(axis=0)) + _SMOOTHING))
    weights = np.exp(logs[_ROUNDS // 2 :].mean(axis=0))
    return weights / (weights @ wanted)


def _shares(bits: NDArray[np.float64]) -> NDArray[np.float64]:
    return bits / bits.sum()
