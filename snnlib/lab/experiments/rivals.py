"""The table of rivals: the nine methods that the paper quotes, run on one harness beside SNN-AL, and the plain floor.

A rival whose size is an option (its study's role is "given") takes the settings of its search at 40, 25 and 10 % of the
weights; one whose size is an outcome takes, for each of 60, 75 and 90 % removed, the settings that the rule of its
search chose for that share.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ...config import Arm, Rival, TrainConfig
from . import tuned
from .ablation import ABLATION
from .chosen import CHOSEN_RIVALS
from .studies import RIVALS, STUDIES, Study
from .table import Table

NAMES = {
    "bc-gnj": "BC-GNJ",
    "bc-ghs": "BC-GHS",
    "l0": "L0",
    "lottery": "lottery ticket",
    "lottery-neurons": "lottery ticket, neurons",
    "edge-popup": "edge-popup",
    "dnw": "DNW",
    "nested": "NestedNet",
    "elastic": "Deep Elastic Networks",
    "n2n": "N2N",
}
"""Rival to its name in tables."""

SIZES: dict[str, dict[int, dict[str, Any]]] = {
    "lottery": {60: {"density": 0.4}, 75: {"density": 0.25}, 90: {"density": 0.1}},
    "dnw": {60: {"density": 0.4}, 75: {"density": 0.25}, 90: {"density": 0.1}},
    "edge-popup": {50: {"density": 0.5}, 75: {"density": 0.25}, 90: {"density": 0.1}},
    "nested": {60: {"levels": (0.43, 1.0)}, 75: {"levels": (0.275, 1.0)}, 90: {"levels": (0.112, 1.0)}},
}
"""Rival to percent of the weights removed to the option that gives this size; pixels are not nested, so NestedNet's
shares are of hidden neurons."""


def sized(values: Mapping[str, Any], study: Study) -> list[Arm]:
    """The arms of a rival whose size is an option, with the settings ``values``; both forms of the lottery ticket."""
    made: list[Arm] = []
    for kind in [study.rival, *(["lottery-neurons"] if study.rival == "lottery" else [])]:
        for percent, size in SIZES[study.rival].items():
            arm = study.arm({**values, **size}, study.rungs[-1].epochs, f"{kind}-{percent}", split="full")
            assert arm.rival is not None
            rival = Rival(kind, arm.rival.options)
            made.append(replace(arm, title=f"{NAMES[kind]}, {percent} % removed", rival=rival))
    return made


def found(roles: Mapping[str, Mapping[str, Any]], study: Study) -> list[Arm]:
    """The arms of a rival whose size is an outcome; roles that took the same settings are one arm."""
    made: dict[str, Arm] = {}
    for role, values in roles.items():
        arm = study.arm(values, study.rungs[-1].epochs, f"{study.rival}-{role}", split="full")
        made.setdefault(arm.settings_hash(), replace(arm, title=f"{NAMES[study.rival]}, chosen for {role} % removed"))
    return list(made.values())


def searched(chosen: Mapping[str, Mapping[str, Mapping[str, Any]]] | None = None) -> tuple[Arm, ...]:
    """The arms of all rivals whose searches are over."""
    made: list[Arm] = []
    for name, roles in (CHOSEN_RIVALS if chosen is None else chosen).items():
        study = STUDIES[name]
        made += sized(roles["given"], study) if "given" in roles else found(roles, study)
    return tuple(made)


def beside() -> tuple[Arm, ...]:
    """What rivals are compared with: the tuned dense network, SNN-AL's confirmed front, and pruning to its widths."""
    arms = tuned.arms("mlp")
    plain = [arm for arm in tuned.controls() if arm.name.split("-")[-1] in ("random", "norm")]
    return (*arms.values(), *plain, *(arm for arm in tuned.small() if arm.name == "small"))


def tried(epochs: int, images: int) -> tuple[Arm, ...]:
    """Every rival, and a dense network in the place of the tuned one, so short that it only shows that it runs."""
    train = TrainConfig(epochs=epochs, rate=0.1, train_images=images, fc_init="torch", normalize=True)
    made = [Arm("tuned-dense", "dense", "dense", train=train)]
    for name, *_ in RIVALS:
        options: dict[str, Any] = {"rollout": 4, "judged": 1, "rollouts": 2} if name == "n2n" else {}
        if name == "lottery":
            options["rounds"] = 2
        made.append(Arm(name, "rival", NAMES[name], train=train, rival=Rival.of(name, **options)))
    return tuple(made)


RIVALS_TABLE = Table(
    "rivals",
    "The paper's nine rivals beside SNN-AL: the MLP on MNIST",
    {"smoke": tried(4, 1280), "paper": (*beside(), *searched())},
    {"smoke": (0,), "paper": ABLATION.seeds["paper"]},
    "tuned-dense",
)
