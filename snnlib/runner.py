"""From an arm and a seed to a record: build, train or resume, measure, write."""

from __future__ import annotations

import datetime
import json
import platform
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from filelock import FileLock, Timeout
from torch import Tensor, nn

from . import __version__, data, metrics, records
from .compaction import compact
from .config import Arm, check_seed
from .names import check_name
from .networks import NETWORKS, count
from .switched import Switched
from .training import State, TrainingError, generator, train_alternating, train_dense, train_separate

Watch = Callable[[int, int, dict], None]
"""Called after each epoch with epochs done, epochs in all and the newest row of the history."""


class BudgetReached(Exception):
    """The time budget is used up; the checkpoint stands and the same command goes on from it."""


class Busy(Exception):
    """Another process works on this run."""


def pick_device(name: str) -> torch.device:
    """The device called ``name`` ("cpu", "cuda", "cuda:1", "auto"); ``ValueError`` where this machine has none such."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ValueError(f"unknown device {name!r}: choose cpu, cuda, cuda:N or auto") from error
    if device.type not in ("cpu", "cuda"):
        raise ValueError(f"device {name!r} is not supported: choose cpu, cuda, cuda:N or auto")
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"--device {name}: this machine has no CUDA device that torch {torch.__version__} can use; choose cpu or auto")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ValueError(f"--device {name}: there are only {torch.cuda.device_count()} CUDA devices here")
    return device


def describe(device: torch.device) -> str:
    """The device in words, for a record."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        model = next((line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if line.startswith("model name")), model)
    return f"{model}, {torch.get_num_threads()} thread(s)"


def load_data(arm: Arm, device: torch.device) -> data.Dataset:
    """The arm's data set as its settings split it."""
    whole = data.load(arm.dataset, device=device)
    return (whole.holdout() if arm.train.split == "holdout" else whole).first(arm.train.train_images)


def build_network(arm: Arm, seed: int, device: torch.device, image: tuple[int, int, int] = (1, 28, 28), classes: int = 10) -> nn.Module:
    """The arm's task network as the seed initialises it: the same for every arm of that seed.

    ``image`` is (channels, height, width) of the data set's images, ``classes`` how many kinds they show.
    """
    build = NETWORKS[check_name("network", arm.network, NETWORKS)]
    return build(image, classes, fc_std=arm.train.fc_std, generator=generator(seed, "network")).to(device)


def wrap(arm: Arm, network: nn.Module, seed: int) -> Switched:
    """The network with the arm's switcher, calibrated on the network's present weights."""
    assert arm.switcher is not None
    # drawn on the CPU, so that every device starts from the same numbers
    return Switched.around(network.cpu(), arm.switcher, generator(seed, "switcher"), through_switcher=arm.train.through_switcher)


def run(
    arm: Arm, profile: str, seed: int, root: Path, device: torch.device, dataset: data.Dataset | None = None,
    watch: Watch | None = None, deadline: float | None = None, force: bool = False,
) -> dict:
    """Train one run and write its record; a finished record is returned as it is, unless ``force``.

    ``deadline`` is a ``time.monotonic()`` after which no further epoch starts: the run then stops with
    :class:`BudgetReached`. A run that diverges or dies is recorded as failed. Raises :class:`Busy` where another
    process holds the run, ``RecordError`` where a file cannot be read or written.
    """
    check_seed(seed)
    path = records.path_of(arm, profile, seed, root)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(path.with_suffix(".lock"), timeout=0):
            entry = records.look_up(arm, profile, seed, root)
            if entry.state in ("recorded", "failed") and not force:
                return entry.record
            records.sweep(path)
            if force:
                records.checkpoint_path(path).unlink(missing_ok=True)
            record = _train(arm, profile, seed, path, device, dataset or load_data(arm, device), watch, deadline)
    except Timeout as error:
        raise Busy(f"{path}: another process works on this run") from error
    return record


