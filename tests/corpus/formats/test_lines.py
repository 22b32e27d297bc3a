from spacy_medflat.corpus.formats.lines import read_lines
from spacy_medflat.errors import MedflatError

from ..helpers import write


def test_a_line_that_is_not_utf8_does_not_stop_the_others(tmp_path):
    first, broken, last = read_lines(write(tmp_path / "a", b"\xe8\x82\xba\r\n\xb7\xce\nx"))
    assert (first, last) == ((1, "肺"), (3, "x"))
    assert broken[0] == 2 and isinstance(broken[1], MedflatError) and "a line 2: not UTF-8" in str(broken[1])
