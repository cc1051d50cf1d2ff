"""The switcher: weights packed into a tensor, a U-Net that reads its rows, and one factor a neuron (section 3)."""

from .packing import PackedWeights, pack_linear
from .switched import Masked, Switched, dead_layers
from .switcher import Switcher
from .wrapping import SwitchWarning, switch

__all__ = ["Masked", "PackedWeights", "SwitchWarning", "Switched", "Switcher", "dead_layers", "pack_linear", "switch"]
