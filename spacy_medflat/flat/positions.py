"""Vectors of signed distances."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

# The four distances of a query i and a key j: between heads, head and tail, tail and head, tails.
DISTANCES = ("hh", "ht", "th", "tt")


def sinusoids(low: int, high: int, size: int, like: Tensor) -> Tensor:
    """Sinusoids of the signed distances low, low + 1, …, high (Vaswani et al. 2017, section 3.5).

    A row holds sin(d / 10000^(2k / size)) at 2k and the cosine of the same at 2k + 1. It depends on the distance only,
    never on how long a text or a batch is.

    size (int): even.
    like: gives dtype and device.
    RETURNS (float [high - low + 1, size])
    """
    # In float64 whatever the model's type, as bfloat16 cannot count distances beyond 256; and not every device has it.
    distance = torch.arange(low, high + 1, dtype=torch.float64)
    frequency = torch.exp(torch.arange(0, size, 2, dtype=torch.float64) * (-math.log(10000.0) / size))
    angle = distance[:, None] * frequency
    return torch.stack((angle.sin(), angle.cos()), dim=-1).flatten(1).to(like.device, like.dtype)


class PositionTables(nn.Module):
    """A vector for every signed distance, one table for each of the four distances.

    size (int): size of a vector.
    names: which of the four distances have a table.
    reach (int): the farthest distance that occurs.
    shared (bool): one table serves all four distances.
    learned (bool): tables are parameters that start as sinusoids; distances beyond `reach` take the farthest row.
    """

    def __init__(
        self, size: int, names: Sequence[str] = DISTANCES, reach: int = 255, shared: bool = True, learned: bool = False
    ):
        super().__init__()
        self.size, self.reach, self.shared, self.learned = size, reach, shared, learned
        self.fixed: Tensor
        self.register_buffer("fixed", torch.zeros(0, size), persistent=False)
        if learned:
            start = sinusoids(-reach, reach, size, self.fixed)
            owners = ("all",) if shared else tuple(names)
            self.tables = nn.ParameterDict({name: nn.Parameter(start.clone()) for name in owners})

    @property
    def same_for_all(self) -> bool:
        """Whether the four distances have the same table."""
        return self.shared or not self.learned

    def forward(self, name: str, low: int, high: int) -> Tensor:
        """The vectors of the distances low … high.

        name (str): one of `DISTANCES`.
        RETURNS (float [high - low + 1, size])
        """
        if self.learned:
            table = self.tables["all" if self.shared else name]
            return table[torch.arange(low, high + 1, device=table.device).clamp(-self.reach, self.reach) + self.reach]
        radius = max(-low, high)
        if len(self.fixed) < 2 * radius + 1:
            self.fixed = sinusoids(-radius, radius, self.size, self.fixed)
        center = len(self.fixed) // 2
        return self.fixed[center + low : center + high + 1]
