"""The choice: unsure texts first, no two alike, spread over groups."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .clusters import cluster
from .duplicates import NearDuplicates
from .vectors import text_vectors

LOOKED_AT = 10
"""For each text that is wanted, so many of the most unsure ones are looked at."""


class Scored(NamedTuple):
    """A text to choose from.

    text (str): the text.
    uncertainty (float): what annotating it would tell, in bits for each character.
    """

    text: str
    uncertainty: float


class Choice(NamedTuple):
    """What was chosen.

    chosen (list of int): indices of the texts, those first that stand for most.
    near_duplicates (list of int): texts that were left out for one that is nearly the same.
    """

    chosen: list[int]
    near_duplicates: list[int]


def choose(texts: Sequence[Scored], count: int, seed: int, seen: NearDuplicates, spread: bool = True) -> Choice:
    """Choose texts: of the most unsure ones, no two nearly alike, the best of each of `count` groups.

    After Zhdanov, "Diverse mini-batch Active Learning" (arXiv:1901.05954), which prefilters by uncertainty, clusters
    with it as weight, and takes what is nearest to each centre. Here it is what is near and unsure: the product.

    texts (sequence of Scored): the texts; of equally unsure ones the first win.
    count (int): how many to choose; fewer if there are fewer.
    seed (int): of the groups.
    seen (NearDuplicates): known texts, to which the new ones are added.
    spread (bool): whether to group them; otherwise the most unsure ones are chosen.
    """
    order = sorted(range(len(texts)), key=lambda i: -texts[i].uncertainty)
    new: list[int] = []
    near: list[int] = []
    wanted = count * LOOKED_AT if spread else count
    for index in order:
        (new if seen.add_if_new(texts[index].text) else near).append(index)
        if len(new) == wanted:
            break
    if not spread or len(new) <= count:
        return Choice(new[:count], near)
    return Choice([new[i] for i in _best_of_groups([texts[i] for i in new], count, seed)], near)


def _best_of_groups(texts: Sequence[Scored], count: int, seed: int) -> list[int]:
    """The best text of each group, the heaviest group first; then the most unsure ones, if there are fewer groups."""
    weights = np.array([text.uncertainty for text in texts])
    groups = cluster(text_vectors(text.text for text in texts), weights, count, seed)
    # The texts are in order of their uncertainty, so that equals are.
    value = weights * np.maximum(groups.nearness, 0.0)
    best: dict[int, int] = {}
    for i, label in enumerate(groups.label.tolist()):
        if label not in best or value[i] > value[best[label]]:
            best[label] = i
    heaviest = np.bincount(groups.label, weights=weights)
    chosen = sorted(best.values(), key=lambda i: -heaviest[groups.label[i]])
    rest = sorted(set(range(len(texts))) - set(chosen))
    return [*chosen, *rest][:count]
