"""The trials of a search as figures: accuracy against weights removed, importance of settings, origin of sparsity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ..lab.experiments.study import Study
from ..lab.search import front
from .figures import layer_name
from .style import ARM_COLOURS, CLASS_COLOURS, SINGLE, STYLE

RUNG_MARKS = (("o", 14, 0.35), ("s", 26, 0.6), ("D", 40, 0.9))
"""Marker, size and opacity of the trials of each rung: longer trials stand out."""


def plane(
    trials: pd.DataFrame,
    study: Study,
    lowest: float = 95.0,
    published: Mapping[str, tuple[float, float]] | None = None,
    dense: float | None = None,
) -> Figure:
    """Held-out accuracy against weights removed, one mark for each trial, and the front of each rung as a line.

    ``published`` maps a name to (weights removed, accuracy) in percent; ``dense`` is the accuracy of the best dense
    trial. Trials below ``lowest`` percent are left out, and so are failed ones. Raises ``ValueError`` where none is
    left.
    """
    finished = trials[(trials["state"] == "finished") & (trials["rung"] <= len(study.rungs))]
    shown = finished[finished["accuracy"].astype(float) >= lowest]
    if not len(shown):
        raise ValueError(f"no finished trial of {study.name} reaches {lowest:g} %: there is nothing to draw")
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(figsize=(SINGLE, 4.6))
        for number, rung in enumerate(study.rungs, 1):
            of_rung, (marker, size, opacity) = shown[shown["rung"] == number], RUNG_MARKS[min(number, 3) - 1]
            colour = ARM_COLOURS[(number - 1) % len(ARM_COLOURS)]
            if not len(of_rung):
                continue
            removed, accuracy = of_rung["removed"].to_numpy(float), of_rung["accuracy"].to_numpy(float)
            axes.scatter(
                removed,
                accuracy,
                size,
                marker=marker,
                color=colour,
                alpha=opacity,
                linewidths=0,
                label=f"{len(of_rung)} trials of {rung.epochs} epochs",
            )
            best = front(shown, study, number)
            axes.step(
                best["removed"].to_numpy(float),
                best["accuracy"].to_numpy(float),
                color=colour,
                linewidth=1.4,
                where="pre",
                alpha=0.9,
            )
        if dense is not None:
            axes.axhline(dense, color="#555555", linewidth=1, linestyle="--", label="best dense trial")
        for name, (removed, accuracy) in (published or {}).items():
            axes.plot(removed, accuracy, "*", color="#000000", markersize=13, label=name, linestyle="")
        axes.set(
            xlabel="weights removed (%)", ylabel="accuracy on held-out images (%)", ylim=(lowest, None), xlim=(-2, 100)
        )
        axes.grid()
        figure.legend(loc="outside lower center", ncols=2)
    return figure


def importance(shares: Mapping[str, Mapping[str, float]], most: int = 12) -> Figure:
    """The importance of each setting, one group of bars for each objective; the ``most`` important settings."""
    names = sorted(
        {name for each in shares.values() for name in each},
        key=lambda name: -max(each.get(name, 0.0) for each in shares.values()),
    )[:most]
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(figsize=(SINGLE, 1.2 + 0.36 * len(names)))
        height = 0.8 / len(shares)
        for index, (objective, each) in enumerate(shares.items()):
            place = np.arange(len(names)) - 0.4 + height * (index + 0.5)
            axes.barh(
                place, [each.get(name, 0.0) for name in names], height * 0.92, color=ARM_COLOURS[index], label=objective
            )
        axes.set_yticks(range(len(names)), [name.replace("_", " ") for name in names])
        axes.invert_yaxis()
        axes.set(xlabel="share of importance (PED-ANOVA)")
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x")
        figure.legend(loc="outside lower center", ncols=len(shares))
    return figure


def from_the_start(trials: pd.DataFrame, lowest: float = 95.0) -> Figure:
    """Weights removed at the end against those removed before the first step, and after the switcher's first turn.

    Raises ``ValueError`` where no finished trial reaches ``lowest`` percent.
    """
    shown = trials[(trials["state"] == "finished") & (trials["accuracy"].astype(float) >= lowest)]
    if not len(shown):
        raise ValueError(f"no finished trial reaches {lowest:g} %: there is nothing to draw")
    drawn: list[PathCollection] = []
    with plt.rc_context(STYLE):
        figure, panels = plt.subplots(1, 2, figsize=(7.4, 3.9), sharey=True)
        for axes, name, label in zip(
            panels, ("removed_start", "removed_first"), ("before the first step", "after the first turn")
        ):
            marks = axes.scatter(
                shown[name].to_numpy(float),
                shown["removed"].to_numpy(float),
                16,
                c=shown["accuracy"].to_numpy(float),
                cmap="viridis",
                vmin=lowest,
                alpha=0.8,
                linewidths=0,
            )
            drawn.append(marks)
            axes.plot([0, 100], [0, 100], color="#555555", linewidth=1, linestyle=":")
            axes.set(xlabel=f"removed {label} (%)", xlim=(-3, 103), ylim=(-3, 103))
            axes.grid()
        panels[0].set_ylabel("weights removed at the end (%)")
        figure.colorbar(drawn[-1], ax=panels.tolist(), label="held-out accuracy (%)", fraction=0.04, pad=0.02)
    return figure


FATES = {
    "off from the start": CLASS_COLOURS["pruned"],
    "in the first turn": "#7a5195",
    "later": "#d55e00",
    "revived": "#56b4e9",
    "never off": "#e5e5e5",
}
"""What became of a neuron to its colour, see :func:`snnlib.training.flow.fates`."""


def fates_over_epochs(fates: Mapping[str, NDArray[np.int_]], widths: Sequence[int]) -> Figure:
    """Neurons of each layer by what has become of them, at the start and after each epoch.

    ``fates`` maps a key of :data:`FATES` to counts (times, layers).
    """
    with plt.rc_context(STYLE):
        figure, panels = plt.subplots(1, len(widths), figsize=(7.4, 3.2), squeeze=False)
        for layer, axes in enumerate(panels[0]):
            base = np.zeros(len(next(iter(fates.values()))))
            for name, counts in fates.items():
                axes.fill_between(
                    np.arange(len(base)),
                    base,
                    base + counts[:, layer],
                    step="post",
                    color=FATES[name],
                    label=name,
                    linewidth=0,
                )
                base = base + counts[:, layer]
            axes.set(
                title=f"{layer_name(layer)} ({widths[layer]})",
                xlabel="epochs done",
                ylim=(0, widths[layer]),
                xlim=(0, len(base) - 1),
            )
        panels[0][0].set_ylabel("neurons")
        figure.legend(*panels[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=len(fates))
    return figure
