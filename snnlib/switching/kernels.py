"""The switcher of convolutions (section 3.3.2, Eq. 4): a learned convolution reads each kernel into a feature row.

Kernels of different layers have different numbers of weights. One convolution a layer, as large as that layer's
kernels, turns every kernel into a row of ``kernel_features`` numbers; the rows of all layers, stacked, are the single
matrix that a :class:`~snnlib.switching.switcher.Switcher` of one channel reads. One factor a kernel comes out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ..config import SwitcherConfig
from ..networks.initial import blank, module_list, zero_bias
from .packing import PackedWeights
from .switcher import Switcher


class KernelSwitcher(nn.Module):
    """Maps the weights of convolutions (kernels, channels, height, width) to one vector of factors (kernels,) a layer.

    ``shapes`` are the weights' shapes, one a layer; numbers of kernels, channels and sides may differ. Weights are
    drawn from ``generator``. Raises ``ValueError`` for no layer, or for a shape that is no convolution's.
    """

    def __init__(
        self, config: SwitcherConfig, shapes: Sequence[tuple[int, ...]], generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        if not shapes:
            raise ValueError("no convolutions to switch: give the shape of at least one layer's kernels")
        for index, shape in enumerate(shapes):
            if len(shape) != 4 or min(shape) < 1:
                raise ValueError(
                    f"convolution {index} has kernels of shape {tuple(shape)}: give (kernels, channels, height, "
                    "width), each 1 or more"
                )
        self.shapes = tuple(tuple(shape) for shape in shapes)
        self.sizes = tuple(shape[0] for shape in shapes)
        self.readers = module_list(
            blank(nn.Conv2d, shape[1], config.kernel_features, (shape[2], shape[3])) for shape in shapes
        )
        with torch.no_grad():
            for reader in self.readers:
                reader.weight.normal_(0.0, math.sqrt(1 / reader.weight[0].numel()), generator=generator)
                zero_bias(reader)
        self.switcher = Switcher(config, 1, sum(self.sizes), config.kernel_features, generator)

    def pack(self, kernels: Sequence[Tensor]) -> PackedWeights:
        """The feature rows of all kernels, stacked to (1, kernels of all layers, features).

        Raises ``ValueError`` where the kernels are not of the shapes that the readers were built for.
        """
        found = tuple(tuple(weight.shape) for weight in kernels)
        if found != self.shapes:
            raise ValueError(f"kernels of shapes {found} for a switcher built for {self.shapes}")
        rows = torch.cat([reader(weight).flatten(1) for reader, weight in zip(self.readers, kernels)])
        return PackedWeights(None, ((rows.shape[0], rows.shape[1]),), (rows,))

    def forward(self, kernels: Sequence[Tensor]) -> list[Tensor]:
        """One vector of factors (kernels,) a layer, all 0 or above."""
        return list(self.switcher(self.pack(kernels))[0].split(self.sizes))

    @torch.no_grad()
    def calibrate(self, kernels: Sequence[Tensor]) -> None:
        """Scale each reader to its layer's weights, then the switcher as :meth:`Switcher.calibrate` does.

        All layers share the switcher's one channel: mean and spread hold over the kernels of all layers together.
        """
        if self.switcher.config.calibrate and self.switcher.config.scale_inputs:
            for reader, weight in zip(self.readers, kernels):
                reader.weight /= weight.square().mean().sqrt().clamp_min(1e-8)
        self.switcher.calibrate(self.pack(kernels))
