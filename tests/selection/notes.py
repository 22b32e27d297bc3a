"""Notes of a few kinds, of which each can be told apart."""

import random

from spacy_medflat.scale.items import Document

KINDS = ["患者咳嗽咳痰{}天伴胸痛盗汗乏力", "右肺上叶见结节影大小约{}毫米边缘毛糙", "予阿司匹林肠溶片{}毫克口服每日一次"]
LETTERS = "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥"


def documents(count: int, seed: int = 0) -> list[Document]:
    """Notes whose texts are not nearly the same, of the kinds in turn."""
    rng = random.Random(seed)
    texts = [KINDS[i % len(KINDS)].format("".join(rng.choices(LETTERS, k=14))) for i in range(count)]
    return [Document(t, {"id": f"n{i}", "text": t}, f"n{i}", f"notes line {i + 1}") for i, t in enumerate(texts)]
