"""What a structure saves and whether a difference is real: pure functions of widths, gates and accuracies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats


def weight_count(widths: Sequence[int], outputs: int = 10) -> int:
    """Weights of fully connected layers of these input and hidden ``widths`` and ``outputs`` classes, without biases.

    784-300-100 has 784*300 + 300*100 + 100*10 = 266,200. One multiplication a weight and image, so also the MACs.
    """
    chain = [*widths, outputs]
    return sum(a * b for a, b in zip(chain, chain[1:]))


def removed_pct(full: Sequence[int], kept: Sequence[int], outputs: int = 10) -> float:
    """Share of weights removed, in percent, as the paper's column Params (%) counts it (biases left out)."""
    if len(full) != len(kept) or any(k > f or k < 0 for f, k in zip(full, kept)):
        raise ValueError(f"widths {tuple(kept)} are not a pruned form of {tuple(full)}")
    return 100 * (1 - weight_count(kept, outputs) / weight_count(full, outputs))


def kept_widths(gates: Sequence[Sequence[float]]) -> list[int]:
    """Number of factors above 0 in each gated layer: the paper's pruned architecture."""
    return [int((np.asarray(gate) > 0).sum()) for gate in gates]


def effective_widths(gates: Sequence[Sequence[float]], weights: Sequence[np.ndarray]) -> list[int]:
    """Neurons that still matter once dead ends are followed through.

    ``weights`` (inputs, outputs), one a layer. A neuron counts if its factor is above 0, something alive feeds it
    (input neurons always count as fed) and it feeds something alive.
    """
    alive = [np.asarray(gate) > 0 for gate in gates] + [np.ones(weights[-1].shape[1], bool)]
    for index, weight in enumerate(weights):  # forward: fed by at least one living neuron
        alive[index + 1] &= ((weight != 0) & alive[index][:, None]).any(0) | (index + 1 == len(weights))
    for index in reversed(range(len(weights))):  # backward: feeds at least one living neuron
        alive[index] &= ((weights[index] != 0) & alive[index + 1][None, :]).any(1)
    return [int(layer.sum()) for layer in alive[:-1]]


def compression_ratio(full: int, kept: int) -> float:
    """How many times fewer weights: full / kept; infinite where nothing is left."""
    return full / kept if kept else math.inf


speed_up = compression_ratio
"""Theoretical speed-up: the same ratio, of MACs."""


@dataclass(frozen=True)
class PairedDifference:
    """Mean of ``a - b`` over ``n`` seeds with its 95 % confidence interval (Student's t)."""

    mean: float
    low: float
    high: float
    n: int


def paired_difference(a: dict[int, float], b: dict[int, float], level: float = 0.95) -> PairedDifference:
    """Difference of two arms, seed by seed: only seeds that both have count.

    ``a`` and ``b`` map a seed to a figure. With fewer than two shared seeds the interval is unbounded (NaN mean for none).
    """
    seeds = sorted(set(a) & set(b))
    differences = np.array([a[seed] - b[seed] for seed in seeds], float)
    if len(seeds) < 2:
        mean = float(differences.mean()) if len(seeds) else math.nan
        return PairedDifference(mean, -math.inf, math.inf, len(seeds))
    mean, error = float(differences.mean()), float(stats.sem(differences))
    if error == 0:
        return PairedDifference(mean, mean, mean, len(seeds))
    low, high = stats.t.interval(level, len(seeds) - 1, loc=mean, scale=error)
    return PairedDifference(mean, float(low), float(high), len(seeds))
