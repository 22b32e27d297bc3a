from spacy_medflat.context.layout import Layout
from spacy_medflat.context.stretches import Stretch, Stretches
from spacy_medflat.tables import fold

from .helpers import MATCHER, marked


def layout(source):
    text, spans, _ = marked(source)
    entities = Stretches(Stretch(start, end) for start, end, _ in spans)
    return text, Layout(fold(text), entities, list(MATCHER.find(fold(text), entities)))


def test_a_list_goes_on_over_commas():
    text, found = layout("否认{高血压|dis}，{糖尿病|dis}、{结核|dis}，{冠心病|dis}史，有{咳嗽|sym}，{发热|sym}。")
    assert text[: found.end_of("list", 2)] == "否认高血压，糖尿病、结核，冠心病史"
    assert text[found.start_of("list", text.index("史")) :].startswith("否认")
    assert text[: found.end_of("list", text.index("咳嗽"))].endswith("有咳嗽，发热")


def test_a_list_without_a_cue_at_its_beginning_does_not_go_on_to_the_left():
    text, found = layout("{高血压|dis}，{冠心病|dis}史。")
    assert found.start_of("list", text.index("史")) == text.index("冠心病")


def test_no_list_goes_on_over_a_colon_or_a_sentence():
    text, found = layout("无{发热|sym}：{咳嗽|sym}。{腹痛|sym}")
    assert text[: found.end_of("list", 1)] == "无发热"


def test_ends_at_the_borders_of_the_text():
    text, found = layout("发热")
    for reach in ("item", "clause", "sentence", "list"):
        assert found.start_of(reach, 1) == 0
        assert found.end_of(reach, 1) == len(text)
        assert found.end_of(reach, 2) == len(text)
