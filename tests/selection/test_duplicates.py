import random

import numpy as np
import pytest

from spacy_medflat.selection.duplicates import HASHES, NearDuplicates, signature

NOTE = "患者因咳嗽咳痰3天入院，胸部CT示右肺上叶结节，予抗感染、化痰治疗后好转，今日出院，门诊随访。"


def test_equal_hashes_estimate_the_jaccard_index():
    rng = random.Random(0)
    for share in (0.2, 0.5, 0.9):
        alphabet = [chr(0x4E00 + i) for i in range(3000)]
        both, one, other = (
            rng.sample(alphabet[i * 1000 : (i + 1) * 1000], k)
            for i, k in enumerate([int(300 * share), *[int(150 * (1 - share))] * 2])
        )
        a, b = "".join(both + one), "".join(both + other)
        shingles = [{t[i : i + 3] for i in range(len(t) - 2)} for t in (a, b)]
        index = len(shingles[0] & shingles[1]) / len(shingles[0] | shingles[1])
        estimate = float((signature(a) == signature(b)).mean())
        assert estimate == pytest.approx(index, abs=4 * (0.25 / HASHES) ** 0.5)


@pytest.mark.parametrize(
    ("text", "new"),
    [
        (NOTE, False),
        (NOTE.replace("3天", "12天").replace("右肺", "左肺"), False),
        (f" {NOTE}\n\n家属知情。", False),
        (NOTE.replace("CT", "ct"), False),
        ("右肺上叶结节", True),
        ("患者因腹痛腹泻2天入院，粪便常规未见异常，予补液、止泻治疗后好转。", True),
    ],
)
def test_what_differs_in_values_or_a_few_words_is_the_same(text, new):
    assert NearDuplicates([NOTE]).add_if_new(text) is new


def test_short_empty_and_odd_texts_have_a_signature():
    seen = NearDuplicates(["肺", "", "\ud83d", "👩‍⚕"])
    assert not seen.add_if_new("肺") and seen.add_if_new("肝") and not seen.add_if_new(" ")
    assert signature("肺" * 100_000).shape == (HASHES,)


def test_earlier_texts_win_among_thousands():
    texts = [f"{NOTE}{chr(0x4E00 + i)}" for i in range(700)]
    others = ["".join(map(chr, np.random.default_rng(i).integers(0x4E00, 0x9000, 40))) for i in range(600)]
    seen = NearDuplicates()
    assert [i for i, text in enumerate([*texts, *others]) if seen.add_if_new(text)] == [0, *range(700, 1300)]
