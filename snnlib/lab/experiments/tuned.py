"""The tuned regime: arms made of the settings that the search has chosen, and what they are compared with."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...arms import Arm, Criterion, Pruning
from ...config import TrainConfig
from .chosen import CHOSEN, CHOSEN_SMALL
from .studies import COLOURED, STUDIES
from .study import Study

SMALL = {
    "weights": "mlp-small",
    "nothing": "mlp-nothing",
    "constants": "mlp-constants",
    "noise": "mlp-noise",
    "shuffled": "mlp-shuffled",
}
"""What the switcher reads to its small search."""

CONTROLLED = ("compact", "sparse")
"""Settings of the tuned regime that prune many neurons: with the other reading of t, the cut and pruned controls."""

SEARCHED = {"mlp": ("mlp-snn", "mlp-dense"), "lenet5-caffe": ("lenet5-snn", "lenet5-dense")} | {
    network: (f"{network}-snn", f"{network}-dense") for network in COLOURED
}
"""Network to its studies: SNN-AL's and the dense network's."""

TITLES = {
    "short": "sparse setting, shorter",
    "accurate": "accurate setting",
    "knee": "knee setting",
    "compact": "compact setting",
    "sparse": "sparse setting",
    "unstopped": "unstopped setting",
}

CALLED = TITLES | {"small": "setting of the small search"}
"""What arms of SNN-AL are called whose widths and recipes are tried without a switcher."""


Values = Mapping[str, Any]
"""A value for each setting of a study's space."""

Roles = Mapping[str, Values]
"""The settings chosen for each role."""


def snn(role: str, values: Values, study: Study) -> Arm:
    """SNN-AL with the settings chosen for ``role``, on all training images, for the epochs of the last rung."""
    title = TITLES.get(role) or f"setting of trial {role.removeprefix('front-')}"
    return replace(study.arm(dict(values), study.rungs[-1].epochs, role, split="full"), title=f"SNN-AL, {title}")


def dense(values: Values, study: Study) -> Arm:
    """The tuned dense network."""
    return replace(study.arm(dict(values), study.rungs[-1].epochs, "tuned-dense", split="full"), title="dense, tuned")


def network_epochs(train: TrainConfig) -> int:
    """The number of epochs that equals the steps of the task network in alternating training."""
    switcher, network = train.turns
    return max(round(train.epochs * (1 - train.switcher_until * switcher / (switcher + network))), 1)


def equal_steps(arm: Arm, of: Arm) -> Arm:
    """The dense ``arm`` with as many task-network steps as ``of``."""
    epochs = network_epochs(of.train)
    return replace(
        arm,
        name=f"tuned-dense-as-{of.name}",
        title=f"dense, tuned, as many task-network steps as the {TITLES[of.name]}",
        train=replace(arm.train, epochs=epochs),
    )


