"""Nested spans as several flat tag sequences, one for each group of labels.

A sequence of BIO tags (Ramshaw and Marcus, 1995) holds no overlap. With the labels that contain others in a group of
their own, most nesting lies between two sequences, and is kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..windows import Ints1d
from .spans import Candidates, GoldSpans, UnknownSpans, resolve


@dataclass(frozen=True)
class TagGroups:
    """The tags of all groups in one numbering: O of the first group, B and I of each of its labels, O of the second, …

    group (int64 [labels]): the group of each label.
    """

    group: Ints1d

    @property
    def n_groups(self) -> int:
        return int(self.group.max()) + 1 if len(self.group) else 0

    @property
    def n_tags(self) -> int:
        return self.n_groups + 2 * len(self.group)

    @cached_property
    def outside(self) -> Ints1d:
        """The tag O of each group (int64 [groups])."""
        sizes = 1 + 2 * np.bincount(self.group, minlength=self.n_groups)
        return np.cumsum(sizes) - sizes

    @cached_property
    def begin(self) -> Ints1d:
        """The tag B of each label (int64 [labels]); its tag I is the next one."""
        earlier = np.array([(self.group[:i] == group).sum() for i, group in enumerate(self.group)], dtype=np.int64)
        return self.outside[self.group] + 1 + 2 * earlier

    @cached_property
    def group_of_tag(self) -> Ints1d:
        """The group of each tag (int64 [tags])."""
        return np.searchsorted(self.outside, np.arange(self.n_tags), side="right") - 1

    @cached_property
    def starts(self) -> NDArray[np.bool_]:
        """The tags that a text may begin with: all but I (bool [tags])."""
        starts = np.ones(self.n_tags, dtype=np.bool_)
        starts[self.begin + 1] = False
        return starts

    @cached_property
    def moves(self) -> NDArray[np.bool_]:
        """The tags that may follow a tag: in its group, and I only after B or I of its label (bool [tags, tags])."""
        moves = self.same_group & self.starts
        for begin in self.begin.tolist():
            moves[[begin, begin + 1], begin + 1] = True
        return moves

    @cached_property
    def same_group(self) -> NDArray[np.bool_]:
        """Whether two tags are of one group (bool [tags, tags])."""
        return self.group_of_tag[:, None] == self.group_of_tag

    def tag(self, gold: GoldSpans, lengths: Ints1d) -> NDArray[np.int64]:
        """Write spans as tags.

        gold (GoldSpans): without overlap in a group.
        lengths (int64 [texts]): tokens of each text.
        RETURNS (int64 [tokens, groups]): the tag of each token in each group; texts concatenated.
        """
        tags = np.tile(self.outside, (int(lengths.sum()), 1))
        token, span, inside = _tokens_of(gold, lengths)
        label = gold.label[span]
        tags[token, self.group[label]] = self.begin[label] + inside
        return tags

    def permit(self, tags: NDArray[np.int64], unknown: UnknownSpans, lengths: Ints1d) -> NDArray[np.bool_]:
        """Which tags a token may have if spans may be there or not: that of the gold, and those that they give it.

        A span that shares a token with gold in its group cannot stand beside it, and gives none.

        tags (int64 [tokens, groups]): what `tag` gave.
        unknown (UnknownSpans): may overlap each other.
        lengths (int64 [texts]): tokens of each text.
        RETURNS (bool [tokens, tags]): texts concatenated.
        """
        permitted = np.zeros((len(tags), self.n_tags), dtype=np.bool_)
        np.put_along_axis(permitted, tags, True, axis=1)
        token, span, inside = _tokens_of(unknown, lengths)
        group = self.group[unknown.label]
        taken = tags[token, group[span]] != self.outside[group[span]]
        free = np.bincount(span, weights=taken, minlength=len(group)) == 0
        token, label, inside = (column[free[span]] for column in (token, unknown.label[span], inside))
        permitted[token, self.begin[label] + inside] = True
        return permitted

    def overlapping(self, gold: GoldSpans) -> NDArray[np.bool_]:
        """Which spans a sequence has no place for.

        Of spans that share a token in a group the longest is kept, as flat annotation has it, then the earliest.

        RETURNS (bool [spans]): true for those that are lost.
        """
        lost = np.zeros(len(gold.doc), dtype=np.bool_)
        sequence = gold.doc * self.n_groups + self.group[gold.label]
        order = np.lexsort((gold.start, sequence))
        neighbours = sequence[order][1:] == sequence[order][:-1]
        meet = neighbours & (gold.start[order][1:] < gold.end[order][:-1])
        for crowded in np.unique(sequence[order][1:][meet]):
            mine = np.flatnonzero(sequence == crowded)
            # Without scores, the longest are the best.
            spans = Candidates(gold.start[mine], gold.end[mine], mine, np.zeros(len(mine)))
            lost[np.setdiff1d(mine, resolve(spans, "flat").label)] = True
        return lost


def _tokens_of(spans: GoldSpans | UnknownSpans, lengths: Ints1d) -> tuple[Ints1d, Ints1d, NDArray[np.bool_]]:
    """Each token of each span, counted over all texts; which span it is of, and whether it is not its first token."""
    first = (np.cumsum(lengths) - lengths)[spans.doc] + spans.start
    width = spans.end - spans.start
    span = np.repeat(np.arange(len(first)), width)
    place = np.arange(len(span)) - np.repeat(np.cumsum(width) - width, width)
    return first[span] + place, span, place > 0


def make_tag_groups(groups: Sequence[Sequence[str]], labels: Sequence[str]) -> TagGroups:
    """The tags of these labels.

    groups (sequence of sequences of str): labels by group. Those that are not among `labels` are ignored; labels
        without a group share a last one.
    labels (sequence of str): in the order of the head.
    """
    place = {label: i for i, group in enumerate(groups) for label in group}
    wanted = [place.get(label, len(groups)) for label in labels]
    used = sorted(set(wanted))
    return TagGroups(np.array([used.index(group) for group in wanted], dtype=np.int64))
