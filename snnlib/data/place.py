"""Where data sets are looked for."""

from __future__ import annotations

import os
from pathlib import Path


def checkout() -> Path:
    """data/ of the checkout or of the working directory: MNIST and the records are committed there."""
    for root in (Path(__file__).resolve().parents[2], Path.cwd()):
        if (root / "data" / "mnist").is_dir():
            return root / "data"
    return Path("data")


def data_folder() -> Path:
    """``SNNLIB_DATA``, else data/ of the checkout or of the working directory."""
    return Path(os.environ["SNNLIB_DATA"]) if os.environ.get("SNNLIB_DATA") else checkout()


def folder_of(name: str) -> Path:
    """The folder of data set ``name``.

    MNIST is in the checkout where ``SNNLIB_DATA`` has neither a folder of that name nor torchvision's, MNIST/raw.
    """
    here = data_folder() / name
    if name != "mnist" or here.is_dir():
        return here
    if (data_folder() / "MNIST" / "raw").is_dir():
        return data_folder()
    return checkout() / name if (checkout() / name).is_dir() else here
