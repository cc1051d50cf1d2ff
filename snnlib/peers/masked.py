"""What rivals that prune single weights share: a mask for each convolution and fully connected layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call

from ..networks import Network
from ..networks.count import layers
from .base import Options as AnyOptions
from .base import Peer, check_share, with_weights


@dataclass(frozen=True)
class Options(AnyOptions):
    """``density`` is the share of the weights of each layer that is left."""

    density: float = 0.25

    def __post_init__(self) -> None:
        super().__post_init__()
        check_share("density", self.density)


def _smallest(values: Tensor, rank: int) -> Tensor:
    """The value of ``rank`` among ``values`` in ascending order, from 0."""
    if values.device.type == "cpu" and values.dtype in (torch.float32, torch.float64):
        # the same value; NumPy finds it with vector instructions, some ten times as fast as torch's kthvalue
        return values.new_tensor(np.partition(values.detach().flatten().numpy(), rank)[rank])
    return values.flatten().kthvalue(rank + 1).values


def largest(scores: Tensor, density: float) -> Tensor:
    """Mask of the largest ``scores``, the share ``density`` of them, at least one: True where a weight stays.

    Of equal ones the first are taken.
    """
    kept = max(round(density * scores.numel()), 1)
    if kept == scores.numel():
        return torch.ones_like(scores, dtype=torch.bool)
    least = _smallest(scores, scores.numel() - kept)
    mask = scores >= least
    surplus = int(mask.sum()) - kept
    if surplus > 0:
        ties = (scores == least).flatten().nonzero().flatten()[-surplus:]
        mask = mask.flatten().index_fill(0, ties, False).view_as(mask)
    return mask


def apart_from_depthwise(network: Network) -> list[tuple[str, nn.Linear | nn.Conv2d]]:
    """Name and module of every layer but depthwise convolutions: few weights, each the only one at its place of a
    channel, so that the authors of DNW leave them whole."""
    return [(name, layer) for name, layer in layers(network) if not (isinstance(layer, nn.Conv2d) and layer.groups > 1)]


class MaskedWeights(Peer):
    """A rival whose network computes with other weights than its own: :meth:`weights`, by name."""

    KIND = "weights"
    Options = Options
    options: Any

    def prunable(self) -> list[str]:
        """Names of the weights that are masked."""
        return [f"{name}.weight" for name, _ in layers(self.network)]

    def weights(self) -> dict[str, Tensor]:
        """The masked weights, by name."""
        raise NotImplementedError

    @torch.no_grad()
    def final(self) -> Network:
        """The network with its masked weights."""
        return with_weights(self.network, self.weights())

    def forward(self, x: Tensor, gates: Sequence[Tensor] | None = None) -> Tensor:
        """Logits of the network with masked weights, in training and evaluation alike."""
        return functional_call(self.network, self.weights(), (x,))
