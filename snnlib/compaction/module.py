"""Compaction of any module: its pruned kernels and neurons are cut out along Torch-Pruning's dependency graph.

The factors go into the weights that read them. A kernel or neuron whose outputs only zeros read is then cut, from the
last layer to the first, so that what fed it alone goes as well: out of its own layer, out of batch norm on the way,
and out of the layer that reads it. Torch-Pruning finds all that belongs together and cuts it.

- Inputs that no layer of the module computes for this Linear alone (pixels, single pixels of flattened maps, the sum
  of a residual block) cannot be cut at their source: a :class:`~snnlib.networks.selected.SelectedLinear` picks those
  that are still read.
- A layer that is off as a whole keeps one kernel or input, whose weights are 0.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from ..networks.dependencies import CompactionError, cannot_follow, graph_of, torch_pruning
from ..networks.gated_module import GatedModule
from ..networks.selected import SelectedLinear


def fold_module(network: GatedModule, gates: Sequence[Tensor]) -> nn.Module:
    """A copy of the module with the factors ``gates`` multiplied into its weights, all of them to be trained again."""
    module = copy.deepcopy(network.module).requires_grad_(True)
    for name, weight in network.weights(gates).items():
        module.get_parameter(name).copy_(weight)
    return module


def compact_module(network: GatedModule, gates: Sequence[Tensor]) -> nn.Module:
    """A copy of the module without the kernels, neurons and inputs that ``gates`` prune; same logits.

    It is run beside the gated module on two images of noise before it is returned. Raises ``ModuleNotFoundError`` where
    Torch-Pruning is needed and not installed, :class:`CompactionError` where it cannot follow the module, or where the
    logits differ.
    """
    module = fold_module(network, gates)
    training = {each: each.training for each in module.modules()}
    module.eval()
    device = next(module.parameters()).device
    with torch.random.fork_rng([device] if device.type == "cuda" else []):  # some draw in evaluation mode too
        try:
            _cut(module, network, gates)
            for name in network.inputs:
                _select(module, name)
        except (IndexError, ValueError, ZeroDivisionError, AssertionError) as error:  # of its index arithmetic
            raise CompactionError(cannot_follow(network.module, error)) from error
        _compare(module, network, gates)
    for each, mode in training.items():
        each.training = mode
    return module.requires_grad_(True)


def _cut(module: nn.Module, network: GatedModule, gates: Sequence[Tensor]) -> None:
    """Cut out of ``module``, a folded copy of that of ``network``, the outputs of layers that nothing reads."""
    scaled, graph = network.factors(gates), None
    for source, reader, pixels in reversed(network.paths):
        if reader not in scaled:
            continue
        layer, weight = module.get_submodule(source), module.get_parameter(f"{reader}.weight")
        unread = (weight == 0).flatten(2).all(2) if weight.ndim > 2 else weight == 0
        off = unread.all(0).view(-1, pixels).all(1).nonzero().flatten().tolist()
        off = off[len(off) == weight.shape[1] // pixels :]  # one of a layer that is off as a whole stays
        if not off:
            continue
        pruning, graph = torch_pruning(), graph or graph_of(module, network.image)
        cut = pruning.prune_conv_out_channels if isinstance(layer, nn.Conv2d) else pruning.prune_linear_out_channels
        graph.get_pruning_group(layer, cut, idxs=off).prune()


def _compare(module: nn.Module, network: GatedModule, gates: Sequence[Tensor]) -> None:
    """Raise :class:`CompactionError` unless ``module`` has the logits of ``network`` with ``gates`` on two images."""
    reference = next(module.parameters())
    draw = torch.Generator().manual_seed(0)
    images = torch.rand(2, *network.image, generator=draw).to(reference.device, reference.dtype)
    advice = (
        "This module must not be used. snnlib.compaction.fold(model) gives one of the full size with the same logits. "
        "Please report the module to the authors of snnlib."
    )
    name, given = type(module).__name__, {each: each.training for each in network.modules()}
    network.eval()
    try:
        expected, again = network(images, gates), network(images, gates)
        try:
            found = module(images)
        except Exception as error:  # whatever its forward runs into
            raise CompactionError(f"the compacted {name} cannot be run ({error}). {advice}") from error
    finally:
        for each, mode in given.items():
            each.training = mode
    if found.shape != expected.shape:
        raise CompactionError(
            f"the compacted {name} makes {tuple(found.shape)} of two images, the gated one {tuple(expected.shape)}. "
            + advice
        )
    largest, tolerance = expected.abs().max(), 1e-2 if reference.dtype.itemsize > 2 else 0.1
    drawn = not torch.equal(expected, again)  # a forward that draws, for a dropout without an end, cannot be compared
    if not drawn and expected.isfinite().all() and not (found - expected).abs().max() <= tolerance * largest + 1e-6:
        raise CompactionError(
            f"the logits of the compacted {name} differ by {float((found - expected).abs().max()):.2g} from those of "
            f"the gated one, of which the largest is {float(largest):.2g}. {advice}"
        )


def _select(module: nn.Module, name: str) -> None:
    """Let the Linear ``name`` read only inputs for which it has weights, by a :class:`SelectedLinear` in its place."""
    layer = cast(nn.Linear, module.get_submodule(name))
    read = (layer.weight != 0).any(0)
    if not read.any():
        read[0] = True
    if not read.all():
        parent, _, own = name.rpartition(".")
        module.get_submodule(parent).add_module(own, SelectedLinear(layer, read.nonzero().flatten()))
