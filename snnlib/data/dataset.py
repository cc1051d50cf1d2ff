"""Whole data sets as uint8 tensors on the device; batches by index, so that no DataLoader is needed."""

from __future__ import annotations

import gzip
import hashlib
import os
import zipfile
import zlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

MNIST_FILES = {
    "train-images-idx3-ubyte.gz": "0b367032e93c5d0cea0925647cfdb18614af8ee15f83e6f2fc2ad904a6835971",
    "train-labels-idx1-ubyte.gz": "1787548bbe0bff1ec2ecdc0ef292b02df999e2d1a6002d27500982c652b17203",
    "t10k-images-idx3-ubyte.gz": "1a1a05eab793c14bb050b398624a11b0ffd1a2953baed553b1b9bd079e2a20be",
    "t10k-labels-idx1-ubyte.gz": "b91679a0acfe4ba0e50a2437a903084cba1f5f92592b016a25a7dfd00455798b",
}
"""SHA-256 of MNIST's four official files, as they stand in data/mnist/."""


class DataError(Exception):
    """A data set is missing or damaged; the message names the file and the remedy."""


@dataclass(frozen=True)
class Dataset:
    """Images ``x_*`` (images, channels, height, width) uint8 and labels ``y_*`` (images,) int64, on one device."""

    name: str
    x_train: Tensor
    y_train: Tensor
    x_test: Tensor
    y_test: Tensor
    classes: tuple[str, ...]

    @property
    def image(self) -> tuple[int, int, int]:
        """(channels, height, width) of an image."""
        return tuple(self.x_train.shape[1:])

    def to(self, device: str | torch.device) -> Dataset:
        """The same data set on another device."""
        fields = {key: getattr(self, key).to(device) for key in ("x_train", "y_train", "x_test", "y_test")}
        return replace(self, **fields)

    def first(self, count: int | None) -> Dataset:
        """The first ``count`` training images (all of them if None); the test images stay."""
        return replace(self, x_train=self.x_train[:count], y_train=self.y_train[:count])

    def holdout(self, count: int = 5000) -> Dataset:
        """Hold out the last ``count`` training images: they become the test images, for every choice of a setting."""
        if not 0 < count < len(self.x_train):
            raise ValueError(f"holdout of {count} images: {self.name} has {len(self.x_train)} training images")
        x, y = self.x_train, self.y_train
        return replace(self, x_train=x[:-count], y_train=y[:-count], x_test=x[-count:], y_test=y[-count:])


