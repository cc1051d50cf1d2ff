"""A study in Optuna: its journal, which several commands may share, made from the kept file where it is missing.

Optuna is imported only in this folder, and only when a search runs or settings are ranked.
"""

from __future__ import annotations

import contextlib
import datetime
import os
import socket
import sys
import time
import warnings
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from filelock import FileLock

from ..experiments.study import Study
from .choice import dense_accuracy, wanted
from .taken_over import carried
from .trials import Row, file_of, read, rows_of, write
from .values import distributions, drawn, member

if TYPE_CHECKING:
    import optuna

CHANCE = 10.0
"""Accuracy in percent that the sampler is told of a trial that failed."""


@contextlib.contextmanager
def quiet() -> Generator[Any, None, None]:
    """Optuna without its log messages and its warnings of experimental functions."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # in a notebook it warns of a progress bar that is not used
        import optuna
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        yield optuna


def _values(study: Study, row: Row) -> list[float]:
    """The objectives of a trial for the sampler; one that failed or was cut is at chance and removed nothing."""
    if row["state"] != "finished":
        return [CHANCE, 0.0][: len(study.objectives)]
    return [float(row[name]) for name in study.objectives]


class Store:
    """The trials of one study: Optuna's journal while a search runs, and the file that is kept."""

    def __init__(self, study: Study, folder: Path, scratch: Path) -> None:
        import optuna
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

        self.study, self.path, self.scratch = study, file_of(study, folder), Path(scratch)
        self.scratch.mkdir(parents=True, exist_ok=True)
        journal = str(self.scratch / f"{study.name}.journal")
        self.lock = FileLock(self.scratch / f"{study.name}.lock")
        with self.lock:
            self._storage = JournalStorage(JournalFileBackend(journal, lock_obj=JournalFileOpenLock(journal)))
            # another seed each time: a repeated one would repeat its draws
            seed = int(np.random.SeedSequence([study.seed, os.getpid(), time.time_ns()]).generate_state(1)[0])
            sampler = optuna.samplers.TPESampler(
                multivariate=True, constant_liar=True, n_startup_trials=max(study.rungs[0].trials // 6, 10), seed=seed
            )
            self.optuna: optuna.Study = optuna.create_study(
                storage=self._storage,
                study_name=study.name,
                directions=[optuna.study.StudyDirection.MAXIMIZE] * len(study.objectives),
                load_if_exists=True,
                sampler=sampler,
            )
            self._adopt(rows_of(read(study, folder)))
            self._carried = carried(study, folder)
            self._bury()

    def _adopt(self, rows: list[Row]) -> None:
        """Add the trials that the file has and the journal lacks: a fresh clone goes on from the file alone."""
        import optuna

        known = {
            trial.user_attrs["row"]["trial"]
            for trial in self.optuna.get_trials(deepcopy=False)
            if "row" in trial.user_attrs
        }
        space = distributions(self.study)
        for row in rows:
            if row["trial"] in known:
                continue
            params = {name: member(space[name], row[name]) for name in space}
            attributes = {name: row[name] for name in ("rung", "parent", "seed") if row.get(name) is not None} | {
                "row": row
            }
            trial = optuna.trial.create_trial(
                values=_values(self.study, row),
                params=params,
                distributions=space,
                user_attrs=attributes,
                constraints={"floor": _below(self.study, row)},
            )
            self.optuna.add_trial(trial)
        beyond = max((row["trial"] for row in rows), default=-1) + 1 - len(self.optuna.get_trials(deepcopy=False))
        if beyond > self._shift():  # Optuna counts from 0 again, and kept trials have gaps where some were killed
            self.optuna.set_user_attr("shift", beyond)

    def _shift(self) -> int:
        """What is added to Optuna's number of a trial, so that no kept trial has it."""
        return self.optuna.user_attrs.get("shift", 0)

    def _bury(self) -> None:
        """Give up trials that a process on this machine began and did not end; their settings are tried again."""
        import optuna

        for trial in self.optuna.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
            host, _, process = str(trial.user_attrs.get("by", ":0")).partition(":")
            if host not in ("", socket.gethostname()) or _alive(int(process)):
                continue
            self.optuna.tell(trial.number, state=optuna.trial.TrialState.FAIL)
            self.optuna.enqueue_trial(
                trial.params,
                user_attrs={key: value for key, value in trial.user_attrs.items() if key in ("rung", "parent", "seed")},
            )

    def rows(self) -> list[Row]:
        """All trials that have ended, in their order."""
        found = [
            trial.user_attrs["row"] for trial in self.optuna.get_trials(deepcopy=False) if "row" in trial.user_attrs
        ]
        return sorted(found, key=lambda row: row["trial"])

    def frame(self) -> pd.DataFrame:
        """The same as a table."""
        rows = self.rows()
        return pd.DataFrame(rows, dtype=object) if rows else pd.DataFrame(columns=["trial", "rung", "state"])

    def counts(self, rung: int) -> tuple[int, int, int]:
        """Trials of a rung that have ended, that are under way (here or in another command), and that wait."""
        import optuna

        ended = under_way = waiting = 0
        for trial in self.optuna.get_trials(deepcopy=False):
            if trial.user_attrs.get("rung", 1) == rung:
                ended += "row" in trial.user_attrs
                under_way += trial.state == optuna.trial.TrialState.RUNNING
                waiting += trial.state == optuna.trial.TrialState.WAITING
        return ended, under_way, waiting

    def fill(self, rung: int) -> None:
        """Queue the trials of an upper rung, the best of the rung below, unless they are there already."""
        import optuna

        there = {
            (trial.user_attrs.get("parent"), trial.user_attrs.get("seed"))
            for trial in self.optuna.get_trials(deepcopy=False)
            if trial.user_attrs.get("rung") == rung and trial.state != optuna.trial.TrialState.FAIL
        }
        trials, dense = self.frame(), None
        if rung > len(self.study.rungs) and "knee" in self.study.roles and (trials["rung"] == rung - 1).any():
            dense = dense_accuracy(self.study, self.path.parent)
        for row, seed in wanted(trials, self.study, rung, dense):
            if (int(row["trial"]), seed) not in there:
                params = {name: member(space, row[name]) for name, space in distributions(self.study).items()}
                self.optuna.enqueue_trial(params, user_attrs={"rung": rung, "parent": int(row["trial"]), "seed": seed})

    def ask(self, rung: int) -> optuna.Trial | None:
        """The next trial of ``rung``: one that waits, else, on the first rung alone, one that the sampler draws."""
        import optuna

        ended, under_way, waiting = self.counts(rung)
        if rung == 1 and not waiting and (given := self._given(ended + under_way)):
            self.optuna.enqueue_trial(given)
        trial = self.optuna.ask(fixed_distributions=distributions(self.study))
        if rung > 1 and "parent" not in trial.user_attrs:  # another command was faster
            self.optuna.tell(trial.number, state=optuna.trial.TrialState.FAIL)
            return None
        trial.set_user_attr("by", f"{socket.gethostname()}:{os.getpid()}")
        if "rung" not in trial.user_attrs:
            trial.set_user_attr("rung", rung)
        return trial

    def _given(self, number: int) -> dict[str, Any]:
        """Settings of trial ``number`` of the first rung that the sampler does not choose: all, one, or none."""
        study = self.study
        if number < len(self._carried):
            return self._carried[number]
        if number % study.random_every == study.random_every - 1:
            draw = np.random.default_rng([study.seed, number])
            return {name: drawn(space, draw) for name, space in study.space.items()}
        return (
            {"switcher_until": 1.0} if "switcher_until" in study.space and number % study.unstopped_every == 0 else {}
        )

    def tell(self, trial: optuna.Trial, row: Row) -> Row:
        """Keep the results of a trial; returns its whole row."""
        attributes = trial.user_attrs
        whole = {
            "trial": trial.number + self._shift(),
            "rung": attributes["rung"],
            "parent": attributes.get("parent"),
            "seed": attributes.get("seed", self.study.seed),
            "epochs": self.study.stages[attributes["rung"] - 1].epochs,
            **trial.params,
            **row,
            "ended": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        }
        trial.set_user_attr("row", whole)
        trial.set_constraint("floor", _below(self.study, whole))
        self.optuna.tell(trial, _values(self.study, whole))
        return whole

    def save(self) -> None:
        """Write the file that is kept."""
        with self.lock:
            if rows := self.rows():
                write(rows, self.path)


def _below(study: Study, row: Row) -> float:
    """How far a trial is below the study's floor in percent; above 0 the sampler avoids it."""
    return study.floor - (row["accuracy"] if row["state"] == "finished" else 0.0)


def _alive(process: int) -> bool:
    if sys.platform == "win32":  # os.kill(process, 0) is Ctrl-C there
        import _winapi

        try:
            handle = _winapi.OpenProcess(_winapi.SYNCHRONIZE, False, process)
        except OSError as problem:
            return isinstance(problem, PermissionError)
        try:
            return _winapi.WaitForSingleObject(handle, 0) == _winapi.WAIT_TIMEOUT
        finally:
            _winapi.CloseHandle(handle)
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return process > 0
