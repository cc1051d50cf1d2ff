"""Bayesian compression (Louizos, Ullrich and Welling, NeurIPS 2017): BC-GNJ and BC-GHS, on neurons and kernels.

The weights of a group are w = z v, with one scale z for the group and v ~ N(0, 1) a priori. Under a sparse prior of z
the scales of groups that explain nothing shrink or drown in their own noise; these groups are pruned. BC-GNJ has the
normal-Jeffreys prior, p(z) = 1 / |z| (their section 4.1); BC-GHS the horseshoe, z = s z_i with half-Cauchy s and z_i
(section 4.2), each the root of a gamma and an inverse gamma variable (their Eqs. 10 to 13). All is trained by the
variational bound with the local reparametrization of Kingma et al. (2015): activations are drawn, not weights.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from ..networks import MLP, ConvNet, Network
from .base import Options as AnyOptions
from .base import Peer, flat, with_weights
from .divergences import gamma_half, inverse_gamma_half, jeffreys, standard_normal

TINY = 1e-8


@dataclass(frozen=True)
class Options(AnyOptions):
    """``strength`` multiplies the divergence from the prior: 1 is the variational bound."""

    strength: float = 1.0
    warm_up: float = 0.0  # share of the run during which the divergence's weight grows from 0
    # a group is pruned above this: of log alpha (BC-GNJ), or of minus the log of the mode of its scale (BC-GHS); one
    # for all layers, or one for each. "gap": in the middle of the widest empty stretch of a layer's values, as the
    # authors' paper reads it off a histogram
    threshold: float | tuple[float, ...] | Literal["gap"] = "gap"
    variance: float = -9.0  # log of the variances at the start
    most_variance: float = 0.04  # of the first layer's weights, as in the authors' code; 0 for no bound
    scale: float = 1e-5  # tau_0 of the horseshoe
    scale_factor: float = 1.0  # of the learning rate, for the scales

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("strength", "warm_up", "most_variance"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name}={getattr(self, name)}: must be 0 or more, and finite")
        if self.scale <= 0 or self.scale_factor <= 0:
            raise ValueError(f"scale={self.scale}, scale_factor={self.scale_factor}: must be positive")
        if isinstance(self.threshold, str) and self.threshold != "gap":
            raise ValueError(f"threshold={self.threshold!r}: a number, one for each layer, or 'gap'")


def gap(values: Tensor) -> float:
    """The middle of the widest empty stretch between neighbouring ``values``; infinity for fewer than two."""
    ordered = values.sort().values
    if len(ordered) < 2:
        return math.inf
    widest = int((ordered[1:] - ordered[:-1]).argmax())
    return float(ordered[widest] + ordered[widest + 1]) / 2


class Bayesian(Peer):
    """What BC-GNJ and BC-GHS share: variances of all weights, activations drawn, groups pruned by a threshold."""

    NETWORKS = (MLP, ConvNet)
    WHY = "its groups are inputs of fully connected layers and switched convolutions, without batch norm"
    Options = Options
    options: Options

    def add(self, network: Network, draw: torch.Generator) -> None:
        """Log variances of all weights."""
        if any(isinstance(module, nn.BatchNorm2d) for module in network.modules()):
            raise ValueError(f"{type(self).__name__} cannot prune a network with batch norm: {self.WHY}")
        given, layers = self.options.threshold, len(network.gate_widths())
        if isinstance(given, tuple) and len(given) != layers:
            raise ValueError(f"threshold={given}: the network has {layers} gated layers, so give {layers} numbers")
        for name, parameter in network.named_parameters():
            start = torch.randn(parameter.shape, generator=draw) * 0.01 + self.options.variance
            self.register_parameter(f"log_variance_{flat(name)}", nn.Parameter(start.to(parameter)))
        self._warmth = 1.0

    def log_variance(self, name: str) -> Tensor:
        """Log of the variances of the parameter ``name`` of the network."""
        return self.get_parameter(f"log_variance_{flat(name)}")

    def groups(self) -> list[dict[str, object]]:
        """The network with its variances, then the scales, whose rate may differ."""
        scales = [value for name, value in self.named_parameters() if name.startswith("scale_")]
        others = [value for name, value in self.named_parameters() if not name.startswith("scale_")]
        return [{"params": others}, {"params": scales, "factor": self.options.scale_factor}]

    def decay(self) -> float:
        """None: the prior is the regularizer."""
        return 0.0

    def begin(self, epoch: int) -> bool:
        """The divergence's weight grows over the first epochs, if :attr:`Options.warm_up` says so."""
        warm = self.options.warm_up * self.config.epochs
        self._warmth = min((epoch + 1) / warm, 1.0) if warm else 1.0
        return False

    def penalty(self) -> Tensor:
        """The divergence of the posterior from the prior, for one of N images."""
        return self.divergence() * (self.options.strength * self._warmth / self.images)

    def divergence(self) -> Tensor:
        """KL of the posterior of weights and scales from the prior (their Eq. 8 for the weights)."""
        weights = [standard_normal(value, self.log_variance(name)) for name, value in self.network.named_parameters()]
        return torch.stack(weights).sum() + self.scale_divergence()

    def scale_divergence(self) -> Tensor:
        """KL of the scales' posterior from their prior."""
        raise NotImplementedError

    def drawn_scales(self, layer: int, images: int) -> Tensor:
        """Scales (images, groups) of a gated layer, drawn for each image."""
        raise NotImplementedError

    def mean_scales(self, layer: int) -> Tensor:
        """Mean (groups,) of the scales of a gated layer."""
        raise NotImplementedError

    def doubt(self, layer: int) -> Tensor:
        """What the threshold is applied to (groups,): large where a group explains nothing."""
        raise NotImplementedError

    @torch.no_grad()
    def after_step(self) -> None:
        """Bound the variances of the first layer's weights."""
        if self.options.most_variance:
            name = next(name for name, _ in self.network.named_parameters())
            self.log_variance(name).clamp_(max=math.log(self.options.most_variance))

    @torch.no_grad()
    def gates(self) -> list[Tensor]:
        """The size of each group's mean scale, 0 for those above the threshold; its sign is in :meth:`final`."""
        found: list[Tensor] = []
        layers, given = len(self.network.gate_widths()), self.options.threshold
        for layer, each in enumerate(given if isinstance(given, tuple) else (given,) * layers):
            doubt = self.doubt(layer)
            threshold = gap(doubt) if each == "gap" else float(each)
            found.append(torch.where(doubt < threshold, self.mean_scales(layer).abs(), 0))
        return found

    def uncut(self) -> list[Tensor]:
        """The size of each group's mean scale."""
        return [self.mean_scales(layer).abs() for layer in range(len(self.network.gate_widths()))]

    def final(self) -> Network:
        """The network of the mean weights, those of a group with a negative scale with their signs turned.

        So factors are 0 or more, and a kernel's may come behind its ReLU.
        """
        return with_weights(self.network, self._turned())

    @torch.no_grad()
    def _turned(self) -> dict[str, Tensor]:
        """The parameters that a sign of a scale changes, by name."""
        found: dict[str, Tensor] = {}
        for layer, name in enumerate(self._layers()):
            sign = torch.where(self.mean_scales(layer) < 0, -1.0, 1.0)
            for part, value in self.network.get_submodule(name).named_parameters():
                if name.startswith("convolutions"):  # what comes before a kernel's ReLU
                    found[f"{name}.{part}"] = value * sign.view(-1, *[1] * (value.dim() - 1))
                elif part == "weight":  # of inputs
                    found[f"{name}.{part}"] = value * sign
        return found

    def _layers(self) -> list[str]:
        """Names of the layers whose weights a scale belongs to, in the order of the scales."""
        network = self.network
        if isinstance(network, ConvNet):
            kernels = [f"convolutions.{index}" for index in range(len(network.plan))]
            return [*kernels, *(f"head.layers.{index}" for index in range(len(network.head.layers)))]
        assert isinstance(network, MLP)
        return [f"layers.{index}" for index in range(len(network.layers))]

    def forward(self, x: Tensor, gates: Sequence[Tensor] | None = None) -> Tensor:
        """Logits: drawn in training mode; by means, without pruned groups, in evaluation mode."""
        if not self.training:
            return functional_call(self.network, self._turned(), (x, self.gates()))
        network, h, names = self.network, x, self._layers()
        stages = network.plan if isinstance(network, ConvNet) else ()
        for layer, stage in enumerate(stages):
            scales = self.drawn_scales(layer, len(x))[:, :, None, None]
            mean, variance = (
                F.conv2d(part, weight, bias, padding=stage.padding)
                for part, (weight, bias) in zip((h, h.square()), self._moments(names[layer]))
            )
            h = F.relu(self._drawn(mean * scales, variance * scales.square()))
            h = F.max_pool2d(h, 2) if stage.pool else h
        h = h.flatten(1)
        for layer in range(len(stages), len(names)):
            if layer > len(stages):
                h = torch.relu(h)
            h = h * self.drawn_scales(layer, len(x))
            mean, variance = (
                F.linear(part, weight, bias)
                for part, (weight, bias) in zip((h, h.square()), self._moments(names[layer]))
            )
            h = self._drawn(mean, variance)
        return h

    def _moments(self, name: str) -> list[tuple[Tensor, Tensor | None]]:
        """Means, then variances, of the weight and bias of the layer ``name``."""
        parts = [f"{name}.{part}" for part, _ in self.network.get_submodule(name).named_parameters()]
        means = [self.network.get_parameter(part) for part in parts]
        variances = [self.log_variance(part).exp() for part in parts]
        return [(weight, bias[0] if bias else None) for weight, *bias in (means, variances)]

    def _drawn(self, mean: Tensor, variance: Tensor) -> Tensor:
        return mean + (variance + TINY).sqrt() * self._normal(mean.shape, mean)

    def _normal(self, shape: Sequence[int], like: Tensor) -> Tensor:
        return torch.randn(shape, generator=self.noise).to(like)


