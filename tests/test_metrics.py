"""Metrics on published figures, on networks small enough to count by hand, and against scipy."""

import csv
import itertools
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from snnlib import metrics
from snnlib.config import SwitcherConfig
from snnlib.lab import measuring
from snnlib.networks import MLP, NETWORKS, ConvNet, count
from snnlib.networks.convnet import Stage
from snnlib.switching.switched import Switched

TABLES = Path(__file__).parents[1] / "snnlib" / "report" / "paper.csv"

DEVIATIONS = {"L0 (lambda sep.)": 89.99, "NestedNet (H)": 0.37, "Lottery Ticket": 61.33}
"""Where a printed percentage does not follow from the printed widths, and what does follow."""
DEVIATIONS_BY_NETWORK = {("MobileNetV1 (x0.25)", "SNN", "CIFAR10"): 42.97}


def published():
    """(row, full widths) of every printed row whose counted layers are fully connected."""
    with TABLES.open() as file:
        rows = list(csv.DictReader(file))
    full = {(row["dataset"], row["network"]): row["widths"] for row in rows if row["method"] == "baseline"}
    connected = [
        row
        for row in rows
        if row["pruned_pct"] and row["widths"] and (row["network"] == "MLP" or row["counted_layers"] == "fc")
    ]
    return [(row, full[row["dataset"], row["network"]]) for row in connected]


def widths_of(text):
    return [int(width) for width in text.split("-")]


def test_weights_and_share_of_the_published_mlp():
    assert metrics.weight_count((784, 300, 100)) == 266_200
    assert round(metrics.removed_pct((784, 300, 100), (456, 134, 45)), 2) == 74.61


@pytest.mark.parametrize(
    "row, full",
    published(),
    ids=lambda value: value["network"] + " " + value["method"] if isinstance(value, dict) else None,
)
def test_every_printed_percentage_of_fully_connected_layers(row, full):
    outputs = 100 if row["dataset"] == "Mini-ImageNet" else 10
    printed = float(row["pruned_pct"])
    follows = DEVIATIONS.get(
        row["method"], DEVIATIONS_BY_NETWORK.get((row["network"], row["method"], row["dataset"]), printed)
    )
    assert abs(metrics.removed_pct(widths_of(full), widths_of(row["widths"]), outputs) - follows) <= 0.0051


def test_the_printed_rows_are_all_there():
    rows = published()
    assert sum(row["network"] == "MLP" for row, _ in rows) == 6 and len(rows) == 16


CONVOLUTIONAL = {"LeNet5-Caffe": ([25, 25], 1), "VGG-cov2": ([9, 9], 3)}
"""Pixels of each convolution's kernels, and channels of the images."""


def published_convolutional():
    with TABLES.open() as file:
        rows = [row for row in csv.DictReader(file) if row["network"] in CONVOLUTIONAL and row["widths"]]
    full = {row["network"]: row["widths"] for row in rows if row["method"] == "baseline"}
    return [(row, full[row["network"]]) for row in rows if row["pruned_pct"]]


@pytest.mark.parametrize(
    "row, full",
    published_convolutional(),
    ids=lambda value: value["network"] + " " + value["method"] if isinstance(value, dict) else None,
)
def test_every_printed_percentage_of_networks_with_switched_convolutions(row, full):
    areas, channels = CONVOLUTIONAL[row["network"]]
    found = metrics.removed_pct(widths_of(full), widths_of(row["widths"]), 10, areas, channels)
    assert abs(found - float(row["pruned_pct"])) <= 0.0051


def test_the_printed_convolutional_rows_are_all_there():
    assert [(row["network"], row["method"]) for row, _ in published_convolutional()] == [
        ("LeNet5-Caffe", "BC-GNJ"),
        ("LeNet5-Caffe", "BC-GHS"),
        ("LeNet5-Caffe", "L0 (lambda sep.)"),
        ("LeNet5-Caffe", "SNN"),
        ("VGG-cov2", "SNN"),
    ]


def test_kernels_of_vgg_cov2_leave_fewer_inputs_than_the_paper_counts():
    """43 kernels make 43 maps of 16 x 16 pixels: at least 46.80 % of the weights are gone, where 39.62 % are
    printed."""
    full = (64, 64, 16384, 256, 256)
    live = 43 * 16 * 16
    assert live == 11_008 < 12_530
    assert round(metrics.removed_pct(full, (49, 43, live, 203, 156), 10, [9, 9], 3), 2) == 46.80


