import pytest

from spacy_medflat.encoder.pretraining import survey as module
from spacy_medflat.encoder.pretraining.survey import survey_texts
from spacy_medflat.encoder.pretraining.text_inputs import find_inputs
from spacy_medflat.errors import MedflatError

from .corpora import make_texts, write_texts


def test_counts_characters_and_digest(tmp_path):
    names = [str(write_texts(tmp_path / f"{seed}.txt", 30, seed)) for seed in (0, 1)]
    found = survey_texts(find_inputs(names), 0.1)
    texts = make_texts(30) + make_texts(30, 1)
    assert found.texts == 60 and found.characters == sum(map(len, texts)) == found.frequency.sum()
    assert found.frequency[ord("咳")] == "".join(texts).count("咳")
    assert found.counts[names[1]].texts == 30
    again = survey_texts(find_inputs(names[::-1]), 0.1)
    assert again.digest != found.digest == survey_texts(find_inputs(names), 0.1).digest


def test_what_is_held_out_depends_on_the_texts_alone(tmp_path):
    name = str(write_texts(tmp_path / "a.txt", 200))
    held_out = survey_texts(find_inputs([name]), 0.1).held_out
    assert len(held_out) == 20 and set(held_out.values()) <= set(make_texts(200))
    turned = tmp_path / "b.txt"
    turned.write_text("\n".join(make_texts(200)[::-1]), encoding="utf8")
    assert survey_texts(find_inputs([str(turned)]), 0.1).held_out == held_out


def test_there_are_bounds_to_what_is_held_out(tmp_path, monkeypatch):
    name = str(write_texts(tmp_path / "a.txt", 50))
    everything = find_inputs([name])
    assert len(survey_texts(everything, 0.001).held_out) == 1
    assert len(survey_texts(everything, 0.999).held_out) == 49
    most = set(survey_texts(everything, 0.1).held_out)
    monkeypatch.setattr(module, "HELD_OUT_TEXTS", 3)
    monkeypatch.setattr(module, "HELD_OUT_CHARACTERS", 5)
    few = survey_texts(everything, 0.9).held_out
    assert len(few) == 3 and set(few) <= most and all(len(text) == 5 for text in few.values())


@pytest.mark.parametrize(("content", "message"), [("\n", "0 texts"), ("咳嗽\n" * 9, "1 text, 8 read before")])
def test_two_texts_are_needed(tmp_path, content, message):
    (tmp_path / "a.txt").write_text(content, encoding="utf8")
    with pytest.raises(MedflatError, match=message):
        survey_texts(find_inputs([str(tmp_path / "a.txt")]), 0.1)


def test_the_first_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"note": "咳嗽"}', encoding="utf8")
    with pytest.raises(MedflatError, match="no field 'text'; it has 'note'"):
        survey_texts(find_inputs([str(tmp_path / "a.jsonl")]), 0.1)
