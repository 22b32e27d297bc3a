"""Which of the candidate spans may stand together."""

from typing import Literal, get_args

import numpy as np

from .candidates import Candidates

Nesting = Literal["all", "nested", "flat"]
MODES: tuple[str, ...] = get_args(Nesting)


def resolve(candidates: Candidates, mode: Nesting) -> Candidates:
    """Keep the best spans that may stand together.

    mode: `all` keeps everything; `nested` drops spans that cross a better one (two labels on one span may stand);
        `flat` drops spans that share a token with a better one. Better is a higher score, then the longer span, then
        the earlier one, then the label's order.
    RETURNS: in the order of the candidates.
    """
    if mode == "all" or not len(candidates.start):
        return candidates
    order = np.lexsort((candidates.label, candidates.start, candidates.start - candidates.end, -candidates.score))
    # For each token: how far the kept spans that start there reach, and how early those that end there begin.
    size = int(candidates.end.max()) + 1
    reach, begin = [0] * size, [size] * size
    taken = bytearray(size)
    kept = []
    starts, ends = candidates.start.tolist(), candidates.end.tolist()
    for index in order.tolist():
        start, end = starts[index], ends[index]
        if mode == "flat":
            if any(taken[start:end]):
                continue
            taken[start:end] = b"\x01" * (end - start)
        else:
            inside = range(start + 1, end)
            if any(reach[token] > end or begin[token] < start for token in inside):
                continue
            reach[start] = max(reach[start], end)
            begin[end] = min(begin[end], start)
        kept.append(index)
    return candidates.take(np.array(sorted(kept), dtype=np.int64))
