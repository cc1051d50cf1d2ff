"""Any module with a switcher: its layers are found, and it is trained and compacted as the library's own networks."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence

from torch import Tensor, nn

from ..config import SwitcherConfig
from ..networks.dependencies import CompactionError, graph_of, installed
from ..networks.gated_module import GatedModule
from ..networks.protocol import METHODS
from ..seeds import generator
from .switched import Switched

EXAMPLE = (
    "switch(nn.Sequential(nn.Flatten(), nn.Linear(784, 100), nn.ReLU(), nn.Linear(100, 10)), torch.zeros(1, 1, 28, 28))"
)
"""A call that has all it needs; a test runs it."""

SMALL_SHARE = 0.2
"""Of a module's weights: where fewer are switched, although all may be, :func:`switch` says so."""


class SwitchWarning(UserWarning):
    """A module can be switched, but in small part alone, or it cannot be made smaller afterwards."""


def switch(
    module: nn.Module,
    example_input: Tensor,
    config: SwitcherConfig = SwitcherConfig(),
    *,
    layers: Sequence[str] | None = None,
    seed: int = 0,
    through_switcher: bool = True,
) -> Switched:
    """``module``, a classifier of images, with switchers that read its Linear and Conv2d layers (section 3.3).

    ``example_input`` is a batch of images (images, channels, height, width) as ``module`` takes them, from which the
    way of its layers' outputs is traced; a row of a table can be an image of one line, (rows, 1, 1, columns), before an
    ``nn.Flatten``. ``layers`` selects what is switched by name, None all that can be: a Conv2d
    has a factor a kernel, a Linear a factor an input, see :class:`~snnlib.networks.gated_module.GatedModule`, which
    also says why the factors are multiplied into weights. ``seed`` draws the switchers' weights; the module's own are
    as it came, so draw them by a seed of yours. The returned model holds the module itself, ``model.network.module``,
    and training changes its weights; ``model.network.switched`` and ``.refused`` name its layers, and
    ``print(model.network)`` shows both.

    Then ``train_alternating(model, data, TrainConfig(), seed=0)``, and ``compact(model)`` for a smaller module of the
    same class. Networks of this library, and any other
    :class:`~snnlib.networks.protocol.TaskNetwork`, are taken as they are.

    Raises ``TypeError`` for arguments of another kind, ``ValueError`` where ``module`` cannot be run or traced on the
    example, where a named layer cannot be switched, with the reason, and where no layer can. Warns
    (:class:`SwitchWarning`) where less than a fifth of the weights is switched, and where Torch-Pruning, if it is
    installed, cannot follow the module, so that :func:`~snnlib.compaction.compact` will fail.
    """
    _check_arguments(module, example_input, config)
    draw = generator(seed, "switcher")
    if all(hasattr(module, name) for name in METHODS):
        if layers is not None:
            raise ValueError(f"layers={layers!r}: a {type(module).__name__} names its switched layers itself")
        return Switched.around(module, config, draw, through_switcher)  # pyright: ignore[reportArgumentType]
    network = GatedModule(module, example_input, layers)
    if layers is None:
        _remark_share(network)
    _remark_pruning(network)
    return Switched.around(network, config, draw, through_switcher)


def _check_arguments(module: object, example_input: object, config: object) -> None:
    """Raise ``TypeError`` or ``ValueError`` where an argument of :func:`switch` is of another kind."""
    kind = type(module).__name__
    if isinstance(module, Switched):
        raise ValueError("this model has a switcher already: train it as it is, or switch its module anew")
    wrong: list[str] = []
    if isinstance(module, type) or not isinstance(module, nn.Module):
        given = f"the class {module.__name__}" if isinstance(module, type) else f"a {kind}"
        wrong.append(f"module is {given}: give an nn.Module, made by calling its class")
    if not isinstance(example_input, Tensor):
        wrong.append(f"example_input is a {type(example_input).__name__}: give a batch of images, a tensor")
    if wrong:
        raise TypeError(f"{'; '.join(wrong)}. Say {EXAMPLE}")
    inner = "module" if kind in ("DataParallel", "DistributedDataParallel") else "_orig_mod"
    if kind in ("DataParallel", "DistributedDataParallel", "OptimizedModule"):
        what = "torch.compile has wrapped" if inner == "_orig_mod" else f"{kind} has wrapped"
        raise ValueError(f"{what} this module: give the module inside, net.{inner}")
    if not isinstance(config, SwitcherConfig):
        raise TypeError(
            f"config is a {type(config).__name__}: switch takes a SwitcherConfig; a TrainConfig goes to "
            "train_alternating"
        )


def _remark_share(network: GatedModule) -> None:
    """Warn where less than :data:`SMALL_SHARE` of the weights of ``network`` is switched."""
    weights = sum(each.numel() for each in network.parameters() if each.ndim > 1)
    share = sum(network.weight(name).numel() for name in network.switched) / weights
    if share < SMALL_SHARE:
        first = [f"{name} ({why})" for name, why in network.refused.items()][:2]
        more = f" and {len(network.refused) - len(first)} more" if len(network.refused) > len(first) else ""
        warnings.warn(
            f"only {100 * share:.2g} % of the weights of {type(network.module).__name__} are switched "
            f"({', '.join(network.switched)}); not {', '.join(first)}{more}: print(model.network) shows all",
            SwitchWarning,
            stacklevel=3,
        )


def _remark_pruning(network: GatedModule) -> None:
    """Warn where Torch-Pruning is installed and cannot follow a module with layers that it would have to cut."""
    if not installed() or not any(path.reader in network.readers for path in network.paths):
        return
    try:
        graph_of(copy.deepcopy(network.module).eval(), network.image)
    except CompactionError as error:
        warnings.warn(f"compact will not work: {error}", SwitchWarning, stacklevel=3)
