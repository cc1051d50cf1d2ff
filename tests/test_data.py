"""The embedded data set, and what is said of a damaged one."""

import gzip
import hashlib
import shutil

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis.extra import numpy as arrays
from PIL import Image

from snnlib import data
from snnlib.data import mini_imagenet
from snnlib.seeds import generator

IMAGES, LABELS = "train-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"


@pytest.fixture(scope="module")
def mnist():
    return data.load("mnist")


@pytest.fixture
def folder(tmp_path):
    """A copy of MNIST's files, to be damaged."""
    return shutil.copytree(data.folder_of("mnist"), tmp_path / "mnist")


def idx(array):
    """``array`` of uint8 as a gzipped IDX file."""
    head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes()
    return gzip.compress(head + array.tobytes(), 1)


def test_mnist_is_whole(mnist):
    assert mnist.x_train.shape == (60000, 1, 28, 28) and mnist.x_test.shape == (10000, 1, 28, 28)
    assert mnist.x_train.dtype == torch.uint8 and mnist.y_train.dtype == torch.int64
    assert mnist.y_train.bincount().tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert mnist.y_test.bincount().tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert mnist.y_train[:5].tolist() == [5, 0, 4, 1, 9]
    assert len(mnist.classes) == 10


def test_images_are_scaled_to_at_most_one(mnist):
    scaled = data.scale(mnist.x_test[:100])
    assert scaled.dtype == torch.float32 and (scaled.min(), scaled.max()) == (0, 1)
    assert data.scale(mnist.x_test[:2], torch.float64).dtype == torch.float64
    assert torch.equal((scaled * 255).round().to(torch.uint8), mnist.x_test[:100])


def test_held_out_images_are_training_images_that_are_not_trained_on(mnist):
    part = mnist.holdout(5000)
    assert len(part.x_train) == 55000 and len(part.x_test) == 5000
    assert torch.equal(torch.cat([part.x_train, part.x_test]), mnist.x_train)
    assert torch.equal(torch.cat([part.y_train, part.y_test]), mnist.y_train)
    for count in (0, 60000):
        with pytest.raises(ValueError, match="holdout of"):
            mnist.holdout(count)


def test_first_keeps_the_test_images(mnist):
    few = mnist.first(7)
    assert torch.equal(few.x_train, mnist.x_train[:7]) and torch.equal(few.y_train, mnist.y_train[:7])
    assert len(few.x_test) == 10000 and len(mnist.first(None).x_train) == 60000


@given(arrays.arrays(np.uint8, arrays.array_shapes(min_dims=1, max_dims=3, max_side=5)))
def test_an_idx_file_is_read_as_it_was_written(tmp_path_factory, array):
    path = tmp_path_factory.mktemp("idx") / "x.gz"
    path.write_bytes(idx(array))
    assert np.array_equal(data.read_idx(path), array)


