"""Packing the weights of a task network into the switcher's input (section 3.3.1).

Fully connected layers become the channels of one matrix: layer l's weights (inputs, outputs) stand in channel
l, zero-padded to the largest layer. Row i holds the weights that leave neuron i, so a row is a neuron.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import torch
from torch import Tensor
from torch.nn import functional as F


class PackedWeights:
    """Weights as data.

    ``tensor`` (layers, rows, cols), ``shapes`` of the layers as (inputs, outputs). ``mask`` is True where a row is a
    neuron; only such rows get a factor. ``layers`` holds the weights as they came, where they were packed by
    :func:`pack_linear`: the matrix is then made when ``tensor`` is first read.
    """

    def __init__(
        self, tensor: Tensor | None, shapes: Sequence[tuple[int, int]], layers: Sequence[Tensor] | None = None
    ) -> None:
        self.shapes, self.layers = tuple(shapes), None if layers is None else tuple(layers)
        if tensor is not None:
            self.tensor = tensor

    @cached_property
    def tensor(self) -> Tensor:
        """The matrix (layers, rows, cols), zero where a layer is smaller than the largest."""
        _, rows, cols = self.size
        padded = [F.pad(w, (0, cols - w.shape[1], 0, rows - w.shape[0])) for w in self.layers or ()]
        # stacked last and permuted: channels last in memory, as the switcher's convolutions want it
        return torch.stack(padded, dim=-1).permute(2, 0, 1)

    @property
    def size(self) -> tuple[int, int, int]:
        """(layers, rows, cols) of the matrix."""
        if self.layers is not None:
            return packed_size(self.shapes)
        layers, rows, cols = self.tensor.shape
        return layers, rows, cols

    @property
    def mask(self) -> Tensor:
        """(layers, rows), True where a row is a neuron."""
        inputs = torch.tensor([shape[0] for shape in self.shapes], device=self.tensor.device)
        return torch.arange(self.tensor.shape[1], device=self.tensor.device) < inputs[:, None]

    @property
    def owner(self) -> Tensor:
        """(layers, rows), the layer of each row; -1 where it is padding."""
        layers = torch.arange(len(self.shapes), device=self.tensor.device)
        return torch.where(self.mask, layers[:, None], -1)

    def unpack(self) -> list[Tensor]:
        """The layers' weights again, (inputs, outputs) each: the exact inverse of :func:`pack_linear`."""
        return [self.tensor[index, :rows, :cols] for index, (rows, cols) in enumerate(self.shapes)]

    def detach(self) -> PackedWeights:
        """The same weights, cut off from the gradient."""
        if self.layers is None:
            return PackedWeights(self.tensor.detach(), self.shapes)
        return PackedWeights(None, self.shapes, [weight.detach() for weight in self.layers])

    def split(self, factors: Tensor) -> list[Tensor]:
        """Cut the switcher's output (layers, rows) into one vector (inputs,) a layer; padded rows give none."""
        return [factors[index, :rows] for index, (rows, _) in enumerate(self.shapes)]


def packed_size(shapes: Sequence[tuple[int, int]]) -> tuple[int, int, int]:
    """(layers, rows, cols) of the matrix that layers of these (inputs, outputs) pack into."""
    return len(shapes), max(rows for rows, _ in shapes), max(cols for _, cols in shapes)


def pack_linear(weights: Sequence[Tensor]) -> PackedWeights:
    """Pack weights (inputs, outputs), one matrix a layer, into :class:`PackedWeights` (section 3.3.1).

    Gradients flow through, as Eq. 6 needs. Raises ``ValueError`` for no layers or a layer that is no matrix.
    """
    if not weights:
        raise ValueError("no weights to pack: give at least one layer")
    for index, weight in enumerate(weights):
        if weight.ndim != 2 or not weight.numel():
            raise ValueError(
                f"layer {index} has shape {tuple(weight.shape)}: packing needs a matrix (inputs, outputs) with at "
                "least one weight"
            )
    return PackedWeights(None, [(weight.shape[0], weight.shape[1]) for weight in weights], weights)
