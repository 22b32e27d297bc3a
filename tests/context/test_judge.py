import json
import random
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.context.attributes import VALUES
from spacy_medflat.context.cues import CueMatcher, parse_cues, shipped_cues
from spacy_medflat.context.headings import HeadingMatcher, Section, shipped_headings
from spacy_medflat.context.judge import judge

from .helpers import CASES, MATCHER, judged, marked, values

CORPUS = Path(__file__).parents[2] / "assets" / "corpus"


@pytest.mark.parametrize("case", CASES)
def test_cases(case):
    assert values(judged(case)) == marked(case).values


@pytest.mark.parametrize("part", ["tune", "held_out", "unseen"])
def test_the_notes_of_the_sample(part):
    headings = HeadingMatcher(shipped_headings())
    right = dict.fromkeys(VALUES, 0)
    total = 0
    for line in (CORPUS / f"context_{part}.jsonl").read_text(encoding="utf8").splitlines():
        note = json.loads(line)
        spans = [(entity["start"], entity["end"], entity["label"]) for entity in note["entities"]]
        found = judge(note["text"], spans, MATCHER, headings.find(note["text"]))
        total += len(found)
        for entity, context in zip(note["entities"], found, strict=True):
            for attribute in VALUES:
                right[attribute] += entity[attribute] == getattr(context, attribute)
    assert total > 100
    assert {attribute: count / total > 0.98 for attribute, count in right.items()} == dict.fromkeys(VALUES, True)


def test_the_cues_that_decided_are_named():
    text = "既往史：否认高血压。"
    section = Section(0, len(text), "past_history", 4)
    (context,) = judge(text, [(6, 9, "dis")], MATCHER, [section])
    assert [(cue.text, cue.value, cue.start, cue.end) for cue in context.cues] == [
        ("既往史：", "historical", 0, 4),
        ("否认", "absent", 4, 6),
    ]


def test_what_is_planned_to_be_excluded_is_possible_and_both_cues_are_named():
    (context,) = judged("建议行造影排除{肺栓塞|dis}。")
    assert context.assertion == "possible"
    assert [cue.text for cue in context.cues] == ["建议", "排除"]


def test_an_inner_entity_has_what_the_outer_one_has():
    contexts = judged("未见{{{右肺|bod}上叶|bod}结节|sym}，{右肺|bod}清晰。")
    assert [context.assertion for context in contexts] == ["absent"] * 3 + ["present"]
    assert contexts[0].cues == contexts[2].cues != ()


def test_labels_on_the_same_characters_are_judged_each():
    matcher = CueMatcher(parse_cues("cue\tcategory\tlabels\n无\tabsent\tdis\n", "cues"))
    found = judge("无贫血", [(1, 3, "dis"), (1, 3, "sym")], matcher)
    assert [context.assertion for context in found] == ["absent", "present"]


@pytest.mark.parametrize(
    "name", ["无痛性肿块", "非小细胞肺癌", "不孕症", "无力", "停经", "无名指", "未分化癌", "家族性息肉病"]
)
def test_a_cue_in_a_name_says_nothing_about_it_or_others(name):
    text = f"{name}、发热。"
    found = judge(text, [(0, len(name), "dis"), (len(name) + 1, len(name) + 3, "sym")], MATCHER)
    assert values(found) == [("present", "patient", "current")] * 2


def test_sections_say_what_no_cue_says():
    text = "家族史：高血压。患者有糖尿病。"
    section = Section(0, len(text), "family_history", 4)
    found = judge(text, [(4, 7, "dis"), (11, 14, "dis")], MATCHER, [section])
    assert [context.experiencer for context in found] == ["family", "patient"]


def test_a_title_in_front_of_the_section_is_not_of_it():
    text = "高血压。家族史：糖尿病"
    section = Section(4, len(text), "family_history", 8)
    found = judge(text, [(0, 3, "dis"), (8, 11, "dis")], MATCHER, [section])
    assert [context.experiencer for context in found] == ["patient", "family"]


@pytest.mark.parametrize("place", [(-1, 2), (2, 2), (3, 2), (0, 99), (50, 60)])
def test_what_is_no_stretch_of_the_text_is_judged_by_nothing(place):
    found = judge("无发热、咳嗽。", [(*place, "sym"), (1, 3, "sym")], MATCHER)
    assert values(found) == [("present", "patient", "current"), ("absent", "patient", "current")]


