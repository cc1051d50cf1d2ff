"""How fast pruned networks answer: inference of the compacted network beside the dense one, batch 1 and 256.

    python -m benchmarks.latency [--rounds 30] [--device cpu] [--threads 1]

What counts is time, so the ratio of operations (MACs) stands in the note beside the ratio of times. Weights are as the
seed draws them: they do not change what is computed, the factors do. They come from a committed record, or are drawn
for as many kernels and neurons as the paper reports.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from benchmarks.timing import Row, interleaved, matmul_peak
from snnlib.compaction import compact
from snnlib.lab import records
from snnlib.networks import NETWORKS, count
from snnlib.networks.listing import IMAGES
from snnlib.seeds import generator

RECORD = Path(__file__).parents[1] / "data" / "records" / "paper" / "mnist-mlp" / "snn-al-epoch" / "seed-0.json"

BATCHES = {1: 20, 256: 1}
"""Images at once, and how many calls are timed together: one call on one image is too short for the clock."""


@dataclass(frozen=True)
class Pruned:
    """A dense network and the factors that prune it; ``title`` says where they come from."""

    title: str
    network: nn.Module
    gates: list[Tensor]
    image: tuple[int, int, int]


def cases() -> list[Pruned]:
    """The networks whose every layer is switched: the MLP of our record, and all three at the paper's widths (Tables 1
    and 3)."""
    recorded = [torch.tensor(gate) for gate in records.read(RECORD)["result"]["gates"]]
    found = [_case("mlp", "mnist", "our record's factors", lambda network: recorded)]
    for name, dataset, widths in (
        ("mlp", "mnist", (456, 134, 45)),
        ("lenet5-caffe", "mnist", (12, 37, 268, 192)),
        ("vgg-cov2", "cifar10", (49, 43, 12530, 203, 156)),
    ):
        found.append(
            _case(name, dataset, f"the paper's {'-'.join(map(str, widths))}", partial(drawn_gates, widths=widths))
        )
    return found


def _case(name: str, dataset: str, source: str, gates: Callable[[nn.Module], list[Tensor]]) -> Pruned:
    image, classes = IMAGES[dataset]
    network = NETWORKS[name](image, classes, generator=generator(0, "network")).eval()
    return Pruned(f"{name}, {source}", network, gates(network), image)


def drawn_gates(network: nn.Module, widths: Sequence[int]) -> list[Tensor]:
    """Random factors of which ``widths`` are above 0.

    Inputs of the first FC layer are chosen among those that come from living kernels as far as there are enough: of
    VGG-cov2 the paper counts more than there are.
    """
    draw, gates, live = generator(0, "latency"), [], None
    convolutions = len(network.kernel_weights())
    for index, (full, kept) in enumerate(zip(network.gate_widths(), widths)):
        order = torch.randperm(full, generator=draw)
        if live is not None and index == convolutions:
            from_living = live.repeat_interleave(full // len(live))[order]
            order = torch.cat([order[from_living], order[~from_living]])
        gate = torch.zeros(full)
        gate[order[:kept]] = 0.5 + torch.rand(kept, generator=draw)
        gates.append(gate)
        live = gate > 0
    return gates


@torch.inference_mode()
def rows(rounds: int = 30, device: torch.device = torch.device("cpu")) -> list[Row]:
    """One row a network and batch size: ``ours_ms`` compacted, ``plain_ms`` dense, milliseconds for one batch."""
    peak, found = matmul_peak(device), []
    for case in cases():
        dense = case.network.to(device)
        small = compact(dense, [gate.to(device) for gate in case.gates])
        operations, fewer = count.macs(small), count.macs(dense) / count.macs(small)
        for batch, calls in BATCHES.items():
            x = torch.rand(batch, *case.image, generator=generator(0, "images")).to(device)
            times = interleaved(
                {"dense": partial(_call, dense, x, calls), "compact": partial(_call, small, x, calls)}, rounds, device
            )
            ours, plain = times["compact"] / calls, times["dense"] / calls
            left = "-".join(map(str, small.gate_widths()))
            found.append(
                Row(
                    f"latency: {case.title}, batch {batch}",
                    str(device),
                    ours,
                    plain,
                    plain / ours,
                    "matrix-product peak",
                    2 * operations * batch / (ours / 1000) / peak,
                    f"MACs {fewer:.2f}x fewer; left {left}",
                )
            )
    return found


def _call(network: nn.Module, x: Tensor, calls: int) -> None:
    for _ in range(calls):
        network(x)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30, help="timed calls of each network")
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:N")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"{'':<70}{'compact ms':>11}{'dense ms':>10}{'ratio':>7}{'of peak':>9}")
    for row in rows(options.rounds, torch.device(options.device)):
        print(
            f"{row.name:<70}{row.ours_ms:>11.3f}{row.plain_ms:>10.3f}{row.ratio:>7.2f}{row.fraction:>9.1%}  {row.note}"
        )


if __name__ == "__main__":
    main()
