"""A fully connected layer whose inputs are multiplied by factors, (X ⊙ g) W of Eq. 2, with few matrix products."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch._C._functorch import is_functorch_wrapped_tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F


def gated_linear(x: Tensor, gate: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """``linear(x * gate, weight, bias)`` for x (images, inputs), gate (inputs,), weight (outputs, inputs)."""
    if torch.compiler.is_compiling() or any(map(is_functorch_wrapped_tensor, (x, gate, weight))):
        return F.linear(x * gate, weight, bias)  # torch.func and torch.compile see torch's operations only
    return _GatedLinear.apply(x, gate, weight, bias)


class _GatedLinear(torch.autograd.Function):
    """:func:`gated_linear` with a backward pass of its own.

    In a first layer, whose x needs no gradient, the factors' gradient follows from the weights': with A = dyᵀ x, the
    weights get A ⊙ g and the factors the column sums of A ⊙ W. That saves the product with the weights, the largest of
    the step.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, gate: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        kind = x.device.type
        if kind not in ("cpu", "cuda") or not torch.is_autocast_enabled(kind):
            ctx.save_for_backward(x, gate, weight, weight)
            return F.linear(x * gate, weight, bias)
        half = torch.get_autocast_dtype(kind)
        with torch.autocast(kind, enabled=False):
            short = weight.to(half)  # the dtype of the matrix products; factors and sums over them keep theirs
            ctx.save_for_backward(x, gate, weight, short)
            return F.linear((x * gate).to(half), short, None if bias is None else bias.to(half))

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]: the decorator makes ctx positional
        ctx: Any, dy: Tensor
    ) -> tuple[Tensor | None, ...]:
        x, gate, weight, short = ctx.saved_tensors
        need_x, need_gate, need_weight, need_bias = ctx.needs_input_grad
        dx = dgate = dweight = None
        if need_weight:
            product = dy.t() @ x.to(dy.dtype)
            dweight = product * gate
            if need_gate and not need_x:
                dgate = (product * weight if product.dtype != weight.dtype else product.mul_(weight)).sum(0)
        if need_x or (need_gate and dgate is None):
            through = (dy @ short).to(gate.dtype)
            dgate = (through * x).sum(0) if need_gate else None
            dx = through.mul_(gate).to(x.dtype) if need_x else None
        return dx, dgate, dweight, dy.sum(0).to(gate.dtype) if need_bias else None
