"""A task network with its switcher: pack the weights, compute the factors, apply them (Fig. 1)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..config import SwitcherConfig
from ..networks import TaskNetwork
from ..networks.protocol import check_network
from .kernels import KernelSwitcher
from .packing import PackedWeights, pack_linear, packed_size
from .readings import FreeFactors, Reading
from .switcher import Switcher


class Switched(nn.Module):
    """``network`` with its switchers; each stays usable on its own.

    ``switcher`` reads the FC layers, ``kernel_switcher`` the convolutions; each is None where none is switched.
    ``through_switcher`` False cuts the gradient from the factors back to the weights they were read from: the
    second term of Eq. 6 is then missing, everything else stays. ``reading`` changes what the switcher is fed.
    """

    network: TaskNetwork
    switcher: Switcher | FreeFactors | None
    kernel_switcher: KernelSwitcher | None
    reading: Reading | None

    def __init__(
        self,
        network: TaskNetwork,
        switcher: Switcher | FreeFactors | None,
        through_switcher: bool = True,
        kernel_switcher: KernelSwitcher | None = None,
        reading: Reading | None = None,
    ) -> None:
        super().__init__()
        self.reading = reading
        self.network, self.switcher, self.kernel_switcher = network, switcher, kernel_switcher
        self.through_switcher = through_switcher

    @classmethod
    def around(
        cls,
        network: TaskNetwork,
        config: SwitcherConfig,
        generator: torch.Generator | None = None,
        through_switcher: bool = True,
    ) -> Switched:
        """Build switchers of the right size for ``network`` and calibrate them on the network's weights.

        Their weights are drawn from ``generator``, without one from torch's global generator. For one result from one
        seed give ``snnlib.generator(seed, "switcher")``, and ``generator(seed, "network")`` to the network.

        Raises ``TypeError`` where ``network`` lacks what a task network has or ``generator`` is none, and
        ``ValueError`` for a control (``config.reads``) of a network with switched convolutions.
        """
        check_network(network)
        if generator is not None and not isinstance(generator, torch.Generator):
            raise TypeError(
                f"generator is a {type(generator).__name__}: give snnlib.generator({generator!r}, 'switcher'), say"
            )
        reference, kernels = next(network.parameters()), network.kernel_weights()
        if config.reads != "weights" and kernels:
            raise ValueError(
                f"reads={config.reads!r}: the controls are made for networks whose FC layers alone are switched, an "
                "MLP for example"
            )
        shapes = [(weight.shape[0], weight.shape[1]) for weight in network.linear_weights()]
        kind = FreeFactors if config.reads == "nothing" else Switcher
        switcher = kind(config, *packed_size(shapes), generator=generator) if shapes else None
        reading = Reading(config, shapes, generator) if config.reads not in ("weights", "nothing") else None
        kernel_switcher = (
            KernelSwitcher(config, [tuple(weight.shape) for weight in kernels], generator) if kernels else None
        )
        switched = cls(network, switcher, through_switcher, kernel_switcher, reading).to(
            reference.device, reference.dtype
        )
        if switcher is not None:
            with torch.no_grad():
                switcher.calibrate(switched.pack())
        if kernel_switcher is not None:
            kernel_switcher.calibrate(kernels)
        return switched

    def switcher_side(self) -> nn.ModuleList:
        """The modules that a switcher step trains: both switchers."""
        return nn.ModuleList(part for part in (self.switcher, self.kernel_switcher) if part is not None)

    def pack(self) -> PackedWeights:
        """The FC layers' weights as the switcher reads them, or what a control gives it instead."""
        packed = pack_linear(self.network.linear_weights())
        return packed if self.reading is None else self.reading(packed)

    def gates(self) -> list[Tensor]:
        """One vector of factors a gated layer: a kernel each for convolutions, then an input each for FC layers."""
        kernels, factors = self.network.kernel_weights(), list[Tensor]()
        if self.kernel_switcher is not None:
            factors = self.kernel_switcher(kernels if self.through_switcher else [each.detach() for each in kernels])
        if self.switcher is None:
            return factors
        packed = self.pack() if self.through_switcher else self.pack().detach()
        read = packed.split(self.switcher(packed))
        return [*factors, *(read if self.reading is None else self.reading.back(read))]

    def forward(self, x: Tensor) -> Tensor:
        """Logits (images, classes) of the gated network (Eqs. 2 and 4)."""
        return self.network(x, self.gates())


class Masked(nn.Module):
    """``network`` with neurons left out for good: factors that are 0 or 1 and never change.

    ``keep`` (inputs,) of each gated layer, True where a neuron stays.
    """

    network: TaskNetwork

    def __init__(self, network: TaskNetwork, keep: list[Tensor]) -> None:
        super().__init__()
        self.network = network
        for index, kept in enumerate(keep):
            self.register_buffer(f"keep{index}", kept.bool())

    def gates(self) -> list[Tensor]:
        """One vector of zeros and ones for each gated layer."""
        reference = next(self.network.parameters())
        return [kept.to(reference.dtype) for kept in self.buffers(recurse=False)]

    def forward(self, x: Tensor, gates: None = None) -> Tensor:
        """Logits (images, classes) of what is left of the network; it takes no other factors."""
        return self.network(x, self.gates())


@torch.no_grad()
def dead_layers(gates: list[Tensor]) -> list[int]:
    """Indices of layers whose factors are all 0: such a network puts out a constant and gets no gradient."""
    return [index for index, gate in enumerate(gates) if not bool((gate > 0).any())]
