"""Images of one's own by the command line: IDX files of any data set, networks by their widths, ``snn run --data``."""

import gzip
import multiprocessing
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from command_line import inside
from PIL import Image

from snnlib import compaction, data
from snnlib.arms import Source
from snnlib.config import TrainConfig
from snnlib.lab import batch, records, runner, trained, workers
from snnlib.lab import own as images
from snnlib.lab.experiments import own, tuned
from snnlib.lab.names import Refused
from snnlib.lab.progress import Remarks
from snnlib.lab.workers import Event, Job
from snnlib.networks import MLP, specs

FILES = {
    "train images": "train-images-idx3-ubyte",
    "train labels": "train-labels-idx1-ubyte",
    "test images": "t10k-images-idx3-ubyte",
    "test labels": "t10k-labels-idx1-ubyte",
}


def idx(array, kind=8):
    """``array`` as a plain IDX file; ``kind`` is the code of its values' type, 8 for unsigned bytes."""
    head = bytes([0, 0, kind, array.ndim]) + np.array(array.shape, ">i4").tobytes()
    return head + array.astype(np.uint8).tobytes()


def bars(labels, side=8):
    """An image for each label (side, side): a bright column at the place of the label, on noise."""
    draw = np.random.default_rng(0)
    pixels = draw.integers(0, 60, (len(labels), side, side), np.uint8)
    for index, label in enumerate(labels):
        pixels[index, :, 2 * (label % 4)] = 220
    return pixels


