"""Any module with a switcher: its layers are found, and it is trained and compacted as the library's own networks."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from ..config import SwitcherConfig
from ..networks.gated_module import GatedModule
from ..networks.protocol import METHODS
from ..seeds import generator
from .switched import Switched

EXAMPLE = (
    "switch(nn.Sequential(nn.Flatten(), nn.Linear(784, 100), nn.ReLU(), nn.Linear(100, 10)), torch.zeros(1, 1, 28, 28))"
)
"""A call that has all it needs; a test runs it."""


def switch(
    module: nn.Module,
    example_input: Tensor,
    config: SwitcherConfig = SwitcherConfig(),
    *,
    layers: Sequence[str] | None = None,
    seed: int = 0,
    through_switcher: bool = True,
) -> Switched:
    """``module`` with switchers that read its Linear and Conv2d layers (sections 3.3.1 and 3.3.2).

    ``example_input`` is a batch of images (images, channels, height, width) as ``module`` takes them, from which the
    way of its layers' outputs is traced. ``layers`` selects what is switched by name, None all that can be: a Conv2d
    has a factor a kernel, a Linear a factor an input, see :class:`~snnlib.networks.gated_module.GatedModule`, which
    also says why the factors are multiplied into weights. ``seed`` draws the switchers' weights; the module's own are
    as it came, so draw them by a seed of yours. The returned model holds the module itself, ``model.network.module``,
    and training changes its weights; ``model.network.switched`` and ``.refused`` name its layers.

    Then ``train_alternating(model, data, TrainConfig(), seed=0)``, and ``compact(model.network, model.gates())`` for a
    smaller module of the same class. Networks of this library, and any other
    :class:`~snnlib.networks.protocol.TaskNetwork`, are taken as they are.

    Raises ``TypeError`` where these are no module and no tensor, and ``ValueError`` where ``module`` cannot be run or
    traced on the example, where a named layer cannot be switched, with the reason, and where no layer can.
    """
    wrong: list[str] = []
    if not isinstance(module, nn.Module):
        wrong.append(f"a {type(module).__name__} is no nn.Module")
    if not isinstance(example_input, Tensor):
        wrong.append(f"a {type(example_input).__name__} is no batch of images")
    if wrong:
        raise TypeError(f"{' and '.join(wrong)}: {EXAMPLE}")
    draw = generator(seed, "switcher")
    if all(hasattr(module, name) for name in METHODS):
        if layers is not None:
            raise ValueError(f"layers={layers!r}: a {type(module).__name__} names its switched layers itself")
        return Switched.around(module, config, draw, through_switcher)  # pyright: ignore[reportArgumentType]
    return Switched.around(GatedModule(module, example_input, layers), config, draw, through_switcher)
