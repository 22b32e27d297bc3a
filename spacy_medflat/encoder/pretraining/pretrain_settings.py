"""The settings of a training, and what follows from them: the steps, the rate and the masked share of each."""

import math
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ...errors import MedflatError, first_problem


class PretrainSettings(BaseModel):
    """The settings that decide what the weights become: a training with others is another one.

    encoder (str): see `load_encoder`.
    lexicon (str or None): a lexicon whose words are masked as a whole.
    vectors (str or None): word vectors that the embeddings of a recipe begin with, see `initial_vectors`.
    vocabulary (int): characters of the vocabulary, counted from the texts; 0 for that of the encoder.
    length (int): places of a sequence, [CLS] and [SEP] among them.
    batch (int): sequences in a step.
    steps (int): how many; 0 for those that read `characters`.
    characters (int): how many to read; 0 for `epochs`.
    epochs (float): how often to read the texts.
    rate (float): the highest learning rate.
    warmup (float): share of the steps in which the rate rises; it falls linearly to 0 afterwards.
    weight_decay (float): of weights other than biases and those of layer normalization.
    clip (float): the longest gradient.
    dropout (float or None): of hidden states and attention, in this training only; None for that of the encoder.
    mask_share (float): share of the characters that is masked, at the end.
    first_mask_share (float): the share at the start, from which it falls linearly; as in GPT-BERT
        (https://arxiv.org/abs/2410.24159).
    held_out (float): see `survey_texts`.
    evaluations (int): how often the held-out texts are looked at on the way, the end included.
    mixed_precision (bool): compute in bfloat16 where autocast does so.
    seed (int): of all random numbers.
    """

    model_config = ConfigDict(frozen=True)

    encoder: str
    lexicon: str | None = None
    vectors: str | None = None
    vocabulary: int = Field(default=0, ge=0)
    length: int = Field(default=128, ge=8)
    batch: int = Field(default=32, ge=1)
    steps: int = Field(default=0, ge=0)
    characters: int = Field(default=0, ge=0)
    epochs: float = Field(default=1.0, gt=0)
    rate: float = Field(default=1e-4, gt=0)
    warmup: float = Field(default=0.06, ge=0, le=1)
    weight_decay: float = Field(default=0.01, ge=0)
    clip: float = Field(default=1.0, gt=0)
    dropout: float | None = Field(default=None, ge=0, lt=1)
    mask_share: float = Field(default=0.15, gt=0, lt=1)
    first_mask_share: float = Field(default=0.0, ge=0, lt=1)
    held_out: float = Field(default=0.01, gt=0, lt=1)
    evaluations: int = Field(default=10, ge=1)
    mixed_precision: bool = False
    seed: int = Field(default=0, ge=0)

    @classmethod
    def checked(cls, **values: Any) -> "PretrainSettings":
        """Make settings of what a user gave. RAISES (MedflatError): a value is out of range."""
        try:
            return cls(**values)
        except ValidationError as error:
            raise MedflatError(f"--{first_problem(error).replace('_', '-')}") from error

    def steps_for(self, characters: int) -> int:
        """How many steps the training has.

        characters (int): that an epoch reads.
        """
        if self.steps:
            return self.steps
        wanted = self.characters or self.epochs * characters
        return max(1, math.ceil(wanted / (self.batch * (self.length - 2))))

    def rate_at(self, step: int, steps: int) -> float:
        """The learning rate of a step.

        step (int): counted from 0.
        steps (int): of the training.
        """
        rising = self.warmup * steps
        if step < rising:
            return self.rate * (step + 1) / (rising + 1)
        return self.rate * (steps - step) / max(steps - rising, 1)

    def mask_share_at(self, step: int, steps: int) -> float:
        """The share of characters that is masked in a step; see `rate_at`."""
        first = self.first_mask_share or self.mask_share
        return first + (self.mask_share - first) * step / max(steps - 1, 1)
