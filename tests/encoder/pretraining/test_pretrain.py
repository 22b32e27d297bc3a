import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModel, AutoModelForMaskedLM

from spacy_medflat.checkpoints import StateFolder
from spacy_medflat.encoder.pretraining import encoder_folder, training_run
from spacy_medflat.encoder.pretraining.pretrain import CHECKPOINTS, pretrain
from spacy_medflat.encoder.pretraining.run_options import RunOptions, Watcher
from spacy_medflat.encoder.pretraining.text_inputs import find_inputs
from spacy_medflat.encoder.pretraining.trainer import Trainer
from spacy_medflat.errors import CheckpointError, MedflatError

from ...pipelines import make_examples, transformer_pipeline
from .corpora import WORDS, small_recipe, small_settings, write_texts


class Killed(BaseException):
    """Stands for `kill -9`: nothing of the run goes on."""


class Place:
    """Texts, a lexicon and a recipe in a folder, and trainings with them."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.names = [str(write_texts(folder / "a.txt")), str(write_texts(folder / "b.txt", 20, 1))]
        (folder / "words.txt").write_text("\n".join(WORDS), encoding="utf8")
        self.recipe = small_recipe(folder / "recipe")

    def run(self, output="out", watch=None, settings=None, **options):
        inputs = find_inputs(self.names, [f"{self.names[1]}=2"])
        usual = {"lexicon": str(self.folder / "words.txt"), "first_mask_share": 0.3}
        chosen = small_settings(self.recipe, **{**usual, **(settings or {})})
        return pretrain(inputs, chosen, RunOptions(self.folder / output, **options), watch)

    def weights(self, output="out"):
        return load_file(self.folder / output / "model.safetensors")

    def steps(self, output="out"):
        return [int(path.stem[-9:]) for path in StateFolder(self.folder / output / CHECKPOINTS).files()]


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    place = Place(tmp_path_factory.mktemp("undisturbed"))
    outcome = place.run()
    return place, outcome, place.weights()


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(tensor, other[name]) for name, tensor in one.items())


def killed_at(monkeypatch, owner, name, number, after=False):
    """Let the so-manieth call of a function be the last."""
    function, calls = getattr(owner, name), []

    def wrapped(*args, **kwargs):
        calls.append(1)
        if len(calls) == number and not after:
            raise Killed
        result = function(*args, **kwargs)
        if len(calls) == number:
            raise Killed
        return result

    monkeypatch.setattr(owner, name, wrapped)


def test_an_encoder_comes_out(undisturbed):
    place, outcome, _ = undisturbed
    folder = place.folder / "out"
    assert (outcome.step, outcome.steps) == (12, 12) and [step for step, _ in outcome.evaluations] == [0, 4, 8, 12]
    assert outcome.evaluations[-1][1].loss < outcome.evaluations[0][1].loss
    assert not (folder / CHECKPOINTS).exists() and not list(folder.glob(".medflat-*"))
    for auto in (AutoModel, AutoModelForMaskedLM):
        model, loading = auto.from_pretrained(folder, output_loading_info=True)
        assert model.dtype == torch.float32 and not loading["missing_keys"]
    nlp = transformer_pipeline(folder)
    nlp.initialize(lambda: make_examples(nlp))
    assert nlp("患者咳嗽")._.trf_data.model_output.last_hidden_state.shape == (1, 6, 16)
    found = json.loads((folder / "pretraining.json").read_text(encoding="utf8"))
    assert found["steps_done"] == 12 and found["settings"]["seed"] == 0 and len(found["texts"]) == 64
    assert found["sources"][place.names[1]]["texts"] == 20 and found["inputs"][place.names[1]] == 2
    card = (folder / "README.md").read_text(encoding="utf8")
    assert "12 of 12 steps" in card and found["texts"] in card and "| 12 |" in card


def test_the_same_again(undisturbed, place):
    place.run()
    assert same(place.weights(), undisturbed[2])
    place.run("other", settings={"seed": 1})
    assert not same(place.weights("other"), undisturbed[2])


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("number", [1, 2, 7])
def test_a_run_that_is_killed_at_a_checkpoint_goes_on(undisturbed, place, monkeypatch, number, whole):
    with monkeypatch.context() as patch:
        killed_at(patch, StateFolder, "add", number, after=whole)
        with pytest.raises(Killed):
            place.run(save_every=0)
    if not whole and number == 1:
        with pytest.raises(CheckpointError, match="no checkpoint to continue from"):
            place.run(resume=True)
        place.run(force=True)
    else:
        place.run(resume=True, save_every=0)
    assert same(place.weights(), undisturbed[2])


@pytest.mark.parametrize("step", [1, 5, 12])
def test_a_run_that_is_killed_in_a_step_goes_on(undisturbed, place, monkeypatch, step):
    with monkeypatch.context() as patch:
        killed_at(patch, Trainer, "update", step)
        with pytest.raises(Killed):
            place.run(save_every=0 if step > 1 else 9)
    said = []
    place.run(resume=True, watch=Watcher(say=said.append))
    assert f"Continuing after step {step - 1} of 12" in said
    assert same(place.weights(), undisturbed[2])


def test_a_run_that_is_killed_while_it_writes_the_encoder_goes_on(undisturbed, place, monkeypatch):
    for number in (1, 4):
        with monkeypatch.context() as patch:
            killed_at(patch, encoder_folder, "replaced_when_done", number)
            with pytest.raises(Killed):
                place.run(save_every=0, force=True)
    place.run(resume=True)
    assert same(place.weights(), undisturbed[2])
    assert not list((place.folder / "out").rglob(".medflat-*"))


def test_epochs_are_crossed_on_the_way(place, monkeypatch):
    settings = {"steps": 0, "epochs": 2.5, "batch": 16}
    whole = place.run("whole", settings=settings)
    with monkeypatch.context() as patch:
        killed_at(patch, Trainer, "update", whole.steps - 2)
        with pytest.raises(Killed):
            place.run(settings=settings, save_every=0)
    place.run(settings=settings, resume=True)
    assert same(place.weights(), place.weights("whole"))


def test_replacing_goes_on_with_the_same_training_and_starts_any_other_anew(undisturbed, place, monkeypatch):
    for settings, goes_on in (({}, True), ({"seed": 1}, False)):
        with monkeypatch.context() as patch:
            killed_at(patch, Trainer, "update", 8)
            with pytest.raises(Killed):
                place.run(save_every=0, replace=True, settings=settings)
        said = []
        place.run(replace=True, watch=Watcher(say=said.append))
        assert ("Continuing after step 7 of 12" in said) == goes_on
        assert ("There is a checkpoint of another training, which is replaced" in said) != goes_on
        assert same(place.weights(), undisturbed[2])
    with pytest.raises(CheckpointError, match="give one of them"):
        place.run(replace=True, resume=True)


def test_a_damaged_checkpoint_is_passed_over(undisturbed, place, monkeypatch):
    with monkeypatch.context() as patch:
        killed_at(patch, Trainer, "update", 8)
        with pytest.raises(Killed):
            place.run(save_every=0)
    newest = StateFolder(place.folder / "out" / CHECKPOINTS).files()[0]
    newest.write_bytes(newest.read_bytes()[:-100])
    assert place.steps() == [7, 6]
    place.run(resume=True)
    assert same(place.weights(), undisturbed[2])


def test_a_limit_of_time_leaves_a_checkpoint_and_an_encoder(undisturbed, place, monkeypatch):
    ticks = iter(range(10**6))
    monkeypatch.setattr("time.monotonic", lambda: next(ticks))
    outcome = place.run(minutes=0.25)
    assert 0 < outcome.step < 12 and place.steps()[0] == outcome.step
    assert not same(place.weights(), undisturbed[2])
    place.run(resume=True, minutes=1000, save_every=1000)
    assert same(place.weights(), undisturbed[2])
    assert place.run(resume=True).evaluations == undisturbed[1].evaluations
    with pytest.raises(MedflatError, match="there is a training in this folder: --force replaces it"):
        place.run()


def test_a_run_that_is_asked_to_stop_saves_first(undisturbed, place, monkeypatch):
    from contextlib import contextmanager

    answers = iter([False, False, False, True, True])

    @contextmanager
    def asked():
        yield lambda: next(answers)

    with monkeypatch.context() as patch:
        patch.setattr(training_run, "stop_asked", asked)
        with pytest.raises(KeyboardInterrupt):
            place.run()
    assert place.steps() == [3, 0] and not (place.folder / "out" / "model.safetensors").exists()
    place.run(resume=True)
    assert same(place.weights(), undisturbed[2])


def test_a_full_disk_leaves_the_last_checkpoint(undisturbed, place, monkeypatch):
    write, calls = training_run.write_state, []

    def full(path, *args):
        write(path, *args)
        calls.append(path)
        if len(calls) == 4:
            raise OSError(28, "No space left on device", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(training_run, "write_state", full)
        with pytest.raises(OSError, match="No space left"):
            place.run(save_every=0)
    assert place.steps() == [2, 1] and not list((place.folder / "out").rglob(".medflat-*"))
    place.run(resume=True)
    assert same(place.weights(), undisturbed[2])


@pytest.mark.parametrize(
    ("settings", "change", "message"),
    [
        ({"rate": 1.0}, None, r"rate: 0.005, now 1.0"),
        ({"lexicon": None}, None, r"words: .*lexicon: '.*words.txt', now None"),
        ({}, "a.txt", r"texts: '"),
        ({}, "words.txt", r"\(words: '"),
    ],
)
def test_a_checkpoint_of_another_training(place, monkeypatch, settings, change, message):
    killed_at(monkeypatch, Trainer, "update", 1)
    with pytest.raises(Killed):
        place.run()
    if change:
        with (place.folder / change).open("a", encoding="utf8") as file:
            file.write("\n咳嗽咳痰")
    with pytest.raises(CheckpointError, match=f"the checkpoint is of another training .*{message}"):
        place.run(resume=True, settings=settings)
    assert place.steps() == [0]


def test_versions_that_changed_are_told(place, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(training_run, "package_versions", lambda: {"torch": "1.0"})
        killed_at(patch, Trainer, "update", 1)
        with pytest.raises(Killed):
            place.run()
    warned = []
    place.run(resume=True, watch=Watcher(warn=warned.append))
    assert any("but 1.0 wrote the checkpoint" in line for line in warned)


def test_what_is_in_the_way_stays(place):
    (place.folder / "notes").mkdir()
    (place.folder / "notes" / "mine.txt").write_text("x", encoding="utf8")
    for output, options, message in (
        ("notes", {}, "something else than a training"),
        ("notes", {"force": True}, "something else than a training"),
        ("a.txt", {}, "a file of this name"),
        ("recipe", {"force": True}, "the encoder is in this folder"),
        ("new", {"resume": True, "force": True}, "give one of them"),
        ("new", {"resume": True}, "no checkpoint to continue from"),
    ):
        with pytest.raises(MedflatError, match=message):
            place.run(output, **options)
    assert (place.folder / "notes" / "mine.txt").read_text(encoding="utf8") == "x"


def test_force_keeps_the_encoder_until_there_is_another(place, monkeypatch):
    place.run()
    before = place.weights()
    with monkeypatch.context() as patch:
        killed_at(patch, Trainer, "update", 2)
        with pytest.raises(Killed):
            place.run(force=True, settings={"seed": 3})
    assert same(place.weights(), before)
    with pytest.raises(MedflatError, match="--resume continues it, --force starts anew"):
        place.run(settings={"seed": 3})
    place.run(resume=True, settings={"seed": 3})
    assert not same(place.weights(), before)


def test_half_as_large_and_still_read_as_float32(place):
    place.run("whole")
    place.run("half", half=True)
    sizes = [(place.folder / name / "model.safetensors").stat().st_size for name in ("whole", "half")]
    assert 0.4 < sizes[1] / sizes[0] < 0.75
    whole, half = (AutoModel.from_pretrained(place.folder / name) for name in ("whole", "half"))
    assert half.dtype == torch.float32
    assert AutoModel.from_pretrained(place.folder / "half", torch_dtype="auto").dtype == torch.float32
    for one, other in zip(whole.parameters(), half.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-3)


def test_a_trained_encoder_is_trained_on_with_its_head(place):
    place.run()
    place.recipe = place.folder / "out"
    said = []
    outcome = place.run("on", watch=Watcher(say=said.append), settings={"steps": 2, "rate": 1e-6})
    assert not any("a new one is trained" in line for line in said)
    before = json.loads((place.folder / "out" / "pretraining.json").read_text(encoding="utf8"))["evaluations"][-1]
    assert outcome.evaluations[0][1].loss == pytest.approx(before["loss"], rel=1e-5)


def test_texts_that_are_few_or_unknown(place):
    (place.folder / "few.txt").write_text("咳嗽\n发热", encoding="utf8")
    (place.folder / "odd.txt").write_text("ЖЖЖ\nЖЖ咳", encoding="utf8")
    warned = []
    inputs = find_inputs([str(place.folder / "few.txt")])
    pretrain(inputs, small_settings(place.recipe), RunOptions(place.folder / "few"), Watcher(warn=warned.append))
    assert any("fill less than a batch of 4" in line for line in warned)
    with pytest.raises(MedflatError, match="does not know 83% of the characters of the texts"):
        pretrain(
            find_inputs([str(place.folder / "odd.txt")]), small_settings(place.recipe), RunOptions(place.folder / "odd")
        )
