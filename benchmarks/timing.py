"""What every benchmark shares: interleaved rounds, the machine's own limits, one row a measurement."""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch

from snnlib.lab.machine import huge_pages, keep_memory


def as_in_a_worker() -> None:
    """Start this program again with huge pages, as workers have them, and keep its memory."""
    before = os.environ.get("GLIBC_TUNABLES")
    with huge_pages():
        if os.environ.get("GLIBC_TUNABLES") != before:
            os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
    keep_memory()


@dataclass(frozen=True)
class Row:
    """One measurement: medians in milliseconds, of rounds that were interleaved in one run.

    ``ratio`` is plain_ms / ours_ms. ``limit`` says what bounds our time (the matrix-product peak or the copy bandwidth,
    measured beside it), ``fraction`` is the share of it that our time reaches. None stands where there is no such
    figure."""

    name: str
    device: str
    ours_ms: float | None
    plain_ms: float | None = None
    ratio: float | None = None
    limit: str = ""
    fraction: float | None = None
    note: str = ""


def wait_for(device: torch.device) -> None:
    """Wait until ``device`` has done all it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def interleaved(
    functions: Mapping[str, Callable[[], object]], rounds: int, device: torch.device, warm_up: int = 3
) -> dict[str, float]:
    """Median milliseconds of each function; they take turns, so that all see the same machine."""
    times: dict[str, list[float]] = {name: [] for name in functions}
    for turn in range(warm_up + rounds):
        for name, function in functions.items():
            wait_for(device)
            began = time.perf_counter()
            function()
            wait_for(device)
            if turn >= warm_up:
                times[name].append(1000 * (time.perf_counter() - began))
    return {name: statistics.median(found) for name, found in times.items()}


def matmul_peak(
    device: torch.device, size: int | None = None, rounds: int = 15, dtype: torch.dtype = torch.float32
) -> float:
    """Floating-point operations a second of a large matrix product of ``dtype``, the best of ``rounds``."""
    size = size or (1536 if device.type == "cpu" else 8192)
    a, b = (torch.rand(size, size, device=device, dtype=dtype) for _ in range(2))
    return 2 * size**3 / _best(lambda: a @ b, rounds, device)


def copy_bandwidth(device: torch.device, megabytes: int = 256, rounds: int = 15) -> float:
    """Bytes a second that a copy reads and writes together, the best of ``rounds``."""
    source = torch.rand(megabytes * 2**18, device=device)
    target = torch.empty_like(source)
    return 2 * 4 * source.numel() / _best(lambda: target.copy_(source), rounds, device)


def _best(function: Callable[[], object], rounds: int, device: torch.device) -> float:
    """Seconds of the fastest of ``rounds`` calls, after two to warm up."""
    times = []
    for turn in range(rounds + 2):
        wait_for(device)
        began = time.perf_counter()
        function()
        wait_for(device)
        if turn >= 2:
            times.append(time.perf_counter() - began)
    return min(times)


def command_line(
    description: str | None,
    rows: Callable[[int, torch.device, Sequence[str]], list[Row]],
    networks: Sequence[str],
    rounds: int,
    names: int,
) -> None:
    """Measure by ``rows`` as the command line asks, ``rounds`` if it does not say, and print them, ``names`` wide."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=rounds, help="timed rounds of each kind")
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:N")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--network", action="append", choices=networks, help="only this one; may be repeated")
    options = parser.parse_args()
    as_in_a_worker()
    torch.set_num_threads(options.threads)
    print(
        f"{'':<{names}}{'ours ms':>9}{'plain ms':>9}{'ratio':>7}{'of peak':>9}   ({options.threads} thread(s), torch "
        f"{torch.__version__})"
    )
    for row in rows(options.rounds, torch.device(options.device), options.network or networks):
        plain_ms, ratio, fraction = (
            f"{value:{form}}" if value is not None else ""
            for value, form in ((row.plain_ms, ".2f"), (row.ratio, ".2f"), (row.fraction, ".1%"))
        )
        print(f"{row.name:<{names}}{row.ours_ms:>9.2f}{plain_ms:>9}{ratio:>7}{fraction:>9}  {row.note}")
