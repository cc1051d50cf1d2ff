"""Runs in parallel: processes that train, and a parent that hands out the runs and receives every epoch's results.

A worker is a fresh process with a pipe to its parent, which sends it the next run. No lock and no queue is shared, so
that a worker which is killed blocks no other. Two commands at once on one records folder are kept apart by the file
locks of :func:`snnlib.lab.runner.run`.

Why not a library's pool: ``concurrent.futures`` cannot end a run that is under way before Python 3.14, so that Ctrl-C
would wait for it, and it and joblib return a result at the end of a task where a user wants every epoch; nor does
either end its tasks where the parent is killed. Snakemake starts a process for each arm, which imports torch and loads
the data anew; ``make batch`` pays that for clusters, ``snn run`` has to do without Snakemake too.
"""

from __future__ import annotations

import functools
import multiprocessing
import os
import signal
import threading
import time
import traceback
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any, cast

from ..arms import Arm
from . import records
from .machine import huge_pages, keep_memory


@dataclass(frozen=True)
class Job:
    """One run to be made."""

    arm: Arm
    profile: str
    seed: int
    root: Path

    @property
    def epochs(self) -> int:
        """Epochs in all, of both stages."""
        return self.arm.train.epochs + self.arm.dense_epochs

    @property
    def path(self) -> Path:
        """Where its record will stand."""
        return records.path_of(self.arm, self.profile, self.seed, self.root)

    @property
    def followed(self) -> Path | None:
        """Where the record of the run stands, or will, whose neurons this one keeps."""
        of = self.arm.pruning
        return records.path_of(of.of, self.profile, self.seed, self.root) if of else None

    def __str__(self) -> str:
        return f"{self.arm.network} {self.arm.name} seed {self.seed}"


@dataclass(frozen=True)
class Event:
    """What a worker reports.

    ``kind`` is started, note (``text`` is worth knowing, the run goes on), epoch (``done`` epochs, ``row`` the newest
    of the history), finished (``record``), busy (another process has the run), stopped (time budget), barred (it
    follows a run that failed), refused (bad data, record or setting) or crashed; the last three say why in ``text``,
    and after crashed the whole batch ends.
    """

    kind: str
    job: Job
    done: int = 0
    row: dict[str, Any] = field(default_factory=dict[str, Any])
    record: dict[str, Any] | None = None
    text: str = ""

    @property
    def ends(self) -> bool:
        """Whether the run is over by it."""
        return self.kind not in ("started", "note", "epoch")

    @property
    def succeeded(self) -> bool:
        """Whether the run ended with a result, and not with an error in its record."""
        return self.record is not None and self.record["status"] == "finished"

    @property
    def content(self) -> dict[str, Any]:
        """The record of an event of the kind "finished"."""
        assert self.record is not None, f"{self.job} is {self.kind}"
        return self.record


BATCHED = ("mlp", "lenet5-caffe")
"""Networks so small that an accelerator trains several seeds in little more than the time of one."""


def may_batch(arm: Arm) -> bool:
    """Whether seeds of ``arm`` may train as one batch: small networks, unless each run has state of its own."""
    return (
        (arm.network in BATCHED or arm.network.startswith("mlp:"))
        and arm.pruning is None
        and arm.rival is None
        and arm.train.precision == "float32"
        and (arm.switcher is None or arm.switcher.reads != "shuffled")
    )


def groups_of(jobs: Sequence[Job], together: int) -> list[list[Job]]:
    """``jobs`` in their order, up to ``together`` seeds of an arm of a small network in one group."""
    found: list[list[Job]] = []
    open_groups: dict[tuple[Arm, str, Path], list[Job]] = {}
    for job in jobs:
        key = (job.arm, job.profile, job.root)
        group = open_groups.get(key)
        if group is None or len(group) >= together or not may_batch(job.arm):
            group = open_groups[key] = []
            found.append(group)
        group.append(job)
    return found


class Queue:
    """Groups of jobs in the order in which they start.

    A run that keeps the neurons of another one waits for it: until that one has ended if it is of this batch, and else
    while the run is made on behalf of a third, since no two processes can make one run.
    """

    def __init__(self, groups: Sequence[list[Job]]) -> None:
        self.waiting = list(groups)
        self._running: list[Job] = []

    def next(self) -> list[Job] | None:
        """Take out the first group that can start now; None if there is none."""
        group = next((each for each in self.waiting if not any(map(self._must_wait, each))), None)
        if group is not None:
            self.waiting.remove(group)
            self._running += group
        return group

    def end(self, job: Job) -> None:
        """``job`` runs no more."""
        self._running.remove(job)

    def _must_wait(self, job: Job) -> bool:
        if job.followed is None:
            return False
        if job.followed in {each.path for group in (self._running, *self.waiting) for each in group}:
            return True
        if not any(each.followed == job.followed for each in self._running):
            return False
        of = job.arm.pruning
        return of is not None and not records.look_up(of.of, job.profile, job.seed, job.root).stands


