import pytest

from spacy_medflat.training.optimizer.groups import (
    Group,
    describe,
    find_levels,
    has_weight_decay,
    part_name,
    rate_factor,
)

BERT = [
    "embeddings.word_embeddings.weight",
    "embeddings.LayerNorm.bias",
    "encoder.layer.0.attention.self.query.weight",
    "encoder.layer.1.output.LayerNorm.weight",
    "encoder.layer.10.output.dense.bias",
    "encoder.layer.11.output.dense.weight",
    "pooler.dense.weight",
]
ALBERT = [
    "embeddings.word_embeddings.weight",
    "encoder.embedding_hidden_mapping_in.weight",
    "encoder.albert_layer_groups.0.albert_layers.0.ffn.weight",
    "encoder.albert_layer_groups.0.albert_layers.1.ffn.weight",
    "encoder.albert_layer_groups.1.albert_layers.0.attention.query.bias",
    "encoder.albert_layer_groups.1.albert_layers.1.full_layer_layer_norm.weight",
    "pooler.weight",
]
DISTILBERT = [
    "embeddings.LayerNorm.weight",
    "transformer.layer.0.attention.q_lin.weight",
    "transformer.layer.5.output_layer_norm.weight",
]
DEBERTA = [
    "embeddings.word_embeddings.weight",
    "encoder.layer.0.attention.self.in_proj.weight",
    "encoder.layer.2.attention.self.q_bias",
    "encoder.rel_embeddings.weight",
    "encoder.LayerNorm.weight",
    "encoder.conv.conv.weight",
]
ELECTRA = ["embeddings.word_embeddings.weight", "embeddings_project.weight", "encoder.layer.1.output.dense.weight"]


@pytest.mark.parametrize(
    ("names", "levels", "depth"),
    [
        (BERT, [-1, -1, 0, 1, 10, 11, 11], 12),
        (ALBERT, [-1, -1, 0, 1, 2, 3, 3], 4),
        (DISTILBERT, [-1, 0, 5], 6),
        (DEBERTA, [-1, 0, 2, -1, -1, -1], 3),
        (ELECTRA, [-1, -1, 1], 2),
        (["embeddings.x", "pooler.y"], [-1, -1], 0),
        ([], [], 0),
    ],
    ids=["BERT", "ALBERT", "DistilBERT", "DeBERTa", "ELECTRA", "no layers", "nothing"],
)
def test_levels(names, levels, depth):
    found = find_levels(names)
    assert found == (dict(zip(names, levels, strict=True)), depth)
    assert find_levels(reversed(names)) == found


def test_lower_layers_have_the_smaller_rate():
    factors = [rate_factor(level, 3, 0.5) for level in (-1, 0, 1, 2)]
    assert factors == [0.125, 0.25, 0.5, 1.0]
    assert [rate_factor(level, 3, 1.0) for level in (-1, 0, 2)] == [1.0] * 3


def test_inverted_the_top_has_the_smallest():
    assert [rate_factor(level, 3, 0.5, inverted=True) for level in (-1, 0, 1, 2)] == [1.0, 1.0, 0.5, 0.25]


@pytest.mark.parametrize(
    ("name", "shape", "decayed"),
    [
        ("encoder.layer.0.output.dense.weight", (4, 4), True),
        ("embeddings.word_embeddings.weight", (9, 4), True),
        ("W", (4, 4), True),
        ("E", (9, 4), True),
        ("flat.layers.0.attention.rows.project.weight", (4, 4), True),
        ("encoder.conv.conv.weight", (4, 4, 3), True),
        ("encoder.layer.0.output.dense.bias", (4,), False),
        ("encoder.layer.0.output.LayerNorm.weight", (4,), False),
        ("transformer.layer.0.sa_layer_norm.weight", (4,), False),
        ("encoder.albert_layer_groups.0.albert_layers.0.full_layer_layer_norm.weight", (4,), False),
        ("encoder.layer.0.attention.self.q_bias", (4,), False),
        ("flat.layers.0.attention_norm.weight", (4,), False),
        ("flat.gate", (4,), False),
        ("flat.layers.0.attention.u", (2, 1, 1, 4), False),
        ("flat.layers.0.attention.v", (2, 1, 1, 4), False),
        ("b", (4,), False),
        ("b", (4, 3), False),
        ("G", (4,), False),
        ("scalar", (), False),
    ],
)
def test_biases_norms_and_gates_are_not_decayed(name, shape, decayed):
    assert has_weight_decay(name, shape) is decayed


def test_describe():
    low, high, head = Group(part_name(2), 0.8, 0.01), Group(part_name(10), 1.0, 0.0), Group("head", 1.0, 0.01)
    embeddings = Group(part_name(-1), 0.64, 0.01)
    text = describe([(head, 7), (high, 5), (low, 1000), (low, 2000), (embeddings, 1)])
    assert text.splitlines() == [
        "  encoder embeddings: 1 tensors, 1 values, rate x 0.64, weight decay 0.01",
        "  encoder layer 2: 2 tensors, 3,000 values, rate x 0.8, weight decay 0.01",
        "  encoder layer 10: 1 tensors, 5 values, rate x 1, weight decay 0",
        "  head: 1 tensors, 7 values, rate x 1, weight decay 0.01",
    ]
