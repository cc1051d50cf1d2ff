"""Encoder blocks of the switcher on the CPU, fused: ``encoder.c``, compiled where there is a C compiler.

A block of convolution, ReLU, row convolution and pooling is some ten passes over the packed weights in torch; here it is
one, which reads the layers' weights where they stand: nothing is packed, and nothing is computed on zero padding. The
results are those of torch's operations up to rounding. Without a compiler, or with ``SNNLIB_NATIVE=0``, there is no such
library, and the switcher uses torch's operations.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

HEIGHTS = (3, 5, 7)
"""Rows of a convolution that ``encoder.c`` has been written for."""

SOURCE = Path(__file__).with_name("encoder.c")
FLAGS = ("-O3", "-march=native", "-fopenmp-simd", "-fno-math-errno", "-shared", "-fPIC")
TYPES = {torch.float32: "float", torch.float64: "double"}


@functools.cache
def library(dtype: torch.dtype) -> ctypes.CDLL | None:
    """The compiled encoder.c for numbers of ``dtype``; None where it cannot be had."""
    compiler = shlex.split(os.environ.get("CC", "")) or [next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), "")]
    if os.environ.get("SNNLIB_NATIVE") == "0" or dtype not in TYPES or not compiler[0] or not SOURCE.exists():
        return None
    command = [*compiler, *FLAGS, f"-DREAL={TYPES[dtype]}"]
    key = hashlib.sha256("\n".join([SOURCE.read_text(), *command, _processor()]).encode()).hexdigest()[:16]
    try:
        target = _cache() / f"encoder-{key}.so"
        if not target.exists():
            with tempfile.TemporaryDirectory(dir=target.parent) as folder:
                made = Path(folder, "encoder.so")
                subprocess.run([*command, "-o", str(made), str(SOURCE)], check=True, capture_output=True, timeout=120)
                os.replace(made, target)  # whole or not at all: other processes may be looking for it
        return ctypes.CDLL(str(target))
    except (OSError, subprocess.SubprocessError):
        return None


def _cache() -> Path:
    """Where compiled files are kept; a folder for this process alone where the user's cache cannot be written."""
    try:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "snnlib"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if os.access(folder, os.W_OK | os.X_OK):
            return folder
    except (OSError, RuntimeError):  # RuntimeError: there is no home
        pass
    return Path(tempfile.mkdtemp(prefix="snnlib-"))


def _processor() -> str:
    """What -march=native depends on: a home folder may be shared by machines that are not alike."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    return platform.machine() + next((line for line in lines if line.startswith(("flags", "Features"))), platform.processor())


class Block(NamedTuple):
    """One encoder block: its input and its weights, all contiguous, of one type, on the CPU.

    ``stacks`` (planes, cols, rows) each; all beyond a stack's own size counts as zero. ``weight`` (channels, planes,
    height, window) and ``bias`` are the convolution's, ``row_weight`` (features, width * channels) and ``row_bias`` the row
    convolution's. ``rows`` and ``width`` are the size of the convolution's output, ``stride`` its stride along columns.
    """

    stacks: Sequence[Tensor]
    weight: Tensor
    bias: Tensor
    row_weight: Tensor
    row_bias: Tensor
    rows: int
    width: int
    stride: int

    def forward(self) -> tuple[Tensor, Tensor]:
        """Features (features, rows) and pooled maps (channels, ceil(width / 2), ceil(rows / 2))."""
        features = self.weight.new_empty(len(self.row_weight), self.rows)
        pooled = self.weight.new_empty(len(self.weight), (self.width + 1) // 2, (self.rows + 1) // 2)
        (block, kept), scratch = self._described(), self._scratch()
        library(self.weight.dtype).block_forward(ctypes.byref(block), _at(features), _at(pooled), _at(scratch))
        return features, pooled

    def backward(self, features: Tensor, pooled: Tensor, own: bool, inputs: Sequence[bool]) -> tuple[list[Tensor | None], list[Tensor | None]]:
        """Gradients of weight, bias, row_weight and row_bias where ``own``, and of those stacks that ``inputs`` ask for.

        ``features`` and ``pooled`` are the gradients of what :meth:`forward` returned.
        """
        features, pooled = features.contiguous(), pooled.contiguous()
        grads = [torch.zeros_like(each) for each in self[1:4]] if own else [None] * 3
        stacks = [torch.empty_like(stack) if needed else None for stack, needed in zip(self.stacks, inputs)]
        planes = _addresses(self.stacks, stacks)
        (block, kept), scratch = self._described(), self._scratch()
        library(self.weight.dtype).block_backward(ctypes.byref(block), _at(features), _at(pooled), planes, *map(_at, grads), _at(scratch))
        return [*grads, features.sum(1) if own else None], stacks

    def _scratch(self) -> Tensor:
        lanes = 64 // self.weight.element_size()
        return self.weight.new_empty(18 * (-(-self.rows // lanes) + 2) * lanes)  # 18 columns, see encoder.c

    def _described(self) -> tuple[_Block, tuple]:
        """The block as encoder.c wants it, and the arrays that it points to, to be kept for as long as it is in use."""
        cols, rows = _sizes(tuple(stack.shape for stack in self.stacks))
        x = _addresses(self.stacks, self.stacks)
        block = _Block(
            len(x), len(self.weight), len(self.row_weight), self.rows, self.width, self.weight.shape[3], self.stride, self.weight.shape[2],
            ctypes.addressof(cols), ctypes.addressof(rows), ctypes.addressof(x),
            self.weight.data_ptr(), self.bias.data_ptr(), self.row_weight.data_ptr(), self.row_bias.data_ptr(),
        )
        return block, (cols, rows, x)


class _Block(ctypes.Structure):
    """``Block`` of encoder.c."""

    _fields_ = [(name, ctypes.c_long) for name in ("planes", "channels", "features", "rows", "width", "window", "stride", "height")] + [
        (name, ctypes.c_void_p) for name in ("plane_cols", "plane_rows", "x", "weight", "bias", "row_weight", "row_bias")
    ]


@functools.lru_cache(maxsize=64)
def _sizes(shapes: tuple[torch.Size, ...]) -> tuple[ctypes.Array, ctypes.Array]:
    """Columns and rows of each plane."""
    planes = [shape[1:] for shape in shapes for _ in range(shape[0])]
    return tuple((ctypes.c_long * len(planes))(*(plane[axis] for plane in planes)) for axis in (0, 1))


def _addresses(stacks: Sequence[Tensor], values: Sequence[Tensor | None]) -> ctypes.Array:
    """The address of each plane of ``values``, which are shaped like ``stacks`` or None."""
    found: list[int | None] = []
    for stack, value in zip(stacks, values):
        start, plane = None if value is None else value.data_ptr(), stack.stride(0) * stack.element_size()
        found += [None if start is None else start + index * plane for index in range(len(stack))]
    return (ctypes.c_void_p * len(found))(*found)


def _at(tensor: Tensor | None) -> ctypes.c_void_p | None:
    """The address of ``tensor``, which the caller must keep alive."""
    return None if tensor is None else ctypes.c_void_p(tensor.data_ptr())
