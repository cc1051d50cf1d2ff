"""Whole data sets as uint8 tensors on the device: ``data.load("mnist")``, or a data set of your own by its path.

One module for each kind of source; all return a :class:`Dataset` and raise :class:`DataError`.
"""

from __future__ import annotations

import difflib
import inspect
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from .cifar import BATCHES, load_batches, load_cifar10
from .dataset import DataError, Dataset, Normalize, check_arrays, checked, colour_statistics, pixel_order, scale
from .download import DOWNLOADS, download
from .folder import load_folder
from .idx import MNIST_FILES, idx_sets, load_fashion, load_idx, load_mnist, place_of_files, read_idx
from .mini_imagenet import load_mini_imagenet
from .npz import load_npz, save_npz
from .place import data_folder, folder_of

__all__ = [
    "CHECKSUMS",
    "DOWNLOADS",
    "LOADERS",
    "MNIST_FILES",
    "DataError",
    "Dataset",
    "Normalize",
    "check_arrays",
    "checked",
    "colour_statistics",
    "data_folder",
    "download",
    "folder_of",
    "is_path",
    "load",
    "load_cifar10",
    "load_fashion",
    "load_folder",
    "load_idx",
    "load_mini_imagenet",
    "load_mnist",
    "load_npz",
    "pixel_order",
    "read_idx",
    "save_npz",
    "scale",
]

LOADERS: dict[str, Callable[..., Dataset]] = {
    "mnist": load_mnist,
    "cifar10": load_cifar10,
    "fashion-mnist": load_fashion,
    "mini_imagenet": load_mini_imagenet,
}
"""Name of a data set to the function that loads it from its folder."""

CHECKSUMS = {"mnist": MNIST_FILES}
"""Name of a data set to the SHA-256 of each of its files, for those that are committed."""


def is_path(name: str) -> bool:
    """Whether ``name`` means a file or folder: it holds a slash, ends in .npz, or is the name of a folder here."""
    return name not in LOADERS and (os.sep in name or "/" in name or name.endswith(".npz") or Path(name).is_dir())


def load(name: str, folder: Path | None = None, device: str | torch.device = "cpu", **options: Any) -> Dataset:
    """Load a data set whole onto ``device``.

    ``name`` is one of :data:`LOADERS`, or a path: of an image folder, an NPZ file, IDX files with MNIST's names
    (:func:`~snnlib.data.idx.idx_sets`) or CIFAR-10's official batches. ``folder`` is the folder of a
    named data set; by default NAME below :func:`data_folder`. ``options`` of an image folder: see
    :func:`~snnlib.data.folder.load_folder`. Raises :class:`DataError` where a file is missing or damaged, and for an
    unknown name. MNIST is downloaded where there is none (11 MB), for it is what all examples begin with.
    """
    name = str(name)
    if is_path(name):
        return _at(Path(name).expanduser(), options).to(device)
    if name not in LOADERS:
        near = difflib.get_close_matches(name.casefold(), LOADERS, n=1, cutoff=0.5)
        raise DataError(
            f"unknown data set {name!r}: {f'did you mean {near[0]!r}? ' if near else ''}known: {', '.join(LOADERS)}, "
            "or the path of an image folder, of IDX files or of an NPZ file"
        )
    unknown = [each for each in options if each not in inspect.signature(LOADERS[name]).parameters]
    if unknown:
        raise DataError(f"{name} is no image folder: {', '.join(unknown)} of its images cannot be chosen.")
    place = Path(folder) if folder else folder_of(name)
    if name == "mnist" and folder is None and place_of_files(place) is None:
        download(name, place)
    return LOADERS[name](place, **options).to(device)


def _at(path: Path, options: dict[str, Any]) -> Dataset:
    """The data set that stands at ``path``, whatever its format."""
    batches = path if path.name == BATCHES else path / BATCHES
    loaders: tuple[tuple[bool, Callable[[], Dataset]], ...] = (
        (path.suffix == ".npz", lambda: load_npz(path, path.stem)),
        (bool(idx_sets(path)), lambda: load_idx(path)),
        (batches.is_dir(), lambda: load_batches(batches.parent)),
    )
    for here, loader in loaders:
        if here:
            if options:
                raise DataError(f"{path} is no image folder: {', '.join(options)} of its images cannot be chosen.")
            return loader()
    return load_folder(path, **options)
