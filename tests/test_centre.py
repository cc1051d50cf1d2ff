"""Which pixels are strengthened, on invented factors."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from snnlib.report import centre, pages


def run_of(inside, outside, seed=0):
    factors = np.full((28, 28), float(outside))
    factors[7:21, 7:21] = inside
    return {
        "arm": "a",
        "seed": seed,
        "settings": {"train": {}},
        "images": {"shape": [1, 28, 28]},
        "result": {"gates": [factors.flatten().tolist()]},
    }


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_the_centre_is_held_against_the_rest():
    found = centre.table({"centre": {0: run_of(2, 0), 1: run_of(2, 0)}, "all": {0: run_of(1, 1)}, "none": {}})
    assert list(found.loc["centre"])[:3] == ["2", "25.0", "75.0"]
    assert found.loc["centre"].iloc[3].startswith("+100.0") and found.loc["all"].iloc[3] == "+0.0"
    assert centre.table({"none": {}}).iloc[0, 0] == pages.NO_RUNS


def test_maps_are_of_titles_with_runs():
    figure = centre.strengthened({"a": {0: run_of(2, 0), 1: run_of(0, 0)}, "b": {}})
    assert figure.axes[0].images[0].get_array()[14, 14] == 50.0
    assert centre.strengthened({"b": {}}).axes[0].texts
