"""Where the sparsity comes from: shares over time, the fate of neurons, widths at the end predicted from the start."""

from __future__ import annotations

import itertools
from collections.abc import Container, Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ..arms import Arm
from ..lab import records
from ..lab.records import Record
from ..training import State, flow
from . import pages, search_figures
from .claims import pruned_in_training
from .evidence import one
from .results import Results
from .wording import span, unbroken

TIMES = {"start_removed_pct": "start", "first_turn_removed_pct": "after turn 1", "removed_pct": "end"}
"""Keys of a record's result to the headings of a table."""


FULL = (784, 300, 100)
"""Gated widths of the perceptron, whole."""


def fates(state: State, widths: Sequence[int]) -> dict[str, NDArray[np.int_]]:
    """What has become of the neurons of layers of these ``widths``: see :func:`snnlib.training.flow.fates`."""
    looks = {**state.marks, **{f"epoch {row['epoch']}": row["off"] for row in state.history}}
    return flow.fates({time: flow.decode(text, widths) for time, text in looks.items()})


def useful(trials: pd.DataFrame, lowest: float = 95.0) -> pd.DataFrame:
    """The finished trials of a search that reach ``lowest`` percent."""
    if not len(trials):
        return trials
    return trials[(trials["state"] == "finished") & (trials["accuracy"].astype(float) >= lowest)]


def origin(trials: pd.DataFrame) -> pd.DataFrame:
    """How the weights removed at the end of trials relate to those removed earlier: counts, correlations, a share.

    A trial is sparse here if it ends with half of the weights removed or more.
    """
    if len(trials) < 20:
        return pages.table({}, "There are too few trials to say anything.")
    start, first, end = (trials[name].to_numpy(float) for name in ("removed_start", "removed_first", "removed"))
    sparse = end >= 50
    rows = {
        "trials": f"{len(trials)}",
        "of these, end with fewer weights removed than at the start": f"{(end < start).sum()}",
        "of these, end with at least 5 points more": f"{(end > start + 5).sum()}",
        "rank correlation of the end with the start": f"{_rank_correlation(start, end):.2f}",
        "rank correlation of the end with the first turn": f"{_rank_correlation(first, end):.2f}",
        "sparse trials": f"{sparse.sum()}",
    }
    if sparse.any():
        there = np.minimum(start[sparse], end[sparse]) / end[sparse]
        rows |= {
            "removed at their start (%)": f"{start[sparse].mean():.1f}",
            "removed at their end (%)": f"{end[sparse].mean():.1f}",
            "at most so much of it was there before the first step (%)": f"{100 * there.mean():.0f}",
        }
    return pages.table({what: {"": value} for what, value in rows.items()})


