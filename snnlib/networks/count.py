"""What a network costs: its weights as the paper counts them, all its parameters, its operations for one image."""

from __future__ import annotations

import contextlib
import math
from typing import TypedDict

import torch
from torch import nn
from torch.func import functional_call
from torch.utils.flop_counter import FlopCounterMode

from . import MLP, ConvNet, DeepNet, Network, TaskNetwork


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
    """Multiply-accumulate operations of all convolutions and FC layers for one image."""
    if isinstance(network, MLP):
        return sum(layer.weight.numel() for layer in network.layers)
    images = 2  # one alone may leave batch norm a single value to normalise
    with FlopCounterMode(display=False) as counter:
        _without_computing(network, images)
    return counter.get_total_flops() // (2 * images)  # a multiplication and an addition each


@torch.no_grad()
def nonzero(network: Network) -> tuple[int, int]:
    """Weights of all convolutions and FC layers that are not 0, and the multiplications by them for one image."""
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Linear | nn.Conv2d)]
    weights = [int((layer.weight != 0).sum()) for layer in layers]
    if isinstance(network, MLP):
        return sum(weights), sum(weights)
    pixels: dict[nn.Module, int] = {}
    with contextlib.ExitStack() as hooks:
        for layer in layers:
            hook = layer.register_forward_hook(lambda of, _, y: pixels.update({of: math.prod(y.shape[2:])}))
            hooks.callback(hook.remove)
        _without_computing(network, 2)
    return sum(weights), sum(count * pixels[layer] for count, layer in zip(weights, layers))


def _without_computing(network: ConvNet | DeepNet, images: int) -> None:
    """Send meta tensors of the right shapes through ``network``, which stays as it is."""
    tensors = {**dict(network.named_parameters()), **dict(network.named_buffers())}
    shapes = {name: tensor.detach().to("meta") for name, tensor in tensors.items()}
    dtype = next(network.parameters()).dtype
    functional_call(network, shapes, torch.empty(images, *network.image, dtype=dtype, device="meta"))


def shape(network: TaskNetwork) -> Shape:
    """What :func:`snnlib.metrics.removed_pct` needs of a task network beside its widths."""
    kernels = network.kernel_weights()
    return {
        "outputs": network.linear_weights()[-1].shape[1],
        "areas": [kernel[0, 0].numel() for kernel in kernels],
        "channels": kernels[0].shape[1] if kernels else 1,
    }
