"""Does it train at all? Short runs on held-out images over what the paper leaves open: start, turns, clipping, rate.

Four maps, each with t counting epochs and steps: the factors' mean and spread at the start; the clipping of either
side; the learning rate with and without clipping; and what calibration does, for both readings of the FC std.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product

from ...arms import Arm
from ...config import SwitcherConfig, TrainConfig
from .table import Table

TRAIN = TrainConfig(epochs=6, split="holdout", train_images=20000)
"""The centre of all maps: the default settings on 20,000 training images, judged on 5,000 held-out ones."""

MEANS, SPREADS = (0.0, 0.3, 0.5, 1.0), (0.25, 0.5, 1.0)
CLIPS = (None, 5.0, 1.0, 0.1)
RATES = (0.01, 0.03, 0.1, 0.3, 1.0)
STARTS = {"uncalibrated": (False, False), "calibrated": (True, False), "inputs-scaled": (True, True)}
"""Name to ``calibrate`` and ``scale_inputs`` of the switcher."""
STDS = (0.01, 0.1)
TURNS = ("epoch", "step")


def start(turn: str, mean: float, spread: float) -> Arm:
    """A cell of the first map."""
    return _arm(
        f"start-{turn}-mean-{mean:g}-spread-{spread:g}",
        replace(TRAIN, alternate=turn),
        SwitcherConfig(initial_mean=mean, initial_spread=spread),
    )


def clipping(turn: str, switcher: float | None, network: float | None) -> Arm:
    """A cell of the second map."""
    return _arm(
        f"clip-{turn}-switcher-{_norm(switcher)}-network-{_norm(network)}",
        replace(TRAIN, alternate=turn, clip_switcher=switcher, clip_network=network),
    )


def rate(turn: str, rate: float, clip: float | None) -> Arm:
    """A cell of the third map."""
    return _arm(
        f"rate-{turn}-{rate:g}-clip-{_norm(clip)}",
        replace(TRAIN, alternate=turn, rate=rate, clip_switcher=clip, clip_network=clip),
    )


def calibration(turn: str, how: str, std: float) -> Arm:
    """A cell of the fourth map."""
    calibrate, scale_inputs = STARTS[how]
    return _arm(
        f"{how}-{turn}-std-{std:g}",
        replace(TRAIN, alternate=turn, fc_std=std),
        SwitcherConfig(calibrate=calibrate, scale_inputs=scale_inputs),
    )


def _norm(clip: float | None) -> str:
    return "none" if clip is None else f"{clip:g}"


def _arm(name: str, train: TrainConfig, switcher: SwitcherConfig = SwitcherConfig()) -> Arm:
    return Arm(name, "alternating", name.replace("-", " "), train=train, switcher=switcher)


def stability() -> tuple[Arm, ...]:
    """All cells; where maps share a setting it is run once, under the first name."""
    cells = [
        *(start(*cell) for cell in product(TURNS, MEANS, SPREADS)),
        *(clipping(*cell) for cell in product(TURNS, CLIPS, CLIPS)),
        *(rate(*cell) for cell in product(TURNS, RATES, (1.0, None))),
        *(calibration(*cell) for cell in product(TURNS, STARTS, STDS)),
    ]
    return tuple({cell.settings_hash(): cell for cell in reversed(cells)}.values())[::-1]


STABILITY = Table(
    "stability",
    "Stability: which settings train at all, on held-out images",
    arms={"map": stability()},
    seeds={"map": (0, 1, 2)},
    reference="start-epoch-mean-1-spread-1",
)


ROUNDING = Table(
    "rounding",
    "Rounding: SNN-AL, seed 0, with one weight moved by a millionth, eight times another one; the MLP on MNIST",
    arms={
        "paper": tuple(
            Arm(
                f"nudge-{which}",
                "alternating",
                f"weight {which} moved by 1e-6",
                train=TrainConfig(epochs=30, nudge=which),
                switcher=SwitcherConfig(),
            )
            for which in range(1, 9)
        )
    },
    seeds={"paper": (0,)},
    reference="nudge-1",
)
"""How far do rounding errors carry, which differ between processors? These runs differ by one such error alone."""
