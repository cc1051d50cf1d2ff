"""A search as tables: its space, how far it is, its front, the candidates on fresh seeds, and what was chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ..lab import search
from ..lab.experiments import spaces
from ..lab.experiments.roles import ROLES
from ..lab.experiments.spaces import Between
from ..lab.experiments.studies import STUDIES
from ..lab.experiments.study import Study
from ..lab.names import Refused
from ..lab.search import Row
from . import pages, search_figures
from .wording import listing, unbroken, unsigned

NO_TRIALS = "No finished trials yet."
SIDES = {"network": spaces.NETWORK, "switcher": spaces.SWITCHER, "shape of the U-Net": spaces.SHAPE}
"""The settings of SNN-AL's search by the side that they belong to."""


def space() -> pd.DataFrame:
    """Every setting of the search and the values that it may take."""
    return pages.table(
        {
            in_words(name): {"side": side, "values": _values(choices)}
            for side, spaces in SIDES.items()
            for name, choices in spaces.items()
        }
    )


def _values(choices: Between | Sequence[object]) -> str:
    if isinstance(choices, Between):
        return f"{choices.low:g} to {choices.high:g}" + (" (logarithm)" if choices.log else "")
    return listing(in_words(value) for value in choices)


def in_words(value: object) -> str:
    """A setting's name or value as a page shows it; "none" for None and for what is missing."""
    if value is None or value != value:
        return "none"
    if isinstance(value, float):
        return f"{value:.3g}"
    return unbroken(str(value)).replace("_", " ")


def progress(name: str, folder: Path) -> str:
    """How many trials of each rung the study ``name`` has run, how they ended, and what is missing, in a sentence."""
    study = STUDIES[name]
    found = search.read(study, folder)
    if not len(found):
        return f"*{study.title}*: not begun; `snn search {name}` begins it."
    done = [
        f"{count} of {max(count, rung.trials)} trials of {rung.epochs} epochs"
        for number, rung in enumerate(study.rungs, 1)
        for count in [int((found["rung"] == number).sum())]
    ]
    ended = found["state"].value_counts().to_dict()
    hours = found["seconds"].astype(float).sum() / 3600
    failed, cut = ended.get("failed", 0), ended.get("cut", 0)
    said = (
        f"*{study.title}*: {'; '.join(done)}. {failed} {'trial' if failed == 1 else 'trials'} failed (a layer died, or "
        f"the loss became NaN), {cut} {'was' if cut == 1 else 'were'} cut short below {study.hopeless:g} %. "
        f"{hours:.1f} hours of one core."
    )
    missing = f" **It is not over**: `snn search {name}` goes on with it, and what follows decides nothing."
    return said + ("" if is_over(name, folder) else missing)


def is_over(name: str, folder: Path) -> bool:
    """Whether nothing of a study is left to be run, nor of the dense network's that it is measured from."""
    study = STUDIES[name]
    try:
        dense = search.dense_accuracy(study, folder) if study.against else None
        return search.over(search.read(study, folder), study, dense)
    except Refused:
        return False


def front(trials: pd.DataFrame, study: Study) -> pd.DataFrame:
    """The trials of the last rung that no other beats in both goals, the most accurate first; percent."""
    return pages.table(
        {
            f"trial {row['trial']}": {
                "accuracy": f"{row['accuracy']:.2f}",
                "removed: start": f"{row['removed_start']:.1f}",
                "turn 1": f"{row['removed_first']:.1f}",
                "end": f"{row['removed']:.1f}",
                "widths": unbroken(row["widths"]),
            }
            for row in search.front(trials, study).to_dict("records")
        },
        NO_TRIALS,
    )


def importance(trials: pd.DataFrame, study: Study) -> dict[str, dict[str, float]]:
    """The importance of each setting for the accuracy and for the weights removed; empty where trials are too few,
    or where Optuna is not installed."""
    try:
        return {
            what: search.importance(trials, study, objective)
            for objective, what in (("accuracy", "accuracy"), ("removed", "weights removed"))
        }
    except (Refused, ImportError):
        return {}


def importance_figure(shares: Mapping[str, Mapping[str, float]]) -> Figure:
    """The importance as bars, or a word that trials are too few."""
    return search_figures.importance(shares) if shares else pages.nothing("There are too few trials to say.")