def written(folder, labels=(1, 2, 3, 4), train=96, test=24, prefix="", ending=".gz", parts=FILES):
    """A data set of these labels as IDX files in ``folder``, with MNIST's names, as Debian packs Fashion-MNIST."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers = {"train": np.resize(labels, train), "test": np.resize(labels, test)}
    for part in parts:
        side, what = part.split()
        array = bars(numbers[side]) if what == "images" else numbers[side]
        content = idx(np.asarray(array))
        (folder / f"{prefix}{FILES[part]}{ending}").write_bytes(gzip.compress(content) if ending else content)
    return folder


@pytest.mark.parametrize("ending", [".gz", ""])
def test_idx_files_of_any_data_set_are_read_by_their_folder(tmp_path, ending):
    found = data.load(str(written(tmp_path / "letters", ending=ending)))
    assert (found.name, found.classes, found.image) == ("letters", ("1", "2", "3", "4"), (1, 8, 8))
    assert found.y_train.unique().tolist() == [0, 1, 2, 3], "labels that begin with 1, as EMNIST's letters do"
    assert np.array_equal(found.x_test[:, 0].numpy(), bars(np.resize((1, 2, 3, 4), 24))) and len(found.x_train) == 96


def test_one_of_several_sets_is_named_and_files_without_test_images_are_parted(tmp_path):
    written(tmp_path / "gzip", prefix="emnist-letters-")
    written(tmp_path / "gzip", labels=(0, 1), prefix="emnist-mnist-", parts=list(FILES)[:2])
    with pytest.raises(data.DataError, match="holds 2 data sets .*gzip/emnist-letters, .*gzip/emnist-mnist"):
        data.load(str(tmp_path / "gzip"))
    assert len(data.load(str(tmp_path / "gzip" / "emnist-letters")).classes) == 4
    by_file = data.load(str(tmp_path / "gzip" / "emnist-mnist-train-labels-idx1-ubyte.gz"))
    assert (len(by_file.x_train), len(by_file.x_test), by_file.name) == (80, 16, "emnist-mnist")


def test_a_damaged_or_strange_idx_file_is_named(tmp_path):
    folder = written(tmp_path / "x", ending="")
    (folder / FILES["test labels"]).unlink()
    with pytest.raises(data.DataError, match="but no IDX file of the test labels"):
        data.load(str(folder))
    for content, told in (
        (idx(np.full(24, 9)), "holds the label 9, which no training image has"),
        (idx(np.zeros((24, 1))), r"holds an array of shape \(24, 1\); needed are labels"),
        (idx(np.ones(23)), "24 test images but 23 labels"),
        (idx(np.ones(24), kind=13), "begins with 00 00 0d, not with 00 00 08"),
        (idx(np.ones(24))[:-1], "is not a whole IDX file"),
    ):
        (folder / FILES["test labels"]).write_bytes(content)
        with pytest.raises(data.DataError, match=told):
            data.load(str(folder))


def test_other_files_than_mnists_are_damaged_only_under_its_name(tmp_path):
    folder = written(tmp_path / "mnist")
    with pytest.raises(data.DataError, match=r"is damaged: .* is read by its path: `snn data FOLDER`"):
        data.load("mnist", folder)
    assert len(data.load(str(folder)).x_train) == 96


@pytest.mark.parametrize("labels, missing, highest", [([1, 2, 3], 0, 3), ([0, 2, 5], 1, 5), ([-1, 0, 1], 2, 1)])
def test_numbers_stand_for_names_of_classes_only_without_gaps(tmp_path, labels, missing, highest):
    labels = np.array(labels * 4)
    np.savez(tmp_path / "x.npz", x_train=bars(labels), y_train=labels)
    said = f"names no classes, and no training image has the label {missing}, while labels go up to {highest}"
    with pytest.raises(data.DataError, match=said):
        data.load(str(tmp_path / "x.npz"))


def test_an_npz_file_may_leave_out_test_images_and_classes(tmp_path):
    labels = np.repeat(np.arange(3), 12)  # sorted by class
    np.savez(tmp_path / "x.npz", x_train=bars(labels), y_train=labels)
    found = data.load(str(tmp_path / "x.npz"))
    assert found.classes == ("0", "1", "2")
    assert found.y_test.bincount().tolist() == [2, 2, 2] and found.y_train.bincount().tolist() == [10, 10, 10]
    assert torch.equal(found.x_test[0, 0], torch.from_numpy(bars(labels)[5])), "every sixth of a class"
    np.savez(tmp_path / "y.npz", x_train=bars(labels), y_train=labels, x_test=bars(labels))
    with pytest.raises(data.DataError, match="the test images and the classes may be left out"):
        data.load(str(tmp_path / "y.npz"))


def test_a_class_of_one_image_cannot_be_parted(tmp_path):
    whole = data.load(str(written(tmp_path / "x", train=97)))
    alone = replace(whole, y_train=torch.cat([whole.y_train[:-1].clamp_max(2), torch.tensor([3])]))
    with pytest.raises(data.DataError, match="4 has one training image"):
        alone.apart()


@pytest.mark.parametrize(
    ("asked", "made"),
    [("mlp:64-16-4", "mlp:64-16-4"), ("mlp:in-16-8-out", "mlp:64-16-8-4"), ("mlp:in-out", "mlp:64-4")],
)
def test_a_perceptron_is_named_by_its_widths(asked, made):
    assert specs.fitted(asked, (1, 8, 8), 4) == made
    built = specs.builder(made)((1, 8, 8), 4, fc_std=0.1, generator=torch.Generator())
    assert isinstance(built, MLP) and (built.widths[0], built.widths[-1]) == (64, 4)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("mlp:784-16-4", r"for bars, 1 x 8 x 8 .*, 4 classes: it takes 784 numbers.*Write mlp:in-16-out$"),
        ("mlp:64-16-10", r"tells 10 classes apart, but an image has 64 numbers.*Write mlp:in-16-out$"),
        ("mlp:64-16", r"Write mlp:in-16-out$"),
        ("mlp:32-16", r"Write mlp:in-32-16-out$"),
        ("mlp:32-16-8", r"Write mlp:in-16-out or, where all are hidden layers, mlp:in-32-16-8-out$"),
        ("mlp:", "gives no widths: write mlp:784-64-10"),
        ("mlp:64-0-4", "gives no widths"),
        ("mpl", "did you mean 'mlp'.*or the widths of a perceptron: mlp:784-64-10"),
        ("lenet5-caffe", "lenet5-caffe cannot be built for bars, 1 x 8 x 8 .*: images of 8 x 8 are too small"),
        ("net.py:Net", r"by snnlib.switch\(module, example_input\)"),
    ],
)
def test_a_network_that_does_not_fit_is_refused_with_both_named(name, told):
    empty = torch.zeros(4, 1, 8, 8, dtype=torch.uint8)
    bars_of_four = data.Dataset("bars", empty, torch.arange(4), empty, torch.arange(4), tuple("abcd"))
    with pytest.raises(Refused, match=told):
        images.network_of(name, bars_of_four)


def arms_of(path, asked, held_out=0):
    """The arms of ``asked`` on the images at ``path``, with whole widths, and the images."""
    found, source = images.load(str(path), held_out)
    networks = tuple(images.network_of(name, found) for name in asked.networks)
    planned = own.table(str(path), source, replace(asked, networks=networks), (0,), len(found.x_train))
    return {arm.name: arm for arm in planned.arms[own.OWN]}, found


def test_settings_are_those_of_the_search_and_a_rate_keeps_their_proportion(tmp_path):
    folder = written(tmp_path / "x")
    arms, _ = arms_of(folder, own.Asked(("mlp:in-8-out",), ("dense", "alternating", "separate")))
    chosen = tuned.arms("mlp")
    assert arms["snn-al"].train == replace(chosen["accurate"].train, epochs=own.EPOCHS)
    assert arms["dense"].train == replace(chosen["dense"].train, epochs=own.EPOCHS)
    assert arms["snn-sl"].dense_epochs + arms["snn-sl"].train.epochs == own.EPOCHS
    faster, _ = arms_of(folder, own.Asked(("mlp:in-8-out",), ("alternating",), rate=0.5, start="kaiming"))
    one, other = faster["snn-al-rate-0.5-start-kaiming"].train, arms["snn-al"].train
    assert one.rate == 0.5 and one.fc_init == "kaiming"
    assert one.rate_switcher / one.rate == pytest.approx(other.rate_switcher / other.rate)
    [slow] = arms_of(folder, own.Asked(("mlp:in-8-out",), ("dense",), rate=1e-8), held_out=4)[0].values()
    assert (slow.name, slow.title) == ("dense-held-out-4-rate-1e-08", "dense, held out 4, rate 1e-08")
    plain, _ = arms_of(folder, own.Asked(("mlp:in-8-out",), setting="plain"))
    assert plain["snn-al-plain"].train == TrainConfig(epochs=own.EPOCHS)
    few, _ = arms_of(written(tmp_path / "few", train=20), own.Asked(("mlp:in-8-out",)))
    assert few["dense"].train.batch_size == 20, "of few images all are one batch"


def test_a_run_is_known_by_its_images(tmp_path):
    asked = own.Asked(("mlp:in-8-out",), epochs=2)
    arms, _ = arms_of(written(tmp_path / "x"), asked)
    others, _ = arms_of(written(tmp_path / "x", train=92), asked)
    assert {arm.settings_hash() for arm in arms.values()}.isdisjoint(arm.settings_hash() for arm in others.values())
    one, other = (records.path_of(each["dense-epochs-2"], own.OWN, 0, tmp_path) for each in (arms, others))
    assert one != other and one.parent.parent.name == f"x-{arms['dense-epochs-2'].source.digest[:8]}-mlp-64-8-4"
    with pytest.raises(data.DataError, match="these are not the images that this run is of"):
        runner.load_data(arms["dense-epochs-2"], torch.device("cpu"))


def test_held_out_images_are_training_images(tmp_path):
    folder = written(tmp_path / "x")
    arms, found = arms_of(folder, own.Asked(("mlp:in-8-out",)), held_out=4)
    assert (len(found.x_train), len(found.x_test)) == (72, 24) and "dense-held-out-4" in arms
    again = runner.load_data(arms["dense-held-out-4"], torch.device("cpu"))
    assert again.checksum() == found.checksum()
    assert torch.equal(found.x_test, data.load(str(folder)).apart(4).x_test)


def test_images_of_a_folder_are_read_by_a_run_as_they_were_before_it(tmp_path, capsys, monkeypatch):
    for label in "ab":
        (tmp_path / "photos" / label).mkdir(parents=True)
        for index in range(7 + (label == "b")):
            picture = Image.new("L" if index else "RGB", (9 + index, 12), 20 * index)
            picture.save(tmp_path / "photos" / label / f"{index}.png")
    planned: list[Job] = []
    monkeypatch.setattr(batch, "carry_out", lambda todo, *_: planned.extend(todo.to_do))
    words = ("run", "--data", tmp_path / "photos", "--network", "mlp:in-4-out", "--size", 8, "--rgb", "--device", "cpu")
    _, said, _ = inside(capsys, *words, "--records", tmp_path / "records")
    assert "photos: 13 images to train, 2 to judge on, each 3 x 8 x 8" in said
    arm = planned[0].arm
    assert arm.source.reading == {"size": 8, "rgb": True} and arm.network == "mlp:192-4-2"
    assert runner.load_data(arm, torch.device("cpu")).image == (3, 8, 8)
    assert f"--data {tmp_path / 'photos'}" in own.command(arm, 0, tmp_path) and "--size 8 --rgb" in own.command(
        arm, 0, tmp_path
    )


def test_one_seed_gives_one_result_and_a_record_that_is_read_back(tmp_path):
    arms, _ = arms_of(written(tmp_path / "x"), own.Asked(("mlp:in-8-out",), ("alternating",), epochs=2))
    [arm] = arms.values()
    made = [runner.run(arm, own.OWN, 0, tmp_path / name, torch.device("cpu")) for name in "ab"]
    assert records.comparable(made[0]) == records.comparable(made[1])
    assert records.arm_of(made[0]) == arm and made[0]["settings"]["source"]["digest"] == arm.source.digest
    path = records.path_of(arm, own.OWN, 0, tmp_path / "a")
    records.weights_path(path).unlink()
    with pytest.raises(records.FileError, match=r"snn run --data .*/x --network mlp:64-8-4 --method alternating"):
        trained.load(path)


@pytest.mark.parametrize("way", list(own.WAYS))
def test_the_command_that_makes_a_run_again_makes_that_run(tmp_path, monkeypatch, capsys, way):
    folder = written(tmp_path / "x")
    asked = own.Asked(("mlp:in-8-out",), (way,), "sparse", 6, 0.25, "kaiming")
    [arm] = arms_of(folder, asked, held_out=3)[0].values()
    _, *words = own.command(arm, 3, tmp_path / "records").split()
    planned = []
    monkeypatch.setattr(batch, "carry_out", lambda todo, *_: planned.extend(todo.to_do))
    inside(capsys, *words, "--device", "cpu")
    assert [(job.arm, job.seed) for job in planned] == [(arm, 3)]


def test_a_run_that_learns_nothing_is_remarked_on_once_with_what_to_try(tmp_path):
    labels = np.resize((0, 1), 64)
    np.savez(tmp_path / "grey.npz", x_train=np.full((64, 4, 4), 9, np.uint8), y_train=labels)
    arms, _ = arms_of(tmp_path / "grey.npz", own.Asked(("mlp:in-4-out",), ("dense",), epochs=6))
    [arm] = arms.values()
    rows, remarks, job = [], Remarks(), Job(arm, own.OWN, 0, tmp_path)
    record = runner.run(arm, own.OWN, 0, tmp_path, torch.device("cpu"), watch=lambda *row: rows.append(row[-1]))
    said = [remarks.of(Event("epoch", replace(job, seed=seed), row=row)) for seed in (0, 1) for row in rows]
    [text] = filter(None, said)
    assert text.startswith("mlp:16-4-2 dense-epochs-6 seed 0: nothing has been learned in 4 epochs")
    assert "--rate 0.024 or 2.4" in text and "--start kaiming" in text and "--setting" in text
    assert not any("remark" in row for row in record["history"]), "records hold no remark"


# ---------------------------------------------------------------- the command


def in_a_thread(jobs, device, count, deadline, together, threads):
    """As ``workers.work`` with one worker, which is a thread here: a process would import torch anew."""
    ours, theirs = multiprocessing.Pipe()
    threading.Thread(target=workers._serve, args=(theirs, device, threads, deadline), daemon=True).start()
    for job in jobs:
        ours.send([job])
        event = ours.recv()
        while event.kind in ("started", "epoch"):
            yield event
            event = ours.recv()
        yield event
    ours.close()


@pytest.fixture(scope="module")
def trained_once(tmp_path_factory):
    """A command for a data set as Debian packs it, dense and with a switcher, and the folder that all of it is in."""
    place = tmp_path_factory.mktemp("own")
    folder = written(place / "fashion-mnist", train=480)
    words = ("run", "--data", folder, "--network", "mlp:in-16-out", "--epochs", 4, "--rate", 0.05, "--device", "cpu")
    words += ("--workers", 1, "--records", place / "records", "--out", place / "small")
    return words, place


def test_the_command_trains_compares_records_and_writes_the_small_network(trained_once, capsys, monkeypatch):
    words, place = trained_once
    monkeypatch.setattr(batch, "work", in_a_thread)
    code, said, progress = inside(capsys, *words)
    assert code == 0, said + progress
    assert "fashion-mnist: 480 images to train, 24 to judge on, each 1 x 8 x 8" in said
    assert "mlp:64-16-4: 4 epochs, settings chosen by a search for accuracy (of the network mlp on mnist)" in said
    paths = sorted((place / "records" / "own").glob("*/*/seed-0.json"))
    assert [path.parent.name for path in paths] == ["dense-epochs-4-rate-0.05", "snn-al-epochs-4-rate-0.05"]
    dense, switched = map(records.read, paths)
    assert switched["result"]["accuracy"] > 60 and dense["result"]["accuracy"] > 60, "of four classes"
    for record in (dense, switched):
        assert f"{record['result']['accuracy']:.2f}" in said
    widths = "-".join(map(str, switched["result"]["widths"]))
    assert widths in said and f"{switched['result']['removed_pct']:.2f}" in said
    assert {"python", "torch", "numpy", "snnlib"} == set(switched["versions"]) and switched["device"]
    [file] = (place / "small").iterdir()
    small = compaction.load_compact(file)
    assert "-".join(map(str, small.widths[:-1])) == widths and f"written to {file}" in said


def test_the_same_command_trains_nothing_again(trained_once, capsys):
    words, place = trained_once
    code, said, _ = inside(capsys, *words)
    assert code == 0 and "2 runs recorded already: reused" in said and "to train on" not in said
    code, said, _ = inside(capsys, "status", "--records", place / "records")
    assert code == 0 and "snn-al-epochs-4-rate-0.05: 1 finished" in said


def test_what_would_be_trained_is_listed_without_an_estimate(tmp_path, capsys):
    """Of images of one's own there is no earlier run to go by; their place may hold any sign."""
    folder = written(tmp_path / "[odd]* name")
    words = ("run", "--data", folder, "--network", "mlp:in-16-out", "--epochs", 4, "--records", tmp_path / "records")
    code, said, error = inside(capsys, *words, "--dry-run")
    assert code == 0, error
    assert said.rstrip().endswith("in all 2 runs, no estimate: no record of this network")


