"""Tables of whole runs of training by turns, and of the search that chose the plain settings."""

from pathlib import Path

import invented
import numpy as np
import pytest
from invented import unchecked  # noqa: F401

from snnlib.lab import records
from snnlib.lab.experiments import TABLES, arm_of
from snnlib.lab.experiments.search import search
from snnlib.report import first_search, pages, turns
from snnlib.report.results import Results

pytestmark = pytest.mark.usefixtures("unchecked")
COMMITTED = Path(__file__).parents[1] / "data" / "records"


def write(root, name, gates, seed=0, **result):
    arm = arm_of(TABLES["2"], "paper", name)
    record = invented.record(arm, seed, profile="paper")
    record["result"] |= {"gates": [list(map(float, layer)) for layer in gates], **result}
    records.write(records.path_of(arm, "paper", seed, root), record)


def gates(pixels=1.0):
    return np.full(784, pixels), np.ones(300), np.full(100, 0.5)


def test_neurons_are_counted_by_class_and_averaged_over_runs(tmp_path):
    first, second = gates()[1].copy(), gates()[1].copy()
    first[:10], first[10:30], second[:20] = 0, 0.9, 0
    write(tmp_path, turns.BY_EPOCH, (gates()[0], first, gates()[2]))
    write(tmp_path, turns.BY_EPOCH, (gates()[0], second, gates()[2]), seed=1)
    found = turns.by_class(Results("2", "paper", tmp_path))
    assert len(found) == 3, "arms without runs are left out"
    assert found.loc["t counts epochs: hidden layer 1"].tolist() == ["15", "10", "275", "0.95"]
    assert found.loc["t counts epochs: hidden layer 2"].tolist() == ["0", "100", "0", "0.50"]


def test_regions_cover_the_image_once_and_silent_pixels_lie_at_its_edge():
    rows, columns, centre, silent, even, odd = turns.regions().values()
    assert (rows.astype(int) + columns + centre == 1).all() and (even ^ odd).all()
    assert [int(each.sum()) for each in (rows, columns, centre)] == [224, 160, 400]
    assert silent.sum() == 67 and not (silent & centre).any()


def test_pruned_pixels_are_counted_where_they_lie(tmp_path):
    image = np.ones((28, 28))
    image[:4], image[4:24, 4:24] = 0, 3
    write(tmp_path, turns.BY_STEP, (image.flatten(), *gates()[1:]))
    found = turns.by_region(Results("2", "paper", tmp_path))
    assert list(found) == ["pixels", "t counts steps"]
    shares = [cell.replace("\N{NO-BREAK SPACE}", " ") for cell in found["t counts steps"]]
    assert shares[:3] == ["50.0 %, 0.50", "0.0 %, 1.00", "0.0 %, 3.00"]
    assert shares[4].startswith("14.3 %") and shares[5].startswith("14.3 %")


def test_what_training_does_is_the_end_less_the_start(tmp_path):
    for seed, (start, end) in enumerate(((30.0, 10.0), (28.0, 12.0))):
        write(tmp_path, turns.BY_EPOCH, gates(), seed, start_removed_pct=start, removed_pct=end)
    write(tmp_path, turns.WIDER, gates(), start_removed_pct=30.0, first_turn_removed_pct=70.0, removed_pct=69.0)
    found = turns.from_start(Results("2", "paper", tmp_path))
    assert found.loc["t counts epochs"].tolist() == ["29.0", "", "11.0", "\N{MINUS SIGN}18.0"]
    assert found.loc["t counts epochs, FC std 0.1"].tolist() == ["30.0", "70.0", "69.0", "+39.0"]


@pytest.mark.parametrize("make", [turns.by_class, turns.by_region, turns.from_start])
def test_without_runs_a_table_says_so(make, tmp_path):
    assert make(Results("2", "paper", tmp_path)).iloc[0, 0] == pages.NO_RUNS


# --- the search


def search_record(root, name, seed, accuracy, removed, **changes):
    arm = next(arm for arm in search() if arm.name == name)
    record = invented.record(arm, seed, accuracy, profile="search", **changes)
    if record["result"]:
        record["result"]["removed_pct"] = removed
    records.write(records.path_of(arm, "search", seed, root), record)


def test_a_setting_is_told_by_what_differs_and_its_failures_are_counted(tmp_path):
    search_record(tmp_path, "base", 0, 96.0, 80.0)
    search_record(tmp_path, "base", 1, 10.0, 0.0, status="failed", error="the loss became nan", result=None)
    search_record(tmp_path, "scaled-mean-1-spread-1", 0, 98.0, 20.0)
    search_record(tmp_path, "scaled-mean-1-spread-1", 1, 97.0, 30.0)
    found = first_search.table(tmp_path)
    assert found.loc["1: fc std 0.1", ["finished", "failed", "weights removed (%)"]].tolist() == ["1", "1", "80.0"]
    assert found.loc["3: nothing: the default", ["finished", "failed", "held-out accuracy (%)"]].tolist() == [
        "2",
        "0",
        "97.50",
    ]
    alive = first_search.survivors(tmp_path)
    assert alive.loc["first convolution not scaled, both sides clipped"].tolist() == ["2", "1"]
    assert alive.loc["scaled, both sides clipped"].tolist() == ["2", "0"]
    assert list(first_search.leaders(tmp_path).index) == ["nothing: the default"], "the other lost a run"


def test_what_the_committed_search_says_of_lengths_and_leaders():
    lengths = first_search.lengths(COMMITTED)
    assert list(lengths.index) == ["8 epochs", "15 epochs", "30 epochs", "60 epochs"]
    leaders = first_search.leaders(COMMITTED)
    accuracies = leaders["held-out accuracy (%)"].astype(float)
    assert accuracies.is_monotonic_decreasing and "nothing: the default" in leaders.index
    removed = leaders["weights removed (%)"].astype(float)
    assert removed.iloc[-1] >= first_search.MOST_PCT and (removed >= first_search.LEAST_PCT).all()


@pytest.mark.parametrize(
    "make", [first_search.table, first_search.survivors, first_search.leaders, first_search.lengths]
)
def test_without_records_of_the_search_a_table_says_so(make, tmp_path):
    assert make(tmp_path).iloc[0, 0] == pages.NO_RUNS
