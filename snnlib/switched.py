"""A task network with its switcher: pack the weights, ask for factors, gate (Fig. 1)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .config import SwitcherConfig
from .packing import PackedWeights, pack_linear, packed_size
from .switcher import Switcher


class Switched(nn.Module):
    """``network`` under the guidance of ``switcher``; both stay usable on their own.

    ``through_switcher`` False cuts the gradient from the factors back to the weights they were read from: the
    second term of Eq. 6 is then missing, everything else stays.
    """

    def __init__(self, network: nn.Module, switcher: Switcher, through_switcher: bool = True) -> None:
        super().__init__()
        self.network, self.switcher, self.through_switcher = network, switcher, through_switcher

    @classmethod
    def around(
        cls, network: nn.Module, config: SwitcherConfig, generator: torch.Generator | None = None, through_switcher: bool = True
    ) -> Switched:
        """Build a switcher of the right size for ``network`` and calibrate it on the network's weights."""
        shapes = [tuple(weight.shape) for weight in network.linear_weights()]
        reference = next(network.parameters())
        switcher = Switcher(config, *packed_size(shapes), generator=generator).to(reference.device, reference.dtype)
        switched = cls(network, switcher, through_switcher)
        switcher.calibrate(switched.pack())
        return switched

    def pack(self) -> PackedWeights:
        """The task network's weights as the switcher reads them."""
        return pack_linear(self.network.linear_weights())

    def gates(self) -> list[Tensor]:
        """One vector of factors (inputs,) a gated layer."""
        packed = self.pack()
        if not self.through_switcher:
            packed = packed.detach()
        return packed.split(self.switcher(packed))

    def forward(self, x: Tensor) -> Tensor:
        """Logits (images, classes) of the gated network (Eq. 2)."""
        return self.network(x, self.gates())


@torch.no_grad()
def dead_layers(gates: list[Tensor]) -> list[int]:
    """Indices of layers whose every factor is 0: such a network puts out a constant and gets no gradient."""
    return [index for index, gate in enumerate(gates) if not bool((gate > 0).any())]