class NormalJeffreys(Bayesian):
    """BC-GNJ: q(z) = N(mu, alpha mu^2); a group is pruned where alpha, the noise to signal ratio, is large."""

    def add(self, network: Network, draw: torch.Generator) -> None:
        """Mean and log variance of each group's scale."""
        super().add(network, draw)
        reference = next(network.parameters())
        for layer, width in enumerate(network.gate_widths()):
            mean, spread = (1 + 0.01 * torch.randn(width, generator=draw), self.options.variance)
            self.register_parameter(f"scale_mean_{layer}", nn.Parameter(mean.to(reference)))
            log_variance = spread + 0.01 * torch.randn(width, generator=draw)
            self.register_parameter(f"scale_log_variance_{layer}", nn.Parameter(log_variance.to(reference)))

    def doubt(self, layer: int) -> Tensor:
        """Log alpha of each group."""
        mean, log_variance = self._scales(layer)
        return log_variance - (mean.square() + TINY).log()

    def _scales(self, layer: int) -> tuple[Tensor, Tensor]:
        return self.get_parameter(f"scale_mean_{layer}"), self.get_parameter(f"scale_log_variance_{layer}")

    def scale_divergence(self) -> Tensor:
        """Molchanov's fit, summed over all groups."""
        layers = range(len(self.network.gate_widths()))
        return jeffreys(torch.cat([self.doubt(layer) for layer in layers])).sum()

    def drawn_scales(self, layer: int, images: int) -> Tensor:
        """mu + sigma epsilon."""
        mean, log_variance = self._scales(layer)
        return mean + (0.5 * log_variance).exp() * self._normal((images, len(mean)), mean)

    def mean_scales(self, layer: int) -> Tensor:
        """mu."""
        return self._scales(layer)[0]


