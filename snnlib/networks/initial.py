"""Modules whose weights come from a given generator alone: the global random state is neither read nor moved."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import nn

Module = TypeVar("Module", bound=nn.Module)


def blank(build: Callable[..., Module], *arguments, **settings) -> Module:
    """``build(*arguments, **settings)`` with its weights unset, on the CPU, where a seed draws the same numbers
    everywhere.

    Layers draw their own weights from the global generator when they are made; on the meta device they draw nothing.
    Within ``torch.device("meta")`` the module stays there and takes no memory.
    """
    with torch.device("meta"):
        module = build(*arguments, **settings)
    return module if torch.get_default_device().type == "meta" else module.to_empty(device="cpu")


@torch.no_grad()
def draw(module: nn.Module, generator: torch.Generator | None = None) -> None:
    """Start every convolution of ``module`` Kaiming normal with bias 0 (section 4), every batch norm as the
    identity."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            layer.weight.normal_(0.0, (2 / layer.weight[0].numel()) ** 0.5, generator=generator)
            if layer.bias is not None:
                layer.bias.zero_()
        elif isinstance(layer, nn.BatchNorm2d):
            layer.reset_parameters()


@torch.no_grad()
def start_linear(module: nn.Module, how: str, generator: torch.Generator | None = None) -> None:
    """Start every FC layer of ``module`` another way than section 4 says: "kaiming" normal with bias 0, or as "torch"
    does.

    Torch's own start is uniform between -1 and 1 over the square root of the inputs, biases too.
    """
    for layer in module.modules():
        if isinstance(layer, nn.Linear):
            if how == "kaiming":
                layer.weight.normal_(0.0, (2 / layer.in_features) ** 0.5, generator=generator)
                if layer.bias is not None:
                    layer.bias.zero_()
            else:
                as_torch(layer, generator)


@torch.no_grad()
def as_torch(layer: nn.Linear | nn.Conv2d, generator: torch.Generator | None = None) -> None:
    """Start one layer as torch itself does, from ``generator``: uniform, biases too, bounds from the number of
    inputs."""
    bound = layer.weight[0].numel() ** -0.5
    for values in (layer.weight, layer.bias):
        if values is not None:
            values.uniform_(-bound, bound, generator=generator)
