"""The lottery ticket (Frankle and Carbin, ICLR 2019): train, prune the smallest weights, rewind the others, repeat.

:class:`LotteryTicket` prunes single weights with ``torch.nn.utils.prune``, layer by layer, half as many of the last
layer (their section 2, where its rate of each round is half of the others'); of a deep network over all layers together
(their section 4), but for depthwise convolutions, which stay whole. Rounds are fewer than theirs, so that more goes in
each. :class:`LotteryNeurons`, its structured form, prunes neurons and kernels by the L2 norm of their
weights. Each of the rounds is a run of its own, with a schedule of its own; together they have the passes over the
images that every other method has.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.utils import prune

from ..metrics import weight_count
from ..networks import MLP, ConvNet, DeepNet, Network
from ..networks.count import Shape, shape
from .base import Peer, flat, gated_weights
from .masked import Options as MaskOptions
from .masked import apart_from_depthwise, largest


@dataclass(frozen=True)
class Options(MaskOptions):
    """``density`` is the share of weights left after the last pruning, before the last round."""

    rounds: int = 5

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.rounds, int) or self.rounds < 2:
            raise ValueError(f"rounds={self.rounds}: two or more, for it is pruned between rounds")


def round_of(epoch: int, epochs: int, rounds: int) -> tuple[int, int, int]:
    """Which round ``epoch`` belongs to, the round's first epoch, and the first one of the next."""
    starts = [epochs * index // rounds for index in range(rounds + 1)]
    number = max(index for index in range(rounds) if starts[index] <= epoch)
    return number, starts[number], starts[number + 1]


class Rounds(Peer):
    """Rounds of training with pruning and rewinding between them."""

    Options = Options
    options: Options

    def add(self, network: Network, draw: torch.Generator) -> None:
        """The first value of everything, to rewind to."""
        if self.config.epochs < self.options.rounds:
            raise ValueError(f"epochs={self.config.epochs} for {self.options.rounds} rounds: give each round an epoch")
        for name, value in network.state_dict().items():
            self.register_buffer(f"start_{flat(name)}", value.clone())

    def begin(self, epoch: int) -> bool:
        """Between two rounds: prune, then rewind what is left to its start."""
        number, first, _ = round_of(epoch, self.config.epochs, self.options.rounds)
        if not number or epoch != first:
            return False
        # so that the last pruning leaves the density exactly, whatever rounding did before
        self.prune(self.options.density ** (number / (self.options.rounds - 1)))
        self.rewind()
        return True

    def progress(self, share: float) -> float:
        """How far the present round is."""
        done = share * self.config.epochs
        _, first, following = round_of(int(done + 1e-9), self.config.epochs, self.options.rounds)
        return (done - first) / (following - first)

    @torch.no_grad()
    def rewind(self) -> None:
        """Give every parameter and statistic its first value again."""
        for name, value in self.network.state_dict().items():
            if not name.endswith("_mask"):
                value.copy_(self.get_buffer(f"start_{flat(name).removesuffix('_orig')}"))

    def prune(self, density: float) -> None:
        """Prune until the share ``density`` is left."""
        raise NotImplementedError


class LotteryTicket(Rounds):
    """Single weights, the smallest of each layer; of a deep network the smallest of all."""

    KIND = "weights"

    def add(self, network: Network, draw: torch.Generator) -> None:
        """torch's masks, which leave everything at first."""
        super().add(network, draw)
        for _, layer in apart_from_depthwise(network):
            prune.identity(layer, "weight")

    @torch.no_grad()
    def prune(self, density: float) -> None:
        """Keep the largest of the weights still in use; of the last layer of a network that is not deep half the share
        is pruned."""
        found = [layer for _, layer in apart_from_depthwise(self.network)]
        if isinstance(self.network, DeepNet):
            masks = [layer.get_buffer("weight_mask") for layer in found]
            sizes = [layer.get_parameter("weight_orig").abs() for layer in found]
            scores = torch.cat([torch.where(mask > 0, size, -1).flatten() for mask, size in zip(masks, sizes)])
            parts = largest(scores, density).split([mask.numel() for mask in masks])
            for mask, part in zip(masks, parts):
                mask.copy_(part.view_as(mask))
            return
        for layer in found:
            kept = 1 - (1 - density) / 2 if layer is found[-1] else density
            mask, weight = layer.get_buffer("weight_mask"), layer.get_parameter("weight_orig")
            unwanted = int(mask.sum()) - max(round(kept * mask.numel()), 1)
            if unwanted > 0:
                prune.l1_unstructured(layer, "weight", amount=unwanted, importance_scores=weight)

    @torch.no_grad()
    def final(self) -> Network:
        """A network of the same class with zeros in the place of pruned weights."""
        for _, layer in apart_from_depthwise(self.network):
            for hook in layer._forward_pre_hooks.values():  # masks the weight, without a graph that cannot be copied
                hook(layer, ())
        made = copy.deepcopy(self.network)
        for _, layer in apart_from_depthwise(made):
            prune.remove(layer, "weight")
        return made.requires_grad_(False)

    def forward(self, x: Tensor, gates: Sequence[Tensor] | None = None) -> Tensor:
        """Logits; torch's hooks mask the weights."""
        return self.network(x)


def share_of_neurons(full: Sequence[int], density: float, shape: Shape) -> float:
    """The share of each layer's neurons that leaves the share ``density`` of the weights."""
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        left = weight_count([max(round(middle * width), 1) for width in full], **shape) / weight_count(full, **shape)
        low, high = (middle, high) if left < density else (low, middle)
    return high


class LotteryNeurons(Rounds):
    """Neurons and kernels, those with the smallest L2 norm of the weights that leave them, or that make them."""

    NETWORKS = (MLP, ConvNet)
    WHY = "it prunes inputs of fully connected layers and switched convolutions"

    def add(self, network: Network, draw: torch.Generator) -> None:
        """Which neurons are left."""
        super().add(network, draw)
        for layer, width in enumerate(network.gate_widths()):
            self.register_buffer(f"keep_{layer}", next(network.parameters()).new_ones(width))

    @torch.no_grad()
    def prune(self, density: float) -> None:
        """Keep the neurons with the largest norms among those still in use, the same share in each layer."""
        network = self.network
        share = share_of_neurons(network.gate_widths(), density, shape(network))
        for layer, weight in enumerate(gated_weights(network)):
            keep = self.get_buffer(f"keep_{layer}")
            keep.copy_(largest(torch.where(keep > 0, weight.norm(dim=1), -1), max(share, 1 / len(keep))))

    def gates(self) -> list[Tensor]:
        """One for each neuron that is left, 0 for the others."""
        return [self.get_buffer(f"keep_{layer}") for layer in range(len(self.network.gate_widths()))]
