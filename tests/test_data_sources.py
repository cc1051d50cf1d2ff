"""Data sets in the formats that they are really stored in, as tiny files; downloads; ``snn data``; a run on a reader's
folder."""

import dataclasses
import gzip
import hashlib
import pickle
import subprocess
import sys
import urllib.error

import numpy as np
import pytest
import torch
import torchvision
from command_line import PROJECT, inside
from PIL import Image

from snnlib import data
from snnlib.arms import Arm
from snnlib.config import SwitcherConfig, TrainConfig
from snnlib.data import DataError
from snnlib.lab import records, runner


def md5(path):
    return hashlib.md5(path.read_bytes()).hexdigest()


@pytest.fixture
def cifar(tmp_path, monkeypatch):
    """Five batches of two images and a test batch, as torchvision unpacks them; torchvision's checksums are made to
    fit."""
    folder, draw = tmp_path / "cifar10" / "cifar-10-batches-py", np.random.default_rng(0)
    folder.mkdir(parents=True)
    names, images = [f"data_batch_{index}" for index in range(1, 6)] + ["test_batch"], {}
    for place, name in enumerate(names):
        images[name] = draw.integers(0, 256, (2, 3072), dtype=np.uint8)
        (folder / name).write_bytes(
            pickle.dumps({"data": images[name], "labels": [place, 9 - place], "filenames": ["a", "b"]})
        )
    classes = [f"class {index}" for index in range(10)]
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": classes}))
    kind = torchvision.datasets.CIFAR10
    sums = [[name, md5(folder / name)] for name in names]
    monkeypatch.setattr(kind, "train_list", sums[:5])
    monkeypatch.setattr(kind, "test_list", sums[5:])
    monkeypatch.setattr(kind, "meta", kind.meta | {"md5": md5(folder / "batches.meta")})
    monkeypatch.setenv("SNNLIB_DATA", str(tmp_path))
    return folder, images


def test_the_official_cifar_batches(cifar):
    folder, images = cifar
    found = data.load("cifar10")
    assert found.x_train.shape == (10, 3, 32, 32) and found.x_test.shape == (2, 3, 32, 32) and len(found.classes) == 10
    assert found.y_train.tolist() == [0, 9, 1, 8, 2, 7, 3, 6, 4, 5] and found.y_test.tolist() == [5, 4]
    for path in (folder, folder.parent):
        assert data.load(str(path)).checksum() == found.checksum(), "by its path as by its name"
    # a row of a batch is red, green and blue, each by rows
    assert np.array_equal(found.x_train[2].numpy(), images["data_batch_2"][0].reshape(3, 32, 32))


def test_the_official_batches_by_their_path_are_not_an_archive_beside_them(cifar):
    folder, _ = cifar
    batches = data.load(str(folder)).checksum()
    data.save_npz(data.load("mnist").first(8), folder.parent / "cifar10.npz")
    for path in (folder, folder.parent):
        assert data.load(str(path)).checksum() == batches
    assert data.load("cifar10").image == (1, 28, 28), "by its name it is the archive"


def test_a_damaged_or_missing_cifar_batch_is_named_with_the_remedy(cifar, tmp_path, monkeypatch):
    folder, _ = cifar
    (folder / "data_batch_3").write_bytes(b"spoiled")
    with pytest.raises(DataError, match=r"cifar-10-batches-py is not whole .*snn data cifar10 --download"):
        data.load("cifar10")
    monkeypatch.setenv("SNNLIB_DATA", str(tmp_path / "elsewhere"))
    with pytest.raises(DataError, match=r"snn data cifar10 --download.*SNNLIB_DATA"):
        data.load("cifar10")


@pytest.fixture
def fashion(tmp_path, monkeypatch):
    raw, draw = tmp_path / "fashion-mnist" / "FashionMNIST" / "raw", np.random.default_rng(0)
    raw.mkdir(parents=True)
    sizes = {"train-images": (5, 28, 28), "train-labels": (5,), "t10k-images": (3, 28, 28), "t10k-labels": (3,)}
    for name, shape in sizes.items():
        head = bytes([0, 0, 8, len(shape)]) + b"".join(side.to_bytes(4, "big") for side in shape)
        values = draw.integers(0, 10, shape, dtype=np.uint8)
        (raw / f"{name}-idx{len(shape)}-ubyte.gz").write_bytes(gzip.compress(head + values.tobytes()))
    monkeypatch.setattr(
        torchvision.datasets.FashionMNIST, "resources", [(path.name, md5(path)) for path in sorted(raw.iterdir())]
    )
    monkeypatch.setenv("SNNLIB_DATA", str(tmp_path))
    return raw


