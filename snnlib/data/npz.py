"""A data set in one NPZ file: the format of CIFAR-10 and Mini-ImageNet here, and of decoded image folders."""

from __future__ import annotations

import os
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from .dataset import DataError, Dataset, checked

KEYS = ("x_train", "y_train", "x_test", "y_test", "classes")


def load_npz(path: Path, name: str) -> Dataset:
    """The data set of an NPZ file: uint8 images x_train and x_test (N,H,W or N,H,W,3), whole-number labels, classes.

    Without x_test and y_test every sixth training image of a class is a test image; without classes they are called
    after their numbers, of which each from 0 on must have a training image. Raises :class:`DataError` where the file is
    cut off, lacks an array or holds arrays of another kind.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            no_test = not {"x_test", "y_test"} & set(file.files)
            left_out = (("x_test", "y_test") if no_test else ()) + (() if "classes" in file.files else ("classes",))
            arrays = {key: file[key] for key in KEYS if key not in left_out}
    except KeyError as error:
        raise DataError(
            f"{path}: {error.args[0]}. Needed are {', '.join(KEYS)}; the test images and the classes may be left out."
        ) from error
    except (OSError, ValueError, EOFError, TypeError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"{path} is missing, cut off or no NPZ file ({error}). Make it again.") from error
    tensors: dict[str, tuple[torch.Tensor, torch.Tensor]] = {}
    if no_test:
        arrays |= {"x_test": arrays["x_train"][:0], "y_test": arrays["y_train"][:0]}
    for part in ("train", "test"):
        x, y = arrays[f"x_{part}"], arrays[f"y_{part}"]
        if x.dtype != np.uint8 or x.ndim not in (3, 4) or x.shape[3:] not in ((), (3,)):
            raise DataError(
                f"{path}: x_{part} has shape {x.shape} and type {x.dtype}; needed are uint8 images N,H,W or N,H,W,3."
            )
        if y.ndim != 1 or y.dtype.kind not in "iu":
            raise DataError(
                f"{path}: y_{part} has shape {y.shape} and type {y.dtype}; needed is one whole number for each image."
            )
        images = torch.from_numpy(x)
        tensors[part] = (
            images[:, None] if x.ndim == 3 else images.permute(0, 3, 1, 2),
            torch.from_numpy(y.astype(np.int64)),
        )
    classes = _classes(path, arrays.get("classes"), tensors["train"][1])
    found = checked(Dataset(name, *tensors["train"], *tensors["test"], classes), path, no_test)
    return found.apart() if no_test else found


def _classes(path: Path, named: NDArray[Any] | None, labels: torch.Tensor) -> tuple[str, ...]:
    """The names of the classes, which are numbers where the file at ``path`` names none."""
    if named is not None:
        if named.ndim != 1:
            raise DataError(
                f"{path}: classes has shape {named.shape}; needed is a list with the name of each class, or none."
            )
        return tuple(map(str, named))
    found: list[int] = labels.unique().tolist()
    if found != list(range(len(found))):
        missing = next((each for each in range(len(found)) if each not in found), 0)
        raise DataError(
            f"{path}: it names no classes, and no training image has the label {missing}, while labels go up to "
            f"{found[-1]}. Number the classes from 0 without gaps, or name them in an array classes."
        )
    return tuple(map(str, found))


def save_npz(dataset: Dataset, path: Path) -> None:
    """Write ``dataset`` as an NPZ file that :func:`load_npz` reads; the file appears only when it is whole."""
    arrays: dict[str, Any] = {"classes": np.array(dataset.classes)}
    for part in ("train", "test"):
        images = getattr(dataset, f"x_{part}").cpu()
        arrays[f"x_{part}"] = (images[:, 0] if dataset.image[0] == 1 else images.permute(0, 2, 3, 1)).numpy()
        arrays[f"y_{part}"] = getattr(dataset, f"y_{part}").cpu().numpy()
    part_path = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(part_path, "wb") as file:
            np.savez(file, **arrays)
        os.replace(part_path, path)
    finally:
        part_path.unlink(missing_ok=True)
