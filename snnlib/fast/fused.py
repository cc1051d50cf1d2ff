"""The switcher's scores on the CPU as one operation with a backward pass of its own, computed by unet.c.

In torch the U-Net is some ten passes over the packed weights, and then many small operations whose cost is mostly
overhead. :meth:`snnlib.switching.switcher.Switcher.scores` says what is computed; tests compare the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch._C._functorch import is_functorch_wrapped_tensor
from torch.autograd.function import once_differentiable

from ..config import SwitcherConfig
from . import unet


def usable(layers: Sequence[Tensor], config: SwitcherConfig) -> bool:
    """Whether these weights are read here: CPU, one type, a C compiler, kernels 3, 5 or 7 rows high, no batch norm."""
    first = layers[0]
    if (
        first.device.type != "cpu"
        or any(layer.dtype != first.dtype for layer in layers)
        or config.kernel[0] not in unet.HEIGHTS
        or config.batch_norm
        or torch.compiler.is_compiling()
    ):
        return False
    if any(is_functorch_wrapped_tensor(layer) for layer in layers):
        return False  # torch.func sees torch's operations only
    return unet.library(first.dtype) is not None


class Scores(torch.autograd.Function):
    """Scores (layers, rows) before the switcher's last ReLU.

    ``config`` and ``size`` are the switcher's. ``parameters``: weight and bias of each convolution and row convolution
    by turns, of the bottom, of each decoder level and of the head; then the layers' weights (outputs, inputs).
    """

    @staticmethod
    def forward(ctx: Any, config: SwitcherConfig, size: tuple[int, int, int], *parameters: Tensor) -> Tensor:
        count = 6 * len(config.channels) + 4
        own, layers = ([each.contiguous() for each in part] for part in (parameters[:count], parameters[count:]))
        ctx.net, ctx.count = unet.Net(config, size, own, layers), count
        ctx.save_for_backward(*parameters)  # their versions are watched by autograd
        return ctx.net.forward()

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]: the decorator makes ctx positional
        ctx: Any, grad: Tensor
    ) -> tuple[Tensor | None, ...]:
        assert ctx.saved_tensors  # an error if one of them was changed since
        needed = ctx.needs_input_grad[2:]
        own, layers = ctx.net.backward(grad, any(needed[: ctx.count]), needed[ctx.count :])
        return (None, None, *own, *layers)
