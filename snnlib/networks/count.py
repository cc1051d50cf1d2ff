"""What a network costs: its weights as the paper counts them, all its parameters, its operations for one image."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence
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


def layers(network: nn.Module) -> Iterator[tuple[str, nn.Linear | nn.Conv2d]]:
    """Name and module of every convolution and fully connected layer of ``network``, in their order."""
    for name, module in network.named_modules():
        if isinstance(module, nn.Linear | nn.Conv2d):
            yield name, module


@torch.no_grad()
def macs(network: nn.Module, image: Sequence[int] | None = None) -> int:
    """Multiply-accumulate operations of all convolutions and FC layers for one image.

    ``image`` is its (channels, height, width): for any module but those of this library, which know theirs. Raises
    ``ValueError`` where it is missing.
    """
    if isinstance(network, MLP):
        return sum(layer.weight.numel() for layer in network.layers)
    image = image or getattr(network, "image", None)
    if image is None:
        raise ValueError(f"macs of a {type(network).__name__}: give the (channels, height, width) of an image")
    with FlopCounterMode(display=False) as counter:
        _without_computing(network, image)
    return counter.get_total_flops() // (2 * IMAGES)  # a multiplication and an addition each


@torch.no_grad()
def nonzero(network: Network) -> tuple[int, int]:
    """Weights of all convolutions and FC layers that are not 0, and the multiplications by them for one image."""
    found = [layer for _, layer in layers(network)]
    weights = [int((layer.weight != 0).sum()) for layer in found]
    if isinstance(network, MLP):
        return sum(weights), sum(weights)
    pixels: dict[nn.Module, int] = {}
    with contextlib.ExitStack() as hooks:
        for layer in found:
            hook = layer.register_forward_hook(lambda of, _, y: pixels.update({of: math.prod(y.shape[2:])}))
            hooks.callback(hook.remove)
        _without_computing(network, network.image)
    return sum(weights), sum(count * pixels[layer] for count, layer in zip(weights, found))


IMAGES = 2
"""Images that a network is counted with: one alone may leave batch norm a single value to normalise."""


def _without_computing(network: nn.Module, image: Sequence[int]) -> None:
    """Send meta tensors of :data:`IMAGES` images (channels, height, width) through ``network``; it stays as it is."""
    tensors = {**dict(network.named_parameters()), **dict(network.named_buffers())}
    shapes = {name: tensor.detach().to("meta") for name, tensor in tensors.items()}
    dtype = next(network.parameters()).dtype
    functional_call(network, shapes, torch.empty(IMAGES, *image, dtype=dtype, device="meta"))


def shape(network: TaskNetwork) -> Shape:
    """What :func:`snnlib.metrics.removed_pct` needs of a task network beside its widths."""
    kernels = network.kernel_weights()
    return {
        "outputs": network.linear_weights()[-1].shape[1],
        "areas": [kernel[0, 0].numel() for kernel in kernels],
        "channels": kernels[0].shape[1] if kernels else 1,
    }
