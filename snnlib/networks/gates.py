"""A check that factors fit a network, made where they enter, so that the message names the layer."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor


def check_gates(gates: Sequence[Tensor], widths: Sequence[int], convolutions: int = 0) -> None:
    """Raise ``ValueError`` unless ``gates`` holds one vector (width,) for each of ``widths``.

    The first ``convolutions`` layers are convolutions with a factor a kernel, the others fully connected ones with a
    factor an input.
    """
    if len(gates) != len(widths):
        raise ValueError(
            f"{len(gates)} gates for {len(widths)} layers: give one vector a layer, for layers of widths "
            f"{tuple(widths)}"
        )
    for index, (gate, width) in enumerate(zip(gates, widths)):
        if tuple(gate.shape) != (width,):
            layer, parts = (
                (f"convolution {index}", "kernels")
                if index < convolutions
                else (f"FC layer {index - convolutions}", "inputs")
            )
            found = f"gates of {layer} have shape {tuple(gate.shape)}, but it has {width} {parts}"
            raise ValueError(f"{found}: give one vector a layer, for layers of widths {tuple(widths)}")
