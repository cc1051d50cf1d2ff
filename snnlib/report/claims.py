"""What the paper claims, and the rule by which each claim is judged, once for each regime of settings.

A rule names quantities that lie above 0 if the claim is true: differences paired by seed, in accuracy (a seed that dies
or diverges counts at chance) or in shares of weights. Below its words stands the function that computes them. Within a
regime a rule's intervals are corrected for their number (Holm), and fewer than 8 pairs decide nothing. ``written`` is
when the rule got its present form; :mod:`snnlib.report.verdicts` says how many of the runs that it rests on had been
made before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..lab import records
from ..lab.experiments import TABLES, tuned
from ..lab.experiments.controls import FED
from ..lab.experiments.rivals import JUDGED as RIVALS
from ..lab.experiments.studies import STUDIES
from ..metrics import paired_difference
from . import pixels
from .comparable import as_sparse, least_compared, removed, sparsest_of
from .evidence import ENOUGH, FEW, WHOLE, Evidence, Sign, one, sides

Quantities = Callable[[Evidence, str], list[Sign]]
"""Computes the quantities of a rule in a regime."""


@dataclass(frozen=True)
class Claim:
    """A claim, where it is made, and how it is decided; ``policy`` says how several intervals become one verdict.

    "all": holds if all lie above 0, fails if one lies below. "any": holds if one lies above 0 and none below, fails if
    one lies below and none above. ``quantities`` computes what the rule names in a regime; ``verdict``, if given,
    decides in the policy's place."""

    name: str
    claim: str
    place: str  # where the paper says so; "ours" for a question that only we ask
    rule: str
    written: str  # date and time, UTC
    widened: str  # when runs of the profile "whole" came in, where they do
    quantities: Quantities
    policy: str = "all"
    pairs: int = ENOUGH  # pairs of runs that decide; with fewer than ENOUGH the verdict is provisional
    verdict: Callable[[Sequence[Sign]], str] | None = None


CLAIMS: list[Claim] = []
"""The claims, in the order of the report."""


def claim(
    claim: str,
    place: str,
    rule: str,
    written: str,
    policy: str = "all",
    pairs: int = ENOUGH,
    verdict: Callable[[Sequence[Sign]], str] | None = None,
    widened: str = "",
) -> Callable[[Quantities], Quantities]:
    """Add a :class:`Claim` to :data:`CLAIMS`; the decorated function computes its quantities and gives its name."""

    def added(quantities: Quantities) -> Quantities:
        CLAIMS.append(
            Claim(quantities.__name__, claim, place, rule, written, widened, quantities, policy, pairs, verdict)
        )
        return quantities

    return added


FIRST, REVISED, WIDENED, COMPACT = "2026-11-23T11:39", "2026-11-25T10:40", "2026-11-25T12:55", "2026-11-25T16:35"
"""When the first rules were written; when they were made stricter: by regime, 8 pairs, Holm, dead seeds at chance; when
four of them got their tuned arms; and when two of these were given the compact setting for the knee, which had come out
as the accurate one."""

OF_RIVALS = "2026-11-29T07:50"
"""When the rules on the rivals were written: before any trial of a rival's search."""

OF_WHOLE = "2026-11-29T14:40"
"""When three rules took in the profile "whole" of Tables 3 and 4: before any run of it."""

OF_NORM = "2026-11-30T09:45"
"""When the rule on strengthening got the network with batch norm, the paper's own by its Eq. 3, and three pairs that
decide provisionally: before any run of that network."""

FAIRER = "2026-11-30T12:50"
"""When the rule on reading the weights stopped failing where a control is not told from SNN-AL only because one of its
runs had died: a reviewer had found that a control's death spoke for the control."""

SETTINGS = {
    "letter": ("letter",),
    "plain": ("snn-al-epoch", "snn-al-std-0.1"),
    "tuned": tuned.settings(STUDIES["mlp-snn"].roles),
}
"""The arms of SNN-AL on the MLP, by regime."""

FEWER = {
    "errors": tuned.settings(tuned.CONTROLLED),
    "structure": tuned.settings(tuned.CONTROLLED),
    "weights": ("small",),
}
"""Claims that use other arms in the tuned regime: pruned controls are run for two settings; a control of what the
switcher reads has a search of its own."""

READINGS = {"snn-al-epoch": "", "snn-al-std-0.1": "-std-0.1"}
"""SNN-AL of the plain regime under both readings of the initialisation, and the ending of the names of its controls."""

NAMES = {
    "snn-al-epoch": "MLP, FC std 0.01",
    "snn-al-std-0.1": "MLP, FC std 0.1",
    "letter": "MLP",
    "accurate": "MLP, accurate",
    "knee": "MLP, knee",
    "compact": "MLP, compact",
    "sparse": "MLP, sparse",
    "unstopped": "MLP, unstopped",
    "small": "MLP, small searches",
}
"""Names of these settings in the evidence."""


