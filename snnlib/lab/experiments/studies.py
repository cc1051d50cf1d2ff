"""Searches of the settings that the paper leaves open, on held-out training images, equal trials for each method.

A study draws settings from its space and judges them on 5,000 held-out training images by accuracy and by the share of
weights removed. It climbs rungs: many short trials first, then those that stand out, trained longer and from scratch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ...config import Arm, Reads, Rival, Split, SwitcherConfig, TrainConfig
from .spaces import NETWORK, PHOTOGRAPHS, RIVALS, SEARCHED, SHAPE, SWITCHER, USUAL, Choices, Space, of_photographs


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
    roles: tuple[str, ...] = ("accurate", "knee", "sparse", "compact", "unstopped")  # what is chosen, see :data:`ROLES`
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

ROLES = {
    "dense": "the highest accuracy",
    "given": "the highest accuracy at the size that the study gives",
    **{
        role: f"the highest accuracy with at least {role} % of the weights removed; where there is none, the most "
        "weights removed"
        for role in ("60", "75", "90")
    },
    "accurate": "the highest accuracy with at least 5 % of the weights removed",
    "knee": "the most weights removed within 0.1 points of the tuned dense network; where there is none, the "
    "accurate one",
    "sparse": "the highest accuracy with at least 74.6 % of the weights removed, the paper's share; where there is "
    "none, the most weights removed",
    "compact": "the highest accuracy with at least 60 % of the weights removed; where there is none, the most "
    "weights removed",
    "unstopped": "the highest accuracy with at least 60 % of the weights removed, among settings whose switcher "
    "learns to the end as in the paper; where there is none, the most weights removed",
    "front": "every other setting with fresh seeds that none beats in both accuracy and weights removed: nothing is "
    "chosen there",
}
"""The rule of the choice. On held-out images: the best of the last rung by it are trained again on three fresh seeds,
and the one that is best by it in the mean of these is chosen. Written on 2026-11-25, before any trial of the second
rung was run. A small search has no fresh seeds: the best of its last rung is chosen (written later that day, before any
trial of such a search). "compact" was added when "knee" and "unstopped" had both come out as the accurate setting,
which removes little: after the last rung of the MLP was seen, before its own candidates were trained on fresh seeds,
and before any test run. It came out as the sparse one; "front" was added then, still before any test run: it leaves
nothing out that the search has confirmed."""

LEAST_PCT = {"accurate": 5.0, "compact": 60.0, "sparse": 74.6, "unstopped": 60.0, "60": 60.0, "75": 75.0, "90": 90.0}
WITHIN = 0.1
"""The numbers in :data:`ROLES`: percent of the weights by role, and points."""


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


RUNGS = (Rung(5, 600), Rung(16, 48), Rung(40, 16))
SMALL = (Rung(5, 40), Rung(16, 6), Rung(40, 2))
"""The small searches: SNN-AL, its controls, and the rivals get the same. Before any trial of them was run it was made a
third smaller, so that the rivals can have it too. The two places of the last rung went to the two ends of the front,
and left out what the roles ask for. So since 2026-11-30, after runs of these searches' choices had been judged, the
best of the rung below for each share of the weights is trained again as well, in all of them: eight trials more. Runs
of choices that this changed were made anew; those before are in the history of git, at 8861e8d."""

LENET5 = (Rung(3, 100, 18000), Rung(8, 8), Rung(20, 4))
"""Searches of LeNet5-Caffe, a step of which costs ten of the MLP's. Before any trial of them the upper rungs were made
shorter, from 10 and 30 epochs, so that its eight seeds and its rivals can be had as well."""

COLOUR = (Rung(4, 20, 20000), Rung(8, 2))
FLOOR = 20.0
"""Accuracy in percent below which nothing is promoted there. It was 40, which the best of the 20 trials of SNN-AL on
MobileNetV1 x0.25 missed by 0.3 points, so that none was promoted: lowered on 2026-11-29 for all, before any trial of
SNN-AL on the second rung and any test run."""


PRECISION = {"vgg-cov2": "bfloat16", "vgg-cov2-bn": "bfloat16", "mobilenet-v1-x0.25": "float32"}
"""Network to the precision in which it is searched and trained on photographs.

