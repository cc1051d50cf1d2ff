"""The networks of the paper, each with its data sets (sections 4.1 to 4.3, Tables 1 to 4)."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from . import NETWORKS, DeepNet, count

IMAGES = {"mnist": ((1, 28, 28), 10), "cifar10": ((3, 32, 32), 10), "mini_imagenet": ((3, 84, 84), 100)}
"""(channels, height, width) of a data set's images, and its number of classes."""


@dataclass(frozen=True)
class Listed:
    """One network on one data set.

    ``gated_widths`` counts the factors of each switched layer. ``weights`` is the paper's count, without biases, of
    the ``counted`` layers: all of them, or the fully connected ones ("fc"). ``macs`` are those of one image in all
    layers, ``parameters`` counts everything that is trained.
    """

    network: str
    dataset: str
    image: tuple[int, int, int]
    classes: int
    gated_widths: tuple[int, ...]
    counted: str
    weights: int
    macs: int
    parameters: int


def listed(network: str, dataset: str) -> Listed:
    """The figures of ``network`` as it is built for ``dataset``; no weight is drawn and no memory taken."""
    image, classes = IMAGES[dataset]
    with torch.device("meta"):
        built = NETWORKS[network](image, classes)
    counted = "fc" if isinstance(built, DeepNet) else "all"
    return Listed(
        network,
        dataset,
        image,
        classes,
        built.gate_widths(),
        counted,
        count.weights(built),
        count.macs(built),
        count.parameters(built),
    )
