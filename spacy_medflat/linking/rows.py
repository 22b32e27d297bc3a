"""Tables of codes: reading them as hospitals have them, and writing them."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from spacy.util import logger

from ..errors import TableError, amount, clipped
from ..files import BOM
from ..tables import format_table

COLUMNS = ("code", "name", "synonyms", "label")

# What the columns are called in lists of Chinese hospitals.
_ALIASES = {
    "code": "code 编码 代码 疾病编码 疾病代码 诊断编码 诊断代码 icd编码 icd10 icd-10 药品编码 药品代码 手术编码",
    "name": "name 名称 疾病名称 诊断名称 药品名称 通用名 手术名称 项目名称 中文名称",
    "synonyms": "synonyms 同义词 别名 别称 其他名称 商品名",
    "label": "label labels 类型 标签 实体类型",
}
_COLUMN_OF = {alias: column for column, aliases in _ALIASES.items() for alias in aliases.split()}
_BETWEEN = "|"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_SHOWN = 3


class _Tabs(csv.excel_tab):
    quoting = csv.QUOTE_NONE


class CodeRow(NamedTuple):
    """A row of the table.

    code (str): as I10 or J18.900; a code may have several rows.
    name (str): what it stands for.
    synonyms (tuple of str): other names of the same.
    labels (tuple of str): of the entities that it is for; empty for all.
    """

    code: str
    name: str
    synonyms: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


def parse_codes(text: str, name: str) -> list[CodeRow]:
    """Read a table of codes from the text of a file.

    The first line names the columns, in any order: `code`, `name`, and perhaps `synonyms` and `label`, or what they are
    called in Chinese (编码, 名称, 同义词, 类型); others are ignored. Between them stand tabs, commas or semicolons, and
    between synonyms or labels `|`. Rows without a code or a name are skipped, counted and warned of. Rows with the same
    code and name are one, with the synonyms of both.

    name (str): what messages call it.
    RETURNS (list of CodeRow): the rows in their order.
    RAISES (TableError): a first line without the columns, no row that can be used, or more that cannot than can.
    """
    lines = _cells(text.removeprefix(BOM), name)
    header = next(lines, None)
    if header is None:
        raise TableError(f"{name}: empty; begin with a line of column names, code and name, then a row for each code")
    columns = _header(header[1], f"{name} line {header[0]}")
    found: dict[tuple[str, str, tuple[str, ...]], CodeRow] = {}
    bad: list[str] = []
    for number, cells in lines:
        row = _row(cells, columns)
        if row is None:
            bad.append(f"line {number}: {clipped(' '.join(cells))}")
            continue
        key = (row.code, row.name, row.labels)
        known = found.get(key, row)
        found[key] = row._replace(synonyms=tuple(dict.fromkeys(known.synonyms + row.synonyms)))
    if not found or len(bad) > len(found):
        detail = f"{amount(len(bad), 'row')} without a code or a name, as {bad[0]}" if bad else "no row but the first"
        raise TableError(f"{name}: {detail}; give a table of code and name")
    if bad:
        shown = "; ".join(bad[:_SHOWN])
        logger.warning("%s: skipped %s without a code or a name: %s", name, amount(len(bad), "row"), shown)
    return list(found.values())


def _cells(text: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """The lines that are not empty, with their numbers, as cells."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    first = next((line for line in lines if line.strip()), "")
    delimiter = max("\t,;", key=first.count)
    # Quotes are marks of a CSV file only.
    dialect: type[csv.Dialect] = _Tabs if delimiter == "\t" else csv.excel
    reader = csv.reader((f"{line}\n" for line in lines), dialect, delimiter=delimiter)
    try:
        for begun, cells in enumerate(reader, 1):
            if reader.line_num > begun:
                raise TableError(f"{name} line {begun}: a quote that does not end on this line; remove or double it")
            stripped = [_CONTROL.sub(" ", cell).strip() for cell in cells]
            if any(stripped):
                yield reader.line_num, stripped
    except csv.Error as error:
        raise TableError(f"{name} line {reader.line_num}: {error}; is it a table in CSV or with tabs?") from error


def _header(cells: Sequence[str], place: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for index, cell in enumerate(cells):
        column = _COLUMN_OF.get(cell.lower().replace(" ", ""))
        if column in found:
            raise TableError(f"{place}: two columns for {column}: {clipped(' '.join(cells))}; rename or remove one")
        if column:
            found[column] = index
    if not {"code", "name"} <= set(found):
        raise TableError(
            f"{place}: the first line must name the columns code and name (编码, 名称), and may name synonyms and "
            f"label, with tabs or commas between them; it is {clipped(' '.join(cells))}"
        )
    return found


def _row(cells: Sequence[str], columns: dict[str, int]) -> CodeRow | None:
    code, name, synonyms, labels = (
        cells[columns[column]] if column in columns and columns[column] < len(cells) else "" for column in COLUMNS
    )
    if not code or not name:
        return None
    return CodeRow(code, name, _listed(synonyms), _listed(labels.replace(",", _BETWEEN)))


def _listed(cell: str) -> tuple[str, ...]:
    parts = (part.strip() for part in cell.replace("｜", _BETWEEN).split(_BETWEEN))
    return tuple(dict.fromkeys(part for part in parts if part))


def merge_codes(first: Iterable[CodeRow], added: Iterable[CodeRow]) -> list[CodeRow]:
    """Add codes to others. A row of the same code and name replaces the first; another name stands beside it."""
    merged = {(row.code, row.name): row for row in first}
    added = list(added)
    again = {(row.code, row.name) for row in added}
    kept = [row for key, row in merged.items() if key not in again]
    return [*kept, *added]


def format_codes(rows: Iterable[CodeRow]) -> str:
    """The text of a table of codes, with tabs."""
    cells = ((row.code, row.name, _BETWEEN.join(row.synonyms), _BETWEEN.join(row.labels)) for row in rows)
    return format_table(([_CONTROL.sub(" ", cell) for cell in row] for row in cells), COLUMNS)
