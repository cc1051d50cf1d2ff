"""Rivals as they are published: on networks too large for a search here, and in the training of their own authors."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from ...arms import Arm, Rival
from ...config import TrainConfig
from . import tuned
from .chosen import CHOSEN_RIVALS
from .rivals import LONG, NAMES, RECIPE, UNBOUND

N2N_OF_SEARCH = ("least", "rollout", "rate_shrinking", "distilled")
"""Options of N2N that its search on the MLP has settled, and that ResNet34 takes from there."""

N2N_REDUCED = {"most": 0.37} | {name: CHOSEN_RIVALS["mlp-n2n"]["60"][name] for name in N2N_OF_SEARCH}
"""Options of N2N on ResNet34: as much kept as the quoted row keeps of the last layer; the rest as for the MLP."""

UNSEARCHED: dict[str, dict[str, tuple[str, dict[str, Any]]]] = {
    "vgg16": {
        "nested-55": ("NestedNet, a core with 45 % of the FC weights", {"levels": (0.673, 1.0)}),
        "elastic-55": ("Deep Elastic Networks, rho 0.1", {"rho": 0.1}),
    },
    "resnet34-x0.25": {
        "n2n-63": ("N2N, at most 37 % of the weights kept", N2N_REDUCED),
        f"n2n-{UNBOUND}": ("N2N, at most 37 % of the weights kept, any accuracy", N2N_REDUCED | {"least": 0.0}),
    },
}
"""Network too large for a search to the rivals that Table 3 quotes for it, by arm: title and options.

Rho is as published. The core of NestedNet is ours: as large as what Deep Elastic Networks leaves there in print, since
the row that is quoted of NestedNet removes next to nothing. N2N may keep the share of the weights that the quoted row
keeps of the last layer's; it is not run on the whole ResNet34, which two cores cannot train. No student of 60 steps had
the share of the teacher's accuracy that the MLP's search asks for, so that the first arm refused them all: the second,
which asks for none, was added when that had been seen, on 2026-12-01, before its own run.
"""


def unsearched(dense: Arm) -> tuple[Arm, ...]:
    """The rivals of :data:`UNSEARCHED` on the network of ``dense``, trained as it is."""
    return tuple(
        replace(dense, name=name, method="rival", title=title, rival=Rival.of(name.rpartition("-")[0], **options))
        for name, (title, options) in UNSEARCHED.get(dense.network, {}).items()
    )


AS_THEIRS: dict[str, tuple[tuple[str, str, str, dict[str, Any]], ...]] = {
    "vgg-cov2": (
        ("edge-popup-50", RECIPE, "its authors' rate and batch", {"rate": 0.1, "batch_size": 128}),
        ("edge-popup-50", LONG, "its authors' rate, batch and epochs", {"rate": 0.1, "batch_size": 128, "epochs": 100}),
    ),
    "mobilenet-v1-x0.25": (("lottery-60", LONG, "each round as long as the network alone", {"epochs": 32}),),
}
"""Network to an arm of a rival there, the ending of another's name, and what that one has of its authors' training.

Each was added when runs of the first had been seen, and before any of its own, on 2026-11-30. Edge-popup's loss had
stood still for ten of sixteen epochs, and fell only when the rate did; its authors' code trains for 100 epochs. The
lottery ticket's two rounds share the sixteen epochs of a network alone, which its authors give to each round.
"""


def as_theirs(network: str, arms: Iterable[Arm]) -> tuple[Arm, ...]:
    """The arms of :data:`AS_THEIRS`, made of ``arms`` of ``network``: in all else like them."""
    by_name = {arm.name: arm for arm in arms}
    return tuple(
        replace(
            by_name[name],
            name=f"{name.rpartition('-')[0]}-{ending}",
            title=f"{by_name[name].title}, {title}",
            train=replace(by_name[name].train, **given),
        )
        for name, ending, title, given in AS_THEIRS.get(network, ())
        if name in by_name
    )


def recipes() -> tuple[Arm, ...]:
    """Rivals on the MLP as their own authors train them there, beside the tuned dense network: one run each.

    L0: the defaults of the authors' code, with the lambda of 0.1 / N of their paper's MLP. BC: those of their code,
    with its three thresholds of log alpha for BC-GNJ (it has no BC-GHS), and with 200 epochs (it has 5, for a
    demonstration), as L0's, whose authors are the same. Lottery ticket: their section 2 and appendix G, in rounds of 50
    epochs. The other rivals' papers have no perceptron on MNIST. Not theirs are the images of BC, which run from 0 to 1
    as in every run here and from -1 to 1 there; the first weights, Kaiming normal here, of half that variance there for
    BC, Glorot normal for the lottery ticket; and that L0's penalty leaves biases out.
    """
    adam = TrainConfig(epochs=200, schedule="constant", rate=1e-3, fc_init="kaiming", clip_network=None)
    bayes = replace(adam, batch_size=128)
    l0 = Rival.of("l0", optimizer="adam", strength=0.1, average=0.999)
    lottery = Rival.of("lottery", optimizer="adam", rounds=7, density=round(0.8**6, 4))
    return (
        tuned.arms("mlp")["dense"],
        *(
            Arm(f"{name}-authors", "rival", f"{NAMES[name]}, its authors' recipe", train=train, rival=rival)
            for name, train, rival in (
                ("bc-gnj", bayes, Rival.of("bc-gnj", optimizer="adam", threshold=(-2.8, -3.0, -5.0))),
                ("bc-ghs", bayes, Rival.of("bc-ghs", optimizer="adam")),
                ("l0", replace(adam, batch_size=100, weight_decay=5e-4), l0),
                ("lottery", replace(adam, batch_size=60, epochs=350, rate=1.2e-3), lottery),
            )
        ),
    )
