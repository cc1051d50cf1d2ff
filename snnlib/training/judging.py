"""What is asked of a network as it stands: how many images are classified right, and what its factors do."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from ..data import scale
from ..networks import TaskNetwork


def judged_at_once(image: Sequence[int]) -> int:
    """How many images of this (channels, height, width) are judged at once: 2,000 of MNIST, fewer of larger ones."""
    return max(2000 * 28 * 28 // math.prod(image), 1)


@torch.no_grad()
def accuracy(
    network: nn.Module | TaskNetwork,
    gates: list[Tensor] | None,
    x: Tensor,
    y: Tensor,
    batch: int | None = None,
    standard: Callable[[Tensor], Tensor] = lambda x: x,
) -> float:
    """Share of images (images, channels, height, width; uint8) that are classified right, from 0 to 1.

    ``batch`` images are judged at once, by default as many as :func:`judged_at_once` allows. ``standard`` prepares
    scaled images as in training. Batch norm uses its running statistics. Raises ``ValueError`` without images.
    """
    if not len(y):
        raise ValueError("no images to judge on: the accuracy of an empty test set is not a number")
    dtype, training = next(network.parameters()).dtype, network.training
    network.train(False)  # batch norm by its running statistics
    batch = batch or judged_at_once(x.shape[1:])
    parts = zip(x.split(batch), y.split(batch))
    given = [] if gates is None else [gates]  # a plain module takes images alone
    right = [(network(standard(scale(part, dtype)), *given).argmax(1) == label).sum() for part, label in parts]
    network.train(training)
    return float(torch.stack(right).sum()) / len(y)


@torch.no_grad()
def gate_counts(gates: list[Tensor]) -> dict[str, list[int]]:
    """Neurons pruned (0), weakened (below 1) and strengthened (1 and above) in each gated layer (section 3.2)."""
    return {
        "pruned": [int((g == 0).sum()) for g in gates],
        "weakened": [int(((g > 0) & (g < 1)).sum()) for g in gates],
        "strengthened": [int((g >= 1).sum()) for g in gates],
    }
