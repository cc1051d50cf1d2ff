"""How far a switcher sees: the rows of the packed weights that a factor depends on."""

from __future__ import annotations

import torch

from .. import seeds
from ..config import SwitcherConfig
from ..networks import MLP
from ..switching.packing import pack_linear
from ..switching.switched import Switched


@torch.no_grad()
def rows_seen(row: int, config: SwitcherConfig = SwitcherConfig(), seed: int = 0) -> list[int]:
    """The rows of the first layer whose weights move the score of input neuron ``row``, in the perceptron.

    Each row in turn gets some noise; in double precision, so that any answer is one to the noise.
    """
    network = MLP(generator=seeds.generator(seed, "network")).double()
    switcher = Switched.around(network, config, seeds.generator(seed, "switcher")).switcher
    weights = pack_linear(network.linear_weights()).unpack()

    def score(noisy: int | None) -> float:
        changed = [weight.clone() for weight in weights]
        if noisy is not None:
            draw = torch.Generator().manual_seed(noisy)
            changed[0][noisy] += 10 * torch.randn(changed[0].shape[1], dtype=torch.float64, generator=draw)
        return float(switcher.scores(pack_linear(changed))[0, row])

    still = score(None)
    return [noisy for noisy in range(len(weights[0])) if abs(score(noisy) - still) > 1e-9]
