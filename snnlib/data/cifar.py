"""CIFAR-10: one NPZ file, or the official batches as torchvision downloads them."""

from __future__ import annotations

from pathlib import Path

import torch

from .dataset import DataError, Dataset, checked
from .npz import load_npz

BATCHES = "cifar-10-batches-py"
"""The folder of the official batches, as it is unpacked."""


def load_cifar10(folder: Path) -> Dataset:
    """CIFAR-10 from cifar10.npz in or beside ``folder``, else from the official batches below it.

    Both hold the same images in another order, so that runs on the one and on the other differ as two seeds do.
    torchvision compares the batches with its MD5 checksums.
    """
    for npz in (folder / "cifar10.npz", folder.with_suffix(".npz")):
        if npz.exists():
            return load_npz(npz, "cifar10")
    if not (folder / BATCHES).is_dir():
        raise DataError(
            f"CIFAR-10 is not in {folder}. Get it with `snn data cifar10 --download`, or set SNNLIB_DATA to a folder "
            "that holds cifar10.npz."
        )
    return load_batches(folder)


def load_batches(folder: Path) -> Dataset:
    """CIFAR-10 from the official batches, which stand in the subfolder :data:`BATCHES` of ``folder``."""
    from torchvision.datasets import CIFAR10

    try:
        parts = [CIFAR10(str(folder), train=train) for train in (True, False)]
    except RuntimeError as error:  # torchvision's word for a missing or changed batch
        raise DataError(
            f"{folder / BATCHES} is not whole ({error}). Get it anew with `snn data cifar10 --download`."
        ) from error
    tensors = [(torch.from_numpy(part.data).permute(0, 3, 1, 2), torch.tensor(part.targets)) for part in parts]
    return checked(Dataset("cifar10", *tensors[0], *tensors[1], tuple(parts[0].classes)), folder)
