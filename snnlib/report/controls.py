"""Does reading the weights matter? SNN-AL against switchers fed something else, and against its widths without one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..lab.experiments import tuned
from ..metrics import paired_difference
from . import pages, pixels
from .claims import READINGS, beside
from .evidence import ENOUGH, Sign, one, sides
from .results import Results
from .style import ARM_COLOURS, STYLE
from .wording import span, unbroken

STARTS = {"snn-al-epoch": "std 0.01", "snn-al-std-0.1": "std 0.1"}
"""SNN-AL under both readings of the initial weights."""

FED = ("fed-nothing", "fed-constants", "fed-noise", "fed-shuffled")
PRUNED = ("random", "norm", "scratch")
DECODERS = {"transposed, a bias for each tap": "", "transposed, one bias": "one-bias", "resize and convolve": "resize"}
"""How the decoder doubles its rows, to the control that does it so; ours is the first."""

TITLES = {
    "fed-nothing": "a free factor a neuron",
    "fed-constants": "switcher fed constants",
    "fed-noise": "switcher fed fixed noise",
    "fed-shuffled": "switcher fed shuffled rows",
    "random": "pruned at random",
    "norm": "pruned by L2 norm",
    "scratch": "same structure, from scratch",
}
"""Controls in words."""

SIDES = {1: "better", -1: "worse", 0: "not told apart"}


def _signs(results: Results, reference: str, kinds: Iterable[str]) -> dict[str, Sign]:
    """By kind of control: accuracy of its arm less SNN-AL's, dead seeds at chance; those without pairs are left out."""
    found = {
        kind: Sign(kind, paired_difference(results.with_dead(beside(reference, kind)), results.with_dead(reference)))
        for kind in kinds
    }
    return {kind: sign for kind, sign in found.items() if sign.found.n}


def _told(signs: Sequence[Sign]) -> list[str]:
    """On which side of SNN-AL each control lies, in words."""
    return [
        SIDES[side] if sign.found.n >= ENOUGH else f"{sign.found.n} of {ENOUGH} pairs"
        for sign, side in zip(signs, sides(signs))
    ]


def compared(results: Results, reference: str, kinds: Sequence[str] = (*FED, *PRUNED)) -> pd.DataFrame:
    """Every control less SNN-AL: accuracy and weights removed in points, and whether the accuracies are told apart.

    ``reference`` is the arm of SNN-AL. Runs that died have the accuracy of guessing, and no share of weights removed.
    """
    signs = _signs(results, reference, kinds)
    rows: dict[str, dict[str, str]] = {}
    for (kind, sign), told in zip(signs.items(), _told(list(signs.values()))):
        arm = beside(reference, kind)
        rows[TITLES[kind]] = {
            "lived": unbroken(results.lived(arm)),
            "accuracy": span(sign.found),
            "removed": span(results.difference(arm, reference, "removed_pct"), 1),
            "accuracy is": told,
        }
    return pages.table(rows, "No finished pairs of runs yet.")


def in_short(results: Results) -> str:
    """For both starts how many controls are more or less accurate than SNN-AL, or not told from it, as Markdown."""
    lines: list[str] = []
    kinds = (*FED, *PRUNED)
    for reference, start in STARTS.items():
        told = _told(list(_signs(results, reference, kinds).values()))
        counts = [told.count(word) for word in SIDES.values()]
        better, worse, same, waiting = (str(count or "none") for count in (*counts, len(kinds) - sum(counts)))
        said = start.replace("std", "standard deviation")
        lines.append(
            f"* With initial weights of {said}, of {len(kinds)} controls {better} came out more accurate than SNN-AL, "
            f"{worse} less accurate, and {same} could not be told from it."
            + (f" For {waiting} of them there are too few runs to say." if waiting != "none" else "")
        )
    return "\n".join(lines)


def plane(results: Results) -> Figure:
    """Mean accuracy against mean share of weights removed, a panel for each start of the weights."""
    if not any(results.runs(reference) for reference in STARTS):
        return pages.nothing()
    with plt.rc_context(STYLE):
        figure, panels = plt.subplots(1, 2, figsize=(7.6, 4.9))
        for axes, (reference, start) in zip(panels, STARTS.items()):
            _means(axes, results, reference)
            axes.set(title=f"initial weights of {start}", xlabel="weights removed (%)")
            axes.grid()
        panels[0].set_ylabel("accuracy on the test images (%)")
        handles = {label: handle for axes in panels for handle, label in zip(*axes.get_legend_handles_labels())}
        figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=3)
    return figure


