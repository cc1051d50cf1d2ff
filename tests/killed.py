"""Processes that train and are killed, for test_resume: run as a script, which prints what came of them as JSON.

``python tests/killed.py kill ROOT``: each arm once left alone, once killed with SIGKILL at random moments until it is
done. ``python tests/killed.py share ROOT``: two processes at once work through the same runs.
"""

import contextlib
import json
import os
import random
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

import tiny
import torch

from snnlib import data
from snnlib.lab import records, runner

CPU = torch.device("cpu")
KILLS = 6
"""Kills an arm, at least; a run that ends sooner is killed in its next seed too."""


def small_data():
    """256 images to train and 100 to test: an epoch takes some hundredths of a second."""
    whole = data.load("mnist").first(256)
    return replace(whole, x_test=whole.x_test[:100], y_test=whole.y_test[:100])


def in_process(work):
    """Run ``work`` in a process of its own; returns its id."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        except BaseException as problem:
            print(problem, file=sys.stderr)
            os._exit(3)
        os._exit(0)
    return pid


def left_alone(arm, seed, root, dataset):
    """Seconds that one undisturbed run takes."""
    began = time.monotonic()
    _, status = os.waitpid(in_process(lambda: runner.run(arm, "quick", seed, root, CPU, dataset)), 0)
    assert status == 0
    return time.monotonic() - began


def kill_until_done(arm, seed, root, dataset, seconds):
    """Start a run again and again, each time killed at a random moment; returns kills, and kills that had a
    checkpoint."""
    path = records.path_of(arm, "quick", seed, root)
    kills = resumed = 0
    while True:
        pid = in_process(lambda: runner.run(arm, "quick", seed, root, CPU, dataset))
        if kills < 20:  # then it may end: on a busy machine every kill may come before the first checkpoint
            time.sleep(
                random.uniform(0, (0.6 + 0.2 * kills) * seconds)
            )  # longer each time: a busy machine gets on as well
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        if not os.WIFSIGNALED(status):
            assert status == 0
            return kills, resumed
        kills += 1
        resumed += records.checkpoint_path(path).exists()


def kill(root):
    """Runs of one stage and of two, undisturbed in ROOT/alone, killed in ROOT/killed."""
    dataset, kills, resumed = small_data(), 0, 0
    for arm in (tiny.ALTERNATING, tiny.SEPARATE):
        # Known to all processes then; its first time takes ten times as long as a run, and would catch nearly all kills
        runner.check_memory(arm, dataset, CPU)
        done = seed = found = 0
        while done < KILLS or not found:
            seconds = left_alone(arm, seed, root / "alone", dataset)
            some, with_checkpoint = kill_until_done(arm, seed, root / "killed", dataset, seconds)
            done, found, seed = done + some, found + with_checkpoint, seed + 1
            kills, resumed = kills + some, resumed + with_checkpoint
    return {"kills": kills, "resumed": resumed}


def share(root):
    """Two processes work through the same runs; every epoch that is trained is noted in ROOT/epochs."""
    dataset = small_data()

    def work():
        for seed in range(3):
            for arm in (tiny.DENSE, tiny.ALTERNATING):

                def note(done, total, row, run=f"{arm.name}/{seed}"):
                    # one short write: lines of two processes do not mix
                    with open(root / "epochs", "a", encoding="utf-8") as file:
                        file.write(json.dumps([os.getpid(), run, done]) + "\n")

                with contextlib.suppress(runner.Busy):
                    runner.run(arm, "quick", seed, root, CPU, dataset, watch=note)

    both = [in_process(work), in_process(work)]
    return {
        "codes": [os.waitpid(pid, 0)[1] for pid in both],
        "epochs": [json.loads(line) for line in open(root / "epochs", encoding="utf-8")],
    }


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(json.dumps({"kill": kill, "share": share}[sys.argv[1]](Path(sys.argv[2]))))
