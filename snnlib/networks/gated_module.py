"""Any module as a task network: the layers that :mod:`~snnlib.networks.traced` finds get factors.

The factors are multiplied into the weights that read them, (X ⊙ g) W = X (g ⊙ W), and the module runs with these
weights in the place of its own (``torch.func.functional_call``). Other ways were open:

- A parametrization renames the module's weights, and the switcher must read them without the factors.
- Hooks hold state between the calls, and multiply maps, of which there are more than weights.
- An interpreted graph is fixed by the example that it was traced with: one that was traced in evaluation mode leaves
  ``F.dropout`` out in training.

So the module's class, its state_dict and its hooks stay as they are, and its own forward runs.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.func import functional_call

from .gates import check_gates
from .traced import Path, Traced, trace


class GatedModule(nn.Module):
    """``module`` with factors, a :class:`~snnlib.networks.protocol.TaskNetwork`.

    ``example`` is a batch of images (images, channels, height, width) as ``module`` takes them. ``layers`` selects by
    name what gets factors: a Conv2d a factor a kernel (Eq. 4), a Linear a factor an input (Eq. 2); the name of a
    larger part ("layer4") stands for all layers in it that can. None takes all that can. ``switched`` names those
    that have factors, convolutions first, as :meth:`gate_widths` counts them; ``refused`` says of each layer that
    cannot have any why. Raises ``ValueError`` where a named layer cannot, or no layer at all.

    A factor of Eq. 4 multiplies the map after its activation, before or after pooling: for factors of 0 and above,
    which pass through pooling, that is the same. A map whose factor is 0 is 0 where the next layer reads it, whatever
    batch norm adds on the way.
    """

    def __init__(self, module: nn.Module, example: Tensor, layers: Sequence[str] | None = None) -> None:
        super().__init__()
        channels, height, width = _image(example)
        found = trace(module, example)
        chosen = _chosen(module, found, layers)
        self.module, self.refused = module, found.refused
        self.image = channels, height, width
        self.kernels = tuple(name for name in found.kernels if name in chosen)
        self.inputs = tuple(name for name in found.inputs if name in chosen)
        self.paths: tuple[Path, ...] = tuple(found.paths.values())

    def extra_repr(self) -> str:
        kinds = [*["kernels"] * len(self.kernels), *["inputs"] * len(self.inputs)]
        rows = [
            f"{name}: {width} {kind}, a factor each"
            for name, width, kind in zip(self.switched, self.gate_widths(), kinds)
        ]
        return "\n".join([*rows, *(f"{name}: no factors: {why}" for name, why in self.refused.items())])

    @property
    def readers(self) -> set[str]:
        """Names of the layers that read something switched: those whose weights the factors are multiplied into."""
        return {*self.inputs, *(path.reader for path in self.paths if path.source in self.kernels)}

    @property
    def switched(self) -> tuple[str, ...]:
        """Names of the layers with factors: convolutions, then Linear layers."""
        return self.kernels + self.inputs

    def weight(self, layer: str) -> nn.Parameter:
        """The weight of the layer of this name."""
        return self.module.get_parameter(f"{layer}.weight")

    def gate_widths(self) -> tuple[int, ...]:
        """Number of factors: one a kernel for each convolution, then one an input for each Linear layer."""
        widths = [len(self.weight(name)) for name in self.kernels]
        return (*widths, *(self.weight(name).shape[1] for name in self.inputs))

    def kernel_weights(self) -> list[Tensor]:
        """Weights (kernels, channels, height, width) of the switched convolutions."""
        return [self.weight(name) for name in self.kernels]

    def linear_weights(self) -> list[Tensor]:
        """Weights (inputs, outputs) of the switched Linear layers."""
        return [self.weight(name).t() for name in self.inputs]

    def factors(self, gates: Sequence[Tensor]) -> dict[str, Tensor]:
        """Name of each layer that reads something switched to one factor (inputs,) for each of its inputs."""
        check_gates(gates, self.gate_widths(), len(self.kernels))
        found = dict(zip(self.inputs, gates[len(self.kernels) :]))
        by_source = {path.source: path for path in self.paths}
        for name, gate in zip(self.kernels, gates):
            _, reader, pixels = by_source[name]
            maps = gate.repeat_interleave(pixels) if pixels > 1 else gate
            found[reader] = found[reader] * maps if reader in found else maps
        return found

    def weights(self, gates: Sequence[Tensor]) -> dict[str, Tensor]:
        """Names of parameters to weights with the factors of what they read multiplied in, g ⊙ W."""
        scaled: dict[str, Tensor] = {}
        for name, factors in self.factors(gates).items():
            weight = self.weight(name)
            scaled[f"{name}.weight"] = weight * factors.to(weight).view(1, -1, *[1] * (weight.ndim - 2))
        return scaled

    def forward(self, x: Tensor, gates: Sequence[Tensor] | None = None) -> Tensor:
        """Logits (images, classes) of images ``x``; ``gates`` as :meth:`gate_widths`, None for the module alone."""
        return self.module(x) if gates is None else functional_call(self.module, self.weights(gates), (x,))


def _image(example: Tensor) -> tuple[int, int, int]:
    """(channels, height, width) of ``example``; ``ValueError`` where it is no batch of images."""
    if example.ndim != 4:
        raise ValueError(
            f"an example of shape {tuple(example.shape)}: give a batch of images (images, channels, height, width), "
            "e.g. torch.zeros(1, 3, 32, 32). snnlib trains classifiers of images; a row of a table can be an image of "
            "one line, x.view(rows, 1, 1, columns), before an nn.Flatten"
        )
    _, channels, height, width = example.shape
    return channels, height, width


def _chosen(module: nn.Module, found: Traced, layers: Sequence[str] | None) -> set[str]:
    """The names that ``layers`` selects among those that were found; ``ValueError`` says all that is wrong at once."""
    able = found.kernels + found.inputs
    if layers is None:
        if not able:
            raise ValueError(f"no layer of {type(module).__name__} can be switched. {_reasons(found.refused)}")
        return set(able)
    if isinstance(layers, str):
        layers = [layers]
    known, wrong, chosen = dict(module.named_modules()), list[str](), set[str]()
    for name in layers:
        below = {each for each in able if each == name or each.startswith(f"{name}.")}
        if name not in known:
            wrong.append(f"there is no layer {name!r}; those that can be switched are {', '.join(able) or 'none'}.")
        elif not below:
            inside = {each: why for each, why in found.refused.items() if f"{each}.".startswith(f"{name}.")}
            wrong.append(f"{name} cannot be switched. {_reasons(inside)}")
        chosen |= below
    if wrong or not chosen:
        raise ValueError(" ".join(wrong) or "layers=[]: name a layer, or give None for all that can be switched")
    return chosen


def _reasons(refused: dict[str, str]) -> str:
    """Each layer with the reason why it was refused, as sentences."""
    return " ".join(f"{name}: {why}." for name, why in refused.items()) or "It holds no Linear and no Conv2d layer."
