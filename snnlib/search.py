"""Searching the open settings: trials on held-out images, sampled by Optuna, kept in one small file a study.

``DATA/search/NAME.csv.gz`` holds every trial, one a row: settings, seed, what came out, and what failed. It is all that
is needed to go on: Optuna's own storage (a journal in ``runs/search``, which several commands may share) is made from it
where it is missing. Optuna is imported only here and only when a search runs.
"""

from __future__ import annotations

import contextlib
import datetime
import gzip
import io
import json
import os
import platform
import socket
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from filelock import FileLock

from . import records
from .config import Arm
from .experiments.studies import LEAST_ACCURATE_PCT, PAPER_PCT, STUDIES, WITHIN, Between, Study, cut_after
from .names import Refused

if TYPE_CHECKING:
    import optuna

CHANCE = 10.0
"""Accuracy in percent that the sampler is told of a trial that failed."""

REGIONS = ("pixels_off", "rows_off", "columns_off", "centre_off")
"""Shares of input pixels switched off, in percent: all, top and bottom 4 rows, left and right 4 columns, central 14 x 14."""


def default_folder() -> Path:
    """data/search beside the records."""
    return records.default_root().parent / "search"


def file_of(study: Study, folder: Path) -> Path:
    """The file that holds the trials of ``study``."""
    return Path(folder) / f"{study.name}.csv.gz"


def read(study: Study, folder: Path) -> pd.DataFrame:
    """All trials of a study, one a row, in their order; empty where there are none yet.

    Raises ``RecordError`` where the file is damaged.
    """
    path = file_of(study, folder)
    if not path.exists():
        return pd.DataFrame(columns=["trial", "rung", "state"])
    try:
        found = pd.read_csv(path, keep_default_na=False, dtype=str)
        return pd.DataFrame({name: [_plain(value) for value in found[name]] for name in found}, dtype=object)  # None stays None
    except (OSError, EOFError, ValueError, KeyError) as error:
        raise records.RecordError(f"{path} is damaged ({error}). Take it from the repository again, or delete it and search anew.") from error


def _plain(text: str) -> Any:
    """A cell as it was: JSON, except for words."""
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text


