from spacy_medflat.experiments.report.markdown import render_markdown
from spacy_medflat.experiments.report.results import read_results
from spacy_medflat.experiments.report.summary import detail, lines
from spacy_medflat.files import write_json

from .example_runs import write_experiments


def test_runs_with_the_same_seeds_and_settings_share_a_command(tmp_path):
    results = read_results(write_experiments(tmp_path, {"a": (0.7, [0, 1]), "b": (0.8, [0, 1]), "c": (0.9, [0, 1])}))
    write_json(results.rows[2].runs[1].folder.row, {"max_length": 0, "scored": "best", "settings": {}})
    results = read_results(tmp_path)
    found = lines(results, resamples=5)
    text = render_markdown(results, found, [detail(results, results.rows[0])])
    tail = text.split("To get this again")[1].replace(" \\\n ", "")
    assert [line.split("--output experiments ")[1] for line in tail.splitlines() if "--only" in line] == [
        "--only a,b --seeds 0,1 --set dev=… --set train=… --set mixed_precision=true",
        "--only c --seeds 0 --set dev=… --set train=… --set mixed_precision=true",
        "--only c --seeds 1 --set dev=… --set train=…",
    ]


def test_figures_and_commands_without_texts_and_without_paths(results):
    found = lines(results, resamples=50)
    details = [detail(results, results.rows[0]), detail(results, results.rows[2])]
    text = render_markdown(results, found, details)
    assert text == render_markdown(results, found, details)
    assert "- better (The row better) has the highest mean F1 of 3 rows" in text
    assert "| better | The row better | 0, 1, 2 |" in text and "| large | A large encoder | needs a GPU |" in text
    for title in ("By type", "By nesting", "By length", "By mention", "Kinds of error", "To get this again"):
        assert f"## {title}\n" in text
    values = ["--set dev=…", "--set train=…", "--set mixed_precision=true"]
    for name, seeds in (("plain", "0,1"), ("cut", "0"), ("better", "0,1,2")):
        command = "medflat experiments configs/experiments.yml --output experiments"
        assert " \\\n  ".join([command, f"--only {name}", f"--seeds {seeds}", *values]) + "\n" in text
    assert not any(word in text for word in ("/tmp", str(results.rows[0].runs[0].folder.path)))
    assert not any(character in text for character in "肺咳痛患")
