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

    Blocks of rows get some noise, and those that move the score are halved until they are single rows; in double
    precision, so that any answer is one to the noise.
    """
    network = MLP(generator=seeds.generator(seed, "network")).double()
    switcher = Switched.around(network, config, seeds.generator(seed, "switcher")).switcher
    assert isinstance(switcher, Switcher)  # it reads weights
    weights = pack_linear(network.linear_weights()).unpack()
    noise = 10 * torch.randn(weights[0].shape, generator=torch.Generator().manual_seed(seed)).double()

    def score(noisy: slice) -> float:
        changed = [weight.clone() for weight in weights]
        changed[0][noisy] += noise[noisy]
        return float(switcher.scores(pack_linear(changed))[0, row])

    still = score(slice(0, 0))

    def moving(first: int, end: int) -> list[int]:
        if abs(score(slice(first, end)) - still) <= 1e-9:
            return []
        if end - first == 1:
            return [first]
        middle = (first + end) // 2
        return moving(first, middle) + moving(middle, end)

    return moving(0, len(weights[0]))


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
