"""A task network with its switcher: pack the weights, ask for factors, gate (Fig. 1)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .config import SwitcherConfig
from .kernels import KernelSwitcher
from .packing import PackedWeights, pack_linear, packed_size
from .switcher import Switcher


class Switched(nn.Module):
    """``network`` under the guidance of its switchers; all stay usable on their own.

    ``switcher`` reads the FC layers; ``kernel_switcher`` the convolutions, None where none is switched.
    ``through_switcher`` False cuts the gradient from the factors back to the weights they were read from: the
    second term of Eq. 6 is then missing, everything else stays.
    """

    def __init__(
        self, network: nn.Module, switcher: Switcher, through_switcher: bool = True, kernel_switcher: KernelSwitcher | None = None
    ) -> None:
        super().__init__()
        self.network, self.switcher, self.kernel_switcher = network, switcher, kernel_switcher
        self.through_switcher = through_switcher

    @classmethod
    def around(
        cls, network: nn.Module, config: SwitcherConfig, generator: torch.Generator | None = None, through_switcher: bool = True
    ) -> Switched:
        """Build switchers of the right size for ``network`` and calibrate them on the network's weights."""
        reference, kernels = next(network.parameters()), network.kernel_weights()
        shapes = [tuple(weight.shape) for weight in network.linear_weights()]
        switcher = Switcher(config, *packed_size(shapes), generator=generator)
        kernel_switcher = KernelSwitcher(config, [tuple(weight.shape) for weight in kernels], generator) if kernels else None
        switched = cls(network, switcher, through_switcher, kernel_switcher).to(reference.device, reference.dtype)
        switcher.calibrate(switched.pack())
        if kernel_switcher is not None:
            kernel_switcher.calibrate(kernels)
        return switched

    def switcher_side(self) -> nn.ModuleList:
        """What a switcher step trains: both switchers."""
        return nn.ModuleList(part for part in (self.switcher, self.kernel_switcher) if part is not None)

    def pack(self) -> PackedWeights:
        """The FC layers' weights as the switcher reads them."""
        return pack_linear(self.network.linear_weights())

    def gates(self) -> list[Tensor]:
        """One vector of factors a gated layer: a kernel each for convolutions, then an input each for FC layers."""
        packed, kernels = self.pack(), self.network.kernel_weights()
        if not self.through_switcher:
            packed, kernels = packed.detach(), [weight.detach() for weight in kernels]
        factors = self.kernel_switcher(kernels) if self.kernel_switcher is not None else []
        return [*factors, *packed.split(self.switcher(packed))]

    def forward(self, x: Tensor) -> Tensor:
        """Logits (images, classes) of the gated network (Eqs. 2 and 4)."""
        return self.network(x, self.gates())


@torch.no_grad()
def dead_layers(gates: list[Tensor]) -> list[int]:
    """Indices of layers whose every factor is 0: such a network puts out a constant and gets no gradient."""
    return [index for index, gate in enumerate(gates) if not bool((gate > 0).any())]
