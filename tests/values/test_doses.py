import pytest

from .helpers import said, values


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
def test_what_is_read_beside_a_drug(text, expected):
    assert said(values(text)[0]) == expected
