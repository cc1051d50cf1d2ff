"""The parts of the folder ``fast``, each None where that folder is missing: the method is then slower and the same."""

from __future__ import annotations

try:
    from .fast import fused, graphs, pooled, separable, unet
except ImportError:
    fused = graphs = pooled = separable = unet = None

__all__ = ["fused", "graphs", "pooled", "separable", "unet"]
