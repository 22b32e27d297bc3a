"""A source file: one sentence a line, `kind<TAB>department<TAB>text in brackets`; `#` begins a remark."""

from dataclasses import dataclass
from pathlib import Path

from spacy_medflat.corpus.record import Record
from spacy_medflat.errors import CorpusError, clipped
from spacy_medflat.files import iter_lines

from .brackets import parse_brackets

_KINDS = """
administrative admission anaesthesia answer case_report consultation discharge emergency endoscopy everyday
function_test guideline health_education laboratory leaflet nursing operation outpatient pathology prescription progress
public_health question radiology referral tcm textbook ultrasound
"""
_DEPARTMENTS = """
anaesthesiology burns cardiology cardiothoracic_surgery dermatology emergency endocrinology ent gastroenterology general
genetics geriatrics gynaecology haematology icu infection laboratory neonatology nephrology neurology neurosurgery
nutrition obstetrics occupational oncology ophthalmology orthopaedics paediatrics pain pathology pharmacy psychiatry
public_health radiology rehabilitation respiratory rheumatology stomatology surgery tcm toxicology ultrasound urology
vascular_surgery
"""
KINDS = frozenset(_KINDS.split())
DEPARTMENTS = frozenset(_DEPARTMENTS.split())


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a line.

    line (int): its number, from 1.
    message (str): what, and what to do.
    is_error (bool): it must be mended; otherwise a doubt, which may have a reason.
    """

    line: int
    message: str
    is_error: bool = True

    def __str__(self) -> str:
        return f"{self.line}: {'error' if self.is_error else 'doubt'}: {self.message}"


def read_source(path: Path) -> tuple[list[Record], list[Fault]]:
    """Read a source file.

    RETURNS (list of Record, list of Fault): the sentences, with `kind`, `department` and `line` in `meta`; the lines
        that cannot be read.
    """
    records, faults = [], []
    for number, line in iter_lines(path):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            records.append(_record(line, number, path))
        except CorpusError as error:
            faults.append(Fault(number, str(error)))
    return records, faults


def _record(line: str, number: int, path: Path) -> Record:
    fields = line.split("\t")
    if len(fields) != 3:
        raise CorpusError(f"{len(fields)} fields, not 3: kind, department and text, with a tab between them")
    kind, department, brackets = fields
    if kind not in KINDS:
        raise CorpusError(f"{clipped(kind)} is no kind; use one of {', '.join(sorted(KINDS))}")
    if department not in DEPARTMENTS:
        raise CorpusError(f"{clipped(department)} is no department; use one of {', '.join(sorted(DEPARTMENTS))}")
    text, entities = parse_brackets(brackets)
    if not text.strip() or text != text.strip():
        raise CorpusError("the text is empty, or begins or ends with white space")
    meta = {"kind": kind, "department": department, "line": number}
    return Record(text, entities, place=f"{path.name} line {number}", meta=meta)
