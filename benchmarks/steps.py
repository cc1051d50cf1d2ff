"""Milliseconds of a training step, ours against plain PyTorch: both phases of Algorithm 1, and the dense step.

    python -m benchmarks.steps [--rounds 20] [--device cpu] [--threads 1] [--network mlp ...]

"forward and backward" leaves clipping and the optimizer out, "whole step" has them in. All kinds of step take turns in
one run. Weights are as the seed draws them and images random: neither changes what a step computes. The limit is the
matrix-product peak; the fraction counts the products of the standard forward and backward pass, padding left out.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import plain
from benchmarks.timing import Row, command_line, interleaved, matmul_peak
from snnlib.config import SwitcherConfig, TrainConfig
from snnlib.networks import NETWORKS
from snnlib.networks.listing import IMAGES
from snnlib.seeds import generator
from snnlib.switching.switched import Switched
from snnlib.switching.switcher import Switcher
from snnlib.training.optimizers import optimizer
from snnlib.training.steps import dense_step, network_step, switcher_step

CASES = {"mlp": ("mnist", 10), "lenet5-caffe": ("mnist", 2), "vgg-cov2": ("cifar10", 1)}
"""Networks whose every layer is switched: their data set, and how many steps are timed together."""

STILL = TrainConfig(rate=1e-12)
"""A rate of almost 0: every round computes the same step."""


def rows(
    rounds: int = 20, device: torch.device = torch.device("cpu"), networks: Sequence[str] = tuple(CASES)
) -> list[Row]:
    """One row a network, phase and extent; milliseconds for one step of 64 images."""
    peak, found = matmul_peak(device), []
    for name in networks:
        found += _network_rows(name, rounds if CASES[name][1] > 1 else max(rounds // 3, 3), device, peak)
    return found


def _network_rows(name: str, rounds: int, device: torch.device, peak: float) -> list[Row]:
    dataset, together = CASES[name]
    image, classes = IMAGES[dataset]
    network = NETWORKS[name](image, classes, generator=generator(0, "network"))
    model = Switched.around(network, SwitcherConfig(), generator(0, "switcher")).to(device)
    yardstick = plain.Plain(model, copy.deepcopy(model.network)).to(device)
    dense = copy.deepcopy(model.network)
    x = torch.rand(STILL.batch_size, *image, generator=generator(0, "images")).to(device)
    y = torch.randint(0, classes, (STILL.batch_size,), generator=generator(0, "labels")).to(device)

    sides = {"switcher": model.switcher_side(), "network": model.network}
    steps = {"switcher": switcher_step, "network": network_step}
    theirs, dense_sgd = plain.sgds(yardstick, STILL), optimizer(dense.parameters(), STILL)
    kinds: dict[str, Callable[[], object]] = {"dense": partial(dense_step, dense, dense_sgd, x, y, STILL.clip_network)}
    for phase, side in sides.items():
        sgd = optimizer(side.parameters(), STILL)
        kinds[f"ours, {phase}, forward and backward"] = partial(_ours, model, sides, phase, x, y)
        kinds[f"plain, {phase}, forward and backward"] = partial(_plain, yardstick, x, y)
        kinds[f"ours, {phase}, whole step"] = partial(steps[phase], model, sgd, x, y, STILL.clip_network)
        kinds[f"plain, {phase}, whole step"] = partial(yardstick.step, phase, theirs[phase], x, y, STILL.clip_network)
    times = interleaved(
        {kind: partial(_repeat, step, together) for kind, step in kinds.items()}, rounds, device, warm_up=2
    )
    times = {kind: time / together for kind, time in times.items()}

    found = [Row(f"step: {name}, dense", str(device), times["dense"], note="whole step, without a switcher")]
    for phase in sides:
        work = network_flops(model.network, x, phase) + switcher_flops(model, phase)
        for extent in ("forward and backward", "whole step"):
            ours, yard = times[f"ours, {phase}, {extent}"], times[f"plain, {phase}, {extent}"]
            found.append(
                Row(
                    f"step: {name}, {phase} phase, {extent}",
                    str(device),
                    ours,
                    yard,
                    yard / ours,
                    f"matrix products, {peak / 1e9:.0f} GFLOP/s",
                    work / (ours / 1000) / peak,
                    f"{ours / times['dense']:.1f} times the dense step",
                )
            )
    return found


def _ours(model: Switched, sides: dict[str, nn.Module], phase: str, x: Tensor, y: Tensor) -> None:
    for name, side in sides.items():
        side.requires_grad_(name == phase)
    sides[phase].zero_grad()
    F.cross_entropy(model(x), y).backward()


def _plain(model: plain.Plain, x: Tensor, y: Tensor) -> None:
    model.zero_grad()
    F.cross_entropy(model.network(x, model.gates()), y).backward()


def _repeat(step: Callable[[], object], times: int) -> None:
    for _ in range(times):
        step()


def network_flops(network: nn.Module, x: Tensor, phase: str) -> int:
    """Floating-point operations of the task network's products in a step of ``phase``.

    Factors on the inputs of the first layer need the gradient of those inputs; those behind a convolution do not.
    """
    network = copy.deepcopy(network).requires_grad_(phase == "network")
    inputs = x.clone().requires_grad_(not network.kernel_weights())
    ones = [torch.ones(width, device=x.device, requires_grad=True) for width in network.gate_widths()]
    with FlopCounterMode(display=False) as counter:
        network(inputs, None if phase == "network" or not network.kernel_weights() else ones).sum().backward()
    return counter.get_total_flops()


def switcher_flops(model: Switched, phase: str) -> int:
    """Floating-point operations of the switchers' products: forward, and backward to their weights or to what they
    read."""
    shapes = [tuple(weight.shape) for weight in model.network.linear_weights()]
    found = _scores_macs(model.switcher, shapes)
    if model.kernel_switcher is not None:
        switcher, kernels = model.kernel_switcher.switcher, model.network.kernel_weights()
        found += _scores_macs(switcher, [switcher.size[1:]])
        found += sum(
            len(kernel) * reader.weight.numel() for kernel, reader in zip(kernels, model.kernel_switcher.readers)
        )
    if phase == "network":
        return 2 * 2 * found  # forward, and back to all that is read
    return 2 * (3 * found - _first_block(model.switcher, shapes))  # to all weights, and to all features but the input


def _first_block(switcher: Switcher, shapes: Sequence[tuple[int, int]]) -> int:
    """Multiplications of the first convolution with the layers' own weights, zero padding left out."""
    stride, window, conv = switcher.config.width_stride, switcher.config.kernel[1], switcher.encoder[0]
    windows = (switcher.size[2] - 1) // stride + 1
    columns = [
        sum(0 <= stride * k + j - window // 2 < cols for k in range(windows) for j in range(window))
        for _, cols in shapes
    ]
    return sum(rows * read for (rows, _), read in zip(shapes, columns)) * switcher.config.kernel[0] * conv.out_channels


def _scores_macs(switcher: Switcher, shapes: Sequence[tuple[int, int]]) -> int:
    """Multiplications of the scores: convolutions, row convolutions, decoder, head."""
    total, (_, rows, width) = _first_block(switcher, shapes), switcher.size
    heights = []
    for level, (conv, row_convolution) in enumerate(zip(switcher.encoder, switcher.row_convolutions)):
        width = (width - 1) // switcher.config.width_stride + 1
        total += rows * width * conv.weight.numel() if level else 0
        total += rows * row_convolution.weight.numel()
        heights.append(rows)
        rows, width = math.ceil(rows / 2), math.ceil(width / 2)
    total += rows * switcher.bottom.weight.numel()
    for layer, height in zip(switcher.decoder, reversed(heights)):
        total += math.ceil(height / 2) * layer.weight.numel()
    return total + heights[0] * switcher.head.weight.numel()


if __name__ == "__main__":
    command_line(__doc__, rows, list(CASES), rounds=20, names=62)