def _rank_correlation(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Spearman's: the correlation of the ranks."""
    from scipy.stats import rankdata  # here, not above: it takes a second to import

    return float(np.corrcoef(rankdata(first), rankdata(second))[0, 1])


def whole_run(results: Results) -> Record | None:
    """A run that noted its neurons: of the sparse setting if there is one, else of the first arm that has any."""
    arms = [arm for _, arm in results.arms]
    for arm in ("sparse", *arms):
        for run in results.runs(arm).values() if arm in arms else ():
            if run.get("off"):
                return run
    return None


def fates_figure(run: Record | None) -> Figure:
    """What has become of a recorded run's neurons, or a word that no run has noted them."""
    if run is None:
        return pages.nothing("No recorded run has noted its neurons yet.")
    return search_figures.fates_over_epochs(flow.fates(flow.of_record(run)), run["off"]["widths"])


def learned(
    results: Results, arms: Container[str] | None = None
) -> tuple[dict[str, dict[int, Record]], dict[str, str]]:
    """By title of the arm its runs that ended above guessing, and how many those are of how many: "6 of 8".

    Of ``arms``, or of all.
    """
    groups: dict[str, dict[int, Record]] = {}
    told: dict[str, str] = {}
    for arm in results.arms.values():
        if arms is not None and arm.name not in arms:
            continue
        title, runs = arm.title or arm.name, results.runs(arm.name, arm.network)
        groups[title] = records.learned(runs)
        tried = len(runs) + len(results.failed(arm.name, arm.network))
        told[title] = f"{len(groups[title])} of {tried}" if tried > len(groups[title]) else str(tried)
    return groups, told


def shares_table(
    results: Results, without: Sequence[str] = (), arms: Container[str] | None = None, gained: bool = False
) -> pd.DataFrame:
    """:func:`shares` of all arms, or of ``arms``, as texts, of runs that ended above guessing.

    Titles lose the words ``without``. ``gained`` adds the end less the start, with its interval.
    """
    groups, told = learned(results, arms)
    turns = {arm.title or arm.name: first_turn(arm) for arm in results.arms.values()}
    rows: dict[str, dict[str, str]] = {}
    for title, row in shares(groups).iterrows():
        name = str(title)
        cells = {str(head): "" if pd.isna(value) else f"{value:.1f}" for head, value in row.items()}
        for words in without:
            name = name.removeprefix(words)
        rows[name] = {"n": told[str(title)], "first turn lasts": turns[str(title)]}
        rows[name] |= {head: text for head, text in cells.items() if head != "n"}
        if gained:
            ends = {seed: pruned_in_training(run) for seed, run in groups[str(title)].items()}
            rows[name]["end − start [95 %]"] = span(one(ends), 1)
    return pages.table(rows)


def first_turn(arm: Arm) -> str:
    """How long the switcher's first turn is, in words; nothing for an arm that is not trained by turns."""
    if arm.method != "alternating":
        return ""
    count = arm.train.turns[0]
    return unbroken(f"{count} {arm.train.alternate}{'' if count == 1 else 's'}")


def gone_twice(run: Record) -> dict[str, float]:
    """Of what is off at the end of a perceptron's run, how much was off before the first step, in percent.

    "weights": of the weights gone at the end; "neurons": of the neurons off at the end. "weights by chance" and
    "neurons by chance" are what these would be, on average, if those off at the end were drawn anew in each layer. All
    are NaN where nothing is off at the end.
    """
    looks = flow.of_record(run)
    start, end = ([~layer for layer in looks[time]] for time in ("start", list(looks)[-1]))
    both = [a & b for a, b in zip(start, end)]
    outputs = run["result"]["shape"]["outputs"]
    sizes = _matrices([np.ones_like(layer) for layer in start], outputs)
    before, after, left_twice = (sizes - _matrices(on, outputs) for on in (start, end, both))
    off_before, off_after = (np.array([(~layer).sum() for layer in on], float) for on in (start, end))
    shares = {
        "weights": (before + after - left_twice, after),
        "weights by chance": (before / sizes * after, after),
        "neurons": (np.array([(~a & ~b).sum() for a, b in zip(start, end)], float), off_after),
        "neurons by chance": (off_before / [len(layer) for layer in start] * off_after, off_after),
    }
    return {what: 100 * part.sum() / of.sum() if of.sum() else np.nan for what, (part, of) in shares.items()}


def _matrices(on: Sequence[NDArray[np.bool_]], outputs: int) -> NDArray[np.float64]:
    """How many weights each matrix has between neurons that are on (layers,)."""
    widths = [*(int(layer.sum()) for layer in on), outputs]
    return np.array([a * b for a, b in itertools.pairwise(widths)], float)


def gone_twice_table(results: Results, least: float = 10.0) -> pd.DataFrame:
    """A row a setting that removes ``least`` percent of the weights or more: what its runs remove, least and most, and
    means of :func:`gone_twice`, in brackets those by chance. Of runs that noted their neurons and ended above
    guessing."""
    rows: dict[str, dict[str, str]] = {}
    for title, runs in learned(results)[0].items():
        noted = [run for run in runs.values() if "start" in (run.get("off") or {}).get("times", ())]
        ends = [run["result"]["removed_pct"] for run in noted]
        if noted and np.mean(ends) >= least:
            found = pd.DataFrame([gone_twice(run) for run in noted]).mean()
            rows[title] = {
                "n": str(len(noted)),
                "weights gone (%)": " to ".join(dict.fromkeys(f"{end:.0f}" for end in (min(ends), max(ends)))),
                "of these, gone before (%)": f"{found['weights']:.0f} ({found['weights by chance']:.0f})",
                "of neurons off, off before (%)": f"{found['neurons']:.0f} ({found['neurons by chance']:.0f})",
            }
    return pages.table(rows)


def foreseen_table(trials: pd.DataFrame) -> pd.DataFrame:
    """:func:`foreseen_trials` of the perceptron as texts."""
    if not len(trials):
        return pages.table({}, "There are too few trials to say anything.")
    return foreseen_trials(trials, FULL).map(lambda value: "" if pd.isna(value) else f"{value:.0f} %")


def foresight_table(results: Results, learnt_from: Sequence[int] = range(4)) -> pd.DataFrame:
    """:func:`foresight` of every setting with enough runs as texts: a row a setting, errors summed over the layers."""
    rows = {
        title: {str(way): f"{errors.sum():.0f}" for way, errors in found.iterrows()}
        for title, runs in learned(results)[0].items()
        if (found := foresight(runs, learnt_from)) is not None
    }
    return pages.table(rows, "Too few runs of one setting have noted their neurons.")


def shares(groups: Mapping[str, Mapping[int, Record]]) -> pd.DataFrame:
    """One row a title: accuracy, and weights removed at the start, after the first turn and at the end.

    Means over runs in percent, as numbers; NaN where a run did not note a share. Titles without a run that noted the
    start are left out.
    """
    rows: dict[str, dict[str, float]] = {}
    for title, runs in groups.items():
        found = [run["result"] for run in runs.values() if "start_removed_pct" in run["result"]]
        if found:
            rows[title] = {"n": len(found), "accuracy": float(np.mean([each["accuracy"] for each in found]))}
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
    for time, said in (("start", "and who is off at the start"), ("first turn", "and who is off after the first turn")):
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
