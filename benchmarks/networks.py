"""Milliseconds of a training step of every network, in float32 and in bfloat16, ours against plain PyTorch.

    python -m benchmarks.networks [--rounds 6] [--device cpu] [--threads 1] [--network mobilenet-v1-x0.25 ...]

Plain PyTorch is the same dense network with torch's own layers in their default memory layout, its best precision of
the two: what one gets without taking trouble. SNN-AL's phases are told as multiples of our dense step in the same
precision. The limit is the matrix-product peak of that precision; it counts the network's own products only.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import torch
from torch import nn

from benchmarks.steps import STILL, network_flops
from benchmarks.timing import Row, command_line, interleaved, matmul_peak
from snnlib.config import SwitcherConfig
from snnlib.networks import NETWORKS, USES, DeepNet
from snnlib.networks.listing import IMAGES
from snnlib.seeds import generator
from snnlib.switching.switched import Switched
from snnlib.training.optimizers import optimizer
from snnlib.training.steps import check_precision, dense_step, network_step, switcher_step

SWITCHED_WHOLE = 1.2
"""SNN-AL's phases may take so many times the dense step where convolutions are switched."""

SWITCHED_HEAD = 1.1
"""The same where the FC layers alone are."""

LARGEST = ("resnet34", "vgg16")
"""Timed in a third of the rounds."""


def rows(rounds: int = 6, device: torch.device = torch.device("cpu"), networks: Sequence[str] = ()) -> list[Row]:
    """One row for the dense step and one for each phase, of each network, data set and precision that the device
    has."""
    precisions = tuple(precisions_of(device))
    peaks = {precision: matmul_peak(device, dtype=getattr(torch, precision)) for precision in precisions}
    return [
        row
        for network, dataset in USES
        if not networks or network in networks
        for row in _rows(network, dataset, rounds, device, peaks)
    ]


def precisions_of(device: torch.device) -> Iterator[str]:
    """float32, and bfloat16 where ``device`` computes in it."""
    yield "float32"
    try:
        check_precision("bfloat16", device)
    except ValueError:
        return
    yield "bfloat16"


def _rows(name: str, dataset: str, rounds: int, device: torch.device, peaks: dict[str, float]) -> list[Row]:
    image, classes = IMAGES[dataset]
    network = NETWORKS[name](image, classes, generator=generator(0, "network"))
    model = Switched.around(network, SwitcherConfig(), generator(0, "switcher")).to(device)
    dense = copy.deepcopy(model.network)
    x = torch.rand(STILL.batch_size, *image, generator=generator(0, "images")).to(device)
    y = torch.randint(0, classes, (STILL.batch_size,), generator=generator(0, "labels")).to(device)
    theirs = _torch_alone(dense)
    switcher_sgd, network_sgd, dense_sgd, their_sgd = (
        optimizer(side.parameters(), STILL) for side in (model.switcher_side(), model.network, dense, theirs)
    )
    kinds: dict[tuple[str, str], Callable[[], object]] = {}
    for precision in peaks:
        kinds["plain", precision] = partial(dense_step, theirs, their_sgd, x, y, STILL.clip_network, precision)
        kinds["dense", precision] = partial(dense_step, dense, dense_sgd, x, y, STILL.clip_network, precision)
        kinds["switcher", precision] = partial(switcher_step, model, switcher_sgd, x, y, STILL.clip_switcher, precision)
        kinds["network", precision] = partial(network_step, model, network_sgd, x, y, STILL.clip_network, precision)
    times = interleaved(kinds, max(rounds // 3, 2) if name in LARGEST else rounds, device, warm_up=1)

    plain, found = min(times["plain", precision] for precision in peaks), []
    for precision, peak in peaks.items():
        ours = times["dense", precision]
        fraction = network_flops(dense, x, "network") / (ours / 1000) / peak
        note = f"plain PyTorch in {precision}: {times['plain', precision]:.4g} ms"
        found.append(
            Row(
                f"{name} on {dataset}, {precision}, dense",
                str(device),
                ours,
                plain,
                plain / ours,
                f"products, {peak / 1e9:.0f} GFLOP/s",
                fraction,
                note,
            )
        )
        for phase in ("switcher", "network"):
            took, most = times[phase, precision], SWITCHED_WHOLE if network.kernel_weights() else SWITCHED_HEAD
            found.append(
                Row(
                    f"{name} on {dataset}, {precision}, {phase} phase",
                    str(device),
                    took,
                    note=f"{took / ours:.2f} times the dense step (at most {most} wanted)",
                )
            )
    return found


def _torch_alone(network: nn.Module) -> nn.Module:
    """A copy of ``network`` that runs torch's own layers only, in their default memory layout."""
    network = copy.deepcopy(network).to(memory_format=torch.contiguous_format)
    return nn.Sequential(network.features, nn.Flatten(), network.head) if isinstance(network, DeepNet) else network


if __name__ == "__main__":
    command_line(__doc__, rows, sorted(NETWORKS), rounds=6, names=56)
