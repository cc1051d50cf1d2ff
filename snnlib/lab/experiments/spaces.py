"""What searches draw: for each setting of the network, the switcher or a rival, its range or its values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Between:
    """Any number from ``low`` to ``high``; ``log`` draws its logarithm uniformly."""

    low: float
    high: float
    log: bool = False


Choices = Between | tuple[Any, ...]
"""A range, or the values that a setting may have: numbers, words or None."""

Space = dict[str, Choices]
"""What may be drawn for each setting, by its name."""

NETWORK: Space = {
    "rate": Between(0.01, 0.3, log=True),
    "momentum": (0.0, 0.9),
    "weight_decay": (0.0, 1e-5, 1e-4, 5e-4),
    "clip_network": (None, 5.0, 1.0),
    "schedule": ("cosine", "step", "constant"),
    "normalize": (False, True),
    "fc": ("0.01", "0.03", "0.1", "kaiming", "torch"),
}
"""The settings of a network without a switcher."""

SWITCHER: Space = {
    "rate_switcher": Between(0.003, 0.3, log=True),
    "momentum_switcher": (0.0, 0.9),
    "weight_decay_switcher": (0.0, 5e-4),
    "clip_switcher": (None, 1.0, 0.1),
    "turn": ("epoch", "1", "10", "100"),
    "ratio": ("1:1", "1:3", "3:1"),
    "switcher_until": (1.0, 0.5, 0.25),
    "initial_mean": Between(0.0, 1.0),
    "initial_spread": Between(0.1, 1.0, log=True),
}
"""The further settings of every switcher, also of one that reads nothing."""

SHAPE: Space = {
    "upsample": ("transposed", "resize"),
    "kernel_rows": (3, 5, 7),
    "channels": ("4-8", "4-8-16", "4-8-16-16", "8-16-32"),
}
"""The U-Net's shape. Batch norm in the switcher costs three times as much: it is tried beside the search."""

SEARCHED: tuple[tuple[Literal["dense", "alternating"], str, Space], ...] = (
    ("alternating", "SNN-AL", NETWORK | SWITCHER | SHAPE),
    ("dense", "dense", NETWORK),
)
"""What is searched of each network on CIFAR-10: method, title and space."""

USUAL: dict[str, Any] = {"momentum": 0.9, "schedule": "cosine", "weight_decay_switcher": 0.0, "channels": "4-8-16"}
"""Settings that are not searched on CIFAR-10."""

PHOTOGRAPHS: dict[str, Any] = {"augment": True, "normalize": True}
"""For photographs: cropped, flipped and normalised, as is usual."""

NARROW: Space = {
    "rate": Between(0.02, 0.3, log=True),
    "weight_decay": (0.0, 1e-4, 5e-4),
    "clip_network": (None, 5.0),
    "fc": ("kaiming", "torch"),
    "clip_switcher": (1.0, 0.1),
}
"""Where photographs are searched more narrowly than MNIST, dense networks, SNN-AL and rivals alike.

The first searches there had the space of MNIST and 12 trials of 3 epochs. Of MobileNetV1's 5 of 12 dense and 8 of 12
SNN-AL trials broke off; dense ones were the better for momentum (all six above 27 % but one had it) and high rates.
So few trials need a space of what is usual. Narrowed on 2026-11-29, before any trial of the second rung and any test
run; those trials are kept in data/search/first.
"""


LOWER: dict[str, Space] = {"vgg-cov2-bn": {"rate": Between(0.001, 0.3, log=True)}}
"""Network to what is searched there more widely than in :data:`NARROW`.

Behind batch norm the 16,384 inputs of VGG-cov2's first FC layer are large, so that its steps are: of nine trials with
rates from 0.02 on, eight broke off or were cut at guessing, and the ninth came to 34 %. The lower end went down on
2026-11-30, for dense and SNN-AL alike, before any other trial and any test run; those trials are in data/search/first.
"""


OWN_RATES = ("edge-popup",)
"""Rivals that keep on photographs the rates of their search on the MLP.

Edge-popup moves scores, not weights, so what is usual of weights is not so of it. Its first search on VGG-cov2 had
the rates of :data:`NARROW`; its four best trials of 20 lay at the upper end, where more rate was still the better.
Widened on 2026-11-30, before any run was judged on test images; those trials are in data/search/first.
"""


