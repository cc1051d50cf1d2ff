"""What a switcher sees of the weights: rows that a factor depends on, new weights, weights of another scale."""

from __future__ import annotations

import torch

from .. import seeds
from ..config import Reads, SwitcherConfig
from ..networks import MLP, vgg_cov2
from ..switching.packing import pack_linear
from ..switching.switched import Switched
from ..switching.switcher import Switcher


@torch.no_grad()
def rows_seen(row: int, config: SwitcherConfig = SwitcherConfig(), seed: int = 0) -> list[int]:
    """The rows of the first layer whose weights move the score of input neuron ``row``, in the perceptron.

    Each row in turn gets some noise; in double precision, so that any answer is one to the noise.
    """
    network = MLP(generator=seeds.generator(seed, "network")).double()
    switcher = Switched.around(network, config, seeds.generator(seed, "switcher")).switcher
    assert isinstance(switcher, Switcher)  # it reads weights
    weights = pack_linear(network.linear_weights()).unpack()

    def score(noisy: int | None) -> float:
        changed = [weight.clone() for weight in weights]
        if noisy is not None:
            draw = torch.Generator().manual_seed(noisy)
            changed[0][noisy] += 10 * torch.randn(changed[0].shape[1], dtype=torch.float64, generator=draw)
        return float(switcher.scores(pack_linear(changed))[0, row])

    still = score(None)
    return [noisy for noisy in range(len(weights[0])) if abs(score(noisy) - still) > 1e-9]


@torch.no_grad()
def follows(reads: Reads, seed: int = 0) -> bool:
    """Whether the factors of a switcher that reads this change when all weights of its network are drawn anew."""
    network = MLP(generator=seeds.generator(seed, "network"))
    draw = seeds.generator(seed, "switcher")
    model = Switched.around(network, SwitcherConfig(reads=reads), draw)
    before = torch.cat(model.gates())
    for weight in network.linear_weights():
        weight.normal_(0.0, 0.01, generator=draw)
    return bool((torch.cat(model.gates()) - before).abs().max() > 1e-3)


@torch.no_grad()
def doubled(batch_norm: bool, seed: int = 0) -> dict[str, str]:
    """What doubling VGG-cov2's first kernels does to the dense network's output and to the kernels that are off."""
    draw = seeds.generator(seed, "network")
    network = vgg_cov2(batch_norm=batch_norm, generator=draw)
    model = Switched.around(network, SwitcherConfig(), draw)
    images = torch.rand(32, 3, 32, 32, generator=draw)
    before, off = network(images), int((model.gates()[0] == 0).sum())
    network.convolutions[0].weight.mul_(2)
    moved = float((network(images) - before).norm() / before.norm())
    after = int((model.gates()[0] == 0).sum())
    return {
        "output moves by (%)": f"{100 * moved:.1f}",
        "kernels off before": str(off),
        "kernels off after": str(after),
    }
