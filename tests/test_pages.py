"""What a page shows where nothing, or not everything, is recorded."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from snnlib.report import pages


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_a_table_without_rows_says_what_is_missing():
    assert pages.table({}).iloc[0, 0] == pages.NO_RUNS
    assert pages.table({}, "no pairs").iloc[0, 0] == "no pairs"


def test_a_table_has_a_row_a_title_and_no_holes():
    found = pages.table({"a": {"n": 8, "mean": "1"}, "b": {"n": 7}})
    assert list(found.index) == ["a", "b"] and found.loc["a", "n"] == "8" and found.loc["b", "mean"] == ""


def test_an_interval_and_a_deviation_may_stand_on_a_second_line():
    space = "\N{NO-BREAK SPACE}"
    found = pages.table({"a": {"x": f"+1{space}[0,{space}2]", "y": f"5{space}±{space}1"}}).loc["a"]
    assert found["x"] == f"+1 [0,{space}2]" and found["y"] == f"5 ±{space}1"


def test_differences_are_drawn_of_pairs_that_share_a_seed():
    figure = pages.differences({"a": ({0: 1.0, 1: 2.0}, {0: 0.5, 1: 1.0}), "b": ({0: 1.0}, {1: 1.0})}, "points")
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["a"]
    assert (
        "share a finished seed" in pages.differences({"b": ({0: 1.0}, {1: 1.0})}, "points").axes[0].texts[0].get_text()
    )


def test_curves_are_drawn_of_what_has_runs():
    run = {"history": [{"accuracy": 0.5}, {"accuracy": 0.6}], "settings": {"train": {"split": "full"}}}
    assert "a (n = 1)" in str(pages.curves({"a": {0: run}, "b": {}}).axes[0].lines[0].get_label())
    assert pages.curves({"b": {}}).axes[0].texts[0].get_text() == pages.NO_RUNS


def test_the_pixels_shown_are_those_of_the_lowest_seeds_in_shared_colours():
    runs = {seed: {"result": {"gates": [[float(seed)] * 784]}} for seed in (3, 1)}
    first, second, _ = pages.pixels({"An arm": runs, "empty": {}, "another": {5: runs[3]}}).axes
    assert first.get_title(loc="left") == "An arm, seed 1" and set(np.ravel(first.images[0].get_array())) == {1.0}
    assert second.get_title(loc="left") == "another, seed 5" and set(np.ravel(second.images[0].get_array())) == {3.0}
    assert first.images[0].norm is second.images[0].norm
    assert "No finished runs" in pages.pixels({"empty": {}}).axes[0].texts[0].get_text()
