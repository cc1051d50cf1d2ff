"""MNIST and Fashion-MNIST: four gzipped IDX files each, checked by their checksums."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from .dataset import DataError, Dataset, checked

MNIST_FILES = {
    "train-images-idx3-ubyte.gz": "0b367032e93c5d0cea0925647cfdb18614af8ee15f83e6f2fc2ad904a6835971",
    "train-labels-idx1-ubyte.gz": "1787548bbe0bff1ec2ecdc0ef292b02df999e2d1a6002d27500982c652b17203",
    "t10k-images-idx3-ubyte.gz": "1a1a05eab793c14bb050b398624a11b0ffd1a2953baed553b1b9bd079e2a20be",
    "t10k-labels-idx1-ubyte.gz": "b91679a0acfe4ba0e50a2437a903084cba1f5f92592b016a25a7dfd00455798b",
}
"""SHA-256 of MNIST's four official files, as they stand in data/mnist/."""

MNIST_UNPACKED = {
    "train-images-idx3-ubyte.gz": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte.gz": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte.gz": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte.gz": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
"""SHA-256 of what the four files hold: others, torchvision's for one, have compressed the same anew."""


def read_idx(path: Path, expected: str | None = None, unpacked: str | None = None) -> NDArray[np.uint8]:
    """Read one gzipped IDX file of uint8 values.

    ``expected`` is its SHA-256, ``unpacked`` that of what it holds; one of the two must agree. Raises
    :class:`DataError` where the file is missing, has other checksums, is cut off or is no IDX file.
    """
    if not path.exists():
        raise DataError(
            f"{path} is missing. Get MNIST's four files with `snn data mnist --download`; where they are part of the "
            "checkout, restore them with `git checkout data/mnist`."
        )
    raw = path.read_bytes()
    found = hashlib.sha256(raw).hexdigest()
    if expected is not None and found != expected and (unpacked is None or _unpacked(raw) != unpacked):
        raise DataError(
            f"{path} is damaged: expected SHA-256 {expected}, found {found} ({len(raw)} bytes). "
            f"Restore it with `git checkout {path}`, or delete it and get it anew with `snn data mnist --download`."
        )
    try:
        body = gzip.decompress(raw)
        rank = body[3]
        shape = tuple(int(n) for n in np.frombuffer(body, ">i4", rank, offset=4))
        return np.frombuffer(body, np.uint8, offset=4 + 4 * rank).reshape(shape)
    except (OSError, EOFError, ValueError, IndexError, zlib.error) as error:
        raise DataError(f"{path} is not a whole gzipped IDX file ({error}).") from error


def _unpacked(raw: bytes) -> str:
    """SHA-256 of what a gzipped file holds; empty where it is damaged."""
    try:
        return hashlib.sha256(gzip.decompress(raw)).hexdigest()
    except (OSError, EOFError, zlib.error):
        return ""


def place_of_files(folder: Path) -> Path | None:
    """Where MNIST's files are: ``folder``, or MNIST/raw below it, where torchvision puts them; None where neither."""
    return next(
        (place for place in (folder, folder / "MNIST" / "raw") if (place / next(iter(MNIST_FILES))).exists()), None
    )


def load_mnist(folder: Path, check: bool = True) -> Dataset:
    """MNIST from its four official files (:func:`place_of_files`); ``check`` compares their SHA-256."""
    folder = place_of_files(folder) or folder
    return _four_files(
        "mnist",
        folder,
        [read_idx(folder / name, *((sha, MNIST_UNPACKED[name]) if check else ())) for name, sha in MNIST_FILES.items()],
        tuple("0123456789"),
    )


def load_fashion(folder: Path) -> Dataset:
    """Fashion-MNIST (our own extra) from the files that torchvision downloads below ``folder``, MD5 checked."""
    from torchvision.datasets import FashionMNIST
    from torchvision.datasets.utils import check_integrity

    raw = folder / "FashionMNIST" / "raw"
    if not raw.is_dir():
        raise DataError(f"Fashion-MNIST is not in {folder}. Get it with `snn data fashion-mnist --download`.")
    for name, md5 in FashionMNIST.resources:
        if not check_integrity(str(raw / name), md5):
            raise DataError(
                f"{raw / name} is missing or damaged (expected MD5 {md5}). Get it anew with `snn data fashion-mnist "
                "--download`."
            )
    return _four_files(
        "fashion-mnist", folder, [read_idx(raw / name) for name in MNIST_FILES], tuple(FashionMNIST.classes)
    )


def _four_files(name: str, folder: Path, arrays: list[NDArray[np.uint8]], classes: tuple[str, ...]) -> Dataset:
    x_train, y_train, x_test, y_test = (torch.from_numpy(array.copy()) for array in arrays)
    return checked(Dataset(name, x_train[:, None], y_train.long(), x_test[:, None], y_test.long(), classes), folder)
