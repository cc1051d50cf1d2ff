"""Progress of runs: bars in a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from .workers import Event, Job

EVERY = 10.0
"""Seconds between two lines about runs under way, where there is no terminal."""


class Remaining:
    """Seconds that a batch still needs, from the epochs so far; epochs of one network and method cost the same."""

    def __init__(self, jobs: Sequence[Job], workers: int) -> None:
        self._left = {job: (_kind(job), job.epochs) for job in jobs}
        self._workers = workers
        self._costs: dict[tuple[str, str], tuple[float, int]] = {}  # seconds and epochs by kind

    def epoch(self, job: Job, done: int, seconds: float) -> None:
        """An epoch of ``job`` took ``seconds``."""
        self._left[job] = (_kind(job), job.epochs - done)
        spent, count = self._costs.get(_kind(job), (0.0, 0))
        self._costs[_kind(job)] = (spent + seconds, count + 1)

    def end(self, job: Job) -> None:
        """``job`` needs no more time."""
        self._left.pop(job, None)

    def seconds(self) -> float | None:
        """The estimate; None before the first epoch. A kind not yet seen counts as the slowest that was."""
        if not self._costs:
            return None
        each = {kind: spent / count for kind, (spent, count) in self._costs.items()}
        slowest = max(each.values())
        whole = [epochs * each.get(kind, slowest) for kind, epochs in self._left.values()]
        return max(sum(whole) / self._workers, max(whole, default=0.0))

    def __str__(self) -> str:
        seconds = self.seconds()
        return "time left: not known yet" if seconds is None else f"about {in_words(seconds)} left"


def _kind(job: Job) -> tuple[str, str]:
    return job.arm.network, job.arm.method


def in_words(seconds: float) -> str:
    """A duration in words: 45 s, 12 min, 3 h 20 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def outcome(event: Event) -> str:
    """The end of a run in one line."""
    if event.kind in ("refused", "barred", "crashed"):
        return f"{event.job}: not made"  # the reason is printed once, at the end of the batch
    record = event.record
    if record is None:
        return event.text
    if record["status"] != "finished":
        return f"{event.job}: failed, {record['error']['message']}"
    result = record["result"]
    widths = "-".join(map(str, result["widths"]))
    return f"{event.job}: {result['accuracy']:.2f} %, {widths}, {in_words(record['seconds'])}"


class Remarks:
    """What is said once: notes on a network, and of runs that learn nothing, for each arm, what to try."""

    def __init__(self) -> None:
        self._said: set[tuple[str, str]] = set()
        self._notes: set[str] = set()

    def of(self, event: Event) -> str | None:
        """The note, or the remark that comes with an epoch, if it is new."""
        if event.kind == "note":
            new = event.text not in self._notes
            self._notes.add(event.text)
            return event.text if new else None
        arm = event.job.arm
        said, key = event.row.get("remark"), (arm.network, arm.name)
        if said is None or key in self._said:
            return None
        self._said.add(key)
        other = "torch" if arm.train.fc_init == "normal" else "kaiming"
        rates = f"{arm.train.rate / 10:.2g} or {arm.train.rate * 10:.2g}"
        return (
            f"{event.job}: {said}. Try another rate (--rate {rates}; here it is {arm.train.rate:.2g}), another start "
            f"of the weights (--start {other}), or another --setting"
        )


class Lines:
    """Plain lines: one for each run that ends, and at most one in ten seconds otherwise."""

    def __init__(self, console: Console, jobs: Sequence[Job], workers: int) -> None:
        self._console, self._count, self._ended = console, len(jobs), 0
        self._remaining, self._last, self._remarks = Remaining(jobs, workers), time.monotonic(), Remarks()

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def show(self, event: Event) -> None:
        """Take note of one event."""
        if event.kind == "started":
            return
        if not event.ends and (remark := self._remarks.of(event)):
            self._console.print(remark, markup=False, highlight=False, soft_wrap=True)
        if event.kind == "note":
            return
        if event.kind == "epoch":
            self._remaining.epoch(event.job, event.done, event.row["seconds"])
            if time.monotonic() - self._last < EVERY:
                return
            accuracy = f"{100 * event.row['accuracy']:.2f} %"
            line = f"{event.job}: epoch {event.done} of {event.job.epochs}, {accuracy}; {self._remaining}"
        else:
            self._ended += 1
            self._remaining.end(event.job)
            line = f"[{self._ended}/{self._count}] {outcome(event)}"
        self._last = time.monotonic()
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


class Bars:
    """A bar for the whole batch and one for each run under way; ended runs scroll away above them."""

    def __init__(self, console: Console, jobs: Sequence[Job], workers: int) -> None:
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[state]}", markup=False),
            console=console,
            transient=True,
            refresh_per_second=2,
        )
        self._remaining, self._remarks = Remaining(jobs, workers), Remarks()
        self._whole = self._progress.add_task("epochs of all runs", total=sum(job.epochs for job in jobs), state="")
        self._counted = dict.fromkeys(jobs, 0)
        self._tasks: dict[Job, TaskID] = {}

    def __enter__(self) -> Bars:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, event: Event) -> None:
        """Take note of one event."""
        job = event.job
        if not event.ends and (remark := self._remarks.of(event)):
            self._progress.console.print(remark, markup=False, highlight=False)
        if event.kind == "note":
            return
        if event.kind == "started":
            self._tasks[job] = self._progress.add_task(str(job), total=job.epochs, state="")
        elif event.kind == "epoch":
            self._remaining.epoch(job, event.done, event.row["seconds"])
            self._count(job, event.done)
            self._progress.update(self._tasks[job], completed=event.done, state=f"{100 * event.row['accuracy']:.2f} %")
        else:
            self._remaining.end(job)
            self._count(job, job.epochs)
            if job in self._tasks:
                self._progress.remove_task(self._tasks.pop(job))
            self._progress.console.print(outcome(event), markup=False, highlight=False)
        self._progress.update(self._whole, state=str(self._remaining))

    def _count(self, job: Job, done: int) -> None:
        """Move the whole bar on by what ``job`` has done since it was last counted."""
        self._progress.advance(self._whole, done - self._counted[job])
        self._counted[job] = done


def display(jobs: Sequence[Job], workers: int, console: Console) -> Bars | Lines:
    """Bars where ``console`` is a terminal, plain lines elsewhere."""
    return (Bars if console.is_terminal else Lines)(console, jobs, workers)
