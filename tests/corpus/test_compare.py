from spacy_medflat.corpus.compare import Contents, label_differences, shared_texts
from spacy_medflat.corpus.record import Entity, Record

from .helpers import kinds


def contents(*records):
    found = Contents()
    assert list(found.watch(records)) == list(records)
    return found


def test_shared_texts_with_places():
    train = contents(
        Record("肺", place="t1"), Record("肝", place="t2"), Record("肺", place="t3"), Record(" ", place="t4")
    )
    dev = contents(
        Record("肝", place="d1"), Record("脾", place="d2"), Record("肺", place="d3"), Record(" ", place="d4")
    )
    (shared,) = shared_texts({"train": train, "dev": dev, "test": contents(Record("胆"))})
    assert shared.to_dict() == {"files": ["train", "dev"], "count": 2, "places": [["t2", "d1"], ["t1", "d3"]]}
    assert [str(p) for p in shared.problems()] == [
        "d1: shared_text: same text as t2",
        "d3: shared_text: same text as t1",
    ]


def labelled(*labels):
    return contents(*(Record("肺", [Entity(0, 1, label)]) for label in labels))


def test_label_differences():
    files = {
        "train": labelled("bod", "dis"),
        "dev": labelled("bod", "sym", "sym"),
        "test": contents(Record("肺")),
    }
    problems = label_differences(files)
    assert kinds(problems) == ["label_mismatch", "label_absent"]
    assert str(problems[0]) == "dev: label_mismatch: label 'sym' (2 entities) does not occur in train"
    assert "'dis'" in problems[1].detail


def test_one_labelled_file_differs_from_none():
    assert label_differences({"train": labelled("bod"), "test": contents(Record("肺"))}) == []
    assert label_differences({}) == []
