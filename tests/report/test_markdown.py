from spacy_medflat.report.markdown import render_markdown
from spacy_medflat.report.summary import detail, lines


def test_figures_and_commands_without_texts_and_without_paths(results):
    found = lines(results, resamples=50)
    details = [detail(results, results.rows[0]), detail(results, results.rows[2])]
    text = render_markdown(results, found, details)
    assert text == render_markdown(results, found, details)
    assert "| better | The row better | 0, 1, 2 |" in text and "| large | A large encoder | needs a GPU |" in text
    for title in ("By type", "By nesting", "By length", "By mention", "Kinds of error", "To get this again"):
        assert f"## {title}\n" in text
    names = ",".join(row.name for row in results.rows if row.runs)
    options = [f"--only {names}", "--seeds 0,1,2", "--set dev=…", "--set train=…", "--set mixed_precision=true"]
    command = " \\\n  ".join(["medflat experiments configs/experiments.yml --output experiments", *options])
    assert f"{command}\n" in text
    assert not any(word in text for word in ("/tmp", str(results.rows[0].runs[0].folder.path)))
    assert not any(character in text for character in "肺咳痛患")
