"""Networks by what a command calls them: a name of ``NETWORKS``, or the widths of a perceptron, ``mlp:784-64-10``."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import partial

import torch

from . import NETWORKS, Network
from .mlp import MLP

PERCEPTRON = "mlp:"
"""How the name of a perceptron of one's own begins; its widths follow."""

FORM = (
    "mlp:784-64-10 (inputs, hidden layers, classes), or mlp:in-64-out, where in and out stand for what the images have"
)


def is_perceptron(name: str) -> bool:
    """Whether ``name`` gives the widths of a perceptron."""
    return name.startswith(PERCEPTRON)


def builder(name: str) -> Callable[..., Network]:
    """The builder of the network ``name``, called as those of ``NETWORKS``: ``builder(name)(image, classes)``.

    Raises ``KeyError`` for an unknown name. The builder of a perceptron raises ``ValueError`` for images or classes
    that do not fit its widths.
    """
    return partial(_perceptron, name) if is_perceptron(name) else NETWORKS[name]


def fitted(name: str, image: tuple[int, int, int], classes: int, data: str = "the data") -> str:
    """The network ``name`` with all its widths, as it is for images (channels, height, width) of so many classes.

    ``data`` is what the data set is called. Raises ``ValueError`` where the network cannot be built for them; the
    message names both.
    """
    if is_perceptron(name):
        inputs = math.prod(image)
        words = [
            str(inputs) if word == "in" else str(classes) if word == "out" else word
            for word in name.removeprefix(PERCEPTRON).split("-")
        ]
        name = PERCEPTRON + "-".join(words)
    try:
        if is_perceptron(name):
            _widths(name, image, classes)
        else:
            with torch.device("meta"):  # nothing is drawn
                builder(name)(image, classes)
    except ValueError as error:
        shape = " x ".join(map(str, image))
        raise ValueError(
            f"{name} cannot be built for {data}, {shape} (channels x height x width), {classes} classes: {error}"
        ) from error
    return name


def widths_of(name: str) -> tuple[int, ...]:
    """The widths that ``name`` gives; ``ValueError`` where it is not of the form "mlp:784-64-10"."""
    text = name.removeprefix(PERCEPTRON)
    if not re.fullmatch(r"[1-9][0-9]*(-[1-9][0-9]*)+", text):
        raise ValueError(f"{name!r} gives no widths: write {FORM}")
    return tuple([int(width) for width in text.split("-")])


def _perceptron(
    name: str, image: tuple[int, int, int], classes: int, fc_std: float = 0.01, generator: torch.Generator | None = None
) -> MLP:
    return MLP(_widths(name, image, classes), fc_std, generator)


def _widths(name: str, image: tuple[int, int, int], classes: int) -> tuple[int, ...]:
    """The widths that ``name`` gives; ``ValueError`` where they do not fit the images and classes."""
    widths, inputs = widths_of(name), math.prod(image)
    first, last = widths[0], widths[-1]
    if (first, last) != (inputs, classes):
        raise ValueError(
            f"it takes {first} numbers and tells {last} classes apart, but an image has {inputs} numbers and there are "
            f"{classes} classes. Write {' or, where all are hidden layers, '.join(_meant(widths, inputs, classes))}"
        )
    return widths


def _meant(widths: tuple[int, ...], inputs: int, classes: int) -> list[str]:
    """Names that may have been meant by widths that do not fit: its ends are wrong, or it has none."""
    fits = widths[0] == inputs, widths[-1] == classes
    if len(widths) == 2:
        meant = [widths[1:] if fits[0] else widths[:1] if fits[1] else widths]
    else:
        meant = [widths[1:-1]] if any(fits) else [widths[1:-1], widths]
    return [PERCEPTRON + "-".join(map(str, ("in", *hidden, "out"))) for hidden in meant]
