"""Where a compression starts: the last layer's factors before the first step, and what training adds (section 4.3)."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray

from .. import seeds
from ..lab.experiments import TABLES, arm_of
from ..lab.records import Record
from ..metrics import paired_difference
from ..networks import MLP
from ..networks.listing import IMAGES, listed
from ..switching.switched import Switched
from . import pages, pixels, scale, strips
from .beside import NETWORKS, printed
from .results import Results
from .style import CLASS_COLOURS
from .wording import span, unbroken

DATA = {"3": "CIFAR-10", "4": "Mini-ImageNet"}
"""Table to the name of its data set."""

FOUR = {
    f"{NETWORKS[network]}, {name}": (table, network)
    for network in ("mobilenet-v1-x1", "resnet34")
    for table, name in DATA.items()
}
"""The four networks whose last layers the paper compares (its Fig. 5): title to table and network."""


@functools.cache
def _inputs(network: str, dataset: str) -> int:
    """Inputs of the last layer."""
    return listed(network, dataset).gated_widths[-1]


def before_training(table: str, network: str, seed: int) -> NDArray[np.float64]:
    """The factors (inputs,) of the last layer before the first step of a run of this seed; no image is needed."""
    arm = arm_of(TABLES[table], "paper", scale.SNN, network)
    inputs, classes = _inputs(network, arm.dataset), IMAGES[arm.dataset][1]
    # a run draws its last layer before all others, so this is the same
    head = MLP((inputs, classes), arm.train.fc_std, seeds.generator(seed, "network"))
    with torch.no_grad():
        model = Switched.around(head, arm.with_switcher, seeds.generator(seed, "switcher"))
        return model.gates()[-1].double().numpy()


def spread(factors: Mapping[str, list[NDArray[np.float64]]]) -> pd.DataFrame:
    """Pruned at the start, in percent: mean and deviation over seeds, range, and even against odd neurons.

    ``factors`` maps a title to the factors of one layer, of several seeds.
    """
    rows: dict[str, dict[str, str]] = {}
    for title, each in factors.items():
        shares = [100 * float(np.mean(factor == 0)) for factor in each]
        rows[title] = {
            "neurons": f"{len(each[0]):,}",
            "pruned (%)": unbroken(f"{np.mean(shares):.1f} ± {np.std(shares, ddof=1):.1f}"),
            "range": f"{min(shares):.1f} to {max(shares):.1f}",
            "parity": f"{np.mean([abs(pixels.parity_contrast(factor)) for factor in each]):.1f}",
        }
    return pages.table(rows)


def runs_of(results: Mapping[str, Results], table: str, network: str) -> dict[int, Record]:
    """The runs of SNN-AL by seed, whatever the profile calls it."""
    return results[table].runs(scale.arm(results[table], scale.SNN), network)


def after_training(results: Mapping[str, Results], networks: Sequence[str]) -> Figure:
    """A strip for each network and data set that has a run, of the lowest seed; ``results`` by table."""
    found = {
        f"{NETWORKS[network]}, {name}": runs_of(results, table, network)
        for network in networks
        for table, name in DATA.items()
    }
    drawn = {title: strips.last_factors(runs[min(runs)]) for title, runs in found.items() if runs}
    return strips.factor_strips(drawn) if drawn else pages.nothing()


def classes(results: Mapping[str, Results], networks: Sequence[str]) -> pd.DataFrame:
    """Neurons of the last layer after training by class, in percent, and those pruned before it; means over seeds."""
    rows: dict[str, dict[str, str]] = {}
    for table, name in DATA.items():
        for network in networks:
            runs = runs_of(results, table, network)
            if not runs:
                continue
            counts = [strips.classes_of(strips.last_factors(run)) for run in runs.values()]
            start = [run["result"]["start_removed_pct"] for run in runs.values()]  # one layer: neurons as weights
            rows[f"{NETWORKS[network]}, {name}"] = {
                "runs": str(len(runs)),
                "start": f"{np.mean(start):.1f}",
                **{
                    kind: f"{np.mean([100 * one[kind] / sum(one.values()) for one in counts]):.1f}"
                    for kind in CLASS_COLOURS
                },
            }
    return pages.table(rows)


SMALL = "mobilenet-v1-x0.25"
COMPARED = {
    "harder: ResNet34, CIFAR-10 minus Mini-ImageNet": (("3", "resnet34"), ("4", "resnet34")),
    "harder: MobileNetV1, CIFAR-10 minus Mini-ImageNet": (("3", "mobilenet-v1-x1"), ("4", "mobilenet-v1-x1")),
    "harder: MobileNetV1 x0.25, CIFAR-10 minus Mini-ImageNet": (("3", SMALL), ("4", SMALL)),
    "simpler: CIFAR-10, ResNet34 minus MobileNetV1": (("3", "resnet34"), ("3", "mobilenet-v1-x1")),
    "simpler: Mini-ImageNet, ResNet34 minus MobileNetV1": (("4", "resnet34"), ("4", "mobilenet-v1-x1")),
}
"""The comparisons of the claim, each above 0 if it is true; the paper's MobileNetV1 has the name of the
one and the inputs of the other."""


def harder_and_simpler(results: Mapping[str, Results]) -> pd.DataFrame:
    """Weights removed from the last layer, compared in points: the paper's, and ours with its interval.

    The paper's MobileNetV1 is the full one by its widths (:mod:`.audit`), so x0.25 has no figure of it.
    """
    rows: dict[str, dict[str, str]] = {}
    for title, places in COMPARED.items():
        theirs = [printed(table, network, "SNN") for table, network in places]
        shares = [row.removed_pct or 0.0 for row in theirs if row]
        first, second = (
            results[table].values(scale.arm(results[table], scale.SNN), "removed_pct", network)
            for table, network in places
        )
        found = paired_difference(first, second)
        rows[title] = {
            "paper": "" if places[0][1] == SMALL else unbroken(f"{shares[0] - shares[1]:+.2f}"),
            "n": str(found.n),
            "ours [95 %]": span(found) or "no pairs yet",
        }
    return pages.table(rows)


def tasks() -> pd.DataFrame:
    """What else changes between the four networks: classes, images of each, sides of an image, weights counted."""
    rows: dict[str, dict[str, str]] = {}
    for title, (table, network) in FOUR.items():
        built = listed(network, "cifar10" if table == "3" else "mini_imagenet")
        rows[title] = {
            "classes": str(built.classes),
            "images of each": f"{50_000 // built.classes:,}",
            "image": unbroken(f"{built.image[1]} × {built.image[2]}"),
            "last layer": f"{built.weights:,}",
        }
    return pages.table(rows)
