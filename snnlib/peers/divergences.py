"""Divergences of Bayesian compression's posteriors from their priors, in closed form or by the published fit."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

K1, K2, K3 = 0.63576, 1.87320, 1.48695
"""Fit of the divergence from the log-uniform prior (Molchanov et al. 2017, Eq. 14)."""


def jeffreys(log_alpha: Tensor) -> Tensor:
    """Divergence of N(mu, alpha mu^2) from the log-uniform prior, up to a constant, by Molchanov's fit."""
    return -(K1 * torch.sigmoid(K2 + K3 * log_alpha) - 0.5 * F.softplus(-log_alpha) - K1)


class _StandardNormal(torch.autograd.Function):
    """:func:`standard_normal` with its gradient written out: half as many passes over all weights."""

    @staticmethod
    def forward(ctx: Any, mean: Tensor, log_variance: Tensor) -> Tensor:
        variance = log_variance.exp()
        ctx.save_for_backward(mean, variance)
        return 0.5 * (variance.sum() + mean.square().sum() - log_variance.sum() - mean.numel())

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]: the decorator makes ctx positional
        ctx: Any, grad: Tensor
    ) -> tuple[Tensor, Tensor]:
        mean, variance = ctx.saved_tensors
        return mean * grad, (variance - 1).mul_(0.5 * grad)


def standard_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Divergence of N(mean, variance) from N(0, 1), summed over all elements."""
    return _StandardNormal.apply(mean, log_variance)


def _log_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Minus the entropy of a log-normal variable."""
    return -0.5 * (1 + math.log(2 * math.pi) + log_variance) - mean


def gamma_half(mean: Tensor, log_variance: Tensor, scale: float) -> Tensor:
    """Divergence of a log-normal variable from the gamma distribution of shape 1/2 and this scale."""
    known = math.lgamma(0.5) + 0.5 * math.log(scale)
    return _log_normal(mean, log_variance) + known + 0.5 * mean + (mean + 0.5 * log_variance.exp()).exp() / scale


def inverse_gamma_half(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Divergence of a log-normal variable from the inverse gamma distribution of shape 1/2 and scale 1."""
    return _log_normal(mean, log_variance) + math.lgamma(0.5) + 1.5 * mean + (-mean + 0.5 * log_variance.exp()).exp()
