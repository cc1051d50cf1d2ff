"""From arms and seeds to records: train or resume what has none, one run alone or several seeds together."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout

from .. import data
from ..arms import Arm
from ..config import SwitcherConfig, check_seed
from ..networks import NETWORKS
from ..networks.specs import is_perceptron
from ..peers import Peer, train_peer
from ..training.checks import TrainingError
from ..training.fit import unremarked, untrained
from ..training.loops import State, train_alternating, train_dense, train_separate
from ..training.steps import imitates_bfloat16
from . import memory, own, records, together
from .underway import UnderWay

Watch = Callable[[int, int, dict[str, Any]], None]
"""Called after each epoch with epochs done, epochs in all and the newest row of the history."""


SeedWatch = Callable[[int, int, int, dict[str, Any]], None]
"""The same for several seeds; the seed comes first."""


class BudgetReached(Exception):
    """The time budget is used up; the checkpoint stands and the same command goes on from it."""


class Busy(Exception):
    """Another process works on this run."""


class Barred(Exception):
    """This run would keep the neurons of one that failed, so that there is nothing to train."""


def images_of(arm: Arm) -> tuple[object, ...]:
    """What says which images :func:`load_data` reads for ``arm``: equal where they are the same."""
    train = arm.train
    return arm.dataset, arm.source, train.split, train.train_images, train.test_images, train.pixels


def load_data(arm: Arm, device: torch.device) -> data.Dataset:
    """The arm's data set as its settings split it.

    Raises ``DataError`` where images of one's own are not those that the arm names by their digest.
    """
    whole = own.read(arm.dataset, arm.source, device) if arm.source else data.load(arm.dataset, device=device)
    chosen = (
        (whole.holdout() if arm.train.split == "holdout" else whole)
        .first(arm.train.train_images)
        .arranged(arm.train.pixels)
    )
    count = arm.train.test_images
    if count is None or count >= len(chosen.x_test):
        return chosen
    spread = torch.arange(count, device=device) * len(chosen.x_test) // count  # some test sets are sorted by class
    return replace(chosen, x_test=chosen.x_test[spread], y_test=chosen.y_test[spread])


def note_of(arm: Arm, device: torch.device) -> str | None:
    """What is worth knowing before ``arm`` is trained on ``device``, if there is anything."""
    if arm.train.precision == "bfloat16" and imitates_bfloat16(device):
        return (
            f"{arm.network} is trained in bfloat16. This processor has no instructions for it (AVX512_BF16 or AMX) and "
            "imitates them: nothing is wrong, but a step may take three times as long as in float32"
        )
    return None


@functools.cache
def _needed(
    network: str,
    switcher: SwitcherConfig | None,
    batch_size: int,
    image: tuple[int, int, int],
    classes: int,
    momentum: float,
) -> int:
    return memory.needed(network, switcher, batch_size, image, classes, momentum)


def check_memory(arm: Arm, dataset: data.Dataset, device: torch.device, members: int = 1) -> None:
    """Raise ``ValueError`` where ``members`` runs of ``arm`` at once need more memory than is free."""
    if arm.network in NETWORKS or is_perceptron(arm.network):
        each = _needed(
            arm.network, arm.switcher, arm.train.batch_size, dataset.image, len(dataset.classes), arm.train.momentum
        )
        what = arm.network if members == 1 else f"{arm.network}, {members} seeds together,"
        memory.check(members * each, device, what)


def run(
    arm: Arm,
    profile: str,
    seed: int,
    root: Path,
    device: torch.device,
    dataset: data.Dataset | None = None,
    watch: Watch | None = None,
    deadline: float | None = None,
) -> records.Record:
    """Train one run and write its record; a finished or failed record is returned as it is.

    ``deadline`` is a ``time.monotonic()`` after which no further epoch starts: the run then stops with
    :class:`BudgetReached`. A run that diverges or dies is recorded as failed. Raises :class:`Busy` where another
    process holds the run, :class:`Barred` where it follows one that failed, ``FileError`` where a file cannot be read
    or written.
    """
    path = records.path_of(arm, profile, check_seed(seed), root)
    with _claimed(path) as mine:
        if not mine:
            raise Busy(f"{path}: another process works on this run")
        record = _standing(arm, profile, seed, root)
        if record is not None:
            return record
        kept_by = _factors_of(arm, profile, seed, root, device, dataset, deadline) if arm.pruning else None
        dataset = dataset or load_data(arm, device)
        check_memory(arm, dataset, device)
        return _train(UnderWay(arm, profile, seed, path, device, dataset, kept_by), watch, deadline)


@contextmanager
def _claimed(path: Path) -> Generator[bool]:
    """Hold the run whose record stands at ``path``, or will; False where another process does."""
    records.make_folder(path.parent)
    lock = FileLock(path.with_suffix(".lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def _standing(arm: Arm, profile: str, seed: int, root: Path) -> records.Record | None:
    """The record that a run has already; else None, and its folder is tidy. Only for the holder of its lock."""
    entry = records.look_up(arm, profile, seed, root)
    if entry.stands:
        records.checkpoint_path(entry.path).unlink(missing_ok=True)  # of a process killed just after its record
        return entry.content
    records.sweep(entry.path)
    return None


def _factors_of(
    arm: Arm,
    profile: str,
    seed: int,
    root: Path,
    device: torch.device,
    dataset: data.Dataset | None,
    deadline: float | None,
) -> list[list[float]]:
    """The factors of the run that the pruned ``arm`` follows; that run is made first where it has no record."""
    assert arm.pruning is not None
    of = arm.pruning.of
    there = records.look_up(of, profile, seed, root)
    if there.stands:
        record = there.content  # no lock: several may follow it at once
    else:
        images = dataset if images_of(of) == images_of(arm) else None
        record = run(of, profile, seed, root, device, images, deadline=deadline)
    if record["status"] != "finished":
        raise Barred(
            f"{arm.name} seed {seed} would keep the neurons that {of.name} kept, but that run failed "
            f"({record['error']['message']})"
        )
    return record["result"]["gates"]


@unremarked()
def _train(run: UnderWay, watch: Watch | None, deadline: float | None) -> records.Record:
    def after_epoch(state: State) -> None:
        run.save(state)
        if watch is not None:
            watch(*run.done, _newest(run, state))
        _stop_if_over(run, deadline)

    loops: dict[str, Callable[..., State]] = {
        "dense": train_dense,
        "alternating": train_alternating,
        "separate": train_separate,
        "pruned": train_dense,
        "rival": train_peer,
    }
    run.begin()
    try:
        while True:
            config = replace(run.arm.train, epochs=run.epochs).for_training()
            run.state = loops[run.method](run.trained, run.dataset, config, run.seed, run.state, after_epoch)
            if run.last:
                return run.finish()
            run.next_stage()
    except TrainingError as problem:
        return run.finish(problem)


def _newest(run: UnderWay, state: State) -> dict[str, Any]:
    """The newest row of the history; with a "remark" where a run on images of one's own has learned nothing so far."""
    row = state.history[-1]
    said = untrained(state.history, run.dataset) if run.arm.source else None
    return row | {"remark": said} if said else row


