"""Names and colours of labels on pages."""

from collections.abc import Iterable

# The nine labels of CMeEE: name in English, in Chinese, colour. All colours are dark enough for text on white.
_KNOWN = {
    "dis": ("disease", "疾病", "#c62828"),
    "sym": ("symptom", "临床表现", "#b45309"),
    "dru": ("drug", "药物", "#6a1b9a"),
    "equ": ("equipment", "医疗设备", "#00798a"),
    "pro": ("procedure", "医疗程序", "#1565c0"),
    "bod": ("body", "身体", "#2e7d32"),
    "ite": ("item", "医学检验项目", "#756300"),
    "mic": ("microorganism", "微生物", "#ad1457"),
    "dep": ("department", "科室", "#455a64"),
}
_OTHERS = ("#5d4037", "#283593", "#558000", "#8e4585", "#00695c", "#a0522d", "#37609e", "#9c2a6b", "#4a6b1f")


def full_name(label: str) -> str:
    """The name of a label in English and Chinese; of labels that are not CMeEE's the label itself."""
    return " ".join(_KNOWN[label][:2]) if label in _KNOWN else label


def colours(labels: Iterable[str]) -> dict[str, str]:
    """A colour for each label: fixed for those of CMeEE, for others by their order in the alphabet.

    labels (iterable of str): all labels of a page, or of a set of pages that shall look alike.
    RETURNS (dict of str): `#rrggbb`. More than 9 other labels first get colours of CMeEE's that are not there, then
        the same colours again.
    """
    names = set(labels)
    free = [*_OTHERS, *(colour for label, (_, _, colour) in _KNOWN.items() if label not in names)]
    others = {label: free[i % len(free)] for i, label in enumerate(sorted(names - _KNOWN.keys()))}
    return {label: _KNOWN[label][2] if label in _KNOWN else others[label] for label in sorted(names)}
