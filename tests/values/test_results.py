import pytest

from .helpers import said, values


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
        ("{OGTT|pro}2h血糖", None),
        ("{血糖|ite}12.3H", {"numbers": (12.3,), "direction": "high"}),
        ("{离心法|pro}正常值为2～3个/HP", None),
        ("{检查|pro}（1）血常规", None),
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
def test_what_is_read_behind_a_test(text, expected):
    assert said(values(text)[0]) == expected
