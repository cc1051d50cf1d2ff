"""Records and checkpoints: whole or not at all, never pickled, and every damage named."""

import json
import os
import pickle
import subprocess
import sys
from dataclasses import replace

import invented
import pytest
import safetensors.torch
import tiny
import torch
from command_line import ENVIRONMENT, PROJECT
from filelock import FileLock
from hypothesis import given, settings
from hypothesis import strategies as st

from snnlib import data, files, metrics
from snnlib.arms import Arm
from snnlib.config import SwitcherConfig, TrainConfig, check_seed
from snnlib.lab import building, devices, names, records, runner, sealing, trained
from snnlib.lab.experiments import TABLES
from snnlib.training import batches, flow

CPU = torch.device("cpu")
ARM = replace(tiny.ALTERNATING, train=replace(tiny.TRAIN, epochs=2, train_images=None))


def minimal(arm=ARM, seed=0, **changes):
    return invented.record(arm, seed, **changes)


@pytest.fixture(scope="module")
def images():
    """A small data set: 128 real images to train, 100 to test."""
    whole = data.load("mnist").first(128)
    return replace(whole, x_test=whole.x_test[:100], y_test=whole.y_test[:100])


@pytest.fixture
def path(tmp_path):
    return records.path_of(ARM, "quick", 0, tmp_path)


def test_runs_may_be_judged_on_an_even_part_of_the_test_images(monkeypatch, images):
    monkeypatch.setattr(data, "load", lambda name, device: images)
    arm = Arm("part", "dense", train=TrainConfig(train_images=30, test_images=7))
    chosen = runner.load_data(arm, CPU)
    step = len(images.x_test) / 7
    assert len(chosen.x_train) == 30 and torch.equal(
        chosen.x_test, torch.stack([images.x_test[int(step * index)] for index in range(7)])
    )
    assert len(chosen.y_test) == 7
    everything = runner.load_data(Arm("all", "dense", train=TrainConfig(test_images=10**6)), CPU)
    assert torch.equal(everything.x_test, images.x_test)


def test_a_record_comes_back_as_it_was_written(path):
    records.write(path, minimal())
    assert records.read(path) == minimal()
    assert path.parts[-4:] == ("quick", "mnist-mlp", "alternating", "seed-0.json")
    assert os.listdir(path.parent) == ["seed-0.json"]


@given(cut=st.integers(0, 10**6))
@settings(max_examples=50)
def test_a_record_cut_off_anywhere_is_refused(tmp_path_factory, cut):
    path = tmp_path_factory.mktemp("cut") / "seed-0.json"
    whole = sealing.encode(minimal())
    path.write_bytes(whole[: cut % (len(whole) - 2)])
    with pytest.raises(records.FileError, match="seed-0.json is cut off or no JSON"):
        records.read(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"version": 99}, "is of version 99, this library reads version 2: update snnlib"),
        ([1, 2], "is of version None"),
        ({"version": sealing.VERSION, "arm": "dense"}, "lacks device, error"),
    ],
)
def test_a_record_of_another_version_or_shape_is_refused(path, content, message):
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(content))
    with pytest.raises(records.FileError, match=message):
        records.read(path)


def test_a_missing_record_and_a_folder_are_refused(path):
    with pytest.raises(records.FileError, match="there is no such record"):
        records.read(path)
    path.mkdir(parents=True)
    with pytest.raises(records.FileError, match="cannot be read"):
        records.read(path)


def test_look_up_tells_the_five_states(path, tmp_path):
    def state():
        return records.look_up(ARM, "quick", 0, tmp_path).state

    assert state() == "missing"
    records.write(path, minimal())
    assert state() == "recorded"
    records.write(path, minimal(status="failed", result=None, error={"message": "dead"}))
    assert state() == "failed"
    records.write(path, minimal(replace(ARM, train=replace(ARM.train, rate=0.2))))
    assert state() == "stale"
    path.write_text("{")
    entry = records.look_up(ARM, "quick", 0, tmp_path)
    assert entry.state == "broken" and str(path) in entry.problem


def test_comparable_leaves_out_times_and_machine_and_nothing_else():
    later = minimal(seconds=9.0, device="another", versions={"torch": "3"}, started="later")
    later["history"] = [row | {"seconds": 7.0} for row in later["history"]]
    assert records.comparable(minimal()) == records.comparable(later)
    assert records.comparable(minimal()) != records.comparable(minimal(result={"accuracy": 90.1}))
    later["history"][0]["accuracy"] = 0.8
    assert records.comparable(minimal()) != records.comparable(later)


