"""The facts about the CMeEE corpus that the package is built on, measured on the files themselves."""

import pytest
import spacy

from spacy_medflat.corpus.check import check_records
from spacy_medflat.corpus.docs import record_to_doc
from spacy_medflat.corpus.formats.registry import read_records

pytestmark = pytest.mark.data


def report_of(path):
    clean, report = check_records(read_records(path))
    return list(clean), report


def counts(report):
    return {kind: len(found) for kind, found in report.problems.items()}


def test_dev_is_sound_and_aligns(data_dir):
    records, report = report_of(data_dir / "cmeee" / "CMeEE_dev.json")
    assert (report.texts, report.entities_read, report.entities) == (5000, 20300, 20300)
    assert counts(report) == {"markup": 65, "stray_markup": 133}
    tokenizer = spacy.blank("zh").tokenizer
    docs = [record_to_doc(record, tokenizer, "sc") for record in records]
    assert sum(len(problems) for _, problems in docs) == 0
    assert sum(len(doc.spans["sc"]) for doc, _ in docs) == 20300
    assert all(doc.text == record.text for (doc, _), record in zip(docs, records, strict=True))


def test_dirt_of_train(data_dir):
    _, report = report_of(data_dir / "cmeee" / "CMeEE_train.json")
    assert (report.texts, report.entities_read, report.entities) == (15000, 61796, 61794)
    assert counts(report) == {
        "empty_or_reversed": 2,
        "duplicate_text": 43,
        "conflict": 18,
        "markup": 240,
        "stray_markup": 350,
        "crossing": 3,
    }
    assert (report.same_span, report.same_label_pairs) == (33, 3)


def test_second_version_is_nested_more(data_dir):
    _, report = report_of(data_dir / "cmeee_v2" / "CMeEE-V2_dev.json")
    assert report.entities == 26081
    assert report.nested_share == pytest.approx(0.306, abs=0.0005)


def test_texts_without_labels(data_dir):
    _, report = report_of(data_dir / "cmeee" / "CMeEE_test.json")
    assert (report.texts, report.entities) == (3000, 0)
