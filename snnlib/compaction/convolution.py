"""Compaction of switched convolutions (section 3.3.2, Eq. 4), through batch norm, pooling and flattening.

Factors are not negative, so a factor after the activation commutes with max pooling: a kernel's factor goes into the
weights that read its map, in the next convolution or, behind the flattening, in the first fully connected layer.

- A kernel with factor 0, and one from which no path of weights leads to an output, is cut.
- A kernel that reads nothing that varies puts out a constant map, relu(b_n(bias)). It is cut, and the constant goes
  into the next layer's biases, where that is exact: before a fully connected layer, before a convolution that pads
  nothing, and where the constant is 0. A convolution that pads with zeros sees an edge around a constant map: such a
  kernel is kept.

Where no path of weights leads from the image to a class the logits are constant: the result is a network without
convolutions, whose head of widths (0, classes) has those logits as its biases.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..networks import MLP, ConvNet
from ..networks.convnet import Stage
from ..networks.gates import check_gates
from ..networks.initial import blank, module_list
from .layers import Layer, absorb, connections, cut, layer_of, paths, scale
from .mlp import compact_mlp, empty_mlp, fold_mlp

Norm = nn.BatchNorm2d | nn.Identity
"""What follows a convolution: batch norm, or nothing."""


def fold_convnet(network: ConvNet, gates: Sequence[Tensor]) -> ConvNet:
    """``network`` with the kernels' factors in the weights that read their maps, the inputs' factors in theirs."""
    count = len(network.plan)
    check_gates(gates, network.gate_widths(), count)
    gates = [gate.to(network.head.layers[0].weight) for gate in gates]
    for index, gate in enumerate(gates[:count]):
        if (gate < 0).any():
            raise ValueError(
                f"the gates of convolution {index} hold a negative factor: only factors of 0 and above pass through "
                "max pooling"
            )
    layers = [layer_of(convolution) for convolution in network.convolutions]
    layers[1:] = [scale(layer, gate) for layer, gate in zip(layers[1:], gates)]
    head_gates = list(gates[count:])
    if count:
        head_gates[0] = head_gates[0] * gates[count - 1][_maps_read(network)]
    return _assemble(
        network,
        layers,
        [torch.ones_like(layer.bias, dtype=torch.bool) for layer in layers],
        fold_mlp(network.head, head_gates),
    )


def compact_convnet(network: ConvNet, gates: Sequence[Tensor]) -> ConvNet:
    """``network`` without the kernels and neurons that ``gates`` prune and without those that only they kept alive."""
    folded = fold_convnet(network, gates)
    layers, maps = [layer_of(convolution) for convolution in folded.convolutions], _maps_read(folded)
    channels = torch.ones(folded.image[0], dtype=torch.bool, device=maps.device)
    fed = paths(layers, channels)[-1]
    if not paths([layer_of(layer) for layer in folded.head.layers], fed[maps])[-1].any():
        return _constant(folded)
    layers, constants, absorbed = _absorbed(folded, layers)
    ones = [torch.ones(width, device=maps.device) for width in folded.head.gate_widths()]
    head = compact_mlp(folded.head, ones, constants[maps])

    pixels, count = folded.map_pixels, len(layers)
    read = torch.arange(head.widths[0], device=maps.device) if head.inputs is None else head.inputs
    kept = [channels] * (count + 1)
    if count:
        kept[count] = torch.zeros_like(fed).index_fill(0, read // pixels, True)
    for index in reversed(range(1, count)):
        kept[index] = connections(layers[index])[kept[index + 1]].any(0) & ~absorbed[index]
    place = torch.cumsum(kept[count], 0) - 1  # where a kept kernel stands now
    inputs = place[read // pixels] * pixels + read % pixels
    head.inputs = None if len(inputs) == int(kept[count].sum()) * pixels else inputs
    smaller = [cut(layer, kept[index], kept[index + 1]) for index, layer in enumerate(layers)]
    return _assemble(folded, smaller, kept[1:], head)


def empty_convnet(
    plan: Sequence[Stage], image: tuple[int, int, int], biases: Sequence[bool], norms: Sequence[Norm], head: MLP
) -> ConvNet:
    """A network of these ``norms`` and this ``head``; its convolutions are unset, with a bias where ``biases`` says."""
    with torch.device("meta"):
        network = ConvNet(plan, (), image)
    incoming = [image[0], *(stage.kernels for stage in plan)]
    network.convolutions = module_list(
        blank(nn.Conv2d, channels, stage.kernels, stage.side, padding=stage.padding, bias=bias)
        for channels, stage, bias in zip(incoming, network.plan, biases)
    )
    network.norms, network.head = module_list(norms), head
    return network.to(memory_format=torch.channels_last)  # as every ConvNet is laid out: faster on the CPU


def _maps_read(network: ConvNet) -> Tensor:
    """(inputs of the head,): the kernel of the last convolution, or the image's channel, that each input comes from."""
    head = network.head
    read = torch.arange(head.widths[0], device=head.layers[0].weight.device) if head.inputs is None else head.inputs
    return read // network.map_pixels


