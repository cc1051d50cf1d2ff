"""ResNet34: residual blocks whose output widths are tied to one another, and whose inner widths are free.

Between its two convolutions a block may have fewer kernels, or none: then its shortcut alone is left. So students of
N2N learning are made; the paper's switcher touches the FC layer alone. Parts are called as torchvision calls them,
whose block has no inner width.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .deep import DeepNet, check_size, named, of_width, stem_stride
from .initial import blank, module_list

PLAN = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))
"""Outputs at full width, number and first stride of the blocks of ResNet34's four stages."""


class Block(nn.Module):
    """Two convolutions of 3 x 3 with batch norm, ``inner`` kernels in the first, and a shortcut beside them.

    The shortcut has a convolution of its own where the block changes the shape.
    """

    def __init__(self, inputs: int, outputs: int, stride: int, inner: int) -> None:
        super().__init__()
        self.inputs, self.outputs, self.stride, self.inner = inputs, outputs, stride, inner
        if inner:
            self.conv1 = blank(nn.Conv2d, inputs, inner, 3, stride=stride, padding=1, bias=False)
            self.bn1 = blank(nn.BatchNorm2d, inner)
            self.conv2 = blank(nn.Conv2d, inner, outputs, 3, padding=1, bias=False)
            self.bn2 = blank(nn.BatchNorm2d, outputs)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            narrow = blank(nn.Conv2d, inputs, outputs, 1, stride=stride, bias=False)
            self.downsample = nn.Sequential(narrow, blank(nn.BatchNorm2d, outputs))

    def forward(self, x: Tensor, inner: int | None = None) -> Tensor:
        """Maps (images, outputs, height, width) of maps ``x``, with the first ``inner`` kernels; None: with all."""
        shortcut = x if self.downsample is None else self.downsample(x)
        inner = self.inner if inner is None else inner
        if not inner:
            return torch.relu(shortcut)
        if inner == self.inner:
            h = self.conv2(self.bn1(self.conv1(x)).relu_())
        else:
            norm = self.bn1
            assert norm.running_mean is not None and norm.running_var is not None and norm.momentum is not None
            h = F.conv2d(x, self.conv1.weight[:inner], stride=self.stride, padding=1)
            running = norm.running_mean[:inner], norm.running_var[:inner]
            affine = norm.weight[:inner], norm.bias[:inner]
            h = F.batch_norm(h, *running, *affine, norm.training, norm.momentum, norm.eps).relu_()
            h = F.conv2d(h, self.conv2.weight[:, :inner], padding=1)
        return self.bn2(h).add_(shortcut).relu_()

    def weights(self, inner: int) -> int:
        """Weights of the convolutions with the first ``inner`` kernels."""
        shortcut = 0 if self.downsample is None else self.inputs * self.outputs
        return 9 * inner * (self.inputs + self.outputs) + shortcut


class Residual(nn.Module):
    """The features of ResNet34: a convolution, and blocks in stages of rising width and falling resolution.

    ``channels`` of the images, ``stride`` of the first convolution, ``width`` that multiplies the kernels of all, and
    the ``inner`` width of each block, in their order; None: that of its outputs. Raises ``ValueError`` for another
    number of them.
    """

    def __init__(self, channels: int, stride: int, width: float = 1.0, inner: Sequence[int] | None = None) -> None:
        super().__init__()
        self.channels, self.stride, self.width = channels, stride, width
        whole = [of_width(kernels, width) for kernels, count, _ in PLAN for _ in range(count)]
        inner = whole if inner is None else inner
        if len(inner) != len(whole):
            raise ValueError(f"inner={tuple(inner)}: give one width for each of {len(whole)} blocks")
        left, inputs = iter(inner), whole[0]
        self.conv1 = blank(nn.Conv2d, channels, inputs, 3, stride=stride, padding=1, bias=False)
        self.bn1 = blank(nn.BatchNorm2d, inputs)
        for number, (kernels, count, first) in enumerate(PLAN, 1):
            outputs = of_width(kernels, width)
            ends = [(inputs, first), *[(outputs, 1)] * (count - 1)]
            stage = module_list(Block(a, outputs, step, next(left)) for a, step in ends)
            setattr(self, f"layer{number}", stage)
            inputs = outputs

    @property
    def stages(self) -> list[Sequence[Block]]:
        """The blocks of each stage."""
        return [getattr(self, f"layer{number}") for number in range(1, len(PLAN) + 1)]

    def blocks(self) -> list[Block]:
        """The blocks in their order."""
        return [block for stage in self.stages for block in stage]

    def inner(self) -> tuple[int, ...]:
        """The inner width of each block."""
        return tuple(block.inner for block in self.blocks())

    def forward(self, x: Tensor, inner: Sequence[int] | None = None) -> Tensor:
        """Means (images, kernels, 1, 1) of the last maps of images ``x``, with so many kernels ``inner`` each block."""
        h = self.bn1(self.conv1(x)).relu_()
        for block, kernels in zip(self.blocks(), self.inner() if inner is None else inner, strict=True):
            h = block(h, kernels)
        return F.adaptive_avg_pool2d(h, 1)

    @torch.no_grad()
    def narrowed(self, inner: Sequence[int]) -> Residual:
        """Features of their own with the first ``inner`` kernels of each block."""
        made, mine = Residual(self.channels, self.stride, self.width, inner), self.state_dict()
        made.load_state_dict(
            {name: mine[name][tuple(map(slice, values.shape))] for name, values in made.state_dict().items()}
        )
        return made.to(self.conv1.weight).train(self.training)

    def narrow_as(self, tensors: Mapping[str, Tensor], prefix: str) -> Residual:
        """Features, their weights unset, of the inner widths that ``tensors`` have, called after ``prefix``."""
        names = (
            f"{prefix}layer{number}.{place}"
            for number, stage in enumerate(self.stages, 1)
            for place in range(len(stage))
        )
        found = (tensors.get(f"{name}.conv1.weight") for name in names)
        inner = [0 if weight is None else len(weight) for weight in found]
        return Residual(self.channels, self.stride, self.width, inner)

    def weights(self, inner: Sequence[int]) -> int:
        """Weights of the convolutions with the first ``inner`` kernels of each block."""
        blocks = zip(self.blocks(), inner, strict=True)
        return self.conv1.weight.numel() + sum(block.weights(kernels) for block, kernels in blocks)


def resnet34_cifar(
    image: tuple[int, int, int] = (3, 32, 32),
    classes: int = 10,
    width: float = 1.0,
    fc_std: float = 0.01,
    generator: torch.Generator | None = None,
) -> DeepNet:
    """ResNet34 with the stem for small images: a 3 x 3 convolution of stride 1, no pooling; one FC layer of 512 inputs.

    84 x 84 images (Mini-ImageNet) halve once more, by stride 2 in the stem. ``width`` multiplies the kernels of each
    convolution, as MobileNetV1's does.
    """
    stride = stem_stride(image)
    check_size(image, halvings=3 + stride - 1)
    features, inputs = Residual(image[0], stride, width), of_width(PLAN[-1][0], width)
    return DeepNet.drawn(named("resnet34", width), image, features, (inputs, classes), fc_std, generator)
