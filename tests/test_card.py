from collections import Counter

from thinc.api import Config

from spacy_medflat.card import About, Source, card_meta, package_config
from spacy_medflat.corpus.report import Report

from .pipelines import cnn_pipeline

ABOUT = About(license="MIT", author="Some ward", sources=[Source(name="Its notes", license="CC0")])


def pipeline():
    nlp = cnn_pipeline(label_thresholds={"dis": 0.25})
    finder = nlp.get_pipe("medflat_ner")
    finder.add_label("dis")
    finder.add_label("bod")
    return finder


def test_the_entries_hold_what_a_reader_of_the_package_asks_for():
    finder = pipeline()
    scores = {
        "spans_sc_f": 0.5,
        "spans_sc_p": 0.25,
        "spans_sc_r": 0.75,
        "spans_sc_nested_f": None,
        "spans_sc_per_type": {"dis": {"p": 0.1, "r": 0.2, "f": 0.3}},
        "medflat_ner_loss": 44011.2,
        "speed": 5.0,
        "by": {
            "kind": {
                "leaflet": {"texts": 1200, "p": 0.5, "r": 0.25, "f": 0.4},
                "empty": dict.fromkeys(("texts", "p", "r", "f")),
            }
        },
    }
    report = Report(False)
    report.texts, report.labels = 1200, Counter({"dis": 7})
    calibration = {"rows": {"logit": {"tuning": {"other_half": {"now": 0.5}}, "reliability": {"error": 0.01}}}}
    meta = card_meta(finder, ABOUT, scores, calibration, {"training": report})
    assert (meta["license"], meta["author"], meta["sources"]) == (
        "MIT",
        "Some ward",
        [{"name": "Its notes", "license": "CC0"}],
    )
    assert set(meta["performance"]) == {name for name in scores if name.startswith("spans_sc")}
    for line in (
        "| Its notes | CC0 |",
        "| all | 25.00 | 75.00 | 50.00 |",
        "| `dis` | 10.00 | 20.00 | 30.00 |",
        "| `dis` | 0.2500 |",
        "| `bod` | 0.5000 |",
        "| logit | 50.00 | 0.0100 |",
        "| leaflet | 1,200 | 50.00 | 25.00 | 40.00 |",
        "| training | 1,200 | 0 | 0 | 0.0% | 7 |",
    ):
        assert line in meta["notes"].splitlines()
    assert "nested |  " not in meta["notes"]


def test_without_scores_and_data_the_card_has_no_empty_tables():
    meta = card_meta(pipeline(), ABOUT, {}, {}, {})
    assert "Scores" not in meta["notes"] and "Data" not in meta["notes"] and meta["performance"] == {}


def test_the_config_names_the_package_where_it_named_files():
    finder = pipeline()
    config = Config(
        {
            "paths": {"train": "a.json", "encoder": "assets/encoder", "lexicon": "words.tsv", "vectors": None},
            "components": {
                "transformer": {
                    "model": {"@architectures": "spacy_medflat.CharTransformer.v1", "name": "${paths.encoder}"}
                },
                "lattice": {
                    "words": {
                        "@misc": "spacy_medflat.UnionWords.v1",
                        "mine": {"@misc": "spacy_medflat.LexiconWords.v1", "path": "mine.tsv"},
                        "empty": {"@misc": "spacy_medflat.LexiconWords.v1", "path": None},
                    }
                },
            },
            "initialize": {"vectors": "${paths.vectors}"},
        }
    )
    made = package_config(config, "zh_ours", finder)
    assert made["paths"] == {"train": None, "encoder": "zh_ours", "lexicon": None, "vectors": None}
    words = made["components"]["lattice"]["words"]
    assert words["mine"]["path"] == "zh_ours" and words["empty"]["path"] is None
    assert made["components"]["transformer"]["model"]["name"] == "${paths.encoder}"
    assert made["initialize"] == {
        "vectors": "${paths.vectors}",
        "components": {finder.name: {"labels": ["dis", "bod"]}},
    }
    assert config["paths"]["encoder"] == "assets/encoder"
