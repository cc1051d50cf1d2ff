"""The tables of the ablation, on invented records."""

import invented
import numpy as np
import pytest
from invented import unchecked  # noqa: F401

from snnlib.lab import records
from snnlib.lab.experiments import TABLES, arm_of
from snnlib.report import alternation
from snnlib.report.results import Results

pytestmark = pytest.mark.usefixtures("unchecked")
MINUS = "\N{MINUS SIGN}"


def write(root, name, accuracies, removed=0.0):
    arm = arm_of(TABLES["2"], "paper", name)
    for seed, accuracy in enumerate(accuracies):
        record = invented.record(arm, seed, accuracy, profile="paper")
        record["result"] |= {"accuracy": accuracy, "removed_pct": removed}
        records.write(records.path_of(arm, "paper", seed, root), record)


@pytest.fixture
def results(tmp_path):
    write(tmp_path, "dense", (98.0, 98.1, 98.2))
    write(tmp_path, "snn-sl", (97.0, 97.2, 97.1), removed=5)
    write(tmp_path, "snn-al-epoch", (98.0, 98.2, 98.1), removed=40)
    return Results("2", "paper", tmp_path)


def test_the_papers_table_stands_as_printed():
    found = alternation.printed_table()
    assert list(found.index) == ["paper, quoted: baseline", "paper: SNN-SL", "paper: SNN-AL"]
    assert found.loc["paper: SNN-AL", "removed (%)"] == "74.61"


def test_what_came_out_reads_well_either_way(results, tmp_path):
    said = alternation.in_short(results).splitlines()
    assert "SNN-AL is not to be told from the dense network in accuracy (+0.00" in said[0]
    assert "SNN-AL is more accurate than SNN-SL (+1.00" in said[1] and said[1].endswith("the paper prints +0.04.")
    assert (
        "40.0 % by SNN-AL (0.0 % before the first step) and 5.0 % by SNN-SL; the paper prints 74.6 % and 8.2 %."
        in said[2]
    )
    write(tmp_path, "snn-al-epoch", (90.0, 90.2, 90.1))
    assert "less accurate than the dense network" in alternation.in_short(Results("2", "paper", tmp_path))
    bare = alternation.in_short(Results("2", "paper", tmp_path / "none"))
    assert bare.count("(no finished pair of runs)") == 2 and bare.count("no finished run by") == 2


def test_quantities_lie_above_0_where_a_claim_is_true(results):
    found = alternation.quantities(results)
    assert found["paper"].tolist() == ["+0.05", "+0.04", "+66.38"]
    assert found.loc["removed: SNN-AL minus SNN-SL", "t counts epochs"].startswith("+35.00")
    assert set(found["t counts steps"]) == {"no pairs yet"}


def test_arms_are_compared_in_accuracy_and_in_what_they_remove(results, tmp_path):
    pairs = {"a": ("snn-sl", "snn-al-epoch"), "b": ("snn-al-step", "dense")}
    found = alternation.compared(results, pairs)
    assert list(found.index) == ["a"] and found.loc["a", "removed"].startswith(f"{MINUS}35.0")
    assert "No finished pairs" in alternation.compared(Results("2", "paper", tmp_path / "none")).iloc[0, 0]


def test_each_start_is_held_against_its_own_dense_network(results):
    found = alternation.by_start(results)
    assert found.loc["ours, std 0.01", "removed (%)"] == "40.0"
    assert found.loc["ours, std 0.1"].tolist() == ["no runs yet", ""]


def test_an_arm_has_settled_where_its_mean_stands_still(results):
    found = alternation.settled(results, {"dense": "Dense", "snn-al-cut": "Cut"})
    assert list(found.index) == ["Dense"] and found.loc["Dense"].tolist() == ["30", "6", "+0.00"]


def test_each_side_is_charged_with_what_its_epochs_change():
    ends = [(0.5, 9), (0.6, 8), (0.8, 4), (0.7, 10), (0.9, 2), (0.8, 6)]
    phases = ["switcher", "network"] * 3
    history = [{"accuracy": a, "pruned": [n, 1], "phase": phase} for (a, n), phase in zip(ends, phases)]
    run = {"history": history}
    assert alternation.changes(run, "switcher") == pytest.approx((20, -6))
    assert alternation.changes(run, "network") == pytest.approx((-10, 5))
    assert np.isnan(alternation.changes({"history": history[:2]}, "network")).all()


def test_the_sides_of_recorded_runs_make_a_table(results, tmp_path):
    assert "No finished runs" in alternation.by_side(results).iloc[0, 0], "these tell of no turns"
    for seed, record in results.runs("snn-al-epoch").items():
        record["history"] = [
            {"epoch": t, "phase": ("switcher", "network")[t % 2], "accuracy": 0.5 + 0.1 * (t % 2), "pruned": [t % 2]}
            for t in range(6)
        ]
        records.write(records.path_of(arm_of(TABLES["2"], "paper", "snn-al-epoch"), "paper", seed, tmp_path), record)
    found = alternation.by_side(Results("2", "paper", tmp_path))
    means = [text.split()[0] for text in found.iloc[0]]
    assert list(found.index) == ["SNN-AL"] and means == ["3", f"{MINUS}10.00", "+10.00", f"{MINUS}1.0", "+1.0"]
    assert "No finished runs" in alternation.by_side(Results("2", "paper", tmp_path / "none")).iloc[0, 0]
