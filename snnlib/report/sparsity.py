"""Tables of where the sparsity comes from: shares over time, and widths at the end predicted from the start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from ..lab.records import Record
from ..training import flow

TIMES = {
    "start_removed_pct": "at the start (%)",
    "first_turn_removed_pct": "after turn 1 (%)",
    "removed_pct": "at the end (%)",
}
"""Keys of a record's result to the headings of a table."""


def shares(groups: Mapping[str, Mapping[int, Record]]) -> pd.DataFrame:
    """One row a title: accuracy, and weights removed at the start, after the first turn and at the end.

    Means over runs in percent, as numbers; NaN where a run did not note a share. Titles without a run that noted the
    start are left out.
    """
    rows: dict[str, dict[str, float]] = {}
    for title, runs in groups.items():
        found = [run["result"] for run in runs.values() if "start_removed_pct" in run["result"]]
        if found:
            rows[title] = {"n": len(found), "accuracy (%)": float(np.mean([each["accuracy"] for each in found]))}
            for key, heading in TIMES.items():
                known = all(each.get(key) is not None for each in found)
                rows[title][heading] = float(np.mean([each[key] for each in found])) if known else np.nan
    return pd.DataFrame(rows).T


def foresight(runs: Mapping[int, Record], learnt_from: Sequence[int]) -> pd.DataFrame | None:
    """How well the widths at the end of runs are predicted: one row a predictor, mean error in neurons by layer.

    ``runs`` are records of one setting by seed; predictors learn from the seeds ``learnt_from`` and are judged on the
    others. They are the mean widths, which depend on the setting alone, and what became of neurons that were off before
    the first step, or after the first turn. None where either side has fewer than two runs that noted both; separate
    learning has no turns.
    """
    noted = {seed: run for seed, run in runs.items() if "first turn" in (run.get("off") or {}).get("times", ())}
    known = [run for seed, run in noted.items() if seed in learnt_from]
    others = [run for seed, run in noted.items() if seed not in learnt_from]
    if min(len(known), len(others)) < 2:
        return None
    ends = np.array([flow.final_widths(run) for run in others])
    ways = {"the setting alone": np.tile(flow.persistence(known).widths, (len(others), 1))}
    for time, said in (
        ("start", "and who is off before the first step"),
        ("first turn", "and who is off after the first turn"),
    ):
        learnt = flow.persistence(known, time)
        ways[said] = np.array([learnt.foresee(run, time) for run in others])
    rows = {way: np.abs(found - ends).mean(0) for way, found in ways.items()}
    return pd.DataFrame(rows, index=[f"layer {layer + 1}" for layer in range(ends.shape[1])]).T


def foreseen_trials(trials: pd.DataFrame, full: Sequence[int]) -> pd.DataFrame:
    """How far the widths at the end of search trials follow from earlier ones: variance explained in percent, by layer.

    A straight line for each layer, fitted to finished trials with even numbers and judged on the others; NaN where
    there are fewer than ten of either kind. Below 0 the line is worse than the mean of what it is judged on.
    """
    finished = trials[trials["state"] == "finished"]
    even = finished["trial"].astype(int).to_numpy() % 2 == 0
    rows: dict[str, list[float]] = {}
    for name, said in (
        ("widths_start", "from the widths before the first step"),
        ("widths_first", "from the widths after the first turn"),
    ):
        explained: list[float] = []
        for layer in range(len(full)):
            x, y = (
                np.array([int(str(widths).split("-")[layer]) for widths in finished[column]], float) / full[layer]
                for column in (name, "widths")
            )
            if min(even.sum(), (~even).sum()) < 10:
                explained.append(np.nan)
                continue
            slope, offset = np.polyfit(x[even], y[even], 1)
            explained.append(100 * (1 - np.mean((y[~even] - slope * x[~even] - offset) ** 2) / y[~even].var()))
        rows[said] = explained
    return pd.DataFrame(rows, index=[f"layer {layer + 1}" for layer in range(len(full))]).T
