"""Counts of what adversarial training did."""

from dataclasses import dataclass, field

from spacy.util import logger

# Skipped attacks are worth a warning above this share of the batches, once there are enough of them to tell.
SKIPPED_SHARE = 0.1
SKIPPED_AMONG = 20


@dataclass
class Stats:
    """Counts of updates: those attacked, and those where the attack was given up, by reason."""

    attacked: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    warned: bool = False

    @property
    def skipped(self) -> int:
        """Updates where the attack was given up and the clean gradient stayed."""
        return sum(self.reasons.values())

    def skip(self, reason: str) -> None:
        """Count an attack given up; log the first of its kind, and warn once if there are many."""
        if reason not in self.reasons:
            logger.info("adversarial training: an attack is skipped, the clean gradient stays: %s", reason)
        self.reasons[reason] = self.reasons.get(reason, 0) + 1
        seen = self.attacked + self.skipped
        if not self.warned and seen >= SKIPPED_AMONG and self.skipped > SKIPPED_SHARE * seen:
            self.warned = True
            counts = ", ".join(f"{reason}: {count}" for reason, count in self.reasons.items())
            logger.warning("adversarial training: %d of %d attacks were skipped (%s)", self.skipped, seen, counts)