def most_important(shares: Mapping[str, Mapping[str, float]], most: int = 3) -> str:
    """The settings that matter most for each goal, in a sentence."""
    if not shares:
        return "There are too few trials to say, or Optuna is not installed (`pip install optuna`)."
    said = (
        f"for the {goal} {listing(f'*{in_words(name)}*' for name in list(each)[:most])}"
        for goal, each in shares.items()
    )
    return f"First come, {'; '.join(said)}."


def rules(study: Study) -> str:
    """The roles of the dense study and of ``study``, each with its rule, as a Markdown list."""
    return "\n".join(f"* **{role}**: {ROLES[role]}." for role in ("dense", *study.roles, "front"))


def fresh(trials: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Each candidate's trial beside its fresh seeds: accuracy and weights removed, means, lowest and highest."""
    return pages.table(
        {
            f"trial {row['trial']}": {
                "accuracy: trial": f"{row['accuracy']:.2f}",
                "fresh seeds": _spread(row["accuracy_again"], 2),
                "removed: trial": f"{row['removed']:.1f}",
                "fresh seeds ": _spread(row["removed_again"], 1),
                "failed": str(row["failed"]),
            }
            for row in search.retried(trials, study).to_dict("records")
        },
        "No candidate has been tried again yet.",
    )


def _spread(values: Sequence[float], digits: int) -> str:
    """The mean of some figures and the range that they span."""
    if not values:
        return "none lived"
    return unbroken(f"{np.mean(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})")


def luck(trials: pd.DataFrame, study: Study) -> str:
    """How far fresh seeds fall from the trials that they were picked for, in a sentence."""
    again = search.retried(trials, study)
    lived = [row for row in again.to_dict("records") if not row["failed"]]
    if not lived:
        return "No candidate has lived on all fresh seeds yet."
    removed, accuracy = (
        [float(np.mean(row[f"{goal}_again"])) - row[goal] for row in lived] for goal in ("removed", "accuracy")
    )
    widest = max(max(row["removed_again"]) - min(row["removed_again"]) for row in lived)
    return unsigned(
        f"Of the {len(again)} candidates {len(lived)} lost no run. On the mean of these the fresh seeds differ from "
        f"the trial by {np.mean(removed):+.1f} points of weights removed (from {min(removed):+.1f} to "
        f"{max(removed):+.1f}) and by {np.mean(accuracy):+.2f} points of accuracy. The seeds of one setting lie up to "
        f"{widest:.1f} points of weights removed apart."
    )


def chosen(name: str, folder: Path) -> pd.DataFrame:
    """The settings that the study ``name`` and the dense one have chosen, a column for each; roles share a column.

    Accuracy and weights removed are means over the fresh seeds, in percent. An empty cell is a setting that the dense
    network does not have.
    """
    study = STUDIES[name]
    columns: dict[str, dict[str, str]] = {}
    for each in (STUDIES[study.against], study):
        for roles, row in _by_trial(_taken(each, folder)).items():
            columns[roles] = {
                "trial": str(row["trial"]),
                "accuracy (%)": f"{row['accuracy']:.2f}",
                "removed (%)": f"{row['removed']:.1f}",
                **{in_words(key): in_words(row[key]) if key in each.space else "" for key in study.space},
            }
    return pages.table(columns, NOTHING).T


NOTHING = "Nothing is chosen yet: the search has not come so far."


def _taken(study: Study, folder: Path) -> dict[str, Row]:
    try:
        return search.chosen(study, folder)
    except Refused:
        return {}


def _by_trial(chosen_rows: Mapping[str, Row]) -> dict[str, Row]:
    """Rows by role, with the roles that took the same trial together; what else is on the front is called so."""
    roles: dict[int, list[str]] = {}
    for role, row in chosen_rows.items():
        roles.setdefault(row["trial"], []).append("on the front" if role.startswith("front-") else role)
    rows = {row["trial"]: row for row in chosen_rows.values()}
    return {
        ", ".join(names) + (f" ({trial})" if names == ["on the front"] else ""): rows[trial]
        for trial, names in roles.items()
    }
