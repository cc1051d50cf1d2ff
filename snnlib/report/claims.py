"""What the paper claims, and the rule by which each claim is judged, once for each regime of settings.

A rule names quantities that lie above 0 if the claim is true: differences paired by seed, in accuracy (a seed that dies
or diverges counts at chance) or in shares of weights. Within a regime a rule's intervals are corrected for their number
(Holm), and fewer than 8 pairs decide nothing. ``written`` is when the rule got its present form;
:mod:`snnlib.report.verdicts` says how many of the runs that it rests on had been made before."""

from __future__ import annotations

from dataclasses import dataclass

REGIMES = {
    "letter": "the paper's letter: what its text fixes, torch's own start of the switcher, nothing calibrated, "
    "nothing clipped",
    "plain": "our first completion: the switcher's start calibrated, both sides clipped, plain SGD, both readings of "
    "the FC std",
    "tuned": "settings found by a search on held-out images, against a dense network found by an equal search",
}
"""The settings for which a claim is judged."""


@dataclass(frozen=True)
class Claim:
    """A claim, where it is made, and how it is decided; ``policy`` says how several intervals become one verdict.

    "all": holds if all lie above 0, fails if one lies below. "any": holds if one lies above 0 and none below, fails if
    one lies below and none above. "own": the rule decides by itself."""

    name: str
    claim: str
    place: str  # where the paper says so; "ours" for a question that only we ask
    rule: str
    written: str  # date and time, UTC
    policy: str = "all"


FIRST, REVISED, WIDENED, COMPACT = "2026-11-23T11:39", "2026-11-25T10:40", "2026-11-25T12:55", "2026-11-25T16:35"
"""When the first rules were written; when they were made stricter: by regime, 8 pairs, Holm, dead seeds at chance; when
four of them got their tuned arms; and when two of these were given the compact setting for the knee, which had come out
as the accurate one."""

CLAIMS = (
    Claim(
        "accuracy",
        "The network with its switcher is more accurate than the dense network.",
        "abstract, Tables 1, 3 and 4",
        "For every network measured: accuracy of SNN-AL less that of the dense network after as many steps in all; "
        "in the tuned regime the setting called accurate.",
        REVISED,
    ),
    Claim(
        "sparsity",
        "Training prunes neurons by the task's loss alone, with no term for sparsity.",
        "section 3.2",
        "Share of weights removed at the end less that before the first step, where some factors start at 0; for "
        "every network of Table 1 and every setting of the regime.",
        REVISED,
    ),
    Claim(
        "alternate",
        "Alternate learning is better than separate learning, in accuracy and in compression.",
        "section 4.1.3, Table 2",
        "MLP, SNN-AL less SNN-SL under the same settings: accuracy, and share of weights removed at the end.",
        REVISED,
    ),
    Claim(
        "harder",
        "The compression is lower for harder tasks and for simpler networks.",
        "abstract, section 4.3",
        "Share of weights removed from ResNet34's and MobileNetV1's FC layer: on CIFAR-10 less that on Mini-ImageNet "
        "(harder), and on each data set "
        "ResNet34 less MobileNetV1 x1 (simpler). Three pairs decide, provisionally: these networks get three seeds.",
        REVISED,
    ),
    Claim(
        "centre",
        "Strengthened input neurons are those of the image's centre.",
        "section 4.1.2, Fig. 4 left",
        "MLP, every setting of the regime: share of strengthened pixels (factor 1 and above) among the central 14 x "
        "14 less that among all others.",
        REVISED,
    ),
    Claim(
        "errors",
        "The second term of Eq. 6, which carries the errors of all outputs, helps the task network.",
        "section 3.4",
        "MLP, every setting of the regime (tuned: compact and sparse): accuracy of SNN-AL less that of the same with "
        "the second term cut.",
        COMPACT,
        policy="any",
    ),
    Claim(
        "strengthening",
        "In VGG-cov2, fewer neurons are pruned and weakened, and more strengthened, as training goes on.",
        "section 4.2.1, Fig. 4 right",
        "VGG-cov2 on CIFAR-10: number of strengthened neurons after the last epoch less that after the first.",
        REVISED,
    ),
    Claim(
        "weights",
        "The weights hold knowledge of which neurons matter, and the switcher reads it.",
        "title, section 1",
        "MLP, every setting of the regime (tuned: the sparse settings of small searches, an equal one for SNN-AL and "
        "for each control): SNN-AL against one free factor a neuron, and against a switcher fed constants, fixed "
        "noise, or rows in a new order each step. "
        "One of two is better if the corrected interval of the accuracy or of the share of weights removed lies on "
        "its side of 0, and the other does not lie on the other side. "
        "Holds if SNN-AL is better than every control under every setting, fails if it is better than none under one "
        "of them.",
        WIDENED,
        policy="own",
    ),
    Claim(
        "structure",
        "The structure that the switcher finds is a good one, not just any of its size.",
        "section 4.1.1",
        "MLP, every setting of the regime (tuned: compact and sparse): accuracy of SNN-AL less that of random pruning "
        "to the same widths, of L2-norm pruning to the same widths, and of the same structure trained "
        "from scratch, after as many steps in all.",
        COMPACT,
    ),
    Claim(
        "position",
        "Rows of pixels at the top and bottom are pruned, columns at the sides are not, because the weights lie in "
        "raster order (our hypothesis).",
        "ours; the question of section 4.1.2",
        "MLP (tuned: the short runs of the settings in which the pattern shows best on held-out images). Contrast: "
        "share of pruned pixels in the top and bottom 4 rows less that in the left and right 4 columns, corners left "
        "out, in the image as it was. The contrast of images as they are, "
        "minus that of transposed images, and the contrast of images as they are less that of shuffled pixels and "
        "less that of reordered rows must all lie above 0; it fails if one of them lies below.",
        WIDENED,
    ),
)
"""The claims, in the order of the report."""
