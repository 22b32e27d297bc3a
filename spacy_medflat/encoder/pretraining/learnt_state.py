"""The learnt state of a training: weights and moments of the optimizer, by names that are the same in every process."""

from collections.abc import Mapping

import numpy as np
import torch

from ...errors import CheckpointError

_MOMENTS = ("exp_avg", "exp_avg_sq", "step")


def dump(model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, np.ndarray]:
    """All weights, and what the optimizer keeps of those that it has moved.

    RETURNS (dict of arrays): under names such as `weights|model.bert.pooler.dense.bias` and `exp_avg|…`.
    """
    arrays = {}
    for name, parameter in model.named_parameters():
        arrays[f"weights|{name}"] = parameter.detach().cpu().numpy()
        for kind, value in optimizer.state.get(parameter, {}).items():
            arrays[f"{kind}|{name}"] = value.cpu().numpy()
    return arrays


def load(model: torch.nn.Module, optimizer: torch.optim.Optimizer, arrays: Mapping[str, np.ndarray]) -> None:
    """Put a saved state into a model and its new optimizer.

    RAISES (CheckpointError): the weights have other names or shapes than the model's. Nothing was changed then.
    """
    own = dict(model.named_parameters())
    saved = {name.removeprefix("weights|"): array for name, array in arrays.items() if name.startswith("weights|")}
    for name in sorted(own.keys() | saved.keys()):
        if name not in own or name not in saved or tuple(own[name].shape) != saved[name].shape:
            raise CheckpointError(
                f"the checkpoint is of another encoder: its {name!r} is not that of the model. Give the encoder that "
                "the training began with, or train anew with --force"
            )
    with torch.no_grad():
        for name, parameter in own.items():
            parameter.copy_(torch.from_numpy(saved[name]))
    for name, parameter in own.items():
        moments = {kind: arrays[f"{kind}|{name}"] for kind in _MOMENTS if f"{kind}|{name}" in arrays}
        if moments:
            # A copy: arrays of a file can be read-only, and a CPU would train in them.
            optimizer.state[parameter] = {
                kind: torch.tensor(array).to(parameter.device) for kind, array in moments.items()
            }
