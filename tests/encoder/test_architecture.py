import shutil
from dataclasses import replace

import numpy as np
import pytest
import spacy
from numpy.testing import assert_allclose, assert_array_equal
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import fix_random_seed, registry

from ..pipelines import make_examples, spans_of, train, transformer_pipeline, write_recipe

LONG = "患者右肺上叶腺癌术后，双下肢水肿。" * 20


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return write_recipe(tmp_path_factory.mktemp("encoder"))


@pytest.fixture(scope="module")
def nlp(encoder):
    fix_random_seed(0)
    nlp = spacy.blank("zh")
    model = {"@architectures": "spacy_medflat.CharTransformer.v1", "name": str(encoder), "window": 64, "overlap": 32}
    nlp.add_pipe("transformer", config={"model": model})
    nlp.initialize()
    return nlp


def vectors(doc):
    data = doc._.trf_data
    return data.model_output.last_hidden_state.reshape(-1, data.width)[data.align.dataXd]


def test_every_token_has_one_vector(nlp):
    doc = nlp("WBC 12.5×10^9/L\n\n右肺😀")
    assert_array_equal(doc._.trf_data.align.lengths, np.ones(len(doc)))
    assert vectors(doc).shape == (len(doc), 32)


def test_a_text_does_not_depend_on_its_batch(nlp):
    texts = ["右肺上叶腺癌", "", LONG, "咳", "   ", "双下肢水肿" * 5]
    together = list(nlp.pipe(texts))
    for text, doc in zip(texts, together, strict=True):
        if len(doc):
            assert_allclose(vectors(doc), vectors(nlp(text)), atol=1e-5)


def test_memory_bound_does_not_change_the_result(nlp):
    transformer = nlp.get_pipe("transformer")
    before = vectors(nlp(LONG))
    limits = transformer.model.attrs["limits"]
    transformer.model.attrs["limits"] = replace(limits, max_batch_items=100)
    try:
        assert_allclose(vectors(nlp(LONG)), before, atol=1e-5)
    finally:
        transformer.model.attrs["limits"] = limits


def test_settings_of_a_loaded_pipeline_follow_the_config(nlp, tmp_path):
    nlp.to_disk(tmp_path / "saved")
    section = "components.transformer.model"
    changed = {"window": 32, "overlap": 3, "max_batch_items": 7}
    loaded = spacy.load(tmp_path / "saved", config={f"{section}.{k}": v for k, v in changed.items()})
    limits = loaded.get_pipe("transformer").model.attrs["limits"]
    assert vars(limits) == changed
    assert loaded(LONG)._.trf_data.wordpieces.input_ids.shape[1] <= 34
    too_wide = spacy.load(tmp_path / "saved", config={f"{section}.window": 4096})
    with pytest.raises(ValueError, match="window=4096 does not fit the encoder"):
        too_wide(LONG)


def test_words_for_tokens_are_warned_of_once(encoder, caplog):
    nlp = transformer_pipeline(encoder)
    words = [Doc(nlp.vocab, ["患者", "咳嗽", "三天"], [False] * 3), Doc(nlp.vocab, ["右肺", "腺癌"], [False] * 2)]
    nlp.initialize(lambda: make_examples(nlp))
    nlp.update(make_examples(nlp))
    assert not any("reads them all alike" in message for message in caplog.messages)
    nlp = transformer_pipeline(encoder)
    nlp.initialize(lambda: make_examples(nlp))
    for _ in range(2):
        nlp.update([Example(doc, doc.copy()) for doc in words])
    assert [m for m in caplog.messages if "does not know 100% of the tokens" in m and "'char'" in m] == [
        m for m in caplog.messages if "reads them all alike" in m
    ]
    assert sum("reads them all alike" in message for message in caplog.messages) == 1


def test_tokens_of_a_long_text_read_the_same_window_alone(nlp):
    doc = nlp(LONG)
    window = doc._.trf_data.wordpieces.input_ids
    assert len(window) > 5 and window.shape[1] <= 66
    first = nlp(LONG[: int(doc._.trf_data.wordpieces.lengths[0]) - 2])
    assert_allclose(vectors(doc)[:40], vectors(first)[:40], atol=1e-5)


def test_texts_without_tokens(nlp):
    assert [len(doc) for doc in nlp.pipe(["", ""])] == [0, 0]
    assert nlp("")._.trf_data is not None


def test_updates_without_a_text_or_a_token(nlp):
    model = nlp.get_pipe("transformer").model
    for docs in ([], [nlp.make_doc("")]):
        output, backprop = model.begin_update(docs)
        assert len(output.doc_data) == len(docs) and backprop(output) == docs


def test_gradients_reach_the_encoder(encoder):
    nlp = transformer_pipeline(encoder)
    fix_random_seed(0)
    examples = make_examples(nlp)
    nlp.initialize(lambda: examples)
    nlp.update(examples, sgd=False)
    model = nlp.get_pipe("transformer").model.layers[0].shims[0]._model
    parameters = dict(model.named_parameters())
    for name in ("embeddings.word_embeddings.weight", "encoder.layer.0.attention.self.query.weight"):
        assert parameters[name].grad.abs().sum() > 0


def test_a_saved_pipeline_needs_no_encoder_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    folder = write_recipe(tmp_path / "encoder")
    nlp = transformer_pipeline(folder)
    train(nlp, 30)
    nlp.to_disk(tmp_path / "saved")
    shutil.rmtree(folder)
    loaded = spacy.load(tmp_path / "saved")
    for text in ("右肺上叶腺癌术后", LONG):
        before, after = nlp(text), loaded(text)
        assert spans_of(after) == spans_of(before) and spans_of(before)
        assert_array_equal(after.spans["sc"].attrs["scores"], before.spans["sc"].attrs["scores"])
    again = spacy.blank("zh").from_config(loaded.config).from_bytes(loaded.to_bytes())
    assert spans_of(again(LONG)) == spans_of(nlp(LONG))


def test_replace_listeners_keeps_results_and_survives_saving(encoder, tmp_path):
    nlp = transformer_pipeline(encoder)
    train(nlp, 30)
    before = spans_of(nlp("右肺上叶腺癌术后"))
    nlp.replace_listeners("transformer", "medflat_ner", ["model.tok2vec"])
    nlp.remove_pipe("transformer")
    assert spans_of(nlp("右肺上叶腺癌术后")) == before and before
    nlp.to_disk(tmp_path / "saved")
    assert spans_of(spacy.load(tmp_path / "saved")("右肺上叶腺癌术后")) == before


def test_an_encoder_that_reads_no_chinese(tmp_path, monkeypatch):
    from transformers import BertConfig, BertModel, BertTokenizerFast

    (tmp_path / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abc"]))
    BertTokenizerFast(str(tmp_path / "vocab.txt")).save_pretrained(tmp_path)
    BertModel(BertConfig(8, 8, 1, 1, 8)).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="does not know 100% of the commonest Chinese characters"):
        transformer_pipeline(tmp_path).initialize()


def test_a_window_that_does_not_fit(tmp_path):
    folder = write_recipe(tmp_path, max_position_embeddings=40)
    with pytest.raises(ValueError, match=r"window=64 does not fit .* positions for 38 characters"):
        transformer_pipeline(folder).initialize()


def test_an_impossible_overlap():
    with pytest.raises(ValueError, match="less than window=8, but it is 8"):
        registry.architectures.get("spacy_medflat.CharTransformer.v1")(name="x", window=8, overlap=8)


def test_use_before_initialization(encoder):
    with pytest.raises(ValueError, match="no encoder yet"):
        transformer_pipeline(encoder)("右肺")
