"""The embedded data set, and what is said of a damaged one."""

import gzip
import hashlib
import shutil

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from snnlib import data

IMAGES, LABELS = "train-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"


@pytest.fixture(scope="module")
def mnist():
    return data.load("mnist")


@pytest.fixture
def folder(tmp_path):
    """A copy of MNIST's files, to be damaged."""
    return shutil.copytree(data.data_folder() / "mnist", tmp_path / "mnist")


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
    for part in (str(folder / name), f"expected SHA-256 {data.MNIST_FILES[name]}", f"found {hashlib.sha256(raw).hexdigest()}", f"{len(raw)} bytes"):
        assert part in str(error.value)


def test_a_missing_file_is_named_with_the_remedy(folder):
    (folder / LABELS).unlink()
    with pytest.raises(data.DataError, match=f"{LABELS} is missing.*git checkout data/mnist"):
        data.load("mnist", folder)


@pytest.mark.parametrize(
    "content",
    [b"no gzip", gzip.compress(b""), gzip.compress(b"\0\0\x08\x01"), idx(np.zeros(9, np.uint8))[:-9], idx(np.zeros(9, np.uint8))[:20]],
)
def test_a_file_that_is_no_whole_idx_file_is_refused_without_checksum_too(tmp_path, content):
    path = tmp_path / "x.gz"
    path.write_bytes(content)
    with pytest.raises(data.DataError, match="x.gz is not a whole gzipped IDX file"):
        data.read_idx(path)


def test_images_and_labels_of_different_number_are_refused(tmp_path):
    for name, count in zip(data.MNIST_FILES, (3, 2, 1, 1)):
        shape = (count, 28, 28) if "images" in name else (count,)
        (tmp_path / name).write_bytes(idx(np.zeros(shape, np.uint8)))
    with pytest.raises(data.DataError, match="3 training images but 2 labels"):
        data.load_mnist(tmp_path, check=False)


def test_an_unknown_data_set_is_refused():
    with pytest.raises(KeyError, match="unknown data set 'minst'; known: mnist"):
        data.load("minst")


def test_the_folder_can_be_set(monkeypatch, tmp_path):
    monkeypatch.setenv("SNNLIB_DATA", str(tmp_path))
    assert data.data_folder() == tmp_path
    with pytest.raises(data.DataError, match="is missing"):
        data.load("mnist")
