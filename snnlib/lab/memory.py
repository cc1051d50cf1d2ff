"""An estimate of the memory of a run before it starts: the networks of section 4 differ by a factor of a thousand.

One step of each kind is carried out on the meta device, where tensors have shapes but take no memory, and the bytes
that would be alive are counted. Workspaces of convolution libraries come on top; the benchmark ``benchmarks.memory``
compares the estimate with measured peaks.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only

from ..config import SwitcherConfig, TrainConfig
from ..data import scale
from ..networks import Network
from ..networks.specs import builder
from ..switching.switched import Switched
from ..training.judging import judged_at_once
from ..training.optimizers import optimizer
from ..training.steps import dense_step, network_step, switcher_step

STEPS: dict[str, Callable[..., object]] = {"dense": dense_step, "switcher": switcher_step, "network": network_step}
"""The phases: training without a switcher, and the two of Algorithm 1."""


class Alive(TorchDispatchMode):
    """Counts the bytes of all storages that operations made and that are still in use; ``peak`` is the most so far."""

    def __init__(self, *tensors: Tensor) -> None:
        super().__init__()
        self.now = self.peak = 0
        self.known: set[int] = set()
        for tensor in tensors:
            self.see(tensor)

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        made = func(*args, **(kwargs or {}))
        tree_map_only(Tensor, self.see, made)
        return made

    def see(self, tensor: Tensor) -> None:
        """Count the storage of ``tensor``, once, for as long as anything refers to it."""
        storage = tensor.untyped_storage()
        key: int = storage._cdata  # pyright: ignore[reportPrivateUsage]: meta storages have no other identity
        if key in self.known:
            return
        self.known.add(key)
        self.now += storage.nbytes()
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._forget, key, storage.nbytes())

    def _forget(self, key: int, size: int) -> None:
        self.known.discard(key)
        self.now -= size


def step_bytes(
    network: str,
    switcher: SwitcherConfig | None,
    phase: str,
    batch_size: int,
    image: tuple[int, int, int],
    classes: int,
    momentum: float = 0.0,
) -> int:
    """Peak bytes of one training step of ``phase``, a key of ``STEPS``: weights, gradients, activations, a batch."""
    model = _model(network, switcher, image, classes)
    trained = model
    if isinstance(model, Switched):
        trained = model.switcher_side() if phase == "switcher" else model.network
    sgd = optimizer(trained.parameters(), TrainConfig(momentum=momentum))
    x, y = torch.empty(batch_size, *image, device="meta"), torch.empty(batch_size, dtype=torch.long, device="meta")
    with Alive(x, y, *model.parameters(), *model.buffers()) as alive:
        STEPS[phase](model, sgd, x, y, TrainConfig.clip_network)
    return alive.peak


@torch.no_grad()
def evaluation_bytes(
    network: str, switcher: SwitcherConfig | None, image: tuple[int, int, int], classes: int, images: int
) -> int:
    """Peak bytes while the network judges ``images`` at once."""
    model = _model(network, switcher, image, classes).eval()
    with Alive(*model.parameters(), *model.buffers()) as alive:
        x = torch.empty(images, *image, dtype=torch.uint8, device="meta")
        model(scale(x))
    return alive.peak


def needed(
    network: str,
    switcher: SwitcherConfig | None,
    batch_size: int,
    image: tuple[int, int, int],
    classes: int,
    momentum: float = 0.0,
    evaluated: int | None = None,
) -> int:
    """Bytes that training ``network`` takes at its peak, beside the data set.

    ``network`` is a name that :func:`~snnlib.networks.specs.builder` knows.

    ``switcher`` is None for a dense run; ``image`` (channels, height, width). The larger of both phases' steps and of
    judging ``evaluated`` images at once, by default as many as :func:`~snnlib.training.judging.accuracy` does. Takes
    about a second for the deepest networks.
    """
    phases = ["dense"] if switcher is None else ["switcher", "network"]
    steps = [step_bytes(network, switcher, phase, batch_size, image, classes, momentum) for phase in phases]
    return max(*steps, evaluation_bytes(network, switcher, image, classes, evaluated or judged_at_once(image)))


def check(needed: int, device: torch.device, what: str) -> None:
    """Raise ``ValueError``, with a remedy, where the ``needed`` bytes of ``what`` are more than ``device`` has free."""
    free = free_bytes(device)
    if free is not None and needed > free:
        found = f"{what} needs about {needed / 2**30:.1f} GiB, {free / 2**30:.1f} GiB are free on {device}"
        raise ValueError(
            f"{found}: choose a smaller batch_size, fewer seeds --together or another device, or end what else runs "
            "there"
        )


def free_bytes(device: torch.device) -> int | None:
    """Bytes that this process may still take on ``device``; None where the system does not tell."""
    if device.type == "cuda":
        held = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)  # by torch, for later tensors
        return torch.cuda.mem_get_info(device)[0] + held
    found = [_system_free(Path("/proc/meminfo")), _container_free(Path("/sys/fs/cgroup"))]
    return min((each for each in found if each is not None), default=None)


def _system_free(meminfo: Path) -> int | None:
    """MemAvailable of Linux, in bytes."""
    if not meminfo.exists():
        return None
    lines = dict(line.split(":", 1) for line in meminfo.read_text(encoding="utf-8").splitlines())
    return int(lines["MemAvailable"].split()[0]) * 1024 if "MemAvailable" in lines else None


def _container_free(group: Path) -> int | None:
    """What a container's limit leaves, in bytes; cached pages of files count as free."""
    limit, used, kinds = (group / name for name in ("memory.max", "memory.current", "memory.stat"))
    if not (limit.exists() and used.exists() and kinds.exists()) or limit.read_text().strip() == "max":
        return None
    pages = dict(line.split() for line in kinds.read_text().splitlines())
    return int(limit.read_text()) - int(used.read_text()) + int(pages.get("inactive_file", 0))


def _model(
    network: str, switcher: SwitcherConfig | None, image: tuple[int, int, int], classes: int
) -> Network | Switched:
    """The task network, with its switchers unless ``switcher`` is None, on the meta device."""
    with torch.device("meta"):
        task = builder(network)(image, classes)
    if switcher is None:
        return task
    reads = "reordered" if switcher.reads == "shuffled" else switcher.reads  # the same tensors, and no order to look up
    # not calibrated: meta tensors hold no numbers
    return Switched.around(task, replace(switcher, calibrate=False, reads=reads), torch.Generator())