@pytest.mark.parametrize("name", [IMAGES, LABELS])
@pytest.mark.parametrize("damage", ["one bit", "cut off", "empty"])
def test_a_damaged_file_is_named_with_expected_and_found_checksum(folder, name, damage):
    raw = bytearray((folder / name).read_bytes())
    if damage == "one bit":
        raw[len(raw) // 2] ^= 4
    else:
        raw = raw[: len(raw) // 2] if damage == "cut off" else b""
    (folder / name).write_bytes(raw)
    with pytest.raises(data.DataError) as error:
        data.load("mnist", folder)
    for part in (
        str(folder / name),
        f"expected SHA-256 {data.MNIST_FILES[name]}",
        f"found {hashlib.sha256(raw).hexdigest()}",
        f"{len(raw)} bytes",
    ):
        assert part in str(error.value)


def test_a_missing_file_is_named_with_the_remedy(folder):
    (folder / LABELS).unlink()
    with pytest.raises(data.DataError, match=f"{LABELS} is missing.*git checkout data/mnist"):
        data.load("mnist", folder)


@pytest.mark.parametrize(
    "content",
    [
        b"no gzip",
        gzip.compress(b""),
        gzip.compress(b"\0\0\x08\x01"),
        idx(np.zeros(9, np.uint8))[:-9],
        idx(np.zeros(9, np.uint8))[:20],
    ],
    ids=["no gzip", "nothing", "no shape", "cut in the trailer", "cut in the values"],
)
def test_a_file_that_is_no_whole_idx_file_is_refused_without_checksum_too(tmp_path, content):
    path = tmp_path / "x.gz"
    path.write_bytes(content)
    with pytest.raises(data.DataError, match="x.gz is not a whole IDX file"):
        data.read_idx(path)


def test_images_and_labels_of_different_number_are_refused(tmp_path):
    for name, count in zip(data.MNIST_FILES, (3, 2, 1, 1)):
        shape = (count, 28, 28) if "images" in name else (count,)
        (tmp_path / name).write_bytes(idx(np.zeros(shape, np.uint8)))
    with pytest.raises(data.DataError, match="3 training images but 2 labels"):
        data.load_mnist(tmp_path, check=False)


def test_an_unknown_data_set_is_refused():
    with pytest.raises(data.DataError, match="unknown data set 'minst': did you mean 'mnist'. known: mnist"):
        data.load("minst")


def test_the_folder_can_be_set(monkeypatch, tmp_path):
    monkeypatch.setenv("SNNLIB_DATA", str(tmp_path))
    assert data.data_folder() == tmp_path
    assert len(data.load("mnist").x_test) == 10000  # MNIST is in the checkout, where that folder has none
    (tmp_path / "mnist").mkdir()
    with pytest.raises(data.DataError, match="is missing"):
        data.load("mnist", tmp_path / "mnist")  # a folder that is named is not filled by a download
    for name, message in (
        ("cifar10", "snn data cifar10 --download"),
        ("fashion-mnist", "snn data fashion-mnist --download"),
        ("mini_imagenet", "subfolder of 600 images"),
    ):
        with pytest.raises(data.DataError, match=message):
            data.load(name)


def picture(path, size=(8, 6), mode="RGB", seed=0):
    """Write random pixels as an image file; returns them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shape = (size[1], size[0], 3) if mode in ("RGB", "RGBA") else (size[1], size[0])
    pixels = np.random.default_rng(seed).integers(0, 256, shape, np.uint8)
    Image.fromarray(pixels).convert(mode).save(path)
    return pixels


@pytest.fixture
def photos(tmp_path):
    """Two classes of twelve and six images of 8 x 6 pixels, and their pixels by path."""
    names = [("cat", index) for index in range(12)] + [("dog", index) for index in range(6)]
    return tmp_path / "photos", {
        path: picture(path, seed=seed)
        for seed, path in enumerate(tmp_path / "photos" / label / f"{index:02}.png" for label, index in names)
    }


def test_every_sixth_image_of_a_class_folder_is_a_test_image(photos):
    folder, pixels = photos
    found = data.load(str(folder))
    assert found.classes == ("cat", "dog") and found.image == (3, 6, 8) and len(found.x_train) == 15
    expected = [pixels[folder / name] for name in ("cat/05.png", "dog/05.png", "cat/11.png")]  # dealt out in proportion
    assert torch.equal(found.x_test.permute(0, 2, 3, 1), torch.from_numpy(np.stack(expected)))
    assert found.y_test.tolist() == [0, 1, 0] and found.y_train.bincount().tolist() == [10, 5]
    assert found.y_train[:6].bincount().tolist() == [4, 2]


def test_train_and_test_folders_are_kept_and_must_hold_the_same_classes(photos, tmp_path):
    folder, _ = photos
    both = tmp_path / "both"
    shutil.copytree(folder, both / "train")
    with pytest.raises(data.DataError, match="neither test/ nor val/"):
        data.load(str(both))
    shutil.copytree(folder, both / "val")
    assert (len(data.load(str(both)).x_train), len(data.load(str(both)).x_test)) == (18, 18)
    shutil.move(both / "val" / "dog", both / "val" / "wolf")
    with pytest.raises(data.DataError, match="different classes: dog, wolf in one of them"):
        data.load(str(both))


def test_a_broken_image_is_named_or_skipped(photos):
    folder, _ = photos
    torn, text = folder / "cat" / "03.png", folder / "dog" / "01.png"
    torn.write_bytes(torn.read_bytes()[:100])
    text.write_text("no image")
    with pytest.raises(data.DataError, match="2 of 18 images cannot be used") as error:
        data.load(str(folder))
    assert str(torn) in str(error.value) and str(text) in str(error.value) and "--skip-broken" in str(error.value)
    found = data.load(str(folder), skip_broken=True)
    assert set(found.skipped) == {str(torn), str(text)} and len(found.x_train) + len(found.x_test) == 16


@pytest.mark.parametrize("mode", ["L", "RGBA", "P"])
def test_an_image_of_another_kind_is_named_skipped_or_converted(photos, mode):
    folder, _ = photos
    odd = folder / "cat" / "03.png"
    picture(odd, mode=mode)
    with pytest.raises(data.DataError, match=f"03.png .its kind is {mode}, not RGB"):
        data.load(str(folder))
    assert data.load(str(folder), skip_broken=True).skipped == (str(odd),)
    assert len(data.load(str(folder), rgb=True).x_train) == 15


def test_a_greyscale_folder_has_one_channel(tmp_path):
    for label in "ab":
        for index in range(3):
            picture(tmp_path / label / f"{index}.png", mode="L")
    assert data.load(str(tmp_path)).image == (1, 6, 8)


def test_unequal_sizes_are_named_or_brought_to_one(photos):
    folder, _ = photos
    picture(folder / "dog" / "02.png", size=(9, 6))
    with pytest.raises(data.DataError, match="Most are 8 x 6, but not .*dog/02.png .9 x 6.*--size 64"):
        data.load(str(folder))
    assert data.load(str(folder), size=4).image == (3, 4, 4)


def test_one_class_and_an_empty_class_are_refused(photos):
    folder, _ = photos
    (folder / "empty").mkdir()
    with pytest.raises(data.DataError, match="empty holds no image"):
        data.load(str(folder))
    shutil.rmtree(folder / "empty")
    shutil.rmtree(folder / "dog")
    with pytest.raises(data.DataError, match="one class .cat."):
        data.load(str(folder))


def test_an_image_folder_kept_in_a_file_is_the_same_data_set(photos, tmp_path):
    found = data.load(str(photos[0]))
    data.save_npz(found, tmp_path / "photos.npz")
    again = data.load(str(tmp_path / "photos.npz"))
    assert again.checksum() == found.checksum() and again.classes == found.classes
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photos", "photos.npz"]


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("y_train", np.array([0, 2]), "labels run from 0 to 2"),
        ("classes", np.array(["a"]), "1 class"),
        ("classes", np.array("a"), r"classes has shape \(\); needed is a list with the name of each class, or none"),
        ("y_test", np.array([0.0, 1.0]), "whole number"),
        ("x_train", np.zeros((2, 4, 4, 4), np.uint8), "needed are uint8 images"),
        ("x_test", np.zeros((2, 5, 5, 3), np.uint8), "test images 3 x 5 x 5"),
        ("y_train", np.array([0]), "2 training images but 1 labels"),
    ],
)
def test_a_bad_npz_file_is_refused(tmp_path, key, value, message):
    images = np.zeros((2, 4, 4, 3), np.uint8)
    good = {
        "x_train": images,
        "y_train": np.array([0, 1]),
        "x_test": images,
        "y_test": np.array([1, 0]),
        "classes": np.array(["a", "b"]),
    }
    np.savez(tmp_path / "x.npz", **good | {key: value})
    with pytest.raises(data.DataError, match=message):
        data.load(str(tmp_path / "x.npz"))


def test_the_split_of_mini_imagenet_is_the_documented_draw():
    for place, (name, positions) in enumerate(mini_imagenet.test_images().items()):
        drawn = torch.randperm(600, generator=generator(0, "mini-imagenet split", place))[:100]
        assert list(positions) == sorted(drawn.tolist()), name
    assert place == 99


@pytest.mark.skipif(
    not (data.data_folder() / "mini_imagenet.npz").exists(), reason="needs mini_imagenet.npz below SNNLIB_DATA"
)
def test_the_mini_imagenet_file_has_the_classes_of_our_split():
    assert data.load("mini_imagenet").classes == tuple(mini_imagenet.test_images())


def test_a_data_set_is_printed_as_what_it_is_and_not_as_its_images():
    shown = repr(data.load("mnist").first(100))
    assert shown == (
        "Dataset('mnist': 100 images to train, 10000 to judge on, each 1 x 28 x 28; 10 classes: "
        "0, 1, 2, 3, 4, 5, 6, 7, 8, 9)"
    )
