"""The students of N2N learning: networks of which a part is in use, so that proposals can be trained one by one."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ..compaction import compact
from ..networks import MLP, ConvNet
from ..networks.initial import blank


class Wired(nn.Module):
    """A perceptron with an FC layer from each layer to each later one, so that hidden layers can be left out."""

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        self.widths = tuple(widths)
        pairs = [(a, b) for a in range(len(widths)) for b in range(a + 1, len(widths))]
        self.links = nn.ModuleDict({f"{a}-{b}": blank(nn.Linear, widths[a], widths[b]) for a, b in pairs})

    def path(self, kept: Sequence[int]) -> list[nn.Linear]:
        """The layers in use where ``kept`` counts the neurons of each hidden layer, 0 for one left out."""
        stops = [0, *(index for index, width in enumerate(kept, 1) if width), len(self.widths) - 1]
        found = [self.links[f"{a}-{b}"] for a, b in itertools.pairwise(stops)]
        return [layer for layer in found if isinstance(layer, nn.Linear)]

    def forward(self, x: Tensor, kept: Sequence[int]) -> Tensor:
        """Logits (images, classes) of images ``x``."""
        h = x.flatten(1)
        for layer, width in zip(self.path(kept), [*(width for width in kept if width), None]):
            h = layer(h)
            if width is not None:
                h = torch.relu(h) * (torch.arange(h.shape[1], device=h.device) < width).to(h.dtype)
        return h

    @torch.no_grad()
    def small(self, kept: Sequence[int]) -> MLP:
        """The student alone, with the ``kept`` neurons of each layer."""
        widths = [self.widths[0], *(width for width in kept if width), self.widths[-1]]
        path = self.path(kept)
        made = MLP(widths, generator=torch.Generator()).to(path[0].weight)
        for layer, of, a, b in zip(made.layers, path, widths, widths[1:]):
            layer.weight.copy_(of.weight[:b, :a])
            layer.bias.copy_(of.bias[:b])
        return made.requires_grad_(False)


class Gated(nn.Module):
    """A student of a network with convolutions: fewer kernels and hidden neurons; no layer is left out."""

    def __init__(self, teacher: ConvNet) -> None:
        super().__init__()
        self.body = copy.deepcopy(teacher)

    def gates(self, kept: Sequence[int]) -> list[Tensor]:
        """Factors of ones for ``kept`` kernels and hidden neurons, zeros for the others."""
        widths, kernels = self.body.gate_widths(), len(self.body.plan)
        counts = [*kept[:kernels], widths[kernels], *kept[kernels:]]
        like = next(self.body.parameters())
        return [(torch.arange(width, device=like.device) < count).to(like) for width, count in zip(widths, counts)]

    def forward(self, x: Tensor, kept: Sequence[int]) -> Tensor:
        """Logits (images, classes) of images ``x``."""
        return self.body(x, self.gates(kept))

    @torch.no_grad()
    def small(self, kept: Sequence[int]) -> ConvNet:
        """The student alone."""
        return compact(self.body, self.gates(kept)).requires_grad_(False)
