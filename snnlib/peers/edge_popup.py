"""Edge-popup (Ramanujan et al., CVPR 2020): the weights stay as they were drawn, the edges to use are learnt.

Each weight has a score; a layer uses the weights with the largest ones, and the scores are trained by the
straight-through estimator (their Eqs. 2 to 4): s <- s - rate * dL/dI * w z.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from ..networks import Network
from ..networks.count import layers
from ..networks.initial import zero_bias
from .base import flat
from .masked import MaskedWeights, largest
from .masked import Options as MaskOptions


@dataclass(frozen=True)
class Options(MaskOptions):
    """``start``: "signed" gives every weight of a layer the same size, the deviation of Kaiming's normal start."""

    density: float = 0.5
    start: Literal["signed", "kaiming"] = "signed"
    scaled: bool = False  # the start is divided by the root of the density, as the authors try

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.start not in ("signed", "kaiming"):
            raise ValueError(f"start={self.start!r}: choose 'signed' or 'kaiming'")


class _StraightThrough(torch.autograd.Function):
    """The mask of the largest scores; its gradient goes to the scores as it is."""

    @staticmethod
    def forward(ctx: Any, scores: Tensor, density: float) -> Tensor:
        return largest(scores, density).to(scores)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor, None]:
        return gradients[0], None


def straight_through(scores: Tensor, density: float) -> Tensor:
    """:func:`largest` as numbers 0 and 1, with the identity for its gradient (Bengio et al. 2013)."""
    return _StraightThrough.apply(scores, density)


class EdgePopup(MaskedWeights):
    """Weights frozen, biases 0, batch norm without scale and offset; only the scores are trained."""

    Options = Options
    options: Any

    @torch.no_grad()
    def add(self, network: Network, draw: torch.Generator) -> None:
        """Weights as they stay, and a score for each."""
        network.requires_grad_(False)
        for name, layer in layers(network):
            weight = layer.weight
            zero_bias(layer)
            fan_in = weight[0].numel()
            deviation = math.sqrt(2 / (fan_in * (self.options.density if self.options.scaled else 1)))
            normal = torch.randn(weight.shape, generator=draw)
            weight.copy_(deviation * (normal.sign() if self.options.start == "signed" else normal))
            bound = 1 / math.sqrt(fan_in)  # Kaiming's uniform with a = sqrt(5), as in the authors' code
            scores = (2 * torch.rand(weight.shape, generator=draw) - 1) * bound
            self.register_parameter(f"score_{flat(name)}", nn.Parameter(scores.to(weight)))

    def score(self, name: str) -> Tensor:
        """The scores of the weights ``name``."""
        return self.get_parameter(f"score_{flat(name.removesuffix('.weight'))}")

    def weights(self) -> dict[str, Tensor]:
        """The weights with the largest scores, by their absolute values."""
        return {
            name: self.network.get_parameter(name) * straight_through(self.score(name).abs(), self.options.density)
            for name in self.prunable()
        }
