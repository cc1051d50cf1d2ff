"""The tables of the controls, on invented records: which lived, which are told apart, and what is missing."""

import invented
import matplotlib.pyplot as plt
import numpy as np
import pytest
from invented import unchecked  # noqa: F401

from snnlib.lab import records
from snnlib.lab.experiments import TABLES, arm_of
from snnlib.report import controls
from snnlib.report.results import Results

pytestmark = pytest.mark.usefixtures("unchecked")
NOISE = np.linspace(-0.1, 0.1, 8)


def write(root, name, accuracies, failed=(), removed=20.0, off=None):
    arm = arm_of(TABLES["controls"], "paper", name)
    for seed, accuracy in enumerate(accuracies):
        record = invented.record(arm, seed, float(accuracy), profile="paper")
        record["result"] |= {"accuracy": float(accuracy), "removed_pct": removed}
        if off is not None:
            record["result"]["gates"] = [[float(row % 2 != off) for row in range(784)], [1.0] * 300, [1.0] * 100]
        if seed in failed:
            record |= {"status": "failed", "result": None, "error": {"message": "died", "type": "DeadLayerError"}}
        records.write(records.path_of(arm, "paper", seed, root), record)


@pytest.fixture
def results(tmp_path):
    write(tmp_path, "snn-al-epoch", 97 + NOISE)
    write(tmp_path, "fed-noise", 98 + NOISE**2, removed=10.0)
    write(tmp_path, "fed-constants", 90 + NOISE**2)
    write(tmp_path, "fed-shuffled", 97 + NOISE**2, failed=(0,))
    write(tmp_path, "random", (97 + NOISE + 0.01 * NOISE[::-1])[:5])
    return Results("controls", "paper", tmp_path)


def test_controls_are_told_apart_only_with_enough_pairs(results):
    found = controls.compared(results, "snn-al-epoch")
    assert found["accuracy is"].to_dict() == {
        "switcher fed constants": "worse",
        "switcher fed fixed noise": "better",
        "switcher fed shuffled rows": "not told apart",
        "pruned at random": "5 of 8 pairs",
    }
    assert found.loc["switcher fed shuffled rows", "lived"].split() == ["7", "of", "8"]
    assert found.loc["switcher fed fixed noise", "removed"].startswith("\N{MINUS SIGN}10.0")


def test_choices_of_neurons_are_held_against_chance_at_the_same_widths(results, tmp_path):
    assert "Not run yet." in controls.which_neurons(results).iloc[0, 0]
    write(tmp_path, "norm-clipped-std-0.1", 97.5 + NOISE)
    write(tmp_path, "random-clipped-std-0.1", 97.25 + NOISE)
    write(tmp_path, "small-scratch", 97.0 + NOISE)
    write(tmp_path, "small-random-scratch", 97.5 + NOISE)
    found = controls.which_neurons(Results("controls", "paper", tmp_path))["accuracy"]
    assert found.index.tolist() == [
        "std 0.1: by norm minus at random, trained on",
        "small search: SNN-AL's minus at random, from scratch",
    ]
    assert found.iloc[0].startswith("+0.25") and found.iloc[1].startswith("\N{MINUS SIGN}0.50")


def test_the_outcome_in_short_counts_what_is_better_worse_and_missing(results, tmp_path):
    said = controls.in_short(results).splitlines()
    assert len(said) == 2 and "standard deviation 0.01, of 7 controls 1 came out more accurate than SNN-AL" in said[0]
    assert "1 less accurate, and 1 could not be told from it" in said[0]
    assert said[0].endswith("For 4 of them there are too few runs to say.")
    bare = controls.in_short(Results("controls", "paper", tmp_path / "none"))
    assert bare.count("For 7 of them") == 2 and bare.count("none came out more accurate") == 2


def test_every_mean_has_a_mark(results, tmp_path):
    figure = controls.plane(results)
    assert len(figure.axes[0].containers) == 5 and not figure.axes[1].containers
    assert controls.plane(Results("controls", "paper", tmp_path / "none")).axes[0].texts
    plt.close("all")


def test_parity_is_a_matter_of_the_decoder(tmp_path):
    write(tmp_path, "snn-al-epoch", (97.0, 97.0), off=1)
    write(tmp_path, "resize", (97.0,), off=0)
    found = controls.parity(Results("controls", "paper", tmp_path))
    assert found["size"].to_dict() == {
        "std 0.01: transposed, a bias for each tap": "100.0",
        "std 0.01: resize and convolve": "100.0",
    }
    assert found.iloc[0]["odd minus even [95 %]"].startswith("+100") and found.iloc[1, 1] == "\N{MINUS SIGN}100.0"


def test_searches_and_tuned_widths_that_were_not_run_are_said_to_be_missing(results, tmp_path):
    assert (
        controls.small_searches(results).iloc[0, 0] == "No finished runs of the settings that the small searches chose."
    )
    assert controls.widths_of_tuned(results).iloc[0, 0] == "Not run yet."
    write(tmp_path, "sparse", 97 + NOISE)
    write(tmp_path, "sparse-random", 96 + NOISE**2)
    found = controls.widths_of_tuned(Results("controls", "paper", tmp_path))
    assert found["accuracy is"].to_dict() == {"sparse: pruned at random": "worse"}
    write(tmp_path, "small", (97.0, 98.0, 96.0))
    small = controls.small_searches(Results("controls", "paper", tmp_path)).loc["SNN-AL"]
    assert small["accuracy (%)"].replace("\N{NO-BREAK SPACE}", " ") == "97.00 (96.0 to 98.0)"
