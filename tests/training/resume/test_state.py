import pytest
import torch

from spacy_medflat.training.parameters import find_parameters
from spacy_medflat.training.resume.state import dump_optimizer, dump_weights, load_optimizer, load_weights

from ...pipelines import cnn_pipeline
from ..runs import assert_equal_weights, initialized, transformer_config


def test_the_state_of_an_optimizer_moves_to_another_process(tmp_path):
    def step(nlp, optimizer):
        for _, pipe in nlp.pipeline:
            for node in pipe.model.walk():
                for shim in node.shims:
                    for parameter in shim._model.parameters():
                        parameter.grad = torch.ones_like(parameter)
            pipe.finish_update(optimizer)
        optimizer.step_schedules()

    one, two = (initialized(transformer_config(tmp_path)) for _ in range(2))
    first, second = one.create_optimizer(), two.create_optimizer()
    for _ in range(3):
        step(one, first)
    load_optimizer(second, dump_optimizer(first, one), two)
    assert second.steps == 3 and second.learn_rate == first.learn_rate
    assert second.moments.keys() == find_parameters(two.components).keys()
    load_weights(two, dump_weights(one))
    step(one, first)
    step(two, second)
    assert_equal_weights(dump_weights(one), dump_weights(two))
    with pytest.raises(ValueError, match="which the pipeline has not"):
        load_optimizer(second, dump_optimizer(first, one), cnn_pipeline())
