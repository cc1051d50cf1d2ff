"""Where data sets are looked for."""

from __future__ import annotations

import os
from pathlib import Path


def checkout() -> Path:
    """data/ of the checkout or of the working directory: MNIST, the split list and the records are committed there."""
    for root in (Path(__file__).resolve().parents[2], Path.cwd()):
        if (root / "data" / "mnist").is_dir():
            return root / "data"
    return Path("data")


def data_folder() -> Path:
    """``SNNLIB_DATA``, else data/ of the checkout or of the working directory."""
    return Path(os.environ["SNNLIB_DATA"]) if os.environ.get("SNNLIB_DATA") else checkout()


def folder_of(name: str) -> Path:
    """The folder of data set ``name``. MNIST is in the checkout where ``SNNLIB_DATA`` has no folder of that name."""
    here = data_folder() / name
    return checkout() / name if name == "mnist" and not here.is_dir() else here
