from spacy_medflat.experiments.report.summary import detail, lines
from spacy_medflat.experiments.report.tables import (
    Table,
    error_name,
    kinds_table,
    not_run_table,
    over_seeds,
    points,
    results_table,
    split_score,
    split_table,
)
from spacy_medflat.experiments.scores import Spread


def test_a_table_in_markdown():
    table = Table(["a", "b"], [["x|<y>", "1"]])
    assert table.markdown() == "| a | b |\n| --- | ---: |\n| x\\|<y> | 1 |"


def test_results(results):
    found = lines(results, resamples=50)
    table = results_table(found, "better")
    assert table.marked == {2} and all(len(row) == len(table.head) for row in table.rows)
    rows = {row[0]: dict(zip(table.head, row, strict=True)) for row in table.rows}
    assert rows["better"]["seeds"] == "0, 1, 2" and rows["better"]["difference"].startswith("+")
    assert rows["cut"]["difference"].startswith("−") and rows["cut"]["F1 over seeds"] == ""
    assert rows["plain"]["against"] == "" and rows["better"]["steps"] == "1,792"
    assert rows["better"]["F1"] == f"{100 * found[2].f.mean:.2f}"
    assert not_run_table(results, messages=False).rows == [["large", "A large encoder", "needs a GPU"]]


def test_splits_and_kinds(results):
    details = [detail(results, results.rows[0]), detail(results, results.rows[2])]
    table = split_table(details, "length")
    assert [row[0] for row in table.rows][:2] == ["1–2", "3–4"]
    assert sum(int(row[1].replace(",", "")) for row in table.rows) == sum(map(len, results.gold))
    kinds = kinds_table(details)
    assert [row[0] for row in kinds.rows] == [
        "wrong label",
        "wrong boundary",
        "wrong label and boundary",
        "spurious or missed",
    ]
    assert all(len(row) == 5 for row in kinds.rows)


def test_kinds_of_error_in_plain_words():
    assert [error_name("alone", is_gold=True), error_name("alone", is_gold=False)] == ["missed", "spurious"]
    assert error_name("boundary", is_gold=True) == "wrong boundary"


def test_numbers():
    assert points(-0.0123) == "−1.23" and points(0.5) == "+50.00"
    assert over_seeds(Spread(0.65, 0.6, 0.7, 0.05)) == "60.00–70.00, sd 5.00" and not over_seeds(Spread(1, 1, 1, None))
    assert split_score(None) == (0.0, 0.0, 0.0)
