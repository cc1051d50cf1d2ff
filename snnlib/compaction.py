"""Compaction: what is left of a switched network once training is over (section 3.2).

``fold`` multiplies the factors of Eq. 2 into the weights; the switcher is then no longer needed. ``compact`` also cuts
pruned neurons out, with everything that only they feed, and leaves a plain smaller network with the same logits:

- a neuron with factor 0, and one from which no path of weights leads to an output, is cut;
- a hidden neuron that no path of weights leads to from a pixel puts out the constant relu(bias): the constant goes
  into the biases of the next layer, the neuron is cut;
- pixels are dropped through the network's ``inputs``, so that a compacted network still takes whole images.

Where a whole layer is pruned no path is left and the logits are constant: the result is a network of widths
(0, classes) whose biases are those logits.

Everything below ``compact`` works on one :class:`Layer` at a time, whose weights have outputs on axis 0 and inputs on
axis 1, as both nn.Linear and nn.Conv2d have.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from .networks import MLP
from .records import RecordError, load_tensors, save_tensors


@torch.no_grad()
def fold(network: MLP, gates: Sequence[Tensor]) -> MLP:
    """A network of the same widths that computes without factors what ``network`` computes with ``gates``.

    ``gates`` holds one vector (inputs,) a layer; factor i multiplies row i of that layer's weights in Eq. 1.
    ``network`` stays as it is. Raises ``ValueError`` where the gates do not fit.
    """
    return _assemble(_folded(network, gates), network.inputs)


@torch.no_grad()
def compact(network: MLP, gates: Sequence[Tensor]) -> MLP:
    """A plain network without the neurons that ``gates`` prune and without those that only they kept alive.

    Same logits, same device and dtype; ``network`` stays as it is. A compacted network may be compacted again, with
    gates of its own widths. Raises ``ValueError`` where the gates do not fit.
    """
    layers = _folded(network, gates)
    fed, needed = _fed(layers), _needed(layers)
    alive = [f & n for f, n in zip(fed, needed)]
    alive[-1] = torch.ones_like(alive[-1])  # every class keeps its logit, a constant one too
    smaller = []
    for index, layer in enumerate(layers):
        if index:
            constants = torch.where(fed[index], 0, torch.relu(layers[index - 1].bias))
            layers[index] = layer = absorb(layer, constants)
        smaller.append(cut(layer, inputs=alive[index], outputs=alive[index + 1]))
    if not alive[0].any():  # no path from any pixel to any class
        smaller = smaller[-1:]
    if alive[0].all():
        return _assemble(smaller, network.inputs)
    pixels = torch.arange(network.widths[0], device=alive[0].device) if network.inputs is None else network.inputs
    return _assemble(smaller, pixels[alive[0]])


class Layer(NamedTuple):
    """One layer's ``weight`` (outputs, inputs) and ``bias`` (outputs,)."""

    weight: Tensor
    bias: Tensor


def scale(layer: Layer, factors: Tensor) -> Layer:
    """The layer that does to x what ``layer`` does to x ⊙ g: ``factors`` (inputs,) multiply the columns."""
    return Layer(layer.weight * factors.to(layer.weight), layer.bias)


def connections(layer: Layer) -> Tensor:
    """(outputs, inputs), True where an output reads an input: the weight is not 0."""
    return layer.weight != 0


def absorb(layer: Layer, constants: Tensor) -> Layer:
    """The layer with ``constants`` (inputs,), 0 for inputs that do vary, taken into its biases (summed in float64)."""
    shift = layer.weight.double() @ constants.double()
    return Layer(layer.weight, (layer.bias.double() + shift).to(layer.bias.dtype))


def cut(layer: Layer, inputs: Tensor, outputs: Tensor) -> Layer:
    """The layer with only the ``inputs`` and ``outputs`` that are True."""
    return Layer(layer.weight[outputs][:, inputs], layer.bias[outputs])


def _fed(layers: Sequence[Layer]) -> list[Tensor]:
    """A mask a level, from pixels to classes: True where a path of weights leads there from a pixel."""
    fed = [torch.ones_like(layers[0].weight[0], dtype=torch.bool)]
    for layer in layers:
        fed.append((connections(layer) & fed[-1]).any(1))
    return fed


def _needed(layers: Sequence[Layer]) -> list[Tensor]:
    """A mask a level, from pixels to classes: True where a path of weights leads on to a class."""
    needed = [torch.ones_like(layers[-1].bias, dtype=torch.bool)]
    for layer in reversed(layers):
        needed.insert(0, (connections(layer) & needed[0][:, None]).any(0))
    return needed


def _folded(network: MLP, gates: Sequence[Tensor]) -> list[Layer]:
    found = [tuple(gate.shape) for gate in gates]
    if found != [(width,) for width in network.gate_widths()]:
        raise ValueError(f"gates of shapes {found} for layers of widths {network.gate_widths()}: give one vector a layer")
    return [scale(_layer(layer), gate) for layer, gate in zip(network.layers, gates)]


def _layer(linear: nn.Linear) -> Layer:
    """Weight and bias of ``linear``; a layer without biases gets zeros."""
    weight = linear.weight.detach()
    return Layer(weight, weight.new_zeros(len(weight)) if linear.bias is None else linear.bias.detach())


def _assemble(layers: Sequence[Layer], inputs: Tensor | None) -> MLP:
    """The network made of ``layers``, on their device and of their dtype, that reads the pixels ``inputs``."""
    widths = (layers[0].weight.shape[1], *(len(layer.bias) for layer in layers))
    network = _empty(widths, None if inputs is None else inputs.clone()).to(layers[0].weight)
    for module, layer in zip(network.layers, layers):
        module.weight.copy_(layer.weight)
        module.bias.copy_(layer.bias)
    return network


def _empty(widths: Sequence[int], inputs: Tensor | None) -> MLP:
    """A network whose weights are about to be filled in; the global random state stays as it is."""
    with warnings.catch_warnings():  # torch warns of a layer without inputs, here the network with constant logits
        warnings.filterwarnings("ignore", message="Initializing zero-element tensors")
        return MLP(widths, generator=torch.Generator(), inputs=inputs)


def save_compact(path: Path, network: MLP) -> None:
    """Write ``network`` with its widths and pixels as one safetensors file. Raises ``RecordError`` on a full disk."""
    save_tensors(Path(path), network.state_dict(), {"kind": "compact", "widths": list(network.widths)})


def load_compact(path: Path) -> MLP:
    """Read what :func:`save_compact` wrote, on the CPU.

    Raises ``RecordError`` where the file is missing, cut off, of another version or holds something else.
    """
    tensors, metadata = load_tensors(Path(path))
    if metadata.get("kind") != "compact":
        raise RecordError(f"{path} holds no compact network. Write one with `snn compact`.")
    network = _empty(metadata["widths"], tensors.get("inputs")).to(tensors["layers.0.weight"].dtype)
    network.load_state_dict(tensors)
    return network