def test_every_arm_is_rebuilt_from_the_settings_of_its_record():
    arms = [arm for table in TABLES.values() for some in table.arms.values() for arm in some]
    assert len(arms) > 20
    for arm in arms:
        rebuilt = records.arm_of(json.loads(json.dumps(minimal(arm))))
        pruning = arm.pruning and replace(arm.pruning, of=replace(arm.pruning.of, title=""))  # titles are no settings
        assert rebuilt == replace(arm, title="", pruning=pruning)


def test_unknown_settings_in_a_record_are_refused():
    record = minimal()
    record["settings"]["train"]["warp"] = 9
    with pytest.raises(records.FileError, match="settings that this library does not know"):
        records.arm_of(record)


FULL_DISK = """
import resource, sys
from pathlib import Path
import torch
from snnlib import files
from snnlib.files import write_bytes
from snnlib.lab import records

path = Path(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))  # no file may grow beyond 1,000 bytes
for write in (lambda: write_bytes(path, b"0" * 2000),
              lambda: files.save_tensors(records.weights_path(path), {"w": torch.zeros(1000)}, {})):
    try:
        write()
    except records.FileError as error:
        print(error)
    else:
        sys.exit("it was written")
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit on the size of files (RLIMIT_FSIZE)")
def test_where_the_disk_is_full_the_old_files_stay(path):
    records.write(path, minimal())
    files.save_tensors(records.weights_path(path), {"w": torch.ones(3)}, {})
    before = {each.name: each.read_bytes() for each in path.parent.iterdir()}
    ended = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(path)], cwd=PROJECT, env=ENVIRONMENT, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    for line, name in zip(ended.stdout.splitlines(), ("seed-0.json", "seed-0.safetensors"), strict=True):
        assert f"{name} could not be written (File too large)" in line and "unchanged" in line
    assert {each.name: each.read_bytes() for each in path.parent.iterdir()} == before


def test_a_write_that_fails_at_the_last_moment_leaves_the_old_record(path, monkeypatch):
    records.write(path, minimal())

    def full(*_):
        raise OSError(28, "No space left on device")

    for name in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(os, name, full)
            with pytest.raises(records.FileError, match="No space left on device"):
                records.write(path, minimal(seed=1))
        assert records.read(path) == minimal()
        assert os.listdir(path.parent) == ["seed-0.json"]


def test_tensors_come_back_bit_by_bit(tmp_path):
    tensors = {"a": torch.randn(3, 4, generator=torch.Generator().manual_seed(0)), "b": torch.arange(5)}
    files.save_tensors(tmp_path / "x.safetensors", tensors, {"epoch": 3, "history": [{"loss": 0.1}]})
    back, metadata = files.load_tensors(tmp_path / "x.safetensors")
    assert set(back) == {"a", "b"} and all(torch.equal(back[name], tensors[name]) for name in tensors)
    assert metadata == {"version": files.VERSION, "epoch": 3, "history": [{"loss": 0.1}]}


class Trap:
    """Unpickling this object leaves a file behind."""

    def __init__(self, place):
        self.place = place

    def __reduce__(self):
        return (open, (str(self.place), "w"))


@pytest.mark.parametrize("protocol", [2, 4])
def test_a_pickled_checkpoint_is_refused_and_never_loaded(tmp_path, protocol):
    sprung, file = tmp_path / "sprung", tmp_path / "seed-0.part.safetensors"
    file.write_bytes(pickle.dumps(Trap(sprung), protocol))
    with pytest.raises(records.FileError, match="holds pickled objects, which are never loaded"):
        files.load_tensors(file)
    torch.save({"model": Trap(sprung)}, file)
    with pytest.raises(records.FileError, match="holds pickled objects, which are never loaded"):
        files.load_tensors(file)
    assert not sprung.exists()
    pickle.loads(pickle.dumps(Trap(sprung), protocol)).close()
    assert sprung.exists()  # the trap does work


def test_tensors_cut_off_of_another_version_or_missing_are_refused(tmp_path):
    file = tmp_path / "x.safetensors"
    with pytest.raises(records.FileError, match="there is no such file"):
        files.load_tensors(file)
    files.save_tensors(file, {"a": torch.randn(100)}, {})
    whole = file.read_bytes()
    for cut in (0, 1, 8, 50, len(whole) // 2, len(whole) - 1):
        file.write_bytes(whole[:cut])
        with pytest.raises(records.FileError, match="x.safetensors is cut off or no safetensors file"):
            files.load_tensors(file)
    file.write_bytes(whole.replace(rb"\"version\": 1", rb"\"version\": 2"))
    with pytest.raises(records.FileError, match="is of version 2, this library reads version 1: update snnlib, or ask"):
        files.load_tensors(file, "ask")
    file.write_bytes(safetensors.torch.save({"a": torch.ones(2)}))
    with pytest.raises(records.FileError, match="x.safetensors was not written by this library; name another file"):
        files.load_tensors(file)
    with pytest.raises(records.FileError, match="is cut off or no safetensors file"):
        files.load_tensors(tmp_path)


@pytest.mark.parametrize(
    "spoil", [lambda whole: whole[:-10], lambda whole: pickle.dumps({"epoch": 1}), lambda whole: b""]
)
def test_a_run_refuses_a_damaged_checkpoint_and_names_it(path, tmp_path, images, spoil):
    with pytest.raises(runner.BudgetReached):
        runner.run(ARM, "quick", 0, tmp_path, CPU, images, deadline=0.0)
    checkpoint = records.checkpoint_path(path)
    checkpoint.write_bytes(spoil(checkpoint.read_bytes()))
    with pytest.raises(records.FileError, match="seed-0.part.safetensors .* delete it, and the run begins anew"):
        runner.run(ARM, "quick", 0, tmp_path, CPU, images)
    assert not path.exists()


def test_a_checkpoint_of_other_settings_is_not_used(path, tmp_path, images):
    with pytest.raises(runner.BudgetReached):
        runner.run(ARM, "quick", 0, tmp_path, CPU, images, deadline=0.0)
    other = replace(ARM, train=replace(ARM.train, rate=0.05))
    epochs = []
    record = runner.run(other, "quick", 0, tmp_path, CPU, images, watch=lambda done, total, row: epochs.append(done))
    assert epochs == [1, 2] and record["settings_hash"] == other.settings_hash()


def test_a_finished_run_is_loaded_not_trained_and_its_weights_fit(path, tmp_path, images):
    first = runner.run(ARM, "quick", 0, tmp_path, CPU, images)

    def never(*_):
        raise AssertionError("it trains again")

    assert runner.run(ARM, "quick", 0, tmp_path, CPU, images, watch=never) == first
    (path.parent / ".seed-0.json.killed").touch()  # what a killed process leaves behind
    (path.parent / ".seed-01.json.another").touch()
    arm, network, model = trained.load(path)
    assert arm == ARM and model.network is network
    assert [int((gate > 0).sum()) for gate in model.gates()] == first["result"]["widths"]
    records.weights_path(path).rename(records.weights_path(path.with_name("seed-1.json")))
    with pytest.raises(records.FileError, match="seed-0.safetensors is missing"):
        trained.load(path)
    records.write(path.with_name("seed-1.json"), first | {"seed": 1})
    with pytest.raises(records.FileError, match="the weights of another run"):
        trained.load(path.with_name("seed-1.json"))
    records.forget(path)
    again = runner.run(ARM, "quick", 0, tmp_path, CPU, images)
    assert records.comparable(again) == records.comparable(first)
    assert {each.name for each in path.parent.glob(".seed*")} == {".seed-01.json.another"}


def test_forget_deletes_a_run_unless_another_process_works_on_it(path):
    records.write(path, minimal())
    files.save_tensors(records.checkpoint_path(path), {"a": torch.zeros(1)}, {})
    with FileLock(path.with_suffix(".lock")):
        records.forget(path)
    assert path.exists()
    records.forget(path)
    assert not path.exists() and not records.checkpoint_path(path).exists()


def test_a_batch_larger_than_the_data_is_refused(tmp_path, images):
    large = Arm("large", "dense", train=TrainConfig(batch_size=129))
    with pytest.raises(ValueError, match="batch_size=129 is larger than the data set: mnist has 128 training images"):
        runner.run(large, "quick", 0, tmp_path, CPU, images)


@pytest.mark.parametrize("seed", [-1, 2**31, 1.0, True, "1"])
def test_a_seed_out_of_range_is_refused(tmp_path, images, seed):
    with pytest.raises(ValueError, match="a seed is a whole number from 0 to 2147483647"):
        runner.run(ARM, "quick", seed, tmp_path, CPU, images)
    assert not list(tmp_path.iterdir())


def test_the_seeds_at_both_ends_are_taken():
    assert (check_seed(0), check_seed(2**31 - 1)) == (0, 2147483647)


def test_unknown_networks_and_devices_are_refused(tmp_path, images):
    with pytest.raises(names.UnknownName, match="unknown network 'mlpp': did you mean 'mlp'?"):
        runner.run(Arm("x", "dense", network="mlpp"), "quick", 0, tmp_path, CPU, images)
    for device in ("cup", "mps", "meta"):
        with pytest.raises(ValueError, match=f"device '{device}'.*choose cpu, cuda, cuda:N or auto"):
            devices.pick_device(device)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_cuda_where_there_is_none_is_refused_and_auto_is_the_cpu():
    with pytest.raises(ValueError, match="--device cuda: this machine has no CUDA device"):
        devices.pick_device("cuda")
    assert devices.pick_device("auto") == CPU


def test_a_switcher_that_dies_is_recorded_as_failed(tmp_path, images):
    dying = Arm(
        "dying",
        "alternating",
        train=TrainConfig(epochs=2),
        switcher=SwitcherConfig(channels=(2,), initial_mean=-5.0, initial_spread=0.1),
    )
    record = runner.run(dying, "quick", 0, tmp_path, CPU, images)
    assert record["status"] == "failed" and record["result"] is None
    assert record["error"]["type"] == "DeadLayerError" and record["error"]["layer"] == "layer 0"
    assert records.look_up(dying, "quick", 0, tmp_path).state == "failed"


def test_a_second_stage_goes_on_in_the_order_of_images_unless_it_repeats_it(tmp_path, images, monkeypatch):
    asked, order = [], batches.order
    monkeypatch.setattr(batches, "order", lambda seed, epoch, count: asked.append(epoch) or order(seed, epoch, count))
    for continued, expected in ((True, [0, 1, 2, 3]), (False, [0, 1, 0, 1])):
        arm = Arm(
            f"two-{continued}",
            "separate",
            train=TrainConfig(epochs=2, train_images=256),
            switcher=tiny.SWITCHER,
            dense_epochs=2,
            continued=continued,
        )
        asked.clear()
        whole = runner.run(arm, "quick", 0, tmp_path / "whole", CPU, images)
        assert asked == expected
        asked.clear()
        for _ in range(3):
            with pytest.raises(runner.BudgetReached):
                runner.run(arm, "quick", 0, tmp_path / "stopped", CPU, images, deadline=0.0)
        stopped = runner.run(arm, "quick", 0, tmp_path / "stopped", CPU, images)
        assert asked == expected and records.comparable(stopped) == records.comparable(whole)


def test_a_nudge_moves_one_weight_by_a_millionth():
    plain, *nudged = (
        building.build_network(Arm("n", "dense", train=TrainConfig(nudge=nudge)), 0, CPU) for nudge in (0, 1, 2)
    )
    places = []
    for network in nudged:
        moved = [(a != b).nonzero().tolist() for a, b in zip(network.parameters(), plain.parameters())]
        assert sum(map(len, moved)) == len(moved[0]) == 1
        places.append(tuple(moved[0][0]))
        assert 0.5e-6 < float((network.layers[0].weight - plain.layers[0].weight).detach().sum()) < 1.5e-6
    assert len(set(places)) == 2


def test_what_was_off_is_in_the_record(tmp_path, images):
    record = runner.run(tiny.ALTERNATING, "quick", 0, tmp_path, CPU, images)
    off = record["off"]
    assert off["times"] == ["start", "first turn", *(f"epoch {epoch}" for epoch in range(4))] and off["widths"] == [
        784,
        300,
        100,
    ]
    texts = flow.unpack(off["bits"], len(off["times"]))
    counts = [[int(layer.sum()) for layer in flow.decode(text, off["widths"])] for text in texts]
    assert counts[2:] == [row["pruned"] for row in record["history"]] and counts[1] == counts[2]
    shares = [metrics.removed_pct(off["widths"], [w - c for w, c in zip(off["widths"], count)]) for count in counts]
    result = record["result"]
    assert (result["start_removed_pct"], result["first_turn_removed_pct"], result["removed_pct"]) == (
        shares[0],
        shares[1],
        shares[-1],
    )
    assert "off" not in record["history"][0]
    assert runner.run(tiny.DENSE, "quick", 0, tmp_path, CPU, images)["off"] is None
