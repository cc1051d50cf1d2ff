"""The switcher's U-Net on the CPU as two calls of C: ``unet.c``, compiled where there is a C compiler.

A block of convolution, ReLU, row convolution and pooling is some ten passes over the packed weights in torch; here it
is one, which reads the layers' weights in place: nothing is packed, and nothing is computed on zero padding. The
results are those of torch's operations up to rounding. Without a compiler, or with ``SNNLIB_NATIVE=0``, the switcher
uses torch's operations.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..config import SwitcherConfig
from . import native

HEIGHTS = (3, 5, 7)
"""Rows of a convolution that ``unet.c`` has been written for."""

SOURCE = Path(__file__).with_name("unet.c")


def library(dtype: torch.dtype) -> ctypes.CDLL | None:
    """The compiled unet.c for numbers of ``dtype``; None where it cannot be compiled, and for others than float32 and
    float64: unlike the operations on maps it knows none."""
    if dtype not in (torch.float32, torch.float64):
        return None
    return native.library(SOURCE, dtype, "net_forward", "net_backward")


class Net:
    """The U-Net for one forward pass and its backward pass: the arguments of unet.c, and the memory it works in.

    ``size`` (layers, rows, cols) and ``config`` are the switcher's. ``own`` are its weights and biases, contiguous,
    from the first convolution to the head as :class:`~snnlib.fast.fused.Scores` takes them; ``layers`` the weights
    (outputs, inputs) that it reads, contiguous. All of one type, on the CPU.
    """

    def __init__(
        self, config: SwitcherConfig, size: tuple[int, int, int], own: Sequence[Tensor], layers: Sequence[Tensor]
    ) -> None:
        compiled = library(own[0].dtype)
        assert compiled is not None  # as fused.usable has found
        self._library, self._own, self._layers = compiled, list(own), list(layers)
        depth, (outputs, rows, width) = len(config.channels), size
        empty, blocks, self._planes = own[0].new_empty, [], []
        self._joined, self._pooled, stacks = [], [], [layer[None] for layer in layers]
        for level, channels in enumerate(config.channels):
            weight, bias, row_weight, row_bias = own[4 * level : 4 * level + 4]
            width = (width - 1) // config.width_stride + 1
            cols, plane_rows = _sizes(tuple(stack.shape for stack in stacks))
            x = _addresses(stacks, stacks)
            self._planes.append((cols, plane_rows, x, stacks))  # kept for as long as C points to them
            blocks.append(
                _Block(
                    len(x),
                    channels,
                    channels,
                    rows,
                    width,
                    weight.shape[3],
                    config.width_stride,
                    weight.shape[2],
                    ctypes.addressof(cols),
                    ctypes.addressof(plane_rows),
                    ctypes.addressof(x),
                    *(each.data_ptr() for each in (weight, bias, row_weight, row_bias)),
                )
            )
            self._joined.append(empty(2 * channels, rows))
            rows, width = (rows + 1) // 2, (width + 1) // 2
            self._pooled.append(empty(channels, width, rows))
            stacks = [self._pooled[-1]]
        self._bottom = empty(config.channels[-1], rows)
        self._scores = empty(outputs, size[1])
        self._blocks = (_Block * depth)(*blocks)
        self._lists = [_pointers(each) for each in (own[4 * depth :], self._joined, self._pooled)]
        lists = map(ctypes.addressof, self._lists)
        self._net = _Net(
            depth, config.upsample == "resize", outputs, ctypes.addressof(self._blocks), *lists, self._bottom.data_ptr()
        )

    def forward(self) -> Tensor:
        """Scores (layers, rows)."""
        self._work(self._library.net_forward, native.at(self._scores))
        return self._scores

    def backward(
        self, grad: Tensor, own: bool, inputs: Sequence[bool]
    ) -> tuple[list[Tensor | None], list[Tensor | None]]:
        """Gradients from ``grad``, that of the scores: of the own weights if ``own``, and of the marked ``inputs``."""
        grad = grad.contiguous()
        # unet.c adds to the gradients of convolutions, the first two of every four, and sets all others
        count = 4 * len(self._blocks)
        grads: list[Tensor | None] = [None] * len(self._own)
        if own:
            for index, each in enumerate(self._own):
                grads[index] = torch.zeros_like(each) if index < count and index % 4 < 2 else torch.empty_like(each)
        layers = [torch.empty_like(layer) if wanted else None for layer, wanted in zip(self._layers, inputs)]
        found = _pointers(grads) if own else None
        self._work(self._library.net_backward, native.at(grad), found, _pointers(layers))
        return grads, layers

    def _work(self, function: Callable[..., int], *arguments: ctypes.Array[Any] | ctypes.c_void_p | None) -> None:
        """Call a function of unet.c with as much scratch memory as it needs."""
        net = ctypes.byref(self._net)
        work = self._own[0].new_empty(function(net, *arguments, None))
        function(net, *arguments, native.at(work))


class _Net(ctypes.Structure):
    """``Net`` of unet.c."""

    _fields_ = [(name, ctypes.c_long) for name in ("depth", "resize", "outputs")] + [
        (name, ctypes.c_void_p) for name in ("blocks", "weights", "joined", "pooled", "bottom")
    ]


class _Block(ctypes.Structure):
    """``Block`` of unet.c, an encoder block; ``rows`` and ``width`` are those of its output."""

    _fields_ = [
        (name, ctypes.c_long)
        for name in ("planes", "channels", "features", "rows", "width", "window", "stride", "height")
    ] + [
        (name, ctypes.c_void_p)
        for name in ("plane_cols", "plane_rows", "x", "weight", "bias", "row_weight", "row_bias")
    ]


@functools.lru_cache(maxsize=64)
def _sizes(shapes: tuple[torch.Size, ...]) -> tuple[ctypes.Array[ctypes.c_long], ctypes.Array[ctypes.c_long]]:
    """Columns and rows of each plane."""
    planes = [shape[1:] for shape in shapes for _ in range(shape[0])]
    cols, rows = ((ctypes.c_long * len(planes))(*(plane[axis] for plane in planes)) for axis in (0, 1))
    return cols, rows


def _addresses(stacks: Sequence[Tensor], values: Sequence[Tensor | None]) -> ctypes.Array[ctypes.c_void_p]:
    """The address of each plane of ``values``, which are shaped like ``stacks`` or None."""
    found: list[int | None] = []
    for stack, value in zip(stacks, values):
        start, plane = None if value is None else value.data_ptr(), stack.stride(0) * stack.element_size()
        found += [None if start is None else start + index * plane for index in range(len(stack))]
    return (ctypes.c_void_p * len(found))(*found)


def _pointers(tensors: Sequence[Tensor | None]) -> ctypes.Array[ctypes.c_void_p]:
    """The addresses of ``tensors``, NULL for None."""
    return (ctypes.c_void_p * len(tensors))(*(None if tensor is None else tensor.data_ptr() for tensor in tensors))
