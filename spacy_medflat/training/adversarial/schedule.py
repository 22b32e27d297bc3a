"""When to attack: the count of steps, and the draw for each of them."""

from dataclasses import dataclass
from random import Random

EPOCH_HELP = (
    "nlp.update does not know the epoch. Add to the config [training.before_update] "
    '@callbacks = "spacy_medflat.adversarial_clock.v1", or call nlp.update.tell(step, epoch) before each step'
)


@dataclass
class Schedule:
    """Counts steps, and draws whether a step is attacked.

    Draws depend on the seed and the step only, so a resumed training goes on as it would have, and no other generator
    is touched.

    start_step, start_epoch (int): steps and epochs, from 0, before which nothing is attacked.
    share (float): share of steps attacked, 0 to 1. All parts of a batch that `accumulate_gradient` divides, or none.
    seed (int): of what is drawn here.
    step, part, epoch (int, int, int or None): where training is.
    told (bool): whether `tell` has set them.
    RAISES (ValueError): a setting is out of range.
    """

    start_step: int = 0
    start_epoch: int = 0
    share: float = 1.0
    seed: int = 0
    step: int = -1
    part: int = 0
    epoch: int | None = None
    told: bool = False

    def __post_init__(self) -> None:
        if self.start_step < 0 or self.start_epoch < 0:
            raise ValueError(
                f"start_step and start_epoch count from 0, but they are {self.start_step} and {self.start_epoch}"
            )
        if not 0.0 <= self.share <= 1.0:
            raise ValueError(f"share is the share of batches attacked, from 0 to 1, but it is {self.share}")

    def tell(self, step: int, epoch: int) -> None:
        """Set the step and the epoch of the updates that follow."""
        self.step, self.part, self.epoch, self.told = step, -1, epoch, True

    def advance(self, *, new_step: bool) -> None:
        """Count an update.

        new_step (bool): whether it begins a step; without effect if the step has been told.
        """
        if (new_step or self.step < 0) and not self.told:
            self.step, self.part = self.step + 1, 0
        else:
            self.part += 1

    def is_due(self) -> bool:
        """Whether the present update is attacked.

        RAISES (ValueError): it depends on the epoch, and the epoch has not been told.
        """
        if self.start_epoch and self.epoch is None:
            raise ValueError(f"start_epoch is {self.start_epoch}, but {EPOCH_HELP}")
        if self.step < self.start_step or (self.epoch or 0) < self.start_epoch:
            return False
        return Random(f"{self.seed} {self.step}").random() < self.share

    def noise_seed(self) -> int:
        """A seed for what the attack draws in the present update."""
        return Random(f"{self.seed} {self.step} {self.part}").getrandbits(63)