It is bfloat16 where a processor with instructions for it (AMX) is more than twice as fast with it: 67 against 164 ms a
dense step of VGG-cov2, 39 against 56 of MobileNetV1 x0.25 (``benchmarks.networks``, one thread, on 2026-11-29, before
any trial of MobileNetV1). Otherwise it is float32, which every processor has.
"""


@dataclass(frozen=True)
class Place:
    """Where rivals are searched: a network on a data set, with the trials that SNN-AL has there."""

    prefix: str  # of the names of its studies
    title: str
    dataset: str
    rungs: tuple[Rung, ...]
    floor: float = 95.0
    hopeless: float = 80.0
    fixed: dict[str, Any] = field(default_factory=dict[str, Any])


PLACES = {
    "mlp": Place("mlp", "the MLP on MNIST", "mnist", SMALL),
    "lenet5-caffe": Place("lenet5", "LeNet5-Caffe on MNIST", "mnist", LENET5),
    **{
        network: Place(
            network,
            f"{network} on CIFAR-10",
            "cifar10",
            COLOUR,
            FLOOR,
            15.0,
            PHOTOGRAPHS | {"precision": PRECISION[network]},
        )
        for network in ("vgg-cov2", "mobilenet-v1-x0.25")
    },
}
"""By network."""


def rounds_within(epochs: int, rounds: Choices) -> Choices:
    """The choices ``rounds`` of the lottery ticket if they fit into ``epochs``, each round an epoch; else two or all.

    Written on 2026-11-30, when the search on MobileNetV1, 3 or 5 rounds in 4 epochs, had stopped at its first trial.
    """
    assert isinstance(rounds, tuple)
    return rounds if max(rounds) <= epochs else (2, epochs)


def small(name: str, title: str, space: Space, reads: Reads) -> Study:
    """A small search for the sparse setting, where reading the weights should matter; equal for SNN-AL and controls."""
    return Study(
        f"mlp-{name}",
        f"{title}, the MLP on MNIST",
        "alternating",
        space,
        SMALL,
        reads=reads,
        roles=("sparse",),
        candidates=0,
        fresh=(),
        least_removed=60.0,
    )


def of_rival(
    name: str, title: str, space: Mapping[str, Choices], given: bool, network: str = "mlp", **fixed: Any
) -> Study:
    """The small search of a rival; ``given``: its options say how many weights are left, so accuracy alone counts.

    On another network than the MLP it has as many trials as SNN-AL has there, and begins with what it took on the MLP.
    """
    usual = {"schedule": "cosine", "normalize": True, "momentum": 0.0, "weight_decay": 0.0, "clip_network": None}
    place, searched = PLACES[network], dict(space)
    if place.dataset == "cifar10":
        searched, usual = of_photographs(space, network, name), usual | {"momentum": USUAL["momentum"]}
    if "rounds" in searched:
        searched["rounds"] = rounds_within(place.rungs[0].epochs, searched["rounds"])
    return Study(
        f"{place.prefix}-{name}",
        f"{title}, {place.title}",
        "rival",
        searched,
        place.rungs,
        dataset=place.dataset,
        network=network,
        floor=place.floor,
        hopeless=place.hopeless,
        rival=name,
        roles=("given",) if given else ("60", "75", "90"),
        candidates=0,
        fresh=(),
        least_removed=0.0 if given else 40.0,
        carries="" if network == "mlp" else f"mlp-{name}",
        fixed={key: value for key, value in (usual | place.fixed | fixed).items() if key not in searched},
    )


def lenet5(
    method: Literal["dense", "alternating"],
    title: str,
    space: Space,
    carries: str,
    roles: tuple[str, ...],
    against: str = "",
) -> Study:
    """A search of LeNet5-Caffe; each role takes its best trial of the last rung."""
    name = "dense" if method == "dense" else "snn"
    return Study(
        f"lenet5-{name}",
        f"{title}, LeNet5-Caffe on MNIST",
        method,
        space,
        LENET5,
        network="lenet5-caffe",
        carries=carries,
        roles=roles,
        candidates=0,
        fresh=(),
        against=against,
    )


def colour(network: str, method: Literal["dense", "alternating"], title: str, space: Space) -> Study:
    """A small search of a network on CIFAR-10, which begins with what the MLP's search has chosen.

    The dense network and SNN-AL get equal numbers of trials.
    """
    kind = "dense" if method == "dense" else "snn"
    return Study(
        f"{network}-{kind}",
        f"{title}, {network} on CIFAR-10",
        method,
        of_photographs(space, network),
        COLOUR,
        dataset="cifar10",
        network=network,
        floor=FLOOR,
        hopeless=15.0,
        carries=f"mlp-{kind}",
        roles=("dense",) if kind == "dense" else ("accurate",),
        against="" if kind == "dense" else f"{network}-dense",
        candidates=0,
        fresh=(),
        fixed={name: value for name, value in USUAL.items() if name in space}
        | PHOTOGRAPHS
        | {"precision": PRECISION[network]},
    )


ALSO_ON = {
    "lenet5-caffe": ("bc-gnj", "bc-ghs", "l0", "lottery", "n2n"),
    "vgg-cov2": ("edge-popup",),
    "mobilenet-v1-x0.25": ("dnw", "lottery"),
}
"""The networks besides the MLP on which rivals run: those for which the paper quotes them, the lottery ticket, and
LeNet5-Caffe for N2N, whose own network (ResNet34) it cannot shrink here."""

STUDIES = {
    study.name: study
    for study in (
        Study(
            "mlp-snn", "SNN-AL, the MLP on MNIST", "alternating", NETWORK | SWITCHER | SHAPE, RUNGS, against="mlp-dense"
        ),
        Study("mlp-dense", "dense, the MLP on MNIST", "dense", NETWORK, RUNGS, roles=("dense",)),
        lenet5(
            "alternating",
            "SNN-AL",
            NETWORK | SWITCHER | SHAPE,
            "mlp-snn",
            ("accurate", "knee", "sparse"),
            "lenet5-dense",
        ),
        lenet5("dense", "dense", NETWORK, "mlp-dense", ("dense",)),
        *(of_rival(name, title, space, given, **fixed) for name, title, space, given, fixed in RIVALS),
        small("small", "SNN-AL, as many trials as its controls", NETWORK | SWITCHER | SHAPE, "weights"),
        small("nothing", "one free factor a neuron, no switcher", NETWORK | SWITCHER, "nothing"),
        small("noise", "switcher fed fixed noise", NETWORK | SWITCHER | SHAPE, "noise"),
        small("constants", "switcher fed constants", NETWORK | SWITCHER | SHAPE, "constants"),
        small("shuffled", "switcher fed rows in a new order each step", NETWORK | SWITCHER | SHAPE, "shuffled"),
        *(
            colour(network, method, title, space)
            for network in ("vgg-cov2", "vgg-cov2-bn", "mobilenet-v1-x0.25")
            for method, title, space in SEARCHED
        ),
        *(
            of_rival(name, title, space, given, network, **fixed)
            for network, names in ALSO_ON.items()
            for name, title, space, given, fixed in RIVALS
            if name in names
        ),
    )
}
"""The searches by name, in the order in which they should run."""


def cut_after(epochs: int) -> int:
    """Epochs after which a trial of ``epochs`` epochs is checked, and cut short if it is hopeless."""
    return math.ceil(2 * epochs / 3)
