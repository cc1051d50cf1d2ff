"""Operations on one layer, fully connected or convolutional: the parts of folding and compaction."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn


class Layer(NamedTuple):
    """One layer's ``weight`` (outputs, inputs) or (kernels, channels, height, width) and ``bias`` (outputs,)."""

    weight: Tensor
    bias: Tensor


def layer_of(module: nn.Linear | nn.Conv2d) -> Layer:
    """Weight and bias of ``module``; a layer without biases gets zeros."""
    weight = module.weight.detach()
    return Layer(weight, weight.new_zeros(len(weight)) if module.bias is None else module.bias.detach())


def scale(layer: Layer, factors: Tensor) -> Layer:
    """The layer that gives for x what ``layer`` gives for x ⊙ g: ``factors`` (inputs,) multiply the inputs' weights."""
    factors = factors.to(layer.weight)
    return Layer(layer.weight * factors.view(1, -1, *[1] * (layer.weight.ndim - 2)), layer.bias)


def connections(layer: Layer) -> Tensor:
    """(outputs, inputs), True where an output reads an input: one of the weights between them is not 0."""
    return (layer.weight != 0).flatten(2).any(2) if layer.weight.ndim > 2 else layer.weight != 0


def absorb(layer: Layer, constants: Tensor) -> Layer:
    """The layer with ``constants`` (inputs,), 0 for inputs that vary, added to its biases (summed in float64)."""
    weight = layer.weight.double()
    shift = (weight.flatten(2).sum(2) if weight.ndim > 2 else weight) @ constants.double()
    return Layer(layer.weight, (layer.bias.double() + shift).to(layer.bias.dtype))


def cut(layer: Layer, inputs: Tensor, outputs: Tensor) -> Layer:
    """The layer with only the ``inputs`` and ``outputs`` that are True."""
    return Layer(layer.weight[outputs][:, inputs], layer.bias[outputs])


def paths(layers: list[Layer], start: Tensor) -> list[Tensor]:
    """A mask a level, from inputs to outputs: True where weights lead there from an input that ``start`` marks."""
    found = [start]
    for layer in layers:
        found.append((connections(layer) & found[-1]).any(1))
    return found


def paths_back(layers: list[Layer]) -> list[Tensor]:
    """A mask a level, from inputs to outputs: True where weights lead on to an output."""
    found = [torch.ones_like(layers[-1].bias, dtype=torch.bool)]
    for layer in reversed(layers):
        found.insert(0, (connections(layer) & found[0][:, None]).any(0))
    return found
