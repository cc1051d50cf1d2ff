"""Deep Elastic Networks (Ahn, Kim and Oh, ICCV 2019): a second network chooses, for each image, how much of each layer
is used.

Each hidden layer of a perceptron is a block with nested levels of width, and of a deep network the inputs of each fully
connected layer, as the paper quotes it for VGG16. First the network is trained with all of it for three images
of four and with random levels for the fourth, as in the authors' code; then a selection network, which sees the image,
learns by policy gradient (REINFORCE) which levels to take, and the network goes on learning with the levels chosen.
The reward of an image is (1 - u^2) / rho - cross-entropy + 1, where u is the share of the blocks in use (their code).
The mean reward of the batch is subtracted, which changes no expectation and makes its noise smaller (ours). The share
of images whose levels are drawn at random stays as it is, where theirs shrinks. With four levels of equal size no more
than 77.1 % of the perceptron's weights can be left unused.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..config import Side
from ..networks import MLP, DeepNet, Network, count
from ..networks.count import layers
from ..networks.initial import as_torch, blank
from ..training.steps import arithmetic, descend
from .base import Left, Peer, check_share
from .base import Options as AnyOptions


@dataclass(frozen=True)
class Options(AnyOptions):
    """``rho`` weighs the reward of a small network: the larger, the less it counts."""

    rho: float = 1.0
    levels: int = 4
    hidden: int = 32  # width of the selection network
    rate_policy: float = 1e-3
    alone: float = 0.5  # share of the run before the selection network learns
    explore: float = 0.1  # share of images whose levels are drawn at random while it learns
    whole: float = 0.75  # share of images that use every level before that

    def __post_init__(self) -> None:
        super().__post_init__()
        check_share("alone", self.alone)
        if self.rho <= 0 or self.rate_policy <= 0:
            raise ValueError(f"rho={self.rho}, rate_policy={self.rate_policy}: must be positive")
        if min(self.levels, self.hidden) < 1:
            raise ValueError(f"levels={self.levels}, hidden={self.hidden}: must be 1 or more")
        for name in ("explore", "whole"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name}={getattr(self, name)}: a share from 0 to 1")


class ElasticNet(Peer):
    """A network whose hidden layers have ``levels`` nested widths, and the selection network that chooses them."""

    KIND = "images"
    NETWORKS = (MLP, DeepNet)
    WHY = "its blocks are the inputs of fully connected layers, behind features that keep their widths"
    Options = Options
    options: Options

    def add(self, network: Network, draw: torch.Generator) -> None:
        """The selection network, and the neurons of each level."""
        assert isinstance(network, MLP | DeepNet)
        self._first = int(isinstance(network, MLP))  # pixels have no levels
        reference, blocks = next(network.parameters()), network.gate_widths()[self._first :]
        pixels = network.gate_widths()[0] if isinstance(network, MLP) else math.prod(network.image)
        self.policy = nn.Sequential(
            blank(nn.Linear, pixels, self.options.hidden),
            nn.ReLU(),
            blank(nn.Linear, self.options.hidden, len(blocks) * self.options.levels),
        )
        for layer in (self.policy[0], self.policy[2]):
            assert isinstance(layer, nn.Linear)
            as_torch(layer, draw)
        self.policy.to(reference)
        for block, width in enumerate(blocks):
            kept = torch.arange(1, self.options.levels + 1)[:, None] * width / self.options.levels
            masks = (torch.arange(width) < kept.ceil()).to(reference)
            self.register_buffer(f"masks_{block}", masks, persistent=False)
        self._alone = True

    @property
    def head(self) -> MLP:
        """The task network, or the fully connected layers at the end of a deep one."""
        head = self.network.head if isinstance(self.network, DeepNet) else self.network
        assert isinstance(head, MLP)
        return head

    @property
    def blocks(self) -> int:
        """Number of layers with levels."""
        return len(self.network.gate_widths()) - self._first

    def groups(self) -> list[dict[str, object]]:
        """Those of the task network; the selection network has an optimizer of its own."""
        return [{"params": list(self.network.parameters())}]

    def optimizers(self) -> dict[Side, torch.optim.Optimizer]:
        """The task network's, and Adam for the selection network, as in the authors' code."""
        adam = torch.optim.Adam(self.policy.parameters(), lr=self.options.rate_policy)
        return {**super().optimizers(), "switcher": adam}

    def begin(self, epoch: int) -> bool:
        """The selection network learns after :attr:`Options.alone` of the run."""
        self._alone = epoch < self.options.alone * self.config.epochs
        return False

    def scores(self, x: Tensor) -> Tensor:
        """Log-probabilities (images, blocks, levels) of the selection network."""
        return self.policy(x.flatten(1)).view(len(x), self.blocks, self.options.levels).log_softmax(2)

    def logits(self, x: Tensor, chosen: Tensor) -> Tensor:
        """Logits of ``x`` where image i uses level ``chosen`` [i, b] (images, blocks; from 0) of block b."""
        precision = self.config.precision if self.training else "float32"
        with arithmetic(x.device, precision):
            h = (self.network.featured(x) if isinstance(self.network, DeepNet) else x).flatten(1)
            for index, layer in enumerate(self.head.layers):
                if index:
                    h = torch.relu(h)
                if (block := index - self._first) >= 0:
                    h = h * self.get_buffer(f"masks_{block}")[chosen[:, block]]
                h = layer(h)
        return h.to(x.dtype)

    def use(self, chosen: Tensor) -> Tensor:
        """Share (images,) of the blocks' levels in use."""
        return (chosen + 1).to(next(self.network.parameters())).mean(1) / self.options.levels

    def reward(self, chosen: Tensor, losses: Tensor) -> Tensor:
        """Reward (images,) of these levels with these cross-entropies."""
        return (1 - self.use(chosen).square()) / self.options.rho - losses + 1

    def step(self, optimizers: Mapping[Side, torch.optim.Optimizer], x: Tensor, y: Tensor) -> Tensor:
        """Alone: a step of the task network. Later: one of the selection network, one of the task network."""
        random = torch.randint(self.options.levels, (len(x), self.blocks), generator=self.noise).to(x.device)
        at_random = torch.rand(len(x), 1, generator=self.noise).to(x.device)
        scores = None
        if self._alone:
            chosen = torch.where(at_random < self.options.whole, self.options.levels - 1, random)
        else:
            scores = self.scores(x)
            uniform = torch.rand(len(x), self.blocks, 1, generator=self.noise).to(x)
            levels = (scores.exp().cumsum(2) < uniform).sum(2).clamp(max=self.options.levels - 1)
            chosen = torch.where(at_random < self.options.explore, random, levels)
        losses = F.cross_entropy(self.logits(x, chosen), y, reduction="none")
        if scores is not None:
            reward = self.reward(chosen, losses.detach())
            likelihood = scores.gather(2, chosen[:, :, None]).sum((1, 2))
            descend(self.policy, optimizers["switcher"], -(likelihood * (reward - reward.mean())).mean(), None)
        loss = losses.mean()
        descend(self.network, optimizers["network"], loss, self.config.clip_network)
        return loss.detach()

    @torch.no_grad()
    def choose(self, x: Tensor) -> Tensor:
        """The levels (images, blocks) that the selection network prefers."""
        return self.scores(x).argmax(2)

    def forward(self, x: Tensor, gates: Sequence[Tensor] | None = None) -> Tensor:
        """Logits with the levels that the selection network prefers."""
        return self.logits(x, self.choose(x))

    @torch.no_grad()
    def left(self, images: Tensor) -> Left:
        """Means over ``images``; the selection network's own weights are told besides."""
        chosen = self.choose(images)
        widths = [self.get_buffer(f"masks_{block}").sum(1)[chosen[:, block]] for block in range(self.blocks)]
        fixed = [torch.full_like(widths[0], width) for width in self.head.widths]
        chain = [*fixed[: self._first], *widths, fixed[-1]]
        used = sum((a * b for a, b in itertools.pairwise(chain)), torch.zeros_like(widths[0]))
        mean, whole = float(used.double().mean()), count.weights(self.head)
        extra = sum(layer.weight.numel() for _, layer in layers(self.policy))
        also = {"mean_widths": [float(width.double().mean()) for width in chain[:-1]], "selection_weights": extra}
        of = sum(layer.weight.numel() for _, layer in layers(self.network))  # those of the features all stay
        return Left(of - whole + mean, of, count.macs(self.network) - whole + mean, also)
