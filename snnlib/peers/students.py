"""The students of N2N learning: networks of which a part is in use, so that proposals can be trained one by one."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from ..compaction import compact
from ..metrics import weight_count
from ..networks import MLP, ConvNet, DeepNet, Network
from ..networks.count import shape
from ..networks.initial import blank
from ..networks.residual import Residual


class Student(nn.Module):
    """A network of which ``kept`` neurons or kernels of each layer are in use, of the ``full`` number of each."""

    REMOVES: ClassVar[bool]
    """Whether a layer may be left out, its number 0."""

    full: list[int]
    convolutions: int
    """So many of the layers, from the first on, are convolutions."""

    def forward(self, x: Tensor, kept: Sequence[int]) -> Tensor:
        """Logits (images, classes) of images ``x``."""
        raise NotImplementedError

    def small(self, kept: Sequence[int]) -> Network:
        """The student alone."""
        raise NotImplementedError

    def weights(self, kept: Sequence[int]) -> int:
        """Weights of :meth:`small`, biases left out."""
        raise NotImplementedError


class Wired(Student):
    """A perceptron with an FC layer from each layer to each later one, so that hidden layers can be left out."""

    REMOVES = True
    convolutions = 0

    def __init__(self, teacher: MLP) -> None:
        super().__init__()
        self.widths = widths = teacher.widths
        self.full = list(widths[1:-1])
        pairs = [(a, b) for a in range(len(widths)) for b in range(a + 1, len(widths))]
        self.links = nn.ModuleDict({f"{a}-{b}": blank(nn.Linear, widths[a], widths[b]) for a, b in pairs})

    def path(self, kept: Sequence[int]) -> list[nn.Linear]:
        """The layers in use where ``kept`` counts the neurons of each hidden layer, 0 for one left out."""
        stops = [0, *(index for index, width in enumerate(kept, 1) if width), len(self.widths) - 1]
        found = [self.links[f"{a}-{b}"] for a, b in itertools.pairwise(stops)]
        return [layer for layer in found if isinstance(layer, nn.Linear)]

    def forward(self, x: Tensor, kept: Sequence[int]) -> Tensor:
        h = x.flatten(1)
        for layer, width in zip(self.path(kept), [*(width for width in kept if width), None]):
            h = layer(h)
            if width is not None:
                h = torch.relu(h) * (torch.arange(h.shape[1], device=h.device) < width).to(h.dtype)
        return h

    @torch.no_grad()
    def small(self, kept: Sequence[int]) -> MLP:
        widths = [self.widths[0], *(width for width in kept if width), self.widths[-1]]
        path = self.path(kept)
        made = MLP(widths, generator=torch.Generator()).to(path[0].weight)
        for layer, of, a, b in zip(made.layers, path, widths, widths[1:]):
            layer.weight.copy_(of.weight[:b, :a])
            layer.bias.copy_(of.bias[:b])
        return made.requires_grad_(False)

    def weights(self, kept: Sequence[int]) -> int:
        return weight_count([self.widths[0], *(width for width in kept if width)], outputs=self.widths[-1])


class Gated(Student):
    """A student of a network with convolutions: fewer kernels and hidden neurons; no layer is left out."""

    REMOVES = False

    def __init__(self, teacher: ConvNet) -> None:
        super().__init__()
        self.body = copy.deepcopy(teacher)
        self.convolutions = len(teacher.plan)
        self.full = [*(stage.kernels for stage in teacher.plan), *teacher.head.widths[1:-1]]

    def gates(self, kept: Sequence[int]) -> list[Tensor]:
        """Factors of ones for ``kept`` kernels and hidden neurons, zeros for the others."""
        widths, kernels = self.body.gate_widths(), self.convolutions
        counts = [*kept[:kernels], widths[kernels], *kept[kernels:]]
        like = next(self.body.parameters())
        return [(torch.arange(width, device=like.device) < count).to(like) for width, count in zip(widths, counts)]

    def forward(self, x: Tensor, kept: Sequence[int]) -> Tensor:
        return self.body(x, self.gates(kept))

    @torch.no_grad()
    def small(self, kept: Sequence[int]) -> ConvNet:
        return compact(self.body, self.gates(kept)).requires_grad_(False)

    def weights(self, kept: Sequence[int]) -> int:
        kernels, body = self.convolutions, self.body
        return weight_count([*kept[:kernels], kept[kernels - 1] * body.map_pixels, *kept[kernels:]], **shape(body))


class Shortened(Student):
    """A student of a ResNet: fewer kernels between the convolutions of a block, or its shortcut alone."""

    REMOVES = True

    def __init__(self, teacher: DeepNet) -> None:
        super().__init__()
        self.body = copy.deepcopy(teacher)
        self.full = list(self.features.inner())
        self.convolutions = len(self.full)

    @property
    def features(self) -> Residual:
        """Those of the body."""
        assert isinstance(self.body.features, Residual)
        return self.body.features

    def forward(self, x: Tensor, kept: Sequence[int]) -> Tensor:
        return self.body.head(self.features(x, kept))

    @torch.no_grad()
    def small(self, kept: Sequence[int]) -> DeepNet:
        body = self.body
        made = DeepNet(body.name, body.image, self.features.narrowed(kept), copy.deepcopy(body.head))
        return made.train(self.training).requires_grad_(False)

    def weights(self, kept: Sequence[int]) -> int:
        return self.features.weights(kept) + sum(weight.numel() for weight in self.body.linear_weights())


def student_of(teacher: Network) -> Student:
    """A student of ``teacher``, its weights unset; ``ValueError`` for a network whose layers it cannot shrink."""
    if isinstance(teacher, MLP):
        return Wired(teacher)
    if isinstance(teacher, ConvNet):
        return Gated(teacher)
    if isinstance(teacher.features, Residual):
        return Shortened(teacher)
    raise ValueError(
        f"N2N cannot prune {teacher.name}: its students have fewer hidden neurons, fewer kernels of switched "
        "convolutions, or fewer within residual blocks; it takes mlp, lenet5-caffe, vgg-cov2 or resnet34"
    )