def of_photographs(space: Mapping[str, Choices], network: str, rival: str = "") -> Space:
    """``space`` as it is searched of ``network``, or of a ``rival`` on it, on CIFAR-10: narrower, without what is
    fixed there."""
    narrow = NARROW | LOWER.get(network, {})
    if rival in OWN_RATES:
        narrow = {name: values for name, values in narrow.items() if name != "rate"}
    return {name: narrow.get(name, values) for name, values in space.items() if name not in USUAL | PHOTOGRAPHS}


SGD: Space = {
    "rate": Between(0.01, 0.3, log=True),
    "momentum": (0.0, 0.9),
    "weight_decay": (0.0, 1e-5, 1e-4, 5e-4),
    "clip_network": (None, 1.0),
    "fc": ("kaiming", "torch"),
}
"""What is searched of a rival that is trained by SGD: as for the dense network, less what its search has settled."""

ADAM: Space = {"rate": Between(3e-4, 1e-2, log=True), "clip_network": (None, 1.0), "fc": ("kaiming", "torch")}
"""The same by Adam, with which their authors train BC and L0."""

BAYES: Space = {
    **ADAM,
    "strength": Between(0.3, 10.0, log=True),
    "warm_up": (0.0, 0.5),
    "scale_factor": (1.0, 3.0, 10.0),
    "variance": (-9.0, -6.0),
}
"""What both searches of Bayesian compression have."""

RIVALS: tuple[tuple[str, str, Mapping[str, Choices], bool, dict[str, Any]], ...] = (
    (
        "l0",
        "L0 norm, hard concrete gates",
        ADAM
        | {
            "strength": Between(0.02, 3.0, log=True),
            "weight_decay": (0.0, 1e-5, 1e-4, 5e-4),
            "dropped": (0.5, 0.2),
            "scale_factor": (1.0, 3.0, 10.0),
        },
        False,
        {"optimizer": "adam"},
    ),
    ("lottery", "lottery ticket, 25 % left", SGD | {"rounds": (3, 5)}, True, {"density": 0.25}),
    ("dnw", "discovering neural wirings, 25 % left", SGD, True, {"density": 0.25}),
    ("nested", "NestedNet, a core with 25 % of the weights", SGD, True, {"levels": (0.275, 1.0)}),
    (
        "elastic",
        "Deep Elastic Networks",
        SGD
        | {
            "rho": Between(0.05, 10.0, log=True),
            "rate_policy": (1e-3, 1e-2),
            "explore": (0.0, 0.1, 0.3),
            "alone": (0.25, 0.5),
        },
        False,
        {},
    ),
    (
        "edge-popup",
        "edge-popup, 50 % left",
        {
            "rate": Between(0.03, 1.0, log=True),
            "momentum": (0.0, 0.9),
            "weight_decay": (0.0, 1e-5, 1e-4),
            "start": ("signed", "kaiming"),
            "scaled": (False, True),
        },
        True,
        {"density": 0.5, "fc": "kaiming"},
    ),
    (
        "n2n",
        "N2N, policies and distillation",
        SGD
        | {
            "least": (0.0, 0.8, 0.9, 0.95),  # of a student that 60 or 150 steps have trained
            "rollout": (60, 150),
            "rate_shrinking": (0.01, 0.03, 0.1),
            "distilled": (0.1, 1.0),
        },
        False,
        {},
    ),
    ("bc-gnj", "Bayesian compression, normal-Jeffreys", BAYES, False, {"optimizer": "adam"}),
    ("bc-ghs", "Bayesian compression, horseshoe", BAYES | {"scale": (1e-5, 1e-3)}, False, {"optimizer": "adam"}),
)
"""Of each rival: its name, title, space, whether its size is given, and what is not searched. The structured lottery
takes the settings of the other. N2N's bounds on accuracy were lowered from 0.97 to 0.995 on 2026-11-30, after 46 trials
in which they had refused every student, before any test run; these trials were thrown away, for the first student that
was refused had been taken for the best."""

IN_HEADS: dict[tuple[str, str], dict[str, Any]] = {("nested", "vgg16-x0.25"): {"levels": (0.5, 1.0)}}
"""Rival and network to what is not searched there and differs from :data:`RIVALS`: in a deep network the inputs of each
FC layer are nested, those of the first too, so that half of them leaves a core with a quarter of the weights."""
