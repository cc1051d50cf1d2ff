"""Metrics on published figures, on networks small enough to count by hand, and against scipy."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from snnlib import metrics

TABLES = Path(__file__).parents[1] / "data" / "paper" / "tables.csv"

DEVIATIONS = {"L0 (lambda sep.)": 89.99, "NestedNet (H)": 0.37, "Lottery Ticket": 61.33}
"""Where a printed percentage does not follow from the printed widths, and what does follow."""
DEVIATIONS_BY_NETWORK = {("MobileNetV1 (x0.25)", "SNN", "CIFAR10"): 42.97}


def published():
    """(row, full widths) of every printed row whose counted layers are fully connected."""
    with TABLES.open() as file:
        rows = list(csv.DictReader(file))
    full = {(row["dataset"], row["network"]): row["widths"] for row in rows if row["method"] == "baseline"}
    connected = [row for row in rows if row["pruned_pct"] and row["widths"] and (row["network"] == "MLP" or row["counted_layers"] == "fc")]
    return [(row, full[row["dataset"], row["network"]]) for row in connected]


def widths_of(text):
    return [int(width) for width in text.split("-")]


def test_weights_and_share_of_the_published_mlp():
    assert metrics.weight_count((784, 300, 100)) == 266_200
    assert round(metrics.removed_pct((784, 300, 100), (456, 134, 45)), 2) == 74.61


@pytest.mark.parametrize("row, full", published(), ids=lambda value: value["network"] + " " + value["method"] if isinstance(value, dict) else None)
def test_every_printed_percentage_of_fully_connected_layers(row, full):
    outputs = 100 if row["dataset"] == "Mini-ImageNet" else 10
    printed = float(row["pruned_pct"])
    follows = DEVIATIONS.get(row["method"], DEVIATIONS_BY_NETWORK.get((row["network"], row["method"], row["dataset"]), printed))
    assert abs(metrics.removed_pct(widths_of(full), widths_of(row["widths"]), outputs) - follows) <= 0.0051


def test_the_printed_rows_are_all_there():
    rows = published()
    assert sum(row["network"] == "MLP" for row, _ in rows) == 6 and len(rows) == 16


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


@pytest.mark.parametrize("gates, weights, expected", [
    ([[1, 0, 1], [1, 1, 0]], [ALL, ALL], [2, 2]),
    # hidden neuron 0 reads only pixel 1, which is pruned: a constant
    ([[1, 0, 1], [1, 1, 1]], [np.array([[0, 1, 1], [1, 1, 1], [0, 1, 1]]), ALL], [2, 2]),
    # hidden neuron 2 feeds no class, and pixel 2 feeds only hidden neuron 2
    ([[1, 1, 1], [1, 1, 1]], [np.array([[1, 1, 1], [1, 1, 1], [0, 0, 1]]), np.array([[1, 1], [1, 1], [0, 0]])], [2, 2]),
    # a whole layer pruned: nothing matters
    ([[1, 1, 1], [0, 0, 0], [1, 1, 1]], [ALL, ALL, ALL], [0, 0, 0]),
    # a chain of dead ends: the last hidden layer's only living neuron reads nothing that pixels reach
    ([[1, 1], [1, 1], [0, 1]], [np.array([[1, 0], [1, 0]]), np.array([[1, 0], [0, 1]]), np.ones((2, 2))], [0, 0, 0]),
    ([[0.5, 0.0]], [np.ones((2, 1))], [1]),
])
def test_effective_widths_follow_dead_ends_through(gates, weights, expected):
    assert metrics.effective_widths(gates, weights) == expected


def test_class_that_nothing_feeds_keeps_no_neuron_alive():
    assert metrics.effective_widths([[1, 1]], [np.array([[1, 0], [0, 0]])]) == [1]


def test_ratios():
    assert metrics.compression_ratio(266_200, 66_550) == 4 and metrics.speed_up(10, 5) == 2
    assert metrics.compression_ratio(10, 0) == math.inf


@settings(deadline=None, max_examples=40)
@given(values=st.lists(st.tuples(st.floats(90, 100), st.floats(90, 100)), min_size=2, max_size=9), level=st.sampled_from([0.9, 0.95]))
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
