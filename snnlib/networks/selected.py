"""A fully connected layer that reads some of its inputs only: what compaction leaves where it cannot cut a source."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class SelectedLinear(nn.Linear):
    """A Linear that reads only the ``inputs`` (a vector of indices, in rising order) of the ``width`` it is given.

    Raises ``ValueError`` for an input of another width.
    """

    inputs: Tensor

    def __init__(self, layer: nn.Linear, inputs: Tensor) -> None:
        super().__init__(1, 1, bias=False, device="meta")
        self.width, earlier = layer.in_features, None
        if isinstance(layer, SelectedLinear):
            self.width, earlier = layer.width, layer.inputs
        self.in_features, self.out_features = len(inputs), layer.out_features
        self.weight = nn.Parameter(layer.weight.detach()[:, inputs])
        self.bias = layer.bias
        self.register_buffer("inputs", inputs if earlier is None else earlier[inputs])
        self.train(layer.training)

    def forward(self, input: Tensor) -> Tensor:
        tracing = torch.jit.is_tracing()  # pyright: ignore[reportPrivateImportUsage]
        if not tracing and input.shape[1:] != (self.width,):
            raise ValueError(
                f"a SelectedLinear of {self.width} inputs was given {tuple(input.shape)}: its input must be "
                f"(images, {self.width})"
            )
        return super().forward(input.index_select(1, self.inputs))

    def extra_repr(self) -> str:
        return f"reads {self.in_features} of {self.width}, {super().extra_repr()}"
