"""What a run is made of: its network as the seed draws it, then a switcher, what is left out of it, or a rival."""

from __future__ import annotations

import dataclasses
from typing import Any

import torch

from .. import peers
from ..arms import Arm
from ..networks import NETWORKS, Network
from ..networks.initial import start_linear
from ..networks.specs import builder, is_perceptron
from ..peers import Peer
from ..seeds import generator
from ..switching.switched import Masked, Switched
from .names import check_name


def build_network(
    arm: Arm, seed: int, device: torch.device, image: tuple[int, int, int] = (1, 28, 28), classes: int = 10
) -> Network:
    """The arm's task network as the seed initialises it: the same for every arm of that seed.

    A pruned arm without dense training before starts from other numbers: those of the run that it follows would be the
    ones its neurons were chosen with. ``image`` is (channels, height, width), ``classes`` how many kinds there are.
    """
    if not is_perceptron(arm.network):
        check_name("network", arm.network, NETWORKS)
    draw = generator(seed, "scratch" if arm.pruning and not arm.dense_epochs else "network")
    network = builder(arm.network)(image, classes, fc_std=arm.train.fc_std, generator=draw)
    if arm.train.fc_init != "normal":
        start_linear(network, arm.train.fc_init, draw)
    if arm.train.nudge:
        _nudge(network, arm.train.nudge)
    return network.to(device)


NUDGE = 1e-6
"""How far a control moves one weight: about the size of a rounding error in float32."""


@torch.no_grad()
def _nudge(network: Network, which: int) -> None:
    """Move one weight of the first FC layer: the first one for ``which`` 1, the 1009th from there for 2, and so on."""
    weight = network.linear_weights()[0]
    weight.t().reshape(-1)[1009 * (which - 1) % weight.numel()] += NUDGE


def wrap(arm: Arm, network: Network, seed: int) -> Switched:
    """The network with the arm's switcher, calibrated on the network's present weights."""
    assert arm.switcher is not None
    # drawn on the CPU, so that every device starts from the same numbers
    return Switched.around(
        network.cpu(), arm.switcher, generator(seed, "switcher"), through_switcher=arm.train.through_switcher
    )


@torch.no_grad()
def left_out(arm: Arm, network: Network, seed: int, kept_by: list[list[float]]) -> Masked:
    """``network`` with neurons left out as ``arm.pruning`` says; ``kept_by``: the factors of the run it follows."""
    assert arm.pruning is not None
    keep, criterion = [torch.tensor(gate) > 0 for gate in kept_by], arm.pruning.criterion
    draw = generator(seed, "pruning")
    for index, (kept, weight) in enumerate(zip(list(keep), network.linear_weights())):
        if criterion == "same":
            continue
        score = torch.rand(len(kept), generator=draw) if criterion == "random" else weight.cpu().norm(dim=1)
        keep[index] = torch.zeros_like(kept).index_fill(0, score.topk(int(kept.sum())).indices, True)
    return Masked(network, keep)


def options_of(arm: Arm) -> dict[str, Any] | None:
    """Every option of the arm's rival, with those that its method's code gives; None for an arm without one."""
    if arm.rival is None:
        return None
    found = dataclasses.asdict(peers.options_of(peers.PEERS[arm.rival.name], arm.rival))
    return {name: list(value) if isinstance(value, tuple) else value for name, value in found.items()}


def rival_of(arm: Arm, network: Network, seed: int, images: int) -> Peer:
    """The network as the arm's rival trains it on so many training images."""
    assert arm.rival is not None
    return peers.peer(arm.rival, network, images, arm.train, generator(seed, "rival start"))
