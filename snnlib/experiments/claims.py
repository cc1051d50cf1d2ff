"""What the paper claims, and the rule by which each claim is judged: confirmed, refuted or undecided.

The rules were written on 2026-11-23, before any run of the tables ``controls``, ``question`` and ``stability`` and any
full run of Tables 3 and 4. Table 2, and most runs of LeNet5-Caffe in Table 1, had been recorded before: rules that rest
on them, wholly or in part (``known``), were written by somebody who could have known the answer.

An interval is the 95 % confidence interval of a difference paired by seed. Only records of the paper profile decide.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Claim:
    """A claim, where it is made, and how it is decided. ``known``: records that decide it stood before the rule."""

    name: str
    claim: str
    place: str  # where the paper says so; "ours" for a question that only we ask
    rule: str
    known: bool = False


CLAIMS = (
    Claim(
        "accuracy", "The network with its switcher is more accurate than the dense network.", "abstract, Tables 1, 3 and 4",
        "For every network with at least 4 pairs of runs: accuracy of SNN-AL less that of the dense network after as many steps in all. "
        "Confirmed if the interval lies above 0 for every network measured, refuted if it lies below 0 for one, undecided otherwise.",
        known=True,
    ),
    Claim(
        "sparsity", "Training prunes neurons by the task's loss alone, with no term for sparsity.", "section 3.2",
        "For every network of Table 1, and the MLP with FC std 0.1: share of weights removed at the end less that before the first step, "
        "where some factors start at 0. Confirmed if the interval lies above 0 in all of them, refuted if it lies below 0 in all, undecided otherwise.",
        known=True,
    ),
    Claim(
        "alternate", "Alternate learning is better than separate learning, in accuracy and in compression.", "section 4.1.3, Table 2",
        "SNN-AL (t counts epochs) less SNN-SL. Confirmed if the intervals of the accuracy and of the share of weights removed both lie above 0, "
        "refuted if one of them lies below 0, undecided otherwise.",
        known=True,
    ),
    Claim(
        "harder", "The compression is lower for harder tasks and for simpler networks.", "abstract, section 4.3",
        "Share of weights removed from ResNet34's and MobileNetV1's FC layer: on Mini-ImageNet less that on CIFAR-10 (harder), and on each data set "
        "MobileNetV1 (x1) less ResNet34 (simpler). Confirmed if all intervals lie below 0, refuted if one lies above 0, undecided otherwise, also while a run is missing.",
    ),
    Claim(
        "centre", "Strengthened input neurons are those of the image's centre.", "section 4.1.2, Fig. 4 left",
        "MLP, under both readings of the initialisation: share of strengthened pixels (factor 1 and above) among the central 14 x 14 less that among all others. "
        "Confirmed if the interval over seeds lies above 0 under both readings, refuted if it lies below 0 under one, undecided otherwise.",
        known=True,
    ),
    Claim(
        "errors", "The second term of Eq. 6, which carries the errors of all outputs, helps the task network.", "section 3.4",
        "MLP, under both readings of the initialisation: accuracy of SNN-AL less that of the same with the second term cut. Confirmed if the interval lies above 0 under "
        "one reading and below 0 under none, refuted if it lies below 0 under one and above 0 under none, undecided otherwise.",
        known=True,
    ),
    Claim(
        "strengthening", "In VGG-cov2, fewer neurons are pruned and weakened, and more strengthened, as training goes on.", "section 4.2.1, Fig. 4 right",
        "VGG-cov2 on CIFAR-10: number of strengthened neurons after the last epoch less that after the first. Confirmed if the interval over seeds lies above 0, "
        "refuted if below 0, undecided otherwise, also while there are fewer than 4 runs.",
    ),
    Claim(
        "weights", "The weights hold knowledge of which neurons matter, and the switcher reads it.", "title, section 1",
        "MLP, under both readings of the initialisation: SNN-AL against one free factor a neuron, and against a switcher fed constants, fixed noise, or rows in a new order each step. "
        "One of two is better if one of both intervals, of accuracy and of share of weights removed, lies on its side of 0 and the other does not lie on the other side; a control of which "
        "fewer than 4 runs finish is worse. Confirmed if SNN-AL is better than each control under both readings, refuted if it is better than none under one of them, undecided otherwise.",
    ),
    Claim(
        "structure", "The structure that the switcher finds is a good one, not just any of its size.", "section 4.1.1",
        "MLP, under both readings of the initialisation: accuracy of SNN-AL less that of random pruning to the same widths, of L2-norm pruning to the same widths, and of the same structure trained "
        "from scratch, after as many steps in all. Confirmed if every interval lies above 0, refuted if one lies below 0, undecided otherwise.",
    ),
    Claim(
        "position", "Rows of pixels at the top and bottom are pruned, columns at the sides are not, because the weights lie in raster order (our hypothesis).", "ours; the question of section 4.1.2",
        "MLP with FC std 0.1, where as many pixels are pruned as in the paper. Contrast: share of pruned pixels in the top and bottom 4 rows less that in the left and right 4 columns, corners left out, "
        "in the image as it was. Confirmed if the interval over seeds lies above 0 for images as they are and below 0 for transposed ones, and the contrast of images as they are is larger (interval "
        "of the difference above 0) than those of shuffled pixels and of reordered rows. Refuted if the interval lies above 0 for transposed images too, or does not lie above 0 for images as they are, undecided otherwise.",
        known=True,
    ),
)
"""The claims, in the order of the report."""
