from typer.testing import CliRunner

from spacy_medflat.cli import medflat_cli

from ..experiments.report.example_runs import write_experiments


def run(*arguments):
    return CliRunner().invoke(medflat_cli, ["report", *map(str, arguments)], env={"COLUMNS": "200"})


def test_page_and_markdown(tmp_path):
    folder = write_experiments(tmp_path / "out", {"plain": (0.7, [0]), "better": (0.9, [0])})
    result = run(folder, "-o", tmp_path / "r.html", "--markdown", tmp_path / "docs" / "results.md")
    assert result.exit_code == 0, result.output
    assert "2 rows in" in result.output and "the best by mean F1 is better" in result.output
    first = (tmp_path / "r.html").read_bytes(), (tmp_path / "docs" / "results.md").read_bytes()
    run(folder, "-o", tmp_path / "r.html", "--markdown", tmp_path / "docs" / "results.md")
    assert ((tmp_path / "r.html").read_bytes(), (tmp_path / "docs" / "results.md").read_bytes()) == first


def test_one_row_that_is_baseline_and_best(tmp_path):
    folder = write_experiments(tmp_path / "out", {"plain": (0.7, [0])})
    assert run(folder, "-o", tmp_path / "r.html").exit_code == 0


def test_a_folder_without_experiments(tmp_path):
    result = run(tmp_path, "-o", tmp_path / "r.html")
    assert result.exit_code == 1 and "no such file" in result.output and "Traceback" not in result.output
    assert not (tmp_path / "r.html").exists()
