"""How the time of a step grows: over sizes of the packed matrix, batch sizes, and seeds trained at once.

    python -m benchmarks.growth [--rounds 10] [--device cpu]

On the CPU seeds are processes of one thread each, as many at once as there are cores; on CUDA they are one batched run.
"""

from __future__ import annotations

import argparse
import multiprocessing
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from benchmarks.steps import STILL
from benchmarks.timing import as_in_a_worker, interleaved
from snnlib.config import SwitcherConfig
from snnlib.lab.machine import cpu_count, keep_memory
from snnlib.lab.together import Together
from snnlib.networks import MLP
from snnlib.seeds import generator
from snnlib.switching.switched import Switched
from snnlib.training.optimizers import optimizer
from snnlib.training.steps import network_step, switcher_step

HIDDEN = (75, 150, 300, 600, 1200)
BATCHES = (16, 32, 64, 128, 256)
SEEDS = (1, 2, 4, 8)
TICKS = [digit * 10.0**power for power in range(-2, 4) for digit in (1, 2, 3, 5)]
"""Milliseconds that the plot may mark."""

STEPS = {"switcher": switcher_step, "network": network_step}


@dataclass(frozen=True)
class Point:
    """``ms`` milliseconds of a step of ``phase`` where ``what`` has the value ``size``."""

    what: str
    size: int
    phase: str
    ms: float


def points(rounds: int = 10, device: torch.device = torch.device("cpu")) -> list[Point]:
    """Every measurement; of those over seeds, ms is the time in which each of them makes one step."""
    found = _compared(
        "numbers in the packed matrix", {3 * 784 * hidden: (hidden, 64) for hidden in HIDDEN}, rounds, device
    )
    found += _compared("images in a batch", {batch: (300, batch) for batch in BATCHES}, rounds, device)
    return found + list(_seeds(rounds, device))


def _compared(what: str, cases: dict[int, tuple[int, int]], rounds: int, device: torch.device) -> list[Point]:
    kinds = {}
    for size, (hidden, batch) in cases.items():
        for phase, step in prepared(hidden, batch, 0, device).items():
            kinds[size, phase] = step
    times = interleaved(kinds, rounds, device)
    return [Point(what, size, phase, ms) for (size, phase), ms in times.items()]


def prepared(hidden: int, batch: int, seed: int, device: torch.device) -> dict:
    """A step of each phase for an MLP with ``hidden`` neurons in its first hidden layer."""
    model = _model(hidden, seed, device)
    x = torch.rand(batch, 1, 28, 28, generator=generator(seed, "images")).to(device)
    y = torch.randint(0, 10, (batch,), generator=generator(seed, "labels")).to(device)
    sides = {"switcher": model.switcher_side(), "network": model.network}
    return {
        phase: partial(step, model, optimizer(sides[phase].parameters(), STILL), x, y, 1.0)
        for phase, step in STEPS.items()
    }


def _seeds(rounds: int, device: torch.device) -> Iterable[Point]:
    if device.type == "cuda":
        for phase in STEPS:
            times = interleaved({count: batched(count, phase, device) for count in SEEDS}, rounds, device)
            yield from (Point("seeds at once", count, phase, ms) for count, ms in times.items())
        return
    with ProcessPoolExecutor(cpu_count(), multiprocessing.get_context("spawn")) as pool:
        for phase in STEPS:
            list(
                pool.map(_many_steps, [phase] * cpu_count(), range(cpu_count()), [3] * cpu_count())
            )  # starts the processes
            for count in SEEDS:
                began = time.perf_counter()
                inner = list(pool.map(_many_steps, [phase] * count, range(count), [10 * rounds] * count))
                wall = time.perf_counter() - began
                yield Point("seeds at once", count, phase, 1000 * max(wall / (10 * rounds), max(inner)))


def _model(hidden: int, seed: int, device: torch.device) -> Switched:
    network = MLP((784, hidden, 100, 10), generator=generator(seed, "network"))
    return Switched.around(network, SwitcherConfig(), generator(seed, "switcher")).to(device)


def batched(count: int, phase: str, device: torch.device) -> Callable[[], object]:
    """A step of ``phase`` of so many members trained together."""
    members = [_model(300, seed, device) for seed in range(count)]
    x = torch.rand(count, STILL.batch_size, 1, 28, 28, generator=generator(0, "images")).to(device)
    y = torch.randint(0, 10, (count, STILL.batch_size), generator=generator(0, "labels")).to(device)
    return partial(Together(members, STILL).step, phase, x, y, STILL.rate)


def _many_steps(phase: str, seed: int, steps: int) -> float:
    """Seconds of one step, of ``steps`` in a process of one thread."""
    keep_memory()
    torch.set_num_threads(1)
    step = prepared(300, 64, seed, torch.device("cpu"))[phase]
    step()
    began = time.perf_counter()
    for _ in range(steps):
        step()
    return (time.perf_counter() - began) / steps


def plot(found: list[Point], path: Path) -> None:
    """Time over size, one panel a quantity, both axes logarithmic."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    quantities = list(dict.fromkeys(point.what for point in found))
    lowest, highest = min(point.ms for point in found) * 0.7, max(point.ms for point in found) * 1.5
    figure, panels = pyplot.subplots(
        1, len(quantities), figsize=(4 * len(quantities), 3.2), constrained_layout=True, squeeze=False
    )
    for panel, what in zip(panels[0], quantities):
        for phase, marker in (("switcher", "o"), ("network", "s")):
            chosen = [point for point in found if point.what == what and point.phase == phase]
            panel.loglog(
                [point.size for point in chosen], [point.ms for point in chosen], marker=marker, label=f"{phase} phase"
            )
        sizes = sorted({point.size for point in found if point.what == what})
        panel.set_xticks(sizes, [f"{size:,}" if size < 10_000 else f"{size / 1e6:.2g} M" for size in sizes])
        panel.set_ylim(lowest, highest)
        ticks = [tick for tick in TICKS if lowest <= tick <= highest]
        panel.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
        panel.minorticks_off()
        panel.set_xlabel(what)
        panel.set_ylabel("ms a step")
        panel.grid(True, alpha=0.3)
    panels[0][0].legend(frameon=False)
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:N")
    options = parser.parse_args()
    as_in_a_worker()
    torch.set_num_threads(1)
    for point in points(options.rounds, torch.device(options.device)):
        print(f"{point.what:<30}{point.size:>10}  {point.phase:<10}{point.ms:>9.2f} ms")


if __name__ == "__main__":
    main()