def scale(images: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """uint8 images to numbers from 0 to 1, same shape."""
    return images.to(dtype) / 255


def data_folder() -> Path:
    """Where data sets are looked for: ``SNNLIB_DATA``, else data/ of the checkout or of the working directory."""
    if os.environ.get("SNNLIB_DATA"):
        return Path(os.environ["SNNLIB_DATA"])
    for root in (Path(__file__).resolve().parents[1], Path.cwd()):
        if (root / "data" / "mnist").is_dir():
            return root / "data"
    return Path("data")


def read_idx(path: Path, expected: str | None = None) -> np.ndarray:
    """Read one gzipped IDX file of uint8 values.

    ``expected`` is its SHA-256. Raises :class:`DataError` where the file is missing, has another checksum, is
    cut off or is no IDX file.
    """
    if not path.exists():
        raise DataError(f"{path} is missing. MNIST's four files belong in data/mnist/: restore them with `git checkout data/mnist`.")
    raw = path.read_bytes()
    found = hashlib.sha256(raw).hexdigest()
    if expected is not None and found != expected:
        raise DataError(
            f"{path} is damaged: expected SHA-256 {expected}, found {found} ({len(raw)} bytes). "
            f"Restore it with `git checkout {path}`."
        )
    try:
        body = gzip.decompress(raw)
        rank = body[3]
        shape = tuple(int(n) for n in np.frombuffer(body, ">i4", rank, offset=4))
        return np.frombuffer(body, np.uint8, offset=4 + 4 * rank).reshape(shape)
    except (OSError, EOFError, ValueError, IndexError, zlib.error) as error:
        raise DataError(f"{path} is not a whole gzipped IDX file ({error}).") from error


def load_mnist(folder: Path, check: bool = True) -> Dataset:
    """MNIST from its four official files in ``folder``; ``check`` compares their SHA-256."""
    arrays = [read_idx(folder / name, sha if check else None) for name, sha in MNIST_FILES.items()]
    x_train, y_train, x_test, y_test = (torch.from_numpy(a.copy()) for a in arrays)
    for images, labels, part in ((x_train, y_train, "training"), (x_test, y_test, "test")):
        if len(images) != len(labels):
            raise DataError(f"{folder}: {len(images)} {part} images but {len(labels)} labels.")
    return Dataset("mnist", x_train[:, None], y_train.long(), x_test[:, None], y_test.long(), tuple("0123456789"))


def load_npz(path: Path, name: str) -> Dataset:
    """A data set from one NPZ file: x_train, y_train, x_test, y_test (uint8; images N,H,W or N,H,W,3) and classes."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {key: file[key] for key in ("x_train", "y_train", "x_test", "y_test", "classes")}
    except KeyError as error:
        raise DataError(f"{path}: {error.args[0]}. Needed are x_train, y_train, x_test, y_test and classes.") from error
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} is cut off or no NPZ file ({error}). Make it again.") from error
    images = {}
    for part in ("train", "test"):
        x, y = torch.from_numpy(arrays[f"x_{part}"]), torch.from_numpy(arrays[f"y_{part}"]).long()
        if x.dtype != torch.uint8 or x.ndim not in (3, 4) or len(x) != len(y):
            raise DataError(f"{path}: x_{part} has shape {tuple(x.shape)} and type {x.dtype} for {len(y)} labels; needed are uint8 images N,H,W or N,H,W,3.")
        images[part] = (x[:, None] if x.ndim == 3 else x.permute(0, 3, 1, 2).contiguous(), y)
    return checked(Dataset(name, *images["train"], *images["test"], tuple(str(c) for c in arrays["classes"])), path)


def checked(dataset: Dataset, source: Path) -> Dataset:
    """Return ``dataset``; :class:`DataError` for fewer than two classes or labels outside their range."""
    if len(dataset.classes) < 2:
        raise DataError(f"{source}: {len(dataset.classes)} class; a classification needs two at least.")
    for part, labels in (("training", dataset.y_train), ("test", dataset.y_test)):
        if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < len(dataset.classes):
            raise DataError(f"{source}: {part} labels run from {int(labels.min())} to {int(labels.max())}, but there are {len(dataset.classes)} classes.")
    return dataset


def load_cifar10(folder: Path) -> Dataset:
    """CIFAR-10 from cifar10.npz in or beside ``folder``, or from the official batches as torchvision unpacks them."""
    for npz in (folder / "cifar10.npz", folder.with_suffix(".npz")):
        if npz.exists():
            return load_npz(npz, "cifar10")
    if not (folder / "cifar-10-batches-py").is_dir():
        raise DataError(
            f"CIFAR-10 is not in {folder}. Get it with `snn data cifar10 --download`, or set SNNLIB_DATA to a folder that holds cifar10.npz."
        )
    from torchvision.datasets import CIFAR10

    parts = [CIFAR10(str(folder), train=train) for train in (True, False)]
    tensors = [(torch.from_numpy(part.data).permute(0, 3, 1, 2).contiguous(), torch.tensor(part.targets)) for part in parts]
    return Dataset("cifar10", *tensors[0], *tensors[1], tuple(parts[0].classes))


def load_fashion(folder: Path) -> Dataset:
    """Fashion-MNIST (an extra of ours) as torchvision unpacks it below ``folder``."""
    if not (folder / "FashionMNIST" / "raw").is_dir():
        raise DataError(f"Fashion-MNIST is not in {folder}. Get it with `snn data fashion-mnist --download`.")
    from torchvision.datasets import FashionMNIST

    parts = [FashionMNIST(str(folder), train=train) for train in (True, False)]
    return Dataset("fashion-mnist", parts[0].data[:, None], parts[0].targets, parts[1].data[:, None], parts[1].targets, tuple(parts[0].classes))


def load_mini_imagenet(folder: Path) -> Dataset:
    """Mini-ImageNet from mini_imagenet.npz in or beside ``folder``: 100 classes, 500 images each to train, 100 to test."""
    for npz in (folder / "mini_imagenet.npz", folder.with_suffix(".npz")):
        if npz.exists():
            return load_npz(npz, "mini_imagenet")
    raise DataError(f"Mini-ImageNet is not in {folder}. Set SNNLIB_DATA to a folder that holds mini_imagenet.npz, or name an image folder by its path.")


LOADERS = {
    "mnist": load_mnist,
    "cifar10": load_cifar10,
    "fashion-mnist": load_fashion,
    "mini_imagenet": load_mini_imagenet,
}
CHECKSUMS = {"mnist": MNIST_FILES}


def load(name: str, folder: Path | None = None, device: str | torch.device = "cpu") -> Dataset:
    """Load data set ``name`` whole onto ``device``.

    ``folder`` is the folder of that data set; by default NAME below :func:`data_folder`. Raises
    :class:`DataError` where a file is missing or damaged, ``KeyError`` for an unknown name.
    """
    if name not in LOADERS:
        raise KeyError(f"unknown data set {name!r}; known: {', '.join(LOADERS)}")
    return LOADERS[name](Path(folder) if folder else data_folder() / name).to(device)
