"""Figures from records: what is drawn is what the records say, and a record that lacks it is named, with a remedy."""

import matplotlib
import numpy as np
import pytest
from matplotlib.collections import QuadMesh

from snnlib.report import figures, strips, style

matplotlib.use("Agg")
WIDTHS = (8, 6, 20, 10, 4)


def run_of(seed=0, epochs=3, accuracy=0.5, switcher=True, widths=WIDTHS, **changes):
    """A record of a short run: as much of it as a figure reads."""
    history = [{"epoch": epoch, "accuracy": accuracy + 0.01 * epoch} for epoch in range(epochs)]
    for row in history if switcher else []:
        pruned, strong = [row["epoch"] for _ in widths], [width // 2 for width in widths]
        row |= {
            "pruned": pruned,
            "strengthened": strong,
            "weakened": [w - p - s for w, p, s in zip(widths, pruned, strong)],
        }
    gates = [[0.0, *np.linspace(0.1, 2, width - 1)] for width in widths] if switcher else None
    return {
        "arm": "snn-al-epoch" if switcher else "dense",
        "seed": seed,
        "status": "finished",
        "history": history,
        "settings": {"train": {"split": "full"}},
        "result": {"accuracy": 100 * history[-1]["accuracy"] if history else None, "gates": gates},
        **changes,
    }


FAILED = run_of(1, epochs=1, status="failed", result=None)
BARE = {key: value for key, value in run_of(1).items() if key != "history"}


@pytest.fixture(autouse=True)
def closed():
    yield
    figures.plt.close("all")


# ---------------------------------------------------------------- counts over epochs


@pytest.mark.parametrize("layers, shape", [(1, (1, 1)), (3, (1, 3)), (5, (2, 3)), (7, (3, 3))])
def test_counts_have_a_panel_a_layer_and_three_a_line(layers, shape):
    widths = tuple(range(6, 6 + layers))
    figure = figures.counts_over_epochs(run_of(widths=widths))
    shown = [axes for axes in figure.axes if axes.axison]
    assert len(shown) == layers and shown[0].get_gridspec().get_geometry() == shape
    for axes, width in zip(shown, widths):
        heights = np.array([bar.get_height() for bar in axes.patches]).reshape(3, 3)  # (classes, epochs)
        assert heights.sum(0).tolist() == [width] * 3 and heights[0].tolist() == [0, 1, 2]
        assert f"({width})" in axes.get_title("left")
    lowest = shown[-min(layers, 3) :]
    assert {axes.get_xlabel() for axes in lowest} == {"epochs done"}


def test_one_layer_may_be_chosen_and_layers_named():
    names = [f"layer {letter}" for letter in "abcde"]
    figure = figures.counts_over_epochs(run_of(), names, [2])
    assert [axes.get_title("left") for axes in figure.axes] == ["layer c (20)"]
    assert figures.counts_over_epochs(run_of()).axes[1].get_title("left") == "hidden layer 1 (6)"
    with pytest.raises(ValueError, match="layers=\\[5\\].* 5 layers, from 0 to 4"):
        figures.counts_over_epochs(run_of(), names, [5])
    with pytest.raises(ValueError, match="names=\\['a'\\]"):
        figures.counts_over_epochs(run_of(), ["a"])


def test_no_text_of_five_panels_is_cut_off_or_runs_into_another():
    figure = figures.counts_over_epochs(
        run_of(widths=(64, 64, 16384, 256, 256)), ["conv. 1", "conv. 2", "FC 1", "FC 2", "FC 3"]
    )
    figure.draw_without_rendering()
    boxes = [axes._left_title.get_window_extent() for axes in figure.axes if axes.axison]
    assert all(figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1 for box in boxes)
    assert not any(a.overlaps(b) for index, a in enumerate(boxes) for b in boxes[:index])


# ---------------------------------------------------------------- accuracy over epochs


def test_curves_are_means_over_seeds_with_their_range():
    figure = figures.accuracy_over_epochs(
        {"ours": [run_of(0, accuracy=0.4), run_of(1, accuracy=0.5)], "theirs": [run_of(0, accuracy=0.6)]}
    )
    first, second = figure.axes[0].lines[:2]
    assert first.get_ydata() == pytest.approx([45, 46, 47]) and first.get_label() == "ours (n = 2)"
    assert second.get_ydata() == pytest.approx([60, 61, 62])
    shade = figure.axes[0].collections[0].get_paths()[0].vertices[:, 1]
    assert (shade.min(), shade.max()) == pytest.approx((40, 52))


@pytest.mark.parametrize("accuracy", [0.05, 0.3, 0.55, 0.75, 0.9, 0.97])
def test_the_axis_fits_its_curves_and_names_some_accuracies(accuracy):
    axes = figures.accuracy_over_epochs({"ours": [run_of(accuracy=accuracy)]}).axes[0]
    low, high = axes.get_ylim()
    assert low < 100 * accuracy + 1 and 100 * accuracy + 2 < high <= 99.2
    assert 2 <= sum(low <= tick <= high for tick in axes.get_yticks()) <= 12


# ---------------------------------------------------------------- records that lack what a figure needs


@pytest.mark.parametrize(
    "record, told",
    [
        (run_of(3, epochs=0), "'snn-al-epoch', seed 3, has no history.*run the arm again"),
        (BARE, "seed 1, has no history.*run the arm again"),
        (FAILED, "seed 1, failed.*leave it out"),
        (run_of(2, status="failed"), "seed 2, failed.*leave it out"),
    ],
)
def test_a_run_without_a_curve_is_named(record, told):
    with pytest.raises(ValueError, match=told):
        figures.counts_over_epochs(record)
    with pytest.raises(ValueError, match=told):
        figures.accuracy_over_epochs({"ours": [run_of(), record]})


def test_a_dense_run_has_no_counts_and_a_hand_made_one_no_accuracy():
    with pytest.raises(ValueError, match="'dense', seed 0, has no pruned.*an arm with a switcher"):
        figures.counts_over_epochs(run_of(switcher=False))
    with pytest.raises(ValueError, match="has no accuracy"):
        figures.accuracy_over_epochs({"ours": [run_of(history=[{"epoch": 0}])]})


def test_curves_of_different_length_are_not_averaged():
    with pytest.raises(ValueError, match="'ours' has runs of different length.*seed 0: 3, seed 1: 5.*same settings"):
        figures.accuracy_over_epochs({"ours": [run_of(0), run_of(1, epochs=5)]})
    figures.accuracy_over_epochs({"ours": [run_of(0)], "half as long": [run_of(0, epochs=2)]})


@pytest.mark.parametrize("given", [{}, {"ours": []}])
def test_no_runs_at_all_are_refused(given):
    with pytest.raises(ValueError, match="no runs to draw|or none"):
        figures.accuracy_over_epochs(given)


@pytest.mark.parametrize("gates", [None, [], [[]]])
def test_factors_that_are_not_there_are_refused(gates):
    with pytest.raises(ValueError, match="no factors to draw.*finished run with a switcher"):
        figures.factor_histogram(gates)
    with pytest.raises(ValueError, match="0 factors for 28 x 28 pixels of 'b'"):
        figures.pixel_factors({"a": [0.5] * 784, "b": gates})
    with pytest.raises(ValueError, match="no factors to draw"):
        figures.pixel_factors({})
    with pytest.raises(ValueError, match="no factors to draw for 'b'"):
        strips.factor_strips({"a": [0.5], "b": gates and gates[0]})


def test_as_many_factors_as_pixels_are_asked_for():
    with pytest.raises(ValueError, match="20 factors for 28 x 28 pixels"):
        figures.pixel_factors({"": run_of()["result"]["gates"][2]})


# ---------------------------------------------------------------- strips


@pytest.mark.parametrize("count, columns", [(1, 64), (64, 64), (70, 64), (10, 4)])
def test_a_strip_has_a_cell_a_neuron_in_their_order(count, columns):
    factors = np.linspace(0, 2, count)
    figure = strips.factor_strips({"a layer": factors}, columns)
    mesh = next(each for each in figure.axes[0].collections if isinstance(each, QuadMesh))
    cells = mesh.get_array()
    assert cells.shape == (-(-count // columns), columns) and cells.count() == count
    assert cells.compressed().tolist() == factors.tolist()


def test_strips_share_a_scale_and_count_their_classes():
    factors = [0.0, 0.0, 0.4, 0.999, 1.0, 3.5]
    assert strips.classes_of(factors) == {"pruned": 2, "weakened": 2, "strengthened": 2}
    figure = strips.factor_strips({"first": factors, "second": [0.2] * 9})
    assert [axes.get_title("left") for axes in figure.axes[:2]] == ["first", "second"]
    assert [axes.get_title("right") for axes in figure.axes[:2]] == [
        "2 pruned, 2 weakened, 2 strengthened of 6",
        "0 pruned, 9 weakened, 0 strengthened of 9",
    ]
    norms = {tuple(axes.collections[0].norm.boundaries) for axes in figure.axes[:2]}
    assert len(norms) == 1 and norms.pop()[-1] == pytest.approx(3.5, abs=0.01)


def test_a_shade_tells_the_class():
    colours, norm = style.factor_colours(2.0)
    below, weak, almost, strong, most = (colours(norm(value)) for value in (0.0, 1e-6, 0.999, 1.0, 2.0))
    assert matplotlib.colors.to_hex(below) == style.CLASS_COLOURS["pruned"]
    assert all(each[2] > each[0] for each in (weak, almost)) and all(each[0] > each[2] for each in (strong, most)), (
        "blue, then orange"
    )


def test_the_last_factors_are_those_of_the_last_layer():
    assert strips.last_factors(run_of()) == run_of()["result"]["gates"][-1]
    with pytest.raises(ValueError, match="'dense', seed 0, has no factors .it has no switcher"):
        strips.last_factors(run_of(switcher=False))
    with pytest.raises(ValueError, match="seed 1, has no factors .it failed.*finished run with a switcher"):
        strips.last_factors(FAILED)


def test_no_strip_is_refused():
    with pytest.raises(ValueError, match="no factors to draw: give"):
        strips.factor_strips({})


def test_an_arm_has_one_colour_in_every_figure_and_no_two_share_one():
    first = style.arm_colours(["SNN-AL, t counts epochs", "dense", "another", "a third"])
    second = style.arm_colours(["dense", "SNN-SL", "SNN-AL, t counts epochs"])
    assert first["dense"] == second["dense"] and first["SNN-AL, t counts epochs"] == second["SNN-AL, t counts epochs"]
    assert len(set(first.values())) == 4 and len(set(style.KNOWN.values())) == len(style.KNOWN) - 1
    assert set(style.KNOWN.values()) <= set(style.ARM_COLOURS)