def test_images_that_were_moved_are_named_to_the_command_that_makes_a_network_smaller(trained_once, tmp_path, capsys):
    words, place = trained_once
    inside(capsys, *words)
    [record] = (place / "records" / "own").glob("*/snn-al-*/seed-0.json")
    arm = records.arm_of(records.read(record))
    moved, out = tmp_path / "elsewhere", tmp_path / "small.safetensors"
    Path(arm.dataset).rename(moved)
    try:
        code, _, error = inside(capsys, "compact", record, "--out", out)
        assert code == 2 and "If the images were moved, say where they are now: --data PATH" in error
        code, said, error = inside(capsys, "compact", record, "--out", out, "--data", moved)
        assert code == 0 and f"written to {out}" in said, error
        other = written(tmp_path / "others", train=240)
        assert (
            "not the images that this run is of" in inside(capsys, "compact", record, "--out", out, "--data", other)[2]
        )
    finally:
        moved.rename(arm.dataset)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--data", "FOLDER"), "--data needs a network"),
        (("2", "--data", "FOLDER", "--network", "mlp"), "TABLE and --data"),
        (("2", "--epochs", "3", "--rgb"), "--epochs, --rgb: only for images of your own"),
        (("--data", "nowhere", "--network", "mlp"), "no folder of this name is here"),
        (("--data", "FOLDER", "--network", "mlp", "--epochs", "1"), "--epochs 1: switcher and network need one each"),
        (("--data", "FOLDER", "--network", "mlp", "--rate", "-1"), "rate=-1.0: the learning rate must be positive"),
        (("--data", "FOLDER", "--network", "mlp", "--hold-out", "0.7"), "from 0.01 to 0.5"),
        (("--data", "FOLDER", "--network", "mlp", "--size", "3"), "is no image folder: size of its images"),
        (("--data", "FOLDER", "--network", "mlp", "--method", "sepparate"), "did you mean 'separate'"),
        (("--data", "FOLDER", "--network", "mlp", "--seed", "-1"), "a seed is a whole number"),
        (("--data", "FOLDER", "--network", "mlp", "--out", __file__), "no such folder can be made"),
        (("--data", "FOLDER", "--network", "lenet5-caffe"), "images of 8 x 8 are too small for"),
    ],
)
def test_what_makes_no_run_ends_with_one_clear_line(tmp_path, capsys, words, told):
    folder = str(written(tmp_path / "x"))
    code, _, error = inside(capsys, "run", *(folder if word == "FOLDER" else word for word in words))
    assert code == 2 and told in error and len(error.splitlines()) == 1


@pytest.mark.parametrize("held_out", [-1, 1])
def test_a_source_holds_out_some_images_or_none(held_out):
    with pytest.raises(ValueError, match="2 or more, one training image in so many, or 0"):
        Source("0" * 16, held_out=held_out)
