from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.context.cues import (
    CATEGORIES,
    DIRECTIONS,
    REACHES,
    Cue,
    CueMatcher,
    format_cues,
    merge_cues,
    parse_cues,
    shipped_cues,
)
from spacy_medflat.context.stretches import Stretch, Stretches
from spacy_medflat.errors import TableError
from spacy_medflat.tables import fold

HEAD = "cue\tcategory\tdirection\treach\tlabels\n"


def parsed(*lines):
    return parse_cues(HEAD + "".join(line.replace("|", "\t") + "\n" for line in lines), "mine.tsv")


def test_a_row_and_its_defaults():
    assert parsed("无|absent", "？|possible|before|item|dis, sym") == [
        Cue("无", "absent", "after", "clause", "-"),
        Cue("？", "possible", "before", "item", "dis,sym"),
    ]


def test_columns_may_stand_in_another_order_and_be_left_out():
    assert parse_cues("category\tcue\nabsent\t无\n", "x") == [Cue("无", "absent")]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("无|absnt", "mine.tsv line 3: unknown category 'absnt'; known are present, absent"),
        ("无|end:nothing", "line 3: unknown category 'end:nothing'"),
        ("无|absent|up", "line 3: unknown direction 'up'; known are after, before, section"),
        ("无|absent|after|far", "line 3: unknown reach 'far'"),
        ("否认|absent", "line 3: '否认' is absent after already in line 2"),
        ("|absent", "line 3: '-' is no cue"),
        ("a|b|c|d|e|f", "line 3: 6 cells, but there are 5 columns"),
        ("plan|pseudo|section", "line 3: a section can give present"),
    ],
)
def test_errors_name_file_and_line(line, says):
    with pytest.raises(TableError) as error:
        parsed("否认|absent|after|list", line)
    assert says in str(error.value)


def test_full_and_half_width_are_the_same_cue():
    with pytest.raises(TableError, match="already in line 2"):
        parsed("（-）|absent|before", "(-)|absent|before")


def test_shipped_cues_are_read_back():
    assert parse_cues(format_cues(shipped_cues()), "cues.tsv") == list(shipped_cues())
    assert {row.category for row in shipped_cues()} <= set(CATEGORIES)


def test_added_cues_replace_and_take_out():
    first = parsed("无|absent", "见|end:absent", "疑|possible")
    merged = merge_cues(first, parsed("无|absent|after|list", "见|none", "殊|pseudo"))
    assert merged == [Cue("无", "absent", "after", "list"), Cue("疑", "possible"), Cue("殊", "pseudo")]


def test_labels():
    assert Cue("无", "absent").allows("dis")
    assert Cue("无", "absent", labels="dis,sym").allows("sym")
    assert not Cue("无", "absent", labels="dis,sym").allows("pro")
    assert not Cue("无", "absent", labels="!dis,sym").allows("sym")
    assert Cue("无", "absent", labels="!dis,sym").allows("pro")


def matches(text, *entities, rows=("无|absent", "无水|pseudo", "水|pseudo", "无痛|pseudo")):
    found = CueMatcher(parsed(*rows)).find(fold(text), Stretches(Stretch(*place) for place in entities))
    return [text[match.start : match.end] for match in found]


def test_the_longest_at_each_place():
    assert matches("无水无痛无") == ["无水", "无痛", "无"]


def test_no_cue_crosses_an_entity():
    assert matches("无水疱", (1, 3)) == ["无"]
    assert matches("无水疱", (0, 3)) == []
    assert matches("水无", (0, 1)) == ["无"]


ROWS = st.builds(
    Cue,
    st.text("无未见否认（）?ab", min_size=1, max_size=4),
    st.sampled_from(CATEGORIES),
    st.sampled_from(DIRECTIONS[:2]),
    st.sampled_from(REACHES),
    st.sampled_from(["-", "dis", "!dis,sym"]),
)


@given(st.lists(ROWS, unique_by=lambda row: row.key))
def test_every_table_is_read_back(rows):
    assert parse_cues(format_cues(rows), "x") == rows


@given(st.text("无水痛疱见", max_size=20), st.lists(st.tuples(st.integers(0, 20), st.integers(1, 4)), max_size=4))
def test_matches_are_in_order_and_do_not_overlap(text, places):
    entities = Stretches(Stretch(start, start + width) for start, width in places)
    found = list(CueMatcher(parsed("无|absent", "无水|pseudo", "水痛|pseudo", "见|end")).find(text, entities))
    assert all(one.end <= other.start for one, other in pairwise(found))
    assert not any(entities.hold(match) or entities.cross(match) for match in found)


def test_a_cue_at_the_beginning_of_a_clause_only():
    assert matches("如，如无如。如", rows=["^如|hypothetical"]) == ["如", "如", "如"]
    rows = ("^如|hypothetical", "如|end", "无|absent")
    found = CueMatcher(parsed(*rows)).find(fold("无如，如"), Stretches([]))
    assert [[row.category for row in match.rows] for match in found] == [["absent"], ["end"], ["hypothetical"]]


def test_a_cue_at_the_end_of_a_clause_only():
    rows = ("退$|resolved|before|item", "退疹|pseudo")
    assert matches("热退，退热，退疹热退", rows=rows) == ["退", "退疹", "退"]
    assert matches("退（昨日）退）", rows=rows) == ["退"]


def test_a_cue_that_must_touch_an_entity():
    rows = ("停|resolved|after|touching", "止|resolved|before|touching", "止痛|pseudo")
    assert matches("停药，停华法林", (4, 7), rows=rows) == ["停"]
    assert matches("停，华法林止痛，腹痛止，腹痛已止", (2, 5), (8, 10), (12, 14), rows=rows) == ["止痛", "止"]


def test_what_touches_nothing_hides_nothing():
    rows = ("不见|absent|after|touching", "见|end")
    assert matches("不见肿块", rows=rows) == ["见"]
    assert matches("不见肿块", (2, 4), rows=rows) == ["不见"]


def test_a_mark_alone_is_no_cue():
    for mark in ("^", "$", "^$"):
        with pytest.raises(TableError, match="is no cue"):
            parsed(f"{mark}|absent")
