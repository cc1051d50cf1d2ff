"""Small optional files of C, compiled at their first use and kept in the user's cache; unused without a compiler."""

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
from pathlib import Path

import torch
from torch import Tensor

FLAGS = ("-O3", "-march=native", "-fopenmp-simd", "-fno-math-errno", "-shared", "-fPIC")
TYPES = {
    torch.float32: ("-DREAL=float",),
    torch.float64: ("-DREAL=double",),
    torch.bfloat16: ("-DREAL=float", "-DHALF"),
}
"""Compiler flags for the type of the numbers; with bfloat16 maps are stored in it, and computed with as floats."""


@functools.cache
def library(source: Path, dtype: torch.dtype, *counting: str) -> ctypes.CDLL | None:
    """The compiled ``source`` for numbers of ``dtype``; None where it cannot be compiled, or with ``SNNLIB_NATIVE=0``.

    ``counting`` names its functions that return a number (long); the others return nothing. Never on Windows: GCC
    aligns the stack there to 16 bytes, and a spilled register of AVX asks for 32 (GCC's bug 54412).
    """
    if os.name == "nt":
        return None
    compiler = shlex.split(os.environ.get("CC", "")) or [
        next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), "")
    ]
    if os.environ.get("SNNLIB_NATIVE") == "0" or dtype not in TYPES or not compiler[0] or not source.exists():
        return None
    command = [*compiler, *FLAGS, *TYPES[dtype]]
    headers = [header.read_text(encoding="utf-8") for header in sorted(source.parent.glob("*.h"))]
    key = hashlib.sha256(
        "\n".join([source.read_text(encoding="utf-8"), *headers, *command, _processor()]).encode()
    ).hexdigest()[:16]
    try:
        target = _cache() / f"{source.stem}-{key}.so"
        if not target.exists():
            with tempfile.TemporaryDirectory(dir=target.parent) as folder:
                made = Path(folder, source.stem + ".so")
                subprocess.run(
                    [*command, "-o", str(made), str(source), "-lm"], check=True, capture_output=True, timeout=120
                )
                os.replace(made, target)  # whole or not at all: other processes may be looking for it
        found = ctypes.CDLL(str(target))
        for name in counting:
            getattr(found, name).restype = ctypes.c_long
        return found
    except (OSError, subprocess.SubprocessError):
        return None


def lanes(dtype: torch.dtype) -> int:
    """Numbers of ``dtype`` in a register; bfloat16 is computed with as float32."""
    return 8 if dtype == torch.float64 else 16


def at(tensor: Tensor | None) -> ctypes.c_void_p | None:
    """The address of ``tensor``, which the caller must keep alive; NULL for None."""
    return None if tensor is None else ctypes.c_void_p(tensor.data_ptr())


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
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    return platform.machine() + next(
        (line for line in lines if line.startswith(("flags", "Features"))), platform.processor()
    )
