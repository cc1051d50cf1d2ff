"""In which order runs start where some follow others, and what becomes of a group that does not end as one."""

import time
from dataclasses import replace

import pytest
import tiny
import torch
from filelock import FileLock
from rich.console import Console

from snnlib.arms import Arm, Pruning
from snnlib.config import TrainConfig
from snnlib.lab import batch, records, runner, workers
from snnlib.lab.workers import Job, Queue

CPU = torch.device("cpu")
SHORT = TrainConfig(epochs=2, train_images=256)
LEADER = replace(tiny.ALTERNATING, train=SHORT)
DIES = replace(LEADER, name="dies", train=replace(SHORT, rate=1e30, clip_network=None, clip_switcher=None))


def following(name, of=LEADER, train=SHORT):
    return Arm(name, "pruned", train=train, pruning=Pruning("same", of))


def jobs(root, *arms, seed=0):
    return [Job(arm, "quick", seed, root) for arm in arms]


def started(queue):
    """The names of the arms that start now."""
    groups = []
    while (group := queue.next()) is not None:
        groups += group
    return [job.arm.name for job in groups]


def test_a_run_waits_for_the_one_that_it_follows(tmp_path):
    one, two, leader, other = jobs(tmp_path, following("one"), following("two"), LEADER, tiny.DENSE)
    queue = Queue([[one], [two], [leader], [other]])
    assert started(queue) == ["alternating", "dense"]
    queue.end(other)
    assert started(queue) == []
    runner.run(LEADER, "quick", 0, tmp_path, CPU)
    queue.end(leader)
    assert started(queue) == ["one", "two"] and not queue.waiting


def test_another_seed_does_not_wait(tmp_path):
    (follower,), (leader,) = jobs(tmp_path, following("one"), seed=1), jobs(tmp_path, LEADER)
    assert started(Queue([[leader], [follower]])) == ["alternating", "one"]


def test_two_runs_that_follow_one_that_nobody_asked_for_start_one_after_the_other(tmp_path):
    one, two = jobs(tmp_path, following("one"), following("two"))
    queue = Queue([[one], [two]])
    assert started(queue) == ["one"]
    queue.end(one)
    assert started(queue) == ["two"]


@pytest.mark.slow
@pytest.mark.parametrize("asked_for", [True, False])
def test_with_two_workers_every_run_is_made(tmp_path, asked_for):
    made = batch.Batch(to_do=jobs(tmp_path, following("one"), following("two"), *([LEADER] if asked_for else [])))
    batch.carry_out(made, "cpu", 2, Console(quiet=True))
    assert len(made.made) == len(made.to_do) and made.left == 0 and made.exit_code == 0
    assert set(made.ended) == {"finished"}
    assert records.look_up(LEADER, "quick", 0, tmp_path).state == "recorded"


class Pipe:
    """The worker's end of a pipe through which one group of jobs comes."""

    def __init__(self, group):
        self.groups, self.said = [group], []

    def recv(self):
        if not self.groups:
            raise EOFError
        return self.groups.pop()

    def send(self, event):
        self.said.append(event)


def ends(group, deadline=None):
    """How a worker says that each seed of one group ended."""
    pipe = Pipe(group)
    workers._serve(pipe, "cpu", torch.get_num_threads(), deadline)
    return {event.job.seed: event for event in pipe.said if event.kind not in ("started", "epoch")}


def group_of(arm, root, seeds=(0, 1)):
    return [Job(arm, "quick", seed, root) for seed in seeds]


def one_epoch_of(arm, seed, root):
    with pytest.raises(runner.BudgetReached):
        runner.run(arm, "quick", seed, root, CPU, deadline=0.0)


def test_a_seed_in_other_hands_does_not_keep_its_group(tmp_path):
    busy, free = group_of(LEADER, tmp_path)
    records.make_folder(busy.path.parent)
    with FileLock(busy.path.with_suffix(".lock")):
        found = ends([busy, free])
    assert found[0].kind == "busy" and str(busy.path) in found[0].text
    assert found[1].succeeded and not busy.path.exists()


def test_of_a_group_that_the_time_budget_ends_what_is_finished_counts_as_finished(tmp_path):
    one_epoch_of(LEADER, 0, tmp_path)  # from here on the seeds go on one by one
    found = ends(group_of(LEADER, tmp_path), deadline=0.0)
    assert found[0].succeeded
    assert found[1].kind == "stopped" and "after 1 of 2 epochs" in found[1].text


def test_of_a_group_that_is_refused_what_is_finished_counts_as_finished(tmp_path, monkeypatch):
    one_epoch_of(LEADER, 0, tmp_path)
    save = runner.UnderWay.save

    def full(run, state):
        if run.seed == 1:
            raise records.FileError("no space is left")
        save(run, state)

    monkeypatch.setattr(runner.UnderWay, "save", full)
    found = ends(group_of(LEADER, tmp_path))
    assert found[0].succeeded
    assert (found[1].kind, found[1].text) == ("refused", "no space is left")


def test_seeds_that_go_on_one_by_one_have_each_its_own_time(tmp_path):
    one_epoch_of(LEADER, 1, tmp_path)
    first = records.path_of(LEADER, "quick", 0, tmp_path)
    began = time.monotonic()
    found = runner.run_together(
        LEADER, "quick", (0, 1), tmp_path, CPU, watch=lambda seed, *_: time.sleep(0.5 if seed == 0 else 0)
    )
    whole = time.monotonic() - began
    assert first.exists() and found[0]["seconds"] >= 1.0
    own = sum(record["seconds"] for record in found.values()) - found[1]["history"][0]["seconds"]
    assert own < whole + 0.1 and found[1]["seconds"] < whole - 1.0


def test_a_run_that_follows_a_failed_one_is_barred_and_none_of_the_batch_is_refused(tmp_path):
    made = batch.Batch(to_do=jobs(tmp_path, DIES, following("one", of=DIES)))
    for job in made.to_do:
        for event in ends([job]).values():
            made.ended.setdefault(event.kind, []).append(event)
    assert [len(made.failed), len(made.events("barred")), made.left, made.exit_code] == [1, 1, 0, 1]
    assert "would keep the neurons that dies kept, but that run failed" in made.events("barred")[0].text
    made.accept_failed = True
    assert made.exit_code == 0


def test_barred_runs_are_counted_and_tried_again_with_the_run_that_failed(tmp_path):
    runner.run(DIES, "quick", 0, tmp_path, CPU)
    table = tiny.table(DIES, following("one", of=DIES))
    before = batch.of_table(table, "quick", tmp_path)
    assert [len(before.to_do), len(before.failed_before), len(before.barred_before)] == [0, 1, 1]
    assert before.exit_code == 1 and {entry.state for entry in before.entries()} == {"failed", "barred"}
    for retry in ({"retry_failed": True}, {"force": True}):
        again = batch.of_table(table, "quick", tmp_path, **retry)
        assert [job.arm.name for job in again.to_do] == ["dies", "one"] and not again.barred_before
