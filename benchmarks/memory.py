"""Peak bytes of one training step of each phase, for each network of the paper, beside the estimate of
snnlib.lab.memory.

    python -m benchmarks.memory [--device cpu] [--batch 64] [--network vgg16]

On CUDA it is torch's own count of allocated bytes. On the CPU torch's profiler reports every allocation and release of
the allocator that tensors and the scratch space of convolutions come from, and the peak of their sum is taken. The
resident size of the process (getrusage) would be less reliable: it holds the libraries and what malloc keeps back, and
it never falls, so that phases cannot be told apart. Each network is measured in a process of its own.

The estimate counts torch's own operations, as they run on an accelerator. On the CPU they are measured as well, and
beside them the library's own operations in C, which need less.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import torch

from benchmarks.timing import Row, wait_for
from snnlib.config import SwitcherConfig, TrainConfig
from snnlib.lab.memory import STEPS, evaluation_bytes, needed, step_bytes
from snnlib.networks import NETWORKS, USES
from snnlib.networks.listing import IMAGES
from snnlib.seeds import generator
from snnlib.switching.switched import Switched
from snnlib.training.judging import judged_at_once
from snnlib.training.optimizers import optimizer

FACTOR = 1.3
"""A measured peak of torch's operations is at most so many times the estimate, and at least the estimate divided by
it."""

PAPERS_CARD = 12 * 2**30
"""Bytes of the card that the paper's experiments ran on."""


@dataclass(frozen=True)
class Peak:
    """The measured and the estimated peak bytes of one phase's step; ``phase`` is a key of ``snnlib.lab.memory.STEPS``.

    ``measured`` is of torch's own operations, ``native`` of the library's in C, None on an accelerator.
    """

    network: str
    dataset: str
    phase: str
    batch: int
    device: str
    measured: int
    native: int | None
    estimated: int

    @property
    def factor(self) -> float:
        """How many times the estimate was measured."""
        return self.measured / self.estimated


def peaks(device: torch.device, batch: int = 64, networks: Iterable[str] | None = None) -> list[Peak]:
    """The peaks of each phase of each network on each of its data sets; ``networks`` names some of them."""
    chosen = [use for use in USES if networks is None or use[0] in set(networks)]
    found = []
    for network, dataset in chosen:
        image, classes = IMAGES[dataset]
        measured = _in_process(network, dataset, batch, device, native=False)
        native = _in_process(network, dataset, batch, device, native=True) if device.type == "cpu" else {}
        for phase in STEPS:
            estimated = step_bytes(
                network, None if phase == "dense" else SwitcherConfig(), phase, batch, image, classes
            )
            found.append(
                Peak(network, dataset, phase, batch, str(device), measured[phase], native.get(phase), estimated)
            )
    return found


