"""What a search of settings is: its space, its rungs, and the arm that a trial of it trains."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ...arms import Arm, Rival
from ...config import Reads, Split, SwitcherConfig, TrainConfig
from .spaces import Space


@dataclass(frozen=True)
class Rung:
    """``trials`` of ``epochs`` epochs of ``images`` training images each (None: of all that the study has).

    On every rung but the first these are the best of the rung below.
    """

    epochs: int
    trials: int
    images: int | None = None


@dataclass(frozen=True)
class Study:
    """One search: a method on a network and a data set, its space and its rungs.

    The sampler avoids settings of trials less accurate than ``floor`` percent; a trial below ``hopeless`` percent after
    two thirds of its epochs is cut short.
    """

    name: str
    title: str
    method: Literal["dense", "alternating", "rival"]
    space: Space
    rungs: tuple[Rung, ...]
    dataset: str = "mnist"
    network: str = "mlp"
    floor: float = 95.0
    hopeless: float = 80.0
    # one of so many trials of the first rung keeps a switcher that learns to the end, and the same share is promoted
    unstopped_every: int = 3
    random_every: int = 10  # one of so many is drawn at random, so that the sampler does not stay in one region
    reads: Reads = "weights"  # what the switcher reads: controls get searches of their own
    rival: str = ""  # which one, a key of snnlib.peers.PEERS
    against: str = ""  # the study of the dense network that "knee" is compared with
    roles: tuple[str, ...] = ("accurate", "knee", "sparse", "compact", "unstopped")  # what is chosen (roles.py)
    candidates: int = 2  # so many trials of the last rung for each role are trained again on fresh seeds
    fresh: tuple[int, ...] = (1, 2, 3)  # these seeds
    least_removed: float = 1.0  # percent of the weights; a trial that removes less is as a dense network: not promoted
    carries: str = ""  # a study of another network whose chosen settings are the first trials
    train_images: int | None = None  # so many training images only; None: all but the held-out ones
    fixed: dict[str, Any] = field(default_factory=dict[str, Any])  # settings that are not searched, by name
    seed: int = 0

    @property
    def objectives(self) -> tuple[str, ...]:
        """The columns of a trial that should be large; the accuracy alone where the size is given."""
        return ("accuracy",) if self.roles in (("dense",), ("given",)) else ("accuracy", "removed")

    @property
    def stages(self) -> tuple[Rung, ...]:
        """The rungs, and the confirmation of the candidates on fresh seeds, where there is one."""
        if not self.fresh:
            return self.rungs
        return (*self.rungs, Rung(self.rungs[-1].epochs, self.candidates * len(self.roles) * len(self.fresh)))

    def arm(
        self, values: Mapping[str, Any], epochs: int, name: str, split: Split = "holdout", images: int | None = None
    ) -> Arm:
        """The arm of one trial: ``values`` holds a value for each setting of the space."""
        values = {**self.fixed, **values}
        train = TrainConfig(
            epochs=epochs,
            split=split,
            train_images=images or self.train_images,
            augment=values.get("augment", False),
            precision=values.get("precision", "float32"),
            rate=values["rate"],
            momentum=values["momentum"],
            weight_decay=values["weight_decay"],
            clip_network=values["clip_network"],
            clip_switcher=values.get("clip_switcher"),
            schedule=values["schedule"],
            normalize=values["normalize"],
            rate_switcher=values.get("rate_switcher"),
            momentum_switcher=values.get("momentum_switcher"),
            weight_decay_switcher=values.get("weight_decay_switcher"),
            switcher_until=values.get("switcher_until", 1.0),
            **turns(values.get("turn", "epoch"), values.get("ratio", "1:1")),
            **fc_start(values["fc"]),
        )
        if self.method == "dense":
            return Arm(name, "dense", name, self.dataset, self.network, train)
        if self.method == "rival":
            options = {key: value for key, value in values.items() if key not in OF_TRAINING}
            rival = Rival.of(self.rival, **options)
            return Arm(name, "rival", name, self.dataset, self.network, train, rival=rival)
        switcher = SwitcherConfig(
            channels=tuple(map(int, values.get("channels", "4-8-16").split("-"))),
            kernel=(values.get("kernel_rows", 3), 3),
            upsample=values.get("upsample", "resize"),
            initial_mean=values["initial_mean"],
            initial_spread=values["initial_spread"],
            batch_norm=values.get("batch_norm", False),
            reads=self.reads,
        )
        return Arm(name, "alternating", name, self.dataset, self.network, train, switcher)


OF_TRAINING = (
    "rate",
    "momentum",
    "weight_decay",
    "clip_network",
    "schedule",
    "normalize",
    "fc",
    "augment",
    "precision",
)
"""Settings of a rival's study that are not options of the rival."""


def turns(turn: str, ratio: str) -> dict[str, Any]:
    """Settings for turns of "epoch", "1", "10" or "100" steps, and of ``ratio`` switcher to network."""
    unit = 1 if turn == "epoch" else int(turn)
    return {
        "alternate": "epoch" if turn == "epoch" else "step",
        "turns": tuple(unit * int(part) for part in ratio.split(":")),
    }


def fc_start(start: str) -> dict[str, Any]:
    """Settings for a start of the FC layers: a standard deviation, "kaiming" or "torch"."""
    return {"fc_init": start} if start in ("kaiming", "torch") else {"fc_std": float(start)}


def cut_after(epochs: int) -> int:
    """Epochs after which a trial of ``epochs`` epochs is checked, and cut short if it is hopeless."""
    return math.ceil(2 * epochs / 3)
