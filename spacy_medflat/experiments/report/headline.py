"""The results in a few plain sentences."""

from collections.abc import Sequence

from ..scores import Difference, difference, sample_rows
from .results import Results, RowResult
from .summary import Detail, Line
from .tables import error_name, percent, points, split_score


def headline(results: Results, found: Sequence[Line], details: Sequence[Detail], resamples: int = 2000) -> list[str]:
    """Say which row is best, by how much, whether that is significant, and where it errs.

    results (Results): all rows.
    found (sequence of Line): see `summary.lines`.
    details (sequence of Detail): the baseline, if it is another row, and the best row last.
    resamples (int): see `sample_rows`.
    RETURNS (list of str): sentences without texts of the corpus.
    """
    best = details[-1]
    line = next(line for line in found if line.row.name == best.row.name)
    seeds = f"over {len(line.seeds)} seeds ({percent(line.f.low)} to {percent(line.f.high)})"
    rows = f"the highest mean F1 of {len(found)} rows" if len(found) > 1 else "the only row with results. Its F1 is"
    verb = "has" if len(found) > 1 else "is"
    sentences = [
        f"{best.row.name} ({best.row.title}) {verb} {rows}{':' if len(found) > 1 else ''} {percent(line.f.mean)} % "
        f"{seeds if len(line.seeds) > 1 else 'with one seed'}."
    ]
    sentences += _against_baseline(results, found, best.row, resamples)
    sentences += _comparisons(found)
    sentences += _errors(results, best)
    gain = line.tuned.mean - line.f.mean
    sentences.append(
        f"With thresholds for each label, tuned on other texts, its F1 is {percent(line.tuned.mean)} % ({points(gain)} "
        "points)."
    )
    caveat = "The intervals show what other texts may change, not what other seeds may."
    if len(found) > 1:
        caveat = f"The best row is chosen on the texts that it is scored on, which flatters it. {caveat}"
    return [*sentences, caveat]


def _against_baseline(results: Results, found: Sequence[Line], best: RowResult, resamples: int) -> list[str]:
    if best.name == results.baseline:
        return ["It is the baseline."]
    baseline = next((line for line in found if line.row.name == results.baseline), None)
    if baseline is None:
        return [f"The baseline, {results.baseline}, has no results yet."]
    counts = {row.name: [run.counts for run in row.runs] for row in (best, baseline.row)}
    sampled = sample_rows(counts, resamples)
    gap = difference(sampled[best.name], sampled[results.baseline])
    verdict = "significant" if significant(gap) else "not significant, as the interval holds 0"
    return [
        f"The baseline, {results.baseline}, has {percent(baseline.f.mean)} %. The difference is {points(gap.mean)} "
        f"points, 95 % interval {points(gap.low)} to {points(gap.high)}: {verdict}."
    ]


def significant(gap: Difference) -> bool:
    """Whether the 95 % interval of a difference leaves 0 out."""
    return gap.low > 0 or gap.high < 0


def _comparisons(found: Sequence[Line]) -> list[str]:
    kinds: dict[str, list[str]] = {
        "significantly better": [],
        "significantly worse": [],
        "no significant difference": [],
    }
    for line in found:
        if gap := line.difference:
            kind = 2 if not significant(gap) else 0 if gap.low > 0 else 1
            kinds[list(kinds)[kind]].append(f"{line.row.name} ({points(gap.mean)})")
    told = "; ".join(f"{kind}: {', '.join(names)}" for kind, names in kinds.items() if names)
    return [f"Each row against the one it is compared with: {told}."] if told else []


def _errors(results: Results, best: Detail) -> list[str]:
    gold = sum(map(len, results.gold))
    wrong, lost = (round(counts.total() / best.seeds) for counts in (best.wrong, best.lost))
    sentences = [
        f"It does not find {lost:,} of {gold:,} gold spans, and finds {wrong:,} that are not gold"
        f"{' (means over the seeds)' if best.seeds > 1 else ''}."
    ]
    named = [(count, error_name(kind, is_gold=False)) for kind, count in best.wrong.items()]
    named += [(count, error_name(kind, is_gold=True)) for kind, count in best.lost.items() if kind == "alone"]
    if named:
        count, name = max(named)
        sentences.append(f"The most frequent kind of error is {name} ({round(count / best.seeds):,}).")
    labels = [(split_score(counts)[2], label, int(counts[3])) for label, counts in best.splits["type"].items()]
    labels = [entry for entry in labels if entry[2]]
    if len(labels) > 1:
        f, label, count = min(labels)
        top = max(labels)
        sentences.append(
            f"Of the labels, {top[1]} has the highest F1 ({percent(top[0])} %) and {label} the lowest ({percent(f)} %, "
            f"{count // best.seeds:,} gold span{'' if count // best.seeds == 1 else 's'})."
        )
    return sentences
