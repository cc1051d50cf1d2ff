"""Compaction of fully connected layers (Eq. 2).

- A neuron with factor 0, and one from which no path of weights leads to an output, is cut.
- A hidden neuron that no path of weights leads to from a pixel puts out the constant relu(bias): the constant goes
  into the biases of the next layer, the neuron is cut.
- Pixels are dropped through the network's ``inputs``, so that a compacted network still takes whole images.

Where a whole layer is pruned no path is left and the logits are constant: the result is a network of widths
(0, classes) whose biases are those logits.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import torch
from torch import Tensor

from ..networks import MLP
from ..networks.gates import check_gates
from .layers import Layer, absorb, cut, layer_of, paths, paths_back, scale


def fold_mlp(network: MLP, gates: Sequence[Tensor]) -> MLP:
    """``network`` with the factors ``gates`` multiplied into its weights: factor i of a layer into row i (Eq. 2)."""
    return assemble(_folded(network, gates), network.inputs)


def compact_mlp(network: MLP, gates: Sequence[Tensor], constants: Tensor | None = None) -> MLP:
    """``network`` without the neurons that ``gates`` prune and without those that only they kept alive.

    ``constants`` (inputs,) is for a network that reads the maps of convolutions: the value of an input that never
    varies, NaN for one that does. Without it every input varies.
    """
    layers = _folded(network, gates)
    pixels_vary = torch.ones_like(layers[0].weight[0], dtype=torch.bool) if constants is None else constants.isnan()
    fed, needed = paths(layers, pixels_vary), paths_back(layers)
    alive = [f & n for f, n in zip(fed, needed)]
    alive[-1] = torch.ones_like(alive[-1])  # every class keeps its logit, a constant one too
    smaller: list[Layer] = []
    for index, layer in enumerate(layers):
        values = torch.relu(layers[index - 1].bias) if index else constants
        if values is not None:
            layers[index] = layer = absorb(layer, torch.where(fed[index], 0, values))
        smaller.append(cut(layer, inputs=alive[index], outputs=alive[index + 1]))
    if not alive[0].any():  # no path from any pixel to any class
        smaller = smaller[-1:]
    if alive[0].all():
        return assemble(smaller, network.inputs)
    pixels = torch.arange(network.widths[0], device=alive[0].device) if network.inputs is None else network.inputs
    return assemble(smaller, pixels[alive[0]])


def assemble(layers: Sequence[Layer], inputs: Tensor | None) -> MLP:
    """The network made of ``layers``, on their device and of their dtype, that reads the pixels ``inputs``."""
    widths = (layers[0].weight.shape[1], *(len(layer.bias) for layer in layers))
    network = empty_mlp(widths, None if inputs is None else inputs.clone()).to(layers[0].weight)
    for module, layer in zip(network.layers, layers):
        module.weight.copy_(layer.weight)
        module.bias.copy_(layer.bias)
    return network


def empty_mlp(widths: Sequence[int], inputs: Tensor | None) -> MLP:
    """A network whose weights are still to be filled in; the global random state stays as it is."""
    with warnings.catch_warnings():  # torch warns of a layer without inputs, here the network with constant logits
        warnings.filterwarnings("ignore", message="Initializing zero-element tensors")
        return MLP(widths, generator=torch.Generator(), inputs=inputs)


def _folded(network: MLP, gates: Sequence[Tensor]) -> list[Layer]:
    check_gates(gates, network.gate_widths())
    return [scale(layer_of(layer), gate) for layer, gate in zip(network.layers, gates)]