def write(rows: list[dict], path: Path) -> None:
    """Write trials, whole or not at all; the same rows give the same bytes."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    table = pd.DataFrame([{name: _cell(row.get(name)) for name in columns} for row in rows], columns=columns)
    records.write_bytes(path, gzip.compress(table.to_csv(index=False).encode(), mtime=0))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) and not _looks_like_json(value) else json.dumps(value)


def _looks_like_json(text: str) -> bool:
    return _plain(text) != text


# --- one trial ---------------------------------------------------------------------------------------------------------


class _Hopeless(Exception):
    """A trial that is cut short."""


def try_out(arm: Arm, seed: int, hopeless: float, device: str = "cpu") -> dict:
    """Train ``arm`` on its training images, judge it on the held-out ones, and return the row of results.

    ``state`` is finished, failed (``error`` says why) or cut; accuracies and shares are in percent.
    """
    import torch

    from .flow import decode
    from .metrics import removed_pct
    from .networks import count
    from .runner import pick_device
    from .training import State, TrainingError, train_alternating, train_dense
    from .underway import build_network, result, wrap

    began, place = time.monotonic(), pick_device(device)
    data = _dataset(arm, str(place))
    network = build_network(arm, seed, place, data.image, len(data.classes))
    model = wrap(arm, network, seed).to(place) if arm.switcher else None
    state, check = State(), cut_after(arm.train.epochs)

    def look(now: State) -> None:
        if now.epoch == check < arm.train.epochs and 100 * now.history[-1]["accuracy"] < hopeless:
            raise _Hopeless(f"{100 * now.history[-1]['accuracy']:.2f} % after {now.epoch} epochs")

    row: dict[str, Any] = {"state": "finished", "error": None}
    try:
        if model is None:
            train_dense(network, data, arm.train, seed, state, look)
        else:
            train_alternating(model, data, arm.train, seed, state, look)
    except TrainingError as error:
        row |= {"state": "failed", "error": f"{type(error).__name__}: {error}"}
    except _Hopeless as reason:
        row |= {"state": "cut", "error": str(reason)}
    row["epochs_done"] = state.epoch
    if state.history:
        row |= {"accuracy": round(100 * state.history[-1]["accuracy"], 3), "best_accuracy": round(100 * max(each["accuracy"] for each in state.history), 3)}
    if row["state"] == "finished":
        found = result(network, model, state.history)
        row |= {"removed": round(found["removed_pct"], 3), "effective": round(found["effective_pct"], 3), "widths": _widths(found["widths"])}
    if model is not None:
        full = list(network.gate_widths())
        times = {"start": state.marks.get("start"), "first": state.marks.get("first turn")}
        for name, text in times.items():
            if text is not None:
                kept = [int((~off).sum()) for off in decode(text, full)]
                row |= {f"removed_{name}": round(removed_pct(full, kept, **count.shape(network)), 3), f"widths_{name}": _widths(kept)}
        if not network.kernel_weights() and state.history:
            row |= dict(zip(REGIONS, regions(decode(state.history[-1]["off"], full)[0], data.image[1:])))
    versions = f"torch {torch.__version__}, python {platform.python_version()}"
    return row | {"seconds": round(time.monotonic() - began, 1), "device": _device(place), "versions": versions}


def _device(place) -> str:
    from .devices import describe

    return describe(place)


_kept: dict[tuple, Any] = {}


def _dataset(arm: Arm, device: str):
    """The data set of ``arm``, kept from trial to trial of a process."""
    from .runner import load_data, pick_device

    key = (arm.dataset, arm.train.split, arm.train.train_images, device)
    if key not in _kept:
        _kept.clear()
        _kept[key] = load_data(arm, pick_device(device))
    return _kept[key]


def _widths(widths: list[int]) -> str:
    return "-".join(map(str, widths))


def regions(off: np.ndarray, size: tuple[int, int], edge: int = 4) -> tuple[float, ...]:
    """Shares of pixels switched off, in percent, for each of :data:`REGIONS`; corners belong to neither edge."""
    image = off.reshape(size)
    height, width = size
    inner, outer = slice(edge, -edge), np.r_[0:edge, -edge:0]
    parts = (image, image[outer][:, inner], image[inner][:, outer], image[height // 4 : -(height // 4), width // 4 : -(width // 4)])
    return tuple(round(100 * float(part.mean()), 2) for part in parts)


# --- the front ---------------------------------------------------------------------------------------------------------


def ranks(points: np.ndarray) -> np.ndarray:
    """Rank of each of ``points`` (points, objectives), all to be large: 0 for those that none beats, 1 once these are gone, ..."""
    beaten = (points[:, None] <= points[None]).all(2) & (points[:, None] < points[None]).any(2)
    found, left, rank = np.full(len(points), -1), np.ones(len(points), bool), 0
    while left.any():
        front = left & ~(beaten & left[None]).any(1)
        found[front], rank = rank, rank + 1
        left &= ~front
    return found


def front(trials: pd.DataFrame, study: Study, rung: int | None = None) -> pd.DataFrame:
    """The finished trials of one rung (the last one that has any) that no other beats in all objectives, most accurate first."""
    finished = trials[(trials["state"] == "finished") & (trials["rung"].astype(int) <= len(study.rungs))]
    if not len(finished):
        return finished
    finished = finished[finished["rung"] == (finished["rung"].max() if rung is None else rung)]
    best = ranks(finished[list(study.objectives)].to_numpy(float)) == 0
    return finished[best].sort_values("accuracy", ascending=False)


def promoted(trials: pd.DataFrame, study: Study, rung: int) -> pd.DataFrame:
    """The trials of ``rung`` that go up: rank by rank of those above the floor; of the last rank the most spread out in accuracy."""
    finished = trials[(trials["state"] == "finished") & (trials["rung"] == rung)]
    finished = finished[finished["accuracy"].astype(float) >= study.floor]
    if len(study.objectives) > 1:
        finished = finished[finished["removed"].astype(float) >= 1.0]  # with nothing removed it is a dense network
    wanted = study.rungs[rung].trials if rung < len(study.rungs) else 0
    rank = ranks(finished[list(study.objectives)].to_numpy(float)) if len(finished) else np.empty(0, int)
    chosen: list[int] = []
    for level in range(int(rank.max(initial=-1)) + 1):
        members = finished[rank == level].sort_values(["accuracy", "trial"], ascending=[False, True]).index
        room = wanted - len(chosen)
        if len(members) > room:
            members = members[np.unique(np.linspace(0, len(members) - 1, room).round().astype(int))] if room > 0 else members[:0]
        chosen += list(members)
    return finished.loc[chosen]


# --- the choice --------------------------------------------------------------------------------------------------------


def by_role(trials: pd.DataFrame, role: str, dense: float | None) -> pd.DataFrame:
    """``trials`` that a role may take, best first (see :data:`~snnlib.experiments.studies.ROLES`).

    ``dense`` is the tuned dense network's held-out accuracy in percent; only "knee" asks for it.
    """
    accuracy = trials["accuracy"].astype(float)
    if role == "dense":
        return trials.loc[accuracy.sort_values(ascending=False, kind="stable").index]
    removed = trials["removed"].astype(float)
    if role == "knee":
        near = removed[accuracy >= dense - WITHIN - 1e-9].sort_values(ascending=False, kind="stable")
        return trials.loc[near.index] if len(near) else by_role(trials, "accurate", dense)
    enough = accuracy[removed >= (LEAST_ACCURATE_PCT if role == "accurate" else PAPER_PCT)].sort_values(ascending=False, kind="stable")
    return trials.loc[enough.index] if len(enough) else trials.loc[removed.sort_values(ascending=False, kind="stable").index]


def confirmed(trials: pd.DataFrame, study: Study) -> pd.DataFrame:
    """The candidates, one a row, with means over their fresh seeds; those of which a seed is missing or failed are left out."""
    again = trials[(trials["rung"] == len(study.stages)) & (trials["state"] == "finished")]
    rows = []
    if not len(again):
        return again
    for parent, group in again.groupby(again["parent"].astype(int)):
        if len(set(group["seed"])) == len(study.fresh):
            first = group.iloc[0].to_dict()
            rows.append(first | {"trial": parent, "seed": None} | {name: float(group[name].astype(float).mean()) for name in ("accuracy", "removed")})
    return pd.DataFrame(rows, dtype=object)


def chosen(study: Study, folder: Path) -> dict[str, dict]:
    """The row of :func:`confirmed` that each role takes. Raises ``Refused`` where the search has not come so far."""
    found = confirmed(read(study, folder), study)
    if not len(found):
        raise Refused(f"search {study.name}: nothing is confirmed yet; go on with `snn search {study.name}`")
    dense = _dense(study, folder) if "knee" in study.roles else None
    return {role: by_role(found, role, dense).iloc[0].to_dict() for role in study.roles}


def _dense(study: Study, folder: Path) -> float:
    """Held-out accuracy of the tuned dense network, in percent: mean over fresh seeds."""
    return chosen(STUDIES[study.against], folder)["dense"]["accuracy"]


# --- a study under way -------------------------------------------------------------------------------------------------


@dataclass
class Progress:
    """What :func:`search` reports after each trial."""

    rung: int
    done: int
    wanted: int
    row: dict


@contextlib.contextmanager
def _quiet() -> Iterator[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # in a notebook it asks for a progress bar that nobody will see
        import optuna
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        yield optuna


def _distributions(study: Study) -> dict:
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    return {
        name: FloatDistribution(space.low, space.high, log=space.log) if isinstance(space, Between) else CategoricalDistribution(space)
        for name, space in study.space.items()
    }


def _values(study: Study, row: dict) -> list[float]:
    """What the sampler is told of a trial; one that failed or was cut has learnt nothing and removed nothing of use."""
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
            sampler = optuna.samplers.TPESampler(
                multivariate=True, constant_liar=True, n_startup_trials=max(study.rungs[0].trials // 6, 10),
                seed=int(np.random.SeedSequence([study.seed, os.getpid(), time.time_ns()]).generate_state(1)[0]),  # a repeated one would repeat its draws
            )
            self.optuna: optuna.Study = optuna.create_study(
                storage=self._storage, study_name=study.name, directions=["maximize"] * len(study.objectives), load_if_exists=True, sampler=sampler,
            )
            self._adopt(read(study, folder).to_dict("records"))
            self._bury()

    def _adopt(self, rows: list[dict]) -> None:
        """Add what the file has and the journal lacks: a fresh clone goes on from the file alone."""
        import optuna

        known = {trial.user_attrs["row"]["trial"] for trial in self.optuna.get_trials(deepcopy=False) if "row" in trial.user_attrs}
        space = _distributions(self.study)
        for row in rows:
            if row["trial"] in known:
                continue
            params = {name: _member(space[name], row[name]) for name in space}
            attributes = {"row": row, "rung": row["rung"]}
            trial = optuna.trial.create_trial(
                values=_values(self.study, row), params=params, distributions=space, user_attrs=attributes, constraints={"floor": _below(self.study, row)},
            )
            self.optuna.add_trial(trial)

    def _bury(self) -> None:
        """Trials that a process on this machine began and did not end are waited for no longer: their settings are tried again."""
        import optuna

        for trial in self.optuna.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
            host, _, process = str(trial.user_attrs.get("by", ":0")).partition(":")
            if host not in ("", socket.gethostname()) or _alive(int(process)):
                continue
            self.optuna.tell(trial.number, state=optuna.trial.TrialState.FAIL)
            self.optuna.enqueue_trial(trial.params, user_attrs={key: value for key, value in trial.user_attrs.items() if key in ("rung", "parent", "seed")})

    def rows(self) -> list[dict]:
        """All trials that have ended, in their order."""
        found = [trial.user_attrs["row"] for trial in self.optuna.get_trials(deepcopy=False) if "row" in trial.user_attrs]
        return sorted(found, key=lambda row: row["trial"])

    def frame(self) -> pd.DataFrame:
        """The same as a table."""
        rows = self.rows()
        return pd.DataFrame(rows, dtype=object) if rows else pd.DataFrame(columns=["trial", "rung", "state"])

    def counts(self, rung: int) -> tuple[int, int]:
        """Trials of a rung that have ended, and that are under way or wait."""
        import optuna

        ended = under_way = 0
        for trial in self.optuna.get_trials(deepcopy=False):
            if trial.user_attrs.get("rung", 1) == rung:
                ended += "row" in trial.user_attrs
                under_way += trial.state in (optuna.trial.TrialState.RUNNING, optuna.trial.TrialState.WAITING)
        return ended, under_way

    def fill(self, rung: int) -> None:
        """Queue the trials of an upper rung: the best of the rung below, unless they are there already."""
        if sum(self.counts(rung)):
            return
        if rung == len(self.study.stages):
            trials = self.frame()
            last = trials[(trials["state"] == "finished") & (trials["rung"] == rung - 1)]
            dense = _dense(self.study, self.path.parent) if "knee" in self.study.roles and len(last) else None
            best = pd.concat([by_role(last, role, dense).head(self.study.candidates) for role in self.study.roles]).drop_duplicates("trial") if len(last) else last
            seeds = self.study.fresh
        else:
            best, seeds = promoted(self.frame(), self.study, rung - 1), (self.study.seed,)
        for row in best.to_dict("records"):
            params = {name: _member(space, row[name]) for name, space in _distributions(self.study).items()}
            for seed in seeds:
                self.optuna.enqueue_trial(params, user_attrs={"rung": rung, "parent": int(row["trial"]), "seed": seed})

    def ask(self, rung: int) -> optuna.Trial:
        """The next trial of ``rung``."""
        trial = self.optuna.ask(fixed_distributions=_distributions(self.study))
        trial.set_user_attr("by", f"{socket.gethostname()}:{os.getpid()}")
        if "rung" not in trial.user_attrs:
            trial.set_user_attr("rung", rung)
        return trial

    def tell(self, trial: optuna.Trial, row: dict) -> dict:
        """Keep what came of a trial; returns its whole row."""
        attributes = trial.user_attrs
        whole = {
            "trial": trial.number, "rung": attributes["rung"], "parent": attributes.get("parent"), "seed": attributes.get("seed", self.study.seed),
            "epochs": self.study.stages[attributes["rung"] - 1].epochs, **trial.params, **row,
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


def _member(distribution, value):
    """``value`` as the distribution has it: what JSON wrote as 1 may be 1.0 there."""
    choices = getattr(distribution, "choices", None)
    if choices is None:
        return float(value)
    return next(choice for choice in choices if choice == value or str(choice) == str(value))


def _below(study: Study, row: dict) -> float:
    """How far a trial is below the study's floor in percent, above 0 where the sampler shall stay away from it."""
    return study.floor - (row["accuracy"] if row["state"] == "finished" else 0.0)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return process > 0


