"""VGG16, ResNet34 and MobileNetV1: deep networks of which only the fully connected layers are switched (section 4)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torchvision.models import resnet34, vgg16_bn
from torchvision.ops import Conv2dNormActivation

from .mlp import MLP


class DeepNet(nn.Module):
    """``features`` that no factor touches, then a fully connected ``head`` whose inputs are switched (Eq. 2).

    Every convolution is drawn again from ``generator``, Kaiming normal; batch norm starts as the identity.
    """

    def __init__(self, features: nn.Module, head: MLP, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.features, self.head = features, head
        with torch.no_grad():
            for module in features.modules():
                if isinstance(module, nn.Conv2d):
                    fan_in = module.weight[0].numel()
                    module.weight.normal_(0.0, (2 / fan_in) ** 0.5, generator=generator)
                    if module.bias is not None:
                        module.bias.zero_()

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
        """Logits (images, classes) of images (images, 3, height, width)."""
        return self.head(self.features(x), gates)


def vgg16(image=(3, 32, 32), classes: int = 10, fc_std: float = 0.01, generator: torch.Generator | None = None) -> DeepNet:
    """VGG16 with batch norm, head 512-4096-4096 (Table 3); larger images are pooled to the same 512 inputs."""
    features = nn.Sequential(vgg16_bn(weights=None).features, nn.AdaptiveAvgPool2d(1))
    return DeepNet(features, MLP((512, 4096, 4096, classes), fc_std, generator), generator)


def resnet34_cifar(image=(3, 32, 32), classes: int = 10, fc_std: float = 0.01, generator: torch.Generator | None = None) -> DeepNet:
    """ResNet34 with the stem for small images: a 3 x 3 convolution of stride 1, no pooling; one FC layer of 512 inputs.

    84 x 84 images (Mini-ImageNet) halve once more, by stride 2 in the stem.
    """
    network = resnet34(weights=None)
    network.conv1 = nn.Conv2d(3, 64, 3, stride=1 if image[1] <= 32 else 2, padding=1, bias=False)
    network.maxpool, network.fc = nn.Identity(), nn.Identity()
    return DeepNet(network, MLP((512, classes), fc_std, generator), generator)


MOBILENET_PLAN = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *((512, 1),) * 5, (1024, 2), (1024, 1))
"""Outputs at full width and stride of MobileNetV1's thirteen depthwise separable blocks."""


def mobilenet_v1(
    image=(3, 32, 32), classes: int = 10, width: float = 1.0, fc_std: float = 0.01, generator: torch.Generator | None = None
) -> DeepNet:
    """MobileNetV1 of Howard et al.; its one FC layer has 1024 inputs at ``width`` 1, 256 at 0.25.

    On 32 x 32 images the stem keeps its resolution, as small-image versions of this network do.
    """
    channels = int(32 * width)
    blocks = [Conv2dNormActivation(3, channels, 3, stride=1 if image[1] <= 32 else 2)]
    for outputs, stride in MOBILENET_PLAN:
        outputs = int(outputs * width)
        blocks.append(Conv2dNormActivation(channels, channels, 3, stride=stride, groups=channels))
        blocks.append(Conv2dNormActivation(channels, outputs, 1))
        channels = outputs
    features = nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(1))
    return DeepNet(features, MLP((channels, classes), fc_std, generator), generator)