def other_t(arm: Arm) -> Arm:
    """``arm`` with the other reading of t: epochs for steps, steps for epochs, turns in the same ratio."""
    divisor = math.gcd(*arm.train.turns)
    alternate = "step" if arm.train.alternate == "epoch" else "epoch"
    train = replace(arm.train, alternate=alternate, turns=tuple(turn // divisor for turn in arm.train.turns))
    return replace(arm, name=f"{arm.name}-by-{alternate}", title=f"{arm.title}, t counts {alternate}s", train=train)


def without_switcher(train: TrainConfig) -> TrainConfig:
    """``train`` for a network without a switcher: the switcher's settings return to their defaults."""
    return replace(
        train,
        rate_switcher=None,
        momentum_switcher=None,
        weight_decay_switcher=None,
        clip_switcher=None,
        alternate="epoch",
        turns=(1, 1),
        switcher_until=1.0,
    )


def alone(arm: Arm) -> Arm:
    """The task network of ``arm`` under the same settings, without a switcher."""
    return replace(arm, method="dense", switcher=None, train=without_switcher(arm.train))


UNDER = "dense-under-"
"""What :func:`under` puts before the name of an arm of SNN-AL."""


def under(arm: Arm) -> Arm:
    """The dense network under the settings of ``arm``, for as many steps in all: the recipe without the switcher."""
    return replace(alone(arm), name=UNDER + arm.name, title=f"dense, with SNN-AL's {CALLED[arm.name]}")


def separate(arm: Arm) -> Arm:
    """SNN-SL under the same settings: half of the epochs for the task network, then half for its switcher."""
    half = arm.train.epochs // 2
    train = replace(arm.train, epochs=half, alternate="epoch", turns=(1, 1), switcher_until=1.0)
    return replace(
        arm,
        name=f"{arm.name}-sl",
        title=arm.title.replace("SNN-AL", "SNN-SL"),
        method="separate",
        train=train,
        dense_epochs=arm.train.epochs - half,
    )


def cut(arm: Arm) -> Arm:
    """``arm`` with the second term of Eq. 6 cut."""
    return replace(
        arm,
        name=f"{arm.name}-cut",
        title=f"{arm.title}, second term of Eq. 6 cut",
        train=replace(arm.train, through_switcher=False),
    )


PRUNED: Mapping[Criterion, str] = {
    "random": "random pruning to the same widths, trained on",
    "norm": "L2-norm pruning to the same widths, trained on",
}
"""Ways to prune a dense network half way to the widths that a switcher found, and what tables call them."""

TO_SIZE = (*PRUNED, "scratch", "random-scratch")
"""The arms of :func:`to_size`: what is put behind the name of the arm whose widths they have."""


def to_size(arm: Arm) -> tuple[Arm, ...]:
    """The widths that ``arm`` found, reached without a switcher, under the same settings and clipping.

    The last two are trained from scratch for as long, with the neurons that it kept and with as many drawn at random:
    they differ in nothing but which neurons these are.
    """
    plain, half = alone(arm), arm.train.epochs // 2
    pruned = [
        replace(
            plain,
            name=f"{arm.name}-{kind}",
            method="pruned",
            title=f"{CALLED[arm.name]}: {title}",
            train=replace(plain.train, epochs=half),
            dense_epochs=arm.train.epochs - half,
            pruning=Pruning(kind, arm),
        )
        for kind, title in PRUNED.items()
    ]
    scratch = replace(
        plain,
        name=f"{arm.name}-scratch",
        method="pruned",
        title=f"{CALLED[arm.name]}: the structure found, trained from scratch",
        pruning=Pruning("same", arm),
    )
    return (*pruned, scratch, at_random(scratch))


def at_random(scratch: Arm) -> Arm:
    """``scratch``, a structure that is trained from scratch, with as many neurons of each layer drawn at random."""
    assert scratch.pruning is not None
    return replace(
        scratch,
        name=scratch.name.replace("scratch", "random-scratch"),
        title=scratch.title.replace("the structure found", "random neurons of the same widths"),
        pruning=replace(scratch.pruning, criterion="random"),
    )


def interventions(arm: Arm, steps_per_epoch: int) -> tuple[Arm, ...]:
    """``arm`` with one thing changed: the start, how long the switcher learns, or when the rate falls."""
    train, switcher = arm.train, arm.with_switcher
    turn = sum(train.turns) * (1 if train.alternate == "step" else steps_per_epoch) / (train.epochs * steps_per_epoch)
    changed = {
        "start-none": ("nothing off at the start", train, replace(switcher, initial_mean=1.0, initial_spread=0.2)),
        "start-half": ("half off at the start", train, replace(switcher, initial_mean=0.0)),
        **{
            f"stop-{turns}": (
                f"switcher stops after {turns} {'turn' if turns == 1 else 'turns'}",
                replace(train, switcher_until=min(turns * turn, 1.0)),
                switcher,
            )
            for turns in (1, 2, 4)
        },
        "no-stop": ("switcher learns to the end", replace(train, switcher_until=1.0), switcher),
        "early": ("rate falls early", replace(train, schedule="step", milestones=(0.1, 0.2)), switcher),
        "late": ("rate falls late", replace(train, schedule="step", milestones=(0.8, 0.9)), switcher),
    }
    return tuple(
        replace(arm, name=f"{arm.name}-{name}", title=f"{TITLES[arm.name]}, {title}", train=train, switcher=switcher)
        for name, (title, train, switcher) in changed.items()
    )


def arms(network: str, chosen: Roles | None = None) -> dict[str, Arm]:
    """The tuned dense network and SNN-AL in each role, by role; none before the search has chosen them.

    Roles that took the same settings are one arm, called after the first of them (:func:`role_of`).
    """
    found = CHOSEN[network] if chosen is None else chosen
    of_snn, of_dense = (STUDIES[name] for name in SEARCHED[network])
    return {
        role: dense(values, of_dense) if role == "dense" else snn(role, values, of_snn)
        for role, values in found.items()
        if role_of(role, found) == role
    }


def role_of(role: str, chosen: Roles) -> str:
    """The first role that took the settings of ``role``: its arm stands for both."""
    return next(each for each, values in chosen.items() if values == chosen[role])


def settings(roles: Sequence[str], chosen: Roles | None = None) -> tuple[str, ...]:
    """The arms of SNN-AL on the MLP that stand for ``roles``, each once; the roles themselves until they are chosen."""
    found = CHOSEN["mlp"] if chosen is None else chosen
    return tuple(dict.fromkeys(role_of(role, found) if role in found else role for role in roles))


def table_1(network: str) -> tuple[Arm, ...]:
    """The arms of Table 1 in the tuned regime."""
    return tuple(arms(network).values())


def table_2(chosen: Roles | None = None) -> tuple[Arm, ...]:
    """The arms of Table 2 in the tuned regime: every chosen setting, and what those of a role are compared with.

    These are dense with equal task-network steps, dense under the settings of the accurate and of the sparse role,
    SNN-SL, and the other reading of t.
    """
    found = arms("mlp", chosen)
    roles = {role: arm for role, arm in found.items() if role in TITLES}
    controlled = [roles[role] for role in settings(CONTROLLED, chosen) if role in roles]
    return (
        *found.values(),
        *(equal_steps(found["dense"], arm) for arm in roles.values() if "dense" in found),
        *(under(roles[role]) for role in settings(("accurate", "sparse"), chosen) if role in roles),
        *map(separate, roles.values()),
        *map(other_t, controlled),
    )


def controls(chosen: Roles | None = None) -> tuple[Arm, ...]:
    """The controls of the tuned regime that keep its settings."""
    found = arms("mlp", chosen)
    return tuple(
        each
        for role in settings(CONTROLLED, chosen)
        if role in found
        for each in (cut(found[role]), *to_size(found[role]))
    )


def beside_small(chosen: Roles | None = None) -> tuple[Arm, ...]:
    """The small search's setting without its switcher: dense for as long, and the widths that it found."""
    return tuple(each for arm in small(chosen) if arm.name == "small" for each in (under(arm), *to_size(arm)))


def small(chosen: Roles | None = None) -> tuple[Arm, ...]:
    """SNN-AL ("small") and its controls ("small-fed-nothing", ...), each with the settings of its own small search."""
    found = CHOSEN_SMALL if chosen is None else chosen
    made: list[Arm] = []
    for reads, values in found.items():
        study = STUDIES[SMALL[reads]]
        name = "small" if reads == "weights" else f"small-fed-{reads}"
        made.append(
            replace(
                study.arm(dict(values), study.rungs[-1].epochs, name, split="full"),
                title=f"small search: {study.title.split(',')[0]}",
            )
        )
    return tuple(made)


SHORTER = 16
"""Epochs of the interventions: as many as the second rung had."""


def sparsity(chosen: Roles | None = None) -> tuple[Arm, ...]:
    """The sparse setting for fewer epochs, as it is and with each of :func:`interventions`."""
    found = arms("mlp", chosen).get(settings(("sparse",), chosen)[0])
    if found is None:
        return ()
    base = replace(
        found, name="short", title=f"{TITLES[found.name]}, {SHORTER} epochs", train=replace(found.train, epochs=SHORTER)
    )
    return (base, *interventions(base, 938))


@functools.cache
def names() -> frozenset[str]:
    """The arms of the tuned regime, all networks together."""
    found = [arm for network in CHOSEN for arm in table_1(network)] + [
        *table_2(),
        *controls(),
        *small(),
        *beside_small(),
        *sparsity(),
    ]
    return frozenset(arm.name for arm in found) | {UNDER + role for role in TITLES}
