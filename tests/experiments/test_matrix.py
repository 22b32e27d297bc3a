import pytest
import srsly
from spacy.schemas import ConfigSchemaTraining
from spacy.util import load_model_from_config, registry

from spacy_medflat.errors import ExperimentError
from spacy_medflat.experiments.config import row_config
from spacy_medflat.experiments.matrix import read_matrix

from ..pipelines import make_examples
from .helpers import ROOT

OURS = ROOT / "configs" / "experiments.yml"
GIVEN = {"train": "t", "dev": "d", "encoder": str(ROOT / "assets" / "encoder"), "lexicon": "l", "vectors": "v"}


def write(path, value):
    srsly.write_yaml(path / "m.yml", value)
    return path / "m.yml"


def small(**row):
    return {"baseline": "a", "defaults": {"config": "c.cfg"}, "rows": [{"name": "a"}, {"name": "b", **row}]}


def test_a_row_inherits_and_overrides(tmp_path):
    matrix = {
        "baseline": "a",
        "variables": {"rate": 0.1},
        "defaults": {"config": "c.cfg", "seeds": [0, 1], "overrides": {"x.y": 1, "p.train": "${train}"}},
        "rows": [
            {"name": "a", "title": "A"},
            {"name": "b", "extends": "a", "overrides": {"x.y": 2, "x.z": "${rate}"}, "remove": ["q"], "max_length": 8},
            {"name": "c", "extends": "b", "config": "d.cfg", "against": "b", "seeds": [5], "remove": ["r"]},
        ],
    }
    found = read_matrix(write(tmp_path, matrix), {"train": "t.json"}, has_gpu=False)
    a, b, c = found.rows
    assert found.baseline == "a" and found.variables == ["train"] and found.rows[0].settings == {}
    again = read_matrix(tmp_path / "m.yml", {"train": "t", "rate": 0.2}, has_gpu=False)
    assert [row.settings for row in again.rows] == 3 * [{"rate": 0.2}]
    assert (a.title, a.config, a.seeds, a.max_length, a.missing) == ("A", tmp_path / "c.cfg", (0, 1), 0, "")
    assert a.overrides == {"x.y": 1, "p.train": "t.json"}
    assert b.overrides == {"x.y": 2, "p.train": "t.json", "x.z": 0.1} and b.remove == ("q",) and b.max_length == 8
    assert (b.title, b.against, c.against, c.seeds, c.remove) == ("b", "a", "b", (5,), ("q", "r"))
    assert c.config == tmp_path / "d.cfg" and c.max_length == 8


def test_variables_in_strings_lists_and_sections(tmp_path):
    row = {"overrides": {"s": {"@misc": "X.v1", "n": "${n}", "l": ["${n}", "${paths.train}"]}, "t": "a-${n}-b"}}
    found = read_matrix(write(tmp_path, small(**row)), {"n": 3}, has_gpu=False).rows[1]
    assert found.overrides == {"s": {"@misc": "X.v1", "n": 3, "l": [3, "${paths.train}"]}, "t": "a-3-b"}


def test_the_last_of_a_chain_wins_over_a_section_and_over_settings_in_it(tmp_path):
    matrix = {
        "baseline": "a",
        "defaults": {"config": "c.cfg", "overrides": {"x.size": 100, "y": 1}},
        "rows": [
            {"name": "a", "overrides": {"x": {"size": 50, "kind": "a"}}},
            {"name": "b", "extends": "a", "overrides": {"x.size": 7}},
            {"name": "c", "extends": "b", "overrides": {"x": {"size": 5, "kind": "c"}}},
        ],
    }
    (tmp_path / "c.cfg").write_text("[training]\nseed = 0\n\n[x]\n\n[corpora]\n\n[corpora.train]\n", encoding="utf8")
    rows = read_matrix(write(tmp_path, matrix), {}, has_gpu=False).rows
    found = [row_config(row, 0, tmp_path / "log")["x"] for row in rows]
    assert found == [{"size": 50, "kind": "a"}, {"size": 7, "kind": "a"}, {"size": 5, "kind": "c"}]