@pytest.mark.parametrize(
    "name, image, classes", [("lenet5-caffe", (1, 28, 28), 10), ("vgg-cov2", (3, 32, 32), 10), ("mlp", (1, 28, 28), 10)]
)
def test_weights_counted_from_widths_are_those_of_the_network(name, image, classes):
    with torch.device("meta"):
        network = NETWORKS[name](image, classes)
    kernels = network.kernel_weights()
    areas = [kernel[0, 0].numel() for kernel in kernels]
    assert metrics.weight_count(network.gate_widths(), classes, areas, image[0]) == count.weights(network)


@settings(deadline=None, max_examples=40)
@given(widths=st.lists(st.integers(1, 50), min_size=1, max_size=4), outputs=st.integers(1, 20))
def test_share_removed_is_between_nothing_and_all(widths, outputs):
    assert metrics.removed_pct(widths, widths, outputs) == 0
    assert metrics.removed_pct(widths, [0] * len(widths), outputs) == 100
    fewer = [max(width // 2, 1) for width in widths]
    matrices = [np.zeros(shape) for shape in zip(fewer, [*fewer[1:], outputs])]
    assert metrics.weight_count(fewer, outputs) == sum(matrix.size for matrix in matrices)
    assert 0 <= metrics.removed_pct(widths, fewer, outputs) < 100


@pytest.mark.parametrize("kept", [(5, 4), (4, 5, 1), (-1, 4), (4,)])
def test_widths_that_are_no_pruned_form_are_refused(kept):
    with pytest.raises(ValueError, match=r"not a pruned form of \(4, 4\)"):
        metrics.removed_pct((4, 4), kept)


def test_kept_neurons_have_a_factor_above_zero():
    assert metrics.kept_widths([[0.0, 0.5, 2.0], [0.0, 0.0], [1e-30]]) == [2, 0, 1]


ALL = np.ones((3, 3))


@pytest.mark.parametrize(
    "gates, weights, expected",
    [
        ([[1, 0, 1], [1, 1, 0]], [ALL, ALL], [2, 2]),
        # hidden neuron 0 reads only pixel 1, which is pruned: a constant
        ([[1, 0, 1], [1, 1, 1]], [np.array([[0, 1, 1], [1, 1, 1], [0, 1, 1]]), ALL], [2, 2]),
        # hidden neuron 2 feeds no class, and pixel 2 feeds only hidden neuron 2
        (
            [[1, 1, 1], [1, 1, 1]],
            [np.array([[1, 1, 1], [1, 1, 1], [0, 0, 1]]), np.array([[1, 1], [1, 1], [0, 0]])],
            [2, 2],
        ),
        # a whole layer pruned: nothing matters
        ([[1, 1, 1], [0, 0, 0], [1, 1, 1]], [ALL, ALL, ALL], [0, 0, 0]),
        # a chain of dead ends: the last hidden layer's only living neuron reads nothing that pixels reach
        (
            [[1, 1], [1, 1], [0, 1]],
            [np.array([[1, 0], [1, 0]]), np.array([[1, 0], [0, 1]]), np.ones((2, 2))],
            [0, 0, 0],
        ),
        ([[0.5, 0.0]], [np.ones((2, 1))], [1]),
    ],
)
def test_effective_widths_follow_dead_ends_through(gates, weights, expected):
    assert metrics.effective_widths(gates, weights) == expected


def test_class_that_nothing_feeds_keeps_no_neuron_alive():
    assert metrics.effective_widths([[1, 1]], [np.array([[1, 0], [0, 0]])]) == [1]


def matter(gates, weights, kernels):
    """Widths by brute force: every unit by itself, its paths followed forward and backward one connection at a time.

    A unit is (layer, index). Kernels of the last convolution lead to their pixels among the FC inputs.
    """
    sizes = [len(gate) for gate in gates] + [weights[-1].shape[1]]
    outputs, edges = len(gates), {}

    def connect(a, b):
        edges.setdefault(a, []).append(b)

    for layer, kernel in enumerate(kernels):
        for out in range(len(kernel)):
            for channel in range(kernel.shape[1]):
                if any(value != 0 for value in kernel[out, channel].flat):
                    connect(("image",) if layer == 0 else (layer - 1, channel), (layer, out))
    for layer, weight in enumerate(weights, len(kernels)):
        for a in range(weight.shape[0]):
            for b in range(weight.shape[1]):
                if weight[a, b] != 0:
                    connect((layer, a), (layer + 1, b))
    if kernels:
        last = len(kernels) - 1
        for pixel in range(sizes[last + 1]):
            connect((last, pixel // (sizes[last + 1] // sizes[last])), (last + 1, pixel))
    else:
        for pixel in range(sizes[0]):
            connect(("image",), (0, pixel))

    def alive(unit):
        return unit == ("image",) or unit[0] == outputs or gates[unit[0]][unit[1]] > 0

    def reach(start, links):
        found, waiting = set(start), list(start)
        while waiting:
            for other in links.get(waiting.pop(), ()):
                if other not in found and alive(other):
                    found.add(other)
                    waiting.append(other)
        return found

    backward = {}
    for a, others in edges.items():
        for b in others:
            backward.setdefault(b, []).append(a)
    both = reach({("image",)}, edges) & reach({(outputs, index) for index in range(sizes[-1])}, backward)
    return [sum((layer, index) in both for index in range(size)) for layer, size in enumerate(sizes[:-1])]


@settings(deadline=None, max_examples=80)
@given(
    kernels=st.lists(st.integers(1, 4), max_size=3),
    pixels=st.sampled_from([1, 4]),
    hidden=st.lists(st.integers(1, 5), max_size=2),
    seed=st.integers(0, 999),
    kept=st.sampled_from([0.4, 0.7, 1.0]),
)
def test_effective_widths_are_those_of_a_search_along_every_path(kernels, pixels, hidden, seed, kept):
    draw = np.random.default_rng(seed)
    tensors = [
        draw.normal(size=(b, a, 2, 2)) * (draw.random((b, a, 1, 1)) < kept) for a, b in zip([2, *kernels], kernels)
    ]
    inputs = (kernels[-1] if kernels else 2) * pixels
    widths = [inputs, *hidden, 3]
    weights = [draw.normal(size=shape) * (draw.random(shape) < kept) for shape in itertools.pairwise(widths)]
    gates = [draw.random(size) * (draw.random(size) < kept) for size in [*kernels, inputs, *hidden]]
    assert metrics.effective_widths(gates, weights, tensors) == matter(gates, weights, tensors)


HISTORY = [{"epoch": 0, "accuracy": 0.5}, {"epoch": 1, "accuracy": 0.75}]


def switched(network, mean=0.3):
    """``network`` with a switcher that prunes some of every layer; one neuron in eight has no weights to begin with."""
    draw = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for weight in network.linear_weights():
            weight[::8] = 0
    return Switched.around(network, SwitcherConfig(initial_mean=mean), draw)


def test_result_of_an_mlp_counts_macs_as_weights():
    network = MLP((40, 30, 20, 10), fc_std=0.1, generator=torch.Generator().manual_seed(0))
    found = measuring.result(network, switched(network), HISTORY)
    assert found["macs_full"] == 40 * 30 + 30 * 20 + 20 * 10
    assert (
        found["macs"] == metrics.weight_count(found["effective_widths"], 10) < metrics.weight_count(found["widths"], 10)
    )
    assert found["removed_pct"] == metrics.removed_pct((40, 30, 20), found["widths"])
    assert (found["accuracy"], found["best_accuracy"], found["best_epoch"]) == (75.0, 75.0, 1)


@pytest.mark.parametrize("batch_norm", [False, True])
def test_result_of_a_network_with_switched_convolutions(batch_norm):
    """Each layer's operations from its effective widths: kernels times what they read times the pixels of the map."""
    plan = (Stage(12, 3, 1, False), Stage(10, 3, 1, True))
    network = ConvNet(
        plan,
        (16,),
        (3, 8, 8),
        5,
        bias=False,
        batch_norm=batch_norm,
        fc_std=0.1,
        generator=torch.Generator().manual_seed(0),
    )
    model = switched(network)
    state = {name: value.clone() for name, value in network.state_dict().items()}
    found = measuring.result(network, model, HISTORY)
    assert network.training and all(torch.equal(state[name], value) for name, value in network.state_dict().items())
    assert found["full_widths"] == [12, 10, 160, 16]
    assert found["macs_full"] == 12 * 27 * 64 + 10 * 12 * 9 * 64 + 160 * 16 + 16 * 5
    first, second, inputs, hidden = found["effective_widths"]
    assert all(0 < few < all_of for few, all_of in zip(found["effective_widths"], found["full_widths"]))
    assert found["macs"] == first * 27 * 64 + second * first * 9 * 64 + inputs * hidden + hidden * 5
    weights = [
        12 * 27 + 12 * 10 * 9 + 160 * 16 + 16 * 5,
        *(w[0] * 27 + w[0] * w[1] * 9 + w[2] * w[3] + w[3] * 5 for w in (found["widths"], found["effective_widths"])),
    ]
    assert math.isclose(found["removed_pct"], 100 * (1 - weights[1] / weights[0])) and math.isclose(
        found["effective_pct"], 100 * (1 - weights[2] / weights[0])
    )


def test_result_of_a_deep_network_counts_weights_of_its_head_and_operations_of_every_layer():
    network = NETWORKS["mobilenet-v1-x0.25"]((3, 16, 16), 10, fc_std=0.1, generator=torch.Generator().manual_seed(0))
    found = measuring.result(network, switched(network), HISTORY)
    (kept,), (effective,) = found["widths"], found["effective_widths"]
    assert 0 < effective < kept < 256 and found["full_widths"] == [256]
    assert math.isclose(found["removed_pct"], 100 * (1 - kept / 256))
    assert found["macs_full"] == count.macs(network) and found["macs"] == found["macs_full"] - (256 - effective) * 10


@pytest.mark.parametrize(
    "name, image", [("mlp", (1, 6, 6)), ("lenet5-caffe", (1, 16, 16)), ("mobilenet-v1-x0.25", (3, 16, 16))]
)
def test_result_of_a_dense_run_removes_nothing(name, image):
    network = NETWORKS[name](image, 4, generator=torch.Generator().manual_seed(0))
    found = measuring.result(network, None, HISTORY)
    assert found["widths"] == found["effective_widths"] == found["full_widths"] == list(network.gate_widths())
    assert (
        found["removed_pct"] == found["effective_pct"] == 0
        and found["macs"] == found["macs_full"]
        and found["gates"] is None
    )


def test_ratios():
    assert metrics.compression_ratio(266_200, 66_550) == 4 and metrics.speed_up(10, 5) == 2
    assert metrics.compression_ratio(10, 0) == math.inf


@settings(deadline=None, max_examples=40)
@given(
    values=st.lists(st.tuples(st.floats(90, 100), st.floats(90, 100)), min_size=2, max_size=9),
    level=st.sampled_from([0.9, 0.95]),
)
def test_paired_interval_is_scipys(values, level):
    a, b = (dict(enumerate(column)) for column in zip(*values))
    ours = metrics.paired_difference(a, b, level)
    differences = np.array(list(a.values())) - np.array(list(b.values()))
    assert ours.n == len(values) and math.isclose(ours.mean, differences.mean(), abs_tol=1e-12)
    if differences.std() < 1e-9:
        assert ours.high - ours.low < 1e-6
        return
    theirs = stats.ttest_rel(list(a.values()), list(b.values())).confidence_interval(level)
    assert math.isclose(ours.low, theirs.low, abs_tol=1e-9) and math.isclose(ours.high, theirs.high, abs_tol=1e-9)


def test_only_shared_seeds_are_paired_whatever_their_order():
    a, b = {3: 98.3, 0: 98.0, 1: 98.1, 9: 0.0}, {1: 97.9, 0: 98.0, 3: 98.0, 5: 100.0}
    theirs = stats.ttest_rel([98.0, 98.1, 98.3], [98.0, 97.9, 98.0]).confidence_interval(0.95)
    ours = metrics.paired_difference(a, b)
    assert ours.n == 3 and math.isclose(ours.low, theirs.low) and math.isclose(ours.high, theirs.high)


def test_intervals_without_enough_seeds_say_so():
    one = metrics.paired_difference({0: 2.0}, {0: 1.0, 1: 5.0})
    assert (one.mean, one.low, one.high, one.n) == (1.0, -math.inf, math.inf, 1)
    none = metrics.paired_difference({0: 2.0}, {1: 1.0})
    assert math.isnan(none.mean) and none.n == 0
    same = metrics.paired_difference({0: 2.0, 1: 3.0}, {0: 1.5, 1: 2.5})
    assert (same.mean, same.low, same.high) == (0.5, 0.5, 0.5)