def _in_process(network: str, dataset: str, batch: int, device: torch.device, native: bool) -> dict[str, int]:
    """What :func:`measure` finds in a fresh process, with the operations in C or without them."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.memory",
        "--one",
        network,
        dataset,
        "--batch",
        str(batch),
        "--device",
        str(device),
    ]
    answer = subprocess.run(
        command,
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        env=os.environ | ({} if native else {"SNNLIB_NATIVE": "0"}),
    )
    if answer.returncode:
        raise RuntimeError(f"{network} on {dataset} could not be measured:\n{answer.stderr}")
    return json.loads(answer.stdout)


def rows(
    rounds: int = 1, device: torch.device = torch.device("cpu"), networks: Iterable[str] | None = None
) -> list[Row]:
    """One row a network, data set and phase; bytes have no milliseconds, so the figures stand in the notes.

    ``rounds`` is taken for the other benchmarks' sake: the peak of a step is the same every time.
    """
    return [
        Row(
            f"memory: {peak.network} on {peak.dataset}, "
            f"{'dense' if peak.phase == 'dense' else peak.phase + ' phase'}, batch {peak.batch}",
            peak.device,
            None,
            note=f"peak {mib(peak.measured)}, {peak.factor:.2f} times the estimate; operations in C: "
            f"{mib(peak.native)}",
        )
        for peak in peaks(device, networks=networks)
    ]


def mib(count: int | None) -> str:
    """``count`` bytes for people; a dash where nothing was measured."""
    return "-" if count is None else f"{count / 2**20:.1f} MiB"


def measure(network: str, dataset: str, batch: int, device: torch.device) -> dict[str, int]:
    """Peak bytes alive during a step of each phase: weights, a batch, activations, gradients."""
    image, classes = IMAGES[dataset]
    found = {}
    for phase in STEPS:

        def prepare(phase: str = phase) -> Callable[[], None]:
            model = NETWORKS[network](image, classes, generator=generator(0, "network")).to(device)
            trained = model
            if phase != "dense":
                model = Switched.around(model, SwitcherConfig(), generator(0, "switcher")).to(device)
                trained = model.network if phase == "network" else model.switcher_side()
            sgd = optimizer(trained.parameters(), TrainConfig())
            x, y = torch.rand(batch, *image, device=device), torch.zeros(batch, dtype=torch.long, device=device)
            return lambda: STEPS[phase](model, sgd, x, y, TrainConfig.clip_network)

        found[phase] = (_cuda_peak if device.type == "cuda" else _cpu_peak)(prepare, device)
    return found


STEPS_TAKEN = 2
"""The second step meets what the first one left, its gradients for one."""


def _cuda_peak(prepare: Callable[[], Callable[[], None]], device: torch.device) -> int:
    gc.collect()
    before = torch.cuda.memory_allocated(device)
    step = prepare()
    wait_for(device)
    torch.cuda.reset_peak_memory_stats(device)
    for _ in range(STEPS_TAKEN):
        step()
    wait_for(device)
    return torch.cuda.max_memory_allocated(device) - before


def _cpu_peak(prepare: Callable[[], Callable[[], None]], device: torch.device) -> int:
    """Peak during the steps of the bytes that the allocator gave and has not got back, from the profiler's list of
    both."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profiler:
        step = prepare()
        with torch.profiler.record_function("steps"):
            for _ in range(STEPS_TAKEN):
                step()
    events = profiler.profiler.kineto_results.events()
    (began,) = [event.start_ns() for event in events if event.name() == "steps"]
    now = most = 0
    for event in sorted((event for event in events if event.name() == "[memory]"), key=lambda event: event.start_ns()):
        now += event.nbytes()
        most = max(most, now) if event.start_ns() >= began else now
    return most


def report(found: list[Peak]) -> None:
    """Print one table, whether the estimate held, and what the paper's card has room for."""
    print(f"{'network':<20}{'data set':<15}{'phase':<10}{'measured':>12}{'estimated':>12}{'times':>8}{'in C':>12}")
    for peak in found:
        print(
            f"{peak.network:<20}{peak.dataset:<15}{peak.phase:<10}{mib(peak.measured):>12}{mib(peak.estimated):>12}{peak.factor:>8.2f}{mib(peak.native):>12}"
        )
    outside = [peak for peak in found if not 1 / FACTOR <= peak.factor <= FACTOR]
    print(f"measured peaks within {FACTOR} times of the estimates: {len(found) - len(outside)} of {len(found)}")
    for peak in outside:
        print(f"  not: {peak.network} on {peak.dataset}, {peak.phase}, {peak.factor:.2f} times")
    head = [peak.measured for peak in found if peak.network == "vgg16" and peak.phase != "dense"]
    if head:
        answer = "trains" if max(head) < PAPERS_CARD else "does not train"
        print(
            f"VGG16's 4096 x 4096 head with its switcher {answer} in 12 GiB: a step takes {mib(max(head))} at its peak"
        )
    for network, dataset in dict.fromkeys((peak.network, peak.dataset) for peak in found):
        image, classes = IMAGES[dataset]
        whole, judged = (
            needed(network, SwitcherConfig(), found[0].batch, image, classes),
            evaluation_bytes(network, SwitcherConfig(), image, classes, judged_at_once(image)),
        )
        print(
            f"estimate for a whole run of {network} on {dataset}: {mib(whole)}; judging {judged_at_once(image)} "
            f"images at once takes {mib(judged)} of it"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:N")
    parser.add_argument("--batch", type=int, default=64, help="images a step")
    parser.add_argument("--network", action="append", choices=NETWORKS, help="only this network; may be repeated")
    parser.add_argument(
        "--one", nargs=2, metavar=("NETWORK", "DATASET"), help="measure this one in this process and print JSON"
    )
    options = parser.parse_args()
    device = torch.device(options.device)
    if options.one:
        print(json.dumps(measure(*options.one, options.batch, device)))
    else:
        report(peaks(device, options.batch, options.network))


if __name__ == "__main__":
    main()
