"""How strings are annotated throughout, and what differs."""

from annotation.brackets import parse_brackets
from annotation.statistics import count_kinds, find_wavering
from annotation.usage import count_usage, find_odd, known_strings
from spacy_medflat.corpus.record import Record


def record(brackets):
    text, entities = parse_brackets(brackets)
    return Record(text, entities, place=text, meta={"line": 1, "kind": "textbook"})


def test_known_strings_are_frequent_and_steady():
    records = [record("{bod:双肺}")] * 3 + [record("{sym:皮疹}")] * 2 + [record("{dis:皮疹}"), record("{bod:肺}")]
    assert known_strings(count_usage(records)) == {"双肺": "bod"}


def test_odd_sentences():
    known = {"双肺": "bod", "麻疹": "dis"}
    sound = [record("{bod:双肺}"), record("{sym:{bod:双肺}啰音}"), record("{dis:麻疹肺炎}")]
    assert not list(find_odd(sound, known))
    [nested] = find_odd([record("{sym:双肺啰音}")], known)
    assert "not nested" in nested.message and not nested.is_error
    [bare] = find_odd([record("患麻疹后")], known)
    assert "麻疹 at 1 is not annotated, mostly dis" in bare.message


def test_wavering_strings_that_nothing_settles():
    records = [record("{sym:皮疹}"), record("{dis:皮疹}"), record("{bod:白细胞}"), record("{ite:白细胞}")]
    [(string, places)] = find_wavering(records, {})
    assert string == "皮疹" and places == {"sym": ["皮疹"], "dis": ["皮疹"]}
    assert not find_wavering(records, {"皮疹": "sym"})


def test_counts_by_kind():
    table = count_kinds([record("{sym:{bod:双肺}啰音}"), record("无事")])
    assert table.row_count == 2
    assert [list(column.cells)[-1] for column in table.columns][-2:] == ["50", "50"]
