"""Arms on images of one's own: a table that is made for one command, with the library's settings.

A search has chosen these for some networks (:mod:`.chosen`); a network that has had none takes those of the MLP. The
records of such a table stand in a folder of their own, and each is known by its settings, its seed and its images.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from ...arms import Arm, Source
from ...config import SwitcherConfig, TrainConfig
from ..names import Refused
from . import tuned
from .studies import STUDIES
from .table import Table
from .whole import BORROWED

OWN = "own"
"""The profile of such a table, and its name."""

FOLDER = Path("runs") / "own"
"""Where its records stand unless another folder is named."""

EPOCHS = 20
"""Passes over the images, unless another number is asked for."""

SETTINGS = {
    "accurate": "chosen by a search for accuracy",
    "sparse": "chosen by the same search for few weights",
    "plain": "the paper's, completed by us",
}
"""Settings that may be asked for; the first is taken unless another one is."""

Way = Literal["dense", "alternating", "separate"]
"""How a network of one's own may be trained."""

WAYS: dict[Way, tuple[str, str]] = {
    "dense": ("dense", "dense"),
    "alternating": ("snn-al", "SNN-AL"),
    "separate": ("snn-sl", "SNN-SL"),
}
"""Name and title of each way's arm."""

Start = Literal["normal", "kaiming", "torch"]
"""How fully connected layers may start, see :class:`~snnlib.config.TrainConfig`."""


@dataclass(frozen=True)
class Asked:
    """What a command asks for; ``rate`` and ``start`` None are those of the ``setting``."""

    networks: tuple[str, ...]  # with all their widths
    ways: tuple[Way, ...] = ("dense", "alternating")
    setting: str = next(iter(SETTINGS))
    epochs: int = EPOCHS
    rate: float | None = None
    start: Start | None = None


def searched(network: str) -> str:
    """The network whose searched settings ``network`` takes: its own, those of a relative, or the MLP's."""
    near = BORROWED.get(network, network)
    return near if {"dense", *SETTINGS} - {"plain"} <= tuned.CHOSEN.get(near, {}).keys() else "mlp"


def settings(network: str, setting: str) -> tuple[TrainConfig, TrainConfig, SwitcherConfig]:
    """Settings of the dense network, of SNN-AL, and of its switcher, for a key of :data:`SETTINGS`."""
    if setting == "plain":
        return TrainConfig(), TrainConfig(), SwitcherConfig()
    near = searched(network)
    arms = tuned.arms(near)
    snn = arms[tuned.role_of(setting, tuned.CHOSEN[near])]
    return arms["dense"].train, snn.train, snn.with_switcher


def origin(network: str, setting: str) -> str:
    """Where the settings of ``network`` come from, in words."""
    if setting == "plain":
        return f"settings {SETTINGS[setting]}"
    near = searched(network)
    return f"settings {SETTINGS[setting]} (of the network {near} on {STUDIES[tuned.SEARCHED[near][0]].dataset})"


def table(dataset: str, source: Source, asked: Asked, seeds: Sequence[int], images: int) -> Table:
    """The arms that are asked for, on ``images`` training images; differences are taken from the first of them.

    ``dataset`` is a name or a whole path. Raises ``Refused`` for settings that make no run.
    """
    networks, ways = dict.fromkeys(asked.networks), dict.fromkeys(asked.ways)
    made = tuple(arm(dataset, network, way, source, asked, images) for network in networks for way in ways)
    title = f"{Path(dataset).name}: images of your own"
    return Table(OWN, title, {OWN: made}, {OWN: tuple(dict.fromkeys(seeds))}, made[0].name)


def arm(dataset: str, network: str, way: Way, source: Source, asked: Asked, images: int) -> Arm:
    """One arm; its name says what was asked for beside the defaults. Raises ``Refused`` where it makes no run."""
    if way != "dense" and asked.epochs < 2:
        raise Refused(f"--epochs {asked.epochs}: switcher and network need one each, so 2 at least")
    dense, snn, switcher = settings(network, asked.setting)
    train = replace(
        dense if way == "dense" else snn, epochs=asked.epochs, batch_size=min(TrainConfig.batch_size, images)
    )
    # of the searched settings the dense network has but one
    said = {asked.setting: ""} if asked.setting == "plain" or (way != "dense" and asked.setting == "sparse") else {}
    if asked.epochs != EPOCHS:
        said["epochs"] = f"{asked.epochs}"
    if source.held_out:
        said["held out"] = f"{source.held_out}"
    try:
        if asked.rate is not None:
            said["rate"] = f"{asked.rate}"
            own = train.rate_switcher  # stays in proportion
            train = replace(train, rate=asked.rate, rate_switcher=own and own * asked.rate / train.rate)
        if asked.start is not None:
            said["start"] = asked.start
            train = replace(train, fc_init=asked.start)
    except ValueError as problem:
        raise Refused(str(problem)) from problem
    name, title = WAYS[way]
    differs = [f"{key} {value}".strip() for key, value in said.items()]
    made = Arm(
        "-".join([name, *(each.replace(" ", "-") for each in differs)]),
        "dense" if way == "dense" else "alternating",
        ", ".join([title, *differs]),
        dataset,
        network,
        train,
        None if way == "dense" else switcher,
        source=source,
    )
    return replace(tuned.separate(made), name=made.name, title=made.title) if way == "separate" else made


def command(arm: Arm, seed: int, root: Path) -> str:
    """The command that makes one run of such a table again; what the name of its arm does not say is the default."""
    assert arm.source is not None
    words = ["snn", "run", "--data", arm.dataset, "--network", arm.network, "--method", arm.method]
    words += [word for each in SETTINGS if each in arm.name.split("-") for word in ("--setting", each)]
    if (epochs := arm.train.epochs + arm.dense_epochs) != EPOCHS:
        words += ["--epochs", str(epochs)]
    if "-rate-" in arm.name:
        words += ["--rate", repr(arm.train.rate)]
    if "-start-" in arm.name:
        words += ["--start", arm.train.fc_init]
    if arm.source.held_out:
        words += ["--hold-out", f"{1 / arm.source.held_out:.4f}"]
    for name, value in arm.source.reading.items():
        words += [f"--{name.replace('_', '-')}", *([str(value)] if name == "size" else [])]
    return shlex.join([*words, "--seed", str(seed), "--force", "--records", str(root)])
