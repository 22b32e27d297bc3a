"""The layers of a pipeline that can be compressed, and their exchange."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from spacy.language import Language
from spacy.pipeline.trainable_pipe import TrainablePipe
from torch import nn

from .._internals import module_of
from ..encoder.recipe import INT8_LAYERS
from ..errors import MedflatError
from ..int8 import compressible, int8_names, int8_of, replace_layer


@dataclass
class Part:
    """A layer of a torch module in a pipeline.

    owner (str): the component, for messages.
    module (Module): of the component's model.
    name (str): of the layer in the module.
    """

    owner: str
    module: nn.Module = field(repr=False)
    name: str

    def __post_init__(self) -> None:
        self._float = self.module.get_submodule(self.name)
        self._int8 = int8_of(self._float)

    def __str__(self) -> str:
        return f"{self.owner} {self.name}"

    def use(self, int8: bool) -> None:
        """Compute with 8 bits, or in float32."""
        replace_layer(self.module, self.name, self._int8 if int8 else self._float)


def parts_of(nlp: Language, model: object) -> list[Part]:
    """All layers of a pipeline that can be compressed.

    model (object): name or folder of the pipeline, for messages.
    RAISES (MedflatError): it is compressed already, or has no character transformer.
    """
    modules = list(_modules(nlp))
    if any(int8_names(module) for _, module, _ in modules):
        raise MedflatError(f"the pipeline {str(model)!r} is compressed already; give the one it was made from")
    if not any(is_encoder for _, _, is_encoder in modules):
        raise MedflatError(
            f"the pipeline {str(model)!r} has no character transformer to compress; it has {', '.join(nlp.pipe_names)} "
            "(compress the members of an ensemble, and put the results together)"
        )
    return [Part(owner, module, name) for owner, module, _ in modules for name in compressible(module)]


def name_layers(nlp: Language) -> None:
    """Let the configs of encoders name their layers with 8-bit weights, so that saved ones can be loaded."""
    for _, module, is_encoder in _modules(nlp):
        if is_encoder:
            setattr(module.config, INT8_LAYERS, int8_names(module))


def _modules(nlp: Language) -> Iterator[tuple[str, nn.Module, bool]]:
    """Name of the component, torch module, and whether it is a character transformer's encoder."""
    for name, pipe in nlp.pipeline:
        if not isinstance(pipe, TrainablePipe):
            continue
        nodes = list(pipe.model.walk())
        encoders = {id(node.layers[0]) for node in nodes if node.name == "char_transformer"}
        for node in nodes:
            # Only ours know how to save 8-bit layers.
            if id(node) in encoders or "make_module" in node.attrs:
                for shim in node.shims:
                    if isinstance(module := module_of(shim), nn.Module):
                        yield name, module, id(node) in encoders