def _absorbed(network: ConvNet, layers: list[Layer]) -> tuple[list[Layer], Tensor, list[Tensor]]:
    """Constant maps taken into the biases of what reads them.

    Returns the layers, the value (kernels,) of each map of the last one, NaN for a map that varies, and for each layer
    a mask (channels,) of the maps that it need not read any more.
    """
    values = network.head.layers[0].weight.new_full((network.image[0],), torch.nan)  # an image varies
    found: list[Layer] = []
    masks: list[Tensor] = []
    for layer, norm, stage in zip(layers, network.norms, network.plan):
        mask = (values == 0) | (~values.isnan() & (stage.padding == 0))
        layer = absorb(layer, torch.where(mask, values, 0))
        varies = (connections(layer) & ~mask).any(1)
        values = torch.where(varies, torch.nan, torch.relu(_normalised(norm, layer.bias)))
        found.append(layer)
        masks.append(mask)
    return found, values, masks


def _normalised(norm: Norm, values: Tensor) -> Tensor:
    """``norm`` in evaluation mode of one value (kernels,) a map."""
    if isinstance(norm, nn.Identity):
        return values
    return F.batch_norm(values[None], norm.running_mean, norm.running_var, norm.weight, norm.bias, eps=norm.eps)[0]


def _constant(network: ConvNet) -> ConvNet:
    """A network without convolutions that puts out the logits of ``network``, which are the same for every image."""
    weight = network.head.layers[0].weight
    logits = network.eval()(weight.new_zeros(1, *network.image))[0]
    head = empty_mlp((0, len(logits)), torch.zeros(0, dtype=torch.long, device=weight.device)).to(weight)
    head.layers[0].bias.copy_(logits)
    return empty_convnet((), network.image, (), (), head)


def _assemble(network: ConvNet, layers: Sequence[Layer], kept: Sequence[Tensor], head: MLP) -> ConvNet:
    """``network`` with ``layers`` for its convolutions, the ``kept`` maps of its batch norms, and ``head``."""
    plan = [stage._replace(kernels=len(layer.bias)) for stage, layer in zip(network.plan, layers)]
    had = [convolution.bias is not None for convolution in network.convolutions]
    biases = [bias or bool(layer.bias.any()) for bias, layer in zip(had, layers)]
    norms = [_cut_norm(norm, mask) for norm, mask in zip(network.norms, kept)]
    other = empty_convnet(plan, network.image, biases, norms, head).to(head.layers[0].weight)
    for convolution, layer in zip(other.convolutions, layers):
        convolution.weight.copy_(layer.weight)
        if convolution.bias is not None:
            convolution.bias.copy_(layer.bias)
    return other.train(network.training)


def _cut_norm(norm: Norm, maps: Tensor) -> Norm:
    """Batch norm over the ``maps`` that are True; nothing where there was none."""
    if not isinstance(norm, nn.BatchNorm2d):
        return nn.Identity()
    small = nn.BatchNorm2d(int(maps.sum()), eps=norm.eps, momentum=norm.momentum).to(norm.weight)
    small.load_state_dict({name: value[maps] if value.ndim else value for name, value in norm.state_dict().items()})
    return small
