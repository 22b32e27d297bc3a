from .fuzz import ENDINGS, fuzz


def test_damaged_files_are_read_refused_or_listed(tmp_path):
    outcomes = fuzz(300, 0, tmp_path)
    assert {name for name in outcomes if ": " not in name} == ENDINGS, outcomes
