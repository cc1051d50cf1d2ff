"""Whole runs of training by turns: neurons by class, pixels by region, and what was off before the first step."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..data import load
from . import pages, pixels
from .figures import layer_name
from .results import Results
from .strips import classes_of
from .wording import unbroken

BY_EPOCH, BY_STEP, WIDER = "snn-al-epoch", "snn-al-step", "snn-al-std-0.1"

ARMS = {"t counts epochs": BY_EPOCH, "t counts steps": BY_STEP, "t counts epochs, FC std 0.1": WIDER}
"""SNN-AL of Table 2 by what the paper leaves open: title to arm."""


def by_class(results: Results, arms: Mapping[str, str] = ARMS) -> pd.DataFrame:
    """Neurons of each gated layer that are pruned, weakened and strengthened at the end, and their mean factor.

    Means over the finished runs; an arm without any is left out (section 3.2 of the paper has the classes).
    """
    rows: dict[str, dict[str, str]] = {}
    for title, arm in arms.items():
        found = list(results.runs(arm).values())
        for layer in range(len(found[0]["result"]["gates"]) if found else 0):
            gates = [np.asarray(run["result"]["gates"][layer], float) for run in found]
            counts = [classes_of(each) for each in gates]
            rows[f"{title}: {layer_name(layer)}"] = {
                **{kind: _mean([each[kind] for each in counts]) for kind in counts[0]},
                "mean factor": _mean([each.mean() for each in gates], 2),
            }
    return pages.table(rows)


def _mean(values: list[float], digits: int = 0) -> str:
    return f"{float(np.mean(values)):.{digits}f}"


def regions() -> dict[str, NDArray[np.bool_]]:
    """Masks (28, 28) of the regions into which an image of MNIST is cut; the last three overlap the others."""
    column = np.indices((28, 28))[1]
    inner = slice(pixels.EDGE, -pixels.EDGE)
    rows, columns = np.ones((2, 28, 28), bool)
    rows[inner], columns[:, inner] = False, False
    return {
        f"top and bottom {pixels.EDGE} rows": rows,
        f"left and right {pixels.EDGE} columns between": columns & ~rows,
        "the centre": ~columns & ~rows,
        "always 0 in training images": (load("mnist").x_train.amax(0)[0] == 0).numpy(),
        "even columns": column % 2 == 0,
        "odd columns": column % 2 == 1,
    }


def by_region(results: Results, arms: Mapping[str, str] = ARMS) -> pd.DataFrame:
    """Percent of the pixels of each region that are pruned and, behind a comma, their mean factor; means over runs.

    A column an arm; an arm without finished runs is left out.
    """
    places = regions()
    rows = {name: {"pixels": str(int(inside.sum()))} for name, inside in places.items()}
    for title, arm in arms.items():
        factors = np.array([pixels.factors_in_place(run) for run in results.runs(arm).values()])
        for name, inside in places.items() if len(factors) else ():
            there = factors[:, inside]
            rows[name][title] = unbroken(f"{100 * float((there == 0).mean()):.1f} %, {float(there.mean()):.2f}")
    return pages.table(rows if any(len(row) > 1 for row in rows.values()) else {})


def from_start(results: Results, arms: Mapping[str, str] = ARMS) -> pd.DataFrame:
    """Percent of the weights that are off before the first step, after the switcher's first turn, and at the end.

    Means over the finished runs; the first turn is left empty where a record lacks it.
    """
    keys = {
        "before the first step": "start_removed_pct",
        "after the switcher's first turn": "first_turn_removed_pct",
        "at the end": "removed_pct",
    }
    rows: dict[str, dict[str, str]] = {}
    for title, arm in arms.items():
        found = [run["result"] for run in results.runs(arm).values()]
        if found:
            values = {head: [result.get(key) for result in found] for head, key in keys.items()}
            rows[title] = {head: "" if None in each else _mean(each, 1) for head, each in values.items()}
            began, ended = (float(np.mean(values[head])) for head in ("before the first step", "at the end"))
            rows[title]["training's doing"] = unbroken(f"{ended - began:+.1f}")
    return pages.table(rows)
