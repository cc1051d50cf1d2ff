"""A batch of runs from start to end: which are still to be made, making them, and how they ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from ..config import check_seed
from . import records
from .experiments import TABLES, Table, place_in_queue
from .names import Refused, UnknownName, check_name, listing
from .progress import display
from .records import Entry
from .status import entries
from .workers import Event, Job, work


@dataclass
class Batch:
    """The runs of one command: those ``to_do``, and those that have a record already."""

    to_do: list[Job] = field(default_factory=list[Job])
    recorded: list[Entry] = field(default_factory=list[Entry])
    failed_before: list[Entry] = field(default_factory=list[Entry])
    barred_before: list[Entry] = field(default_factory=list[Entry])  # those that would follow one that failed
    to_forget: list[Job] = field(default_factory=list[Job])  # of ``to_do``, what stands of these goes first
    accept_failed: bool = False  # a run that failed is a result too
    ended: dict[str, list[Event]] = field(default_factory=dict[str, list[Event]])  # by kind of event, once carried out

    def add(self, entry: Entry, root: Path, force: bool, retry_failed: bool = False) -> None:
        """Sort one run into the batch; a run that two tables share enters once."""
        if any(entry.path == known.path for known in self._standing):
            return
        job = Job(entry.arm, entry.profile, entry.seed, root)
        if entry.state == "recorded" and not force:
            self.recorded.append(entry)
        elif entry.state == "failed" and not (force or retry_failed):
            self.failed_before.append(entry)
        elif entry.state == "barred" and not (force or retry_failed):
            self.barred_before.append(entry)
        elif job not in self.to_do:
            self.to_do.append(job)
            if force or entry.state == "failed":
                self.to_forget.append(job)

    def events(self, kind: str) -> list[Event]:
        """The events of this kind that ended a run."""
        return self.ended.get(kind, [])

    @property
    def made(self) -> list[Event]:
        """Runs that this batch finished."""
        return [event for event in self.events("finished") if event.succeeded]

    @property
    def failed(self) -> list[Event]:
        """Runs that diverged or died in this batch."""
        return [event for event in self.events("finished") if not event.succeeded]

    @property
    def left(self) -> int:
        """Runs neither made nor failed: the time was up, another process has them, or an error ended the batch."""
        return len(self.to_do) - len(self.made) - len(self.failed) - len(self.events("barred"))

    @property
    def exit_code(self) -> int:
        """0 fine, 1 a run failed or crashed, 2 data, records or settings were refused."""
        if self.events("refused"):
            return 2
        failed = (self.failed or self.failed_before or self.events("barred") or self.barred_before) and (
            not self.accept_failed
        )
        return 1 if failed or self.events("crashed") else 0

    def entries(self) -> list[Entry]:
        """Every run of the command with its record as it is now."""
        made = [records.look_up(job.arm, job.profile, job.seed, job.root) for job in self.to_do]
        return [*self._standing, *made]

    @property
    def _standing(self) -> list[Entry]:
        return [*self.recorded, *self.failed_before, *self.barred_before]


def plan(
    tables: Sequence[str],
    profile: str,
    root: Path,
    arms: Sequence[str] = (),
    seeds: Sequence[int] = (),
    force: bool = False,
    networks: Sequence[str] = (),
    retry_failed: bool = False,
    accept_failed: bool = False,
) -> Batch:
    """The batch of the tables' runs of one profile, of all networks, arms and seeds unless some are named.

    Several tables are taken in the order of :data:`~snnlib.lab.experiments.QUEUE`. With ``force`` what is recorded or
    failed counts as still to be made, with ``retry_failed`` what failed; with ``accept_failed`` a failed run is no
    error of the batch. Raises :class:`Refused` for an unknown table, profile, network, arm or seed.
    """
    for table in tables:
        check_name(f"profile of table {table}", profile, TABLES[check_name("table", table, TABLES)].arms)
    _check_filters(tables, profile, networks, arms, seeds)
    chosen: list[tuple[int, Entry]] = []
    for table in tables:
        for entry in entries(table, profile, root):
            if all(
                not named or value in named
                for named, value in ((networks, entry.arm.network), (arms, entry.arm.name), (seeds, entry.seed))
            ):
                chosen.append((place_in_queue(table, entry.arm.network) if len(tables) > 1 else 0, entry))
    batch = Batch(accept_failed=accept_failed)
    for _, entry in sorted(chosen, key=lambda each: each[0]):  # a stable sort: within a table its own order
        batch.add(entry, root, force, retry_failed)
    return batch


def _check_filters(
    tables: Sequence[str], profile: str, networks: Sequence[str], arms: Sequence[str], seeds: Sequence[int]
) -> None:
    """Raise :class:`Refused` for a network, arm or seed that none of the tables has, or none of the runs that the
    others leave."""
    where = f"table {tables[0]}" if len(tables) == 1 else "the queue"
    planned = [
        (arm.network, arm.name, seed)
        for table in tables
        for arm in TABLES[table].arms[profile]
        for seed in TABLES[table].seeds_of(arm, profile)
    ]
    for network in networks:
        check_name(f"network of {where}", network, dict.fromkeys(each for each, _, _ in planned))
    for arm in arms:
        check_name(f"arm of {where}", arm, dict.fromkeys(each for _, each, _ in planned))
    known = sorted({seed for _, _, seed in planned})
    for seed in seeds:
        _check_seed(seed)
        if seed not in known:
            raise UnknownName(
                f"{where} has no seed {seed} in the profile {profile}; its seeds: {', '.join(map(str, known))}"
            )
    named = {"network": networks, "arm": arms, "seed": seeds}
    given = {kind: listing(map(str, values)) for kind, values in named.items() if values}
    left = [run for run in planned if all(not each or value in each for each, value in zip(named.values(), run))]
    for place, (kind, values) in enumerate(named.items()):
        for value in values:
            if all(run[place] != value for run in left):
                others = listing(f"{other} {each}" for other, each in given.items() if other != kind)
                raise Refused(f"{where} has no run of {kind} {value} with {others} in the profile {profile}")


def of_table(
    table: Table, profile: str, root: Path, force: bool = False, retry_failed: bool = False, accept_failed: bool = False
) -> Batch:
    """The batch of all runs of one ``table``, which need be none of those that have a name; the rest as :func:`plan`.

    Raises :class:`Refused` for a seed that is none.
    """
    batch = Batch(accept_failed=accept_failed)
    for entry in entries(table, profile, root):
        _check_seed(entry.seed)
        batch.add(entry, root, force, retry_failed)
    return batch


def _check_seed(seed: int) -> None:
    try:
        check_seed(seed)
    except ValueError as problem:
        raise Refused(str(problem)) from problem


def forget(batch: Batch) -> None:
    """Delete the records of the runs to be made anew, so that an interrupted --force goes on without it."""
    for job in batch.to_forget:
        records.forget(records.path_of(job.arm, job.profile, job.seed, job.root))


def carry_out(
    batch: Batch,
    device: str,
    workers: int,
    console: Console,
    deadline: float | None = None,
    together: int = 1,
    on_end: Callable[[], object] | None = None,
    threads: int = 1,
) -> None:
    """Make the runs of ``batch`` and show their progress; a ``KeyboardInterrupt`` ends the workers and passes on.

    ``together`` seeds of an arm of a small network train as one, with ``threads`` threads. ``on_end`` is called after
    each run that ends.
    """
    with (
        closing(work(batch.to_do, device, workers, deadline, together, threads)) as events,
        display(batch.to_do, workers, console) as view,
    ):
        for event in events:
            view.show(event)
            if event.ends:
                batch.ended.setdefault(event.kind, []).append(event)
                if on_end is not None:
                    on_end()
