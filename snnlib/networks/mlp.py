"""The multilayer perceptron 784-300-100-10 of Tables 1 and 2 (section 4.1), with the factors of Eq. 2."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .gates import check_gates
from .gating import gated_linear
from .initial import blank, module_list, zero_bias


class MLP(nn.Module):
    """Fully connected layers with ReLU between them.

    ``widths`` counts the input, the hidden layers and the outputs. Weights are drawn from a zero-mean normal
    with standard deviation ``fc_std`` (section 4), biases are 0. ``inputs`` are the indices of the pixels that a
    compacted network still reads; None reads all. ``bias`` False leaves the biases out. Raises ``ValueError`` for
    widths that make no network.
    """

    inputs: Tensor | None

    def __init__(
        self,
        widths: Sequence[int] = (784, 300, 100, 10),
        fc_std: float = 0.01,
        generator: torch.Generator | None = None,
        inputs: Tensor | None = None,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if len(widths) < 2 or min(widths[1:]) < 1 or widths[0] < 0:
            raise ValueError(f"widths={tuple(widths)}: give at least an input and an output width, each 1 or more")
        self.widths = tuple(int(w) for w in widths)
        self.layers = module_list(blank(nn.Linear, a, b, bias=bias) for a, b in zip(self.widths, self.widths[1:]))
        self.register_buffer("inputs", inputs)
        with torch.no_grad():
            for layer in self.layers:
                layer.weight.normal_(0.0, fc_std, generator=generator)
                zero_bias(layer)

    def gate_widths(self) -> tuple[int, ...]:
        """Number of factors of each gated layer: every layer's inputs."""
        return self.widths[:-1]

    def kernel_weights(self) -> list[Tensor]:
        """Switched convolutions: none."""
        return []

    def linear_weights(self) -> list[Tensor]:
        """The weights as in Eq. 1, one matrix (inputs, outputs) a layer: row i leaves neuron i."""
        return [layer.weight.t() for layer in self.layers]

    def forward(self, x: Tensor, gates: Sequence[Tensor] | None = None) -> Tensor:
        """Logits (images, classes) of images (images, ...), flattened.

        ``gates`` holds one vector of factors a layer; it multiplies that layer's inputs (Eq. 2). ``ValueError`` where
        they do not fit.
        """
        if gates is not None:
            check_gates(gates, self.gate_widths())
        h = x.flatten(1)
        if self.inputs is not None:
            h = h.index_select(1, self.inputs)  # ten times as fast as h[:, inputs] on the CPU
        for index, layer in enumerate(self.layers):
            if index:
                h = torch.relu(h)
            h = layer(h) if gates is None else gated_linear(h, gates[index], layer.weight, layer.bias)  # Eq. 2
        return h