class Horseshoe(Bayesian):
    """BC-GHS: z_i = sqrt(s_a s_b alpha_i beta_i), each factor log-normal; pruned where the mode of z_i is small."""

    PARTS: ClassVar[tuple[str, ...]] = ("layer_gamma", "layer_inverse", "gamma", "inverse")

    def add(self, network: Network, draw: torch.Generator) -> None:
        """Means and log variances of the four factors of each scale."""
        super().add(network, draw)
        reference, small = next(network.parameters()), 2 * math.log(self.options.scale)
        starts = {"layer_gamma": small, "layer_inverse": 0.0, "gamma": 0.0, "inverse": -small}  # together: scale 1
        for layer, width in enumerate(network.gate_widths()):
            for part, start in starts.items():
                size = 1 if part.startswith("layer") else width
                mean = start + 0.01 * torch.randn(size, generator=draw)
                log_variance = self.options.variance + 0.01 * torch.randn(size, generator=draw)
                self.register_parameter(f"scale_{part}_mean_{layer}", nn.Parameter(mean.to(reference)))
                self.register_parameter(f"scale_{part}_log_variance_{layer}", nn.Parameter(log_variance.to(reference)))

    def _part(self, part: str, layer: int) -> tuple[Tensor, Tensor]:
        return (
            self.get_parameter(f"scale_{part}_mean_{layer}"),
            self.get_parameter(f"scale_{part}_log_variance_{layer}"),
        )

    def _log_square(self, layer: int) -> tuple[Tensor, Tensor, Tensor]:
        """Of log z^2 the mean (groups,), the variance of the group's own two factors (groups,), the layer's (1,)."""
        means, log_variances = zip(*(self._part(part, layer) for part in self.PARTS))
        variances = [each.exp() for each in log_variances]
        return means[0] + means[1] + means[2] + means[3], variances[2] + variances[3], variances[0] + variances[1]

    def log_moments(self, layer: int) -> tuple[Tensor, Tensor]:
        """Mean and variance (groups,) of log z: half the sums of means, a quarter of the sum of variances."""
        mean, own, shared = self._log_square(layer)
        return 0.5 * mean, 0.25 * (own + shared)

    def scale_divergence(self) -> Tensor:
        """Divergences from gamma and inverse gamma, of each layer's scale and of each group's."""
        layers = range(len(self.network.gate_widths()))
        named: dict[str, tuple[Tensor, Tensor]] = {}
        for part in self.PARTS:  # all layers at once: these are many small numbers
            means, log_variances = zip(*(self._part(part, layer) for layer in layers))
            named[part] = torch.cat(means), torch.cat(log_variances)
        found = [
            gamma_half(*named["layer_gamma"], self.options.scale**2),
            inverse_gamma_half(*named["layer_inverse"]),
            gamma_half(*named["gamma"], 1.0),
            inverse_gamma_half(*named["inverse"]),
        ]
        return torch.cat(found).sum()

    def drawn_scales(self, layer: int, images: int) -> Tensor:
        """exp of log z; a layer's own scale is drawn once, those of groups for each image.

        A product of log-normal factors is log-normal, so each pair is drawn as one (their section 4.2).
        """
        mean, own, shared = self._log_square(layer)
        log_square = mean + own.sqrt() * self._normal((images, len(mean)), mean)
        return (0.5 * (log_square + shared.sqrt() * self._normal((1, 1), mean))).exp()

    def mean_scales(self, layer: int) -> Tensor:
        """Mean of a log-normal variable."""
        mean, variance = self.log_moments(layer)
        return (mean + 0.5 * variance).exp()

    def doubt(self, layer: int) -> Tensor:
        """Minus the log of the mode of z."""
        mean, variance = self.log_moments(layer)
        return variance - mean