def _train(arm, profile, seed, path, device, dataset, watch, deadline) -> dict:
    started, clock, spent = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"), time.monotonic(), 0.0
    checkpoint = records.checkpoint_path(path)
    stages = (["dense"] if arm.method != "alternating" else []) + (["switcher"] if arm.switcher else [])
    if arm.method == "dense":
        lengths = {"dense": arm.train.epochs}
    else:
        lengths = {"dense": arm.dense_epochs, "switcher": arm.train.epochs}
    total = sum(lengths[stage] for stage in stages)
    stage, state, before = stages[0], State(), []
    network, model = build_network(arm, seed, device, dataset.image, len(dataset.classes)), None

    tensors = None
    if checkpoint.exists():
        tensors, metadata = records.load_tensors(checkpoint)
        if metadata["settings_hash"] != arm.settings_hash():
            tensors = None  # the settings changed since: start anew
        else:
            stage, before, spent = metadata["stage"], metadata["before"], metadata["seconds"]
            velocity = {name.removeprefix("velocity."): tensors.pop(name) for name in list(tensors) if name.startswith("velocity.")}
            state = State(metadata["epoch"], metadata["history"], velocity)
    if stage == "switcher":
        model = wrap(arm, network, seed).to(device)
    if tensors is not None:
        (model or network).load_state_dict(tensors)

    def after_epoch(now: State) -> None:
        done = len(before) + now.epoch
        extra = {"settings_hash": arm.settings_hash(), "stage": stage, "before": before, "epoch": now.epoch, "history": now.history}
        tensors = (model or network).state_dict() | {f"velocity.{key}": buffer for key, buffer in now.velocity.items()}
        records.save_tensors(checkpoint, tensors, extra | {"seconds": spent + time.monotonic() - clock})
        if watch is not None:
            watch(done, total, now.history[-1])
        if deadline is not None and time.monotonic() > deadline and done < total:
            raise BudgetReached(f"{path}: stopped by the time budget after {done} of {total} epochs")

    error = None
    try:
        while True:
            if stage == "dense":
                config = arm.train if arm.method == "dense" else replace(arm.train, epochs=arm.dense_epochs)
                state = train_dense(network, dataset, config, seed, state, after_epoch)
            else:
                if model is None:
                    model = wrap(arm, network, seed).to(device)
                train = train_alternating if arm.method == "alternating" else train_separate
                state = train(model, dataset, arm.train, seed, state, after_epoch)
            if stage == stages[-1]:
                break
            stage, before, state = "switcher", state.history, State()
    except TrainingError as problem:
        place = {key: getattr(problem, key) for key in ("epoch", "step", "phase", "layer")}
        error = {"type": type(problem).__name__, "message": str(problem), **place}
    history = [row | {"epoch": index} for index, row in enumerate(before + state.history)]
    record = {
        "version": records.VERSION, "status": "failed" if error else "finished", "error": error,
        "profile": profile, "arm": arm.name, "title": arm.title, "seed": seed,
        "settings_hash": arm.settings_hash(), "settings": arm.settings(),
        "started": started, "seconds": round(spent + time.monotonic() - clock, 2), "device": describe(device),
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__, "snnlib": __version__},
        "images": {"train": len(dataset.x_train), "evaluated": len(dataset.x_test), "shape": list(dataset.image), "classes": len(dataset.classes)},
        "result": None if error else result(network, model, history),
        "history": history,
    }
    if not error:
        records.save_tensors(records.weights_path(path), (model or network).state_dict(), {"settings_hash": arm.settings_hash(), "seed": seed})
    records.write(path, json.loads(json.dumps(record)))
    checkpoint.unlink(missing_ok=True)
    return record


@torch.no_grad()
def result(network: nn.Module, model: Switched | None, history: list[dict]) -> dict:
    """What a finished run measured: last and best accuracy (percent), widths, weights removed, MACs, factors.

    ``macs`` counts one image through the compacted network, all layers of it; percentages count switched layers alone.
    """
    full = list(network.gate_widths())
    outputs = network.linear_weights()[-1].shape[1]
    gates: list[Tensor] = model.gates() if model else [torch.ones(width) for width in full]
    plain = [gate.double().cpu().numpy() for gate in gates]
    kept = metrics.kept_widths(plain)
    weights, kernels = ([weight.cpu().numpy() for weight in each] for each in (network.linear_weights(), network.kernel_weights()))
    effective = metrics.effective_widths(plain, weights, kernels)
    shape = {"outputs": outputs, "areas": [kernel[0, 0].size for kernel in kernels], "channels": kernels[0].shape[1] if kernels else 1}
    best = max(history, key=lambda row: row["accuracy"])
    return {
        "accuracy": round(100 * history[-1]["accuracy"], 4),
        "best_accuracy": round(100 * best["accuracy"], 4), "best_epoch": best["epoch"],
        "full_widths": full, "widths": kept, "effective_widths": effective,
        "removed_pct": metrics.removed_pct(full, kept, **shape),
        "effective_pct": metrics.removed_pct(full, effective, **shape),
        "macs_full": count.macs(network), "macs": count.macs(compact(network, gates)),
        "gates": [[float(f"{value:.5g}") for value in gate] for gate in plain] if model else None,
    }
