import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from spacy_medflat.corpus.check import check_records
from spacy_medflat.corpus.record import Entity, Problem, Record
from spacy_medflat.corpus.report import Report, percentile, summarize
from spacy_medflat.corpus.report_view import report_view

from .helpers import tumour

CORPUS = [
    tumour(place="r1"),
    Record(
        "双肺野及肺门",
        [
            Entity(0, 6, "bod"),
            Entity(0, 3, "bod"),
            Entity(1, 2, "bod"),
            Entity(1, 2, "dis"),
            Entity(5, 5, "x"),
        ],
        place="r2",
    ),
    Record("无异常", place="r3"),
]


@pytest.fixture
def report():
    clean, report = check_records(CORPUS)
    list(clean)
    return report


def rendered(report, title=""):
    console = Console(width=200, color_system=None)
    with console.capture() as capture:
        console.print(report_view(report, title))
    return capture.get()


def test_counts(report):
    assert (report.texts_read, report.texts, report.characters) == (3, 3, 14 + 6 + 3)
    assert (report.entities_read, report.entities) == (8, 7)
    assert report.labels == {"bod": 4, "dis": 2, "sym": 1}
    assert list(report.problems) == ["empty_or_reversed"]


def test_nesting(report):
    # Everything but 咳嗽 takes part. The middle of 双肺野 carries two labels and lies in two others.
    assert (report.nested, report.same_span) == (6, 1)
    assert report.nested_share == pytest.approx(6 / 7)
    assert report.nesting_pairs == {("dis", "bod"): 1, ("bod", "bod"): 3, ("bod", "dis"): 2}
    assert (report.same_label_pairs, report.different_label_pairs) == (3, 3)
    assert report.depths == {1: 3, 2: 2, 3: 2}


def test_lengths(report):
    assert report.to_dict()["text_lengths"]["histogram"] == {"3": 1, "6": 1, "14": 1}
    assert report.to_dict()["entity_lengths"] == {
        "median": 3,
        "p90": 6,
        "p99": 6,
        "max": 6,
        "histogram": {"1": 2, "2": 1, "3": 1, "4": 1, "6": 2},
    }


def test_json_is_deterministic_and_complete(report):
    clean, again = check_records(CORPUS)
    list(clean)
    assert json.dumps(again.to_dict()) == json.dumps(report.to_dict())
    assert report.to_dict()["problems"] == {
        "empty_or_reversed": {"count": 1, "items": [{"place": "r2", "detail": "'x' 5-5 ''"}]}
    }


def test_only_the_print_is_cut():
    report = Report()
    report.add_problems(Problem("markup", f"record {number}", "<sub> ×1") for number in range(25))
    assert len(report.to_dict()["problems"]["markup"]["items"]) == 25
    text = rendered(report)
    assert "markup 25" in text
    assert "record 19: <sub>" in text
    assert "record 20" not in text
    assert "and 5 more" in text


def test_rendering(report):
    text = rendered(report, title="train.json")
    for part in (
        "train.json",
        "7 of 8 read",
        "6 (85.7%)",
        "bod > bod",
        "median 6",
        "empty_or_reversed 1",
        "r2: 'x' 5-5",
    ):
        assert part in text


def test_an_empty_report_renders():
    text = rendered(Report())
    assert "no problems found" in text
    assert Report().nested_share == 0.0


def test_labels_are_neither_markup_nor_control_codes():
    clean, report = check_records([Record("肺", [Entity(0, 1, "[bold]x"), Entity(0, 1, "\x1b[31m")])])
    list(clean)
    text = rendered(report)
    assert "[bold]x" in text
    assert "\x1b" not in text


@given(lengths=st.lists(st.integers(0, 30), min_size=1), percent=st.integers(1, 100))
def test_nearest_rank(lengths, percent):
    found = percentile(Counter(lengths), percent)
    assert found in lengths
    assert sum(n <= found for n in lengths) * 100 >= percent * len(lengths)
    assert sum(n < found for n in lengths) * 100 < percent * len(lengths)


def test_summary():
    assert summarize(Counter({10: 1, 2: 3})) == {
        "median": 2,
        "p90": 10,
        "p99": 10,
        "max": 10,
        "histogram": {"2": 3, "10": 1},
    }
    assert summarize({}) == {"median": 0, "p90": 0, "p99": 0, "max": 0, "histogram": {}}
