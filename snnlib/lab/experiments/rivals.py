"""The table of rivals: the nine methods that the paper quotes, run on one harness beside SNN-AL, and the plain floor.

A rival whose size is an option (its study's role is "given") takes the settings of its search at 40, 25 and 10 % of the
weights; one whose size is an outcome takes, for each of 60, 75 and 90 % removed, the settings that the rule of its
search chose for that share.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from ...arms import Arm, Rival
from ...config import TrainConfig
from ..names import listing
from . import tuned
from .ablation import ABLATION
from .chosen import CHOSEN_RIVALS
from .spaces import RIVALS
from .studies import STUDIES
from .study import Study
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


IN_HEADS: dict[tuple[str, str], dict[int, dict[str, Any]]] = {
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
        for percent, size in IN_HEADS.get((study.rival, study.network), SIZES[study.rival]).items():
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


N2N_OF_SEARCH = ("least", "rollout", "rate_shrinking", "distilled")
"""Options of N2N that its search on the MLP has settled, and that ResNet34 takes from there."""

UNSEARCHED: dict[str, dict[str, tuple[str, dict[str, Any]]]] = {
    "vgg16": {
        "nested-55": ("NestedNet, a core with 45 % of the FC weights", {"levels": (0.673, 1.0)}),
        "elastic-55": ("Deep Elastic Networks, rho 0.1", {"rho": 0.1}),
    },
    "resnet34-x0.25": {
        "n2n-63": (
            "N2N, at most 37 % of the weights kept",
            {"most": 0.37} | {name: CHOSEN_RIVALS["mlp-n2n"]["60"][name] for name in N2N_OF_SEARCH},
        )
    },
}
"""Network too large for a search to the rivals that Table 3 quotes for it, by arm: title and options.

Rho is as published. The core of NestedNet is ours: as large as what Deep Elastic Networks leaves there in print, since
the row that is quoted of NestedNet removes next to nothing. N2N may keep the share of the weights that the quoted row
keeps of the last layer's; it is not run on the whole ResNet34, whose search takes a day of one core.
"""


def unsearched(dense: Arm) -> tuple[Arm, ...]:
    """The rivals of :data:`UNSEARCHED` on the network of ``dense``, trained as it is."""
    return tuple(
        replace(dense, name=name, method="rival", title=title, rival=Rival.of(name.rpartition("-")[0], **options))
        for name, (title, options) in UNSEARCHED.get(dense.network, {}).items()
    )


RECIPE, LONG = "recipe", "long"
"""What stands in the name of an arm of :data:`AS_THEIRS` in the place of a size."""

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


def is_rival(arm: str) -> bool:
    """Whether ``arm`` is called after a rival and a size, as :func:`searched` calls them, or is of
    :func:`as_theirs`."""
    name, _, size = arm.rpartition("-")
    return name in NAMES and (size.isdecimal() or size in (RECIPE, LONG))


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


RIVALS_TABLE = Table(
    "rivals",
    "The paper's nine rivals beside SNN-AL: the MLP and LeNet5-Caffe on MNIST",
    {
        "smoke": tried(4, 1280),
        "quick": tried(4, 1280),
        "paper": (*on("mlp"), *on("lenet5-caffe")),
        "authors": recipes(),
    },
    {"smoke": (0,), "quick": (0,), "paper": ABLATION.seeds["paper"], "authors": (0,)},
    "tuned-dense",
)
