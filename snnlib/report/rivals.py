"""The rivals beside SNN-AL: which method a row belongs to, one picture of them all, and narrow tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from ..lab.experiments.rivals import NAMES
from ..peers import PEERS
from .figures import ARM_COLOURS, STYLE
from .tables import Row, of_network, short
from .wording import unbroken

FLOOR = {"random": "random pruning", "norm": "L2-norm pruning"}
"""Ending of an arm of the plain floor, pruned to SNN-AL's widths, to what it is called."""

OURS = "SNN-AL"
MARKERS = {"neurons": "o", "neurons, by image": "^", "weights": "s", None: "D"}
"""Marker by what is pruned."""

PUBLISHED = {"BC-GNJ": "BC-GNJ", "BC-GHS": "BC-GHS", "L0 (lambda sep.)": "L0"}
"""The paper's name of a rival in Table 1 to ours."""


def method_of(row: Row) -> str | None:
    """The method of one of our rows, as pictures and tables call it; None for a row that is not shown with rivals."""
    name, _, ending = row.arm.rpartition("-")
    if row.source != "ours":
        return None
    if name in PEERS or row.arm in PEERS:
        return NAMES[name if name in PEERS else row.arm]
    if ending in FLOOR:
        return FLOOR[ending]
    return "dense" if row.prunes is None else OURS


@dataclass(frozen=True)
class Curve:
    """The rows of one method, the least sparse first."""

    method: str
    prunes: str | None
    rows: tuple[Row, ...]


def curves(rows: Sequence[Row], network: str = "mlp") -> list[Curve]:
    """Our rows of ``network`` that have finished runs, by method: dense, SNN-AL, the plain floor, then the rivals."""
    found: dict[str, list[Row]] = {}
    for row in of_network(rows, network):
        if (method := method_of(row)) is not None and row.acc_mean is not None:
            found.setdefault(method, []).append(row)
    order = ["dense", OURS, *FLOOR.values(), *NAMES.values()]
    return [
        Curve(method, found[method][0].prunes, tuple(sorted(found[method], key=lambda row: row.removed_pct or 0.0)))
        for method in order
        if method in found
    ]


def picture(rows: Sequence[Row], against: Literal["weights", "macs"] = "weights", network: str = "mlp") -> Figure:
    """Accuracy against the share of weights, or of multiplications, that is left: a line a method, bars are deviations.

    The axis is logarithmic, for the methods differ by factors. Filled marks prune neurons, hollow squares single
    weights, triangles other neurons for each image. Stars are the paper's own points, its rivals' as it quotes them.
    Raises ``ValueError`` where no method has a finished run.
    """
    found = curves(rows, network)
    if not found:
        raise ValueError(f"no finished run of a rival on {network}: `snn run rivals` makes them")
    most = max(row.macs for curve in found for row in curve.rows if row.macs is not None)
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(figsize=(7.4, 5.2))
        lowest = 100.0
        for index, curve in enumerate(found):
            shown = [row for row in curve.rows if against == "weights" or row.macs is not None]
            left = [100 - (row.removed_pct or 0) if against == "weights" else 100 * _of(row, most) for row in shown]
            accuracy = [row.acc_mean or 0.0 for row in shown]
            colour = "#000000" if curve.method == OURS else ARM_COLOURS[index % len(ARM_COLOURS)]
            if curve.method == "dense":
                axes.axhline(accuracy[0], color="#555555", linewidth=1, linestyle="--", label="dense, tuned")
                continue
            axes.errorbar(
                left,
                accuracy,
                [row.acc_std or 0.0 for row in shown],
                color=colour,
                marker=MARKERS[curve.prunes],
                markerfacecolor="white" if curve.prunes == "weights" else colour,
                markersize=9 if curve.method == OURS else 6,
                linestyle="" if curve.method in (OURS, *FLOOR.values()) else ("-", "--", ":")[index % 3],
                linewidth=1.2,
                capsize=2,
                label=curve.method,
                zorder=3 if curve.method == OURS else 2,
            )
            lowest = min([lowest, *(value for value in accuracy if value >= FLOOR_OF_AXIS)])
        if against == "weights":
            for row in of_network(rows, network):
                if row.source == "paper" and row.removed_pct is not None and row.acc_mean is not None:
                    mark = {"SNN": "*", "SNN-AL": "*"}.get(row.arm, "x")
                    axes.plot(
                        100 - row.removed_pct, row.acc_mean, mark, color="#000000", markersize=11 if mark == "*" else 7
                    )
                    axes.annotate(
                        f"{row.arm.split(' ')[0]}, published",
                        (100 - row.removed_pct, row.acc_mean),
                        (6, 6),
                        textcoords="offset points",
                        fontsize=8.5,
                    )
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(FixedLocator([0.5, 1, 2, 5, 10, 20, 50, 100]))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_locator(NullLocator())
        what = "weights" if against == "weights" else "multiplications for one image"
        axes.set(xlabel=f"{what} left (%)", ylabel="accuracy on the test images (%)", ylim=(lowest - 0.5, None))
        axes.grid()
        figure.legend(loc="outside lower center", ncols=3)
    return figure


FLOOR_OF_AXIS = 90.0
"""Accuracies below this do not stretch the picture's axis; the table has them."""


def _of(row: Row, most: float) -> float:
    return (row.macs or 0.0) / most


def _figure(row: Row) -> str:
    deviation = f" ± {row.acc_std:.2f}" if row.acc_std is not None else ""
    lost = f", {row.failed} of {row.failed + (row.n or 0)} lost" if row.failed else ""
    return unbroken(f"{row.acc_mean:.2f}{deviation}") + f" at {row.removed_pct:.1f}{lost}"


def sizes(rows: Sequence[Row], network: str = "mlp") -> pd.DataFrame:
    """A line a method: what it prunes, and accuracy with the percent of weights removed, least sparse first."""
    found = curves(rows, network)
    most = max((len(curve.rows) for curve in found), default=0)
    head = ["smallest", "middle", "largest"] if most == 3 else [str(index + 1) for index in range(most)]
    lines = {
        curve.method: [curve.prunes or "nothing", *map(_figure, curve.rows), *[""] * (most - len(curve.rows))]
        for curve in found
    }
    return pd.DataFrame.from_dict(lines, orient="index", columns=["prunes", *head])


def cost(rows: Sequence[Row], network: str = "mlp") -> pd.DataFrame:
    """A line a method: multiplications for one image of its smallest network, and seconds for a training run."""
    lines = {
        curve.method: [
            short(curve.rows[-1].macs),
            "" if curve.rows[-1].seconds is None else f"{curve.rows[-1].seconds:.0f}",
        ]
        for curve in curves(rows, network)
    }
    return pd.DataFrame.from_dict(lines, orient="index", columns=["MACs", "s a run"])


def beside_published(rows: Sequence[Row], network: str = "mlp") -> pd.DataFrame:
    """The paper's quoted points of ``network`` beside ours of nearly the same size: accuracy at percent removed."""
    ours = {curve.method: curve for curve in curves(rows, network)}
    lines: dict[str, list[str]] = {}
    for row in of_network(rows, network):
        method = PUBLISHED.get(row.arm)
        if row.source == "paper" and method and row.removed_pct is not None:
            share = row.removed_pct
            near = min(
                ours[method].rows if method in ours else (),
                key=lambda each: abs((each.removed_pct or 0.0) - share),
                default=None,
            )
            lines[method] = [f"{row.acc_mean:.2f} at {share:.1f}", _figure(near) if near else "not run yet"]
    return pd.DataFrame.from_dict(lines, orient="index", columns=["published", "ours"])
