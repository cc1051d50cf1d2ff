"""What all rivals share: a task network that is trained and pruned by another method than the paper's, and its loop.

A rival is a module around a task network. In training mode its ``forward`` is what the method trains; in evaluation
mode it is the network that the method leaves, without noise. It is trained by the same batches, schedule and checks as
every other arm, for the same number of passes over the images, and judged after the last epoch.
"""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from ..arms import Rival
from ..compaction import Prunes, compact
from ..config import Side, TrainConfig
from ..data import Dataset
from ..networks import MLP, ConvNet, DeepNet, Network
from ..networks.count import layers, nonzero
from ..seeds import generator
from ..training.fit import check_fit, check_read
from ..training.loops import OnEpoch, State, Stepped, epochs
from ..training.optimizers import fused_where_right, set_rate, sgd_of
from ..training.steps import descend, loss_of
from ..training.turns import rate_at


@dataclass(frozen=True)
class Options:
    """Options that every rival has."""

    optimizer: Literal["sgd", "adam"] = "sgd"

    def __post_init__(self) -> None:
        if self.optimizer not in ("sgd", "adam"):
            raise ValueError(f"optimizer={self.optimizer!r}: choose 'sgd' or 'adam'")


def check_share(name: str, value: float, least: float = 0.0) -> None:
    """Raise ``ValueError`` unless ``value``, called ``name``, is a share above ``least`` and at most 1."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not least < value <= 1:
        raise ValueError(f"{name}={value!r}: a share, a number above {least:g} and at most 1")


@dataclass(frozen=True)
class Left:
    """How many weights of convolutions and FC layers are left of how many, and multiplications by these for one image.

    ``also`` holds what else a method's record says. Single weights save multiplications only where zeros are skipped.
    """

    weights: float
    of: int
    macs: float
    also: dict[str, Any] = field(default_factory=dict[str, Any])


class Peer(nn.Module):
    """``network`` as a rival trains it.

    ``images`` is the number of training images N, ``config`` how it is trained; ``draw`` draws what the method adds to
    the network at the start. Raises ``ValueError`` for a network that the method cannot prune.
    """

    KIND: ClassVar[Prunes] = "neurons"
    NETWORKS: ClassVar[tuple[type, ...]] = (MLP, ConvNet, DeepNet)
    WHY: ClassVar[str] = "it needs to know its layers"
    """Why other networks cannot be pruned, for the error."""

    Options: ClassVar[type[Options]] = Options
    network: Network
    options: Any

    def __init__(
        self, network: Network, options: Options, images: int, config: TrainConfig, draw: torch.Generator
    ) -> None:
        super().__init__()
        if not isinstance(network, self.NETWORKS):
            raise ValueError(
                f"{type(self).__name__} cannot prune a {type(network).__name__}: {self.WHY}; it takes "
                f"{' or '.join(kind.__name__ for kind in self.NETWORKS)}"
            )
        self.network, self.options, self.images, self.config = network, options, images, config
        self.noise = draw  # replaced before each epoch by one of its own
        self.add(network, draw)

    def add(self, network: Network, draw: torch.Generator) -> None:
        """What the method adds to ``network`` at the start, drawn by ``draw``; nothing by default."""

    # ---------------------------------------------------------------- training

    def loss(self, x: Tensor, y: Tensor) -> Tensor:
        """The objective on images ``x`` and labels ``y``: cross-entropy, and what the method adds."""
        loss, added = loss_of(self, x, y, precision=self.config.precision), self.penalty()
        if added is not None and added.numel() != 1:
            raise TypeError(f"{type(self).__name__}.penalty returns {tuple(added.shape)} numbers; one is wanted")
        return loss if added is None else loss + added

    def penalty(self) -> Tensor | None:
        """What the method adds to the cross-entropy of an image; None for nothing."""
        return None

    def begin(self, epoch: int) -> bool:
        """Called before the epoch numbered ``epoch`` (from 0); True where the optimizers start anew."""
        return False

    def progress(self, share: float) -> float:
        """How far the rate's schedule is after ``share`` of the run; methods with rounds start it anew."""
        return share

    def after_step(self) -> None:
        """Called after each step of the optimizer, to keep parameters within their bounds."""

    def groups(self) -> list[dict[str, Any]]:
        """The parameters that are trained, in groups; ``factor`` multiplies a group's learning rate."""
        return [{"params": [parameter for parameter in self.parameters() if parameter.requires_grad]}]

    def optimizers(self) -> dict[Side, torch.optim.Optimizer]:
        """The optimizers of a run; SGD as in section 4 of the paper, or Adam."""
        config = self.config
        if self.options.optimizer == "adam":
            groups = fused_where_right(self.groups())
            return {"network": torch.optim.Adam(groups, lr=config.rate, weight_decay=self.decay())}
        return {"network": sgd_of(self.groups(), config.rate, config.momentum, self.decay())}

    def decay(self) -> float:
        """Weight decay of the optimizer; 0 where :meth:`penalty` holds it."""
        return self.config.weight_decay

    def step(self, optimizers: Mapping[Side, torch.optim.Optimizer], x: Tensor, y: Tensor) -> Tensor:
        """One step on images ``x`` and labels ``y``; returns the loss."""
        loss = self.loss(x, y)
        descend(self, optimizers["network"], loss, self.config.clip_network)
        self.after_step()
        return loss.detach()

    # ---------------------------------------------------------------- what is left

    def gates(self) -> list[Tensor]:
        """One factor for each neuron of each gated layer, 0 where it is pruned; ones where single weights are."""
        reference = next(self.network.parameters())
        return [reference.new_ones(width) for width in self.network.gate_widths()]

    def uncut(self) -> list[Tensor] | None:
        """As :meth:`gates`, before a threshold set after training has pruned any; None for a method that has none."""
        return None

    def final(self) -> Network:
        """The network that is left, to be used with :meth:`gates`: of the same class, pruned weights 0."""
        return self.network

    def left(self, images: Tensor) -> Left:
        """What is left of the network's weights and operations; ``images`` as they are judged on, scaled."""
        small = compact(self.final(), self.gates())
        weights, macs = nonzero(small)
        return Left(weights, sum(layer.weight.numel() for _, layer in layers(self.network)), macs)

    def forward(self, x: Tensor, gates: Sequence[Tensor] | None = None) -> Tensor:
        """Logits (images, classes): in training mode as trained, in evaluation mode of what is left."""
        return self.network(x, self.gates())


