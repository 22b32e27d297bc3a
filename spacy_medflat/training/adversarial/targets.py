"""Finding the embedding layers of components, and choosing among them by name."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from thinc.api import Model
from thinc.layers import embed, hashembed
from torch import nn

from ..._internals import forward_of, module_of
from .probes import Layer

# Tables that say where a token stands, not what it is.
PLACE = re.compile(r"position|token_type|segment|relative|distance|\bwpe\b")
THINC_LAYERS = {embed.forward: "embed", hashembed.forward: "hashembed"}


class Target(NamedTuple):
    """An embedding layer.

    component (str): name of the pipe it belongs to.
    name (str): the component and the path of the layer, such as `transformer.embeddings.word_embeddings`; thinc's
        layers are counted: `ner.hashembed`, `ner.hashembed#2`.
    layer (Embedding or Model): a torch module or a thinc layer.
    is_default (bool): whether it embeds words, as far as its name tells.
    """

    component: str
    name: str
    layer: Layer
    is_default: bool


def choose_targets(
    pipes: Iterable[tuple[str, Any]],
    components: Sequence[str] | None = None,
    names: Iterable[str] | None = None,
    *,
    trained_weights: bool = False,
) -> list[Target]:
    """The embedding layers to attack in these pipes.

    pipes (iterable of (str, Pipe)): names and components.
    components, names (list of str, or None): see `create_adversarial_training`.
    trained_weights (bool): the weights themselves are attacked, so they must be trained.
    RETURNS (list of Target): in the order of the pipeline.
    RAISES (ValueError): a component or a layer is not there, or its weights are fixed; the message says what there is.
    """
    models = {name: pipe.model for name, pipe in pipes if _is_trainable(pipe)}
    found = [target for name, model in models.items() for target in find_targets(name, model)]
    for name in components or ():
        if name not in models:
            raise ValueError(
                f"the component {name!r} cannot be attacked: it is absent, frozen, or not trainable. Trained "
                f"components are {', '.join(models) or 'none'}; {candidates(found)}"
            )
        if not any(target.component == name for target in found):
            raise ValueError(
                f"the component {name!r} has no embedding layer of its own (a listener's is that of the component "
                f"it listens to); {candidates(found)}"
            )
    if components is not None:
        found = [target for target in found if target.component in components]
    chosen = choose(found, names)
    for target in chosen:
        if trained_weights and isinstance(target.layer, nn.Embedding) and not target.layer.weight.requires_grad:
            raise ValueError(f"the weights of {target.name!r} are fixed and get no gradient: attack the output instead")
    return chosen


def find_targets(component: str, model: Model) -> list[Target]:
    """The embedding layers of a component: torch's `nn.Embedding`, thinc's `HashEmbed` and `Embed`.

    It cannot find embeddings that are made in another way (spaCy's `CharacterEmbed`, static vectors, a matrix product).

    component (str): name of the pipe.
    model (Model): its model.
    RETURNS (list of Target): each layer once, in the order of the model.
    """
    found: dict[int, Target] = {}
    used: Counter[str] = Counter()

    def add(path: str, layer: Layer, is_default: bool) -> None:
        name = f"{component}.{path}" if path else component
        used[name] += 1
        count = f"#{used[name]}" if used[name] > 1 else ""
        found.setdefault(id(layer), Target(component, name + count, layer, is_default))

    for node in model.walk():
        kind = THINC_LAYERS.get(forward_of(node))
        if kind:
            add(kind, node, True)
        for shim in node.shims:
            module = module_of(shim)
            if not isinstance(module, nn.Module):
                continue
            layers = {path: layer for path, layer in module.named_modules() if isinstance(layer, nn.Embedding)}
            words = {path for path in layers if path.endswith("word_embeddings")}
            words = words or {path for path in layers if not PLACE.search(path)}
            for path, layer in layers.items():
                add(path, layer, path in words)
    return list(found.values())


def choose(targets: Sequence[Target], names: Iterable[str] | None) -> list[Target]:
    """The targets with these names.

    targets (sequence of Target): all there are.
    names (iterable of str, or None): full names, paths without the component, or patterns of either (`*`, `?`); None
        for those that embed words.
    RETURNS (list of Target): in the order of `targets`.
    RAISES (ValueError): a name matches nothing, or nothing embeds words; the message lists the candidates.
    """
    if names is None:
        chosen = [target for target in targets if target.is_default]
        if not chosen:
            raise ValueError(f"there is no word embedding to attack; {candidates(targets)}")
        return chosen
    wanted: set[str] = set()
    for name in names:
        paths = {target.name: (target.name, target.name.removeprefix(f"{target.component}.")) for target in targets}
        matches = {full for full, both in paths.items() if name in both}
        matches = matches or {full for full, both in paths.items() if any(fnmatchcase(path, name) for path in both)}
        if not matches:
            raise ValueError(f"no embedding layer is called {name!r}; {candidates(targets)}")
        wanted |= matches
    if not wanted:
        raise ValueError(f"names is empty: leave it out for the word embeddings; {candidates(targets)}")
    return [target for target in targets if target.name in wanted]


def candidates(targets: Sequence[Target]) -> str:
    """The end of an error message: what can be attacked."""
    if not targets:
        return "no trained component has an embedding layer of torch's or thinc's"
    return f"the embedding layers are {', '.join(target.name for target in targets)}"


def _is_trainable(pipe: Any) -> bool:
    return bool(getattr(pipe, "is_trainable", False)) and isinstance(getattr(pipe, "model", None), Model)
