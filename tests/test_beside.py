"""The paper's rows beside ours, on invented records."""

from dataclasses import replace

import invented
import pytest
from invented import unchecked  # noqa: F401

from snnlib.lab import records
from snnlib.lab.experiments import TABLES, arm_of
from snnlib.report import beside
from snnlib.report.results import Results

pytestmark = pytest.mark.usefixtures("unchecked")


def write(root, name, accuracies, network="mlp", removed=0.0):
    arm = arm_of(TABLES["1"], "paper", name, network)
    for seed, accuracy in enumerate(accuracies):
        record = invented.record(arm, seed, accuracy, profile="paper")
        record["result"] |= {"accuracy": accuracy, "removed_pct": removed}
        records.write(records.path_of(arm, "paper", seed, root), record)


@pytest.fixture
def results(tmp_path):
    return Results("1", "paper", tmp_path)


def test_a_table_holds_the_papers_rows_and_ours(results, tmp_path):
    write(tmp_path, "dense", (98.0, 98.1))
    found = beside.table(beside.rows(results, "mlp"), ("runs", "accuracy (%)", "removed (%)"))
    assert found.loc["paper, quoted: L0 (lambda sep.)", "removed (%)"] == "90.06"
    assert found.loc["paper: SNN", "runs"] == "8" and found.loc["ours: dense", "runs"] == "2"
    every = beside.table(beside.rows(results), ("runs",))
    assert "ours: perceptron, dense" in every.index and "paper: LeNet5-Caffe, SNN" in every.index


def test_where_all_rows_are_ours_it_is_not_said_of_each(results, tmp_path):
    write(tmp_path, "dense", (98.0, 98.1))
    ours = [row for row in beside.rows(results, "mlp") if row.source == "ours"]
    assert list(beside.table(ours, ("runs",)).index) == ["dense"]
    reduced = [replace(row, profile="quick") for row in ours]
    assert list(beside.table(reduced, ("runs",)).index) == ["ours, reduced: dense"]


def test_what_single_runs_remove_stands_beside_their_mean(results, tmp_path):
    write(tmp_path, "snn-al-epoch", (98.0, 98.1, 98.2), removed=12.3)
    found = beside.table(beside.rows(results, "mlp"), ("removed (%)",))
    assert found.loc["ours: SNN-AL, t counts epochs", "removed (%)"] == "12.30", "alike: no range"
    write(tmp_path, "snn-al-epoch", (98.0,), removed=72.3)
    found = beside.table(beside.rows(Results("1", "paper", tmp_path), "mlp"), ("removed (%)",))
    assert found.loc["ours: SNN-AL, t counts epochs", "removed (%)"].split() == ["32.30", "(12", "to", "72)"]
    assert found.loc["paper: SNN", "removed (%)"] == "74.61"


def test_a_table_without_our_rows_says_so(results):
    found = beside.table(beside.rows(results, "lenet5-caffe"), ("runs", "MACs"))
    assert found.index[-1] == "ours: not run yet" and len(found) == 6


@pytest.mark.parametrize(
    "ours, said",
    [
        ((98.5, 98.6, 98.71), "more accurate than the dense network"),
        ((97.5, 97.6, 97.71), "less accurate than the dense network"),
        ((98.0, 98.2, 98.1), "as accurate as the dense network, as far as 3 pairs of runs can tell"),
        ((98.5,), "as accurate as the dense network, as far as one pair of runs can tell"),
        ((), "**Perceptron**: no finished pair of runs yet; the paper prints +0.05"),
    ],
)
def test_what_came_out_is_said_in_a_line(results, tmp_path, ours, said):
    write(tmp_path, "dense", (98.0, 98.1, 98.2))
    write(tmp_path, "snn-al-epoch", ours, removed=12.34)
    line = beside.in_short(results, ["mlp"])
    assert said in line and "74.61 %" in line and line.endswith(".")
    assert ("12.3 % of its weights" in line) == bool(ours)


def test_settings_from_a_search_are_said_in_a_line(results, tmp_path):
    assert beside.of_search(results, ["mlp"]) == "No run of such settings yet."
    write(tmp_path, "tuned-dense", (98.0, 98.1))
    write(tmp_path, "accurate", (97.5, 97.7), removed=20.0)
    write(tmp_path, "front-656", (97.5, 97.6), removed=50.0)
    line = beside.of_search(results, ["mlp", "lenet5-caffe"])
    assert line.startswith("* **Perceptron**: accurate setting −0.45") and "\n" not in line
    assert line.endswith("points, 20.0 % of the weights removed.") and "50.0" not in line
    arm = arm_of(TABLES["1"], "paper", "accurate", "mlp")
    lost = invented.record(arm, 2, profile="paper", status="failed")
    records.write(records.path_of(arm, "paper", 2, tmp_path), lost)
    assert beside.of_search(Results("1", "paper", tmp_path), ["mlp"]).endswith("removed, 1 of 3 runs lost.")


def test_a_network_under_another_name_finds_its_row_in_the_paper():
    row = beside.printed("3", "mobilenet-v1-x1", "SNN")
    assert row is not None and row.acc_mean == 91.0
    assert beside.printed("3", "resnet34", "no such method") is None
