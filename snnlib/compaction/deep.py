"""Compaction of VGG16, ResNet34 and MobileNetV1: the switched head becomes smaller, the features stay.

Where an input of the head is pruned, the kernel of the last convolution that computes it could be cut as well. The
paper prunes and counts only the fully connected layers of these networks, so the features are left as they are.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

from torch import Tensor

from ..networks import MLP, DeepNet
from .mlp import compact_mlp, fold_mlp


def fold_deep(network: DeepNet, gates: Sequence[Tensor]) -> DeepNet:
    """The same features, with the factors multiplied into the head's weights."""
    return _with_head(network, fold_mlp(network.head, gates))


def compact_deep(network: DeepNet, gates: Sequence[Tensor]) -> DeepNet:
    """The same features, with a smaller head behind them that picks the inputs it still reads."""
    return _with_head(network, compact_mlp(network.head, gates))


def _with_head(network: DeepNet, head: MLP) -> DeepNet:
    features = copy.deepcopy(network.features).requires_grad_(True)
    return DeepNet(network.name, network.image, features, head).train(network.training)
