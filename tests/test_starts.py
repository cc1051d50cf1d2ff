"""Where a compression starts: the factors before training, and what is removed in the end."""

import invented
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from invented import few_epochs, unchecked  # noqa: F401

from snnlib.lab import records
from snnlib.lab.building import build_network, wrap
from snnlib.lab.experiments import TABLES, arm_of
from snnlib.report import scale, starts
from snnlib.report.results import Results

pytestmark = pytest.mark.usefixtures("unchecked")


def write(root, table, network, removed, seeds=3):
    arm = arm_of(TABLES[table], "paper", scale.SNN, network)
    for seed in range(seeds):
        record = invented.record(arm, seed, profile="paper")
        record["result"] |= {"removed_pct": removed + seed, "gates": [[0.0, 0.5, 1.0, 2.0]]}
        records.write(records.path_of(arm, "paper", seed, root), record)


@pytest.fixture
def results(tmp_path):
    return {table: Results(table, "paper", tmp_path) for table in ("3", "4")}


def test_the_start_is_that_of_a_run():
    arm = arm_of(TABLES["3"], "paper", scale.SNN, "mobilenet-v1-x0.25")
    network = build_network(arm, 5, torch.device("cpu"), (3, 32, 32))
    with torch.no_grad():
        gates = wrap(arm, network, 5).gates()
    assert np.allclose(starts.before_training("3", "mobilenet-v1-x0.25", 5), gates[-1], atol=1e-5)


def test_the_spread_over_seeds_is_told():
    found = starts.spread({"a": [np.array([0.0, 1, 1, 1]), np.array([0.0, 0, 1, 1])]})
    assert found.loc["a"].tolist() == ["4", "37.5 ±\N{NO-BREAK SPACE}17.7", "25.0 to 50.0", "25.0"]


def test_four_networks_are_compared_with_the_paper(results, tmp_path):
    write(tmp_path, "3", "resnet34", 50.0)
    write(tmp_path, "4", "resnet34", 30.0)
    found = starts.harder_and_simpler(results)
    assert found["paper"].tolist() == ["+25.20", "+22.56", "", "+8.89", "+6.25"]
    assert found.iloc[0]["n"] == "3" and found.iloc[0]["ours [95 %]"].startswith("+20.00")
    assert set(found["ours [95 %]"][1:]) == {"no pairs yet"}


@pytest.mark.usefixtures("few_epochs")
def test_in_the_profile_whole_the_tuned_arm_is_meant(tmp_path):
    arm = arm_of(TABLES["3"], "whole", "accurate", starts.SMALL)
    record = invented.record(arm, 0, profile="whole")
    record["result"] |= {"start_removed_pct": 25.0, "gates": [[0.0, 0.5, 1.0, 2.0]]}
    records.write(records.path_of(arm, "whole", 0, tmp_path), record)
    results = {table: Results(table, "whole", tmp_path) for table in ("3", "4")}
    found = starts.classes(results, (starts.SMALL,))
    assert found.loc["MobileNetV1 x0.25, CIFAR-10"].tolist() == ["1", "25.0", "25.0", "25.0", "50.0"]
    assert "MobileNetV1 x0.25" in starts.after_training(results, (starts.SMALL,)).axes[0].get_title("left")
    assert (
        f"1 of {len(results['3'].entries)} runs of which" in scale.in_short(results["3"])
        and scale.arm(results["3"], "dense") == "tuned-dense"
    )
    assert scale.outcomes(results["3"]) == "", "there is no pair yet"
    for seed, accuracy in enumerate((80.0, 82.0)):
        for name, less in (("tuned-dense", 0.0), ("accurate", 10.0)):
            arm = arm_of(TABLES["3"], "whole", name, starts.SMALL)
            record = invented.record(arm, seed, accuracy - less, profile="whole")
            record["result"]["removed_pct"] = 20.0
            records.write(records.path_of(arm, "whole", seed, tmp_path), record)
    said = scale.outcomes(Results("3", "whole", tmp_path))
    first = "* **MobileNetV1 x0.25**: 71.00 % with its switcher and 81.00 % alone in pairs of runs, "
    assert said.startswith(first + "\N{MINUS SIGN}10.00")
    assert said.endswith("points (n = 2); 20.0 % (20 to 20) of its last layer's weights are removed.")
    plt.close("all")


def test_classes_stand_beside_the_start(results, tmp_path):
    assert starts.classes(results, ("resnet34",)).iloc[0, 0] == "No finished runs yet."
    assert starts.after_training(results, ("resnet34",)).axes[0].texts
    write(tmp_path, "3", "resnet34", 50.0, seeds=1)
    fresh = {table: Results(table, "paper", tmp_path) for table in ("3", "4")}
    found = starts.classes(fresh, ("resnet34",))
    assert list(found.index) == ["ResNet34, CIFAR-10"] and found.iloc[0, 2:].tolist() == ["25.0", "25.0", "50.0"]
    assert "ResNet34, CIFAR-10" in starts.after_training(fresh, ("resnet34",)).axes[0].get_title("left")
    plt.close("all")


def test_tasks_differ_in_more_than_their_difficulty():
    found = starts.tasks()
    assert found.loc["ResNet34, CIFAR-10", "images of each"] == "5,000"
    assert found.loc["MobileNetV1, Mini-ImageNet", ["classes", "last layer"]].tolist() == ["100", "102,400"]
