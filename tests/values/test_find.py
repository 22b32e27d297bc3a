from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.values.find import find_values
from spacy_medflat.values.terms import Term, merge_terms, shipped_terms
from spacy_medflat.values.vocabulary import Vocabulary

from .helpers import TERMS, marked, said, values


def first(text):
    return said(values(text)[0])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{血红蛋白|ite}92g/L↓", {"numbers": (92,), "ucum": "g/L", "direction": "low"}),
        ("{尿蛋白|ite}（＋＋）", {"result": "2+"}),
        ("{CRP|ite}＞10mg/L", {"comparator": ">", "numbers": (10,), "ucum": "mg/L"}),
        ("{体温|ite}38.5℃以上", {"comparator": ">=", "numbers": (38.5,), "ucum": "Cel"}),
        ("{体温|ite}约为：39", {"numbers": (39,)}),
        ("{白细胞|ite}(WBC)12", {"numbers": (12,)}),
        ("{铁蛋白|ite}8μg/L(30-400) ↓", {"numbers": (8,), "ucum": "ug/L", "direction": "low"}),
        ("{血小板|ite}\t92\tg/L\t100-300\tL", {"numbers": (92,), "ucum": "g/L", "direction": "low"}),
        ("{血钾|ite}2.9mmol/L，偏低，乏力", {"numbers": (2.9,), "ucum": "mmol/L", "direction": "low"}),
        ("{血钾|ite}2.9mmol/L，升高血钾", {"numbers": (2.9,), "ucum": "mmol/L"}),
        ("{血红蛋白|ite}92↓g/L", {"numbers": (92,), "ucum": "g/L", "direction": "low"}),
        ("{抗体|ite}阳性(1:80)", {"result": "positive", "numbers": (1, 80)}),
        ("{心电图|pro}示正常", {"direction": "normal"}),
        ("{血小板|ite} 92 L", {"numbers": (92,), "direction": "low"}),
        ("{肺活量|ite}2.3L", {"numbers": (2.3,), "ucum": "L"}),
        ("{血压|ite}升高伴头痛", {"direction": "high"}),
        ("{抗凝治疗|pro}降低风险", None),
        ("{化疗|pro}+{放疗|pro}", None),
        ("{CT|pro}-增强", None),
        ("{基因检测|ite}1.DNA印迹", None),
        ("{病原学检查|pro}1.{病毒分离|pro}", None),
        ("{身高|ite}153.3±5.4", {"numbers": (153.3,)}),
        ("{头颅B超|pro}（一）诊断原理", None),
        ("{FS|ite}H、LH", None),
        ("{细胞计数|ite}正常T细胞", None),
        ("{静滴|pro}5%～10%葡萄糖", None),
        ("{CT|pro}示3cm结节", None),
        ("{CT|pro}3个月前", None),
        ("{CT|pro}，3cm", None),
        ("{CT|pro}。阴性", None),
        ("{CT|pro}\n阴性", None),
        ("{血常规|pro}", None),
        ("{肺炎|dis}3cm", None),
    ],
)
def test_tests(text, expected):
    assert first(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{阿莫西林|dru}0.5g tid 口服", {"numbers": (0.5,), "ucum": "g", "per_day": 3, "route": "oral"}),
        ("{阿莫西林|dru}0.5gtid", {"numbers": (0.5,), "ucum": "g", "per_day": 3}),
        (
            "{阿莫西林|dru}胶囊 每次2粒，每日3次，口服",
            {"numbers": (2,), "ucum": "{capsule}", "per_day": 3, "route": "oral"},
        ),
        ("5%{葡萄糖|dru}250ml", {"strength": "5%", "numbers": (250,), "ucum": "mL"}),
        ("静滴5%的{葡萄糖|dru}250ml", {"strength": "5%", "numbers": (250,), "ucum": "mL", "route": "intravenous_drip"}),
        ("10mg{地塞米松|dru}静推", {"numbers": (10,), "ucum": "mg", "route": "intravenous"}),
        ("每日2次口服{钙片|dru}", {"per_day": 2, "route": "oral"}),
        ("{红霉素|dru}30～50mg/(kg·d)，分3～4次", {"numbers": (30, 50), "ucum": "mg/kg/d", "per_day": 3.5}),
        ("{布洛芬|dru}0.3g/次，必要时", {"numbers": (0.3,), "ucum": "g"}),
        ("{阿司匹林|dru}3年", None),
        ("任何一个{阿片类药物|dru}", None),
        ("表8-16{茶碱|dru}", None),
        ("{阿司匹林|dru}，咳嗽2次", None),
        ("{阿司匹林|dru}。口服", None),
    ],
)
def test_drugs(text, expected):
    assert first(text) == expected