def test_what_is_lacking_is_named(tmp_path):
    path = write(tmp_path, small(overrides={"p": "${roberta}"}, needs=["gpu", "lexicon"]))
    assert read_matrix(path, {}, has_gpu=False).rows[1].missing == "needs lexicon, roberta, a GPU"
    given = {"roberta": None, "lexicon": "l"}
    assert read_matrix(path, given, has_gpu=True).rows[1].missing == ""
    assert read_matrix(path, {}, has_gpu=False).rows[0].missing == ""


def test_select(tmp_path):
    found = read_matrix(write(tmp_path, small()), {}, has_gpu=False)
    assert [row.name for row in found.select(None, None)] == ["a", "b"]
    (row,) = found.select(["b"], [3, 1])
    assert row.name == "b" and row.seeds == (3, 1)
    with pytest.raises(ExperimentError, match=r"no row x; there are a, b"):
        found.select(["x"], None)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"extends": "z"}, "'b' extends 'z', which is no row"),
        ({"extends": "b"}, "'b' extends itself"),
        ({"against": "z"}, "against of b is 'z'"),
        ({"name": "a"}, "two rows 'a'"),
        ({"name": "a/b"}, r"rows.1.name: string should match pattern .*'a/b'"),
        ({"sedes": [1]}, r"rows.1.sedes: extra inputs are not permitted"),
        ({"seeds": [-1]}, r"rows.1.seeds.0: .*got -1"),
        ({"overrides": ["x"]}, r"rows.1.overrides: input should be a valid dictionary"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, row, message):
    with pytest.raises(ExperimentError, match=message):
        read_matrix(write(tmp_path, small(**row)), {}, has_gpu=False)


def test_other_bad_files(tmp_path):
    with pytest.raises(ExperimentError, match="no variable lexicn; there are"):
        read_matrix(OURS, {"lexicn": "x"}, has_gpu=False)
    with pytest.raises(ExperimentError, match="row 'a' has no config"):
        read_matrix(write(tmp_path, {**small(), "defaults": {}}), {}, has_gpu=False)
    (tmp_path / "m.yml").write_text("rows: [a", encoding="utf8")
    with pytest.raises(ExperimentError, match=r"m.yml: not YAML"):
        read_matrix(tmp_path / "m.yml", {}, has_gpu=False)


def test_our_matrix_says_what_it_cannot_run():
    missing = {row.name: row.missing for row in read_matrix(OURS, GIVEN, has_gpu=False).rows}
    assert missing["pointer"] == missing["average_fgm"] == missing["linear_nested"] == ""
    assert missing["large"] == "needs large_encoder, medical_segmenter_model, medical_vectors, a GPU"


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """A pipeline of the row that others train further, with seed 1; its path for every seed."""
    folder = tmp_path_factory.mktemp("trained")
    (row,) = read_matrix(OURS, GIVEN, has_gpu=False).select(["flat_chars"], None)
    nlp = load_model_from_config(row_config(row, 1, folder / "log.jsonl").interpolate(), auto_fill=False)
    nlp.initialize(lambda: make_examples(nlp))
    nlp.to_disk(folder / "seed-1")
    return f"{folder}/seed-${{system.seed}}"


@pytest.mark.parametrize("name", [row["name"] for row in srsly.read_yaml(OURS)["rows"]])
def test_every_row_of_our_matrix_is_a_valid_config(name, trained, tmp_path):
    others = ("segmenter_model", "medical_segmenter_model", "medical_vectors")
    given = {**GIVEN, "trained": trained, **dict.fromkeys(others, "x")}
    encoders = dict.fromkeys(("encoder", "roberta", "large_encoder"), GIVEN["encoder"])
    matrix = read_matrix(OURS, {**given, **encoders}, has_gpu=True)
    (row,) = matrix.select([name], None)
    config = row_config(row, 1, tmp_path / "log.jsonl").interpolate()
    assert load_model_from_config(config, auto_fill=False).has_pipe("medflat_ner")
    registry.fill(config["training"], schema=ConfigSchemaTraining)
    registry.resolve(config["corpora"])
    registry.resolve({"optimizer": config["training"]["optimizer"], "after": config["initialize"]["after_init"] or {}})