def _means(axes: Axes, results: Results, reference: str) -> None:
    """A mark for SNN-AL and for each control, with the deviation of the accuracy as a bar, and n where it is small."""
    arms = {"SNN-AL": reference} | {TITLES[kind]: beside(reference, kind) for kind in (*FED, *PRUNED)}
    for place, (title, arm) in enumerate(arms.items()):
        accuracy, removed = (list(results.values(arm, quantity).values()) for quantity in ("accuracy", "removed_pct"))
        if accuracy:
            at = float(np.mean(removed)), float(np.mean(accuracy))
            axes.errorbar(
                *at,
                np.std(accuracy, ddof=1) if len(accuracy) > 1 else 0,
                marker="*osD^vPX"[place],
                color=ARM_COLOURS[place],
                markersize=12 if title == "SNN-AL" else 8,
                capsize=2,
                linestyle="",
                label=title,
            )
            if len(accuracy) < ENOUGH:
                axes.annotate(f"n = {len(accuracy)}", at, (7, 7), textcoords="offset points", fontsize="small")


def parity(results: Results) -> pd.DataFrame:
    """Percent of pruned input neurons in odd rows minus that in even rows, by start and decoder.

    *Size* is the mean over runs without the sign: a decoder may prefer even rows in one run and odd ones in another.
    """
    rows: dict[str, dict[str, str]] = {}
    for reference, ending in READINGS.items():
        for title, kind in DECODERS.items():
            arm = f"{kind}{ending}" if kind else reference
            found = results.values(arm, lambda run: pixels.parity_contrast(run["result"]["gates"][0]))
            if found:
                rows[f"{STARTS[reference]}: {title}"] = {
                    "n": str(len(found)),
                    "odd minus even [95 %]": span(one(found), 1),
                    "size": f"{np.mean(np.abs(list(found.values()))):.1f}",
                }
    return pages.table(rows)


def small_searches(results: Results) -> pd.DataFrame:
    """SNN-AL and the controls of what it reads, each with the sparse setting of a small search of its own."""
    rows: dict[str, dict[str, str]] = {}
    arms = {"SNN-AL": "small"} | {TITLES[kind]: beside("small", kind) for kind in FED}
    for title, arm in arms.items():
        accuracy, removed = (list(results.values(arm, of).values()) for of in ("accuracy", "removed_pct"))
        if accuracy:
            rows[title] = {
                "lived": unbroken(results.lived(arm)),
                "accuracy (%)": unbroken(f"{np.mean(accuracy):.2f} ({min(accuracy):.1f} to {max(accuracy):.1f})"),
                "removed (%)": unbroken(f"{np.mean(removed):.1f} ({min(removed):.0f} to {max(removed):.0f})"),
            }
    return pages.table(rows, "No finished runs of the settings that the small searches chose.")


def widths_of_tuned(results: Results) -> pd.DataFrame:
    """The widths that tuned SNN-AL found, reached without a switcher, less tuned SNN-AL; as :func:`compared`."""
    found = [
        compared(results, role, PRUNED).rename(lambda title, role=role: f"{role}: {title}")
        for role in (*tuned.settings(tuned.CONTROLLED), "small")
        if any(sign.found.n for sign in _signs(results, role, PRUNED).values())
    ]
    return pd.concat(found) if found else pages.table({}, "Not run yet.")


SPARSE = {"std 0.1": "snn-al-std-0.1", "sparse setting": tuned.settings(("sparse",))[0], "small search": "small"}
"""Settings of SNN-AL that prune much, by what a table calls them."""

CHOICES = {
    "by norm minus at random, trained on": ("norm", "random"),
    "SNN-AL's minus at random, from scratch": ("scratch", "random-scratch"),
}
"""Two ways of choosing the neurons of the same widths that differ in nothing else: in words, and as controls."""


def which_neurons(results: Results) -> pd.DataFrame:
    """Whether it matters which neurons are kept, at the widths that SNN-AL found where it prunes much."""
    rows: dict[str, dict[str, str]] = {}
    for title, arm in SPARSE.items():
        for said, (first, second) in CHOICES.items():
            found = results.difference(beside(arm, first), beside(arm, second))
            if found.n:
                rows[f"{title}: {said}"] = {"n": str(found.n), "accuracy": span(found)}
    return pages.table(rows, "Not run yet.")