def search(
    study: Study, folder: Path, scratch: Path, workers: int, device: str = "cpu", deadline: float | None = None, on_trial: Callable[[Progress], None] | None = None,
) -> None:
    """Run, or go on with, ``study``: ``workers`` trials at once, rung by rung, until ``deadline`` (``time.monotonic()``).

    After the deadline no trial starts. A ``KeyboardInterrupt`` ends the trials under way; they start anew next time.
    """
    with _quiet():
        store = Store(study, folder, scratch)
        pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_start, initargs=(os.getpid(),))
        saved = time.monotonic()
        try:
            for number, rung in enumerate(study.stages, 1):
                if number > 1:
                    store.fill(number)
                running: dict[Future, Any] = {}
                while True:
                    ended, under_way = store.counts(number)
                    wanted = rung.trials if number == 1 else ended + under_way
                    waiting = number == 1 or under_way > len(running)
                    while len(running) < workers and waiting and not _over(deadline) and (ended + len(running) < wanted):
                        trial = store.ask(number)
                        arm = study.arm(trial.params, rung.epochs, f"trial-{trial.number}")
                        running[pool.submit(try_out, arm, trial.user_attrs.get("seed", study.seed), study.hopeless, device)] = trial
                    if not running:
                        break
                    done, _ = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        row = store.tell(running.pop(future), future.result())
                        if on_trial is not None:
                            on_trial(Progress(number, store.counts(number)[0], wanted, row))
                    if time.monotonic() - saved > 60:
                        store.save()
                        saved = time.monotonic()
                if _over(deadline):
                    return
        finally:
            store.save()
            for process in list((pool._processes or {}).values()):
                process.terminate()
            pool.shutdown(wait=False, cancel_futures=True)


