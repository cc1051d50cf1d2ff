"""Searching the open settings: trials on held-out images, sampled by Optuna, kept in one small file for each study.

``DATA/search/NAME.csv.gz`` holds every trial, one a row: settings, seed, results and errors. A search can go on from
this file alone.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from ..experiments.study import Study
from ..machine import huge_pages
from .choice import by_role, candidates, chosen, confirmed, dense_accuracy, front, over, promoted, ranks, retried
from .ranking import importance
from .store import Store, quiet
from .trials import REGIONS, Row, default_folder, file_of, read, regions, rows_of, try_out, write

if TYPE_CHECKING:
    import optuna

__all__ = [
    "REGIONS",
    "Progress",
    "Store",
    "by_role",
    "candidates",
    "chosen",
    "confirmed",
    "default_folder",
    "dense_accuracy",
    "file_of",
    "front",
    "importance",
    "over",
    "promoted",
    "quiet",
    "ranks",
    "read",
    "regions",
    "retried",
    "rows_of",
    "search",
    "try_out",
    "write",
]


@dataclass
class Progress:
    """What :func:`search` reports after each trial."""

    rung: int
    done: int
    wanted: int
    row: Row


def search(
    study: Study,
    folder: Path,
    scratch: Path,
    workers: int,
    device: str = "cpu",
    deadline: float | None = None,
    on_trial: Callable[[Progress], None] | None = None,
) -> None:
    """Run, or go on with, ``study``: ``workers`` trials at once, rung by rung.

    After ``deadline``, a ``time.monotonic()``, no trial starts. A ``KeyboardInterrupt`` ends the trials under way; they
    are repeated next time.
    """
    with quiet():
        store = Store(study, folder, scratch)
        pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_start)
        saved = time.monotonic()
        try:
            for number, rung in enumerate(study.stages, 1):
                if number > 1:
                    store.fill(number)
                running: dict[Future[Row], optuna.Trial] = {}
                while True:
                    ended, under_way, waiting = store.counts(number)
                    wanted = rung.trials if number == 1 else ended + under_way + waiting
                    to_start = max(wanted - ended - under_way, waiting)
                    while len(running) < workers and to_start > 0 and not _over(deadline):
                        trial, to_start = store.ask(number), to_start - 1
                        if trial is None:
                            break
                        arm = study.arm(trial.params, rung.epochs, f"trial-{trial.number}", images=rung.images)
                        seed = trial.user_attrs.get("seed", study.seed)
                        with huge_pages():  # the first trials start the processes
                            running[pool.submit(try_out, arm, seed, study.hopeless, device)] = trial
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
            for process in list((pool._processes or {}).values()):  # Python 3.14 has terminate_workers()
                process.terminate()
            pool.shutdown(wait=False, cancel_futures=True)


def _over(deadline: float | None) -> bool:
    return deadline is not None and time.monotonic() > deadline


def _start() -> None:
    """What a worker does first: one thread, memory kept, and an end when its parent has gone."""
    import signal
    import threading

    from ..machine import keep_memory
    from ..workers import die_with_parent

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=die_with_parent, daemon=True).start()
    keep_memory()
    os.environ["OMP_NUM_THREADS"] = "1"
    import torch

    torch.set_num_threads(1)
