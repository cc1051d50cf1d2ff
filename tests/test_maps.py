"""Maps of a first convolution, of pixels, and of settings: what they measure is what records and networks hold."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from snnlib import seeds
from snnlib.arms import Arm
from snnlib.lab.records import Entry
from snnlib.networks import MLP, lenet5_caffe, vgg_cov2
from snnlib.report import feature_maps, maps, style


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.mark.parametrize("network, shape", [(lenet5_caffe, (1, 28, 28)), (vgg_cov2, (3, 32, 32))])
def test_maps_are_those_that_the_network_multiplies_with_factors(network, shape):
    network = network(generator=seeds.generator(0, "network")).eval()
    images = torch.rand(2, *shape, generator=torch.Generator().manual_seed(0))
    found, seen = feature_maps.first_maps(network, images), []
    network.convolutions[1].register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    with torch.no_grad():
        network(images)
    maps_ = torch.from_numpy(found)
    expected = torch.nn.functional.max_pool2d(maps_, 2) if network.plan[0].pool else maps_
    assert torch.equal(seen[0], expected) and found.min() == 0.0


def test_a_network_without_switched_convolutions_has_no_such_maps():
    with pytest.raises(ValueError, match="MLP has no switched convolution.*LeNet5-Caffe"):
        feature_maps.first_maps(MLP((4, 3, 2)), torch.zeros(1, 4))


def test_the_first_image_of_each_class_is_found():
    assert feature_maps.one_of_each([2, 0, 2, 1, 0]) == [1, 3, 0]


def test_a_map_that_a_kept_kernel_repeats_is_redundant_and_one_that_none_resembles_is_not():
    generator = np.random.default_rng(0)
    base, other = generator.random((5, 40, 40)), generator.random((5, 40, 40))
    stack = np.stack([base, 3 * base + 1, other, -other], axis=1)
    assert feature_maps.redundancy(stack, [True] * 4) == pytest.approx([1.0] * 4)
    alone = feature_maps.redundancy(
        stack, [False, True, True, False]
    )  # 0 repeats 1, 3 mirrors 2; 1 and 2 have each other alone
    assert alone[[0, 3]] == pytest.approx([1.0, 1.0]) and (alone[[1, 2]] < 0.1).all()


def test_redundancy_has_no_number_where_there_is_nothing_to_compare():
    stack = np.random.default_rng(0).random((2, 3, 4, 4))
    stack[:, 1] = 0.5  # constant
    found = feature_maps.redundancy(stack, [True, True, False])
    assert np.isnan(found[:2]).all() and 0 <= found[2] <= 1
    assert np.isnan(feature_maps.redundancy(stack, [False] * 3)).all()
    with pytest.raises(ValueError, match="2 factors for the maps of 3 kernels"):
        feature_maps.redundancy(stack, [True, False])


def test_the_grid_has_a_column_a_kernel_in_the_order_of_the_factors():
    stack, factors = np.random.default_rng(0).random((2, 4, 5, 5)), [1.5, 0.0, 0.4, 0.0]
    figure = feature_maps.map_grid(stack, factors, np.zeros((2, 5, 5)), ["0", "1"])
    heads = figure.axes[1:5]
    assert [axes.get_title() for axes in heads] == ["1", "3", "2", "0"]
    assert [axes.texts[0].get_text() for axes in heads] == ["0", "0", "0.4", "1.5"]
    colours, norm = style.factor_colours(1.5)
    assert [axes.get_facecolor()[:3] for axes in heads] == [
        tuple(colours(norm(factor))[:3]) for factor in (0.0, 0.0, 0.4, 1.5)
    ]
    first = np.asarray(figure.axes[5 + 1].images[0].get_array())
    assert np.array_equal(first, stack[0, 1]), "the first column shows kernel 1, the first of those with factor 0"


@pytest.mark.parametrize("factors, names", [([1.0, 2.0], ["0", "1"]), ([1.0, 2.0, 0.0], ["0"])])
def test_a_grid_of_things_that_do_not_match_is_refused(factors, names):
    with pytest.raises(ValueError, match="they must match"):
        feature_maps.map_grid(np.zeros((2, 3, 4, 4)), factors, np.zeros((2, 4, 4)), names)


def test_shares_of_pixels_count_runs():
    runs = [np.array([[0.0, 0.5], [1.0, 2.0]]), np.array([[0.0, 1.0], [0.0, 0.2]])]
    assert maps.pruned_shares(runs).tolist() == [[100.0, 0.0], [50.0, 0.0]]
    assert maps.strengthened_shares(runs).tolist() == [[0.0, 50.0], [50.0, 50.0]]


@pytest.mark.parametrize("count", [1, 2, 4])
def test_maps_of_pixels_are_square_and_their_bars_the_means_of_rows_and_columns(count):
    share = np.arange(784.0).reshape(28, 28) / 7.83
    figure = maps.pixel_shares({f"panel {index}": share for index in range(count)}, "strengthened")
    image, by_column, by_row = figure.axes[:3]
    width, height = (
        image.get_position().bounds[part] * figure.get_size_inches()[side] for part, side in ((2, 0), (3, 1))
    )
    assert width == pytest.approx(height, rel=0.02)
    assert [bar.get_height() for bar in by_column.patches] == pytest.approx(share.mean(0).tolist())
    assert [bar.get_width() for bar in by_row.patches] == pytest.approx(share.mean(1).tolist())
    assert image.get_position().bounds[3] == pytest.approx(by_row.get_position().bounds[3]), (
        "bars stand beside their rows"
    )
    assert figure.axes[-1].get_ylabel() == "strengthened (% of runs)"


def entry(state, accuracy=None, widths=(4, 2), error=None):
    record = {"status": "failed" if error else "finished", "error": error and {"type": error}}
    record["result"] = None if error else {"accuracy": accuracy, "widths": widths, "full_widths": (8, 4)}
    return Entry(Arm("x", "dense"), "map", 0, Path("x"), state, None if state in ("missing", "broken") else record)


def test_a_cell_counts_runs_that_break_and_takes_means_of_those_that_finish():
    runs = [
        entry("recorded", 90.0, (8, 4)),
        entry("recorded", 10.0, (2, 1)),
        entry("failed", error="DivergenceError"),
        entry("failed", error="DeadLayerError"),
    ]
    found = maps.cell([*runs, entry("missing"), entry("stale", 99.0)])
    assert (found.runs, found.diverged, found.dead, found.untrained) == (4, 25.0, 25.0, 25.0)
    assert (found.left, found.accuracy) == (pytest.approx((100 + 25) / 2), 50.0)
    none = maps.cell([entry("missing")])
    assert none.runs == 0 and all(
        np.isnan(value) for value in (none.diverged, none.dead, none.untrained, none.left, none.accuracy)
    )
    failed = maps.cell(runs[2:])
    assert (failed.diverged, failed.dead, failed.untrained) == (50.0, 50.0, 0.0) and np.isnan(failed.accuracy)


def test_the_map_of_settings_prints_each_number_in_its_place():
    cells = {
        ("by epoch", row, column): maps.Cell(3, 0.0, 10.0 * y, 0.0, 50.0, 90.0 + x)
        for y, row in enumerate("ab")
        for x, column in enumerate("pq")
    }
    figure = maps.settings_map(cells, "rows", "columns")
    dead = next(axes for axes in figure.axes if "layer died" in axes.get_title(loc="left"))
    assert {text.get_position(): text.get_text() for text in dead.texts} == {
        (0, 0): "0",
        (1, 0): "0",
        (0, 1): "10",
        (1, 1): "10",
    }
    accuracy = figure.axes[-1]
    assert [text.get_text() for text in accuracy.texts] == ["90.0", "91.0", "90.0", "91.0"]


def test_a_map_without_runs_is_refused():
    with pytest.raises(ValueError, match="none of these settings has a record"):
        maps.settings_map({("a", "b", "c"): maps.cell([])}, "rows", "columns")
