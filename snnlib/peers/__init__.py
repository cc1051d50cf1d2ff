"""Rivals: the nine methods that the paper compares itself with, each in one file, trained by one harness.

===================  ==========================================================  =======================
name                 method                                                      prunes
===================  ==========================================================  =======================
``bc-gnj``           Bayesian compression, group normal-Jeffreys prior           neurons, kernels
``bc-ghs``           Bayesian compression, group horseshoe prior                 neurons, kernels
``l0``               L0 norm by hard concrete gates                              neurons, kernels
``lottery``          lottery ticket, iterative magnitude pruning                 weights
``lottery-neurons``  its structured form                                         neurons, kernels
``edge-popup``       edges of a random network chosen by learnt scores           weights
``dnw``              discovering neural wirings                                  weights
``nested``           NestedNet, a core within a larger network                   neurons
``elastic``          Deep Elastic Networks, widths chosen for each image         neurons, by image
``n2n``              N2N, a policy shrinks a teacher, the student is distilled   neurons, layers
===================  ==========================================================  =======================
"""

from __future__ import annotations

from collections.abc import Mapping

import torch

from ..arms import Rival
from ..config import TrainConfig
from ..networks import Network
from .base import Peer, options_of, train_peer
from .bayesian import Horseshoe, NormalJeffreys
from .dnw import DNW
from .edge_popup import EdgePopup
from .elastic import ElasticNet
from .l0 import L0
from .lottery import LotteryNeurons, LotteryTicket
from .n2n import N2N
from .nested import NestedNet

PEERS: Mapping[str, type[Peer]] = {
    "bc-gnj": NormalJeffreys,
    "bc-ghs": Horseshoe,
    "l0": L0,
    "lottery": LotteryTicket,
    "lottery-neurons": LotteryNeurons,
    "edge-popup": EdgePopup,
    "dnw": DNW,
    "nested": NestedNet,
    "elastic": ElasticNet,
    "n2n": N2N,
}
"""The rivals by name."""


def peer(rival: Rival, network: Network, images: int, config: TrainConfig, draw: torch.Generator) -> Peer:
    """``network`` as ``rival`` trains it on ``images`` training images; ``draw`` draws what it adds.

    Raises ``ValueError`` for a rival or an option that does not exist, and for a network that it cannot prune.
    """
    if not isinstance(rival, Rival):
        raise TypeError(f"a {type(rival).__name__} is no Rival: give Rival.of({rival!r}, ...) of snnlib.arms")
    if rival.name not in PEERS:
        raise ValueError(f"there is no rival {rival.name!r}: choose {', '.join(PEERS)}")
    kind = PEERS[rival.name]
    made = kind(network, options_of(kind, rival), images, config, draw)
    return made.to(next(network.parameters()).device)


__all__ = ["PEERS", "Peer", "peer", "train_peer"]
