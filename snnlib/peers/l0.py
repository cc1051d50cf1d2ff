"""L0 regularization by hard concrete gates (Louizos, Welling and Kingma, ICLR 2018), on neurons and kernels.

A gate is a concrete variable stretched to (gamma, zeta) and cut off at 0 and 1 (their Eqs. 10 and 11); the expected
number of open gates is a sum of sigmoids (Eq. 12), so that the norm has a gradient. At test time each gate has one
value (Eq. 13).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from ..networks import MLP, ConvNet, Network
from .base import Options as AnyOptions
from .base import Peer, flat, gated_weights, with_weights

GAMMA, ZETA = -0.1, 1.1
"""Where the concrete variable is stretched to."""

LEAST, MOST = math.log(1e-2), math.log(1e2)
"""Bounds of log alpha, as in the authors' code."""


@dataclass(frozen=True)
class Options(AnyOptions):
    """``strength`` is lambda, the price of one weight in units of 1 / N.

    ``shares`` multiply it layer by layer, for a lambda of each layer ("sep."); without them one holds for all.
    """

    strength: float = 0.1
    shares: tuple[float, ...] = ()
    temperature: float = 2 / 3  # beta
    dropped: float = 0.5  # share of gates closed at the start
    dropped_inputs: float = 0.2  # the same for pixels
    scale_factor: float = 1.0  # of the learning rate, for the gates
    average: float = 0.0  # decay of the running mean of all parameters that is judged; 0 for none

    def __post_init__(self) -> None:
        super().__post_init__()
        if min((self.strength, *self.shares)) < 0:
            raise ValueError(f"strength={self.strength}, shares={self.shares}: must be 0 or more")
        for name in ("dropped", "dropped_inputs"):
            if not 0 < getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)}: a share between 0 and 1")
        if self.scale_factor <= 0:
            raise ValueError(f"scale_factor={self.scale_factor}: must be positive")
        if not 0 <= self.average < 1:
            raise ValueError(f"average={self.average}: a decay from 0 to below 1")


def sample(log_alpha: Tensor, uniform: Tensor, temperature: float) -> Tensor:
    """Hard concrete gates for ``uniform`` numbers between 0 and 1 (Eqs. 10 and 11)."""
    concrete = torch.sigmoid((uniform.log() - (-uniform).log1p() + log_alpha) / temperature)
    return (concrete * (ZETA - GAMMA) + GAMMA).clamp(0, 1)


def expected(log_alpha: Tensor) -> Tensor:
    """The gates at test time (Eq. 13)."""
    return (torch.sigmoid(log_alpha) * (ZETA - GAMMA) + GAMMA).clamp(0, 1)


def chance_open(log_alpha: Tensor, temperature: float) -> Tensor:
    """The probability that a gate is not 0 (Eq. 12)."""
    return torch.sigmoid(log_alpha - temperature * math.log(-GAMMA / ZETA))


class L0(Peer):
    """One hard concrete gate for each neuron and kernel, drawn once for all images of a batch, as the authors do."""

    NETWORKS = (MLP, ConvNet)
    WHY = "its gates stand before fully connected layers and behind the switched convolutions"
    Options = Options
    options: Options
    log_alpha: Sequence[nn.Parameter]

    def add(self, network: Network, draw: torch.Generator) -> None:
        """A gate for each neuron and kernel, and the running means."""
        widths, reference = network.gate_widths(), next(network.parameters())
        if len(self.options.shares) not in (0, len(widths)):
            raise ValueError(f"shares={self.options.shares}: give one for each of {len(widths)} layers, or none")
        starts: list[nn.Parameter] = []
        for index, width in enumerate(widths):
            dropped = self.options.dropped_inputs if not index and isinstance(network, MLP) else self.options.dropped
            start = torch.randn(width, generator=draw) * 0.01 + math.log(1 - dropped) - math.log(dropped)
            starts.append(nn.Parameter(start.to(reference)))
        self.log_alpha = nn.ParameterList(starts)  # pyright: ignore[reportAttributeAccessIssue]: a sequence of them
        if self.options.average:
            for name, parameter in list(self.named_parameters()):
                self.register_buffer(f"mean_{flat(name)}", torch.zeros_like(parameter.detach()))
            self.register_buffer("steps", torch.zeros((), dtype=torch.float64))

    def groups(self) -> list[dict[str, object]]:
        """The network, then the gates, whose rate may differ."""
        return [
            {"params": list(self.network.parameters())},
            {"params": list(self.log_alpha), "factor": self.options.scale_factor},
        ]

    def decay(self) -> float:
        """None of the optimizer's: the L2 norm is within :meth:`penalty`."""
        return 0.0

    def penalty(self) -> Tensor:
        """Expected L0 norm of the weights, times lambda / N, and their expected L2 norm (appendix A of their paper)."""
        groups, decay = gated_weights(self.network), self.config.weight_decay
        shares = self.options.shares or (1.0,) * len(groups)
        total = groups[0].new_zeros(())
        for share, log_alpha, weight in zip(shares, self.log_alpha, groups):
            price = share * self.options.strength / self.images * weight.shape[1]
            if decay:
                price = price + 0.5 * decay * weight.square().sum(1)
            total = total + (chance_open(log_alpha, self.options.temperature) * price).sum()
        return total

    @torch.no_grad()
    def after_step(self) -> None:
        """Keep log alpha within its bounds, and follow the running mean."""
        for log_alpha in self.log_alpha:
            log_alpha.clamp_(LEAST, MOST)
        if self.options.average:
            self.get_buffer("steps").add_(1)
            for name, parameter in self.named_parameters():
                self.get_buffer(f"mean_{flat(name)}").lerp_(parameter, 1 - self.options.average)

    def _judged(self) -> dict[str, Tensor]:
        """The parameters that are judged, by name: the running means, where they are kept."""
        parameters: dict[str, Tensor] = dict(self.named_parameters())
        if not self.options.average or not self.get_buffer("steps"):
            return parameters
        whole = 1 - self.options.average ** float(self.get_buffer("steps"))
        return {name: self.get_buffer(f"mean_{flat(name)}") / whole for name in parameters}

    def gates(self) -> list[Tensor]:
        """The gates at test time."""
        judged = self._judged()
        return [expected(judged[f"log_alpha.{index}"].detach()) for index in range(len(self.log_alpha))]

    def final(self) -> Network:
        """The network with the weights that are judged."""
        prefix = "network."
        judged = {name.removeprefix(prefix): value for name, value in self._judged().items() if name.startswith(prefix)}
        return with_weights(self.network, judged)

    def forward(self, x: Tensor, gates: Sequence[Tensor] | None = None) -> Tensor:
        """Logits with gates drawn anew in training mode, with those of test time in evaluation mode."""
        if self.training:
            drawn = [sample(each, self._uniform(each), self.options.temperature) for each in self.log_alpha]
            return self.network(x, drawn)
        if not self.options.average:
            return self.network(x, self.gates())
        judged: dict[str, Any] = {
            name.removeprefix("network."): value for name, value in self._judged().items() if "network." in name
        }
        return functional_call(self.network, judged, (x, self.gates()))

    def _uniform(self, like: Tensor) -> Tensor:
        numbers = torch.rand(len(like), generator=self.noise, dtype=torch.float64)
        return numbers.clamp(1e-6, 1 - 1e-6).to(like)