def asked(claim: str, regime: str) -> tuple[str, ...]:
    """The arms of SNN-AL on the MLP that the rule of ``claim`` uses in ``regime``."""
    return FEWER[claim] if regime == "tuned" and claim in FEWER else SETTINGS[regime]


def beside(arm: str, kind: str) -> str:
    """The arm that ``arm``, one of :data:`SETTINGS`, is compared with: "dense", "sl", "cut", or a control."""
    if arm in READINGS:
        names = {"dense": f"dense{READINGS[arm]}", "sl": "snn-sl", "cut": f"snn-al-cut{READINGS[arm]}"}
        if READINGS[arm]:  # with the clipping of SNN-AL, which the dense network of that start lacks
            names |= {kind: f"{kind}-clipped{READINGS[arm]}" for kind in tuned.TO_SIZE}
        return names.get(kind, f"{kind}{READINGS[arm]}")
    return f"{arm}-{kind}" if arm == "letter" or kind != "dense" else "tuned-dense"


@claim(
    "The network with its switcher is more accurate than the dense network.",
    "abstract, Tables 1, 3 and 4",
    "For every network measured: accuracy of SNN-AL minus that of the dense network after as many steps in all; "
    "in the tuned regime the setting called accurate, on CIFAR-10 and Mini-ImageNet in the profile *whole*.",
    REVISED,
    widened=OF_WHOLE,
)
def accuracy(evidence: Evidence, regime: str) -> list[Sign]:
    arm = {"letter": "letter", "plain": "snn-al-epoch", "tuned": "accurate"}[regime]
    tables = () if regime == "letter" else ("1", "3", "4")
    networks = [(table, network) for table in tables for network in TABLES[table].networks] or [("2", "mlp")]
    return [
        evidence.difference(
            f"{TABLES[table].arms['paper'][0].dataset} {network}",
            table,
            arm,
            beside(arm, "dense"),
            "accuracy",
            network,
            WHOLE if regime == "tuned" and table in ("3", "4") else "paper",
        )
        for table, network in networks
    ]


def pruned_in_training(record: records.Record) -> float:
    """Weights removed at the end of a run minus those removed before its first step, in percent of all."""
    return record["result"]["removed_pct"] - record["result"]["start_removed_pct"]


@claim(
    "Training prunes neurons by the task's loss alone, with no term for sparsity.",
    "section 3.2",
    "Share of weights removed at the end minus that before the first step, where some factors start at 0; for "
    "every network of Table 1 and every setting of the regime.",
    REVISED,
)
def sparsity(evidence: Evidence, regime: str) -> list[Sign]:
    arms = [("2", arm, "mlp") for arm in SETTINGS[regime]] + [("1", SETTINGS[regime][0], "lenet5-caffe")] * (
        regime != "letter"
    )
    named = {"lenet5-caffe": "LeNet5-Caffe"}
    return [
        Sign(
            f"{named.get(network, NAMES[arm])}: end minus start",
            one(evidence.figures(table, arm, pruned_in_training, network)),
        )
        for table, arm, network in arms
    ]


@claim(
    "Alternate learning is better than separate learning, in accuracy and in compression.",
    "section 4.1.3, Table 2",
    "MLP, SNN-AL minus SNN-SL under the same settings: accuracy, and share of weights removed at the end.",
    REVISED,
)
def alternate(evidence: Evidence, regime: str) -> list[Sign]:
    arms = [arm for arm in SETTINGS[regime] if arm != "snn-al-std-0.1"]  # there is no SNN-SL of that start
    return [
        evidence.difference(f"{NAMES[arm]}: {what}, SNN-AL minus SNN-SL", "2", arm, beside(arm, "sl"), figure)
        for arm in arms
        for what, figure in (("accuracy", "accuracy"), ("weights removed", "removed_pct"))
    ]


