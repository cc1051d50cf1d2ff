"""The folder ``fast``, where it is there. Without it the method is slower and the same: whoever asks for a part may get
None."""

from __future__ import annotations

try:
    from .fast import fused, graphs, separable, unet
except ImportError:
    fused = graphs = separable = unet = None  # type: ignore[assignment]

__all__ = ["fused", "graphs", "separable", "unet"]
