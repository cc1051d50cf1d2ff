"""One picture of SNN-AL, the rivals and the plain floor: accuracy against what is left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from . import pages
from .figures import SINGLE, STYLE, arm_colours
from .rivals import FLOOR, OURS, curves
from .tables import Row, of_network

MARKERS = {"neurons": "o", "neurons, by image": "^", "weights": "s", None: "D"}
"""Marker by what is pruned."""

FLOOR_OF_AXIS = 90.0
"""Accuracies below this do not stretch the picture's axis; the table has them."""


def picture(rows: Sequence[Row], against: Literal["weights", "macs"] = "weights", network: str = "mlp") -> Figure:
    """Accuracy against the share of weights, or of multiplications, that is left: a line a method, bars are deviations.

    The axis is logarithmic, for the methods differ by factors. Filled marks prune neurons, hollow squares single
    weights, triangles other neurons for each image. Stars are the paper's own points, crosses
    its rivals' as it quotes them, the dotted line its dense network.
    Without a finished run it says so.
    """
    found = curves(rows, network)
    if not found:
        return pages.nothing()
    most = max(row.macs for curve in found for row in curve.rows if row.macs is not None)
    published = [row for row in of_network(rows, network) if row.source == "paper" and against == "weights"]
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(figsize=(SINGLE, 6.0))
        colours = arm_colours([OURS, *(curve.method for curve in found if curve.method not in (OURS, "dense"))])
        for index, curve in enumerate(found):
            shown = [row for row in curve.rows if _high(row)]
            accuracy = [row.acc_mean or 0.0 for row in shown]
            if curve.method == "dense" and shown:
                axes.axhline(accuracy[0], color="#555555", linewidth=1, linestyle="--", label="dense, tuned")
            elif shown:
                colour = colours[curve.method]
                axes.errorbar(
                    [_left(row, most if against == "macs" else None) for row in shown],
                    accuracy,
                    [row.acc_std or 0.0 for row in shown],
                    color=colour,
                    marker=MARKERS[curve.prunes],
                    markerfacecolor="white" if curve.prunes == "weights" else colour,
                    markersize=8 if curve.method == OURS else 6,
                    linestyle="" if curve.method in (OURS, *FLOOR.values()) else ("-", "--", ":")[index % 3],
                    linewidth=1.2,
                    capsize=2,
                    label=curve.method,
                    zorder=3 if curve.method == OURS else 2,
                )
        for star, mark, label in ((True, "*", "SNN-AL, published"), (False, "x", "rivals, as the paper quotes them")):
            points = [row for row in published if row.removed_pct and row.arm.startswith("SNN") == star]
            if points:
                left, accuracy = [_left(row, None) for row in points], [row.acc_mean or 0.0 for row in points]
                size = 13 if star else 6
                axes.plot(
                    left, accuracy, mark, color="#000000", markersize=size, fillstyle="none", label=label, zorder=4
                )
        for row in published:
            if row.arm == "baseline":
                axes.axhline(row.acc_mean or 0.0, color="#555555", linewidth=1, linestyle=":", label="dense, published")
        if low := [f"{curve.method} ({row.acc_mean:.0f} %)" for curve in found for row in curve.rows if not _high(row)]:
            axes.set_title(f"below {FLOOR_OF_AXIS:g} %, not shown: {', '.join(low)}", fontsize=9, fontweight="normal")
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(FixedLocator([0.5, 1, 2, 5, 10, 20, 50, 100]))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_locator(NullLocator())
        what = "weights" if against == "weights" else "multiplications for one image"
        axes.set(xlabel=f"{what} left (%)", ylabel="accuracy on the test images (%)", xlim=(None, 125))
        axes.grid()
        figure.legend(loc="outside lower center", ncols=2)
    return figure


def _high(row: Row) -> bool:
    return (row.acc_mean or 0.0) >= FLOOR_OF_AXIS


def _left(row: Row, most: float | None) -> float:
    """What ``row`` leaves in percent: of the weights, or of ``most`` multiplications."""
    return 100 - (row.removed_pct or 0.0) if most is None else 100 * (row.macs or 0.0) / most
