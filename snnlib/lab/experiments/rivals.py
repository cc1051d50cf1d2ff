"""The arms of the rivals: the nine methods that the paper quotes, run on one harness beside SNN-AL.

A rival whose size is an option (its study's role is "given") takes the settings of its search at 40, 25 and 10 % of the
weights; one whose size is an outcome takes, for each of 60, 75 and 90 % removed, the settings that the rule of its
search chose for that share.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ...arms import Arm, Rival
from ..names import listing
from . import tuned
from .chosen import CHOSEN_RIVALS
from .studies import STUDIES
from .study import Study

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

OF_PAPER = ("bc-gnj", "bc-ghs", "l0", "lottery", "edge-popup", "dnw", "nested", "elastic", "n2n")
"""The paper's nine rivals. A rival that is added has a name above, and no part in what is said of these."""

OWN_FORM = "lottery-neurons"
"""The lottery ticket's structured form: ours, not one of the paper's nine rivals."""

JUDGED = {rival: name for rival, name in NAMES.items() if rival in (*OF_PAPER, OWN_FORM)}
"""Rivals to whom the rule of the claim on rivals was given, before any trial of their searches, and their names."""

SIZES: dict[str, dict[int, dict[str, Any]]] = {
    "lottery": {60: {"density": 0.4}, 75: {"density": 0.25}, 90: {"density": 0.1}},
    "dnw": {60: {"density": 0.4}, 75: {"density": 0.25}, 90: {"density": 0.1}},
    "edge-popup": {50: {"density": 0.5}, 75: {"density": 0.25}, 90: {"density": 0.1}},
    "nested": {60: {"levels": (0.43, 1.0)}, 75: {"levels": (0.275, 1.0)}, 90: {"levels": (0.112, 1.0)}},
}
"""Rival to percent of the weights removed to the option that gives this size; pixels are not nested, so NestedNet's
shares are of hidden neurons."""


SIZES_IN_HEADS: dict[tuple[str, str], dict[int, dict[str, Any]]] = {
    ("nested", "vgg16-x0.25"): {55: {"levels": (0.673, 1.0)}, 75: {"levels": (0.5, 1.0)}, 90: {"levels": (0.316, 1.0)}}
}
"""Rival and network to its sizes there, where they differ from :data:`SIZES`; the first is what Deep Elastic Networks
removes of VGG16's FC layers in print."""

STRUCTURED = ("mlp", "lenet5-caffe")
"""Networks that the lottery ticket's structured form prunes."""


def sized(values: Mapping[str, Any], study: Study) -> list[Arm]:
    """The arms of a rival whose size is an option, with the settings ``values``; both forms of the lottery ticket."""
    if study.rival not in SIZES:
        raise KeyError(f"{study.rival!r} has no sizes: its size is an option, so give them in SIZES")
    made: list[Arm] = []
    both = study.rival == "lottery" and study.network in STRUCTURED
    for kind in [study.rival, *(["lottery-neurons"] if both else [])]:
        for percent, size in SIZES_IN_HEADS.get((study.rival, study.network), SIZES[study.rival]).items():
            arm = judged(study, {**values, **size}, f"{kind}-{percent}")
            assert arm.rival is not None
            rival = Rival(kind, arm.rival.options)
            made.append(replace(arm, title=f"{NAMES[kind]}, {percent} % removed", rival=rival))
    return made


def found(roles: Mapping[str, Mapping[str, Any]], study: Study) -> list[Arm]:
    """The arms of a rival whose size is an outcome; roles that took the same settings are one arm."""
    made: dict[str, Arm] = {}
    chosen: dict[str, list[str]] = {}
    for role, values in roles.items():
        arm = judged(study, values, f"{study.rival}-{role}")
        made.setdefault(arm.settings_hash(), arm)
        chosen.setdefault(arm.settings_hash(), []).append(role)
    return [
        replace(arm, title=f"{NAMES[study.rival]}, chosen for {listing(chosen[key])} % removed")
        for key, arm in made.items()
    ]


def judged(study: Study, values: Mapping[str, Any], name: str) -> Arm:
    """The arm of a study's settings that is judged on the test images, trained as long as its last rung."""
    return study.arm(values, study.rungs[-1].epochs, name, split="full")


Chosen = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""Study to role to settings."""


def searched(network: str, chosen: Chosen | None = None) -> tuple[Arm, ...]:
    """The arms of all rivals on ``network`` whose searches are over."""
    made: list[Arm] = []
    for name, roles in (CHOSEN_RIVALS if chosen is None else chosen).items():
        study = STUDIES[name]
        if study.network == network:
            made += sized(roles["given"], study) if "given" in roles else found(roles, study)
    return tuple(made)


QUOTED = {
    "mlp": ("bc-gnj", "bc-ghs", "l0"),
    "lenet5-caffe": ("bc-gnj", "bc-ghs", "l0"),
    "vgg-cov2": ("edge-popup",),
    "mobilenet-v1-x0.25": ("dnw", "lottery"),
    "vgg16-x0.25": ("nested", "elastic"),
}
"""The rivals that the paper's Tables 1 and 3 quote, by network; their rows stand in ours too."""


def quoted(network: str, chosen: Chosen | None = None) -> tuple[Arm, ...]:
    """The arms of :func:`searched` whose rivals the paper quotes for ``network``."""
    return tuple(arm for arm in searched(network, chosen) if arm.rival and arm.rival.name in QUOTED.get(network, ()))


RECIPE, LONG, UNBOUND = "recipe", "long", "unbound"
"""What stands in the place of a size in the name of an arm: trained as its authors do, or without a bound."""


def is_rival(arm: str) -> bool:
    """Whether ``arm`` is called after a rival and a size, as :func:`searched` calls them, or is one of those of
    :mod:`~snnlib.lab.experiments.as_published`."""
    name, _, size = arm.rpartition("-")
    return name in NAMES and (size.isdecimal() or size in (RECIPE, LONG, UNBOUND))


def size_of(arm: str) -> int | None:
    """The size in the name of a rival's arm, in percent; None where there is none."""
    size = arm.rpartition("-")[2]
    return int(size) if is_rival(arm) and size.isdecimal() else None


def beside(network: str) -> tuple[Arm, ...]:
    """What rivals are compared with: the tuned dense network and SNN-AL's confirmed front.

    On the MLP also pruning to SNN-AL's widths, and SNN-AL with as small a search as a rival's.
    """
    arms = tuple(tuned.arms(network).values())
    if network != "mlp":
        return arms
    plain = [arm for arm in (*tuned.controls(), *tuned.beside_small()) if arm.name.split("-")[-1] in tuned.PRUNED]
    return (*arms, *plain, *(arm for arm in tuned.small() if arm.name == "small"))


def on(network: str) -> tuple[Arm, ...]:
    """The arms of the table on ``network``; none before a rival's search there is over."""
    rivals = searched(network)
    return (*beside(network), *rivals) if rivals or network == "mlp" else ()
