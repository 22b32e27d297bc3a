"""The rules of GUIDELINES.md that a program can see."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from spacy_medflat.corpus.nesting import find_overlaps
from spacy_medflat.corpus.record import Entity, Record, describe
from spacy_medflat.files import iter_lines

from .source import Fault

_EDGE = re.compile(r"^[\s，。、；：！？,;:!?）)\]】]|[\s，。、；：！？,;:!?（(\[【]$")
_OPENS_WITH = {
    "sym": "无 有 伴 可见 可有 未见 出现 患者 患儿",
    "dis": "无 有 伴 可见 出现 并发 合并 反复 明显 持续 轻度 中度 不同程度",
    "dru": "口服 静滴 大剂量 小剂量 予 给予 使用",
    "pro": "行 予 给予 进行 采用 术前 术后",
}
# Names that begin like a word of the list.
_LEXICAL = re.compile(
    "无力|无尿|无汗|无症状|无菌|无痛|无脑|无精|无氧|无反应|无回声|无创|口服补液盐|口服轮状|口服脊髓|有机|有害|有丝|伴癌|行为|行走|反复呼吸道感染|持续性|持续状态|轻度认知"
)
_ENDS_WITH = {
    "sym": "者 等 史 患者 患儿",
    "dis": "患者 患儿 病人 者 等 史 可能 复发 样 改变 术后",
    "dru": "治疗 等 口服 静滴",
    "pro": "后 前 史 等",
    "bod": "内 中 功能 水平 时",
    "mic": "感染 阳性",
    "ite": "升高 降低 增高 下降 减少 增多 阳性 阴性 异常 正常",
}
_DOSE = re.compile(r"\d\s*(?:mg|g|ml|mL|μg|ug|U|IU|万U|片|粒|支)\b|^\d+(?:\.\d+)?%(?!氯化钠|葡萄糖)")
_OUTSIDE = re.compile(r"(?:急性|慢性|先天性|原发性|继发性)$")
_INNER = {"bod", "ite", "dis", "pro", "mic", "dru", "equ"}
_COVERED = {"sym", "dis", "pro", "dru", "ite", "mic", "equ"}


def read_labels(path: Path) -> dict[str, str]:
    """Read the strings whose type is settled, `string<TAB>type`; `-` is said of strings that are never an entity.

    RETURNS (dict of str to str): type by string, or several with `|` between them, or `-`.
    """
    return dict(line.rstrip("\n").split("\t") for _, line in iter_lines(path) if line.strip())


def find_faults(record: Record, settled: Mapping[str, str]) -> Iterator[Fault]:
    """Hold a sentence against the rules.

    settled (mapping of str to str): see `read_labels`.
    YIELDS (Fault): each.
    """
    line = record.meta["line"]
    for entity in record.entities:
        for message, is_error in _entity_faults(entity, record.text, settled):
            yield Fault(line, f"{describe(entity, record.text)}: {message}", is_error)
    overlaps = find_overlaps(record.entities)
    for outer, inner in [*overlaps.nested, *overlaps.same_span]:
        if fault := _nesting_fault(outer, inner):
            yield Fault(line, f"{describe(inner, record.text)} in {describe(outer, record.text)}: {fault}")
    yield from _forgotten(record, settled)


def _entity_faults(entity: Entity, text: str, settled: Mapping[str, str]) -> Iterator[tuple[str, bool]]:
    label, surface = entity.label, text[entity.start : entity.end]
    if _EDGE.search(surface):
        yield "begins or ends with white space or punctuation", True
    allowed = settled.get(surface, label).split("|")
    if label not in allowed:
        said = "a general word, never an entity" if allowed == ["-"] else f"labels.tsv says {' or '.join(allowed)}"
        yield said, True
    for word in _OPENS_WITH.get(label, "").split():
        if surface.startswith(word) and surface != word and not _LEXICAL.match(surface):
            yield f"begins with {word}, which stays outside", False
    for word in _ENDS_WITH.get(label, "").split():
        if surface.endswith(word) and surface != word and not _LEXICAL.fullmatch(surface):
            yield f"ends with {word}, which stays outside", False
    if label == "dru" and _DOSE.search(surface):
        yield "holds a dose or a percentage, which stays outside", True
    if label == "dis" and _OUTSIDE.search(text[: entity.start]):
        yield "急性, 慢性, 先天性, 原发性, 继发性 belong inside", True


def _nesting_fault(outer: Entity, inner: Entity) -> str | None:
    if (outer.start, outer.end) == (inner.start, inner.end):
        return "one span has one type"
    if outer.label == "sym":
        return None if inner.label in _INNER else f"{inner.label} is never inside sym"
    leads = outer.label == "dis" and inner.label == "bod" and outer.start == inner.start
    if leads and inner.end - inner.start >= 3 and outer.end - inner.end >= 2:
        return None
    return "only sym holds others, and dis a leading bod of three characters or more before a name of two or more"


def _forgotten(record: Record, settled: Mapping[str, str]) -> Iterator[Fault]:
    """Settled strings of two characters or more that no entity covers."""
    covered = [False] * len(record.text)
    for entity in record.entities:
        covered[entity.start : entity.end] = [True] * (entity.end - entity.start)
    for string, label in settled.items():
        if label not in _COVERED or len(string) < 2:
            continue
        for found in re.finditer(re.escape(string), record.text):
            if not any(covered[found.start() : found.end()]):
                detail = f"{string} at {found.start()} is not annotated; labels.tsv says {label}"
                yield Fault(record.meta["line"], detail, is_error=False)
