"""Milliseconds of a training step: dense, switcher phase, task-network phase; the MLP on MNIST-sized batches.

    python benchmarks/steps.py [--rounds 200] [--threads 1]

The three kinds of step take turns, so that all see the same machine; medians and the ratio to the dense step are
printed. Weights are as the seed initialises them, images random: neither changes what a step computes.
"""

from __future__ import annotations

import argparse
import statistics
import time

import torch

from snnlib.config import SwitcherConfig, TrainConfig
from snnlib.networks import MLP
from snnlib.switched import Switched
from snnlib.training import dense_step, generator, network_step, optimizer, switcher_step
from snnlib.workers import keep_memory


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200, help="timed steps of each kind")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    keep_memory()
    torch.set_num_threads(options.threads)

    config = TrainConfig()
    dense = MLP(generator=generator(0, "network"))
    model = Switched.around(MLP(generator=generator(0, "network")), SwitcherConfig(), generator(0, "switcher"))
    x = torch.rand(config.batch_size, 1, 28, 28, generator=generator(0, "images"))
    y = torch.randint(0, 10, (config.batch_size,), generator=generator(0, "labels"))
    # a rate of almost 0: every round computes the same step
    still = TrainConfig(rate=1e-12)
    steps = {
        "dense": (dense_step, dense, optimizer(dense.parameters(), still), None),
        "SNN-AL, switcher phase": (switcher_step, model, optimizer(model.switcher.parameters(), still), config.clip_switcher),
        "SNN-AL, task-network phase": (network_step, model, optimizer(model.network.parameters(), still), config.clip_network),
    }
    times: dict[str, list[float]] = {name: [] for name in steps}
    for turn in range(options.rounds + 10):
        for name, (step, module, sgd, clip) in steps.items():
            began = time.perf_counter()
            step(module, sgd, x, y, clip)
            if turn >= 10:  # the first ten warm up
                times[name].append(1000 * (time.perf_counter() - began))
    base = statistics.median(times["dense"])
    print(f"{'step':<28}{'median ms':>10}{'times dense':>13}   ({options.threads} thread(s), torch {torch.__version__})")
    for name, found in times.items():
        print(f"{name:<28}{statistics.median(found):>10.2f}{statistics.median(found) / base:>13.1f}")


if __name__ == "__main__":
    main()
