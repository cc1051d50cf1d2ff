"""What a page says of the scale of its runs."""

import invented
import pytest
from invented import unchecked  # noqa: F401

from snnlib.lab import records
from snnlib.lab.experiments import TABLES, arm_of
from snnlib.report import scale
from snnlib.report.results import Results

pytestmark = pytest.mark.usefixtures("unchecked")


def write(root, profile, seeds=1):
    arm = arm_of(TABLES["3"], profile, "snn-al-epoch", "vgg-cov2")
    for seed in range(seeds):
        records.write(records.path_of(arm, profile, seed, root), invented.record(arm, seed, profile=profile))


def test_a_page_shows_what_there_is(tmp_path):
    assert scale.shown(["3", "4"], "paper", tmp_path) == "paper"
    write(tmp_path, "quick")
    assert scale.shown(["4", "3"], "paper", tmp_path) == "quick"
    write(tmp_path, "paper")
    assert scale.shown(["3"], "paper", tmp_path) == "paper"


def test_reduced_runs_decide_nothing_and_missing_ones_are_counted(tmp_path):
    bare = Results("3", "paper", tmp_path)
    assert f"Of {len(bare.entries)} runs of the full protocol (profile *paper*) none is recorded" in scale.in_short(
        bare
    )
    assert "hold the paper's rows alone" in scale.in_short(Results("3", "quick", tmp_path))
    write(tmp_path, "quick", 2)
    said = scale.in_short(Results("3", "quick", tmp_path))
    assert "2 runs of the profile *quick* (three seeds" in said and "decide nothing" in said
    write(tmp_path, "paper", 2)
    assert "2 are recorded" in scale.in_short(Results("3", "paper", tmp_path))


def test_the_scale_of_each_network_is_told(tmp_path):
    write(tmp_path, "quick", 2)
    results = Results("3", "quick", tmp_path)
    found = scale.table(results, ["vgg-cov2", "resnet34", "no network"], 50_000)
    assert found.loc["VGG-cov2"].tolist() == ["2 of 9", "5,000", "6"] and len(found) == 2


def test_a_run_that_broke_off_is_named_beside_the_means(tmp_path):
    for name in ("dense", "snn-al-epoch"):
        arm = arm_of(TABLES["3"], "paper", name, "vgg-cov2")
        for seed in range(3):
            found = invented.record(arm, seed, profile="paper")
            records.write(records.path_of(arm, "paper", seed, tmp_path), found)
    assert scale.outcomes(Results("3", "paper", tmp_path)).endswith("of its weights are removed.")
    died = {"status": "failed", "result": None, "error": {"message": "died", "type": "DivergenceError"}}
    records.write(records.path_of(arm, "paper", 2, tmp_path), found | died)
    said = scale.outcomes(Results("3", "paper", tmp_path))
    assert "in pairs of runs" in said and "(n = 2)" in said and "One more run with its switcher broke off" in said
    records.write(records.path_of(arm, "paper", 1, tmp_path), invented.record(arm, 1, 10.0, profile="paper"))
    assert "1 of these 2 ended at guessing." in scale.outcomes(Results("3", "paper", tmp_path))


def test_the_price_of_fewer_steps_stands_between_two_differences(tmp_path):
    levels = {"snn-al-epoch": 74.0, "dense": 78.0, "dense-equal-steps": 77.0}
    for name, level in levels.items():
        assert scale.fewer_steps(Results("3", "paper", tmp_path)) == "No network has these runs yet."
        arm = arm_of(TABLES["3"], "paper", name, "vgg-cov2")
        for seed in range(3):
            found = invented.record(arm, seed, level + seed / 10, profile="paper")
            records.write(records.path_of(arm, "paper", seed, tmp_path), found)
    said = scale.fewer_steps(Results("3", "paper", tmp_path))
    assert said.startswith("* **VGG-cov2**: with as many steps in all −4.00") and said.count("\n") == 0
    assert "with as many steps of the task network −3.00" in said and said.count("(n = 3)") == 2


def test_runs_that_remove_least_come_first_each_beside_the_dense_run_of_its_seed(tmp_path):
    for name, level in (("dense", 80.0), ("snn-al-epoch", 75.0)):
        arm = arm_of(TABLES["3"], "paper", name, "mobilenet-v1-x0.25")
        for seed in range(3 if name == "snn-al-epoch" else 2):
            found = invented.record(arm, seed, level - seed, profile="paper")
            found["result"]["removed_pct"] = 50.0 - 25 * seed
            records.write(records.path_of(arm, "paper", seed, tmp_path), found)
    found = scale.by_seed(Results("3", "paper", tmp_path), "mobilenet-v1-x0.25")
    assert found.index.tolist() == ["seed 2", "seed 1", "seed 0"]
    assert found["minus dense"].tolist() == ["", "\N{MINUS SIGN}5.00", "\N{MINUS SIGN}5.00"]
    assert found["removed (%)"].tolist() == ["0.0", "25.0", "50.0"]
