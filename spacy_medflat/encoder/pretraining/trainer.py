"""One step of training, and a look at held-out texts. Neither draws from a generator that has a state between steps."""

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy

from ...runtime import to_device
from .masked_lm import MaskedLanguageModel
from .masking import MaskedBatch, MaskPieces, mask_batch
from .pretrain_settings import PretrainSettings

_BETAS, _EPSILON = (0.9, 0.98), 1e-6
# Which numbers are drawn for: so that no two uses get the same.
_TRAINING, _HELD_OUT = 1, 2


class HeldOut(NamedTuple):
    """How well masked characters of held-out texts are restored.

    loss (float): mean cross-entropy, in nats.
    accuracy (float): share of the masked characters that are restored, 0 to 1.
    masked (int): how many were masked.
    """

    loss: float
    accuracy: float
    masked: int


def make_optimizer(model: torch.nn.Module, settings: PretrainSettings) -> torch.optim.AdamW:
    """AdamW with weight decay on matrices alone, not on biases and layer normalization."""
    parameters = list(model.parameters())
    groups: list[dict[str, Any]] = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": settings.weight_decay},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=settings.rate, betas=_BETAS, eps=_EPSILON, fused=True)


class Trainer:
    """Makes the steps of a training.

    model (MaskedLanguageModel): on its device.
    pieces (MaskPieces): of its vocabulary.
    settings (PretrainSettings): see there.
    steps (int): of the training.
    """

    def __init__(self, model: MaskedLanguageModel, pieces: MaskPieces, settings: PretrainSettings, steps: int):
        self.model, self.pieces, self.settings, self.steps = model, pieces, settings, steps
        self.optimizer = make_optimizer(model, settings)
        self.device = next(model.parameters()).device

    def update(self, batch: NDArray[np.int32], step: int) -> torch.Tensor:
        """Make a step.

        batch (int32 [batch, 2, length]): sequences.
        step (int): counted from 0. It alone decides what is masked and dropped.
        RETURNS (float32 []): the mean loss of the masked characters, on the device.
        """
        settings = self.settings
        seeds = np.random.SeedSequence([settings.seed, _TRAINING, step])
        torch.manual_seed(int(seeds.generate_state(1, np.uint64)[0] >> np.uint64(1)))
        share = settings.mask_share_at(step, self.steps)
        masked = mask_batch(batch, share, self.pieces, np.random.default_rng(seeds))
        for group in self.optimizer.param_groups:
            group["lr"] = settings.rate_at(step, self.steps)
        self.model.train()
        total, _ = self._loss(masked)
        loss = total / max(len(masked.places), 1)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), settings.clip)
        self.optimizer.step()
        self.optimizer.zero_grad()
        return loss.detach()

    @torch.no_grad()
    def evaluate(self, batches: Iterable[NDArray[np.int32]]) -> HeldOut:
        """Restore masked characters of held-out texts; the same ones at each call.

        batches (iterable of int32 [batch, 2, length]): their sequences.
        """
        self.model.eval()
        draw = np.random.default_rng([self.settings.seed, _HELD_OUT])
        # Sums on the device, so that it is asked once.
        loss, right = (torch.zeros((), dtype=dtype, device=self.device) for dtype in (torch.float64, torch.int64))
        count = 0
        for batch in batches:
            masked = mask_batch(batch, self.settings.mask_share, self.pieces, draw)
            total, scores = self._loss(masked)
            loss += total
            right += (scores.argmax(1) == self._tensor(masked.targets)).sum()
            count += len(masked.places)
        return HeldOut(float(loss) / max(count, 1), int(right) / max(count, 1), count)

    def _loss(self, masked: MaskedBatch) -> tuple[torch.Tensor, torch.Tensor]:
        """The summed loss, and the scores of the masked places."""
        ids, places, targets = map(self._tensor, (masked.ids, masked.places, masked.targets))
        attention = None if masked.attention is None else self._tensor(masked.attention)
        with self._precision():
            scores = self.model(ids, attention, places)
        return cross_entropy(scores, targets, reduction="sum"), scores

    def _tensor(self, array: NDArray[np.int64]) -> torch.Tensor:
        return to_device(array, self.device)

    def _precision(self) -> AbstractContextManager:
        return torch.autocast(self.device.type, torch.bfloat16) if self.settings.mixed_precision else nullcontext()
