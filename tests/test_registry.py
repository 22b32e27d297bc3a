from importlib.metadata import entry_points

import pytest
import spacy
from spacy.language import Language

import spacy_medflat

# A registered name never vanishes and never changes its meaning; a changed one becomes v2.
NAMES = {
    "spacy_factories": [
        "medflat_context",
        "medflat_ensemble",
        "medflat_lattice",
        "medflat_linker",
        "medflat_ner",
        "medflat_sections",
        "medflat_values",
    ],
    "spacy_architectures": [
        "spacy_medflat.CharTransformer.v1",
        "spacy_medflat.CharTransformerTok2Vec.v1",
        "spacy_medflat.EfficientGlobalPointer.v1",
        "spacy_medflat.FlatLattice.v1",
        "spacy_medflat.GlobalPointer.v1",
        "spacy_medflat.LinearNested.v1",
    ],
    "spacy_callbacks": ["spacy_medflat.adversarial_clock.v1", "spacy_medflat.adversarial_training.v1"],
    "spacy_loggers": ["spacy_medflat.ConsoleLogger.v1"],
    "spacy_misc": [
        "spacy_medflat.FGM.v1",
        "spacy_medflat.FreeLB.v1",
        "spacy_medflat.LexiconWords.v1",
        "spacy_medflat.PGD.v1",
        "spacy_medflat.RandomPerturbation.v1",
        "spacy_medflat.SegmenterWords.v1",
        "spacy_medflat.UnionWords.v1",
    ],
    "spacy_readers": ["spacy_medflat.CMeEE.v1"],
    "spacy_scorers": [
        "spacy_medflat.codes_scorer.v1",
        "spacy_medflat.context_scorer.v1",
        "spacy_medflat.nested_scorer.v1",
        "spacy_medflat.values_scorer.v1",
    ],
    "thinc_optimizers": ["spacy_medflat.LayerwiseAdamW.v1"],
    "spacy_cli": ["medflat"],
}


@pytest.mark.parametrize("group", NAMES)
def test_entry_points(group):
    ours = [ep for ep in entry_points(group=group) if ep.value.startswith("spacy_medflat.")]
    assert sorted(ep.name for ep in ours) == NAMES[group]
    assert all(callable(ep.load()) for ep in ours)


@pytest.mark.parametrize(
    ("registry", "name"),
    [(group.split("_")[1], name) for group, names in NAMES.items() for name in names if "." in name],
)
def test_names_resolve_without_an_import(registry, name):
    assert spacy.util.registry.has(registry, name)


def test_factory():
    assert Language.has_factory("medflat_ner")
    assert Language.get_factory_meta("medflat_ner").default_score_weights["spans_sc_f"] == 1.0


def test_version():
    from importlib.metadata import version

    assert version("spacy-medflat") == spacy_medflat.__version__
