"""How much a structure saves, and whether a difference is significant: functions of widths, gates and accuracies."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def weight_count(widths: Sequence[int], outputs: int = 10, areas: Sequence[int] = (), channels: int = 1) -> int:
    """Weights of a network of these kept ``widths`` and ``outputs`` classes, as the paper counts them: without biases.

    The first ``len(areas)`` widths are kernels of convolutions of so many pixels each (25 for 5 x 5) that read images
    of ``channels``; the others are inputs of fully connected layers. 784-300-100 has 784*300 + 300*100 + 100*10 =
    266,200; LeNet5-Caffe, 20-50-800-500, has 430,500.
    """
    kernels, inputs = [channels, *widths[: len(areas)]], [*widths[len(areas) :], outputs]
    convolutions = sum(a * b * area for a, b, area in zip(kernels, kernels[1:], areas))
    return convolutions + sum(a * b for a, b in itertools.pairwise(inputs))


def removed_pct(
    full: Sequence[int], kept: Sequence[int], outputs: int = 10, areas: Sequence[int] = (), channels: int = 1
) -> float:
    """Share of weights removed, in percent, as the paper's column Params (%) counts it (see :func:`weight_count`)."""
    if len(full) != len(kept) or any(k > f or k < 0 for f, k in zip(full, kept)):
        raise ValueError(f"widths {tuple(kept)} are not a pruned form of {tuple(full)}")
    return 100 * (1 - weight_count(kept, outputs, areas, channels) / weight_count(full, outputs, areas, channels))


def kept_widths(gates: Sequence[ArrayLike]) -> list[int]:
    """Number of factors above 0 in each gated layer: the paper's pruned architecture."""
    return [int((np.asarray(gate) > 0).sum()) for gate in gates]


def effective_widths(
    gates: Sequence[ArrayLike], weights: Sequence[NDArray[Any]], kernels: Sequence[NDArray[Any]] = ()
) -> list[int]:
    """Neurons and kernels that still matter once dead ends are followed through.

    ``weights`` (inputs, outputs), one an FC layer; ``kernels`` (kernels, channels, height, width), one a switched
    convolution, whose factors come first in ``gates``. The maps of the last convolution are flattened: each of its
    kernels feeds the same number of consecutive inputs. A neuron counts if its factor is above 0, something alive feeds
    it (pixels always count as fed) and it feeds something alive.
    """
    alive = [np.asarray(gate) > 0 for gate in gates] + [np.ones(weights[-1].shape[1], bool)]
    if kernels:
        alive[0] &= (kernels[0] != 0).any((1, 2, 3))  # reads the image
    links = _links(alive, weights, kernels)
    for index, link in enumerate(links):  # forward: fed by at least one living neuron
        alive[index + 1] &= (link & alive[index][:, None]).any(0) | (index + 1 == len(links))
    for index in reversed(range(len(links))):  # backward: feeds at least one living neuron
        alive[index] &= (links[index] & alive[index + 1][None, :]).any(1)
    return [int(layer.sum()) for layer in alive[:-1]]


def _links(
    alive: Sequence[NDArray[np.bool_]], weights: Sequence[NDArray[Any]], kernels: Sequence[NDArray[Any]]
) -> list[NDArray[np.bool_]]:
    """One matrix between each two gated layers, True where the one feeds the other."""
    links = [(kernel != 0).any((2, 3)).T for kernel in kernels[1:]]
    if kernels:
        last, inputs = len(alive[len(kernels) - 1]), len(alive[len(kernels)])
        kernel_of = np.repeat(np.arange(last), inputs // last)  # of each input of the first FC layer
        links.append(kernel_of == np.arange(last)[:, None])
    return links + [weight != 0 for weight in weights]


def compression_ratio(full: int, kept: int) -> float:
    """How many times fewer weights: full / kept; infinite where nothing is left."""
    return full / kept if kept else math.inf


speed_up = compression_ratio
"""Theoretical speed-up: the same ratio, of MACs."""


@dataclass(frozen=True)
class PairedDifference:
    """Mean of ``a - b`` over ``n`` seeds with its 95 % confidence interval (Student's t).

    ``p`` is the two-sided p-value of the hypothesis that the true mean is 0; 1 where there are fewer than two pairs.
    """

    mean: float
    low: float
    high: float
    n: int
    p: float = 1.0


def paired_difference(a: Mapping[int, float], b: Mapping[int, float], level: float = 0.95) -> PairedDifference:
    """Difference of two arms, seed by seed: only seeds that both have count.

    ``a`` and ``b`` map a seed to a figure. With fewer than two shared seeds the interval is unbounded (NaN mean for
    none).
    """
    from scipy import stats  # here, not above: it takes a second to import, which reading records does not need

    seeds = sorted(set(a) & set(b))
    differences = np.array([a[seed] - b[seed] for seed in seeds], float)
    if len(seeds) < 2:
        mean = float(differences.mean()) if len(seeds) else math.nan
        return PairedDifference(mean, -math.inf, math.inf, len(seeds))
    mean, error = float(differences.mean()), float(stats.sem(differences))
    if error == 0:
        return PairedDifference(mean, mean, mean, len(seeds), 0.0 if mean else 1.0)
    low, high = stats.t.interval(level, len(seeds) - 1, loc=mean, scale=error)
    return PairedDifference(
        mean, float(low), float(high), len(seeds), float(2 * stats.t.sf(abs(mean) / error, len(seeds) - 1))
    )


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values corrected for their number, in the same order (Holm 1979).

    Rejecting those below 0.05 keeps the chance of any false rejection among them at 5 % or less.
    """
    order, found, largest = np.argsort(p_values, kind="stable"), [0.0] * len(p_values), 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        found[index] = largest
    return found
