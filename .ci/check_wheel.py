"""The installed package has all that the sources have, and trains, saves, loads and reads. Called by `.ci/versions`.

python check_wheel.py ROOT, in a folder where the sources are not found by import.
"""

import sys
import tempfile
from importlib.metadata import files
from pathlib import Path

import spacy
from spacy.training import Example

import spacy_medflat
from spacy_medflat.corpus.reader import create_cmeee_reader

root = Path(sys.argv[1])
installed = Path(spacy_medflat.__file__).parent
if root in installed.parents:
    sys.exit(f"{installed} is the sources, not what was installed")
sources = [path for path in (root / "spacy_medflat").rglob("*") if path.is_file() and "__pycache__" not in path.parts]
missing = [path for path in sources if not (installed.parent / path.relative_to(root)).is_file()]
if missing:
    sys.exit(f"the wheel lacks {', '.join(str(path.relative_to(root)) for path in missing)}")
if not any(path.name == "LICENSE" for path in files("spacy-medflat") or []):
    sys.exit("the wheel lacks the licence")

nlp = spacy.blank("zh")
words = {"@misc": "spacy_medflat.LexiconWords.v1", "path": str(root / "assets" / "lexicon.tsv")}
nlp.add_pipe("medflat_lattice", config={"words": words})
for name in ("medflat_ner", "medflat_sections", "medflat_context", "medflat_values"):
    nlp.add_pipe(name)
examples: list[Example] = list(create_cmeee_reader(root / "assets" / "corpus" / "train.json", limit=8)(nlp))
optimizer = nlp.initialize(lambda: examples)
nlp.update(examples, sgd=optimizer)
with tempfile.TemporaryDirectory() as folder:
    nlp.to_disk(folder)
    doc = spacy.load(folder)("现病史：患者无发热，体温36.5℃。")
assert "sc" in doc.spans, list(doc.spans)
print(f"{len(sources)} files of the package are in the wheel; a pipeline of it was trained, saved and loaded")
