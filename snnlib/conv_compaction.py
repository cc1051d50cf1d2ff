"""Compaction of convolutional networks (Eq. 4): pruned kernels are cut through batch norm, pooling and flattening.

Factors are not negative, so a factor after the activation commutes with max pooling: a kernel's factor goes into the
weights that read its map, in the next convolution or, behind the flattening, in the first fully connected layer. What
is left is a plain network of the same class with fewer kernels and neurons.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .compaction import compact as compact_mlp
from .networks import ConvNet, DeepNet


@torch.no_grad()
def compact_convnet(network: ConvNet, gates: Sequence[Tensor]) -> ConvNet:
    """A plain ``ConvNet`` without the kernels and neurons that ``gates`` prune, nor the kernels that feed nothing.

    ``gates`` as :meth:`ConvNet.gate_widths`; batch norm must be in evaluation mode for equal logits. A network whose
    convolutions are pruned as a whole raises ``ValueError``: it is constant, and has no convolutional form.
    """
    found = [tuple(gate.shape) for gate in gates]
    if found != [(width,) for width in network.gate_widths()]:
        raise ValueError(f"gates of shapes {found} for layers of widths {network.gate_widths()}: give one vector a layer")
    count = len(network.plan)
    kernel_gates, head_gates = list(gates[:count]), list(gates[count:])
    pixels = network.head.widths[0] // len(kernel_gates[-1])  # flattened inputs from one kernel's map
    head_gates[0] = head_gates[0] * kernel_gates[-1].repeat_interleave(pixels)
    head = compact_mlp(network.head, head_gates)
    read = torch.arange(network.head.widths[0], device=head_gates[0].device) if head.inputs is None else head.inputs

    alive = [gate > 0 for gate in kernel_gates]
    alive[-1] &= torch.zeros_like(alive[-1]).index_fill(0, (read // pixels).unique(), True)
    weights = [conv.weight.detach().clone() for conv in network.convolutions]
    for index in reversed(range(count)):
        if index + 1 < count:
            weights[index + 1] *= kernel_gates[index][:, None, None]
            alive[index] &= (weights[index + 1][alive[index + 1]] != 0).any(dim=(0, 2, 3))
        if not alive[index].any():
            raise ValueError(f"convolution {index} is pruned as a whole: the network is constant and has no smaller convolutional form")

    smaller = copy.deepcopy(network)
    smaller.plan = tuple(stage._replace(kernels=int(mask.sum())) for stage, mask in zip(network.plan, alive))
    before = torch.ones(weights[0].shape[1], dtype=torch.bool, device=weights[0].device)
    for index, mask in enumerate(alive):
        smaller.convolutions[index] = _cut_convolution(network.convolutions[index], weights[index], before, mask)
        smaller.norms[index] = _cut_norm(network.norms[index], mask)
        before = mask
    place = torch.cumsum(before, 0) - 1  # where a kept kernel stands now
    inputs = place[read // pixels] * pixels + read % pixels
    head.inputs = None if len(inputs) == int(before.sum()) * pixels else inputs
    smaller.head = head
    return smaller


@torch.no_grad()
def compact_deep(network: DeepNet, gates: Sequence[Tensor]) -> DeepNet:
    """The same features, with a smaller head behind them: only the FC layers are switched in such a network."""
    smaller = copy.deepcopy(network)
    smaller.head = compact_mlp(network.head, gates)
    return smaller


def _cut_convolution(conv: nn.Conv2d, weight: Tensor, inputs: Tensor, outputs: Tensor) -> nn.Conv2d:
    """``conv`` with ``weight`` in place of its own, and only the input channels and kernels that are True."""
    kept = weight[outputs][:, inputs]
    small = nn.utils.skip_init(nn.Conv2d, kept.shape[1], kept.shape[0], conv.kernel_size, padding=conv.padding, bias=conv.bias is not None)
    small = small.to(weight)
    small.weight.copy_(kept)
    if conv.bias is not None:
        small.bias.copy_(conv.bias[outputs])
    return small


def _cut_norm(norm: nn.Module, outputs: Tensor) -> nn.Module:
    """Batch norm over the channels that are True; anything else stays as it is."""
    if not isinstance(norm, nn.BatchNorm2d):
        return norm
    small = nn.BatchNorm2d(int(outputs.sum()), eps=norm.eps, momentum=norm.momentum).to(norm.weight)
    state = {name: value[outputs] if value.ndim else value for name, value in norm.state_dict().items()}
    small.load_state_dict(state)
    return small.train(norm.training)
