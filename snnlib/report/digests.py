"""A short digest of what a figure draws, by which a check notices that a figure was exchanged for another one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

DIGITS = 3
"""Significant digits that count: machines differ in the last ones."""

NUDGE = 1 + 3e-8
"""Moves short decimals such as 98.05 off the middle between two rounded values, where machines would differ."""


def digest(figure: Figure, length: int = 8) -> str:
    """Hexadecimal digits of a hash of the lines, bars, collections and images of ``figure``, in their order.

    Texts, colours and sizes do not count, so that a change of style leaves it as it is. It suits figures of recorded
    numbers; what is computed on the spot, in single precision, may differ in the third digit between machines.
    """
    total = hashlib.sha256()
    for axes in figure.axes:
        if hasattr(axes, "_colorbar"):
            continue  # drawn by matplotlib, in each version otherwise
        for kind, values in _drawn(axes):
            total.update(f"{kind} {values.shape} ".encode())
            total.update(" ".join(_texts(values)).encode())
    return total.hexdigest()[:length]


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
