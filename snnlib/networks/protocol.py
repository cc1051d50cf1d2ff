"""What a network must offer so that a switcher can read its weights and scale its neurons."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, Self

from torch import Tensor, nn


class TaskNetwork(Protocol):
    """An ``nn.Module`` whose ``forward`` takes factors, and which names its switched layers by three methods.

    Convolutions come first (Eq. 4, a factor for each kernel), then fully connected layers (Eq. 2, one for each input).
    """

    def gate_widths(self) -> tuple[int, ...]:
        """Number of factors of each switched layer."""
        ...

    def kernel_weights(self) -> list[Tensor]:
        """Weights (kernels, channels, height, width) of each switched convolution; empty where there is none."""
        ...

    def linear_weights(self) -> list[Tensor]:
        """Weights (inputs, outputs) of each fully connected layer, as in Eq. 1: row i leaves neuron i."""
        ...

    def __call__(self, x: Tensor, gates: Sequence[Tensor] | None = None) -> Tensor:
        """Logits (images, classes) of images ``x``; ``gates`` holds one vector for each of :meth:`gate_widths`."""
        ...

    training: bool  # from here on: what training uses of nn.Module

    def parameters(self, recurse: bool = True) -> Iterator[nn.Parameter]: ...
    def named_parameters(self) -> Iterator[tuple[str, nn.Parameter]]: ...
    def requires_grad_(self, requires_grad: bool = True) -> Self: ...
    def train(self, mode: bool = True) -> Self: ...
