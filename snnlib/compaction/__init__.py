"""Compaction: what is left of a switched network once training is over (sections 3.2 and 3.3.2).

``fold`` multiplies the factors of Eqs. 2 and 4 into the weights; the switcher is then no longer needed. ``compact``
also removes pruned neurons and kernels, with everything that only they feed, and leaves a plain smaller network of
the same class with the same logits. Both choose by the network's class: :mod:`~snnlib.compaction.mlp` for fully
connected networks, :mod:`~snnlib.compaction.convolution` for switched convolutions, :mod:`~snnlib.compaction.deep`
for networks whose FC layers alone are switched, :mod:`~snnlib.compaction.module` for any other module.
:mod:`~snnlib.compaction.files` writes and reads what is left of the library's own networks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Literal, Protocol, TypeVar, overload, runtime_checkable

import torch
from torch import Tensor, nn

from ..networks import MLP, ConvNet, DeepNet, Network
from ..networks.dependencies import CompactionError
from ..networks.gated_module import GatedModule
from ..switching import Switched
from .convolution import compact_convnet, fold_convnet
from .deep import compact_deep, fold_deep
from .files import load_compact, load_normalize, save_compact
from .mlp import compact_mlp, fold_mlp
from .module import compact_module, fold_module

Kind = TypeVar("Kind", bound=Network)


Prunes = Literal["neurons", "weights", "images"]
"""What a method prunes: whole neurons and kernels; single weights; or neurons, others for each image."""


@runtime_checkable
class Pruned(Protocol):
    """What a rival (:class:`snnlib.peers.Peer`) offers: what it prunes, the network it leaves, and factors for it."""

    KIND: ClassVar[Prunes]

    def final(self) -> Network:
        """The network that is left."""
        ...

    def gates(self) -> Sequence[Tensor]:
        """Its factors."""
        ...


Operation = Callable[[Any, Sequence[Tensor]], Any]  # a network of one class and its gates to another of that class

FOLD: dict[type, Operation] = {MLP: fold_mlp, ConvNet: fold_convnet, DeepNet: fold_deep, GatedModule: fold_module}
COMPACT: dict[type, Operation] = {
    MLP: compact_mlp,
    ConvNet: compact_convnet,
    DeepNet: compact_deep,
    GatedModule: compact_module,
}


@overload
def fold(network: Kind, gates: Sequence[Tensor]) -> Kind: ...
@overload
def fold(network: GatedModule | Switched | Pruned, gates: Sequence[Tensor] | None = None) -> nn.Module: ...
@torch.no_grad()
def fold(network: Network | GatedModule | Switched | Pruned, gates: Sequence[Tensor] | None = None) -> nn.Module:
    """A network of the same widths that computes without factors what ``network`` computes with ``gates``.

    ``network`` is a model with its switcher or a rival, which need no ``gates``, or the network in it; ``gates`` as
    ``network.gate_widths()``. It stays as it is; a module that was switched by ``snnlib.switch`` gives a module of its
    class. Raises ``ValueError`` where the gates do not fit or are not finite, ``TypeError`` for a network of another
    class.
    """
    network, gates = _parts(network, gates)
    return _choose(FOLD, network)(network, gates)


@overload
def compact(network: Kind, gates: Sequence[Tensor]) -> Kind: ...
@overload
def compact(network: GatedModule | Switched | Pruned, gates: Sequence[Tensor] | None = None) -> nn.Module: ...
@torch.no_grad()
def compact(network: Network | GatedModule | Switched | Pruned, gates: Sequence[Tensor] | None = None) -> nn.Module:
    """A plain network without the neurons and kernels that ``gates`` prune and without those that only they kept alive.

    ``network`` is a model with its switcher or a rival, which need no ``gates``, or the network in it. Same logits
    (with batch norm in evaluation mode), same device and dtype; ``network`` stays as it is. A compacted network may be
    compacted again, with gates of its own widths, or switched again. A module that was switched by ``snnlib.switch``
    gives a smaller module of its class, which needs Torch-Pruning; with ``TrainConfig(normalize=True)`` it takes
    normalised images as in training (:class:`snnlib.data.Normalize`).

    Raises ``ValueError`` where the gates do not fit or are not finite, ``TypeError`` for a network of another class,
    ``ModuleNotFoundError`` without Torch-Pruning, :class:`CompactionError` where that cannot follow the module.
    """
    network, gates = _parts(network, gates)
    return _choose(COMPACT, network)(network, gates)


def _parts(network: object, gates: Sequence[Tensor] | None) -> tuple[Any, Sequence[Tensor]]:
    """The network without its switcher, and its gates; ``ValueError`` where they are missing or not finite."""
    if isinstance(network, Switched):
        gates = network.gates() if gates is None else gates
        network = network.network
    elif isinstance(network, Pruned):
        if network.KIND == "images":
            raise TypeError(f"a {type(network).__name__} uses other neurons for each image: it is no smaller network")
        gates = network.gates() if gates is None else gates
        network = network.final()
    if gates is None:
        if not isinstance(network, Network | GatedModule):
            raise TypeError(
                f"a {type(network).__name__} has no switcher: `model = snnlib.switch(module, example_input)`, then "
                "train it, then compact(model)"
            )
        raise ValueError("no gates: give model.gates(), or the whole model, compact(model)")
    for index, gate in enumerate(gates):
        if not bool(torch.isfinite(gate).all()):
            raise ValueError(f"gates of layer {index} hold NaN or infinity: the run diverged, or they are no factors")
    return network, gates


def _choose(operations: Mapping[type, Operation], network: object) -> Operation:
    """The operation for the class of ``network``; ``TypeError`` where there is none."""
    if type(network) not in operations:
        known = ", ".join(kind.__name__ for kind in operations)
        raise TypeError(
            f"a {type(network).__name__} cannot be compacted: give the model with its switcher, or its network "
            f"({known}); of a module of your own, `model = snnlib.switch(module, example_input)`"
        )
    return operations[type(network)]


__all__ = ["CompactionError", "compact", "fold", "load_compact", "load_normalize", "save_compact"]
