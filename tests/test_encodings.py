import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.encodings import SAMPLE_BYTES, detect_encoding

NOTE = "患者右肺上叶腺癌术后3个月，复查胸部CT见右肺下叶结节。\n"


@pytest.mark.parametrize(("encoding", "found"), [("gbk", "gb18030"), ("gb18030", "gb18030"), ("utf-16", "utf-16")])
@pytest.mark.parametrize("cut", range(4))
def test_other_encodings_are_told_however_the_sample_ends(encoding, found, cut):
    data = (NOTE * 3).encode(encoding)
    assert detect_encoding(data[: len(data) - cut]) == found
    assert detect_encoding(data, whole=True) == found


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])), st.integers(0, 3))
def test_utf_8_is_always_told(text, cut):
    data = text.encode()
    assert detect_encoding(data[: max(len(data) - cut, 0)]) == "utf-8"
    assert detect_encoding(data, whole=True) == "utf-8"


@pytest.mark.parametrize("position", range(40))
def test_utf_8_with_a_damaged_byte_is_not_read_as_another_encoding(position):
    data = bytearray((NOTE * 3).encode())
    data[position] = 0xB7
    assert detect_encoding(bytes(data)) == "utf-8"


def test_ascii_and_nothing_are_utf_8():
    assert detect_encoding(b"") == detect_encoding(b"WBC 12" * SAMPLE_BYTES, whole=True) == "utf-8"
