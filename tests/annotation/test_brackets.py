"""The bracket form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.brackets import MEANINGS, TYPES, format_brackets, parse_brackets
from spacy_medflat.context.attributes import ATTRIBUTE_OF
from spacy_medflat.corpus.record import Entity
from spacy_medflat.errors import CorpusError


def test_nested_entities_by_start_the_outer_first():
    text, entities = parse_brackets("可见{sym:{bod:双肺}湿啰音}，无{sym@family+absent:发热}。")
    assert text == "可见双肺湿啰音，无发热。"
    assert entities == [Entity(2, 7, "sym"), Entity(2, 4, "bod"), Entity(9, 11, "sym")]
    assert [entity.meta for entity in entities] == [{}, {}, {"assertion": "absent", "experiencer": "family"}]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{dis:肺炎", "{ without }"),
        ("肺炎}", "} without {"),
        ("{dis:{bod:肺}炎", "column 1"),
        ("{dia:肺炎}", "'dia' is no type"),
        ("{dis@maybe:肺炎}", "'maybe' is no meaning"),
        ("{dis@absent+possible:肺炎}", "absent and possible exclude each other"),
        ("可见{dis:}", "column 3, at '{dis:}': an entity without text"),
        ("{肺炎}", "an entity begins with {type:"),
    ],
)
def test_broken_brackets(text, message):
    with pytest.raises(CorpusError, match=message.replace("{", r"\{").replace("}", r"\}")):
        parse_brackets(text)


def test_what_the_form_cannot_hold():
    with pytest.raises(CorpusError, match="crosses another entity"):
        format_brackets("左肺上叶炎症", [Entity(0, 4, "bod"), Entity(2, 6, "sym")])
    with pytest.raises(CorpusError, match="full width"):
        format_brackets("{肺}", [])


@st.composite
def annotated(draw):
    text = draw(st.text(st.characters(exclude_characters="{}", exclude_categories=["Cs"]), min_size=1, max_size=20))
    entities: list[Entity] = []
    for _ in range(draw(st.integers(0, 5))):
        start = draw(st.integers(0, len(text) - 1))
        end = draw(st.integers(start + 1, len(text)))
        if any(e.start < start < e.end < end or start < e.start < end < e.end for e in entities):
            continue
        meta = {ATTRIBUTE_OF[value]: value for value in draw(st.sets(st.sampled_from(MEANINGS)))}
        entities.append(Entity(start, end, draw(st.sampled_from(TYPES)), meta=meta))
    return text, sorted(entities, key=lambda e: (e.start, -e.end))


@given(annotated())
def test_round_trip(case):
    text, entities = case
    parsed, found = parse_brackets(format_brackets(text, entities))
    assert parsed == text
    assert [(e, e.meta) for e in found] == [(e, e.meta) for e in entities]