def test_without_text_or_spans():
    assert judge("", [], MATCHER) == []
    assert judge("无发热", [], MATCHER) == []


FRAGMENTS = st.sampled_from(
    [row.cue for row in shipped_cues() if row.direction != "section"]
    + ["，", "、", "：", "；", "（", "）", "【", "】", " ", "1.", "(2)", "一、", "3天", "\u3000", "𠮷", "mg", "-", "/"]
    * 20
)
ENTITIES = st.sampled_from(["发热", "右肺上叶腺癌", "无痛性肿块", "水疱", "阿司匹林", "胸部CT"])
LABELS = st.sampled_from(["sym", "dis", "pro", "dru", "X"])


@st.composite
def sentences(draw, end="。"):
    """A sentence of cues, punctuation and entities, with the entities."""
    text, spans = "", []
    for part in draw(st.lists(st.one_of(FRAGMENTS, st.tuples(ENTITIES, LABELS)), max_size=12)):
        if isinstance(part, tuple):
            spans.append((len(text), len(text) + len(part[0]), part[1]))
            text += part[0]
        else:
            text += part
    return text.replace("？", "，").replace("?", ",").replace("；", "，") + end, spans


@given(
    text=st.lists(st.one_of(FRAGMENTS, ENTITIES, st.text(max_size=4)), max_size=30).map("".join),
    places=st.lists(st.tuples(st.integers(-3, 80), st.integers(-3, 80), LABELS), max_size=12),
)
def test_any_text_and_places_give_known_values(text, places):
    sections = [Section(0, len(text), "past_history", min(4, len(text)))]
    found = judge(text, places, MATCHER, sections)
    assert len(found) == len(places)
    for context in found:
        for attribute, known in VALUES.items():
            assert getattr(context, attribute) in known
        assert all(text[cue.start : cue.end] == cue.text for cue in context.cues)


@given(parts=st.lists(sentences(), min_size=2, max_size=4), data=st.data())
def test_a_sentence_says_nothing_about_another(parts, data):
    def found(chosen):
        text, spans = "", []
        for sentence, places in chosen:
            spans += [(len(text) + start, len(text) + end, label) for start, end, label in places]
            text += sentence
        return values(judge(text, spans, MATCHER))

    gone = data.draw(st.integers(0, len(parts) - 1))
    before = sum(len(places) for _, places in parts[:gone])
    after = before + len(parts[gone][1])
    whole = found(parts)
    assert found(parts[:gone] + parts[gone + 1 :]) == whole[:before] + whole[after:]


@given(parts=st.lists(sentences(), min_size=1, max_size=3), data=st.data())
def test_the_order_of_the_entities_does_not_matter(parts, data):
    text, spans = "", []
    for sentence, places in parts:
        spans += [(len(text) + start, len(text) + end, label) for start, end, label in places]
        text += sentence
    order = data.draw(st.permutations(range(len(spans))))
    found = judge(text, spans, MATCHER)
    assert judge(text, [spans[i] for i in order], MATCHER) == [found[i] for i in order]


@pytest.mark.parametrize("unit", ["如", "无，", "（无", "父史、", "无发热、咳嗽，", "1.？"])
def test_the_work_grows_with_the_length_only(unit):
    def lines(length):
        """How many lines of Python run for a text, which does not hang on the machine."""
        text = (unit * length)[:length]
        spans = [(i, i + 1, "sym") for i in range(1, length, 3)]
        count = 0

        def trace(frame, event, argument):
            nonlocal count
            count += event == "line"
            return trace

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            judge(text, spans, MATCHER)
        finally:
            sys.settrace(before)
        return count

    assert lines(1200) < 4.4 * lines(300)


def test_a_hundred_thousand_characters():
    random.seed(0)
    others = ["发热", "，", "。", "患者神清语利" * 5] * 300
    parts = random.choices([row.cue for row in shipped_cues()] + others, k=20_000)
    text = "".join(parts)[:100_000]
    spans = [(i, i + 2, "sym") for i in range(len(text)) if text.startswith("发热", i)]
    assert len(judge(text, spans, MATCHER)) == len(spans) > 1000
