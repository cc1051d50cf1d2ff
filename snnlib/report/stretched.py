"""An axis of accuracies that is logarithmic in the error: halving the error takes the same height everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COARSE = (10, 50, 80, 90, 95, 97, 98, 98.5, 99, 99.5)
TICKS: tuple[Sequence[float], ...] = (COARSE, range(0, 100, 10), range(0, 100, 5), range(100))
"""Accuracies that an axis may name, coarse to fine: the first with enough of them in its range is taken."""


def stretch(axes: Axes, low: float, high: float) -> None:
    """Let the vertical axis run from ``low`` to ``high``, accuracies in percent, logarithmic in the error."""
    axes.set_yscale("function", functions=(_place, lambda place: 100.01 - 10.0**-place))
    axes.yaxis.set_major_locator(FixedLocator(_ticks(low, high)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_ylim(low, high)


def around(accuracies: Sequence[float]) -> tuple[float, float]:
    """Where an axis for ``accuracies`` begins and ends: its errors a quarter larger and smaller than theirs."""
    return 100 - 1.25 * (100 - min(accuracies)), 100 - (100 - max(accuracies)) / 1.25


def shares(axes: Axes) -> None:
    """Let the horizontal axis be one of percent that are left, logarithmic, with round numbers."""
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator([0.5, 1, 2, 5, 10, 20, 50, 100]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_locator(NullLocator())


def _place(accuracy: NDArray[np.float64]) -> NDArray[np.float64]:
    return -np.log10(100.01 - np.minimum(accuracy, 100.0))


def _ticks(low: float, high: float) -> list[float]:
    """Accuracies between ``low`` and ``high`` to be named, none so near to another that their labels touch."""
    kept: list[float] = []
    bottom, top = _place(np.array([low, high]))
    for values in TICKS:
        kept = []
        places = _place(np.array(values, float))
        last = -np.inf
        for value, place in zip(values, places):
            if low <= value <= high and place - last > 0.05 * (top - bottom):
                kept.append(value)
                last = place
        if len(kept) > 3:
            break
    return kept
