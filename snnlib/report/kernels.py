"""Trained kernels of a first convolution and their factors: all maps at a glance, and how alike they are (Fig. 3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from ..data import Dataset, scale
from ..lab import records, trained
from ..lab.building import build_network
from ..networks import ConvNet
from . import feature_maps, pages
from .results import Results
from .style import CLASS_COLOURS


@dataclass(frozen=True)
class Kernels:
    """A trained network, the factors (kernels,) of its first convolution, and the same network before training."""

    network: ConvNet
    factors: NDArray[np.float64]
    before: ConvNet


def of_runs(results: Results, arm: str, network: str) -> dict[int, Kernels]:
    """The kernels of all finished runs whose weights stand beside their record, by seed."""
    found: dict[int, Kernels] = {}
    for seed, record in results.runs(arm, network).items():
        path = records.path_of(records.arm_of(record), results.profile, seed, results.root)
        if records.weights_path(path).exists():
            ready, loaded, _ = trained.load(path)
            before = build_network(ready, seed, torch.device("cpu"))
            if isinstance(loaded, ConvNet) and isinstance(before, ConvNet):
                found[seed] = Kernels(loaded, np.array(record["result"]["gates"][0], float), before)
    return found


def pruned(results: Results, arm: str, network: str) -> pd.DataFrame:
    """How many kernels of the first convolution each run prunes: one column a seed."""
    counts = {
        f"seed {seed}": str(sum(factor == 0 for factor in run["result"]["gates"][0]))
        for seed, run in results.runs(arm, network).items()
    }
    return pages.table({"kernels pruned": counts} if counts else {})


def grid(kernels: Mapping[int, Kernels], images: Dataset) -> Figure:
    """Maps of all kernels of the first of these runs, for the first test image of each class."""
    if not kernels:
        return pages.nothing("No run has its weights beside its record.")
    first = feature_maps.one_of_each(images.y_test.tolist())
    shown, of = scale(images.x_test[first]), kernels[min(kernels)]
    names = [str(label) for label in images.y_test[first].tolist()]
    return feature_maps.map_grid(
        feature_maps.first_maps(of.network, shown), of.factors.tolist(), shown[:, 0].numpy(), names
    )


def alike(kernels: Mapping[int, Kernels], images: Tensor) -> pd.DataFrame:
    """Mean over kernels of :func:`~snnlib.report.feature_maps.redundancy`, by class, and before training.

    ``images`` (images, channels, height, width) as the network reads them.
    """
    rows: dict[str, dict[str, str]] = {}
    for seed, of in kernels.items():
        start = feature_maps.redundancy(feature_maps.first_maps(of.before, images), [True] * len(of.factors))
        rows[f"seed {seed}: all, before training"] = _mean(start, np.ones(len(start), bool))
        found = feature_maps.redundancy(feature_maps.first_maps(of.network, images), (of.factors > 0).tolist())
        classes = (of.factors == 0, (of.factors > 0) & (of.factors < 1), of.factors >= 1)
        for name, chosen in zip(CLASS_COLOURS, classes):
            rows[f"seed {seed}: {name}"] = _mean(found, chosen)
    return pages.table(rows, "No run has its weights beside its record.")


def _mean(found: NDArray[np.float64], chosen: NDArray[np.bool_]) -> dict[str, str]:
    """Number of the kernels ``chosen``, and their mean without those that have no value."""
    known = found[chosen][~np.isnan(found[chosen])]
    return {"kernels": str(int(chosen.sum())), "mean correlation": f"{known.mean():.2f}" if known.size else ""}
