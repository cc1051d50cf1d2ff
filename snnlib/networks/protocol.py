"""What a network must offer so that a switcher can read its weights and scale its neurons."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from typing import Protocol, Self

from torch import Tensor, nn


class TaskNetwork(Protocol):
    """An ``nn.Module`` whose ``forward`` takes factors, and which names its switched layers by three methods.

    Convolutions come first (Eq. 4, a factor for each kernel), then fully connected layers (Eq. 2, one for each input).
    :func:`check_network` says what a module lacks; ``snnlib.switch`` makes a task network of a module that lacks all.
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


METHODS = ("gate_widths", "kernel_weights", "linear_weights")

EXAMPLE = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(784, 100), nn.Linear(100, 10)

    def gate_widths(self):  # a factor a kernel of each convolution, then one an input of each Linear
        return (784, 100)

    def kernel_weights(self):  # (kernels, channels, height, width) of each switched convolution
        return []

    def linear_weights(self):  # (inputs, outputs) of each switched Linear
        return [self.fc1.weight.t(), self.fc2.weight.t()]

    def forward(self, x, gates=None):  # one vector of factors for each of gate_widths()
        g1, g2 = gates if gates is not None else (1, 1)
        return self.fc2(torch.relu(self.fc1(x.flatten(1) * g1)) * g2)
"""
"""A network that has all of it; a test runs it."""


def check_network(network: object) -> None:
    """Raise ``TypeError`` where ``network`` is no :class:`TaskNetwork`; the message names all that it lacks.

    Raises ``ValueError`` where its ``gate_widths()`` are not those of its weights.
    """
    lacking = [f"{name}()" for name in METHODS if not callable(getattr(network, name, None))]
    if not isinstance(network, nn.Module):
        lacking.insert(0, "the class nn.Module")
    forward = getattr(network, "forward", None)
    if not callable(forward) or "gates" not in inspect.signature(forward).parameters:
        lacking.append("forward(x, gates=None)")
    kind = type(network).__name__
    if lacking:
        raise TypeError(
            f"a {kind} is no task network: it lacks {', '.join(lacking)}. A network that has all of it:\n{EXAMPLE}\n"
            f"Or leave the {kind} as it is, and let snnlib find its layers: "
            "snnlib.switch(module, example_input) switches any module of Linear and Conv2d layers."
        )
    check_widths(network)  # pyright: ignore[reportArgumentType]: it has all the methods


def check_widths(network: TaskNetwork) -> None:
    """Raise ``ValueError`` where the factors of ``network`` are not as many as its kernels and inputs."""
    kernels, linear = network.kernel_weights(), network.linear_weights()
    dimensions = [weight.ndim for weight in (*kernels, *linear)]
    if dimensions != [4] * len(kernels) + [2] * len(linear):
        raise ValueError(
            f"{type(network).__name__}: kernel_weights() must be (kernels, channels, height, width) each and "
            f"linear_weights() (inputs, outputs) each, but they have {dimensions} dimensions"
        )
    weighed = tuple(len(weight) for weight in (*kernels, *linear))
    if not weighed or tuple(network.gate_widths()) != weighed:
        raise ValueError(
            f"{type(network).__name__}: gate_widths() is {tuple(network.gate_widths())}, but its weights have "
            f"{weighed} rows: give one factor for each kernel of kernel_weights(), then one for each row of "
            "linear_weights(), which are (inputs, outputs), the transpose of nn.Linear's"
        )
