"""Deep networks of which only the fully connected layers are switched (section 4): VGG16 and MobileNetV1.

ResNet34 is in :mod:`~snnlib.networks.residual`.

torchvision is imported where a network is built: importing it takes as long as torch, and small networks need it not.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn

from ..optional import separable
from .gates import check_gates
from .initial import blank, draw
from .mlp import MLP


class DeepNet(nn.Module):
    """``features`` that no factor touches, then a fully connected ``head`` whose inputs are switched (Eq. 2).

    ``name`` is the network's in ``NETWORKS``, by which the same features can be built again; ``image`` is (channels,
    height, width).
    """

    def __init__(self, name: str, image: tuple[int, int, int], features: nn.Module, head: MLP) -> None:
        super().__init__()
        self.name, self.image = name, (image[0], image[1], image[2])
        self.features, self.head = features, head
        self.to(memory_format=torch.channels_last)

    @classmethod
    def drawn(
        cls,
        name: str,
        image: tuple[int, int, int],
        features: nn.Module,
        widths: Sequence[int],
        fc_std: float,
        generator: torch.Generator | None,
    ) -> DeepNet:
        """The network with a head of these ``widths``, drawn first, and ``features``, drawn after it (section 4)."""
        head = MLP(widths, fc_std, generator)
        draw(features, generator)
        return cls(name, image, features, head)

    def gate_widths(self) -> tuple[int, ...]:
        """Number of factors of each FC layer: its inputs."""
        return self.head.gate_widths()

    def kernel_weights(self) -> list[Tensor]:
        """Switched convolutions: none, as in the paper."""
        return []

    def linear_weights(self) -> list[Tensor]:
        """Weights of the FC layers, (inputs, outputs) each."""
        return self.head.linear_weights()

    def forward(self, x: Tensor, gates: Sequence[Tensor] | None = None) -> Tensor:
        """Logits (images, classes) of images (images, channels, height, width); ``gates`` as :meth:`gate_widths`."""
        if gates is not None:
            check_gates(gates, self.gate_widths())  # before the features, which take long
        return self.head(self.featured(x), gates)

    def featured(self, x: Tensor) -> Tensor:
        """What the ``head`` reads of images (images, channels, height, width), not flattened yet."""
        features = self.features if separable is None else partial(separable.run, self.features)
        return features(x)


def vgg16(
    image: tuple[int, int, int] = (3, 32, 32),
    classes: int = 10,
    width: float = 1.0,
    fc_std: float = 0.01,
    generator: torch.Generator | None = None,
) -> DeepNet:
    """VGG16 with batch norm, head 512-4096-4096 (Table 3); larger images are pooled to the same 512 inputs.

    ``width`` multiplies the kernels of each convolution and the neurons of each hidden layer, as MobileNetV1's does.
    """
    from torchvision.models.vgg import cfgs, make_layers

    check_size(image, halvings=5)
    plan = [of_width(part, width) if isinstance(part, int) else part for part in cfgs["D"]]
    convolutions = blank(make_layers, plan, batch_norm=True)
    convolutions[0] = blank(nn.Conv2d, image[0], of_width(64, width), 3, padding=1)
    features = nn.Sequential(convolutions, nn.AdaptiveAvgPool2d(1))
    hidden = of_width(4096, width)
    head = (of_width(512, width), hidden, hidden, classes)
    return DeepNet.drawn(named("vgg16", width), image, features, head, fc_std, generator)


MOBILENET_PLAN = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *((512, 1),) * 5, (1024, 2), (1024, 1))
"""Outputs at full width and stride of MobileNetV1's thirteen depthwise separable blocks."""


def mobilenet_v1(
    image: tuple[int, int, int] = (3, 32, 32),
    classes: int = 10,
    width: float = 1.0,
    fc_std: float = 0.01,
    generator: torch.Generator | None = None,
) -> DeepNet:
    """MobileNetV1 of Howard et al.; its one FC layer has 1024 inputs at ``width`` 1, 256 at 0.25.

    On 32 x 32 images the stem keeps its resolution, as small-image versions of this network do.
    """
    from torchvision.ops import Conv2dNormActivation

    stride = stem_stride(image)
    check_size(image, halvings=4 + stride - 1)
    channels = of_width(32, width)
    blocks = [blank(Conv2dNormActivation, image[0], channels, 3, stride=stride)]
    for outputs, stride in MOBILENET_PLAN:
        outputs = of_width(outputs, width)
        blocks.append(blank(Conv2dNormActivation, channels, channels, 3, stride=stride, groups=channels))
        blocks.append(blank(Conv2dNormActivation, channels, outputs, 1))
        channels = outputs
    features = nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(1))
    return DeepNet.drawn(f"mobilenet-v1-x{width:g}", image, features, (channels, classes), fc_std, generator)


def of_width(kernels: int, width: float) -> int:
    """So many of ``kernels`` at a ``width``, at least one."""
    return max(int(kernels * width), 1)


def named(network: str, width: float) -> str:
    """The name of ``network`` at this ``width``."""
    return network if width == 1 else f"{network}-x{width:g}"


def stem_stride(image: tuple[int, int, int]) -> int:
    """Stride of the first convolution: small images keep their resolution."""
    return 1 if image[1] <= 32 else 2


def check_size(image: tuple[int, int, int], halvings: int) -> None:
    """Raise ``ValueError`` where ``halvings`` leave less than a pixel: the last layers would see only padding."""
    least = 2**halvings
    if min(image[1:]) < least:
        raise ValueError(
            f"images of {image[1]} x {image[2]} are too small for this network, which halves them {halvings} times: "
            f"at least {least} x {least}"
        )
