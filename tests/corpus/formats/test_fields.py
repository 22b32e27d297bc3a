import pytest

from spacy_medflat.corpus.formats.fields import check_all_read, json_format
from spacy_medflat.errors import MedflatError

SPAN = {"start": 0, "end": 1, "label": "bod"}


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("spans", [SPAN], "it may be of prodigy"),
        ("label", [[0, 1, "bod"]], "it may be of doccano"),
        ("labels", [[0, 1, "bod"]], "it may be of doccano"),
        ("annotations", [{"result": []}], "labelstudio"),
        ("predictions", [{"result": []}], "labelstudio"),
        ("completions", [{"result": []}], "Label Studio before 1.0"),
        ("entites", [SPAN], "misspelt 'entities'"),
        ("Entities", [SPAN], "misspelt 'entities'"),
        ("lables", [[0, 1, "bod"]], "misspelt 'labels'"),
        ("label", {"dis": {"肺癌": [[0, 1]]}}, "another format"),
        ("label", [{**SPAN, "labels": ["bod"]}], "another format"),
        ("findings", [SPAN], "another format"),
        ("ner", [{"offset": 0, "length": 1, "category": "bod"}], "another format"),
        ("tags", ["B-dis", "I-dis", "O"], "another format"),
        ("meta", {"spans": [SPAN]}, "another format"),
        ("children", [SPAN], "another format"),
        ("entities", ["肺"], "misspelt"),
    ],
)
def test_annotations_that_are_not_read_are_named(name, value, hint):
    with pytest.raises(MedflatError, match=rf"^a line 1: field '{name}' looks like annotations, .*{hint}"):
        check_all_read({"ward": 3, name: value}, "entities", "jsonl", "a line 1")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("label", "positive"),
        ("labels", ["内科", "外科"]),
        ("label", []),
        ("spans", None),
        ("tokens", [{"text": "肺", "start": 0, "end": 1, "id": 0}]),
        ("scans", [{"id": 1, "slices": 40}]),
        ("entries", [{"id": 1, "n": 2}]),
        ("annotators", [{"id": 1, "age": 40}]),
        ("labels", {"a": 1, "b": 2}),
        ("drugs", ["I-131", "B-12"]),
        ("box", [1, 2, 3]),
        ("sections", [{"start": 0, "end": 10, "title": "主诉"}]),
        ("relations", [{"head_span": SPAN, "label": "part"}]),
    ],
)
def test_other_fields_pass(name, value):
    check_all_read({name: value}, "entities", "jsonl", "a line 1")


def test_the_format_of_odd_values():
    assert [json_format(value) for value in (7, [], {}, {"text": "肺"}, {"label": 3})] == [None] * 5
