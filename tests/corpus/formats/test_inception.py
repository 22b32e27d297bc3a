import json
import shutil
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_medflat.corpus.check import read_checked
from spacy_medflat.corpus.formats.inception import read_inception, sentences, write_inception
from spacy_medflat.corpus.formats.registry import detect_format
from spacy_medflat.corpus.record import Entity, Record
from spacy_medflat.errors import MedflatError

from ..helpers import kinds, tumour, write, write_json
from ..strategies import ANY_CHARACTER, metas, records

NAME = "de.tudarmstadt.ukp.dkpro.core.api"
ENTITY, TOKEN = f"{NAME}.ner.type.NamedEntity", f"{NAME}.segmentation.type.Token"
SENTENCE = f"{NAME}.segmentation.type.Sentence"
# An emoji of two code units, one of several code points, and a character outside of the basic plane.
RARE = Record("👩‍⚕患者𠮷右肺上叶", [Entity(6, 10, "bod"), Entity(3, 10, "dis"), Entity(5, 6, "dis")], id="n1")


def of_type(path, name):
    value = json.loads(path.read_text(encoding="utf8"))
    return [item for item in value["%FEATURE_STRUCTURES"] if item["%TYPE"] == name]


@pytest.fixture
def cas(tmp_path):
    """What INCEpTION would export of a note: other types beside the entities, offsets in UTF-16."""
    write_inception([RARE], tmp_path / "made")
    value = json.loads((tmp_path / "made" / "n1.json").read_text(encoding="utf8"))
    document = f"{NAME}.metadata.type.DocumentMetaData"
    value["%TYPES"][document] = {
        "%NAME": document,
        "%SUPER_TYPE": "uima.tcas.DocumentAnnotation",
        "documentTitle": {"%NAME": "documentTitle", "%RANGE": "uima.cas.String"},
    }
    value["%TYPES"]["custom.Span"] = {"%NAME": "custom.Span", "%SUPER_TYPE": "uima.tcas.Annotation"}
    added = [
        {"%ID": 900, "%TYPE": document, "@sofa": 1, "begin": 0, "end": 12, "documentTitle": "n1.json"},
        {"%ID": 901, "%TYPE": "custom.Span", "@sofa": 1, "begin": 0, "end": 2},
    ]
    value["%FEATURE_STRUCTURES"] += added
    value["%VIEWS"]["_InitialView"]["%MEMBERS"] += [900, 901]
    shutil.rmtree(tmp_path / "made")
    return value


def test_offsets_in_the_file_count_utf16_units(tmp_path):
    assert write_inception([RARE], tmp_path / "out") == []
    path = tmp_path / "out" / "n1.json"
    assert [(e["begin"], e["end"], e["value"]) for e in of_type(path, ENTITY)] == [
        (8, 12, "bod"),
        (4, 12, "dis"),
        (6, 8, "dis"),
    ]
    (record,) = read_inception(path)
    assert set(record.entities) == set(RARE.entities) and record.id == "n1"
    assert detect_format(path) == detect_format(tmp_path / "out") == "inception"


def test_every_character_is_a_token_and_no_sentence_cuts_an_entity(tmp_path):
    text = "无殊。 右肺\n上叶腺癌。\n咳嗽"
    write_inception([Record(text, [Entity(4, 11, "dis")], id="a")], tmp_path / "out")
    tokens = [text[t["begin"] : t["end"]] for t in of_type(tmp_path / "out" / "a.json", TOKEN)]
    assert "".join(tokens) == "".join(text.split()) and set(map(len, tokens)) == {1}
    found = [text[s["begin"] : s["end"]] for s in of_type(tmp_path / "out" / "a.json", SENTENCE)]
    assert found == ["无殊。", "右肺\n上叶腺癌。", "咳嗽"]


@given(records())
def test_sentences_hold_what_is_seen_and_cut_no_entity(record):
    found = sentences(record.text, record.entities)
    covered = {i for start, end in found for i in range(start, end)}
    assert sum(end - start for start, end in found) == len(covered)
    visible = {i for i, char in enumerate(record.text) if char.isprintable() and char != " "}
    assert visible <= covered
    for entity in record.entities:
        inside = visible & set(range(entity.start, entity.end))
        assert not inside or any(inside <= set(range(start, end)) for start, end in found)


@settings(max_examples=20)
@given(
    items=st.lists(
        records(texts=st.text(ANY_CHARACTER, max_size=15), metas=metas, ids=st.sampled_from(["n1", "a b", ""])),
        max_size=3,
    )
)
def test_everything_but_the_order_survives(items, tmp_path_factory):
    folder = tmp_path_factory.mktemp("out")
    assert write_inception(items, folder) == []
    found = list(read_inception(folder)) if items else []
    assert sorted((r.text, repr(r.meta), sorted(map(str, r.entities))) for r in found) == sorted(
        (r.text, repr(r.meta), sorted(map(str, r.entities))) for r in items
    )
    assert {r.id for r in items} - {""} <= {r.id for r in found}


