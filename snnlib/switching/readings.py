"""What the switcher reads instead of the weights: controls that test whether reading them matters.

The paper has none of these. Each keeps steps, seeds and losses as they are and takes one thing away from the switcher:
see :data:`~snnlib.config.READS`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..config import SwitcherConfig
from .packing import PackedWeights


class Reading(nn.Module):
    """Maps packed weights to what a switcher of ``config.reads`` reads, and its factors back to the neurons.

    ``shapes`` (inputs, outputs) of the layers; everything random is drawn from ``generator``, and saved with the model.
    """

    state: Tensor  # of "shuffled": its seed, and how many orders were drawn

    def __init__(
        self, config: SwitcherConfig, shapes: list[tuple[int, int]], generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        self.kind = config.reads
        if self.kind == "noise":
            for index, shape in enumerate(shapes):
                self.register_buffer(f"noise{index}", torch.randn(shape, generator=generator))
        if self.kind in ("shuffled", "reordered"):
            for index, (rows, _) in enumerate(shapes):
                self.register_buffer(f"order{index}", torch.randperm(rows, generator=generator))
        if self.kind == "shuffled":
            seed = int(torch.randint(2**31, (), generator=generator))
            self.register_buffer("state", torch.tensor([seed, 0]))

    def forward(self, packed: PackedWeights) -> PackedWeights:
        """What the switcher reads in the place of ``packed``, of the same shapes."""
        # factors that are computed without a gradient belong to no step, and draw no new order
        if self.kind == "shuffled" and torch.is_grad_enabled():
            self._shuffle()
        layers = packed.unpack() if packed.layers is None else packed.layers
        read = [self._layer(index, weight) for index, weight in enumerate(layers)]
        return PackedWeights(None, packed.shapes, read)

    def _layer(self, index: int, weight: Tensor) -> Tensor:
        """What is read in the place of the weights of layer ``index``."""
        if self.kind == "constants":
            return torch.ones_like(weight)
        if self.kind == "noise":
            return getattr(self, f"noise{index}").to(weight.dtype)
        return weight[getattr(self, f"order{index}")]

    @torch.no_grad()
    def _shuffle(self) -> None:
        """Draw a new order for each layer."""
        self.state[1] += 1
        seed, count = self.state.tolist()
        generator = torch.Generator().manual_seed(seed * 2**31 + count)
        for index in range(len([name for name, _ in self.named_buffers() if name.startswith("order")])):
            order = getattr(self, f"order{index}")
            order.copy_(torch.randperm(len(order), generator=generator))

    def back(self, factors: list[Tensor]) -> list[Tensor]:
        """The factors of each layer, put back in the order of the neurons where the rows were "reordered"."""
        if self.kind != "reordered":
            return factors
        return [factor[torch.argsort(getattr(self, f"order{index}"))] for index, factor in enumerate(factors)]


class FreeFactors(nn.Module):
    """One free factor a neuron in the place of a :class:`~snnlib.switching.switcher.Switcher`: it reads nothing.

    Scores start as a switcher's do after its calibration: normal, of the mean and spread of ``config``.
    """

    def __init__(
        self, config: SwitcherConfig, layers: int, rows: int, cols: int, generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        self.config = config
        self.free = nn.Parameter(
            config.initial_mean + config.initial_spread * torch.randn(layers, rows, generator=generator)
        )

    def forward(self, packed: PackedWeights) -> Tensor:
        """Factors (layers, rows), all >= 0; ``packed`` is not read."""
        return torch.relu(self.free)

    def calibrate(self, packed: PackedWeights) -> None:
        """Nothing to do: the scores were drawn with the mean and spread of the settings."""
