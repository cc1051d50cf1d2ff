"""Images of one's own as an arm knows them, and networks as they are for them.

The arms are in :mod:`snnlib.lab.experiments.own`. Beside the path an arm holds the digest of the images, so that a
record is never taken for one of other images that stand in the same folder by now.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import torch

from .. import data
from ..arms import Source
from ..networks import NETWORKS
from ..networks.specs import FORM, fitted, is_perceptron
from .names import Refused, UnknownName, check_name

DIGITS = 16
"""Hex digits of a checksum that tell data sets apart."""


def place(name: str) -> str:
    """The data set that a command names: as it is, or its whole path. Raises ``Refused`` where there is none."""
    if data.is_path(name):
        return str(Path(name).expanduser().resolve())
    try:
        return check_name("data set", name, data.LOADERS)
    except UnknownName as problem:
        raise Refused(f"{problem}; and no folder of this name is here") from problem


def load(dataset: str, held_out: int = 0, **reading: Any) -> tuple[data.Dataset, Source]:
    """The images at ``dataset`` and what an arm has to know of them.

    ``held_out``: one training image of a class in so many is judged on in place of the test images, 0 for none.
    ``reading`` are options of an image folder, those that differ from the defaults. Raises ``DataError`` where they
    cannot be read.
    """
    whole = data.load(dataset, **reading)
    source = Source(whole.checksum()[:DIGITS], held_out=held_out, **reading)
    return _part(whole, source), source


def read(dataset: str, source: Source, device: str | torch.device = "cpu") -> data.Dataset:
    """The images of ``source``, on ``device``; ``DataError`` where those at ``dataset`` are others by now."""
    whole = data.load(dataset, **source.reading)
    found = whole.checksum()[:DIGITS]
    if found != source.digest:
        raise data.DataError(
            f"{dataset}: these are not the images that this run is of (their SHA-256 begins with {found}, not "
            f"{source.digest}). Restore them, or make new runs with `snn run --data {shlex.quote(dataset)}`."
        )
    return _part(whole, source).to(device)


def _part(whole: data.Dataset, source: Source) -> data.Dataset:
    return whole.apart(source.held_out) if source.held_out else whole


def network_of(name: str, dataset: data.Dataset) -> str:
    """The network ``name`` with all its widths, as it is for ``dataset``.

    Raises ``Refused`` where there is none of this name, or where it cannot be built for these images and classes.
    """
    if ".py" in name:
        raise Refused(
            f"{name}: a module of your own is switched in Python, by snnlib.switch(module, example_input), as the last "
            f"chapter of the book shows. The command line takes the networks of `snn networks`, and {FORM}"
        )
    try:
        if not is_perceptron(name):
            check_name("network", name, NETWORKS)
        return fitted(name, dataset.image, len(dataset.classes), dataset.name)
    except UnknownName as problem:
        raise Refused(f"{problem}; or the widths of a perceptron: {FORM}") from problem
    except ValueError as problem:
        raise Refused(str(problem)) from problem
