"""Searches of the settings that the paper leaves open, on held-out training images, equal trials for each method.

A study draws settings from its space and judges them on 5,000 held-out training images by accuracy and by the share of
weights removed. It climbs rungs: many short trials first, then those that stand out, trained longer and from scratch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ...config import Reads
from .spaces import (
    IN_HEADS,
    NETWORK,
    PHOTOGRAPHS,
    RIVALS,
    SEARCHED,
    SHAPE,
    SWITCHER,
    USUAL,
    Choices,
    Space,
    of_photographs,
)
from .study import Rung, Study

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


PRECISION = {
    "vgg-cov2": "bfloat16",
    "vgg-cov2-bn": "bfloat16",
    "mobilenet-v1-x0.25": "float32",
    "vgg16-x0.25": "bfloat16",
}
"""Network to the precision in which it is searched and trained on photographs.

It is bfloat16 where a processor with instructions for it (AMX) is more than twice as fast with it: 67 against 164 ms a
dense step of VGG-cov2, 39 against 56 of MobileNetV1 x0.25 (``benchmarks.networks``, one thread, on 2026-11-29, before
any trial of MobileNetV1). Otherwise it is float32, which every processor has. VGG16 x0.25 takes 35 against 55 ms a
dense step on a processor that has AVX512_BF16 in place of AMX (measured before any trial of it, on 2026-12-01), and
VGG-cov2's precision. A processor with neither is faster in float32 with every network
(``benchmarks/without-bfloat16.json``), and ``snn run`` says so there.
"""

COLOURED = tuple(PRECISION)
"""The networks that are searched on CIFAR-10."""


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
        for network in COLOURED
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
    "vgg16-x0.25": ("nested", "elastic"),
}
"""The networks besides the MLP on which rivals run: those for which the paper quotes them (VGG16 at a quarter of its
width, added on 2026-12-01), the lottery ticket, and LeNet5-Caffe for N2N, whose own network (ResNet34) is too large for
a search."""

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
        *(colour(network, method, title, space) for network in COLOURED for method, title, space in SEARCHED),
        *(
            of_rival(name, title, space, given, network, **fixed | IN_HEADS.get((name, network), {}))
            for network, names in ALSO_ON.items()
            for name, title, space, given, fixed in RIVALS
            if name in names
        ),
    )
}
"""The searches by name, in the order in which they should run."""
