"""Records and factors as figures: each a pure function that returns a matplotlib Figure (Fig. 4 and ours)."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator, NullLocator
from numpy.typing import ArrayLike

from ..metrics import paired_difference
from ..switching.packing import PackedWeights
from .stretched import stretch
from .style import ARM_LINES, CLASS_COLOURS, SINGLE, STYLE, arm_colours, factor_colours


def layer_name(index: int) -> str:
    """The name of the neurons of gated layer ``index`` in figures."""
    return "input neurons" if index == 0 else f"hidden layer {index}"


def pixel_factors(factors: Mapping[str, ArrayLike | None], shape: tuple[int, int] = (28, 28)) -> Figure:
    """The factors of the input neurons as images of ``shape`` (height, width), side by side (Fig. 4, left).

    ``factors`` maps a title to (pixels,); all images share their colours. Raises ``ValueError`` where there are no
    factors, or not one for each pixel.
    """
    images = {title: np.asarray([] if each is None else each, float) for title, each in factors.items()}
    if not images:
        raise ValueError("no factors to draw: give those of at least one network")
    for title, image in images.items():
        if image.size != shape[0] * shape[1]:
            raise ValueError(
                f"{image.size} factors for {shape[0]} x {shape[1]} pixels{f' of {title!r}' if title else ''}: give the "
                "first layer's factors of a finished run with a switcher, and its images' shape"
            )
    largest = max(float(image.max()) for image in images.values())
    colours, norm = factor_colours(largest)
    with plt.rc_context(STYLE):
        size = (5.4, 4.4) if len(images) == 1 else (3.3 * len(images) + 1, 3.5)
        figure, panels = plt.subplots(1, len(images), figsize=size, squeeze=False, sharey=True)
        for axes, (title, image) in zip(panels[0], images.items()):
            axes.imshow(image.reshape(shape), cmap=colours, norm=norm, interpolation="nearest")
            axes.set(xlabel="column of pixels", title=title)
            axes.spines[:].set_visible(False)
        panels[0, 0].set(ylabel="row of pixels")
        bar = figure.colorbar(
            panels[0, 0].images[0],
            ax=panels,
            extend="min",
            extendfrac=0.1,
            spacing="uniform",
            fraction=0.06 / len(images),
            pad=0.03,
        )
        bar.set_ticks([0.5, 1.0, norm.boundaries[-1]], labels=["0.5", "1", f"{largest:.1f}"])
        bar.ax.yaxis.set_minor_locator(NullLocator())
        for height, text in ((-0.05, "pruned"), (0.25, "weakened"), (0.75, "strengthened")):
            bar.ax.annotate(
                text,
                (1, height),
                xytext=(10 if height < 0 else 26, 0),
                xycoords="axes fraction",
                textcoords="offset points",
                va="center",
                rotation=0 if height < 0 else 90,
                annotation_clip=False,
            )
    return figure


def _epochs_of(record: Mapping[str, Any], *needed: str) -> list[dict[str, Any]]:
    """The epochs of a run that have the columns ``needed``; ``ValueError`` says what a run lacks, and the remedy."""
    run = f"the run of {record.get('arm', 'no arm')!r}, seed {record.get('seed', 'none')},"
    if record.get("status") == "failed" or record.get("result", "not asked for") is None:
        raise ValueError(f"{run} failed, so its curve is not whole: leave it out, or train it again with --force")
    if not record.get("history"):
        raise ValueError(
            f"{run} has no history, so there is no curve: leave it out, or delete its record and run the arm again"
        )
    found = [row for row in record["history"] if all(name in row for name in needed)]
    if not found:
        raise ValueError(
            f"{run} has no {' and no '.join(needed)} in its history: choose "
            f"{'an arm with a switcher' if 'pruned' in needed else 'another run'}"
        )
    return found


def counts_over_epochs(record: Mapping[str, Any], names: Sequence[str] = (), layers: Sequence[int] = ()) -> Figure:
    """Pruned, weakened and strengthened neurons after each epoch, one panel for each layer (Fig. 4, right).

    ``record`` is one run with a switcher, as :func:`snnlib.lab.records.read` returns it. ``names`` are the titles of
    all its layers (:func:`layer_name` if none are given), ``layers`` the indices of those that are drawn (all if none
    are given). Raises ``ValueError`` for a run without such counts.
    """
    rows = _epochs_of(record, *CLASS_COLOURS)
    epochs, every = np.array([row["epoch"] + 1 for row in rows]), range(len(rows[0]["pruned"]))
    titles, chosen = names or [layer_name(index) for index in every], layers or every
    if len(titles) != len(every) or not set(chosen) <= set(every):
        raise ValueError(
            f"names={list(names)}, layers={list(layers)}: this run has {len(every)} layers, from 0 to {every[-1]}"
        )
    down, across = -(-len(chosen) // 3), min(len(chosen), 3)
    with plt.rc_context(STYLE):
        figure, panels = plt.subplots(down, across, figsize=(7.0, 0.7 + 2.5 * down), squeeze=False)
        for axes in panels.flat[len(chosen) :]:
            axes.set_axis_off()
        for index, axes in zip(chosen, panels.flat):
            base = np.zeros(len(rows))
            for label, colour in CLASS_COLOURS.items():
                counts = np.array([row[label][index] for row in rows])
                axes.bar(epochs, counts, 1.0, bottom=base, color=colour, label=label, edgecolor="white", linewidth=0.4)
                base = base + counts
            axes.set(
                title=f"{titles[index]} ({int(base[0])})", xlim=(epochs[0] - 0.5, epochs[-1] + 0.5), ylim=(0, base[0])
            )
            axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        for axes in panels.flat[max(len(chosen) - across, 0) : len(chosen)]:  # the lowest of each column
            axes.set_xlabel("epochs done")
        for line in panels:
            line[0].set_ylabel("neurons")
        figure.legend(*panels[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def accuracy_over_epochs(records_by_arm: Mapping[str, Sequence[Mapping[str, Any]]]) -> Figure:
    """Accuracy after each epoch: the mean over seeds and, shaded, the lowest and the highest.

    ``records_by_arm`` maps a legend's text to an arm's finished records. The axis is logarithmic in the error. Raises
    ``ValueError`` where a run has no curve, or runs of one arm differ in length.
    """
    found = {
        label: [[100 * row["accuracy"] for row in _epochs_of(run, "accuracy")] for run in runs]
        for label, runs in records_by_arm.items()
    }
    for label, curves in found.items():
        if len({len(curve) for curve in curves}) != 1:
            lengths = ", ".join(
                f"seed {run.get('seed', 'none')}: {len(curve)}" for run, curve in zip(records_by_arm[label], curves)
            )
            raise ValueError(
                f"{label!r} has runs of different length, or none (epochs by {lengths or 'seed: none'}): give "
                "finished runs of one profile and the same settings"
            )
    if not found:
        raise ValueError("no runs to draw: give the finished runs of one arm at least")
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(figsize=(SINGLE, 4.2))
        lowest, highest = 99.0, 0.0
        colours = arm_colours(found)
        for index, (label, runs) in enumerate(found.items()):
            curves = np.array(runs)  # (seeds, epochs)
            epochs = np.arange(1, curves.shape[1] + 1)
            colour, line = colours[label], ARM_LINES[index % len(ARM_LINES)]
            axes.fill_between(epochs, curves.min(0), curves.max(0), color=colour, alpha=0.15, linewidth=0)
            axes.plot(
                epochs,
                curves.mean(0),
                color=colour,
                linestyle=line,
                linewidth=1.8,
                label=f"{label} (n = {len(curves)})",
            )
            later = curves.mean(0)[min(1, len(epochs) - 1) :]  # without the first epoch, which may be near chance
            lowest, highest = min(lowest, float(later.min())), max(highest, float(curves.max()))
        low, high = max(lowest - 2, 0), 99.2 if highest > 97 else highest + (100 - highest) / 10
        stretch(axes, low, high)
        judged = (
            "held-out"
            if any(run["settings"]["train"]["split"] == "holdout" for runs in records_by_arm.values() for run in runs)
            else "test"
        )
        axes.set(xlabel="epochs done (both phases counted)", ylabel=f"accuracy on the {judged} images (%)")
        axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
        axes.grid(axis="y")
        figure.legend(loc="outside lower center", ncols=2)
    return figure


def factor_histogram(gates: Sequence[Sequence[float]] | None) -> Figure:
    """The distribution of the factors of each gated layer; ``gates`` holds one vector (inputs,) for each.

    The dark bar left of 0 counts the pruned ones; bins end at 1, so that a bar belongs to a single class. Raises
    ``ValueError`` where there are no factors.
    """
    if gates is None or not len(gates) or not all(len(gate) for gate in gates):
        raise ValueError("no factors to draw: a dense run has none, choose a finished run with a switcher")
    top = max(2.0, np.ceil(max(float(np.asarray(gate, float).max()) for gate in gates)))
    width = 1 / np.clip(40 // top, 1, 8)  # about 40 bars at most
    edges = np.arange(0, top + width, width)
    with plt.rc_context(STYLE):
        figure, panels = plt.subplots(1, len(gates), figsize=(7.0, 3.0), squeeze=False)
        for index, (axes, gate) in enumerate(zip(panels[0], gates)):
            values = np.asarray(gate, float)
            axes.bar(-width, (values == 0).sum(), 2 * width * 0.9, color=CLASS_COLOURS["pruned"], label="pruned")
            counts, _ = np.histogram(values[values > 0], edges)
            for label, chosen in (("weakened", edges[:-1] < 1), ("strengthened", edges[:-1] >= 1)):
                axes.bar(
                    edges[:-1][chosen],
                    counts[chosen],
                    width * 0.95,
                    align="edge",
                    color=CLASS_COLOURS[label],
                    label=label,
                )
            axes.axvline(1, color="#555555", linewidth=1, linestyle=":")
            axes.set(title=f"{layer_name(index)} ({len(values)})", xlabel="factor")
            axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        panels[0][0].set_ylabel("neurons")
        figure.legend(*panels[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def packed_channels(packed: PackedWeights) -> Figure:
    """The packed weights, one panel for each channel; padding is hatched, the largest percent share one shade."""
    weights, size = packed.tensor.detach().cpu().numpy(), packed.tensor.shape
    inside = np.zeros(size, bool)
    for channel, (rows, cols) in zip(inside, packed.shapes):
        channel[:rows, :cols] = True
    most = float(np.percentile(np.abs(weights[inside]), 99)) or 1.0
    colours = ScalarMappable(TwoSlopeNorm(0, -most, most), "PuOr")
    with plt.rc_context(STYLE):
        figure, panels = plt.subplots(1, size[0], figsize=(7.0, 4.6), sharey=True, squeeze=False)
        for index, axes in enumerate(panels[0]):
            rows, cols = packed.shapes[index]
            axes.set_facecolor("#ececec")
            axes.add_patch(
                Rectangle((-0.5, -0.5), size[2], size[1], fill=False, hatch="////", edgecolor="#c4c4c4", linewidth=0)
            )
            axes.imshow(
                np.ma.masked_array(weights[index], ~inside[index]),
                cmap=colours.cmap,
                norm=colours.norm,
                aspect="auto",
                interpolation="nearest",
                extent=(-0.5, size[2] - 0.5, size[1] - 0.5, -0.5),
                zorder=2,
            )
            axes.set(title=f"channel {index}\n{rows} × {cols}", xlabel="column: goes to")
        panels[0][0].set_ylabel("row: the neuron that the weight leaves")
        figure.colorbar(colours, ax=panels[0].tolist(), label="weight (hatched: padding)", fraction=0.03, pad=0.02)
    return figure


def paired_differences(pairs: Mapping[str, tuple[Mapping[int, float], Mapping[int, float]]], unit: str) -> Figure:
    """One line for each comparison: an open dot for each seed, below them a stroke at the mean on its 95 % interval.

    ``pairs`` maps a line's text to two arms, each a mapping of seeds to a figure; first minus second is shown, for the
    seeds that both have (:func:`snnlib.metrics.paired_difference`). ``unit`` labels the axis.
    """
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(figsize=(SINGLE, 1.4 + 0.75 * len(pairs)))
        axes.axvline(0, color="#555555", linewidth=1)
        colours = arm_colours(pairs)
        for index, (label, (first, second)) in enumerate(pairs.items()):
            colour, difference = colours[label], paired_difference(first, second)
            each = [first[seed] - second[seed] for seed in sorted(set(first) & set(second))]
            axes.plot(each, [index - 0.14] * len(each), "o", markerfacecolor="none", color=colour, markersize=6)
            if difference.n > 1:
                axes.plot(
                    [difference.low, difference.high],
                    [index + 0.16] * 2,
                    color=colour,
                    linewidth=3,
                    solid_capstyle="butt",
                )
            axes.plot(difference.mean, index + 0.16, "|", color=colour, markersize=13, markeredgewidth=2)
        axes.set_yticks(range(len(pairs)), [textwrap.fill(label, 26) for label in pairs])
        axes.set(ylim=(len(pairs) - 0.5, -0.5), xlabel=f"{unit}\ndots: seeds; bar: 95 % interval, stroke: mean")
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x")
    return figure
