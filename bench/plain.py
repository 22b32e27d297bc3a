"""The yardstick: Efficient GlobalPointer in plain torch and transformers, without spaCy.

It reads what our pipeline reads (one wordpiece for each character) in batches of the same texts, but holds every text's
whole score matrix, cuts texts at 256 characters, and knows nothing of Docs, windows or bands.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

MAX_CHARS = 256


class Text(NamedTuple):
    """An annotated text.

    chars (str): the text.
    gold (list of (int, int, int)): start, last character and index of the label of each entity.
    """

    chars: str
    gold: list[tuple[int, int, int]]


class PlainPointer(nn.Module):
    """A BERT with one rotary pointer for all labels and a bias of start and end for each."""

    def __init__(self, encoder: Any, vocab: dict[str, int], n_labels: int, head_size: int = 64):
        super().__init__()
        self.encoder, self.vocab, self.n_labels, self.head_size = encoder, vocab, n_labels, head_size
        self.pair = nn.Linear(encoder.config.hidden_size, 2 * head_size)
        self.bias = nn.Linear(2 * head_size, 2 * n_labels)

    def encode(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Wordpiece ids and mask, [CLS] and [SEP] included (int64 [b, n + 2] each)."""
        unknown = self.vocab["[UNK]"]
        rows = [[self.vocab.get(c.lower(), unknown) for c in text[:MAX_CHARS]] for text in texts]
        width = max(map(len, rows)) + 2
        ids = torch.full((len(rows), width), self.vocab["[PAD]"])
        for i, row in enumerate(rows):
            ids[i, : len(row) + 2] = torch.tensor([self.vocab["[CLS]"], *row, self.vocab["[SEP]"]])
        return ids, (ids != self.vocab["[PAD]"]).long()

    def forward(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Logits (float [b, labels, n, n]), and which of them are spans (bool [b, 1, n, n])."""
        ids, mask = self.encode(texts)
        hidden = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state[:, 1:-1]
        pair = self.pair(hidden)
        n = pair.shape[1]
        rate = 10000.0 ** (-torch.arange(0, self.head_size, 2) / self.head_size)
        angle = torch.arange(n)[:, None] * rate
        turn = torch.polar(torch.ones_like(angle), angle)
        q, k = (
            torch.view_as_real(torch.view_as_complex(x.unflatten(-1, (-1, 2)).contiguous()) * turn).flatten(-2)
            for x in pair.chunk(2, dim=-1)
        )
        start, end = self.bias(pair).transpose(1, 2).chunk(2, dim=1)
        logits = (q @ k.transpose(1, 2) / self.head_size**0.5)[:, None] + start[..., None] + end[..., None, :]
        inside = mask[:, 2:].bool()
        return logits, (inside[:, None, :] & inside[:, :, None]).triu()[:, None]


def plain_loss(logits: Tensor, valid: Tensor, texts: Sequence[Text]) -> Tensor:
    """Multi-label cross-entropy, the mean over texts and labels."""
    gold = torch.zeros_like(logits, dtype=torch.bool)
    for row, text in enumerate(texts):
        for start, last, label in text.gold:
            if last < MAX_CHARS:
                gold[row, label, start, last] = True
    zero = logits.new_zeros(*logits.shape[:2], 1)
    negative = logits.masked_fill(gold | ~valid, -1e4).flatten(2)
    positive = (-logits).masked_fill(~gold, -1e4).flatten(2)
    return (torch.cat([negative, zero], -1).logsumexp(-1) + torch.cat([positive, zero], -1).logsumexp(-1)).mean()


def make_optimizer(model: PlainPointer, encoder_rate: float = 1e-4, head_rate: float = 1e-3) -> torch.optim.Optimizer:
    """AdamW with a rate for the encoder and one for the head."""
    head = [*model.pair.parameters(), *model.bias.parameters()]
    return torch.optim.AdamW(
        [{"params": model.encoder.parameters(), "lr": encoder_rate}, {"params": head, "lr": head_rate}],
        weight_decay=0.01,
    )


def train_step(model: PlainPointer, optimizer: torch.optim.Optimizer, texts: Sequence[Text]) -> float:
    """One update; returns the loss."""
    model.train()
    logits, valid = model([text.chars for text in texts])
    loss = plain_loss(logits, valid, texts)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()
    return float(loss.detach())


@torch.no_grad()
def predict(model: PlainPointer, texts: Sequence[str]) -> list[set[tuple[int, int, int]]]:
    """The spans above 0 of each text, as (start, last character, index of the label)."""
    model.eval()
    logits, valid = model(texts)
    found: list[set[tuple[int, int, int]]] = [set() for _ in texts]
    for row, label, start, last in ((logits > 0) & valid).nonzero().tolist():
        found[row].add((start, last, label))
    return found
