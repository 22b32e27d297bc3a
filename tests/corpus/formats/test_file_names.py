import pytest

from spacy_medflat.corpus.formats.file_names import file_name


@pytest.mark.parametrize(
    ("identifier", "name"),
    [
        ("n1", "n1"),
        ("病历-3.v2", "病历-3.v2"),
        ("ward/n1", "ward/n1"),
        ("", "000007"),
        ("../n1", "000007"),
        ("/etc/n1", "000007"),
        (".hidden", "000007"),
        ("a b", "000007"),
        ("肺" * 70, "000007"),
    ],
)
def test_identifiers_that_are_safe_are_names(identifier, name):
    assert file_name(identifier, 7, set()) == name


def test_no_name_is_given_twice():
    taken = set()
    names = [file_name(identifier, 1, taken) for identifier in ("n1", "N1", "n1", "000001", "")]
    assert names[:2] == ["n1", "000001"] and len({name.casefold() for name in names}) == 5