def test_fields_keep_their_types_and_names_of_entities_too(tmp_path):
    meta = {"ward": 3, "bed": "3", "quote": '"3"', "none": None, "list": [1, {"a": "b"}], "id": 7}
    entity = Entity(0, 2, "bod", meta={"identifier": "C34", "negated": True})
    problems = write_inception([Record("右肺", [entity], id="7", meta=meta, place="x")], tmp_path / "out")
    assert [str(p) for p in problems] == ["x: dropped_meta: entity field 'negated' ×1"]
    (record,) = read_inception(tmp_path / "out")
    assert (record.meta, record.id, record.entities[0].meta) == (meta, "7", {"identifier": "C34"})


def test_an_export_of_a_project_is_read(cas, tmp_path):
    for name in ("curation/n1.json/CURATION_USER.json", "annotation/n2.txt/admin.json", "n3.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        # The identifier of the note is gone, as if it had been imported as plain text.
        kept = [item for item in cas["%FEATURE_STRUCTURES"] if item.get("key") != "id"]
        left = {item["%ID"] for item in cas["%FEATURE_STRUCTURES"]} - {item["%ID"] for item in kept}
        views = {"_InitialView": {"%SOFA": 1, "%MEMBERS": list(set(cas["%VIEWS"]["_InitialView"]["%MEMBERS"]) - left)}}
        write_json(tmp_path / name, {**cas, "%FEATURE_STRUCTURES": kept, "%VIEWS": views})
    write_json(tmp_path / "annotation/n2.txt/INITIAL_CAS.json", cas)
    clean, report = read_checked(tmp_path)
    found = list(clean)
    assert [record.id for record in found] == ["n2", "n1", "n3"]
    assert all(set(record.entities) == set(RARE.entities) for record in found)
    assert [p.place for p in report.problems["rejected"]] == ["annotation/n2.txt/INITIAL_CAS.json"]
    assert [p.detail for p in report.problems["ignored_annotation"]] == ["layer 'custom.Span' ×1"] * 3


def change_entity(cas, **fields):
    for item in cas["%FEATURE_STRUCTURES"]:
        if item["%TYPE"] == ENTITY and item["begin"] == 6:
            item.update(fields)
    return cas


def test_what_is_damaged_is_listed_and_the_rest_is_read(cas, tmp_path):
    write_inception([tumour(id="good")], tmp_path / "in")
    # In the middle of a surrogate pair.
    write_json(tmp_path / "in" / "offset.json", change_entity(cas, begin=7))
    write(tmp_path / "in" / "cut.json", json.dumps(cas)[:500])
    write(tmp_path / "in" / "latin.json", b"\xff\xfe")
    write_json(tmp_path / "in" / "other.json", {"%TYPES": {}, "text": "肺"})
    clean, report = read_checked(tmp_path / "in", "inception")
    assert [record.id for record in clean] == ["good"]
    assert sorted(p.place for p in report.problems["unreadable"]) == [
        "cut.json",
        "latin.json",
        "offset.json",
        "other.json",
    ]
    with pytest.raises(MedflatError, match=r"cut.json: not a UIMA CAS in JSON, or damaged"):
        list(read_inception(tmp_path / "in"))


def test_an_entity_without_a_label_is_reported(cas, tmp_path):
    write_json(tmp_path / "a.json", change_entity(cas, value=None))
    (record,) = read_inception(tmp_path / "a.json")
    assert len(record.entities) == 2 and "broken_annotation" in kinds(record.problems)


def test_paths_that_do_not_fit(tmp_path):
    with pytest.raises(MedflatError, match="give a folder"):
        write_inception([], tmp_path / "a.json")
    with pytest.raises(MedflatError, match=r"no .json file in this folder"):
        list(read_inception(tmp_path))


def test_without_cassis_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "cassis", None)
    with pytest.raises(MedflatError, match=r"spacy-medflat\[inception\]"):
        write_inception([tumour()], tmp_path / "out")
    write_json(tmp_path / "a.json", {})
    with pytest.raises(MedflatError, match="needs dkpro-cassis"):
        list(read_inception(tmp_path))


def test_folders_with_texts_are_brat(tmp_path):
    write(tmp_path / "a.txt", "肺")
    write_inception([tumour(id="b")], tmp_path)
    assert detect_format(tmp_path) == "brat"
