"""Whether the factors of neighbouring pixels are alike."""

import numpy as np
import pytest

from snnlib.report import neighbours


def run(factors, pixels="raster"):
    """A record as far as it is read here."""
    return {
        "arm": "invented",
        "seed": 0,
        "settings": {"train": {"pixels": pixels}},
        "images": {"shape": [1, 28, 28]},
        "result": {"gates": [np.asarray(factors).ravel().tolist()]},
    }


@pytest.fixture
def lines():
    """Factors that are equal along a line and drawn for each line."""
    return np.repeat(np.random.default_rng(0).random((28, 1)), 28, 1)


def test_lines_of_equal_factors_are_alike_along_the_line_only(lines):
    beside, above = neighbours.alike(run(lines))
    assert beside == pytest.approx(1) and abs(above) < 0.4
    assert neighbours.alike(run(lines.T))[1] == pytest.approx(1)


def test_a_transposed_run_is_counted_in_the_image_as_it_was(lines):
    assert neighbours.alike(run(lines, "transposed"))[1] == pytest.approx(1)


def test_the_table_leaves_out_what_tells_nothing(lines):
    found = neighbours.table(
        {"lines": {0: run(lines), 1: run(lines)}, "none": {}, "equal": {0: run(np.ones((28, 28)))}}
    )
    assert list(found.index) == ["lines"] and found.loc["lines", "n"] == "2"


def test_factors_drawn_one_by_one_are_not_alike():
    assert np.abs(neighbours.alike(run(np.random.default_rng(1).random((28, 28))))).max() < 0.15
