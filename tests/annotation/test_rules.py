"""What a program can see of the guidelines."""

import pytest

from annotation.brackets import parse_brackets
from annotation.rules import find_faults
from spacy_medflat.corpus.record import Record

SETTLED = {"发热": "sym", "治疗": "-", "鼻塞": "sym|equ", "肺炎": "dis"}


def faults(brackets):
    text, entities = parse_brackets(brackets)
    return list(find_faults(Record(text, entities, meta={"line": 7}), SETTLED))


@pytest.mark.parametrize(
    "brackets",
    [
        "{sym:{bod:双肺}湿啰音}，{sym:发热}，{dis:重症肺炎}",
        "{dis:{bod:右肺上叶}腺癌}",
        "{equ:鼻塞}或{sym:鼻塞}",
        "{sym:无力}，{dis:有机磷中毒}，{dru:0.9%氯化钠注射液}",
    ],
)
def test_sound_sentences(brackets):
    assert not faults(brackets)


@pytest.mark.parametrize(
    ("brackets", "message"),
    [
        ("{dis:发热}", "labels.tsv says sym"),
        ("{pro:治疗}", "never an entity"),
        ("{dis:麻疹，}", "punctuation"),
        ("急性{dis:胰腺炎}", "belong inside"),
        ("{dru:5%碳酸氢钠}", "a dose or a percentage"),
        ("{dis:{bod:肺}结核}", "only sym holds others"),
        ("{pro:{bod:胸部}CT}", "only sym holds others"),
        ("{sym:{sym:咳嗽}}", "one span has one type"),
        ("{sym:{dep:儿科}留观}", "dep is never inside sym"),
    ],
)
def test_errors(brackets, message):
    [fault] = faults(brackets)
    assert fault.is_error and message in str(fault) and str(fault).startswith("7: error")


@pytest.mark.parametrize(
    ("brackets", "message"),
    [
        ("{sym:有皮疹}", "begins with 有"),
        ("{dis:麻疹患儿}", "ends with 患儿"),
        ("可有发热。", "发热 at 2 is not annotated"),
    ],
)
def test_doubts(brackets, message):
    [fault] = faults(brackets)
    assert not fault.is_error and message in str(fault)
