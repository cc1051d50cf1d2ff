"""A training step as one CUDA graph: small networks spend most of a step on launching its many kernels."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable

import torch
from torch import Tensor

Step = Callable[[Tensor, Tensor], tuple[Tensor, list[Tensor] | None]]
"""Takes images and labels; returns the loss and the factors, None where there are none."""

WARM_UP = 3
"""Steps before the capture: libraries choose their algorithms, and the optimizer makes its buffers."""


class Graphed:
    """``step`` as a CUDA graph for batches of the first one's shape; other batches run without it.

    ``tensors`` gives all that a step changes, except the optimizer's buffers: it is put back after the warm-up, so
    that a graphed run computes what an eager one does. A buffer of ``sgd`` that the warm-up made starts at zero.
    The factors that are returned are overwritten by the next step. ``SNNLIB_GRAPHS=0`` turns graphs off.
    """

    def __init__(self, step: Step, tensors: Iterable[Tensor], sgd: torch.optim.SGD) -> None:
        self._step, self._tensors, self._sgd = step, list(tensors), sgd
        self._graph: torch.cuda.CUDAGraph | None = None
        self._off = os.environ.get("SNNLIB_GRAPHS") == "0" or not all(tensor.is_cuda for tensor in self._tensors)

    def __call__(self, x: Tensor, y: Tensor) -> tuple[Tensor, list[Tensor] | None]:
        """One step on images ``x`` and labels ``y``."""
        if self._graph is None and not self._off:
            self._capture(x, y)
        if self._graph is None or x.shape != self._x.shape:
            return self._step(x, y)
        self._x.copy_(x)
        self._y.copy_(y)
        self._graph.replay()
        return self._loss.clone(), self._gates

    def _capture(self, x: Tensor, y: Tensor) -> None:
        self._x, self._y = x.clone(), y.clone()
        before = [tensor.detach().clone() for tensor in self._tensors]
        buffers = {id(buffer): buffer.clone() for buffer in self._buffers()}
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        try:
            with torch.cuda.stream(stream):
                for _ in range(WARM_UP):
                    self._step(self._x, self._y)
            torch.cuda.current_stream().wait_stream(stream)
            graph = torch.cuda.CUDAGraph()
            self._sgd.zero_grad(set_to_none=True)  # the gradients belong to the graph's own memory
            with torch.cuda.graph(graph):
                self._loss, self._gates = self._step(self._x, self._y)
            self._graph = graph
        except RuntimeError as error:
            warnings.warn(
                f"the step could not be captured as a CUDA graph ({error}); it runs without one", stacklevel=2
            )
            self._off = True
        with torch.no_grad():
            for tensor, value in zip(self._tensors, before):
                tensor.copy_(value)
            for buffer in self._buffers():
                buffer.copy_(buffers.get(id(buffer), torch.zeros_like(buffer)))

    def _buffers(self) -> list[Tensor]:
        """The optimizer's momentum buffers, where it has any."""
        found = (state.get("momentum_buffer") for state in self._sgd.state.values())
        return [buffer for buffer in found if buffer is not None]
