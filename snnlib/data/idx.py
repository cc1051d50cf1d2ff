"""IDX files, MNIST's format: MNIST and Fashion-MNIST, checked by their checksums, and any other data set by its path.

Many data sets come as four files of this format under MNIST's names: Fashion-MNIST as Debian packs it, KMNIST, and
EMNIST, whose names begin with that of one of its parts (emnist-letters-train-images-idx3-ubyte.gz).
"""

from __future__ import annotations

import gzip
import hashlib
import re
import zlib
from pathlib import Path
from typing import Any

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

GZIPPED, BYTES = b"\x1f\x8b", b"\0\0\x08"
"""How a gzipped file begins, and how an IDX file of unsigned bytes does."""

NAMED = re.compile(
    r"(?P<set>.*?)[-_.]?(?P<part>train|t10k|test)[-_.](?P<what>images|labels)[-_.]idx[13][-_.]ubyte(\.gz)?",
    re.IGNORECASE,
)
"""MNIST's names of files, behind the name of a data set where a folder holds several."""

NAMES = {"train": "train", "t10k": "test", "test": "test"}
"""What a file's name calls a part, and what we call it."""


def read_idx(path: Path, expected: str | None = None, unpacked: str | None = None) -> NDArray[np.uint8]:
    """Read one IDX file of uint8 values, gzipped or plain.

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
            f"Restore it with `git checkout {path}`, or delete it and get it anew with `snn data mnist --download`. "
            "Another data set of this format is read by its path: `snn data FOLDER`."
        )
    try:
        body = gzip.decompress(raw) if raw[:2] == GZIPPED else raw
        if body[:3] != BYTES:
            raise ValueError(f"it begins with {body[:3].hex(' ') or 'nothing'}, not with {BYTES.hex(' ')}")
        rank = body[3]
        shape = tuple(int(n) for n in np.frombuffer(body, ">i4", rank, offset=4))
        return np.frombuffer(body, np.uint8, offset=4 + 4 * rank).reshape(shape)
    except (OSError, EOFError, ValueError, IndexError, zlib.error) as error:
        raise DataError(f"{path} is not a whole IDX file of single bytes ({error}).") from error


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


def idx_sets(path: Path) -> dict[str, dict[str, Path]]:
    """The data sets of IDX files that ``path`` means: their files by name of the set, then "train images" and so on.

    ``path`` is their folder; of several sets in one folder FOLDER/NAME means one ("gzip/emnist-letters"), as does any
    of its files. The name is empty where the files have MNIST's own names. Nothing is read; empty where there are none.
    """
    one, folder = NAMED.fullmatch(path.name), path if path.is_dir() else path.parent
    wanted = None if path.is_dir() else one["set"] if one else path.name
    found: dict[str, dict[str, Path]] = {}
    for file in sorted(folder.iterdir()) if folder.is_dir() else ():
        named = NAMED.fullmatch(file.name)
        if named and file.is_file() and wanted in (None, named["set"]):
            part = f"{NAMES[named['part'].lower()]} {named['what'].lower()}"
            found.setdefault(named["set"], {}).setdefault(part, file)
    return found


def load_idx(path: Path) -> Dataset:
    """The data set of the IDX files that ``path`` means (:func:`idx_sets`), whichever it is.

    Its classes are called after the labels that its training images have, which may be any numbers. Without test
    files every sixth training image of a class is a test image. Raises :class:`DataError` where a folder holds several
    data sets, where one lacks a file, or where a file is cut off or does not hold what its name says.
    """
    sets = idx_sets(path)
    folder = path if path.is_dir() else path.parent
    if len(sets) != 1:
        names = ", ".join(str(folder / name) for name in sets)
        raise DataError(f"{path} holds {len(sets)} data sets of IDX files. Name one of them: {names}.")
    [(name, files)] = sets.items()
    wanted = [f"{part} {what}" for part in ("train", "test") for what in ("images", "labels")]
    missing = [each for each in wanted if each not in files]
    if missing and missing != wanted[2:]:
        there = ", ".join(file.name for file in files.values())
        raise DataError(f"{folder} holds {there}, but no IDX file of the {' and the '.join(missing)}.")
    arrays = {each: read_idx(files[each]) for each in wanted if each in files}
    for each, array in arrays.items():
        if array.ndim != (3 if "images" in each else 1):
            needed = "images (images, height, width)" if "images" in each else "labels, one number for each image"
            raise DataError(f"{files[each]} holds an array of shape {array.shape}; needed are {needed}.")
    values = np.unique(arrays["train labels"])
    strange = sorted(set(np.unique(arrays.get("test labels", values)).tolist()) - set(values.tolist()))
    if strange:
        raise DataError(f"{files['test labels']} holds the label {strange[0]}, which no training image has.")
    whole = {each: np.searchsorted(values, array) if "labels" in each else array for each, array in arrays.items()}
    for what in ("images", "labels"):
        whole.setdefault(f"test {what}", whole[f"train {what}"][:0])
    title = name or folder.resolve().name
    found = _four_files(
        title, folder, [whole[each] for each in wanted], tuple(map(str, values.tolist())), bool(missing)
    )
    return found.apart() if missing else found


def load_fashion(folder: Path) -> Dataset:
    """Fashion-MNIST (our own extra) from the files that torchvision downloads below ``folder``, MD5 checked."""
    from torchvision.datasets import FashionMNIST
    from torchvision.datasets.utils import check_integrity

    raw = folder / "FashionMNIST" / "raw"
    if not raw.is_dir():
        raise DataError(
            f"Fashion-MNIST is not in {folder}. Get it with `snn data fashion-mnist --download`; IDX files that are "
            "here already, in /usr/share/datasets/fashion-mnist of Debian say, are read by the path of their folder."
        )
    for name, md5 in FashionMNIST.resources:
        if not check_integrity(str(raw / name), md5):
            raise DataError(
                f"{raw / name} is missing or damaged (expected MD5 {md5}). Get it anew with `snn data fashion-mnist "
                "--download`."
            )
    return _four_files(
        "fashion-mnist", folder, [read_idx(raw / name) for name in MNIST_FILES], tuple(FashionMNIST.classes)
    )


def _four_files(
    name: str, folder: Path, arrays: list[NDArray[Any]], classes: tuple[str, ...], no_test: bool = False
) -> Dataset:
    x_train, y_train, x_test, y_test = (torch.from_numpy(array.copy()) for array in arrays)
    found = Dataset(name, x_train[:, None], y_train.long(), x_test[:, None], y_test.long(), classes)
    return checked(found, folder, no_test)