@claim(
    "The compression is lower for harder tasks and for simpler networks.",
    "abstract, section 4.3",
    "Share of weights removed from ResNet34's and MobileNetV1's FC layer: on CIFAR-10 minus that on Mini-ImageNet "
    "(harder), and on each data set "
    "ResNet34 minus MobileNetV1 x1 (simpler). Three pairs decide, provisionally: these networks get three seeds. In "
    "the tuned regime MobileNetV1 x0.25 alone, in the profile *whole*, and so only *harder*.",
    REVISED,
    pairs=FEW,
    widened=OF_WHOLE,
)
def harder(evidence: Evidence, regime: str) -> list[Sign]:
    if regime == "letter":
        return []
    if regime == "tuned":
        network = "mobilenet-v1-x0.25"
        first, second = (evidence.figures(table, "accurate", "removed_pct", network, WHOLE) for table in ("3", "4"))
        return [Sign(f"{network}, CIFAR-10 minus Mini-ImageNet", paired_difference(first, second))]
    removed = {
        (table, network): evidence.figures(table, "snn-al-epoch", "removed_pct", network)
        for table in ("3", "4")
        for network in ("resnet34", "mobilenet-v1-x1")
    }
    pairs = [
        (f"{network}, CIFAR-10 minus Mini-ImageNet", ("3", network), ("4", network))
        for network in ("resnet34", "mobilenet-v1-x1")
    ]
    pairs += [
        (f"{name}, resnet34 minus mobilenet-v1-x1", (table, "resnet34"), (table, "mobilenet-v1-x1"))
        for table, name in (("3", "CIFAR-10"), ("4", "Mini-ImageNet"))
    ]
    return [Sign(what, paired_difference(removed[first], removed[second])) for what, first, second in pairs]


@claim(
    "Strengthened input neurons are those of the image's centre.",
    "section 4.1.2, Fig. 4 left",
    "MLP, every setting of the regime: share of strengthened pixels (factor 1 and above) among the central 14 x "
    "14 minus that among all others.",
    REVISED,
)
def centre(evidence: Evidence, regime: str) -> list[Sign]:
    return [
        Sign(
            f"{NAMES[arm]}: strengthened in the centre minus outside",
            one(evidence.figures("2", arm, pixels.centre_contrast)),
            "percent of the pixels",
        )
        for arm in SETTINGS[regime]
    ]


@claim(
    "The second term of Eq. 6, which carries the errors of all outputs, helps the task network.",
    "section 3.4",
    "MLP, every setting of the regime (tuned: compact and sparse): accuracy of SNN-AL minus that of the same with "
    "the second term cut.",
    COMPACT,
    policy="any",
)
def errors(evidence: Evidence, regime: str) -> list[Sign]:
    return [
        evidence.difference(
            f"{NAMES[arm]}: minus the same with the term cut", "controls", arm, beside(arm, "cut"), "accuracy"
        )
        for arm in asked("errors", regime)
    ]


@claim(
    "In VGG-cov2, fewer neurons are pruned and weakened, and more strengthened, as training goes on.",
    "section 4.2.1, Fig. 4 right",
    "VGG-cov2 with batch norm, as the paper's Eq. 3 has it, on CIFAR-10: number of strengthened neurons after the last "
    "epoch minus that after the first. Three pairs decide, provisionally; in the tuned regime the setting called "
    "accurate, in the profile *whole*.",
    OF_NORM,
    pairs=FEW,
)
def strengthening(evidence: Evidence, regime: str) -> list[Sign]:

    def gained(record: records.Record) -> float:
        counts = [sum(row["strengthened"]) for row in record["history"]]
        return counts[-1] - counts[0]

    if regime == "letter":
        return []
    arm, profile = ("accurate", WHOLE) if regime == "tuned" else ("snn-al-epoch", "paper")
    return [
        Sign(
            "strengthened neurons, last epoch minus first",
            one(evidence.figures("3", arm, gained, "vgg-cov2-bn", profile)),
            "neurons",
        )
    ]


def better_of(signs: Sequence[Sign], enough: int = ENOUGH) -> list[int]:
    """Of quantities that come in pairs, accuracy and weights removed: +1 where SNN-AL is better, -1 where the control
    is, 0 where neither lies on one side alone, or has fewer than ``enough`` pairs of runs."""
    found = sides(signs, enough)
    return [(1 in pair and -1 not in pair) - (-1 in pair and 1 not in pair) for pair in zip(found[::2], found[1::2])]


def better_than_controls(signs: Sequence[Sign]) -> str:
    """The verdict of the claim "weights" from its quantities, which come in pairs, one for each control."""
    if any(sign.found.n < ENOUGH for sign in signs[::2]):  # of the shares removed, dead runs have none
        return "undecided"
    better, of_living = ([side == 1 for side in better_of(signs, enough)] for enough in (ENOUGH, FEW))
    settings = range(0, len(better), len(FED))
    if all(better):
        return "holds"
    return "undecided" if all(any(of_living[start : start + len(FED)]) for start in settings) else "fails"


@claim(
    "The weights hold knowledge of which neurons matter, and the switcher reads it.",
    "title, section 1",
    "MLP, every setting of the regime (tuned: the sparse settings of small searches, an equal one for SNN-AL and "
    "for each control): SNN-AL against one free factor a neuron, and against a switcher fed constants, fixed "
    "noise, or rows in a new order each step. "
    "One of two is better if the corrected interval of the accuracy or of the share of weights removed lies on "
    "its side of 0, and the other does not lie on the other side. "
    "Holds if SNN-AL is better than every control under every setting, fails if it is better than none under one "
    "of them. It does not fail by a control of which runs died and the others tell the shares removed apart.",
    FAIRER,
    verdict=better_than_controls,
)
def weights(evidence: Evidence, regime: str) -> list[Sign]:
    """For each setting and control accuracy, then share of weights removed."""
    return [
        evidence.difference(f"{NAMES[arm]}: {what}, minus {title}", "controls", arm, beside(arm, f"fed-{kind}"), figure)
        for arm in asked("weights", regime)
        for kind, title in FED.items()
        for what, figure in (("accuracy", "accuracy"), ("weights removed", "removed_pct"))
    ]


