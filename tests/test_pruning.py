"""Shares of pruned neurons over the epochs, by hand."""

import matplotlib.pyplot as plt
import pytest

from snnlib.report import pages, pruning


def run_of(*pruned):
    return {
        "history": [{"epoch": epoch, "pruned": [off, 0]} for epoch, off in enumerate(pruned)],
        "result": {"full_widths": [6, 4]},
    }


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_a_share_is_of_all_switched_neurons():
    assert pruning.pruned_share(run_of(5, 1)) == [50.0, 10.0]


def test_means_are_taken_early_and_late():
    found = pruning.early_and_late({"a": {0: run_of(1, 2, 3, 4, 5, 6, 0), 1: run_of(3, 2)}, "b": {}})
    assert list(found.index) == ["a"] and list(found.loc["a"]) == ["2", "20", "40", "10"]
    assert pruning.early_and_late({"b": {}}).iloc[0, 0] == pages.NO_RUNS


def test_a_panel_has_a_line_a_seed():
    figure = pruning.over_epochs({"a": {0: run_of(1, 2), 1: run_of(3, 2)}, "b": {}, "c": {0: run_of(1, 1)}})
    assert [len(axes.lines) for axes in figure.axes] == [2, 1]
    assert figure.axes[0].lines[1].get_ydata().tolist() == [30.0, 20.0]
    assert pruning.over_epochs({"b": {}}).axes[0].texts
