"""LeNet5-Caffe and VGG-cov2: small convolutional networks in which every layer is switched (Eqs. 3 and 4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..optional import pooled
from .gates import check_gates
from .initial import blank, draw, module_list
from .mlp import MLP


class Stage(NamedTuple):
    """One convolution of a plan: number of kernels, their side, zero padding, and whether 2 x 2 max pooling follows."""

    kernels: int
    side: int
    padding: int
    pool: bool


class ConvNet(nn.Module):
    """Convolutions, each with optional batch norm, ReLU, factors and pooling (Eq. 4), then fully connected layers.

    ``image`` is (channels, height, width) of the input, ``hidden`` the widths of the hidden FC layers. Convolutions
    are Kaiming normal, FC weights normal with ``fc_std`` (section 4), biases 0. ``map_pixels`` counts the pixels of a
    map of the last convolution after pooling: so many inputs of the ``head`` come from each of its kernels. Raises
    ``ValueError`` where the images are too small for the plan.
    """

    def __init__(
        self,
        plan: Sequence[Stage],
        hidden: Sequence[int],
        image: tuple[int, int, int],
        classes: int = 10,
        bias: bool = True,
        batch_norm: bool = False,
        fc_std: float = 0.01,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.plan, self.image = tuple(plan), (image[0], image[1], image[2])
        channels, height, width = image
        convolutions: list[nn.Conv2d] = []
        norms: list[nn.BatchNorm2d | nn.Identity] = []
        for stage in self.plan:
            convolution_bias = bias and not batch_norm
            conv = blank(nn.Conv2d, channels, stage.kernels, stage.side, padding=stage.padding, bias=convolution_bias)
            convolutions.append(conv)
            norms.append(blank(nn.BatchNorm2d, stage.kernels) if batch_norm else nn.Identity())
            draw(conv, generator)
            draw(norms[-1])
            grow = 2 * stage.padding - stage.side + 1
            channels, height, width = stage.kernels, height + grow, width + grow
            if stage.pool:
                height, width = height // 2, width // 2
            if min(height, width) < 1:
                raise ValueError(
                    f"images of {image[1]} x {image[2]} are too small for this network: nothing is left after {stage}"
                )
        self.convolutions, self.norms = module_list(convolutions), module_list(norms)
        self.map_pixels = height * width
        self.head = MLP((channels * self.map_pixels, *hidden, classes), fc_std, generator, bias=bias)
        self.to(memory_format=torch.channels_last)  # a third faster, on the CPU as well

    def gate_widths(self) -> tuple[int, ...]:
        """Number of factors: one a kernel for each convolution, then one an input for each FC layer."""
        return (*(stage.kernels for stage in self.plan), *self.head.gate_widths())

    def kernel_weights(self) -> list[Tensor]:
        """Weights of the switched convolutions, (kernels, channels, height, width) each."""
        return [conv.weight for conv in self.convolutions]

    def linear_weights(self) -> list[Tensor]:
        """Weights of the FC layers, (inputs, outputs) each."""
        return self.head.linear_weights()

    def forward(self, x: Tensor, gates: Sequence[Tensor] | None = None) -> Tensor:
        """Logits (images, classes) of images (images, channels, height, width); ``gates`` as :meth:`gate_widths`."""
        if gates is not None:
            check_gates(gates, self.gate_widths(), len(self.plan))
        # ⊙ g_n of Eq. 4, where it need not come before a pooling: multiplied into the weights that read the maps, or
        # behind the flattening into the inputs' own factors, which are fewer than pixels
        waiting: Tensor | None = None
        for index, (conv, norm, stage) in enumerate(zip(self.convolutions, self.norms, self.plan)):
            if waiting is None:
                x = norm(conv(x))
            else:
                x = norm(F.conv2d(x, conv.weight * waiting[:, None, None], conv.bias, padding=stage.padding))
            waiting = None if gates is None else gates[index]
            if not stage.pool:
                x = F.relu(x)
            elif pooled is not None and pooled.usable(x, waiting):
                x = pooled.relu_pooled(x, flat=index + 1 == len(self.plan))
            else:
                x = F.relu(x)
                if waiting is not None:
                    x, waiting = x * waiting.to(x.dtype)[:, None, None], None  # maps may be bfloat16
                x = F.max_pool2d(x, 2)
        if gates is None:
            return self.head(x)
        own, *others = gates[len(self.plan) :]
        if waiting is not None:
            each = waiting.repeat_interleave(self.map_pixels)
            own = own * (each if self.head.inputs is None else each[self.head.inputs])
        return self.head(x, [own, *others])


def lenet5_caffe(
    image: tuple[int, int, int] = (1, 28, 28),
    classes: int = 10,
    fc_std: float = 0.01,
    generator: torch.Generator | None = None,
) -> ConvNet:
    """LeNet5-Caffe, 20-50-800-500 (Table 1): two convolutions of 5 x 5, each pooled, and two FC layers."""
    plan = (Stage(20, 5, 0, True), Stage(50, 5, 0, True))
    return ConvNet(plan, (500,), image, classes, fc_std=fc_std, generator=generator)


def vgg_cov2(
    image: tuple[int, int, int] = (3, 32, 32),
    classes: int = 10,
    batch_norm: bool = False,
    fc_std: float = 0.01,
    generator: torch.Generator | None = None,
) -> ConvNet:
    """VGG-cov2, 64-64-16384-256-256 (Table 3): the Conv2 of the edge-popup paper, without biases.

    ``batch_norm`` puts the b_n of Eq. 3 after each convolution, which that paper's network lacks.
    """
    plan = (Stage(64, 3, 1, False), Stage(64, 3, 1, True))
    return ConvNet(
        plan, (256, 256), image, classes, bias=False, batch_norm=batch_norm, fc_std=fc_std, generator=generator
    )
