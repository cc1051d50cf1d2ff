"""ReLU and 2 x 2 max pooling of channels-last maps on the CPU, as one operation: ``pooled.c``.

torch pools maps that are stored channels last well enough, but flattens them for a fully connected layer number by
number, and back again in the backward pass: with ReLU a third of a training step of VGG-cov2 in bfloat16. Here all of
it is one pass forward and one back. The results are torch's, bit by bit. Without a compiler, or with
``SNNLIB_NATIVE=0``, torch's operations are used.
"""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch._C._functorch import is_functorch_wrapped_tensor
from torch.autograd.function import once_differentiable

from . import native
from .native import at, lanes

SOURCE = Path(__file__).with_name("pooled.c")


def library(dtype: torch.dtype) -> ctypes.CDLL | None:
    """The compiled pooled.c for numbers of ``dtype``; None where it cannot be compiled."""
    return native.library(SOURCE, dtype, "pooled_room")


def usable(x: Tensor, factors: Tensor | None = None) -> bool:
    """Whether ``x`` are maps (images, channels, height, width) for which this was made.

    Channels last, on the CPU, of a type that is compiled, with at least the channels that fill a register. ``factors``
    (channels,) that the maps are to be multiplied by commute with the pooling unless one is negative.
    """
    return (
        x.device.type == "cpu"
        and x.dim() == 4
        and min(x.shape[2:]) > 1
        and x.shape[1] >= lanes(x.dtype)
        and not torch.compiler.is_compiling()
        and not is_functorch_wrapped_tensor(x)
        and x.is_contiguous(memory_format=torch.channels_last)
        and library(x.dtype) is not None
        and (factors is None or not bool((factors < 0).any()))
    )


def relu_pooled(x: Tensor, flat: bool = False) -> Tensor:
    """``relu(max_pool2d(x, 2))`` of maps (images, channels, height, width); ``flat`` flattens it to (images, rest)."""
    return _Pooled.apply(x, flat)


class _Pooled(torch.autograd.Function):
    """:func:`relu_pooled`; what is kept for the backward pass is one byte for each pooled number."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, flat: bool) -> Tensor:
        images, channels, height, width = x.shape
        ctx.shape, ctx.size = _Shape(images, height, width, channels, flat), x.shape
        high, wide = height // 2, width // 2
        place = torch.empty(images, high, wide, channels, dtype=torch.uint8)
        out = x.new_empty((images, channels * high * wide) if flat else (images, high, wide, channels))
        _work("pooled_forward", ctx.shape, x, out, place)
        ctx.save_for_backward(place)
        return out if flat else out.permute(0, 3, 1, 2)

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]: the decorator makes ctx positional
        ctx: Any, grad: Tensor
    ) -> tuple[Tensor | None, ...]:
        grad = grad.contiguous() if ctx.shape.flat else grad.contiguous(memory_format=torch.channels_last)
        dx = torch.empty(ctx.size, dtype=grad.dtype, memory_format=torch.channels_last)
        _work("pooled_backward", ctx.shape, grad, *ctx.saved_tensors, dx)
        return dx, None


def _work(name: str, shape: _Shape, first: Tensor, *others: Tensor) -> None:
    """Call a function of pooled.c on these tensors, with as much scratch memory as it needs."""
    compiled = library(first.dtype)
    assert compiled is not None  # as usable has found
    scratch = first.new_empty(compiled.pooled_room(ctypes.byref(shape)))
    getattr(compiled, name)(ctypes.byref(shape), *map(at, (first, *others, scratch)))


class _Shape(ctypes.Structure):
    """``Shape`` of pooled.c."""

    _fields_ = [(name, ctypes.c_long) for name in ("images", "height", "width", "channels", "flat")]
