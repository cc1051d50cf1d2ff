"""Must switcher and network learn by turns? The paper's Table 2, its claims as differences between arms, and ours."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ..lab.experiments import tuned
from ..lab.records import Record
from ..metrics import PairedDifference, paired_difference
from . import beside, pages, tables
from .evidence import Evidence, one
from .results import Quantity, Results
from .wording import span, unbroken

ACCURACY: Quantity = "accuracy"
REMOVED: Quantity = "removed_pct"


def printed() -> dict[str, tables.Row]:
    """The rows that the paper prints in Table 2, by method."""
    return {row.arm: row for row in tables.paper_rows("2")}


def printed_table() -> pd.DataFrame:
    """The paper's Table 2 as it stands."""
    return beside.table(tables.paper_rows("2"), ("accuracy (%)", "widths", "removed (%)")).drop("ours: not run yet")


def _printed(method: str, field: str) -> float:
    return float(getattr(printed()[method], field))


def in_short(results: Results) -> str:
    """SNN-AL against the dense network and SNN-SL, and what it removes, beside the paper, as Markdown."""
    lines: list[str] = []
    for arm, said, method in (("dense", "the dense network", "baseline"), ("snn-sl", "SNN-SL", "SNN-SL")):
        found = results.difference("snn-al-epoch", arm)
        theirs = unbroken(f"{_printed('SNN-AL', 'acc_mean') - _printed(method, 'acc_mean'):+.2f}")
        lines.append(f"SNN-AL is {_compared(found, said)}; the paper prints {theirs}.")
    left = [results.mean(arm, REMOVED) for arm in ("snn-al-epoch", "snn-sl")]
    ours = ["no finished run" if mean is None else f"{mean:.1f} %" for mean in left]
    before = [run["result"].get("start_removed_pct") for run in results.runs("snn-al-epoch").values()]
    start = f" ({np.mean(before):.1f} % before the first step)" if before and None not in before else ""
    theirs = [f"{_printed(method, 'removed_pct'):.1f} %" for method in ("SNN-AL", "SNN-SL")]
    lines.append(
        f"Weights removed: {ours[0]} by SNN-AL{start} and {ours[1]} by SNN-SL; the paper prints {theirs[0]} and "
        f"{theirs[1]}."
    )
    return "\n".join(f"* {line}" for line in lines)


def _compared(found: PairedDifference, other: str) -> str:
    """An accuracy in words, from its paired difference to that of ``other``."""
    if not found.n:
        return f"not yet compared with {other} (no finished pair of runs)"
    if found.n < 2 or found.low <= 0 <= found.high:
        return f"not to be told from {other} in accuracy ({span(found)} points, n = {found.n})"
    return f"{'more' if found.mean > 0 else 'less'} accurate than {other} ({span(found)} points, n = {found.n})"


def quantities(results: Results) -> pd.DataFrame:
    """For each claim of Table 2 the quantity that is above 0 if it is true: the paper's, and ours for both t."""
    rows: dict[str, dict[str, str]] = {}
    for title, paper, second, quantity in (
        ("accuracy: SNN-AL minus dense", _gain("baseline"), results.values("dense"), ACCURACY),
        ("accuracy: SNN-AL minus SNN-SL", _gain("SNN-SL"), results.values("snn-sl"), ACCURACY),
        (
            "removed: SNN-AL minus SNN-SL",
            _printed("SNN-AL", "removed_pct") - _printed("SNN-SL", "removed_pct"),
            results.values("snn-sl", REMOVED),
            REMOVED,
        ),
    ):
        rows[title] = {"paper": unbroken(f"{paper:+.2f}")}
        for head, arm in (("t counts epochs", "snn-al-epoch"), ("t counts steps", "snn-al-step")):
            rows[title][head] = span(paired_difference(results.values(arm, quantity), second)) or "no pairs yet"
    return pages.table(rows)


def _gain(method: str) -> float:
    return _printed("SNN-AL", "acc_mean") - _printed(method, "acc_mean")


FURTHER = {
    "SNN-AL by step minus SNN-AL by epoch": ("snn-al-step", "snn-al-epoch"),
    "SNN-AL by epoch minus dense with equal task-network steps": ("snn-al-epoch", "dense-equal-steps"),
    "SNN-SL minus dense with equal task-network steps": ("snn-sl", "dense-equal-steps"),
    "SNN-AL minus the same with the second term cut": ("snn-al-epoch", "snn-al-cut"),
}
"""Further comparisons of two arms, without a verdict."""


