"""Compaction of any module: its pruned kernels and neurons are cut out along Torch-Pruning's dependency graph.

The factors go into the weights that read them. A kernel or neuron whose outputs only zeros read is then cut, from the
last layer to the first, so that what fed it alone goes as well: out of its own layer, out of batch norm on the way,
and out of the layer that reads it. Torch-Pruning finds all that belongs together and cuts it.

- Inputs that no layer of the module computes for this Linear alone (pixels, single pixels of flattened maps, the sum
  of a residual block) cannot be cut at their source: a :class:`SelectedLinear` picks those that are still read.
- A layer that is off as a whole keeps one kernel or input, whose weights are 0.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from types import ModuleType
from typing import cast

import torch
from torch import Tensor, nn

from ..networks.gated_module import GatedModule


class SelectedLinear(nn.Linear):
    """A Linear that reads only the ``inputs`` (a vector of indices, in rising order) of what it is given."""

    inputs: Tensor

    def __init__(self, layer: nn.Linear, inputs: Tensor) -> None:
        super().__init__(1, 1, bias=False, device="meta")
        self.in_features, self.out_features = len(inputs), layer.out_features
        self.weight = nn.Parameter(layer.weight.detach()[:, inputs])
        self.bias = layer.bias
        self.register_buffer("inputs", inputs)
        self.train(layer.training)

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input.index_select(1, self.inputs))


def fold_module(network: GatedModule, gates: Sequence[Tensor]) -> nn.Module:
    """A copy of the module with the factors ``gates`` multiplied into its weights, all of them to be trained again."""
    module = copy.deepcopy(network.module).requires_grad_(True)
    for name, weight in network.weights(gates).items():
        module.get_parameter(name).copy_(weight)
    return module


def compact_module(network: GatedModule, gates: Sequence[Tensor]) -> nn.Module:
    """A copy of the module without the kernels, neurons and inputs that ``gates`` prune; same logits.

    Raises ``ModuleNotFoundError`` where Torch-Pruning is not installed.
    """
    pruning, module = torch_pruning(), fold_module(network, gates)
    training = {each: each.training for each in module.modules()}
    reference = next(module.parameters())
    images = torch.zeros(2, *network.image, dtype=reference.dtype, device=reference.device)
    with torch.enable_grad():  # Torch-Pruning follows the graph of autograd
        graph = pruning.DependencyGraph().build_dependency(module.eval(), (images,), verbose=False)
    scaled = network.factors(gates)
    for source, reader, pixels in reversed(network.paths):
        layer, weight = module.get_submodule(source), module.get_parameter(f"{reader}.weight")
        unread = (weight == 0).flatten(2).all(2) if weight.ndim > 2 else weight == 0
        off = unread.all(0).view(-1, pixels).all(1).nonzero().flatten().tolist()
        off = off[len(off) == weight.shape[1] // pixels :]  # one of a layer that is off as a whole stays
        if reader in scaled and off:
            cut = pruning.prune_conv_out_channels if isinstance(layer, nn.Conv2d) else pruning.prune_linear_out_channels
            graph.get_pruning_group(layer, cut, idxs=off).prune()
    for name in network.inputs:
        _select(module, name)
    for each, mode in training.items():
        each.training = mode
    return module.requires_grad_(True)


def _select(module: nn.Module, name: str) -> None:
    """Let the Linear ``name`` read only inputs for which it has weights, by a :class:`SelectedLinear` in its place."""
    layer = cast(nn.Linear, module.get_submodule(name))
    read = (layer.weight != 0).any(0)
    if not read.any():
        read[0] = True
    if not read.all():
        parent, _, own = name.rpartition(".")
        module.get_submodule(parent).add_module(own, SelectedLinear(layer, read.nonzero().flatten()))


def torch_pruning() -> ModuleType:
    """The package Torch-Pruning; ``ModuleNotFoundError`` says how to get it."""
    try:
        import torch_pruning
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "a module of your own is compacted by Torch-Pruning, which is not installed: `pip install torch-pruning`, "
            "or `pip install -e '.[own]'` in the checkout. Until then `fold` gives a module of the full size with the "
            "same logits, and the library's own networks are compacted without it."
        ) from error
    return torch_pruning
