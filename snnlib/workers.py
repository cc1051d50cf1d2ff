"""Runs in parallel: processes that train, and a parent that hands out the runs and hears of every epoch.

A worker is a fresh process with a pipe to its parent; it asks for the next run when it has none. No lock and no queue
is shared, so that a worker which is killed takes nothing with it. Two commands at once on one records folder keep out
of each other's way by the file locks of :func:`snnlib.runner.run`.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import platform
import signal
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path

from .config import Arm


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

    def __str__(self) -> str:
        return f"{self.arm.name} seed {self.seed}"


@dataclass(frozen=True)
class Event:
    """What a worker reports.

    ``kind`` is started, epoch (``done`` epochs, ``row`` the newest of the history), finished (``record``), busy
    (another process has the run), stopped (time budget), refused (bad data, record or setting) or crashed; the last
    two end with ``text``, and after crashed the whole batch ends.
    """

    kind: str
    job: Job
    done: int = 0
    row: dict | None = None
    record: dict | None = None
    text: str = ""


def keep_memory() -> None:
    """Tell glibc's malloc to keep freed memory for the next step; elsewhere this does nothing.

    Every step asks for the same few large blocks. Given back to the system, they cost page faults each time, up to a
    third of a step: 11 against 7.3 ms measured.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    mib = 2**20
    mallopt = ctypes.CDLL(None).mallopt
    for option, value in ((-3, 32 * mib), (-1, 1024 * mib), (-2, 64 * mib)):  # M_MMAP_THRESHOLD, M_TRIM_THRESHOLD, M_TOP_PAD
        mallopt(option, value)


def cpu_count() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def work(jobs: Sequence[Job], device: str, workers: int, deadline: float | None = None) -> Iterator[Event]:
    """Make ``jobs`` in ``workers`` processes; yields what they report until all is done.

    With several workers each computes with one thread: two such processes do more than one with two threads.
    ``deadline`` is a ``time.monotonic()`` after which no further epoch starts; every worker trains one epoch all the
    same, so that repeating a command always gets on. Closing the iterator ends all workers at once; what they
    trained up to their last checkpoint stays.
    """
    context = multiprocessing.get_context("spawn")
    queue, running, processes = list(jobs), {}, []
    try:
        for _ in range(min(workers, len(jobs))):
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs, device, 1 if workers > 1 else None, deadline), daemon=True)
            # Ctrl-C reaches every process of a terminal; the parent alone answers it. Children inherit "ignored".
            answer = signal.signal(signal.SIGINT, signal.SIG_IGN) if threading.current_thread() is threading.main_thread() else None
            try:
                process.start()
            finally:
                if answer is not None:
                    signal.signal(signal.SIGINT, answer)
            theirs.close()
            processes.append(process)
            running[ours] = queue.pop(0)
            ours.send(running[ours])
        while running:
            for pipe in wait(list(running)):
                try:
                    event = pipe.recv()
                except (EOFError, OSError):  # killed from outside, for want of memory perhaps
                    event = Event("crashed", running[pipe], text=f"{running[pipe]}: its process was killed")
                yield event
                if event.kind == "crashed":
                    return
                if event.kind in ("started", "epoch"):
                    continue
                over = deadline is not None and time.monotonic() > deadline
                if queue and not over:
                    running[pipe] = queue.pop(0)
                    pipe.send(running[pipe])
                else:
                    del running[pipe]
                    pipe.close()
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.join()


def _serve(pipe: Connection, device: str, threads: int | None, deadline: float | None) -> None:
    """A worker's life: take a job, make it, report, until the pipe closes."""
    threading.Thread(target=_die_with_parent, daemon=True).start()
    keep_memory()
    if threads is not None:
        os.environ["OMP_NUM_THREADS"] = str(threads)  # read once, when torch is imported
    import torch

    from . import data, records, runner

    if threads is not None:
        torch.set_num_threads(threads)
    datasets: dict[tuple, data.Dataset] = {}
    while True:
        try:
            job = pipe.recv()
        except EOFError:
            return
        pipe.send(Event("started", job))
        try:
            place = runner.pick_device(device)
            key = (job.arm.dataset, job.arm.train.split, job.arm.train.train_images)
            if key not in datasets:
                datasets[key] = runner.load_data(job.arm, place)
            record = runner.run(
                job.arm, job.profile, job.seed, job.root, place, datasets[key],
                lambda done, total, row: pipe.send(Event("epoch", job, done, row)), deadline,
            )
            pipe.send(Event("finished", job, record=record))
        except runner.Busy as problem:
            pipe.send(Event("busy", job, text=str(problem)))
        except runner.BudgetReached as problem:
            pipe.send(Event("stopped", job, text=str(problem)))
        except (data.DataError, records.RecordError, OSError, ValueError) as problem:
            pipe.send(Event("refused", job, text=str(problem)))
        except Exception:
            pipe.send(Event("crashed", job, text=f"{job}: an error in the program\n{traceback.format_exc()}"))
            return


def _die_with_parent() -> None:
    """End this process when its parent has gone, however it went: nobody would hear of its runs."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
