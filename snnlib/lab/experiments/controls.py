"""Does reading the weights matter? Controls that the paper lacks, the MLP on MNIST: same steps, same seeds.

Three groups: switchers that read something else than the weights, or are cut off from the gradient; decoders without
the parity of the transposed convolution; and the widths that the switcher found, reached without one.
"""

from __future__ import annotations

from dataclasses import replace

from ...arms import Arm, Pruning
from ...config import SwitcherConfig, TrainConfig
from . import tuned
from .ablation import ABLATION
from .table import Table, arm_of

FED = {
    "nothing": "one free factor a neuron, no switcher",
    "constants": "switcher fed constants",
    "noise": "switcher fed fixed noise",
    "shuffled": "switcher fed rows in a new order each step",
}
"""The controls of what the switcher reads: the values of ``SwitcherConfig.reads`` and what tables call them."""

STDS = {"": 0.01, "-std-0.1": 0.1}
"""Both readings of the paper's initialisation: ending of an arm's name to standard deviation of the FC weights."""


def controls(profile: str) -> tuple[Arm, ...]:
    """The arms of one profile, under both readings of the initialisation; those of Table 2 are the same runs."""
    taken = {
        name: arm_of(ABLATION, profile, name)
        for name in ("dense", "dense-std-0.1", "dense-equal-steps", "snn-al-epoch", "snn-al-cut", "snn-al-std-0.1")
    }
    found = list(taken.values())
    for ending, std in STDS.items():
        base, of = taken["snn-al-epoch"].train, taken["snn-al-epoch" if not ending else f"snn-al{ending}"]
        train, switcher, said = taken[of.name].train, of.with_switcher, f", FC std {std}" if ending else ""
        unclipped = f"{said}, not clipped" if ending else ""  # as the dense arm of that initialisation

        def arm(
            name: str,
            title: str,
            switcher: SwitcherConfig = switcher,
            train: TrainConfig = train,
            ending: str = ending,
            said: str = said,
        ) -> Arm:
            return Arm(f"{name}{ending}", "alternating", title + said, train=train, switcher=switcher)

        if ending:
            found.append(arm("snn-al-cut", "second term of Eq. 6 cut", train=replace(train, through_switcher=False)))
        found += [arm(f"fed-{kind}", title, replace(switcher, reads=kind)) for kind, title in FED.items()]
        found += [
            arm("one-bias", "decoder with one bias for both taps", replace(switcher, upsample="one-bias")),
            arm("resize", "decoder that resizes and convolves", replace(switcher, upsample="resize")),
        ]
        dense = arm_of(ABLATION, profile, f"dense{ending}").train
        half = replace(dense, epochs=max(dense.epochs // 2, 1))
        for criterion, title in tuned.PRUNED.items():
            found.append(
                Arm(
                    f"{criterion}{ending}",
                    "pruned",
                    title + unclipped,
                    train=half,
                    dense_epochs=dense.epochs - half.epochs,
                    pruning=Pruning(criterion, of),
                    continued=False,
                )
            )
        found.append(
            Arm(
                f"scratch{ending}",
                "pruned",
                f"the structure found, trained from scratch{unclipped}",
                train=dense,
                pruning=Pruning("same", of),
            )
        )
        if ending:  # the same once more with SNN-AL's clipping, so that the clip cannot make the difference
            clipped = [
                replace(
                    of_kind,
                    name=f"{of_kind.name.removesuffix(ending)}-clipped{ending}",
                    title=of_kind.title.replace("not clipped", "clipped as SNN-AL"),
                )
                for of_kind in found[-3:]
            ]
            found += [
                replace(each, train=replace(each.train, clip_network=base.clip_network), continued=True)
                for each in clipped
            ]
    return tuple(found)


ARMS = {profile: controls(profile) for profile in ("smoke", "quick", "paper")}
ARMS["paper"] += (
    *(tuned.at_random(arm) for arm in ARMS["paper"] if arm.name == "scratch-clipped-std-0.1"),
    *tuned.arms("mlp").values(),
    *tuned.controls(),
    *tuned.small(),
    *tuned.beside_small(),
)
TUNED = (
    {f"{role}-{kind}": role for role in tuned.settings(tuned.CONTROLLED) for kind in ("cut", *tuned.TO_SIZE)}
    | {arm.name: "tuned-dense" for arm in tuned.arms("mlp").values()}
    | {arm.name: "small" for arm in (*tuned.small(), *tuned.beside_small())}
)
"""Arm of the tuned regime to the arm that it is compared with."""

CONTROLS = Table(
    "controls",
    "Controls: does reading the weights matter? The MLP on MNIST",
    ARMS,
    ABLATION.seeds,
    "snn-al-epoch",
    {arm.name: "snn-al-std-0.1" for arm in ARMS["paper"] if arm.name.endswith("-std-0.1")} | TUNED,
)

SPARSITY = Table(
    "sparsity",
    "Where the sparsity comes from: one setting, and what is changed in it; the MLP on MNIST",
    {"paper": tuned.sparsity()},
    {"paper": ABLATION.seeds["paper"]},
    "short",
)
"""Interventions; without arms until the search has chosen the sparse setting."""
