from spacy_medflat.context.separators import Brackets, find_separators
from spacy_medflat.context.stretches import Stretch, Stretches
from spacy_medflat.tables import fold

from .helpers import MATCHER, marked


def parts(source, level):
    """The text cut at separators of a level and above."""
    text, spans, _ = marked(source)
    entities = Stretches(Stretch(start, end) for start, end, _ in spans)
    words = [match for match in MATCHER.find(fold(text), entities) if match.is_a("and")]
    cut, begun = [], 0
    for separator in find_separators(fold(text), entities, words):
        if separator.level >= level:
            cut.append(text[begun : separator.start])
            begun = separator.end
    return [part for part in [*cut, text[begun:]] if part]


def test_sentences():
    assert parts("发热。咳嗽！\n腹痛；头痛？", 3) == ["发热", "咳嗽", "腹痛", "头痛"]
    assert parts("1.肺炎 2.高血压3.糖尿病", 3) == ["肺炎 ", "高血压", "糖尿病"]
    assert parts("一、肺炎；二、高血压", 3) == ["肺炎", "高血压"]
    assert parts("(1)肺炎；(2)高血压", 3) == ["肺炎", "高血压"]
    assert parts("体温38.5℃，白细胞(12)升高", 3) == ["体温38.5℃，白细胞(12)升高"]


def test_clauses():
    assert parts("诊断：肺炎，咳嗽", 2) == ["诊断", "肺炎", "咳嗽"]
    assert parts("血小板1,000，时间12:30", 2) == ["血小板1,000", "时间12:30"]


def test_items():
    assert parts("发热、咳嗽和咳痰/咯血 胸痛", 1) == ["发热", "咳嗽", "咳痰", "咯血", "胸痛"]
    assert parts("血压120/80mmol/L", 1) == ["血压120/80mmol/L"]


def test_what_stands_in_an_entity_separates_nothing():
    assert parts("{肺、肝转移|dis}、发热", 1) == ["肺、肝转移", "发热"]


def around(text, word):
    start = text.index(word)
    found = Brackets(text, [i for i, char in enumerate(text) if char == "。"]).around(start, start + len(word))
    return found and text[found.start : found.end]


def test_brackets():
    assert around("a(b(c)d)e", "c") == "c"
    assert around("a(b(c)d)e", "d") == "b(c)d"
    assert around("a(b(c)d)e", "e") is None
    assert around("a(b。c)d", "c") is None
    assert around("a(b]c)", "c") is None
