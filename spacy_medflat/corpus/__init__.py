"""Annotated corpora: readers, writers, the check between them, and the way to spaCy documents."""

from ..errors import CorpusError
from .check import check_records
from .formats.registry import FORMATS, detect_format, read_records, write_records
from .record import Entity, Problem, Record
from .report import Report
from .report_view import report_view

__all__ = [
    "FORMATS",
    "CorpusError",
    "Entity",
    "Problem",
    "Record",
    "Report",
    "check_records",
    "detect_format",
    "read_records",
    "report_view",
    "write_records",
]