def test_fashion_mnist_as_torchvision_downloads_it(fashion):
    found = data.load("fashion-mnist")
    assert found.x_train.shape == (5, 1, 28, 28) and len(found.y_test) == 3 and found.classes[9] == "Ankle boot"
    spoiled = fashion / "t10k-labels-idx1-ubyte.gz"
    spoiled.write_bytes(spoiled.read_bytes()[:-3])
    with pytest.raises(DataError, match="t10k-labels.* is missing or damaged .*--download"):
        data.load("fashion-mnist")


@pytest.mark.parametrize("name, kind", data.DOWNLOADS.items())
def test_downloads_are_torchvisions(monkeypatch, tmp_path, name, kind):
    asked = []
    monkeypatch.setattr(
        getattr(torchvision.datasets, kind),
        "__init__",
        lambda self, root, train, download: asked.append((root, train, download)),
    )
    data.download(name, tmp_path / name)
    assert asked == [(str(tmp_path / name), True, True), (str(tmp_path / name), False, True)]

    def no_network(self, root, train, download):
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr(getattr(torchvision.datasets, kind), "__init__", no_network)
    with pytest.raises(
        DataError,
        match=f"{name} could not be downloaded into .*no route to host.*tries again.*Without a network.*copy its "
        f"{name}/ into .*SNNLIB_DATA",
    ):
        data.download(name, tmp_path / name)


def test_what_may_not_be_passed_on_is_not_downloaded(tmp_path):
    with pytest.raises(
        DataError, match="mini_imagenet cannot be downloaded here; these can: mnist, cifar10, fashion-mnist"
    ):
        data.download("mini_imagenet", tmp_path)


def photos(folder, classes=("cat", "dog"), count=12, side=32):
    draw = np.random.default_rng(1)
    for name in classes:
        (folder / name).mkdir(parents=True)
        for index in range(count):
            Image.fromarray(draw.integers(0, 256, (side, side, 3), dtype=np.uint8)).save(
                folder / name / f"{index:03}.png"
            )
    return folder


def test_mini_imagenet_as_class_folders_must_be_whole(monkeypatch, tmp_path):
    monkeypatch.setenv("SNNLIB_DATA", str(tmp_path))
    with pytest.raises(
        DataError, match="Mini-ImageNet is not in .*SNNLIB_DATA.*600 images for each of its 100 classes"
    ):
        data.load("mini_imagenet")
    photos(tmp_path / "mini_imagenet", ("n01532829", "n01558993"), count=2)
    with pytest.raises(DataError, match="does not hold the 100 classes of Mini-ImageNet"):
        data.load("mini_imagenet")