def test_a_value_never_crosses_another_entity():
    assert [said(value) for value in values("{血红蛋白|ite}、{白细胞|ite}12")] == [None, {"numbers": (12,)}]
    assert values("{血红蛋白|ite}{头痛|sym}12") == [None, None]
    assert [said(value) for value in values("{T|ite}36.5{P|ite}80")] == [{"numbers": (36.5,)}, {"numbers": (80,)}]


def test_entities_that_are_parts_of_a_value_are_none_in_between():
    dose = {"numbers": (2.0,), "ucum": "g", "route": "intravenous_drip", "per_day": 1.0}
    assert said(values("{头孢|dru}2g{静滴|pro}qd")[0]) == dose


def test_what_a_drug_has_used_is_not_that_of_the_next():
    one, two = values("{青霉素|dru}80万U 口服 {布洛芬|dru}0.3g")
    assert said(one)["route"] == "oral" and said(two) == {"numbers": (0.3,), "ucum": "g"}


def test_drugs_that_are_given_together():
    one, two, three = values("5%{葡萄糖|dru}250ml+{维C|dru}2g+10%{氯化钾|dru}10ml静滴qd")
    assert {value.route for value in (one, two, three)} == {"intravenous_drip"}
    assert {value.per_day for value in (one, two, three)} == {1}
    assert (one.strength, two.strength, three.strength) == ("5%", None, "10%")


def test_inner_entities_and_two_labels_on_the_same_characters():
    text, spans = marked("{血红蛋白降低|sym}")
    inner = (0, 4, "ite")
    assert [said(value) for value in find_values(text, [*spans, inner], TERMS, ["ite"], ["dru"])] == [
        None,
        {"direction": "low"},
    ]
    found = find_values("钙0.3g", [(0, 1, "ite"), (0, 1, "dru"), (0, 1, "bod")], TERMS, ["ite"], ["dru"])
    assert said(found[0]) == said(found[1]) == {"numbers": (0.3,), "ucum": "g"} and found[2] is None


def test_terms_of_ones_own():
    rows = merge_terms(
        shipped_terms(), [Term("格", "unit", "{grid}"), Term("g", "none"), Term("↗", "direction", "high")]
    )
    one, two = values("{眼压|ite}3格↗，{血红蛋白|ite}92g", Vocabulary(rows))
    assert said(one) == {"numbers": (3,), "ucum": "{grid}", "direction": "high"} and two is None


def test_spans_outside_of_the_text_have_no_value():
    assert find_values("体温39", [(0, 9, "ite"), (3, 2, "ite"), (-1, 2, "ite")], TERMS, ["ite"], []) == [None] * 3


ALPHABET = st.sampled_from(
    [*"0123456789.,，、。+-*×^/%()（）:：~～ \n体温片次日每gmlqdhHL↑↓阳阴性约为", "10^9", "mmHg", "tid"]
)


@given(st.lists(ALPHABET, max_size=60), st.data())
def test_parts_are_the_text_at_their_offsets(pieces, data):
    text = "".join(pieces)
    places = st.tuples(st.integers(0, len(text)), st.integers(0, len(text)), st.sampled_from(["ite", "dru", "dis"]))
    spans = data.draw(st.lists(places, max_size=5))
    for (start, end, _), value in zip(spans, find_values(text, spans, TERMS, ["ite"], ["dru"]), strict=True):
        if value is None:
            continue
        assert value.parts
        for part in value.parts:
            assert text[part.start : part.end] == part.text and part.text
            assert part.end <= start or part.start >= end


@pytest.mark.parametrize(
    "piece", ["{体温|ite}39℃，", "{体温|ite}", "{头孢|dru}0.5g", "{头孢|dru}+", "{体温|ite}" + "1" * 200]
)
def test_the_time_is_linear(piece):
    text, spans = marked(piece * 2_000)
    begun = perf_counter()
    find_values(text, spans, TERMS, ["ite"], ["dru"])
    assert perf_counter() - begun < 10


@pytest.mark.parametrize(
    "tail", ["1" * 50_000, "(" * 50_000, " " * 50_000, "-" * 50_000, "约" * 50_000, "1/" * 50_000, "每" * 50_000]
)
def test_no_text_is_catastrophic(tail):
    begun = perf_counter()
    find_values("体温" + tail, [(0, 2, "ite")], TERMS, ["ite"], [])
    find_values(tail + "体温", [(len(tail), len(tail) + 2, "dru")], TERMS, [], ["dru"])
    assert perf_counter() - begun < 2
