"""Which trials are best: fronts of two objectives, promotion to the next rung, and the choice of settings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..experiments.roles import LEAST_PCT, WITHIN
from ..experiments.studies import STUDIES
from ..experiments.study import Study
from ..names import Refused
from .trials import Row, read, rows_of


def ranks(points: NDArray[np.float64]) -> NDArray[np.int_]:
    """Rank of each of ``points`` (points, objectives): 0 for those that no other beats, 1 without these, and so on.

    All objectives should be large.
    """
    beaten = (points[:, None] <= points[None]).all(2) & (points[:, None] < points[None]).any(2)
    found, left, rank = np.full(len(points), -1), np.ones(len(points), bool), 0
    while left.any():
        front = left & ~(beaten & left[None]).any(1)
        found[front], rank = rank, rank + 1
        left &= ~front
    return found


def front(trials: pd.DataFrame, study: Study, rung: int | None = None) -> pd.DataFrame:
    """The finished trials of one rung that no other beats in all objectives, most accurate first.

    ``rung`` None: of the last rung that has any.
    """
    finished = trials[(trials["state"] == "finished") & (trials["rung"].astype(int) <= len(study.rungs))]
    if not len(finished):
        return finished
    finished = finished[finished["rung"] == (finished["rung"].max() if rung is None else rung)]
    best = ranks(finished[list(study.objectives)].to_numpy(float)) == 0
    return finished[best].sort_values("accuracy", ascending=False)


def unstopped(trials: pd.DataFrame) -> pd.DataFrame:
    """Trials whose switcher learns to the end, as in the paper; none in a study without this setting."""
    return trials[trials["switcher_until"].astype(float) == 1.0] if "switcher_until" in trials else trials[:0]


def promoted(trials: pd.DataFrame, study: Study, rung: int) -> pd.DataFrame:
    """The trials of ``rung`` that are promoted: rank by rank of those above the floor.

    Of the last rank those most spread out in accuracy are taken. A share of the places is for trials whose switcher
    learns to the end. In a study without fresh seeds the last rung, which the choice is made from, has besides the best
    of the rung below for each role that asks for a share of the weights (:data:`.LEAST_PCT`).
    """
    able = trials[(trials["state"] == "finished") & (trials["rung"] == rung)]
    able = able[able["accuracy"].astype(float) >= study.floor]
    finished = able
    if len(study.objectives) > 1:
        finished = able[able["removed"].astype(float) >= study.least_removed]
    wanted = study.rungs[rung].trials if rung < len(study.rungs) else 0
    reserved = _best_ranks(unstopped(finished), study, wanted // study.unstopped_every)
    others = _best_ranks(finished.drop(index=reserved), study, wanted - len(reserved))
    by_size: list[int] = []
    if rung == len(study.rungs) - 1 and not study.fresh and len(able):
        by_size = [by_role(able, role, None).index[0] for role in study.roles if role in LEAST_PCT]
    return able.loc[sorted({*reserved, *others, *by_size})]


def _best_ranks(finished: pd.DataFrame, study: Study, wanted: int) -> list[int]:
    """Index of the ``wanted`` best of ``finished``, rank by rank."""
    rank = ranks(finished[list(study.objectives)].to_numpy(float)) if len(finished) else np.empty(0, int)
    chosen: list[int] = []
    for level in range(int(rank.max(initial=-1)) + 1):
        members = finished[rank == level].sort_values(["accuracy", "trial"], ascending=[False, True]).index
        room = wanted - len(chosen)
        if len(members) > room:
            members = (
                members[np.unique(np.linspace(0, len(members) - 1, room).round().astype(int))]
                if room > 0
                else members[:0]
            )
        chosen += list(members)
    return chosen


def by_role(trials: pd.DataFrame, role: str, dense: float | None) -> pd.DataFrame:
    """``trials`` that a role may take, best first (see :data:`~snnlib.lab.experiments.roles.ROLES`).

    ``dense`` is the tuned dense network's held-out accuracy in percent, which only "knee" needs. Raises ``ValueError``
    where it is missing.
    """
    accuracy = trials["accuracy"].astype(float)
    if role in ("dense", "given"):
        return trials.loc[accuracy.sort_values(ascending=False, kind="stable").index]
    removed = trials["removed"].astype(float)
    if role == "knee":
        if dense is None:
            raise ValueError("the role 'knee' needs the accuracy of the tuned dense network")
        near = removed[accuracy >= dense - WITHIN - 1e-9].sort_values(ascending=False, kind="stable")
        return trials.loc[near.index] if len(near) else by_role(trials, "accurate", dense)
    if role == "unstopped" and len(unstopped(trials)):
        trials = unstopped(trials)
        accuracy, removed = accuracy[trials.index], removed[trials.index]
    best = accuracy.sort_values(ascending=False, kind="stable")
    enough = best[removed[best.index] >= LEAST_PCT[role]]
    if not len(enough):  # of those that remove as much the most accurate
        enough = removed[best.index].sort_values(ascending=False, kind="stable")
    return trials.loc[enough.index]


def candidates(trials: pd.DataFrame, study: Study, dense: float | None) -> pd.DataFrame:
    """The best of the last rung for each role, which are trained again on fresh seeds; each once."""
    last = trials[(trials["state"] == "finished") & (trials["rung"] == len(study.rungs))]
    if not len(last):
        return last
    best = [by_role(last, role, dense).head(study.candidates) for role in study.roles]
    return pd.concat(best).drop_duplicates("trial")


def wanted(trials: pd.DataFrame, study: Study, rung: int, dense: float | None) -> list[tuple[Row, int]]:
    """The trials of ``rung``, above the first: trials of the rung below, each with a seed; ``dense`` as in by_role."""
    if rung > len(study.rungs):
        best, seeds = candidates(trials, study, dense), study.fresh
    else:
        best, seeds = promoted(trials, study, rung - 1), (study.seed,)
    return [(row, seed) for row in rows_of(best) for seed in seeds]


def over(trials: pd.DataFrame, study: Study, dense: float | None) -> bool:
    """Whether every trial of every rung, and every candidate on every fresh seed, has ended."""
    if (trials["rung"] == 1).sum() < study.rungs[0].trials:
        return False
    for rung in range(2, len(study.stages) + 1):
        there = trials[trials["rung"] == rung]
        ended = set(zip(there["parent"], there["seed"])) if len(there) else set()
        if not {(row["trial"], seed) for row, seed in wanted(trials, study, rung, dense)} <= ended:
            return False
    return True


def retried(trials: pd.DataFrame, study: Study) -> pd.DataFrame:
    """The candidates on fresh seeds, one a row.

    Columns are the figures of the last rung, lists of those of the fresh seeds, and how many of these failed.
    """
    again = trials[trials["rung"] == len(study.stages)]
    rows: list[Row] = []
    for parent, group in again.groupby(again["parent"].astype(int)) if study.fresh else ():
        first, finished = trials[trials["trial"] == parent].iloc[0], group[group["state"] == "finished"]
        figures = {name: first[name] for name in study.objectives} | {
            f"{name}_again": finished[name].astype(float).tolist() for name in study.objectives
        }
        rows.append({"trial": parent, **figures, "failed": len(group) - len(finished)})
    return pd.DataFrame(rows, dtype=object).sort_values("accuracy", ascending=False) if rows else pd.DataFrame(rows)


def confirmed(trials: pd.DataFrame, study: Study) -> pd.DataFrame:
    """The candidates, one a row, with means over their fresh seeds; those with a missing or failed seed are left out.

    Without fresh seeds: the finished trials of the last rung, once it is done.
    """
    again = trials[(trials["rung"] == len(study.stages)) & (trials["state"] == "finished")]
    if not len(again):
        return again
    if not study.fresh:
        tried, wanted = (trials["rung"] == len(study.stages)).sum(), len(promoted(trials, study, len(study.rungs) - 1))
        return again if tried >= wanted else again[:0]
    rows: list[Row] = []
    for parent, group in again.groupby(again["parent"].astype(int)):
        if len(set(group["seed"])) == len(study.fresh):
            means = {name: float(group[name].astype(float).mean()) for name in ("accuracy", "removed")}
            rows.append(rows_of(group)[0] | {"trial": parent, "seed": None} | means)
    return pd.DataFrame(rows, dtype=object)


def chosen(study: Study, folder: Path) -> dict[str, Row]:
    """The row of :func:`confirmed` that each role takes, and what else is on their front ("front-656": of trial 656).

    Raises ``Refused`` where nothing is confirmed yet.
    """
    found = confirmed(read(study, folder), study)
    if not len(found):
        raise Refused(f"search {study.name}: nothing is confirmed yet; go on with `snn search {study.name}`")
    dense = dense_accuracy(study, folder) if "knee" in study.roles else None
    taken = {role: rows_of(by_role(found, role, dense))[0] for role in study.roles}
    if study.fresh and len(study.objectives) > 1:
        best = found[ranks(found[list(study.objectives)].to_numpy(float)) == 0].sort_values("accuracy", ascending=False)
        left = set(best["trial"]) - {row["trial"] for row in taken.values()}
        taken |= {f"front-{row['trial']}": row for row in rows_of(best) if row["trial"] in left}
    return taken


def dense_accuracy(study: Study, folder: Path) -> float:
    """Held-out accuracy of the tuned dense network, in percent: mean over fresh seeds."""
    return chosen(STUDIES[study.against], folder)["dense"]["accuracy"]
