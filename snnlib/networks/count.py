"""What a network costs: its weights as the paper counts them, all its parameters, its operations for one image."""

from __future__ import annotations

from typing import TypedDict

import torch
from torch import nn
from torch.func import functional_call
from torch.utils.flop_counter import FlopCounterMode

from . import MLP, Network, TaskNetwork


class Shape(TypedDict):
    """Keywords of :func:`snnlib.metrics.removed_pct`: classes, pixels of each switched kernel, channels of an image."""

    outputs: int
    areas: list[int]
    channels: int


def weights(network: TaskNetwork) -> int:
    """Weights by the paper's count: those of the layers that are switched, biases left out."""
    return sum(weight.numel() for weight in (*network.kernel_weights(), *network.linear_weights()))


def parameters(network: nn.Module) -> int:
    """Every parameter that is trained: weights and biases of all layers, scales and offsets of batch norm."""
    return sum(parameter.numel() for parameter in network.parameters())


@torch.no_grad()
def macs(network: Network) -> int:
    """Multiply-accumulate operations of all convolutions and FC layers for one image.

    Nothing is computed and ``network`` stays as it is: meta tensors of the same shapes go through it.
    """
    if isinstance(network, MLP):
        return sum(layer.weight.numel() for layer in network.layers)
    images = 2  # one alone may leave batch norm a single value to normalise
    tensors = {**dict(network.named_parameters()), **dict(network.named_buffers())}
    shapes = {name: tensor.detach().to("meta") for name, tensor in tensors.items()}
    dtype = next(network.parameters()).dtype
    with FlopCounterMode(display=False) as counter:
        functional_call(network, shapes, torch.empty(images, *network.image, dtype=dtype, device="meta"))
    return counter.get_total_flops() // (2 * images)  # a multiplication and an addition each


def shape(network: TaskNetwork) -> Shape:
    """What :func:`snnlib.metrics.removed_pct` needs of a task network beside its widths."""
    kernels = network.kernel_weights()
    return {
        "outputs": network.linear_weights()[-1].shape[1],
        "areas": [kernel[0, 0].numel() for kernel in kernels],
        "channels": kernels[0].shape[1] if kernels else 1,
    }