def _stop_if_over(run: UnderWay, deadline: float | None) -> None:
    done, total = run.done
    if deadline is not None and time.monotonic() > deadline and done < total:
        raise BudgetReached(f"{run.path}: stopped by the time budget after {done} of {total} epochs")


def run_together(
    arm: Arm,
    profile: str,
    seeds: Sequence[int],
    root: Path,
    device: torch.device,
    dataset: data.Dataset | None = None,
    watch: SeedWatch | None = None,
    deadline: float | None = None,
) -> dict[int, records.Record]:
    """Train the runs of ``seeds`` that have no record yet as one batch of networks; returns all records by seed.

    As :func:`run` does one; ``watch`` hears the seed first. A seed that another process works on is left to it, and has
    no record here. Checkpoints are those of single runs: what is interrupted goes on together where all seeds stand at
    the same epoch, and one by one else, as rivals always do.
    """
    dataset = dataset or load_data(arm, device)
    found: dict[int, records.Record] = {}
    with ExitStack() as claims:
        runs: list[UnderWay] = []
        for seed in map(check_seed, seeds):
            path = records.path_of(arm, profile, seed, root)
            if not claims.enter_context(_claimed(path)):
                continue
            record = _standing(arm, profile, seed, root)
            if record is not None:
                found[seed] = record
                continue
            check_memory(arm, dataset, device, len(runs) + 1)
            runs.append(UnderWay(arm, profile, seed, path, device, dataset))
        if arm.rival or len({(each.stage, each.state.epoch) for each in runs}) > 1:
            for each in runs:
                found[each.seed] = _train(each, watch and (lambda *row, seed=each.seed: watch(seed, *row)), deadline)
        elif runs:
            found |= _train_together(runs, watch, deadline)
    return found


def _train_together(runs: list[UnderWay], watch: SeedWatch | None, deadline: float | None) -> dict[int, records.Record]:
    found: dict[int, records.Record] = {}
    for each in runs:
        each.begin(share=len(runs))

    def after_epoch(index: int, state: State) -> None:
        runs[index].save(state)
        if watch is not None:
            watch(runs[index].seed, *runs[index].done, _newest(runs[index], state))

    def after_round() -> None:
        _stop_if_over(max(runs, key=lambda each: each.done), deadline)

    while runs:
        first = runs[0]
        config = replace(first.arm.train, epochs=first.epochs)
        ends = together.train(
            [each.trained for each in runs if not isinstance(each.trained, Peer)],  # rivals do not come here
            first.method,
            first.dataset,
            config,
            [each.seed for each in runs],
            [each.state for each in runs],
            after_epoch,
            after_round,
        )
        going: list[UnderWay] = []
        for each, end in zip(runs, ends):
            if isinstance(end, TrainingError):
                found[each.seed] = each.finish(end)
            elif each.last:
                found[each.seed] = each.finish()
            else:
                each.next_stage()
                going.append(each)
        runs = going
    return found
