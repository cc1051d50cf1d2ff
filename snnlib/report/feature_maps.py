"""The maps of a first convolution, those of strengthened and pruned kernels beside each other (Fig. 3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from ..networks import ConvNet
from .style import STYLE, factor_colours


@torch.no_grad()
def first_maps(network: ConvNet, images: Tensor) -> NDArray[Any]:
    """Maps (images, kernels, height, width) of the first convolution after its ReLU, before any factor (Eq. 4).

    ``images`` (images, channels, height, width) as the network reads them. Raises ``ValueError`` for a network of
    which no convolution is switched: no factor belongs to its maps.
    """
    if not isinstance(network, ConvNet):
        raise ValueError(
            f"{type(network).__name__} has no switched convolution, so no maps with factors: choose LeNet5-Caffe or "
            "VGG-cov2"
        )
    return F.relu(network.norms[0](network.convolutions[0](images))).numpy()


def one_of_each(labels: Sequence[int]) -> list[int]:
    """Index of the first image of each class, in the order of the classes."""
    _values, first = np.unique(np.asarray(labels), return_index=True)
    return [int(index) for index in first]


def redundancy(maps: NDArray[Any], kept: Sequence[bool]) -> NDArray[np.float64]:
    """For each kernel the largest absolute correlation of its maps with those of another kernel that is kept.

    ``maps`` (images, kernels, height, width), ``kept`` (kernels,) True for factors above 0. From 0, no kept kernel is
    similar, to 1: a kept kernel has the same maps up to scale and offset. NaN for a kernel whose maps are constant, and
    for the only one that is kept. Raises ``ValueError`` where there is not one factor for each kernel.
    """
    flat = np.moveaxis(np.asarray(maps, float), 1, 0).reshape(maps.shape[1], -1)  # (kernels, images * pixels)
    if len(kept) != len(flat):
        raise ValueError(f"{len(kept)} factors for the maps of {len(flat)} kernels: give one a kernel")
    flat = flat - flat.mean(1, keepdims=True)
    length = np.linalg.norm(flat, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        alike = np.abs(flat @ flat.T / np.outer(length, length))
    np.fill_diagonal(alike, np.nan)
    alike[:, ~np.asarray(kept, bool)] = np.nan
    found = np.full(len(flat), np.nan)
    usable = ~np.isnan(alike).all(1)
    found[usable] = np.nanmax(alike[usable], axis=1)
    return found


def map_grid(maps: NDArray[Any], factors: Sequence[float], images: NDArray[Any], names: Sequence[str]) -> Figure:
    """One column for each kernel, sorted by its factor, which stands above it; one row for each image.

    ``maps`` (images, kernels, height, width), ``factors`` (kernels,), ``images`` (images, height, width), ``names`` one
    for each image. Each kernel has one scale of grey for all images, from 0 to its largest value. Raises ``ValueError``
    where these numbers differ.
    """
    values = np.asarray(factors, float)
    if maps.shape[:2] != (len(images), len(factors)) or len(names) != len(images):
        raise ValueError(
            f"{maps.shape[0]} x {maps.shape[1]} maps for {len(images)} images, {len(names)} names and {len(factors)} "
            "factors: they must match"
        )
    order = np.argsort(values, kind="stable")
    colours, norm = factor_colours(values.max())
    with plt.rc_context({**STYLE, "figure.constrained_layout.use": False}):
        size = 0.42
        figure, panels = plt.subplots(
            len(images) + 1,
            len(factors) + 1,
            figsize=(size * (len(factors) + 2), size * (len(images) + 1.6)),
            squeeze=False,
            gridspec_kw={"wspace": 0.06, "hspace": 0.06, "left": 0.035, "right": 0.995, "top": 0.915, "bottom": 0.01},
        )
        for axes in panels.flat:
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
        panels[0][0].text(1.0, 0.5, "factor ", ha="right", va="center", fontsize=8.5)
        for column, kernel in enumerate(order, start=1):
            head, factor = panels[0][column], values[kernel]
            red, green, blue, _ = colours(norm(factor))
            head.set_facecolor((red, green, blue))
            head.patch.set_visible(True)
            light = 0.3 * red + 0.59 * green + 0.11 * blue > 0.55
            head.text(
                0.5,
                0.5,
                f"{factor:.1f}" if factor else "0",
                ha="center",
                va="center",
                fontsize=8,
                color="black" if light else "white",
            )
            head.set_title(str(kernel), fontsize=8, fontweight="normal", loc="center", pad=3)
            top = float(maps[:, kernel].max()) or 1.0
            for row, map_ in enumerate(maps[:, kernel], start=1):
                panels[row][column].imshow(map_, cmap="gray", vmin=0, vmax=top, interpolation="nearest")
        for row, (image, name) in enumerate(zip(images, names), start=1):
            panels[row][0].imshow(image, cmap="gray_r", interpolation="nearest")
            panels[row][0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)
        figure.text(
            0.5,
            0.99,
            "kernel, in the order of its factor (0: pruned; blue: weakened; orange: strengthened)",
            ha="center",
            va="top",
            fontsize=9.5,
        )
    return figure
