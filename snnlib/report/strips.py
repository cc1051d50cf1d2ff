"""Strips: the factors of one layer, a cell for each neuron, to compare layers of several networks (Fig. 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from numpy.typing import ArrayLike

from .style import CLASS_COLOURS, STYLE, factor_colours


def classes_of(factors: ArrayLike) -> dict[str, int]:
    """Numbers of ``factors`` (neurons,) pruned (0), weakened (below 1), strengthened (1 and above); section 3.2."""
    values = np.asarray(factors, float)
    pruned, strong = int((values == 0).sum()), int((values >= 1).sum())
    return dict(zip(CLASS_COLOURS, (pruned, values.size - pruned - strong, strong)))


def last_factors(record: Mapping[str, Any]) -> list[float]:
    """The factors (neurons,) of a run's last gated layer: the inputs of its last FC layer.

    Raises ``ValueError``, which names the run, where it failed or has no factors.
    """
    result = record.get("result")
    if not result or not result.get("gates"):
        why = "it failed" if record.get("status") == "failed" else "it has no switcher, or its record is cut"
        raise ValueError(
            f"the run of {record.get('arm')!r}, seed {record.get('seed')}, has no factors ({why}): choose a finished "
            "run with a switcher"
        )
    return result["gates"][-1]


def factor_strips(strips: Mapping[str, Sequence[float] | None], columns: int = 64) -> Figure:
    """One strip for each layer, its neurons in order as cells, ``columns`` of them in a line (Fig. 5).

    The shade is the factor, the hue its class. ``strips`` maps a title to the factors (neurons,) of one layer; all
    share one scale. Raises ``ValueError`` for no strip, or one without factors.
    """
    found = {title: np.asarray([] if factors is None else factors, float) for title, factors in strips.items()}
    if not found or not all(values.size for values in found.values()):
        empty = [title for title, values in found.items() if not values.size]
        raise ValueError(
            f"no factors to draw{f' for {empty[0]!r}' if empty else ''}: give the factors of a finished run with a "
            "switcher"
        )
    colours, norm = factor_colours(max(float(values.max()) for values in found.values()))
    lines = [-(-values.size // columns) for values in found.values()]
    cell = 6.8 / columns  # inches
    height = sum(lines) * cell + 0.42 * len(lines) + 0.95
    with plt.rc_context({**STYLE, "figure.constrained_layout.use": False}):
        figure = plt.figure(figsize=(7.2, height))
        top = height
        for (title, values), down in zip(found.items(), lines):
            top -= 0.42 + down * cell
            axes = figure.add_axes((0.2 / 7.2, top / height, 6.8 / 7.2, down * cell / height))
            grid = np.full(down * columns, np.nan)
            grid[: values.size] = values  # (neurons,) -> (lines, columns), the last line not always full
            axes.pcolormesh(
                np.ma.masked_invalid(grid.reshape(down, columns)),
                cmap=colours,
                norm=norm,
                edgecolors="white",
                linewidth=0.4,
            )
            axes.set(xlim=(0, columns), ylim=(down, 0), xticks=[], yticks=[], title=title)
            axes.spines[:].set_visible(False)
            counted = ", ".join(f"{count} {name}" for name, count in classes_of(values).items())
            axes.set_title(f"{counted} of {values.size}", loc="right", fontsize=9, fontweight="normal")
        place = figure.add_axes((1.0 / 7.2, 0.5 / height, 5.2 / 7.2, 0.14 / height))
        bar = figure.colorbar(
            ScalarMappable(norm, colours),
            cax=place,
            orientation="horizontal",
            extend="min",
            extendfrac=0.12,
            spacing="uniform",
        )
        bar.set_ticks([0.5, 1.0, norm.boundaries[-1]], labels=["0.5", "1", f"{norm.boundaries[-1]:.1f}"])
        bar.ax.xaxis.set_minor_locator(NullLocator())
        for across, text in ((-0.06, "pruned"), (0.25, "weakened"), (0.75, "strengthened")):
            bar.ax.text(
                across,
                -0.9 if across < 0 else 1.3,
                text,
                transform=bar.ax.transAxes,
                ha="center",
                va="top" if across < 0 else "bottom",
            )
    return figure
