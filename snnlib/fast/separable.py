"""Convolution, batch norm and ReLU of depthwise separable networks on the CPU, as one operation: ``separable.c``.

oneDNN's depthwise convolutions run at a seventh of the speed of its matrix products, and batch norm, ReLU and their
gradients are some ten passes over the maps. Here a depthwise convolution is one pass that also sums what batch norm
needs, a pointwise one is a matrix product, and normalising and ReLU are one pass, two in the backward pass. The results
are those of torch's operations up to rounding. Without a compiler, or with ``SNNLIB_NATIVE=0``, torch's operations are
used.
"""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any, TypeGuard, cast

import torch
from torch import Tensor, nn
from torch._C._functorch import is_functorch_wrapped_tensor
from torch.autograd.function import once_differentiable

from . import native
from .native import at, lanes

SOURCE = Path(__file__).with_name("separable.c")


def library(dtype: torch.dtype) -> ctypes.CDLL | None:
    """The compiled separable.c for numbers of ``dtype``; None where it cannot be compiled."""
    return native.library(SOURCE, dtype, "depthwise_room", "norm_room")


def _compiled(dtype: torch.dtype) -> ctypes.CDLL:
    """:func:`library` where :func:`usable` has found it."""
    found = library(dtype)
    assert found is not None
    return found


def usable(block: nn.Module, x: Tensor) -> TypeGuard[nn.Sequential]:
    """Whether ``block`` is convolution, batch norm and ReLU of a kind that is computed here, and ``x`` images for it.

    On the CPU, channels last, in training or not, in bfloat16 under autocast; a convolution without bias: 3 x 3
    depthwise (a kernel a channel, padded by 1, stride 1 or 2), or any other, which torch then computes; channels that
    fill registers evenly.
    """
    if (
        x.device.type != "cpu"
        or x.dim() != 4
        or not isinstance(block, nn.Sequential)
        or [type(part) for part in block] != [nn.Conv2d, nn.BatchNorm2d, nn.ReLU]
    ):
        return False
    if torch.compiler.is_compiling() or is_functorch_wrapped_tensor(x):
        return False
    convolution, norm = _parts(block)
    if (
        convolution.bias is not None
        or hasattr(convolution, "weight_mask")  # torch.nn.utils.prune masks weights before each call
        or norm.momentum is None
        or not norm.affine
        or not norm.track_running_stats
        or not x.is_contiguous(memory_format=torch.channels_last)
    ):
        return False
    maps, outputs = _maps(x), convolution.out_channels
    full, parameters = lanes(maps), torch.float32 if maps == torch.bfloat16 else maps
    if (full % outputs and outputs % full) or norm.weight.dtype != parameters:
        return False
    high, wide = (_out(size, convolution, axis) for axis, size in enumerate(x.shape[2:]))
    pixels = len(x) * high * wide
    return pixels > 1 and pixels * outputs % full == 0 and library(maps) is not None


def _parts(block: nn.Sequential) -> tuple[nn.Conv2d, nn.BatchNorm2d]:
    """The convolution and the batch norm of a block."""
    return cast(nn.Conv2d, block[0]), cast(nn.BatchNorm2d, block[1])


def _maps(x: Tensor) -> torch.dtype:
    """The type of the maps that a convolution makes of ``x``."""
    return torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else x.dtype


def _out(size: int, convolution: nn.Conv2d, axis: int) -> int:
    """Height (axis 0) or width (1) of what the convolution makes of ``size`` pixels."""
    reach = convolution.dilation[axis] * (convolution.kernel_size[axis] - 1)
    return (size + 2 * int(convolution.padding[axis]) - reach - 1) // convolution.stride[axis] + 1


def kind(convolution: nn.Conv2d, x: Tensor) -> str:
    """How the convolution is computed: "depthwise" here, "pointwise" as a matrix product, "other" by torch."""
    full, (_, channels, _, width) = lanes(x.dtype), x.shape
    if convolution.padding_mode == "zeros" and convolution.dilation == (1, 1) and x.dtype == _maps(x):
        shape = (convolution.kernel_size, convolution.padding)
        if (
            convolution.groups == channels == convolution.out_channels
            and shape == ((3, 3), (1, 1))
            and (full % channels == 0 or channels % full == 0)
        ) and (
            (convolution.stride == (1, 1) and width * channels % full == 0)
            or (convolution.stride == (2, 2) and channels % full == 0)
        ):
            return "depthwise"
        if (
            x.dtype == torch.bfloat16
            and convolution.groups == 1
            and shape == ((1, 1), (0, 0))
            and convolution.stride == (1, 1)
        ):
            return "pointwise"  # in float32 oneDNN's convolution is the faster one, in bfloat16 its matrix product
    return "other"


def block(module: nn.Sequential, x: Tensor) -> Tensor:
    """ReLU of batch norm of convolution, as ``module(x)`` computes it, with running statistics; see :func:`usable`."""
    convolution, norm = _parts(module)
    how, weight = kind(convolution, x), convolution.weight
    if how == "other":
        x, weight = convolution(x).contiguous(memory_format=torch.channels_last), None
    if norm.training and norm.num_batches_tracked is not None:
        norm.num_batches_tracked.add_(1)
    normed = (norm.weight, norm.bias, norm.running_mean, norm.running_var)
    return _Block.apply(how, x, weight, *normed, convolution.stride[0], norm.training, norm.momentum, norm.eps)


