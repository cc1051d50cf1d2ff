"""One step: of the switcher, of the task network (both sides of Algorithm 1), or of a network alone (Eq. 7)."""

from __future__ import annotations

import contextlib
import math
import platform
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..networks import TaskNetwork
from ..switching.switched import Switched


def bfloat16_on_cpu() -> bool:
    """Whether this processor computes in bfloat16 by oneDNN, which torch is built without on macOS."""
    return torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()


def imitates_bfloat16(device: torch.device) -> bool:
    """Whether ``device`` is an Intel or AMD processor that has AVX-512 but no instructions for bfloat16.

    oneDNN then computes bfloat16 by those of float32, which takes longer than float32 itself.
    """
    if device.type != "cpu" or platform.machine().lower() not in ("x86_64", "amd64") or not bfloat16_on_cpu():
        return False
    names = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")  # torch has no public ones
    return not any(getattr(torch.cpu, name)() for name in names)


def check_precision(precision: str, device: torch.device) -> None:
    """Raise ``ValueError`` where ``device`` has no fast arithmetic of this ``precision``."""
    if precision == "bfloat16" and device.type == "cpu" and not bfloat16_on_cpu():
        raise ValueError(
            "precision='bfloat16': this processor has no instructions for it (AVX-512 is the least); train on another "
            "one, on CUDA, or with precision='float32'"
        )


def loss_of(
    network: nn.Module | TaskNetwork,
    x: Tensor,
    y: Tensor,
    gates: list[Tensor] | None = None,
    precision: str = "float32",
) -> Tensor:
    """Cross-entropy of images ``x`` and labels ``y``: the network's products in ``precision``, the loss in float32."""
    with arithmetic(x.device, precision):
        logits = network(x) if gates is None else network(x, gates)
    return F.cross_entropy(logits.to(x.dtype), y)


def arithmetic(device: torch.device, precision: str) -> contextlib.AbstractContextManager[Any]:
    """Where products on ``device`` are computed in ``precision``, "float32" or "bfloat16"."""
    if precision == "bfloat16":
        return torch.autocast(device.type, torch.bfloat16, cache_enabled=False)
    return contextlib.nullcontext()


def switcher_step(
    model: Switched, sgd: torch.optim.SGD, x: Tensor, y: Tensor, clip: float | None, precision: str = "float32"
) -> tuple[Tensor, list[Tensor]]:
    """Even t of Algorithm 1: the task network is frozen, the switcher steps. Returns loss and factors."""
    return _step(model, model.network, model.switcher_side(), sgd, x, y, clip, precision)


def network_step(
    model: Switched, sgd: torch.optim.SGD, x: Tensor, y: Tensor, clip: float | None, precision: str = "float32"
) -> tuple[Tensor, list[Tensor]]:
    """Odd t of Algorithm 1: the switcher is frozen, the task network steps. Returns loss and factors."""
    return _step(model, model.switcher_side(), model.network, sgd, x, y, clip, precision)


def _step(
    model: Switched,
    frozen: nn.Module | TaskNetwork,
    trained: nn.Module | TaskNetwork,
    sgd: torch.optim.SGD,
    x: Tensor,
    y: Tensor,
    clip: float | None,
    precision: str,
) -> tuple[Tensor, list[Tensor]]:
    frozen.requires_grad_(False)
    trained.requires_grad_(True)
    gates = model.gates()
    loss = loss_of(model.network, x, y, gates, precision)
    descend(trained, sgd, loss, clip)
    return loss.detach(), [gate.detach() for gate in gates]


def dense_step(
    network: nn.Module, sgd: torch.optim.SGD, x: Tensor, y: Tensor, clip: float | None, precision: str = "float32"
) -> tuple[Tensor, None]:
    """One step of the plain network, without a switcher (Eq. 7)."""
    loss = loss_of(network, x, y, precision=precision)
    descend(network, sgd, loss, clip)
    return loss.detach(), None


def descend(
    trained: nn.Module | TaskNetwork, optimizer: torch.optim.Optimizer, loss: Tensor, clip: float | None
) -> None:
    """A step of ``optimizer`` down the gradient of ``loss``, whose norm over ``trained`` is clipped to ``clip``."""
    if loss.device.type == "cpu" and not math.isfinite(float(loss.detach())):
        return  # a step would spread the NaN to every weight; without it they show which layer broke
    optimizer.zero_grad()
    loss.backward()
    if clip is not None:
        nn.utils.clip_grad_norm_(trained.parameters(), clip)
    optimizer.step()