def _over(deadline: float | None) -> bool:
    return deadline is not None and time.monotonic() > deadline


def _start(parent: int) -> None:
    """What a worker does first: one thread, memory kept, and an end when its parent has gone."""
    import signal
    import threading

    from .workers import _die_with_parent, keep_memory

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()
    keep_memory()
    os.environ["OMP_NUM_THREADS"] = "1"
    import torch

    torch.set_num_threads(1)


def importance(trials: pd.DataFrame, study: Study, objective: str, rung: int = 1) -> dict[str, float]:
    """Share of each setting in what tells good trials from the others (Optuna's PED-ANOVA), largest first.

    Of the finished trials above the floor. Raises ``Refused`` where there are too few.
    """
    with _quiet() as optuna:
        rows = trials[(trials["state"] == "finished") & (trials["rung"] == rung)]
        rows = rows[rows["accuracy"].astype(float) >= study.floor]
        if len(rows) < 20:
            raise Refused(f"study {study.name}: {len(rows)} finished trials are too few to say which settings matter; 20 is the least")
        space, single = _distributions(study), optuna.create_study(direction="maximize")
        for row in rows.to_dict("records"):
            params = {name: _member(space[name], row[name]) for name in space}
            single.add_trial(optuna.trial.create_trial(value=float(row[objective]), params=params, distributions=space))
        return optuna.importance.get_param_importances(single, evaluator=optuna.importance.PedAnovaImportanceEvaluator())
