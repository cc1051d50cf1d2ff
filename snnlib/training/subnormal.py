"""Subnormal numbers, below 1.2e-38 in float32: within a loop of training the processor takes them for 0.

They arise where something decays without an end: Adam's moments of a neuron whose gate is closed, the momentum of one
that never fires, products of two small gradients. Nothing depends on them, but a processor computes with them in
microcode: an epoch of L0 on the MLP took three times as long at the end of a run as at its start.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator

import torch


def flushed() -> bool:
    """Whether this thread takes subnormal numbers for 0."""
    least = torch.finfo(torch.float32).tiny
    return not (torch.full((64,), least) * 0.5).any()


@contextlib.contextmanager
def flushing() -> Generator[None, None, None]:
    """Within it this thread takes subnormal numbers for 0, where the processor can; afterwards all is as before."""
    before = flushed()
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)