def run(features: nn.Module, x: Tensor) -> Tensor:
    """``features(x)``, with its blocks of convolution, batch norm and ReLU by :func:`block` where that is possible."""
    if not isinstance(features, nn.Sequential):
        return features(x)
    if x.device.type == "cpu":
        x = x.contiguous(memory_format=torch.channels_last)
    for part in features:
        x = block(part, x) if usable(part, x) else part(x)
    return x


class _Block(torch.autograd.Function):
    """Convolution ("other": already done), batch norm, ReLU; in memory maps are (images, height, width, channels)."""

    @staticmethod
    def forward(
        ctx: Any,
        how: str,
        x: Tensor,
        weight: Tensor | None,
        gamma: Tensor,
        beta: Tensor,
        running_mean: Tensor,
        running_var: Tensor,
        stride: int,
        training: bool,
        momentum: float,
        eps: float,
    ) -> Tensor:
        c, (images, channels, height, width), outputs = _compiled(x.dtype), x.shape, len(gamma)
        ctx.how, ctx.training = how, training
        high, wide = ((height - 1) // stride + 1, (width - 1) // stride + 1) if how == "depthwise" else (height, width)
        pixels = images * high * wide
        total = torch.zeros(2, outputs, dtype=torch.float64) if training else None
        if how == "depthwise":
            assert weight is not None
            weight = weight.contiguous()
            ctx.shape = _Shape(images, height, width, channels, stride)
            y = x.new_empty(images, high, wide, outputs)
            scratch = gamma.new_empty(c.depthwise_room(ctypes.byref(ctx.shape)))
            c.depthwise_forward(ctypes.byref(ctx.shape), *map(at, (x, weight, running_mean, total, y, scratch)))
        elif how == "pointwise":
            assert weight is not None
            weight = weight.to(x.dtype)
            y = torch.mm(_flat(x), weight.view(outputs, channels).t()).view(images, high, wide, outputs)
        else:
            y = x.permute(0, 2, 3, 1)
        if training and how != "depthwise":
            c.norm_sums(_long(pixels), _long(outputs), at(y), at(running_mean), at(total))
        mean, inverse = running_mean, running_mean
        if training:
            mean, inverse = torch.empty_like(gamma), torch.empty_like(gamma)
            scalars = (_long(pixels), _long(outputs), at(total), ctypes.c_double(momentum), ctypes.c_double(eps))
            c.norm_finish(*scalars, *map(at, (running_mean, running_var, mean, inverse)))
        else:
            inverse = (running_var + eps).rsqrt()
        out = torch.empty(y.shape, dtype=y.dtype)
        c.norm_relu(_long(pixels), _long(outputs), *map(at, (y, mean, inverse, gamma, beta, out)))
        result = out.permute(0, 3, 1, 2)
        ctx.save_for_backward(x, weight, gamma, beta, y if how != "other" else None, mean, inverse)
        return result

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]: the decorator makes ctx positional
        ctx: Any, grad: Tensor
    ) -> tuple[Tensor | None, ...]:
        x, weight, gamma, beta, y, mean, inverse = ctx.saved_tensors
        if not ctx.training:
            raise RuntimeError(
                "batch norm by its running statistics has no gradient here: call train() on the network before a step"
            )
        c, outputs, (_, need_x, need_weight, *_) = _compiled(x.dtype), len(gamma), ctx.needs_input_grad
        grad = grad.contiguous(memory_format=torch.channels_last)
        dgamma, dbeta = torch.empty_like(gamma), torch.empty_like(gamma)
        total = torch.empty(9, outputs, dtype=torch.float64)
        dx = dweight = None
        if ctx.how == "depthwise":
            dx, dweight = torch.empty_like(x) if need_x else None, torch.empty_like(weight) if need_weight else None
            scratch = gamma.new_empty(c.depthwise_room(ctypes.byref(ctx.shape)))
            c.depthwise_backward(
                ctypes.byref(ctx.shape),
                *map(at, (x, weight, grad, y, mean, inverse, gamma, beta, total, dgamma, dbeta, dweight, dx, scratch)),
            )
            return None, dx, dweight, dgamma, dbeta, *[None] * 6
        y = x.permute(0, 2, 3, 1) if y is None else y
        dy, scratch = torch.empty(y.shape, dtype=y.dtype), gamma.new_empty(c.norm_room(_long(outputs)))
        c.norm_relu_backward(
            _long(y.numel() // outputs),
            _long(outputs),
            *map(at, (grad, y, mean, inverse, gamma, beta, total, dgamma, dbeta, dy, scratch)),
        )
        if ctx.how == "other":
            dx = dy.permute(0, 3, 1, 2)
        else:
            flat, channels = dy.view(-1, outputs), x.shape[1]
            if need_weight:
                dweight = torch.mm(flat.t(), _flat(x)).view_as(weight).to(gamma.dtype)
            if need_x:
                dx = torch.mm(flat, weight.view(outputs, channels)).view(*y.shape[:3], channels).permute(0, 3, 1, 2)
        return None, dx, dweight, dgamma, dbeta, *[None] * 6


def _flat(x: Tensor) -> Tensor:
    """Maps (images, channels, height, width), channels last, as (pixels, channels), the same memory."""
    return x.permute(0, 2, 3, 1).reshape(-1, x.shape[1])


class _Shape(ctypes.Structure):
    """``Shape`` of separable.c."""

    _fields_ = [(name, ctypes.c_long) for name in ("images", "height", "width", "channels", "stride")]


_long = ctypes.c_long
