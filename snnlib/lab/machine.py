"""What of the machine a run depends on: its cores, its memory, an accelerator."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
from collections.abc import Generator


def keep_memory() -> None:
    """Tell glibc's malloc to keep freed memory for the next step; elsewhere this does nothing.

    Every step allocates the same few large blocks. Given back to the system, they cost page faults each time, up to a
    third of a step: 11 against 7.3 ms measured.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    mib = 2**20
    mallopt = ctypes.CDLL(None).mallopt
    # M_MMAP_THRESHOLD, M_TRIM_THRESHOLD, M_TOP_PAD
    for option, value in ((-3, 32 * mib), (-1, 1024 * mib), (-2, 64 * mib)):
        mallopt(option, value)


@contextlib.contextmanager
def huge_pages() -> Generator[None]:
    """Let processes that are started meanwhile ask for pages of 2 MiB; does nothing without glibc 2.35 or Linux.

    What a step reads and writes is many MiB: with small pages much of its time goes to looking addresses up. On two
    cores with AMX it saved an eighth to a fifth of a step of VGG-cov2 and MobileNetV1, nothing of the perceptron's.
    """
    name, wanted = "GLIBC_TUNABLES", "glibc.malloc.hugetlb=1"
    before = os.environ.get(name)
    if platform.libc_ver()[0] != "glibc" or "glibc.malloc.hugetlb" in (before or ""):
        yield
        return
    os.environ[name] = f"{before}:{wanted}" if before else wanted
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def cpu_count() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cuda_driver() -> bool:
    """Whether NVIDIA's driver is installed; without it torch, which takes seconds to import, is not needed to know."""
    try:
        ctypes.CDLL("nvcuda.dll" if os.name == "nt" else "libcuda.so.1")
    except OSError:
        return False
    return True
