"""From a head's logit and evidence to a calibrated score: small networks that all labels share, averaged.

    score = sigmoid(scale_label * logit + bias_label + output · ReLU(shared W_s + own W_o + b_label))

fitted by the log loss on texts that the pipeline was not trained on. The last layer starts at 0, so that fitting starts
from scaling the logit alone (Platt, "Probabilistic Outputs for Support Vector Machines", 1999). Only `fit` needs torch.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from .evidence import ABSENT, Evidence, Floats, Ints

# Features are scaled to mean 0 and deviation 1, and cut off here.
CUT = 5.0
# A span is looked at for a label if the head gives it this logit; a word or a string of the training texts, this one.
LOWEST_LOGIT, LOWEST_OF_WORDS = -6.0, -8.0


@dataclass(frozen=True)
class FitSettings:
    """How a calibration is fitted. The defaults are those with the best F1 on held-out halves (docs/calibration.md).

    networks, hidden (int): how many networks are averaged, and the width of each.
    passes, batch (int): over the pairs of a span and a label, and how many pairs are in a step.
    least_steps, most_steps (int): bounds on the steps, whatever the passes: few texts are soon learnt by heart.
    rate, weight_decay, dropout (float): of AdamW with one cycle of the rate, and on the hidden layer.
    seed (int): of the starts, the order and the dropout.
    """

    networks: int = 2
    hidden: int = 32
    passes: int = 150
    batch: int = 1024
    least_steps: int = 500
    most_steps: int = 4000
    rate: float = 3e-3
    weight_decay: float = 0.02
    dropout: float = 0.2
    seed: int = 0

    def steps(self, pairs: int) -> int:
        """The steps for so many pairs."""
        return min(max(self.passes * -(-pairs // self.batch), self.least_steps), self.most_steps)


@dataclass(frozen=True)
class Calibration:
    """The weights, all float32.

    scale, bias ([labels]): of the logit.
    mean_shared, deviation_shared ([shared]), mean_own, deviation_own ([own]): of the features.
    shared ([shared, hidden]), own ([own, hidden]), label ([labels, hidden]): to the hidden layer. output ([hidden]).
    """

    scale: Floats
    bias: Floats
    mean_shared: Floats
    deviation_shared: Floats
    mean_own: Floats
    deviation_own: Floats
    shared: Floats
    own: Floats
    label: Floats
    output: Floats

    def __call__(self, evidence: Evidence, row: Ints, label: Ints) -> Floats:
        """Calibrated logits of pairs of a span and a label.

        row, label (int64 [pairs]): which span, which label.
        RETURNS (float32 [pairs])
        """
        shared = _scaled(evidence.shared, self.mean_shared, self.deviation_shared) @ self.shared
        hidden = _scaled(evidence.own[row, label], self.mean_own, self.deviation_own) @ self.own
        hidden += shared[row]
        hidden += self.label[label]
        np.maximum(hidden, 0.0, out=hidden)
        scaled = self.scale[label] * evidence.spans.logits[row, label] + self.bias[label]
        return (scaled + hidden @ self.output).astype(np.float32)

    def to_bytes(self) -> bytes:
        """The weights as safetensors."""
        return save_arrays({name: np.ascontiguousarray(array) for name, array in asdict(self).items()})


def from_bytes(data: bytes) -> Calibration:
    """What `Calibration.to_bytes` gave."""
    return Calibration(**load_arrays(data))


def pairs(evidence: Evidence, always: Ints | tuple[()] = ()) -> tuple[Ints, Ints]:
    """The pairs of a span and a label that are worth a look.

    always (int64 [n]): rows of spans that are looked at for every label.
    RETURNS (int64 [pairs], int64 [pairs]): rows of the spans, and labels.
    """
    logits = evidence.spans.logits
    best = logits.max(1, keepdims=True, initial=ABSENT)
    words = evidence.noted[:, None] & ((logits > LOWEST_OF_WORDS) | ((logits == best) & (best > ABSENT)))
    chosen = (logits > LOWEST_LOGIT) | words
    chosen[np.asarray(always, dtype=np.int64)] = True
    rows, labels = np.nonzero(chosen)
    return rows, labels


def fit(
    evidence: Sequence[Evidence], gold: Sequence[NDArray[np.bool_]], settings: FitSettings | None = None
) -> Calibration:
    """Fit a calibration on held-out texts.

    evidence (sequence of Evidence): of batches of texts.
    gold (sequence of bool [spans, labels]): which spans are gold, for each batch.
    settings (FitSettings or None): None for the defaults.
    RAISES (ValueError): there is no gold span among the candidates.
    """
    import torch

    s = settings or FitSettings()
    picked = [pairs(batch) for batch in evidence]
    label = np.concatenate([label for _, label in picked])
    target = np.concatenate([of_batch[pair] for of_batch, pair in zip(gold, picked, strict=True)])
    if not target.any():
        raise ValueError("no candidate of these texts is a gold span: the pipeline finds nothing of what they annotate")
    shared = np.concatenate([batch.shared[row] for batch, (row, _) in zip(evidence, picked, strict=True)])
    own = np.concatenate([batch.own[pair] for batch, pair in zip(evidence, picked, strict=True)])
    logit = np.concatenate([batch.spans.logits[pair] for batch, pair in zip(evidence, picked, strict=True)])
    moments = [moment for x in (shared, own) for moment in (x.mean(0), x.std(0) + np.float32(1e-3))]
    x = torch.from_numpy(np.concatenate([_scaled(shared, *moments[:2]), _scaled(own, *moments[2:])], axis=1))
    labels = torch.from_numpy(label)
    logits, targets = torch.from_numpy(logit), torch.from_numpy(target.astype(np.float32))
    generator = torch.Generator().manual_seed(s.seed)
    n_labels, networks = evidence[0].spans.logits.shape[1], []
    for _ in range(s.networks):
        inner = torch.randn(x.shape[1], s.hidden, generator=generator) * x.shape[1] ** -0.5
        of_label = torch.randn(n_labels, s.hidden, generator=generator) * 0.5
        weights = [inner, of_label, torch.zeros(s.hidden), torch.ones(n_labels), torch.zeros(n_labels)]
        for weight in weights:
            weight.requires_grad_()
        optimizer = torch.optim.AdamW(weights, lr=s.rate, weight_decay=s.weight_decay)
        steps = s.steps(len(targets))
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, s.rate, total_steps=steps + 1)
        for i in islice(_batches(len(targets), s.batch, generator), steps):
            hidden = torch.relu(x[i] @ weights[0] + weights[1][labels[i]])
            kept = (torch.rand(hidden.shape, generator=generator) >= s.dropout) / (1.0 - s.dropout)
            score = weights[3][labels[i]] * logits[i] + weights[4][labels[i]] + (hidden * kept) @ weights[2]
            loss = torch.nn.functional.binary_cross_entropy_with_logits(score, targets[i])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        networks.append([weight.detach().numpy() for weight in weights])
    inner_all, label_all, output_all, scale_all, bias_all = zip(*networks, strict=True)
    weights_in = np.concatenate(inner_all, axis=1)
    mean_shared, deviation_shared, mean_own, deviation_own = moments
    return Calibration(
        scale=np.mean(scale_all, axis=0),
        bias=np.mean(bias_all, axis=0),
        mean_shared=mean_shared,
        deviation_shared=deviation_shared,
        mean_own=mean_own,
        deviation_own=deviation_own,
        shared=weights_in[: shared.shape[1]],
        own=weights_in[shared.shape[1] :],
        label=np.concatenate(label_all, axis=1),
        output=np.concatenate(output_all) / np.float32(s.networks),
    )


def _batches(size: int, batch: int, generator: Any) -> Iterator[Any]:
    """Indices of a batch, in a new order for each pass, without end (int64 [at most batch])."""
    import torch

    while True:
        yield from torch.randperm(size, generator=generator).split(batch)


def _scaled(x: Floats, mean: Floats, deviation: Floats) -> Floats:
    return np.clip((x - mean) / deviation, -CUT, CUT)
