"""``snn compact`` on runs of every kind of network: real, if short, training on MNIST."""

from dataclasses import replace

import pytest
import torch
from command_line import inside

from snnlib import data
from snnlib.arms import Arm, Rival
from snnlib.compaction import load_compact, load_normalize
from snnlib.config import SwitcherConfig, TrainConfig
from snnlib.lab import records, runner, trained
from snnlib.training.batches import Batches

TRAIN = TrainConfig(epochs=2, train_images=128, batch_size=32)
SWITCHER = SwitcherConfig(channels=(2, 4), initial_mean=0.3)


def run(tmp_path, network, **changes):
    """Train ``network`` for two epochs on 128 images; returns the record's path."""
    arm = Arm("short", "alternating", network=network, train=replace(TRAIN, **changes), switcher=SWITCHER)
    whole = data.load("mnist").first(128)
    dataset = replace(whole, x_test=whole.x_test[:100], y_test=whole.y_test[:100])
    record = runner.run(arm, "smoke", 0, tmp_path, torch.device("cpu"), dataset)
    assert record["status"] == "finished", record["error"]
    return records.path_of(arm, "smoke", 0, tmp_path)


@pytest.mark.parametrize(
    "network, changes", [("lenet5-caffe", {}), ("vgg-cov2-bn", {"normalize": True}), ("mobilenet-v1-x0.25", {})]
)
def test_compact_writes_a_smaller_network_that_agrees(tmp_path, capsys, network, changes):
    path, out = run(tmp_path, network, **changes), tmp_path / "small.safetensors"
    code, text, error = inside(capsys, "compact", path, "--out", out)
    assert code == 0, error
    arm, whole, model = trained.load(path)
    small, result = load_compact(out), records.read(path)["result"]
    assert type(small) is type(whole) and not small.training
    assert (
        "-".join(map(str, (*whole.gate_widths(), 10))) + " -> " + "-".join(map(str, (*small.gate_widths(), 10))) in text
    )
    assert f"MACs    {result['macs_full']} -> {result['macs']} " in text
    assert sum(small.gate_widths()) < sum(whole.gate_widths())
    dataset = runner.load_data(arm, torch.device("cpu"))
    images = Batches(dataset, arm.train, 0).standard(
        data.scale(dataset.x_test[-50:])
    )  # others than the command compared
    normalize = load_normalize(out)
    assert ("less" in text) == isinstance(normalize, data.Normalize) == arm.train.normalize
    torch.testing.assert_close(normalize(data.scale(dataset.x_test[-50:])), images)
    with torch.no_grad():
        expected = model.eval()(images)
        torch.testing.assert_close(small(images), expected, rtol=0, atol=1e-4 * max(1.0, float(expected.abs().max())))


def test_no_record_and_no_weights_of_one_are_written_over(tmp_path, capsys):
    path = run(tmp_path, "lenet5-caffe")
    before = {file: file.read_bytes() for file in path.parent.iterdir()}
    assert path in before and path.with_suffix(".safetensors") in before
    for out, problem in (
        (path, "written as safetensors, and .json are records"),
        (path.with_suffix(".safetensors"), f"belongs to the run of {path}: name another file"),
        (path.with_suffix(".part.safetensors"), f"belongs to the run of {path}: name another file"),
        (path.parent, "is a folder: name the file"),
    ):
        code, _, error = inside(capsys, "compact", path, "--out", out)
        assert code == 2 and problem in error, error
    assert {file: file.read_bytes() for file in path.parent.iterdir()} == before


def test_a_remedy_names_the_folder_of_records_only_where_the_record_stands_in_one(tmp_path, capsys):
    path, out = run(tmp_path / "records", "lenet5-caffe"), tmp_path / "small.safetensors"
    path.with_suffix(".safetensors").unlink()
    elsewhere = tmp_path / "moved.json"
    elsewhere.write_bytes(path.read_bytes())
    assert f"--records {tmp_path / 'records'}" in inside(capsys, "compact", path, "--out", out)[2]
    code, _, error = inside(capsys, "compact", elsewhere, "--out", out)
    assert code != 0 and "--records FOLDER" in error


def test_a_folder_that_is_not_there_is_not_made(tmp_path, capsys):
    code, _, error = inside(capsys, "compact", run(tmp_path, "lenet5-caffe"), "--out", tmp_path / "nowhere" / "x")
    assert code == 2 and "is no folder; make it first" in error and not (tmp_path / "nowhere").exists()


def test_a_network_that_does_not_agree_is_not_written(tmp_path, capsys, monkeypatch):
    path, out = run(tmp_path, "lenet5-caffe"), tmp_path / "small.safetensors"
    from snnlib import compaction

    def wrong(network, gates):
        small = right(network, gates)
        small.head.layers[-1].bias.data.add_(0.1)
        return small

    right = compaction.compact
    monkeypatch.setattr(compaction, "compact", wrong)
    code, _, error = inside(capsys, "compact", path, "--out", out)
    assert code == 2 and "does not agree with the switched one" in error and not out.exists()


RIVALS = {"l0": {}, "lottery": {"rounds": 2}, "n2n": {"rollout": 2, "judged": 1, "rollouts": 2}, "elastic": {}}


@pytest.mark.parametrize("name", RIVALS)
def test_what_a_rival_left_is_compacted_too(tmp_path, capsys, name):
    train = replace(TRAIN, epochs=4, fc_init="torch")
    arm = Arm("short", "rival", train=train, rival=Rival.of(name, **RIVALS[name]))
    whole = data.load("mnist").first(128)
    dataset = replace(whole, x_test=whole.x_test[:100], y_test=whole.y_test[:100])
    cpu = torch.device("cpu")
    together = runner.run_together(arm, "smoke", (0, 1), tmp_path, cpu, dataset)  # one by one
    assert {seed: record["status"] for seed, record in together.items()} == {0: "finished", 1: "finished"}
    path, out = records.path_of(arm, "smoke", 1, tmp_path), tmp_path / "small.safetensors"
    code, _, error = inside(capsys, "compact", path, "--out", out)
    if name == "elastic":
        assert code == 2 and "other neurons for each image" in error and not out.exists()
        return
    assert code == 0, error
    images = data.scale(whole.x_test[:50])
    with torch.no_grad():
        expected = trained.load(path)[2](images)
        torch.testing.assert_close(load_compact(out)(images), expected, rtol=1e-4, atol=1e-4)


def test_what_is_no_record_is_left_alone(tmp_path, capsys):
    other = tmp_path / "README.md"
    other.write_text("# no record")
    code, _, error = inside(capsys, "compact", other, "--out", tmp_path / "small.safetensors")
    assert code == 2 and "is no record of a run" in error and "elete" not in error
