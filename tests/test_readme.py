"""The README is short, says the same in both languages, and has the command that continuous integration runs."""

import re

import pytest

from .snippets import ROOT, snippets

README, CHINESE = ROOT / "README.md", ROOT / "README.zh.md"


@pytest.mark.parametrize("page", [README, CHINESE], ids=lambda page: page.name)
def test_it_is_short(page):
    assert len(page.read_text(encoding="utf8").splitlines()) <= 150


def test_continuous_integration_finds_the_test_command():
    command = re.search(r"<!-- command: test -->\n```bash\n(.*?)```", README.read_text(encoding="utf8"), re.S)
    assert command and "pytest" in command[1] and "pip install -c constraints.txt" in command[1]


def test_both_languages_have_the_same_commands_links_and_figures():
    ours, theirs = snippets(README), snippets(CHINESE)
    assert [(s.language, s.code) for s in ours] == [(s.language, s.code) for s in theirs]
    for pattern in (r"\]\((?!README)([^)]+)\)", r"<!-- (.*?) -->", r"\d+\.\d+(?=[ ，；。]|,)"):
        found = [sorted(re.findall(pattern, page.read_text(encoding="utf8"))) for page in (README, CHINESE)]
        assert found[0] == found[1], pattern