def compared(results: Results, pairs: Mapping[str, tuple[str, str]] = FURTHER) -> pd.DataFrame:
    """The first arm of each pair minus the second: accuracy, and weights removed, in points."""
    rows: dict[str, dict[str, str]] = {}
    for title, (first, second) in pairs.items():
        accuracy, removed = (results.difference(first, second, quantity) for quantity in (ACCURACY, REMOVED))
        if accuracy.n:
            rows[title] = {"n": str(accuracy.n), "accuracy": span(accuracy), "removed": span(removed, 1)}
    return pages.table(rows, "No finished pairs of runs yet.")


SIDES = {"switcher": "switcher", "network": "task network"}
"""Whose turn an epoch is, where t counts epochs, and what it is called."""

BY_SIDE = {
    "SNN-AL": "snn-al-epoch",
    "SNN-AL, FC std 0.1": "snn-al-std-0.1",
    "SNN-AL, second term of Eq. 6 cut": "snn-al-cut",
}
"""Arms whose turns are epochs."""


def changes(record: Record, side: str, skipped: int = 2) -> tuple[float, float]:
    """Mean changes in an epoch of ``side``: of the accuracy in points, and of the number of neurons that are off.

    The first ``skipped`` epochs are left out. NaN where no such epoch is left.
    """
    rows = record["history"]
    pairs = [
        (before, after) for before, after in zip(rows[skipped - 1 :], rows[skipped:]) if after.get("phase") == side
    ]
    if not pairs:
        return float("nan"), float("nan")
    accuracy = [100 * (after["accuracy"] - before["accuracy"]) for before, after in pairs]
    off = [sum(after["pruned"]) - sum(before["pruned"]) for before, after in pairs]
    return float(np.mean(accuracy)), float(np.mean(off))


def by_side(results: Results, arms: Mapping[str, str] = BY_SIDE) -> pd.DataFrame:
    """What an epoch of either side changes: accuracy in points, and neurons that are off; means over runs.

    Arms without runs of more than three epochs are left out.
    """
    rows: dict[str, dict[str, str]] = {}
    for title, arm in arms.items():
        found = {side: np.array([changes(run, side) for run in results.runs(arm).values()]) for side in SIDES}
        if all(each.size and np.isfinite(each).all() for each in found.values()):
            rows[title] = {"n": str(len(found["network"]))} | {
                f"{what}, {whose} [95 %]": span(one(found[side][:, place]), digits)
                for place, (what, digits) in enumerate((("accuracy", 2), ("neurons off", 1)))
                for side, whose in SIDES.items()
            }
    return pages.table(rows, "No finished runs yet.")


def recipes(evidence: Evidence) -> str:
    """What SNN-AL's settings cost a dense network: with them and without a switcher, minus the tuned dense network, as
    a sentence; nothing before there are such runs."""
    places = {role: ("2", role) for role in ("accurate", "sparse")} | {"small": ("controls", "small")}
    parts: list[str] = []
    for role, (number, arm) in places.items():
        found = evidence.difference("", number, f"{tuned.UNDER}{arm}", "tuned-dense", "accuracy").found
        if found.n:
            parts.append(f"{span(found)} with the {tuned.CALLED[role]} (n = {found.n})")
    return (
        f"Dense with SNN-AL's settings minus the tuned dense network, in points: {'; '.join(parts)}." if parts else ""
    )


def by_start(results: Results) -> pd.DataFrame:
    """SNN-AL under both readings of the initial weights: weights removed, accuracy minus dense of the same start."""
    rows = {
        "paper": {"removed (%)": f"{_printed('SNN-AL', 'removed_pct'):.1f}", "minus dense [95 %]": _signed("baseline")}
    }
    for title, arm, dense in (
        ("ours, std 0.01", "snn-al-epoch", "dense"),
        ("ours, std 0.1", "snn-al-std-0.1", "dense-std-0.1"),
    ):
        removed = results.mean(arm, REMOVED)
        rows[title] = {
            "removed (%)": "no runs yet" if removed is None else f"{removed:.1f}",
            "minus dense [95 %]": span(results.difference(arm, dense)),
        }
    return pages.table(rows)


def _signed(method: str) -> str:
    return unbroken(f"{_gain(method):+.2f}")


def settled(results: Results, titles: Mapping[str, str]) -> pd.DataFrame:
    """How far the mean accuracy moved in the last fifth of the epochs, in points; ``titles`` maps arms to titles."""
    rows: dict[str, dict[str, str]] = {}
    for arm, title in titles.items():
        curves = [[100 * row["accuracy"] for row in run["history"]] for run in results.runs(arm).values()]
        if curves and len(curves[0]) > 1:
            mean = np.mean(curves, axis=0)
            tail = max(len(mean) // 5, 1)
            rows[title] = {
                "epochs": str(len(mean)),
                "of these the last": str(tail),
                "moved by": unbroken(f"{mean[-1] - mean[-1 - tail]:+.2f}"),
            }
    return pages.table(rows)
