"""Which neurons are switched off, epoch by epoch: written as text into a run's history, read back as arrays."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor


@torch.no_grad()
def encode(gates: Sequence[Tensor]) -> str:
    """Which factors are 0, all layers in a row: one bit a neuron, as hexadecimal text."""
    off = torch.cat([gate.detach().flatten() for gate in gates]) == 0
    return np.packbits(off.cpu().numpy()).tobytes().hex()


def decode(text: str, widths: Sequence[int]) -> list[np.ndarray]:
    """One boolean vector (width,) a layer from what :func:`encode` wrote, True where a neuron is off.

    Raises ``ValueError`` where the text is not of so many neurons.
    """
    bits, neurons = np.unpackbits(np.frombuffer(bytes.fromhex(text), np.uint8)), sum(widths)
    if not neurons <= len(bits) < neurons + 8:
        raise ValueError(f"{len(bits)} bits cannot be the {neurons} neurons of layers of widths {tuple(widths)}")
    return np.split(bits[:neurons].astype(bool), np.cumsum(widths)[:-1])


def pack(texts: Sequence[str]) -> str:
    """Several of :func:`encode`'s texts as one short text: each as what changed since the one before, compressed."""
    rows = [np.frombuffer(bytes.fromhex(text), np.uint8) for text in texts]
    changes = [now ^ before for now, before in zip(rows, [np.zeros_like(row) for row in rows[:1]] + rows)]
    return base64.b64encode(zlib.compress(b"".join(change.tobytes() for change in changes), 9)).decode()


def unpack(text: str, count: int) -> list[str]:
    """The ``count`` texts that :func:`pack` made one of."""
    changes = np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8).reshape(count, -1)
    return [row.tobytes().hex() for row in np.bitwise_xor.accumulate(changes, axis=0)]
