"""Which parameters of a pretrained encoder learn at which share of its rate, and which are not decayed."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ..parameters import KeyT

# Names of parameters in BERT, RoBERTa, ELECTRA, ERNIE, MPNet, ALBERT, DistilBERT and DeBERTa models.
ENCODER_PARAM = re.compile(r"^(embeddings|embeddings_project|encoder|transformer|pooler)\.")
_LAYER = re.compile(r"^(?:encoder|transformer)\.layers?\.(\d+)\.")
_SHARED_LAYER = re.compile(r"^encoder\.albert_layer_groups\.(\d+)\.albert_layers\.(\d+)\.")
# Biases, the weights of norms in torch, and thinc's names for the two and for a gate.
_NO_DECAY = re.compile(r"(bias|norm\w*\.weight)$|(^|\.)(b|G|gamma|beta|gate)$", re.IGNORECASE)
_EMBEDDINGS = -1


@dataclass(frozen=True)
class Group:
    """Parameters that share a rate and a weight decay.

    part (str): "head", "encoder", or a part of the encoder such as "encoder layer 3".
    factor (float): of the rate.
    weight_decay (float): decoupled.
    """

    part: str
    factor: float
    weight_decay: float


@dataclass
class Grouping:
    """Puts parameters into groups as they become known.

    weight_decay, layer_decay (float), inverted (bool): see `create_layerwise_adamw`.
    groups (dict of Group): of each parameter.
    """

    weight_decay: float
    layer_decay: float = 1.0
    inverted: bool = False
    groups: dict[KeyT, Group] = field(default_factory=dict)

    def needs_depth(self, name: str) -> bool:
        """Whether the group depends on parameters that come later."""
        return self.layer_decay != 1.0 and ENCODER_PARAM.match(name) is not None

    def add(self, shapes: Mapping[KeyT, Sequence[int]]) -> None:
        """Add parameters by their shapes. An encoder whose layers become more gets new groups as a whole."""
        for key, shape in shapes.items():
            part = "encoder" if ENCODER_PARAM.match(key[1]) else "head"
            self.groups[key] = Group(part, 1.0, self.weight_decay if has_weight_decay(key[1], shape) else 0.0)
        if self.layer_decay != 1.0:
            for owner in {owner for owner, _ in shapes}:
                self._divide(owner)

    def _divide(self, owner: int) -> None:
        keys = [key for key, group in self.groups.items() if key[0] == owner and group.part != "head"]
        levels, depth = find_levels(name for _, name in keys)
        for key in keys:
            factor = rate_factor(levels[key[1]], depth, self.layer_decay, self.inverted)
            self.groups[key] = Group(part_name(levels[key[1]]), factor, self.groups[key].weight_decay)


def find_levels(names: Iterable[str]) -> tuple[dict[str, int], int]:
    """The layer of each parameter of one encoder, counted from 0 at the input, and the number of layers.

    The embeddings, and what belongs to no layer (DeBERTa's relative positions and convolution, ALBERT's projection),
    are at -1, one step below the lowest layer; the pooler is with the highest. ALBERT uses its layers many times: they
    count once each, a group after the other.
    """
    names = list(names)
    numbers = {name: _layer_numbers(name) for name in names}
    per_group = 1 + max((inner for _, inner in filter(None, numbers.values())), default=0)
    levels = {name: found[0] * per_group + found[1] for name, found in numbers.items() if found}
    depth = 1 + max(levels.values(), default=_EMBEDDINGS)
    for name in names:
        levels.setdefault(name, depth - 1 if name.startswith("pooler.") else _EMBEDDINGS)
    return levels, depth


def rate_factor(level: int, depth: int, decay: float, inverted: bool = False) -> float:
    """The share of the encoder's rate for a level of `find_levels`.

    level, depth (int): of `find_levels`.
    decay (float): from one layer to the next one down (Howard and Ruder, arXiv:1801.06146; Clark et al.,
        arXiv:2003.10555): layer l of D has decay ** (D - 1 - l), the embeddings decay ** D.
    inverted (bool): from one layer to the next one *up*: the lowest layer and the embeddings have 1.
    RETURNS (float): in (0, 1].
    """
    return decay ** (max(level, 0) if inverted else depth - 1 - level)


def part_name(level: int) -> str:
    """What to call a level of `find_levels`."""
    return "encoder embeddings" if level == _EMBEDDINGS else f"encoder layer {level}"


def has_weight_decay(name: str, shape: Sequence[int]) -> bool:
    """Whether weight decay acts on a parameter: not on biases, norms and gates, that is on no vector.

    FLAT's `u` and `v` (float [heads, 1, 1, width]) are biases of the query and not decayed either.
    """
    is_query_bias = len(shape) > 2 and all(size == 1 for size in shape[1:-1])
    return len(shape) > 1 and not is_query_bias and not _NO_DECAY.search(name)


def describe(members: Iterable[tuple[Group, int]]) -> str:
    """A line for each group: its tensors, values, rate and weight decay.

    members (iterable of (Group, int)): the group and the number of values of each parameter.
    RETURNS (str): without a line end.
    """
    sizes: dict[Group, list[int]] = {}
    for group, size in members:
        sizes.setdefault(group, []).append(size)
    lines = [
        f"  {group.part}: {len(found)} tensors, {sum(found):,} values, "
        f"rate x {group.factor:.4g}, weight decay {group.weight_decay:g}"
        for group, found in sorted(sizes.items(), key=lambda item: _order(item[0]))
    ]
    return "\n".join(lines)


def _order(group: Group) -> tuple[bool, int, float]:
    number = re.search(r"\d+$", group.part)
    return group.part == "head", int(number[0]) if number else _EMBEDDINGS, -group.weight_decay


def _layer_numbers(name: str) -> tuple[int, int] | None:
    if found := _SHARED_LAYER.match(name):
        return int(found[1]), int(found[2])
    if found := _LAYER.match(name):
        return int(found[1]), 0
    return None
