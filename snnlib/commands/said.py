"""What ``snn run`` says of a batch: which runs stand, which are to be made, and how it ended."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from ..lab import estimates
from ..lab.batch import Batch
from ..lab.records import Entry
from ..lab.workers import Job
from . import own
from .show import print_table


def standing(todo: Batch, accept_failed: bool) -> None:
    """Say which runs have a record already, which failed, and which cannot be made."""
    if todo.recorded:
        say(f"{runs(len(todo.recorded))} recorded already: reused")
    failed: dict[tuple[str, str], list[Entry]] = {}
    for entry in todo.failed_before:
        failed.setdefault((entry.arm.network, entry.arm.name), []).append(entry)
    if failed:
        mend = "accepted" if accept_failed else "not tried again without --force or --retry-failed"
        say(f"{runs(sum(map(len, failed.values())))} failed before: {mend}")
    for (_, name), group in failed.items():
        seeds, others = ", ".join(str(entry.seed) for entry in group), ", and others like it" if len(group) > 1 else ""
        say(f"  {name} seed {seeds}: {group[0].content['error']['message']}{others}")
    if todo.barred_before:
        say(f"{runs(len(todo.barred_before))} cannot be made: {barred(todo.barred_before)}")


def barred(entries: Sequence[Entry]) -> str:
    """Which runs would follow one that failed, and which these are."""
    groups: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        groups.setdefault((entry.arm.name, entry.problem), []).append(entry)
    return "; ".join(
        f"{name} seed {', '.join(str(entry.seed) for entry in group)} ({why})" for (name, why), group in groups.items()
    )


def listed(todo: Batch, root: Path) -> None:
    """One line for each group of runs, in order, with an estimate of their time from earlier records."""
    groups: dict[tuple[str, str, str], list[Job]] = {}
    for job in todo.to_do:
        groups.setdefault((job.arm.dataset, job.arm.network, job.arm.name), []).append(job)
    known = estimates.of_arms((job.arm for job in todo.to_do), root)
    for (dataset, network, arm), jobs in groups.items():
        took = estimates.said([known[job.arm.settings_hash()] for job in jobs])
        say(f"  {dataset} {network} {arm}: {runs(len(jobs))} (seed {', '.join(str(job.seed) for job in jobs)}), {took}")
    if todo.to_do:
        each = [known[job.arm.settings_hash()] for job in todo.to_do]
        of = " of one core, or of one device, as recorded runs went" if any(one.seconds for one in each) else ""
        say(f"in all {runs(len(todo.to_do))}, {estimates.said(each)}{of}")


def conclude(
    done: Batch, tables: Sequence[str], profile: str, root: Path, mine: own.Own | None = None, out: Path | None = None
) -> None:
    """Print how a batch ended, and the tables where nothing is left, and end with the right exit code.

    Without tables each run that failed is named here; a table names its own. ``mine`` is the table of a command on
    images of one's own, whose smaller networks go into the folder ``out``.
    """
    reasons: dict[str, list[str]] = {}
    for event in (*done.events("refused"), *done.events("crashed")):
        reasons.setdefault(event.text, []).append(str(event.job))
    for text, jobs in reasons.items():
        say(f"snn: {text} ({runs(len(jobs))} not made: {', '.join(jobs)})", error=True)
    if done.to_do:
        say(f"{runs(len(done.made))} trained, {len(done.failed)} failed, {done.left} left")
    for event in () if tables else done.failed:
        say(f"failed: {event.job} ({event.content['error']['message']})", error=True)
    for event in done.events("barred"):
        say(f"not made: {event.text}", error=True)
    if busy := done.events("busy"):
        say(f"{runs(len(busy))} under way in another process: left to it")
    if done.left > len(busy) + len(done.events("refused")) and not done.events("crashed"):
        say(f"The time budget ended. Go on with: {again()}")
    if not done.left:
        for name in tables:
            print_table(name, profile, root)
        if mine is not None:
            mine.show(root)
            if out is not None:
                mine.write_small(done.entries(), out)
    raise typer.Exit(done.exit_code)


def say(text: str, error: bool = False) -> None:
    typer.echo(text, err=error)


def runs(count: int) -> str:
    return f"{count} run" if count == 1 else f"{count} runs"


def again() -> str:
    """The command that was given, to be given again."""
    return shlex.join(["snn", *(word for word in sys.argv[1:] if word not in ("--force", "--retry-failed"))])
