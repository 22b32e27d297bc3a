"""Names in one form, so that ways to write the same compare."""

import re
import unicodedata
from typing import NamedTuple

_SIDES = {"双侧": "both", "两侧": "both", "左侧": "left", "右侧": "right", "双": "both", "左": "left", "右": "right"}
# Names of parts and drugs that begin so, and say no side.
_WORDS = (
    "心 束支 旋 室 房 位 相 向 胎 重 氯 嘧 黄 香 膦 氧氟沙星 乙拉西坦 卡尼汀 甲状腺素 炔诺 美沙芬 美托咪定 西替利嗪 "
    "布比卡因 酮洛芬 雷佐生 多巴 亚叶酸 沙丁胺醇 奥硝唑 米那普仑 西孟旦 舒必利 氨氯地平 泮托拉唑 兰索拉唑 佐匹克隆 "
    "羟丙哌嗪 西酞普兰"
)
_SIDE = re.compile(f"双侧|两侧|左侧|右侧|[左右双](?!{'|'.join(_WORDS.split())})")

_HAN_DIGITS = {char: number for number, char in enumerate("一二三四五六七八九", 1)}
_ROMANS = "i|ii|iii|iv|v|vi|vii|viii|ix|x|xi|xii"
_ROMAN = {numeral: number for number, numeral in enumerate(_ROMANS.split("|"), 1)}
_LATIN = "|".join(sorted(_ROMAN, key=len, reverse=True))
_NUMERAL = f"(?:{_LATIN}|[一二三四五六七八九]?十[一二三四五六七八九]?|[一二三四五六七八九])"
# Ⅱ型, iii-iv级, 二度, Ⅲa期
_GRADED = re.compile(rf"(?<![a-z])({_NUMERAL})(?:([-~/、至到])({_NUMERAL}))?([a-d]?)(?=型|期|级|度|类|°)")
_DEGREE = re.compile("(?<=[0-9])°")


class Normal(NamedTuple):
    """A name in one form.

    key (str): half-width, lower case, numbers of types, stages and grades as digits, no punctuation and blanks.
    bare (str): the key without the side.
    side (str or None): `left`, `right`, `both`, if the name says one.
    """

    key: str
    bare: str
    side: str | None


def normalise(name: str) -> Normal:
    """Bring a name into one form: NFKC, lower case, Ⅱ型 and 二型 as 2型, without punctuation and blanks.

    A side, as 左 or 双侧, is also dropped, unless it is a part of a word, as in 左心室 and 左氧氟沙星.
    """
    text = _GRADED.sub(_graded, unicodedata.normalize("NFKC", name).casefold())
    text = _DEGREE.sub("度", text)
    found = _SIDE.search(text)
    return Normal(_letters(text), _letters(_SIDE.sub("", text)), _SIDES[found.group()] if found else None)


def _graded(match: re.Match[str]) -> str:
    first, between, second, suffix = match.groups()
    return f"{_digits(first)}{between or ''}{_digits(second) if second else ''}{suffix}"


def _digits(numeral: str) -> str:
    if numeral in _ROMAN:
        return str(_ROMAN[numeral])
    if "十" not in numeral:
        return str(_HAN_DIGITS[numeral])
    tens, ones = numeral.split("十")
    return str(10 * _HAN_DIGITS.get(tens, 1) + _HAN_DIGITS.get(ones, 0))


def _letters(text: str) -> str:
    # A plus stays: HBsAg+ is not HBsAg.
    return "".join(char for char in text if char.isalnum() or char == "+")