def work(
    jobs: Sequence[Job], device: str, workers: int, deadline: float | None = None, together: int = 1, threads: int = 1
) -> Generator[Event, None, None]:
    """Make ``jobs`` in ``workers`` processes, up to ``together`` seeds of an arm as one batch; yields their reports.

    Each computes with ``threads`` threads, one unless more are asked for: then a run's bits do not depend on how many
    others are pending, and two processes of one thread are faster than one of two.
    ``deadline`` is a ``time.monotonic()`` after which no further epoch starts; every worker trains one epoch all the
    same, so that repeating a command always makes progress. Closing the iterator ends all workers at once; what they
    trained up to their last checkpoint stays.
    """
    context = multiprocessing.get_context("spawn")
    queue, running, idle = Queue(groups_of(jobs, together)), dict[Connection, list[Job]](), list[Connection]()
    processes: list[SpawnProcess] = []
    try:
        for _ in range(min(workers, len(queue.waiting))):
            ours, theirs = cast(tuple[Connection, Connection], context.Pipe())
            process = context.Process(target=_serve, args=(theirs, device, threads, deadline), daemon=True)
            # Ctrl-C reaches every process of a terminal; only the parent handles it. Children inherit "ignored".
            answer = (
                signal.signal(signal.SIGINT, signal.SIG_IGN)
                if threading.current_thread() is threading.main_thread()
                else None
            )
            try:
                with huge_pages():
                    process.start()
            finally:
                if answer is not None:
                    signal.signal(signal.SIGINT, answer)
            theirs.close()
            processes.append(process)
            idle.append(ours)
        _hand_out(queue, running, idle)
        while running:
            for pipe in cast(list[Connection], wait(list(running))):
                try:
                    event = pipe.recv()
                except (EOFError, OSError):  # killed from outside, for want of memory perhaps
                    event = Event("crashed", running[pipe][0], text="a worker process was killed")
                yield event
                if event.kind == "crashed":
                    return
                if not event.ends:
                    continue
                running[pipe].remove(event.job)
                queue.end(event.job)
                if running[pipe]:
                    continue  # others of its group have not ended yet
                idle.append(pipe)
                del running[pipe]
                if deadline is None or time.monotonic() <= deadline:
                    _hand_out(queue, running, idle)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.join()


def _hand_out(queue: Queue, running: dict[Connection, list[Job]], idle: list[Connection]) -> None:
    """Send each idle worker a group that can start now; those left over stay idle while there may be some later."""
    while idle and (group := queue.next()) is not None:
        pipe = idle.pop(0)
        running[pipe] = list(group)
        pipe.send(group)
    if not queue.waiting:
        while idle:
            idle.pop().close()


def _serve(pipe: Connection, device: str, threads: int, deadline: float | None) -> None:
    """What a worker does: take a group of jobs, make them, report, until the pipe closes."""
    threading.Thread(target=die_with_parent, daemon=True).start()
    keep_memory()
    os.environ["OMP_NUM_THREADS"] = str(threads)  # read once, when torch is imported
    import torch

    from . import devices, runner

    torch.set_num_threads(threads)
    dataset, kept = None, None  # one at a time: they are large
    while True:
        try:
            jobs: list[Job] = pipe.recv()
        except EOFError:
            return
        for job in jobs:
            pipe.send(Event("started", job))
        arm, profile, root, by_seed = jobs[0].arm, jobs[0].profile, jobs[0].root, {job.seed: job for job in jobs}

        def watch(seed: int, done: int, total: int, row: dict[str, Any], by_seed: dict[int, Job] = by_seed) -> None:
            pipe.send(Event("epoch", by_seed[seed], done, row))

        try:
            place = devices.pick_device(device)
            if note := runner.note_of(arm, place):
                pipe.send(Event("note", jobs[0], text=note))
            if runner.images_of(arm) != kept:
                dataset, kept = None, None
                dataset, kept = runner.load_data(arm, place), runner.images_of(arm)
            if len(jobs) > 1:
                made = runner.run_together(arm, profile, list(by_seed), root, place, dataset, watch, deadline)
            else:
                seed = jobs[0].seed
                made = {
                    seed: runner.run(arm, profile, seed, root, place, dataset, functools.partial(watch, seed), deadline)
                }
            ends = [
                Event("finished", job, record=made[job.seed])
                if job.seed in made
                else Event("busy", job, text=f"{job.path}: another process works on this run")
                for job in jobs
            ]
        except runner.Busy as problem:
            ends = _all("busy", jobs, str(problem))
        except runner.Barred as problem:
            ends = _all("barred", jobs, str(problem))
        except runner.BudgetReached as problem:
            ends = _all("stopped", jobs, str(problem))
        except torch.cuda.OutOfMemoryError as problem:
            torch.cuda.empty_cache()
            ends = _all(
                "refused",
                jobs,
                f"{arm.network} does not fit into the memory of {device} ({str(problem).splitlines()[0]}): choose a "
                "smaller batch_size, fewer seeds --together, or another device",
            )
        except Exception as problem:
            if not _told(problem):
                pipe.send(Event("crashed", jobs[0], text=f"an error in the program\n{traceback.format_exc()}"))
                return
            ends = _all("refused", jobs, str(problem))
        for end in ends:
            pipe.send(end)


def _told(problem: Exception) -> bool:
    """Whether ``problem`` is one that this library raises for the reader to mend, and no mistake in a method's code."""
    from .. import data  # here, as above: torch is imported where runs are made

    if isinstance(problem, ValueError):
        return Path(traceback.extract_tb(problem.__traceback__)[-1].filename).is_relative_to(Path(__file__).parents[1])
    return isinstance(problem, data.DataError | records.FileError | OSError)


def _all(kind: str, jobs: Sequence[Job], text: str) -> list[Event]:
    """How a group of ``jobs`` ended that was broken off: those that had their record by then are finished."""
    found = [(job, records.look_up(job.arm, job.profile, job.seed, job.root)) for job in jobs]
    return [
        Event("finished", job, record=entry.content) if entry.stands else Event(kind, job, text=text)
        for job, entry in found
    ]


def die_with_parent() -> None:
    """End this process when its parent has ended, also when it was killed: nothing would receive its reports."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def end_with_parent(every: float = 0.5) -> None:
    """End this process, and with it its workers, soon after the one that started it has gone.

    A workflow that is killed cannot end its jobs; without this they would hold the runs that its next start wants.
    """
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(every)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()
