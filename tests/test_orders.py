"""The open question's versions, and the ink of digits."""

import invented
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch
from invented import unchecked  # noqa: F401

from snnlib.data import Dataset
from snnlib.lab import records
from snnlib.lab.experiments import TABLES, arm_of
from snnlib.report import ink, orders
from snnlib.report.results import Results

pytestmark = pytest.mark.usefixtures("unchecked")


def write(root, name, rows, seeds=2):
    """Runs that prune the top ``rows`` lines of what they were shown."""
    arm = arm_of(TABLES["question"], "paper", name)
    for seed in range(seeds):
        factors = np.ones((28, 28))
        factors[:rows] = 0
        record = invented.record(arm, seed, profile="paper", images={"shape": [1, 28, 28], "classes": 10})
        record["result"]["gates"] = [factors.flatten().tolist(), [1.0] * 300, [1.0] * 100]
        records.write(records.path_of(arm, "paper", seed, root), record)


def test_every_version_has_its_runs(tmp_path):
    write(tmp_path, "snn-al-std-0.1", 4)
    write(tmp_path, "transposed-std-0.1", 4)
    write(tmp_path, "snn-al-epoch", 1, seeds=1)
    results = Results("question", "paper", tmp_path)
    assert [len(runs) for runs in orders.plain(results).values()] == [2, 2, 0, 0]
    assert [len(runs) for runs in orders.plain(results, "0.01").values()] == [1, 0, 0, 0]
    assert [len(straight) for straight, _ in orders.turned(results).values()] == [2, 0, 1]
    assert set(map(len, orders.deep(results).values())) == {0}
    assert next(iter(orders.varied(results))) == "nothing changed" and "no weight decay" in orders.varied(results)
    assert len(orders.pruned(orders.plain(results)).axes) == 7, "two panels of three, and a scale"
    plt.close("all")


def test_the_outcome_in_short_divides_the_contrast(tmp_path):
    write(tmp_path, "snn-al-std-0.1", 4)
    write(tmp_path, "transposed-std-0.1", 4)
    first, second = orders.in_short(Results("question", "paper", tmp_path)).splitlines()
    assert "than the sides by +50.0" in first and "Of this +50.0" in first and "+0.0" in first
    assert second == "* **Where the pattern shows best**: no finished runs yet."


def test_contrasts_of_trials_are_given_as_a_range():
    trials = pd.DataFrame(
        {
            "state": ["finished"] * 3 + ["failed"],
            "rung": 1,
            "accuracy": [98, 97, 50, 99],
            "rows_off": [10, 4, 0, 0],
            "columns_off": [5, 5, 0, 9],
        }
    )
    assert orders.of_trials(trials).iloc[0].tolist() == ["2", "\N{MINUS SIGN}1.0", "+2.0", "+5.0"]
    assert orders.of_trials(trials[:0]).iloc[0, 0] == "No trials yet."


def test_candidates_without_runs_are_said_to_be_missing(tmp_path):
    assert orders.candidates(Results("pattern", "search", tmp_path)).iloc[0, 0] == "No finished runs yet."


def test_ink_is_counted_by_region_and_held_against_factors():
    images = torch.zeros(4, 1, 28, 28, dtype=torch.uint8)
    images[:2, :, :4] = 255
    labels = torch.zeros(4, dtype=torch.long)
    lit = ink.lit(Dataset("a", images, labels, images, labels, ("one",)))
    found = ink.regions(lit)
    assert found["lit on average (%)"].tolist() == ["25.00", "0.00", "0.00"] and found.iloc[0, 0] == "160"
    factors = np.where(lit > 0, 2.0, 0.0)
    run = {
        "arm": "a",
        "seed": 0,
        "settings": {"train": {}},
        "images": {"shape": [1, 28, 28]},
        "result": {"gates": [factors.flatten().tolist()]},
    }
    assert ink.followed({"a": {0: run}, "b": {}}, lit).loc["a"].tolist() == ["1", "+1.00"]
