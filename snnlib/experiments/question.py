"""The question that the paper leaves open: why are rows of pixels pruned at the top and bottom, but no columns at the sides?

Hypothesis: rows of the first weight matrix lie in raster order, so that the switcher's convolution sees the vertical
position at its own scale, and the horizontal one only as a pattern of period 28. Turn the images and the pattern should
turn; shuffle the pixels, or the rows that the switcher reads, and it should vanish.
"""

from __future__ import annotations

from dataclasses import replace

from ..config import Arm
from .ablation import ABLATION
from .table import Table, arm_of

DEEP = (4, 8, 16, 16, 16, 16, 16, 16)
"""Channels of a switcher that sees the whole image: with the three levels of the default a factor depends on about 20 rows, less than a line."""


def question(profile: str) -> tuple[Arm, ...]:
    """SNN-AL on images as they are, transposed, shuffled, and with reordered rows, under both readings of the initialisation; and a deep switcher."""
    found = []
    for name, ending, said in (("snn-al-std-0.1", "-std-0.1", ", FC std 0.1"), ("snn-al-epoch", "", "")):
        plain = arm_of(ABLATION, profile, name)
        found += [
            plain,
            Arm(f"transposed{ending}", "alternating", f"images transposed{said}", train=replace(plain.train, pixels="transposed"), switcher=plain.switcher),
            Arm(f"pixels-shuffled{ending}", "alternating", f"pixels shuffled by one permutation{said}", train=replace(plain.train, pixels="shuffled"), switcher=plain.switcher),
            Arm(f"rows-reordered{ending}", "alternating", f"switcher reads the rows in another order{said}", train=plain.train, switcher=replace(plain.switcher, reads="reordered")),
        ]
    sparse = arm_of(ABLATION, profile, "snn-al-std-0.1")
    for name, title, pixels in (("deep", "8 levels", "raster"), ("deep-transposed", "8 levels, images transposed", "transposed")):
        found.append(Arm(f"{name}-std-0.1", "alternating", f"switcher of {title}, FC std 0.1", train=replace(sparse.train, pixels=pixels), switcher=replace(sparse.switcher, channels=DEEP)))
    return tuple(found)


ARMS = {profile: question(profile) for profile in ("smoke", "quick", "paper")}

QUESTION = Table(
    "question", "The open question: which pixels are pruned, the MLP on MNIST",
    ARMS, ABLATION.seeds, "snn-al-epoch", {arm.name: "snn-al-std-0.1" for arm in ARMS["paper"] if arm.name.endswith("-std-0.1")},
)
