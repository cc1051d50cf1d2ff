"""One picture of SNN-AL, the rivals and the plain floor: accuracy against what is left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from ..lab.experiments.rivals import NAMES
from . import pages
from .rivals import FLOOR, OURS, curves
from .stretched import around, shares, stretch
from .style import OURS as BLUE
from .style import SINGLE, STYLE
from .tables import Row, of_network

LOOKS = {
    OURS: (BLUE, "o"),
    FLOOR["random"]: ("#aaaaaa", "o"),
    FLOOR["norm"]: ("#666666", "o"),
    NAMES["l0"]: ("#cc79a7", "D"),
    NAMES["bc-gnj"]: ("#6a3d9a", "v"),
    NAMES["bc-ghs"]: ("#882255", "^"),
    NAMES["lottery"]: ("#d55e00", "s"),
    NAMES["lottery-neurons"]: ("#d55e00", "s"),
    NAMES["dnw"]: ("#8c510a", "h"),
    NAMES["edge-popup"]: ("#e69f00", "o"),
    NAMES["nested"]: ("#009e73", "P"),
    NAMES["elastic"]: ("#56b4e9", ">"),
    NAMES["n2n"]: ("#999933", "X"),
}
"""Colour and mark of each method, which stay whatever else is shown: reds price what is kept, the floor is grey."""

ANOTHER = ("#000000", "d")
"""The look of a method that has none yet."""

FILLS: dict[str | None, Literal["full", "none", "left"]] = {"weights": "none", "neurons, by image": "left"}
"""How a mark is filled, by what is pruned; full where neurons are."""

FLOOR_OF_AXIS = 90.0
"""Accuracies below this do not stretch the picture's axis; the table has them."""


def picture(rows: Sequence[Row], against: Literal["weights", "macs"] = "weights", network: str = "mlp") -> Figure:
    """Accuracy against the share of weights, or of multiplications, that is left: a line a method, bars are deviations.

    Both axes are logarithmic, that of the accuracy in the error, for methods differ by factors. Full marks prune
    neurons, hollow ones single weights, half-filled ones other neurons for each image. Stars are the paper's own
    points, crosses its rivals' as it quotes them, the dotted line its dense network. Without a finished run it says so.
    """
    found = curves(rows, network)
    if not found:
        return pages.nothing()
    most = max(row.macs for curve in found for row in curve.rows if row.macs is not None)
    published = [row for row in of_network(rows, network) if row.source == "paper" and against == "weights"]
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(figsize=(SINGLE, 6.0))
        for curve in found:
            shown = [row for row in curve.rows if high(row)]
            accuracy = [row.acc_mean or 0.0 for row in shown]
            if curve.method == "dense" and shown:
                axes.axhline(accuracy[0], color="#555555", linewidth=1, linestyle="--", label="dense, tuned")
            elif shown:
                colour, mark = LOOKS.get(curve.method, ANOTHER)
                known = curve.method in (OURS, *FLOOR.values())
                axes.errorbar(
                    [_left(row, most if against == "macs" else None) for row in shown],
                    accuracy,
                    [row.acc_std or 0.0 for row in shown],
                    color=colour,
                    marker=mark,
                    fillstyle=FILLS.get(curve.prunes, "full"),
                    markerfacecoloralt="white",
                    markersize=9 if curve.method == OURS else 7,
                    linestyle="" if known else "-",
                    linewidth=1,
                    elinewidth=1,
                    capsize=2,
                    label=curve.method,
                    zorder=3 if curve.method == OURS else 2,
                )
        for star, mark, label in ((True, "*", "SNN-AL, published"), (False, "x", "rivals, as the paper quotes them")):
            points = [row for row in published if row.gone_pct and row.arm.startswith("SNN") == star]
            if points:
                left, accuracy = [_left(row, None) for row in points], [row.acc_mean or 0.0 for row in points]
                size = 13 if star else 6
                axes.plot(
                    left, accuracy, mark, color="#000000", markersize=size, fillstyle="none", label=label, zorder=4
                )
        for row in published:
            if row.arm == "baseline":
                axes.axhline(row.acc_mean or 0.0, color="#555555", linewidth=1, linestyle=":", label="dense, published")
        if low := [f"{curve.method} ({row.acc_mean:.0f} %)" for curve in found for row in curve.rows if not high(row)]:
            axes.set_title(f"below {FLOOR_OF_AXIS:g} %, not shown: {', '.join(low)}", fontsize=9, fontweight="normal")
        shares(axes)
        drawn = [row for curve in found for row in curve.rows if high(row)]
        accuracies = [row.acc_mean or 0.0 for row in (*drawn, *published)]
        stretch(axes, *around(accuracies))
        what = "weights" if against == "weights" else "multiplications for one image"
        axes.set(xlabel=f"{what} left (%)", ylabel="accuracy on the test images (%)", xlim=(None, 125))
        axes.grid()
        figure.legend(loc="outside lower center", ncols=2)
    return figure


def high(row: Row) -> bool:
    """Whether the mean of ``row`` is shown."""
    return (row.acc_mean or 0.0) >= FLOOR_OF_AXIS


def _left(row: Row, most: float | None) -> float:
    """What ``row`` leaves in percent: of the weights, or of ``most`` multiplications."""
    return 100 - row.gone_pct if most is None else 100 * (row.macs or 0.0) / most
