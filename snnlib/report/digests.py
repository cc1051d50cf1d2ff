"""What a figure draws in short, by which a check notices that a figure was exchanged for another one.

:func:`digest` is for recorded numbers. What a page computes on the spot differs a little between machines:
:func:`resembles` compares it with a tolerance.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from .interactive import Live

DIGITS = 3
"""Significant digits that count: machines differ in the last ones."""

NUDGE = 1 + 3e-8
"""Moves short decimals such as 98.05 off the middle between two rounded values, where machines would differ."""


def digest(figure: Figure | Live, length: int = 8) -> str:
    """Hexadecimal digits of a hash of the lines, bars, collections and images of ``figure``, in their order.

    Texts, colours and sizes do not count, so that a change of style leaves it as it is. It suits figures of recorded
    numbers; what is computed on the spot, in single precision, may differ in the third digit between machines.
    """
    total = hashlib.sha256()
    if isinstance(figure, Live):
        total.update(json.dumps(figure.drawn).encode())
        return total.hexdigest()[:length]
    for axes in figure.axes:
        if hasattr(axes, "_colorbar"):
            continue  # drawn by matplotlib, in each version otherwise
        for kind, values in _drawn(axes):
            total.update(f"{kind} {values.shape} ".encode())
            total.update(" ".join(_texts(values)).encode())
    return total.hexdigest()[:length]


def sketch(figure: Figure) -> list[float]:
    """Three numbers for each axes of ``figure`` in which something is drawn, rounded to three digits.

    They are the mean and the standard deviation of the heights that are drawn (of bars, lines, dots, areas, the values
    of images), and the centre of gravity of the heights in their order, from 0 to 1.
    """
    found: list[float] = []
    for axes in figure.axes:
        parts = [] if hasattr(axes, "_colorbar") else [_heights(kind, values) for kind, values in _drawn(axes)]
        heights = np.concatenate([part[np.isfinite(part)] for part in parts]) if parts else np.empty(0)
        if heights.size:
            weights = np.abs(heights)
            place = np.arange(len(heights)) / max(len(heights) - 1, 1)
            centre = float((weights * place).sum() / weights.sum()) if weights.any() else 0.5
            found += [float(f"{number:.3g}") for number in (heights.mean(), heights.std(), centre)]
    return found


def resembles(figure: Figure, published: Sequence[float], within: float = 0.05) -> str:
    """The word "alike" if the :func:`sketch` of ``figure`` is about the ``published`` one.

    A number may be off by the share ``within`` of the largest of its axes. Raises ``ValueError`` where one is off by
    more, and where the axes are not as many.
    """
    found = sketch(figure)
    if len(found) == len(published):
        sizes = np.abs(np.array(published, float)).reshape(-1, 3)
        allowed = within * np.column_stack([sizes[:, :2].max(1), sizes[:, :2].max(1), np.ones(len(sizes))])
        if (np.abs(np.array(found) - np.array(published)).reshape(-1, 3) <= allowed).all():
            return "alike"
    raise ValueError(f"the figure draws something else than was published: {found}, where there was {list(published)}")


def _heights(kind: str, values: NDArray[Any]) -> NDArray[np.float64]:
    """What :func:`sketch` looks at in a part of a drawing."""
    if kind == "bar":
        return values[3:]
    return values[:, 1] if kind in ("line", "path", "offsets") and values.ndim == 2 else values.ravel()


def _drawn(axes: Any) -> Iterator[tuple[str, NDArray[Any]]]:
    """What is drawn in ``axes``, each with its kind."""
    for line in axes.lines:
        yield "line", line.get_xydata()
    for patch in axes.patches:
        if isinstance(patch, Rectangle):
            yield "bar", np.array([*patch.get_xy(), patch.get_width(), patch.get_height()])
    for collection in axes.collections:
        if not isinstance(collection, QuadMesh):  # of a mesh the values are all there is to see
            for path in collection.get_paths():
                yield "path", np.unique(path.vertices, axis=0)  # versions begin and close a polygon elsewhere
            yield "offsets", np.ma.filled(collection.get_offsets(), np.nan)
        if collection.get_array() is not None:
            yield "values", np.ma.filled(np.ma.asarray(collection.get_array(), float), np.nan)
    for image in axes.images:
        yield "image", np.ma.filled(np.ma.asarray(image.get_array(), float), np.nan)


def _texts(values: NDArray[Any]) -> Iterator[str]:
    """Each value with :data:`DIGITS` significant digits; what is tiny beside the largest is 0."""
    flat = np.asarray(values, float).ravel() * NUDGE
    finite = np.abs(flat[np.isfinite(flat)])
    tiny = 1e-9 * (float(finite.max()) if finite.size else 0.0)
    for value in flat:
        yield f"{0.0 if abs(value) <= tiny else value:.{DIGITS - 1}e}"
