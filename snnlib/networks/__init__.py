"""Task networks: plain modules with ``forward(x, gates=None)`` that know nothing of switchers.

:class:`~snnlib.networks.protocol.TaskNetwork` says what a network must offer to be switched.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch

from .convnet import ConvNet, lenet5_caffe, vgg_cov2
from .deep import DeepNet, mobilenet_v1, vgg16
from .mlp import MLP
from .protocol import TaskNetwork
from .residual import resnet34_cifar


def mlp(
    image: tuple[int, int, int] = (1, 28, 28),
    classes: int = 10,
    fc_std: float = 0.01,
    generator: torch.Generator | None = None,
) -> MLP:
    """The MLP 784-300-100 of Tables 1 and 2 (section 4.1)."""
    return MLP((image[0] * image[1] * image[2], 300, 100, classes), fc_std, generator)


Network = MLP | ConvNet | DeepNet
"""The task networks of this library."""

NETWORKS: dict[str, Callable[..., Network]] = {
    "mlp": mlp,
    "lenet5-caffe": lenet5_caffe,
    "vgg-cov2": vgg_cov2,
    "vgg-cov2-bn": partial(vgg_cov2, batch_norm=True),
    "vgg16": vgg16,
    "vgg16-x0.25": partial(vgg16, width=0.25),
    "resnet34": resnet34_cifar,
    "resnet34-x0.25": partial(resnet34_cifar, width=0.25),
    "mobilenet-v1-x1": mobilenet_v1,
    "mobilenet-v1-x0.25": partial(mobilenet_v1, width=0.25),
}
"""Builders by name: ``NETWORKS[name](image, classes, fc_std=..., generator=...)``."""

USES = (
    ("mlp", "mnist"),
    ("lenet5-caffe", "mnist"),
    ("vgg-cov2", "cifar10"),
    ("vgg-cov2-bn", "cifar10"),
    ("vgg16", "cifar10"),
    ("vgg16-x0.25", "cifar10"),
    ("resnet34", "cifar10"),
    ("resnet34-x0.25", "cifar10"),
    ("mobilenet-v1-x1", "cifar10"),
    ("mobilenet-v1-x0.25", "cifar10"),
    ("resnet34", "mini_imagenet"),
    ("mobilenet-v1-x1", "mini_imagenet"),
    ("mobilenet-v1-x0.25", "mini_imagenet"),
)
"""Names of a network and of a data set that the paper, or one of its readings, puts together, and the reduced
forms of its largest networks."""

__all__ = [
    "MLP",
    "NETWORKS",
    "USES",
    "ConvNet",
    "DeepNet",
    "Network",
    "TaskNetwork",
    "lenet5_caffe",
    "mlp",
    "mobilenet_v1",
    "resnet34_cifar",
    "vgg16",
    "vgg_cov2",
]
