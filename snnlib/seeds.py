"""Random numbers: one generator for each purpose of each seed, so that arms of a seed see the same draws."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Generator

import torch

from .config import check_seed


def generator(seed: int, stream: str, index: int = 0) -> torch.Generator:
    """A CPU generator of its own for one purpose of one seed ("network", "switcher", "order"), so that arms pair."""
    digest = hashlib.sha256(f"{check_seed(seed)}/{stream}/{index}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)


@contextlib.contextmanager
def drawn(device: torch.device, seed: int, stream: str, index: int = 0) -> Generator[None, None, None]:
    """Within it, torch's global generators draw what ``seed`` says; afterwards they go on as if nothing had been."""
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(generator(seed, stream, index).initial_seed())
        yield