def train_peer(
    peer: Peer,
    data: Dataset,
    config: TrainConfig,
    seed: int,
    state: State | None = None,
    on_epoch: OnEpoch | None = None,
) -> State:
    """Train ``peer`` for ``config.epochs`` epochs; ``state`` resumes. As :func:`~snnlib.training.loops.train_dense`.

    ``config`` and ``data`` are those that the rival was made for: rounds and penalties rest on them. Raises
    :class:`~snnlib.training.checks.DivergenceError`, ``TypeError`` for another module, and ``ValueError`` where rival,
    data and settings do not fit each other.
    """
    check_made_for(peer, data, config)
    optimizers, per_epoch = peer.optimizers(), math.ceil(len(data.x_train) / config.batch_size)

    def step(t: int, x: Tensor, y: Tensor, progress: float) -> Stepped:
        if t % per_epoch == 0:
            peer.noise = generator(seed, "rival", t // per_epoch)
            if peer.begin(t // per_epoch):
                for optimizer in optimizers.values():
                    optimizer.state.clear()
        set_rate(optimizers["network"], rate_at(config, peer.progress(progress)))
        return "network", peer.step(optimizers, x, y), None

    return epochs(peer, None, optimizers, step, data, config, seed, state, on_epoch)


def check_made_for(peer: Peer, data: Dataset, config: TrainConfig) -> None:
    """Raise ``TypeError`` or ``ValueError`` unless ``peer`` is a rival that was made for ``data`` and ``config``."""
    if not isinstance(peer, Peer):
        raise TypeError(
            f"a {type(peer).__name__} is no rival: make one with snnlib.peers.peer(Rival.of('dnw'), network, "
            "images, config, generator), or train the network alone with train_dense"
        )
    check_read(config, peer.network)
    check_fit(peer.network, data, config)
    made, given = (dataclasses.asdict(each.for_training()) for each in (peer.config, config))
    differ = [f"{name}={value!r} (made for {made[name]!r})" for name, value in given.items() if value != made[name]]
    if differ:
        raise ValueError(f"the rival was made for other settings: {', '.join(differ)}; give peer.config")
    if peer.images != len(data.x_train):
        raise ValueError(
            f"the rival was made for {peer.images} training images, {data.name} has {len(data.x_train)}: make it anew "
            f"with images={len(data.x_train)}"
        )


def gated_weights(network: Network) -> list[Tensor]:
    """Weights (factors, weights) of each gated layer, a row a factor: a kernel's, or those that leave a neuron."""
    return [*(weight.flatten(1) for weight in network.kernel_weights()), *network.linear_weights()]


def flat(name: str) -> str:
    """The name of a parameter without dots, which names of parameters that are registered may not have."""
    return name.replace(".", "_")


def with_weights(network: Network, weights: Mapping[str, Tensor]) -> Network:
    """A copy of ``network`` with some of its parameters replaced, by name."""
    made = copy.deepcopy(network)
    with torch.no_grad():
        for name, values in weights.items():
            made.get_parameter(name).copy_(values)
    return made.requires_grad_(False)


def options_of(kind: type[Peer], rival: Rival) -> Any:
    """The options of ``rival`` as an object of its class. Raises ``ValueError`` for one that is unknown or missing."""
    known = {each.name for each in dataclasses.fields(kind.Options)}
    given = dict(rival.options)
    if unknown := sorted(set(given) - known):
        raise ValueError(f"{rival.name} has no option {', '.join(unknown)}; it has {', '.join(sorted(known))}")
    return kind.Options(**given)
