"""NestedNet (Kim, Ahn and Oh, CVPR 2018): several networks in one, the smaller within the larger.

Here its structured form (their section 3.3, channel scheduling): the core takes the first neurons of each hidden layer,
the full network takes all; they share their weights and are trained together by the sum of their losses (their Eq. 3).
Of a deep network the inputs of its fully connected layers are nested, as the paper quotes it for VGG16.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from ..networks import MLP, DeepNet, Network
from ..training.steps import arithmetic
from .base import Options as AnyOptions
from .base import Peer, check_share


@dataclass(frozen=True)
class Options(AnyOptions):
    """``levels`` are the shares of the neurons of each network, the core first; the core is judged."""

    levels: tuple[float, ...] = (0.5, 1.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.levels, tuple | list) or not self.levels:
            raise ValueError(f"levels={self.levels!r}: give shares in rising order, (0.5, 1.0) say")
        for level in self.levels:
            check_share("levels", level)
        if list(self.levels) != sorted(set(self.levels)):
            raise ValueError(f"levels={self.levels}: give shares in rising order")


class NestedNet(Peer):
    """Networks of several widths with shared weights. Pixels have no order to nest and are all kept."""

    Options = Options
    options: Options

    def add(self, network: Network, draw: torch.Generator) -> None:
        """The factors of each level."""
        for level, share in enumerate(self.options.levels):
            for layer, width in enumerate(network.gate_widths()):
                whole = not layer and isinstance(network, MLP)
                kept = width if whole else max(round(share * width), 1)
                gate = (torch.arange(width) < kept).to(next(network.parameters()))
                self.register_buffer(f"level_{level}_{layer}", gate, persistent=False)

    def gates_of(self, level: int) -> list[Tensor]:
        """The factors, 0 or 1, of the network of this ``level``."""
        return [self.get_buffer(f"level_{level}_{layer}") for layer in range(len(self.network.gate_widths()))]

    def gates(self) -> list[Tensor]:
        """Those of the core."""
        return self.gates_of(0)

    def loss(self, x: Tensor, y: Tensor) -> Tensor:
        """The mean of the losses of all levels, which share the features before the layers that are nested."""
        network, features = self.network, None
        if isinstance(network, DeepNet):
            network, features = network.head, network.featured
        with arithmetic(x.device, self.config.precision):
            h = x if features is None else features(x)
            logits = [network(h, self.gates_of(level)) for level in range(len(self.options.levels))]
        return torch.stack([F.cross_entropy(each.to(x.dtype), y) for each in logits]).mean()

    def forward(self, x: Tensor, gates: Sequence[Tensor] | None = None) -> Tensor:
        """Logits of the core."""
        return self.network(x, self.gates())
