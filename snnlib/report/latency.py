"""How long a forward pass takes when three quarters of the weights are gone, by the form in which they are gone."""

from __future__ import annotations

import itertools
import statistics
import time
import warnings
from collections.abc import Callable, Sequence

import pandas as pd
import torch
from torch import Tensor

WIDTHS = (784, 300, 100, 10)
"""The perceptron of the paper's Table 1."""


def layers(widths: Sequence[int], draw: torch.Generator) -> list[Tensor]:
    """Weight matrices (outputs, inputs) of a perceptron with these widths."""
    return [torch.randn(after, before, generator=draw) for before, after in itertools.pairwise(widths)]


def with_zeros(matrices: Sequence[Tensor], density: float) -> list[Tensor]:
    """The same with all but the largest share ``density`` of each matrix 0."""
    found: list[Tensor] = []
    for matrix in matrices:
        kept = matrix.abs().flatten().topk(max(round(density * matrix.numel()), 1)).indices
        found.append(torch.zeros(matrix.numel()).index_copy(0, kept, matrix.flatten()[kept]).view_as(matrix))
    return found


def sparse(matrices: Sequence[Tensor]) -> list[Tensor]:
    """The same in compressed rows (CSR)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # torch calls this form a beta
        return [matrix.to_sparse_csr() for matrix in matrices]


def forward(matrices: Sequence[Tensor], x: Tensor) -> Tensor:
    """Outputs (images, classes) of the perceptron for ``x`` (images, inputs); matrices may be sparse."""
    found = x.T  # (inputs, images), for a sparse matrix multiplies from the left
    for matrix in matrices[:-1]:
        found = (matrix @ found).relu()
    return (matrices[-1] @ found).T


def seconds(run: Callable[[], object], least: float) -> float:
    """The median time of ``run`` over as many calls as fill ``least`` seconds, on one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        run()  # the first call of an operation takes longer
        times: list[float] = []
        while sum(times) < least:
            begun = time.perf_counter()
            run()
            times.append(time.perf_counter() - begun)
    finally:
        torch.set_num_threads(threads)
    return statistics.median(times)


def of_quarter(batch: int = 64, widths: Sequence[int] = WIDTHS, least: float = 0.5) -> pd.DataFrame:
    """A line a form: weights left, and the median time of a forward pass of ``batch`` images beside the whole network.

    Half of the neurons of each layer but the last leave a quarter of the weights. The times are this machine's.
    """
    draw = torch.Generator().manual_seed(0)
    whole = layers(widths, draw)
    zeros = with_zeros(whole, 0.25)
    small = layers([width // 2 for width in widths[:-1]] + [widths[-1]], draw)
    forms = {
        "the whole network": (whole, widths[0]),
        "zeros in dense matrices": (zeros, widths[0]),
        "sparse matrices (CSR)": (sparse(zeros), widths[0]),
        "half of the neurons": (small, widths[0] // 2),
    }
    every = sum(matrix.numel() for matrix in whole)
    lines: dict[str, list[str]] = {}
    first = 0.0
    with torch.inference_mode():
        for name, (matrices, inputs) in forms.items():
            x = torch.randn(batch, inputs, generator=draw)
            found = seconds(lambda matrices=matrices, x=x: forward(matrices, x), least)
            first = first or found
            left = sum(int((matrix.to_dense() != 0).sum()) for matrix in matrices) / every
            lines[name] = [f"{100 * left:.0f} %", f"{1e6 * found:.0f} µs", f"{found / first:.2f}"]
    return pd.DataFrame.from_dict(lines, orient="index", columns=["weights left", "time", "of the whole"])
