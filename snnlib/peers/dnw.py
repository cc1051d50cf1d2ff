"""Discovering neural wirings (Wortsman, Farhadi and Rastegari, NeurIPS 2019), in its form for a fixed architecture.

Only the largest weights of a layer, by magnitude, are used; the gradient goes to all of them as if they were (their
section 2.2 and Algorithm 1), so that an unused one can grow until it takes the place of another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .masked import MaskedWeights, apart_from_depthwise, largest
from .masked import Options as MaskOptions


@dataclass(frozen=True)
class Options(MaskOptions):
    """``first`` False leaves the first convolution whole, as the authors do."""

    first: bool = False


class _Masked(torch.autograd.Function):
    """``weight * mask``, whose gradient goes to all weights as it is."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, mask: Tensor) -> Tensor:
        return weight * mask

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor, None]:
        return gradients[0], None


class DNW(MaskedWeights):
    """The edges with the largest weights are used, all weights are trained."""

    Options = Options
    options: Any

    def prunable(self) -> list[str]:
        """All weights but those of depthwise convolutions, and of a first one unless asked for."""
        names = [f"{name}.weight" for name, _ in apart_from_depthwise(self.network)]
        whole = self.network.get_parameter(names[0]).dim() == 4 and not self.options.first
        return names[1:] if whole else names

    def weights(self) -> dict[str, Tensor]:
        """The largest weights of each layer; the gradient reaches all of them."""
        found: dict[str, Tensor] = {}
        for name in self.prunable():
            weight = self.network.get_parameter(name)
            mask = largest(weight.detach().abs(), self.options.density)
            found[name] = _Masked.apply(weight, mask)
        return found