def test_mini_imagenet_as_class_folders_is_parted_by_our_list(monkeypatch, tmp_path):
    """Two classes of 600 tiny images, the list cut to them."""
    from snnlib.data import mini_imagenet

    ours = dict(list(mini_imagenet.test_images().items())[:2])
    monkeypatch.setattr(mini_imagenet, "test_images", lambda: ours)
    monkeypatch.setattr(mini_imagenet, "SIDE", 4)
    for place, name in enumerate(ours):
        folder = (
            tmp_path / "mini_imagenet" / ("train" if place else "test") / name
        )  # parted by class, as few-shot learning has it
        folder.mkdir(parents=True)
        for index in range(600):
            Image.new("RGB", (4, 4), (place, index // 256, index % 256)).save(folder / f"{index:04}.png")
    monkeypatch.setenv("SNNLIB_DATA", str(tmp_path))
    found = data.load("mini_imagenet")
    assert len(found.x_train) == 1000 and len(found.x_test) == 200 and found.classes == tuple(ours)
    for place, positions in enumerate(ours.values()):
        chosen = found.x_test[found.y_test == place][:, :, 0, 0].long()
        assert set((chosen[:, 1] * 256 + chosen[:, 2]).tolist()) == set(positions)


def test_the_command_on_a_folder_and_on_what_it_writes(tmp_path, capsys):
    folder = photos(tmp_path / "pets")
    code, said, _ = inside(capsys, "data", folder, "--npz", tmp_path / "pets.npz")
    assert code == 0 and "20 to train, 4 to test, each 3 x 32 x 32" in said and "cat: 10, dog: 10" in said
    code, again, _ = inside(capsys, "data", tmp_path / "pets.npz")
    checksum = next(line for line in said.splitlines() if "of all images" in line)
    assert code == 0 and checksum in again
    (folder / "cat" / "003.png").write_bytes(b"no image")
    code, _, problem = inside(capsys, "data", folder)
    assert code == 2 and "003.png" in problem and "--skip-broken" in problem
    code, said, _ = inside(capsys, "data", folder, "--skip-broken", "--size", 16)
    assert code == 0 and "each 3 x 16 x 16" in said and "left out:" in said and "003.png" in said


@pytest.mark.parametrize("parts", [("Training", "Testing"), ("train", "test"), ("train",), ("VAL", "train")])
def test_folders_of_parts_are_not_taken_for_classes(tmp_path, parts):
    photos(tmp_path / "pets", parts)
    with pytest.raises(DataError, match="which are parts, not classes. It needs train/ and test/"):
        data.load(str(tmp_path / "pets"))
    photos(tmp_path / "vehicles", ("car", "train"))
    assert data.load(str(tmp_path / "vehicles")).classes == ("car", "train")


def test_images_in_hidden_folders_are_left_out(tmp_path):
    whole = data.load(str(photos(tmp_path / "pets"))).checksum()
    photos(tmp_path / "pets" / "cat" / ".thumbnails", ("small",))
    assert data.load(str(tmp_path / "pets")).checksum() == whole


def test_sixteen_bits_of_grey_become_eight_and_other_numbers_are_refused(tmp_path):
    folder = photos(tmp_path / "scans", ("blank", "text"), count=2, side=4)
    deep = np.array([[0, 257, 65535, 32896], [128, 129, 300, 65406]] * 2, np.uint16)
    Image.fromarray(deep).save(folder / "text" / "000.png")
    found = data.load(str(folder), rgb=True)
    (image,) = found.x_train[found.y_train == 1]
    expected = torch.tensor([[0, 1, 255, 128], [0, 1, 1, 254]] * 2, dtype=torch.uint8)
    assert torch.equal(image, expected.expand(3, 4, 4))
    with pytest.raises(DataError, match=r"000.png \(its kind is I;16, not RGB\).*--rgb"):
        data.load(str(folder))
    Image.fromarray(np.ones((4, 4), np.float32)).save(folder / "text" / "001.tif")
    with pytest.raises(DataError, match=r"001.tif \(its pixels are 32-bit numbers: bring them to 8 bits\)"):
        data.load(str(folder), rgb=True)


def test_what_chooses_images_of_a_folder_is_refused_for_a_named_data_set():
    with pytest.raises(DataError, match="mnist is no image folder: size, rgb of its images cannot be chosen"):
        data.load("mnist", size=8, rgb=True)


@pytest.mark.parametrize(
    "words, problem",
    [
        (("data", "mnst"), "did you mean 'mnist'"),
        (("data", "mnist", "--size", 8), "are for image folders"),
        (("data", "no/such/folder"), "is no folder"),
        (("data", "no.npz"), "no.npz"),
        (("data", "mnist", "--npz", "out.txt"), "must end in .npz"),
        (("data", "some/folder", "--download"), "a path cannot be downloaded"),
    ],
)
def test_the_command_refuses_what_cannot_be(words, problem, capsys):
    code, _, said = inside(capsys, *words)
    assert code == 2 and problem in said


def test_a_readers_folder_is_a_data_set_of_an_arm(tmp_path):
    one, other = photos(tmp_path / "a" / "pets"), photos(tmp_path / "b" / "pets", ("owl", "fox", "hen"))
    for folder, classes in ((one, 2), (other, 3)):
        arm = Arm(
            "mine",
            "alternating",
            dataset=str(folder),
            network="mobilenet-v1-x0.25",
            train=TrainConfig(epochs=2, batch_size=5),
            switcher=SwitcherConfig(channels=(2,)),
        )
        record = runner.run(arm, "quick", 0, tmp_path / "records", torch.device("cpu"))
        assert (
            record["status"] == "finished"
            and record["images"]["shape"] == [3, 32, 32]
            and record["images"]["classes"] == classes
        )
        assert record["images"]["checksum"] == data.load(str(folder)).checksum()
        assert records.arm_of(record) == arm
    folders = sorted(path.name for path in (tmp_path / "records" / "quick").iterdir())
    assert len(folders) == 2 and all(
        name.startswith("pets-") and name.endswith("-mobilenet-v1-x0.25") for name in folders
    )


def test_a_data_set_smaller_than_a_batch_is_refused(tmp_path):
    arm = Arm(
        "mine",
        "dense",
        dataset=str(photos(tmp_path / "pets")),
        network="mobilenet-v1-x0.25",
        train=TrainConfig(epochs=1, batch_size=64),
    )
    with pytest.raises(ValueError, match="batch_size=64 is larger than the data set: pets has 20 training images"):
        runner.run(arm, "quick", 0, tmp_path / "records", torch.device("cpu"))


def test_labels_outside_their_range_are_refused(tmp_path):
    whole = data.load(str(photos(tmp_path / "pets")))
    with pytest.raises(DataError, match="labels run from .* to 2, but there are 2 classes"):
        data.checked(dataclasses.replace(whole, y_test=whole.y_test + 1), tmp_path)


def test_what_is_no_image_folder_loads_without_pil():
    """In a process of its own, whose PIL cannot be imported."""
    program = "import sys; sys.modules['PIL'] = None; from snnlib import data; print(len(data.load('mnist').x_test))"
    done = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, timeout=300)
    assert done.stdout == "10000\n", done.stderr
