"""The profile ``whole``: all images of CIFAR-10 and Mini-ImageNet in few epochs, so that two CPU cores can run it.

Settings come from small searches (:mod:`~snnlib.lab.experiments.studies`), the number of epochs from the table
``epochs`` by the rule of :data:`ENOUGH`. Until both are there the profile has no runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ...arms import Arm
from . import as_published, rivals, tuned
from .studies import STUDIES
from .table import Table

TRIED = (4, 8, 16)
"""Numbers of epochs that are compared on the dense network; 16 is what two cores can do for some seeds of every
network. (32 went, and the last sentence of :data:`ENOUGH` came, on 2026-11-29, before any such run.)"""

LONGER = 32
"""A further number of epochs, which the rule does not read: what does it cost that two cores stop at the last of
:data:`TRIED`? (Added on 2026-11-30, when the dense networks of the profile were below what is published.)"""

SHOWN = (*TRIED, LONGER)
"""The numbers of epochs that are shown."""

ENOUGH = 1.0
"""Percentage points: of :data:`TRIED` the fewest epochs are taken whose dense network is, on held-out images, less than
so far from twice as many; where none is, the most that are tried. Written on 2026-11-25, before any such run."""

EPOCHS: dict[str, int] = {"vgg-cov2": 16, "vgg-cov2-bn": 16, "mobilenet-v1-x0.25": 16, "vgg16-x0.25": 16}
"""Network to epochs, by that rule; a network is missing until its runs are there. VGG16 x0.25 takes the most that are
tried without them, as the rule said of each of the others (2026-12-01, before any of its runs)."""

BORROWED = {
    "mobilenet-v1-x1": "mobilenet-v1-x0.25",
    "vgg16": "vgg16-x0.25",
    "resnet34": "vgg16-x0.25",
    "resnet34-x0.25": "vgg16-x0.25",
}
"""Networks too large for a search of their own, and the network whose settings and epochs they take. VGG16 and ResNet34
took VGG-cov2's with batch norm until VGG16 at a quarter of its width was added, on 2026-12-01, before any of their
runs."""

REDUCED = {"vgg16-x0.25": "vgg16", "resnet34-x0.25": "resnet34"}
"""The paper's largest networks at a quarter of their width, which two cores can train on all images, to its own, beside
whose rows they stand as reduced."""


def with_reduced(networks: tuple[str, ...]) -> tuple[str, ...]:
    """``networks``, each followed by its reduced form where it has one."""
    reduced = {whole: network for network, whole in REDUCED.items()}
    return tuple(each for network in networks for each in (network, reduced.get(network)) if each)


STEPS_COMPARED = ("vgg-cov2", "vgg-cov2-bn")
"""Networks for which dense with equal task-network steps is run as well."""

RECIPE_COMPARED = ("mobilenet-v1-x0.25", "vgg-cov2-bn")
"""Networks of which dense is run under SNN-AL's settings, too, on CIFAR-10: two searches have chosen two recipes.
(Added on 2026-11-30, after SNN-AL's runs: half of MobileNetV1's removed nothing, and were less accurate all the
same.)"""

SEEDS = tuple(range(8))
FEWER = {"mobilenet-v1-x1": 3, "vgg16": 2, "vgg16-x0.25": 3, "resnet34": 1, "resnet34-x0.25": 1}
FEWER_4 = {"mobilenet-v1-x0.25": 3, "mobilenet-v1-x1": 0, "resnet34": 0}


def enough(accuracies: Mapping[int, float]) -> int:
    """The number of epochs that the rule takes; ``accuracies`` are those of all of :data:`TRIED`, in percent."""
    known = (epochs for epochs in TRIED if 2 * epochs in accuracies)
    return next((each for each in known if accuracies[2 * each] - accuracies[each] < ENOUGH), TRIED[-1])


def arms(
    dataset: str,
    networks: tuple[str, ...],
    chosen: Mapping[str, tuned.Roles] | None = None,
    epochs: Mapping[str, int] | None = None,
) -> tuple[Arm, ...]:
    """Dense, SNN-AL and the rivals that the paper quotes, on ``networks``: those whose settings are there."""
    chosen, epochs = tuned.CHOSEN if chosen is None else chosen, EPOCHS if epochs is None else epochs
    found: list[Arm] = []
    for network in networks:
        source = BORROWED.get(network, network)
        if source not in epochs or not chosen.get(source):
            continue
        both = {
            role: replace(arm, dataset=dataset, network=network, train=replace(arm.train, epochs=epochs[source]))
            for role, arm in tuned.arms(source, chosen[source]).items()
        }
        found += both.values()
        if network in STEPS_COMPARED and "accurate" in both:
            found.append(tuned.equal_steps(both["dense"], both["accurate"]))
        if dataset == "cifar10" and network in RECIPE_COMPARED and "accurate" in both:
            found.append(tuned.under(both["accurate"]))
        if dataset == "cifar10":
            quoted = [replace(arm, train=replace(arm.train, epochs=epochs[source])) for arm in rivals.quoted(network)]
            found += [*quoted, *as_published.as_theirs(network, quoted)]
            found += as_published.unsearched(both["dense"]) if "dense" in both else ()
    return tuple(found)


def curve(chosen: Mapping[str, tuned.Roles] | None = None) -> tuple[Arm, ...]:
    """The tuned dense networks on held-out images, each number of epochs of :data:`SHOWN`."""
    chosen = tuned.CHOSEN if chosen is None else chosen
    found: list[Arm] = []
    for network, roles in chosen.items():
        study = STUDIES[tuned.SEARCHED[network][1]]
        if study.dataset == "cifar10" and "dense" in roles:
            found += [
                replace(
                    study.arm(dict(roles["dense"]), epochs, f"epochs-{epochs}"), title=f"dense, tuned, {epochs} epochs"
                )
                for epochs in SHOWN
            ]
    return tuple(found)


def precisions(chosen: Mapping[str, tuned.Roles] | None = None) -> tuple[Arm, ...]:
    """VGG-cov2, dense and SNN-AL, in both precisions, on held-out images: does bfloat16 do harm?"""
    network = "vgg-cov2"
    roles = (tuned.CHOSEN if chosen is None else chosen)[network]
    return tuple(
        replace(
            arm,
            name=f"{arm.name}-{precision}",
            title=f"{arm.title}, {precision}",
            train=replace(arm.train, epochs=TRIED[0], split="holdout", precision=precision),
        )
        for arm in (tuned.arms(network, roles).values() if roles else ())
        for precision in ("float32", "bfloat16")
    )


CURVE = Table(
    "epochs", "CIFAR-10: how many epochs will do", {"search": curve()}, {"search": (0,)}, f"epochs-{TRIED[-1]}"
)
PRECISION = Table(
    "precision",
    "VGG-cov2 in float32 and in bfloat16",
    {"search": precisions()},
    {"search": (0, 1, 2)},
    "tuned-dense-float32",
    {"accurate-bfloat16": "accurate-float32"},
)
