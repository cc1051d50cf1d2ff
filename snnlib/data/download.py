"""Downloads: torchvision's, from the official addresses, compared with its checksums.

A library for downloads (pooch) would do no more, and torchvision is here anyway.
"""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock

from .dataset import DataError

DOWNLOADS = {"mnist": "MNIST", "cifar10": "CIFAR10", "fashion-mnist": "FashionMNIST"}
"""Data sets that can be downloaded, and the name of torchvision's class."""


def download(name: str, folder: Path) -> None:
    """Download data set ``name`` into ``folder``; what is there and whole stays. Of several processes one does it.

    Raises :class:`DataError` where it cannot be downloaded, or not by us.
    """
    if name not in DOWNLOADS:
        raise DataError(f"{name} cannot be downloaded here; these can: {', '.join(DOWNLOADS)}.")
    from torchvision import datasets
    from torchvision.datasets.utils import check_integrity

    kind = getattr(datasets, DOWNLOADS[name])
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".download.lock"):
            for file, md5 in getattr(kind, "resources", ()):  # of both MNISTs
                # torchvision takes an unpacked file as it is: it is unpacked anew from a sound one
                raw = folder / DOWNLOADS[name] / "raw" / file
                if not check_integrity(str(raw), md5):
                    raw.with_suffix("").unlink(missing_ok=True)
            for train in (True, False):
                kind(str(folder), train=train, download=True)
    except (OSError, RuntimeError, EOFError) as error:  # no network, no room, or a file that is not what it should be
        why = " ".join(str(error).split())
        raise DataError(
            f"{name} could not be downloaded into {folder} ({why}). The same command tries again. Without a network, "
            f"run `snn data {name} --download` on a machine that has one, and copy its {folder.name}/ into the folder "
            "that SNNLIB_DATA names."
        ) from error
