"""Where code with tensors may wait for a GPU: every place that could is in a list, with the reason why it may.

A value that leaves a GPU, a size that depends on one, and a copy from ordinary memory stop the CPU until all that came
before is computed. In a loop over batches or blocks that costs more than the work itself. A test with a GPU counts the
waiting (`tests/gpu/test_waiting.py`); this one needs none, and fails for a new place until somebody has looked at it.
"""

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "spacy_medflat"
ROOMS = ("flat", "ner", "encoder", "training")
METHODS = {"item", "tolist", "cpu", "numpy", "nonzero", "argwhere", "masked_select", "unique", "synchronize"}
NUMBERS = {"float", "int", "bool"}
COPIES = {"tensor", "as_tensor"}
TENSORS = re.compile(r"^\s*(import|from) torch\b|\bto_device\b", re.MULTILINE)

NUMPY = "arrays and numbers of the CPU, no tensors"
STATE = "checkpoints and saved encoders hold all weights; once in minutes"
RESULT = "the result of a batch, read once, after all its parts are on their way"
# By file and function: what is there, and why.
ALLOWED = {
    ("encoder/architecture.py", "forward"): ("tolist tolist", NUMPY),
    ("encoder/architecture.py", "_warn_of_unknown"): ("float", NUMPY),
    ("encoder/architecture.py", "_wordpieces"): ("tolist", NUMPY),
    ("encoder/pretraining/initial_vectors.py", "project"): ("float", NUMPY),
    ("encoder/pretraining/initial_vectors.py", "set_embeddings"): ("float", "before a training, on the CPU"),
    ("encoder/pretraining/learnt_state.py", "dump"): ("cpu cpu numpy numpy", STATE),
    ("encoder/pretraining/trainer.py", "Trainer.update"): ("int", "a seed"),
    ("encoder/pretraining/trainer.py", "Trainer.evaluate"): ("float int", "the sums over all batches, once"),
    ("encoder/pretraining/training_run.py", "TrainingRun._steps"): ("float int", "a loss for each report; characters"),
    ("flat/attention.py", "LatticeAttention._from_words"): ("nonzero", "layers before the last: once a word length"),
    ("flat/batch.py", "cut_windows"): ("int int int tolist tolist tolist", NUMPY),
    ("flat/batch.py", "_pack"): ("tolist", NUMPY),
    ("flat/kernel.py", "_RelativeAttention.forward"): ("int", "a seed, drawn on the CPU"),
    ("ner/calibration.py", "pairs"): ("nonzero", NUMPY),
    ("ner/calibration.py", "fit"): ("if any numpy", "fitted on the CPU, on numbers that were read before"),
    ("ner/crf.py", "make_steps"): ("tolist", NUMPY),
    ("ner/pointer_head.py", "PointerHead.loss"): ("float", "spaCy wants the loss of a batch as a number"),
    ("ner/pointer_head.py", "_above"): ("nonzero numpy numpy", "the way of a CPU; a GPU goes the way of _best"),
    ("ner/pointer_head.py", "_best"): ("cpu cpu int numpy numpy", RESULT),
    ("ner/tagging.py", "module"): ("float", NUMPY),
    ("ner/tagging.py", "LinearNestedHead.loss"): ("float", "spaCy wants the loss of a batch as a number"),
    ("ner/tagging.py", "find_tagged_spans"): ("cpu nonzero numpy", RESULT),
    ("training/adversarial/gradients.py", "Parameters.overflow"): ("bool", "thinc has read it before"),
    ("training/adversarial/gradients.py", "_numbers"): ("float tolist", "all gradients of a pass, read together"),
    ("training/adversarial/targets.py", "_is_trainable"): ("bool", "an attribute of a component"),
    ("training/optimizer/averages.py", "ParameterAverages.__bool__"): ("bool", "whether a dictionary is filled"),
    ("training/randomness.py", "dump_random_state"): ("numpy numpy", "states of generators, which the CPU holds"),
    ("training/randomness.py", "load_random_state"): ("int int int tolist tolist tolist", NUMPY),
    ("training/resume/state.py", "dump_optimizer"): ("cpu numpy", STATE),
    ("training/resume/state.py", "load_optimizer"): ("int", NUMPY),
    ("training/resume/state.py", "load_optimizer.integers"): ("int", NUMPY),
}


def kinds(node):
    """What may wait, at a node itself."""
    if isinstance(node, ast.If | ast.While | ast.IfExp | ast.Assert):
        calls = (child for child in ast.walk(node.test) if isinstance(child, ast.Call))
        yield from (f"if {call.func.attr}" for call in calls if getattr(call.func, "attr", "") in ("any", "all"))
    if not isinstance(node, ast.Call):
        return
    if isinstance(node.func, ast.Name):
        if node.func.id in NUMBERS and node.args and not isinstance(node.args[0], ast.Constant):
            yield node.func.id
        return
    name = getattr(node.func, "attr", "")
    made_there = name in COPIES and any(keyword.arg == "device" for keyword in node.keywords)
    if name in METHODS:
        yield name
    elif made_there or (name == "to" and "from_numpy" in ast.unparse(node.func)):
        yield "copy"


def places(source):
    """By function: the kinds of waiting that are in it."""
    found = defaultdict(list)

    def look(node, function):
        for child in ast.iter_child_nodes(node):
            inner = function
            if isinstance(child, ast.FunctionDef | ast.ClassDef):
                inner = [*function, child.name]
            found[".".join(inner) or "module"] += kinds(child)
            look(child, inner)

    look(ast.parse(source), [])
    return {function: " ".join(sorted(names)) for function, names in found.items() if names}


def test_code_with_tensors_waits_where_it_is_known_to():
    found = {}
    for path in sorted(path for room in ROOMS for path in (PACKAGE / room).rglob("*.py")):
        source = path.read_text(encoding="utf8")
        if TENSORS.search(source):
            name = path.relative_to(PACKAGE).as_posix()
            found.update({(name, function): names for function, names in places(source).items()})
    known = {place: names for place, (names, _) in ALLOWED.items()}
    new = {place: names for place, names in found.items() if known.get(place) != names}
    assert not new, "these may wait for a GPU: change them, or say in ALLOWED why not"
    assert found == known, "ALLOWED names what is not there"


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("x.sum().item()", "item"),
        ("x.cpu().numpy()", "cpu numpy"),
        ("float(x.sum())", "float"),
        ("if (x > 0).any(): pass", "if any"),
        ("torch.nonzero(x)", "nonzero"),
        ("torch.tensor([1], device=d)", "copy"),
        ("torch.from_numpy(a).to(d)", "copy"),
        ("to_device(a, d)", ""),
        ("torch.zeros(3, device=d)", ""),
    ],
)
def test_what_is_looked_for(line, kind):
    assert places(line).get("module", "") == kind
