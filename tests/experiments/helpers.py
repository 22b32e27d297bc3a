"""What the tests of experiments share: a small matrix over the sample corpus, and random annotated texts."""

from pathlib import Path
from typing import Any

import srsly
from hypothesis import strategies as st

from spacy_medflat.corpus.record import Entity

from ..pipelines import DATA, write_recipe

ROOT = Path(__file__).resolve().parents[2]

TEXT = "右肺上叶腺癌术后咳嗽"
entities = st.builds(
    lambda start, length, label: Entity(start, min(start + length, len(TEXT)), label),
    st.integers(0, len(TEXT) - 1),
    st.integers(1, 5),
    st.sampled_from(["bod", "dis", "sym"]),
)
span_sets = st.frozensets(entities, max_size=6)
corpora = st.lists(st.tuples(span_sets, span_sets), min_size=1, max_size=6)


def write_matrix(folder: Path, rows: list[dict[str, Any]], **settings: Any) -> Path:
    """A matrix of trainings that take seconds: two steps on a few texts of the small corpus, a tiny encoder."""
    overrides = {
        "paths.train": str(DATA / "train.json"),
        "paths.dev": str(DATA / "dev.json"),
        "paths.encoder": str(write_recipe(folder / "encoder")),
        "corpora.train.limit": 8,
        "corpora.dev.limit": 8,
        "components.medflat_ner.model.head_size": 16,
        "training.max_steps": 2,
        "training.eval_frequency": 1,
    }
    defaults = {"config": str(ROOT / "configs" / "encoder_only.cfg"), "seeds": [0], "overrides": overrides}
    matrix = {"baseline": rows[0]["name"], "defaults": defaults, "rows": rows, **settings}
    path = folder / "matrix.yml"
    srsly.write_yaml(path, matrix)
    return path