@claim(
    "The structure that the switcher finds is a good one, not just any of its size.",
    "section 4.1.1",
    "MLP, every setting of the regime (tuned: compact and sparse): accuracy of SNN-AL minus that of random pruning "
    "to the same widths, of L2-norm pruning to the same widths, and of the same structure trained "
    "from scratch, after as many steps in all.",
    COMPACT,
)
def structure(evidence: Evidence, regime: str) -> list[Sign]:
    kinds = {"random": "random pruning", "norm": "L2-norm pruning", "scratch": "the same structure from scratch"}
    return [
        evidence.difference(f"{NAMES[arm]}: minus {title}", "controls", arm, beside(arm, kind), "accuracy")
        for arm in asked("structure", regime)
        for kind, title in kinds.items()
    ]


@claim(
    "At the same compression the switcher's networks are more accurate than those of its rivals.",
    "sections 4.1.1 and 4.2.2, Tables 1 and 3",
    "MLP, the paper's nine rivals and the lottery ticket's structured form, each with the settings of its own search: "
    "accuracy of SNN-AL in the sparse setting minus that of the rival, of which the least sparse runs count that "
    "remove as many weights in the mean, save 5 points.",
    OF_RIVALS,
)
def rivals(evidence: Evidence, regime: str) -> list[Sign]:
    if regime != "tuned":
        return []
    (ours,) = tuned.settings(("sparse",))
    least = least_compared(evidence, ours)
    return [
        evidence.difference(
            f"sparse setting minus {title}", "rivals", ours, as_sparse(evidence, rival, least) or rival, "accuracy"
        )
        for rival, title in RIVALS.items()
    ]


@claim(
    "The rivals prune more than the switcher does, and lose accuracy by it.",
    "section 4.1.1, Table 1",
    "MLP, BC-GNJ, BC-GHS and L0 with the settings chosen for 90 % of the weights: accuracy of the tuned dense network "
    "minus that of the rival, and share of weights removed by the rival minus that by SNN-AL in the sparse setting.",
    OF_RIVALS,
)
def price(evidence: Evidence, regime: str) -> list[Sign]:
    if regime != "tuned":
        return []
    (ours,) = tuned.settings(("sparse",))
    sparsest = {rival: sparsest_of(rival) for rival in ("bc-gnj", "bc-ghs", "l0")}
    return [
        sign
        for rival, arm in sparsest.items()
        for sign in (
            evidence.difference(f"accuracy, dense minus {RIVALS[rival]}", "rivals", "tuned-dense", arm, "accuracy"),
            evidence.difference(
                f"weights removed, {RIVALS[rival]} minus the sparse setting", "rivals", arm, ours, removed
            ),
        )
    ]


@claim(
    "Rows of pixels at the top and bottom are pruned, columns at the sides are not, because the weights lie in "
    "raster order (our hypothesis).",
    "ours; the question of section 4.1.2",
    "MLP (tuned: the short runs of the settings in which the pattern shows best on held-out images). Contrast: "
    "share of pruned pixels in the top and bottom 4 rows minus that in the left and right 4 columns, corners left "
    "out, in the image as it was. Four numbers must lie above 0: the contrast of images as they are; that of "
    "transposed images with its sign changed; and the first minus the contrast of shuffled pixels, and minus that of "
    "reordered rows. It fails if one of them lies below.",
    WIDENED,
)
def position(evidence: Evidence, regime: str) -> list[Sign]:
    endings = ("transposed", "pixels-shuffled", "rows-reordered")
    names = {
        "plain": [f"{arm}-std-0.1" for arm in ("snn-al", *endings)],
        "tuned": ["pattern", *(f"pattern-{ending}" for ending in endings)],
    }
    if regime not in names:
        return []
    plain, turned, shuffled, reordered = (
        evidence.figures("question", name, pixels.edge_contrast) for name in names[regime]
    )
    unit = "percent of the pixels"
    return [
        Sign("images as they are", one(plain), unit),
        Sign("images transposed, sign changed", one({seed: -value for seed, value in turned.items()}), unit),
        Sign("as they are minus pixels shuffled", paired_difference(plain, shuffled), unit),
        Sign("as they are minus rows reordered", paired_difference(plain, reordered), unit),
    ]
