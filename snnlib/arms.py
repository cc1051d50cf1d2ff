"""Arms of an experiment: all that determines a run but its seed, as a record keeps it, and its hash."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from .config import SwitcherConfig, TrainConfig

ALGORITHM = 1
"""Raised when the mathematics of a run changes, so that older records read as stale (speed work leaves it)."""

ADDED_LATER: dict[str, Any] = {
    "scale_inputs": False,
    "kernel_features": 32,
    "augment": False,
    "normalize": False,
    "test_images": None,
    "reads": "weights",
    "pixels": "raster",
    "pruning": None,
    "rate_switcher": None,
    "momentum_switcher": None,
    "weight_decay_switcher": None,
    "turns": (1, 1),
    "milestones": (0.5, 0.75),
    "switcher_until": 1.0,
    "fc_init": "normal",
    "batch_norm": False,
    "start": "kaiming",
    "nudge": 0,
    "continued": False,
    "precision": "float32",
    "rival": None,
    "source": None,
}
"""Settings that older records lack, with the value that those runs had: left out of the hash at that value."""

Method = Literal["dense", "alternating", "separate", "pruned", "rival"]
"""How an arm is trained: "alternating" is SNN-AL, "separate" SNN-SL, "pruned" dense with neurons left out, "rival" by
a method of :mod:`snnlib.peers`."""

Criterion = Literal["same", "random", "norm"]
"""Which neurons a pruned arm keeps, see :class:`Pruning`."""


@dataclass(frozen=True)
class Pruning:
    """Which neurons a "pruned" arm keeps: as many in each layer as the run of ``of`` with the same seed did.

    ``criterion``: "same", the neurons that run kept; "random", neurons drawn by the seed; "norm", those whose
    outgoing weights have the largest L2 norm when the dense training is over.
    """

    criterion: Criterion
    of: Arm

    def __post_init__(self) -> None:
        if self.criterion not in ("same", "random", "norm"):
            raise ValueError(f"criterion={self.criterion!r}: choose 'same', 'random' or 'norm'")
        if self.of.switcher is None:
            raise ValueError(f"pruning as {self.of.name!r}: that arm has no switcher, so it prunes nothing")


@dataclass(frozen=True)
class Rival:
    """A rival method, by its name in :data:`snnlib.peers.PEERS`; ``options`` are those that differ from its defaults.

    They are checked where :func:`snnlib.peers.peer` uses them.
    """

    name: str
    options: tuple[tuple[str, Any], ...] = ()

    @classmethod
    def of(cls, name: str, **options: Any) -> Rival:
        """The rival ``name`` with these options."""
        return cls(name, tuple(sorted(options.items())))


@dataclass(frozen=True)
class Source:
    """Images of one's own, of an arm whose ``dataset`` is any path or name: how they are read, and which they are.

    ``digest`` begins the checksum of all of them, so that a run is known by its images too: other images are another
    run, though their folder has the same name. The folder's place is a setting as well: where it was moved, the runs
    are made anew.
    """

    digest: str  # the first 16 hex digits of Dataset.checksum(), before any are held out
    size: int | None = None  # images of a folder are brought to so many pixels a side; None: as they are
    rgb: bool = False  # images of a folder are converted to RGB
    skip_broken: bool = False  # images of a folder that cannot be read are left out
    # one training image of a class in so many is judged on, in place of the test images; 0: the test images
    held_out: int = 0

    def __post_init__(self) -> None:
        if self.held_out < 0 or self.held_out == 1:
            raise ValueError(f"held_out={self.held_out}: 2 or more, one training image in so many, or 0 for none")

    @property
    def reading(self) -> dict[str, Any]:
        """The options of :func:`snnlib.data.load` that differ from its defaults."""
        options: dict[str, Any] = {"size": self.size, "rgb": self.rgb, "skip_broken": self.skip_broken}
        return {name: value for name, value in options.items() if value}


@dataclass(frozen=True)
class Arm:
    """One row of an experiment: a network, a data set and a way to train it; a run is an arm and a seed."""

    name: str
    method: Method
    title: str = ""  # how tables call it
    dataset: str = "mnist"
    network: str = "mlp"
    train: TrainConfig = field(default_factory=TrainConfig)
    switcher: SwitcherConfig | None = None  # None for a dense or pruned network
    dense_epochs: int = 0  # "separate" and "pruned": epochs of the dense training that comes first
    pruning: Pruning | None = None  # "pruned": which neurons are kept
    rival: Rival | None = None  # "rival": which one
    continued: bool = True  # whether the second stage goes on in the order of images; older runs repeat the first's
    source: Source | None = None  # images of one's own: how they are read, and which they are

    def __post_init__(self) -> None:
        if self.method not in ("dense", "alternating", "separate", "pruned", "rival"):
            raise ValueError(f"method={self.method!r}: choose 'dense', 'alternating', 'separate', 'pruned' or 'rival'")
        if (self.method in ("alternating", "separate")) != (self.switcher is not None):
            raise ValueError(f"arm {self.name!r}: an alternating or separate arm has a switcher, no other arm has one")
        if not isinstance(self.rival, Rival | None):
            raise ValueError(f"arm {self.name!r}: rival={self.rival!r} is no Rival: give Rival.of({self.rival!r})")
        if (self.method == "rival") != (self.rival is not None):
            raise ValueError(f"arm {self.name!r}: an arm of the method 'rival' names its rival, and no other arm does")
        if (self.method == "pruned") != (self.pruning is not None):
            raise ValueError(
                f"arm {self.name!r}: a pruned arm says which neurons it keeps (pruning), and no other arm does"
            )
        if self.dense_epochs < 0 or (
            (self.dense_epochs > 0) != (self.method == "separate") and self.method != "pruned"
        ):
            raise ValueError(
                f"arm {self.name!r}: dense_epochs={self.dense_epochs}, but epochs of dense training come first in a "
                "separate arm or a pruned one, and only there"
            )
        if self.pruning and (self.pruning.of.dataset, self.pruning.of.network) != (self.dataset, self.network):
            raise ValueError(
                f"arm {self.name!r}: it prunes {self.network} on {self.dataset} as {self.pruning.of.name!r}, which is "
                f"{self.pruning.of.network} on {self.pruning.of.dataset}"
            )

    @property
    def with_switcher(self) -> SwitcherConfig:
        """The settings of the switcher; ``ValueError`` for an arm without one."""
        if self.switcher is None:
            raise ValueError(f"arm {self.name!r} has no switcher")
        return self.switcher

    def settings(self) -> dict[str, Any]:
        """All that determines the result, as plain JSON values; names and titles left out."""
        values = dataclasses.asdict(self)
        for label in ("name", "title"):
            del values[label]
        if self.method in ("dense", "alternating", "rival") or not self.dense_epochs:
            del values["continued"]  # there is but one stage
        for part in (values, values["train"], values["switcher"] or {}):
            for added, before in ADDED_LATER.items():
                if added in part and part[added] == before:
                    del part[added]
        if self.rival:
            values["rival"] = {"name": self.rival.name, "options": dict(self.rival.options)}
        if self.pruning:
            of = self.pruning.of
            values["pruning"] = {"criterion": self.pruning.criterion, "arm": of.name, "settings": of.settings()}
        return json.loads(json.dumps({"algorithm": ALGORITHM, **values}))

    def settings_hash(self) -> str:
        """First 12 hex digits of the SHA-256 of :meth:`settings`; code versions and devices do not enter."""
        return hash_of(self.settings())


def hash_of(settings: Mapping[str, Any]) -> str:
    """The hash of settings as :meth:`Arm.settings` gives them, or as a record holds them."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:12]


Config = TypeVar("Config", SwitcherConfig, TrainConfig)


def restore(kind: type[Config], values: dict[str, Any]) -> Config:
    """Settings of class ``kind`` from a record's plain values: lists become tuples, what it lacks is as it was then."""
    names = {each.name for each in dataclasses.fields(kind)}
    given = {name: value for name, value in ADDED_LATER.items() if name in names}
    for key, value in values.items():
        given[key] = tuple(value) if isinstance(value, list) else value
    return kind(**given)
