from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.context.headings import (
    Heading,
    HeadingMatcher,
    format_headings,
    merge_headings,
    parse_headings,
    shipped_headings,
)
from spacy_medflat.errors import TableError

MATCHER = HeadingMatcher(shipped_headings())


def found(text):
    return [(section.label, text[section.title_end : section.end].strip()) for section in MATCHER.find(text)]


@pytest.mark.parametrize(
    "title",
    [
        "既往史：",
        "既往史:",
        "既　往　史：",
        "既 往 史 :",
        "　　既往史：",
        "2.既往史：",
        "二、既往史：",
        "（二）既往史：",
        "(2) 既往史：",
        "【既往史】",
        "【既往史】：",
        "［既往史］",
        "【 既往史：】",
        "■既往史：",
        "既往史（2019年）：",
        "既往史 ",
        "既往史\n",
    ],
)
def test_titles_at_the_beginning_of_a_line(title):
    for before in ("", "主诉：咳嗽\n"):
        text = f"{before}{title}高血压"
        assert found(text)[-1] == ("past_history", "高血压"), title


def test_titles_in_a_line():
    text = "主诉：咳嗽3天。现病史：患者发热；既往史：体健 家族史：无。二、查体：腹软"
    assert found(text) == [
        ("chief_complaint", "咳嗽3天。"),
        ("present_illness", "患者发热；"),
        ("past_history", "体健"),
        ("family_history", "无。"),
        ("physical_examination", "腹软"),
    ]


@pytest.mark.parametrize(
    "text",
    ["患者既往史不详。", "既往史不详。", "体健。诊断明确，处理后好转", "结合现病史：", "，诊断：肺炎", "病史特点", ""],
)
def test_what_is_no_title(text):
    assert found(text) == []


def test_a_section_begins_with_its_title_and_ends_before_the_next():
    text = "概述\n 1. 主诉： 咳嗽 \n\n\n既往史：\n"
    sections = list(MATCHER.find(text))
    assert [text[s.start : s.end] for s in sections] == ["1. 主诉： 咳嗽", "既往史："]
    assert [text[s.start : s.title_end] for s in sections] == ["1. 主诉：", "既往史："]


@pytest.mark.parametrize("heading", [row.heading for row in shipped_headings()])
def test_every_shipped_heading_is_found(heading):
    wanted = next(row.section for row in shipped_headings() if row.heading == heading)
    assert found(f"{heading}：内容")[0][0] == wanted
    assert found(f"前文。{heading}：内容")[0][0] == wanted


def test_shipped_headings_are_read_back():
    assert parse_headings(format_headings(shipped_headings()), "x") == list(shipped_headings())


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("主 诉\tx", "x.tsv line 3: '主 诉' is a heading already in line 2"),
        ("现病史\t", "x.tsv line 3: '-' is no section"),
        ("：\ty", "x.tsv line 3: '：' is no heading: write it without punctuation"),
    ],
)
def test_errors_name_file_and_line(line, says):
    with pytest.raises(TableError) as error:
        parse_headings(f"heading\tsection\n主诉\tchief_complaint\n{line}\n", "x.tsv")
    assert says in str(error.value)


def test_added_headings_replace_and_take_out():
    first = [Heading("主诉", "chief_complaint"), Heading("诊断", "diagnosis")]
    merged = merge_headings(first, [Heading("诊 断", "impression"), Heading("主诉", "none"), Heading("a.b(c", "x")])
    assert merged == [Heading("诊 断", "impression"), Heading("a.b(c", "x")]
    assert [section.label for section in HeadingMatcher(merged).find("诊断：肺炎。A.B（C：")] == ["impression", "x"]


def test_no_headings():
    assert list(HeadingMatcher([]).find("主诉：咳嗽")) == []


@given(
    st.lists(
        st.sampled_from(["主诉", "既往史", "：", "。", "\n", " ", "一、", "1.", "【", "】", "（", "）", "咳"])
    ).map("".join)
)
def test_sections_are_in_order_and_apart(text):
    sections = list(MATCHER.find(text))
    assert all(0 <= s.start < s.title_end <= s.end <= len(text) for s in sections)
    assert all(one.end <= other.start for one, other in pairwise(sections))
    for section in sections:
        stretch = text[section.start : section.end]
        assert stretch == stretch.strip()


@pytest.mark.parametrize("unit", [" ", "\n", "主 ", "(", "一、", "【主诉", "1.", "主诉"])
def test_long_texts_of_what_titles_are_made_of(unit):
    assert len(found((unit * 200_000)[:200_000])) < 2
