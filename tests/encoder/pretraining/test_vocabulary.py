import numpy as np
import pytest

from spacy_medflat.encoder.pieces import PROBE
from spacy_medflat.encoder.pretraining.vocabulary import folded, frequent_characters


def frequency_of(text):
    counts = np.zeros(0x110000, dtype=np.int64)
    np.add.at(counts, [ord(character) for character in text], 1)
    return counts


def test_the_most_frequent_come_first_and_some_are_always_there():
    found = frequent_characters(frequency_of("咳咳咳嗽嗽，，，，１Ａ\n\0 　"), 200)
    always = len(set(PROBE)) + 0x7F - 0x21 - 26
    assert found[always:] == ["，", "咳", "嗽"] and len(set(found)) == len(found)
    assert {"1", "a", "/", *PROBE} <= set(found)
    assert frequent_characters(frequency_of("咳咳咳嗽嗽"), always + 1)[-1] == "咳"
    assert len(frequent_characters(frequency_of("咳嗽"), 1)) == always


@pytest.mark.parametrize(
    ("character", "plain"), [("Ａ", "a"), ("９", "9"), ("，", "，"), ("％", "％"), ("㎎", "㎎"), ("ﬁ", "ﬁ")]
)
def test_letters_and_digits_are_folded(character, plain):
    assert folded(character) == plain
