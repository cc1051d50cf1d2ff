"""A run that is killed, or stopped, ends in the same record and the same weights as one left alone."""

import json
import subprocess
import sys
import time
from dataclasses import replace

import pytest
import tiny
import torch
from command_line import ENVIRONMENT, PROJECT

from snnlib import data
from snnlib.arms import Rival
from snnlib.lab import building, records, runner, underway

CPU = torch.device("cpu")


FORKS = pytest.mark.skipif(
    sys.platform != "linux",
    reason="forks a process that holds torch: Windows cannot, and macOS breaks Accelerate in it",
)


def killed(what, root):
    """What tests/killed.py reports."""
    words = [sys.executable, str(PROJECT / "tests" / "killed.py"), what, str(root)]
    ended = subprocess.run(
        words, cwd=PROJECT, env=ENVIRONMENT | {"PYTHONPATH": str(PROJECT)}, capture_output=True, text=True, timeout=900
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def assert_same_runs(root, other):
    """The same records and weights, bit by bit, below both folders; returns how many."""
    paths = sorted(path.relative_to(root) for path in root.rglob("seed-*.json"))
    assert paths == sorted(path.relative_to(other) for path in other.rglob("seed-*.json"))
    for path in paths:
        assert records.comparable(records.read(root / path)) == records.comparable(records.read(other / path))
        weights = records.weights_path(path)
        assert (root / weights).read_bytes() == (other / weights).read_bytes()
    return len(paths)


@pytest.fixture(scope="module")
def images():
    whole = data.load("mnist").first(256)
    return replace(whole, x_test=whole.x_test[:100], y_test=whole.y_test[:100])


@pytest.mark.slow
@FORKS
def test_runs_killed_at_random_moments_end_as_if_left_alone(tmp_path):
    report = killed("kill", tmp_path)
    assert report["kills"] >= 10
    assert report["resumed"] >= 2  # in each arm some kills came after the first epoch
    assert assert_same_runs(tmp_path / "alone", tmp_path / "killed") >= 2
    leftovers = [
        path.name for path in (tmp_path / "killed").rglob("*") if ".part." in path.name or path.name.startswith(".")
    ]
    assert not leftovers  # neither checkpoints nor half-written files


def test_a_process_killed_just_after_its_record_leaves_no_checkpoint_for_long(images, tmp_path):
    made = [runner.run(tiny.ALTERNATING, "quick", 0, tmp_path, CPU, images)]
    left = records.checkpoint_path(records.path_of(tiny.ALTERNATING, "quick", 0, tmp_path))
    left.write_bytes(b"what the killed process did not come to delete")
    made.append(runner.run(tiny.ALTERNATING, "quick", 0, tmp_path, CPU, images))
    assert made[0] == made[1] and not left.exists()


@FORKS
def test_two_processes_at_once_do_not_train_the_same_run_twice(tmp_path):
    report = killed("share", tmp_path)
    assert report["codes"] == [0, 0]
    epochs = [(run, epoch) for _, run, epoch in report["epochs"]]
    assert sorted(epochs) == sorted(
        (f"{arm.name}/{seed}", epoch)
        for arm in (tiny.DENSE, tiny.ALTERNATING)
        for seed in range(3)
        for epoch in range(1, 5)
    )
    for run in {run for run, _ in epochs}:
        assert len({pid for pid, each, _ in report["epochs"] if each == run}) == 1


@pytest.mark.parametrize("arm", [tiny.DENSE, tiny.ALTERNATING, tiny.BY_STEP, tiny.SEPARATE], ids=lambda arm: arm.name)
def test_a_run_stopped_after_every_epoch_goes_on_to_the_same_end(tmp_path, images, arm):
    runner.run(arm, "quick", 0, tmp_path / "alone", CPU, images)
    seen = []

    def watch(done, total, row):
        seen.append((done, total))

    stops = 0
    while True:
        try:
            runner.run(arm, "quick", 0, tmp_path / "stopped", CPU, images, watch, deadline=time.monotonic())
            break
        except runner.BudgetReached as problem:
            stops += 1
            assert f"after {stops} of" in str(problem)
    total = arm.train.epochs + arm.dense_epochs
    assert seen == [(done, total) for done in range(1, total + 1)]  # no epoch is trained twice
    assert stops == total - 1
    assert assert_same_runs(tmp_path / "alone", tmp_path / "stopped") == 1


def test_a_record_holds_every_option_of_a_rival_and_others_begin_its_run_anew(tmp_path, images, monkeypatch):
    arm = replace(tiny.DENSE, name="dnw", method="rival", rival=Rival.of("dnw", density=0.25))
    seen = []

    def watch(done, total, row):
        seen.append(done)

    for _ in range(2):
        with pytest.raises(runner.BudgetReached):
            runner.run(arm, "quick", 0, tmp_path, CPU, images, watch, deadline=time.monotonic())
    monkeypatch.setattr(underway, "options_of", lambda arm: building.options_of(arm) | {"new": 1.0})
    record = runner.run(arm, "quick", 0, tmp_path, CPU, images, watch)
    assert seen == [1, 2, 1, 2, 3, 4]
    options = record["code"]["options"]
    assert options.pop("new") == 1.0 and options == {"optimizer": "sgd", "density": 0.25, "first": False}
    monkeypatch.undo()
    assert "options" not in runner.run(tiny.DENSE, "quick", 0, tmp_path, CPU, images)["code"]


def test_a_run_killed_between_its_weights_and_its_record_ends_the_same(tmp_path, images, monkeypatch):
    arm = tiny.ALTERNATING
    runner.run(arm, "quick", 0, tmp_path / "alone", CPU, images)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):

        def interrupted(*_):
            raise KeyboardInterrupt

        patch.setattr(records, "write", interrupted)
        runner.run(arm, "quick", 0, tmp_path / "stopped", CPU, images)
    assert records.look_up(arm, "quick", 0, tmp_path / "stopped").state == "missing"
    seen = []
    runner.run(arm, "quick", 0, tmp_path / "stopped", CPU, images, watch=lambda *event: seen.append(event))
    assert not seen  # every epoch was kept
    assert assert_same_runs(tmp_path / "alone", tmp_path / "stopped") == 1


def test_a_held_run_is_busy(tmp_path, images):
    path = records.path_of(tiny.DENSE, "quick", 0, tmp_path)

    def second(*_):
        with pytest.raises(runner.Busy, match="another process works on this run"):
            runner.run(tiny.DENSE, "quick", 0, tmp_path, CPU, images)

    runner.run(tiny.DENSE, "quick", 0, tmp_path, CPU, images, watch=second)
    assert path.exists()
