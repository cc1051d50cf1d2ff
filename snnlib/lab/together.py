"""Several seeds of one arm trained together: their networks as one batch of networks (``torch.func``).

A step of a small network leaves an accelerator idle, so that eight of them take little longer than one. Each member
sees its own images in its own order, has its own gradient norm clipped, and comes out as its run alone would, up to
rounding; its state is saved and resumed alone.
"""

from __future__ import annotations

import copy
import functools
import time
from collections.abc import Callable, Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..config import Side, TrainConfig
from ..data import Dataset
from ..networks import Network
from ..switching.switched import Masked, Switched
from ..training import flow
from ..training.batches import Batches
from ..training.checks import TrainingError, check
from ..training.judging import accuracy, gate_counts
from ..training.loops import State, graphed
from ..training.optimizers import optimizer, restore_velocity, set_rate, velocity_of
from ..training.subnormal import flushing
from ..training.turns import check_turns, phase_of, rate_at

Model = Switched | Masked | Network
"""A module that can be trained together with others of its kind."""

OnEpoch = Callable[[int, State], None]
"""Called after each epoch for each member that still trains, with its index and its state."""


class Together:
    """The networks ``models``, all of one kind, as one: with switchers, or plain task networks.

    Raises ``ValueError`` for networks with batch norm, whose running statistics change outside of autograd, and for
    another precision than float32.
    """

    def __init__(self, models: Sequence[Model], config: TrainConfig) -> None:
        if any(isinstance(module, nn.BatchNorm2d) for module in models[0].modules()):
            raise ValueError("networks with batch norm cannot be trained together: train their seeds one by one")
        if config.precision != "float32":
            raise ValueError(
                f"precision={config.precision!r}: seeds train together in float32 only; train them one by one "
                "(--together 1)"
            )
        self.models, self.config = list(models), config
        self._template = _LossAndGates(copy.deepcopy(models[0]))
        stacked, self._buffers = torch.func.stack_module_state([_LossAndGates(model) for model in models])
        self._parameters = {name: value.detach().requires_grad_(True) for name, value in stacked.items()}
        switched = isinstance(models[0], Switched)
        self.sides: dict[Side, dict[str, Tensor]] = {"network": self._side("model.network." if switched else "model.")}
        if switched:
            self.sides["switcher"] = {
                name: value for name, value in self._parameters.items() if name not in self.sides["network"]
            }
        self.sgds: dict[Side, torch.optim.SGD] = {
            phase: optimizer(side.values(), config, phase) for phase, side in self.sides.items()
        }
        clips: dict[Side, float | None] = {"network": config.clip_network, "switcher": config.clip_switcher}
        self._steps = {
            phase: graphed(
                functools.partial(self._step, phase, clips[phase]), self._parameters.values(), self.sgds[phase]
            )
            for phase in self.sides
        }

    def _side(self, prefix: str) -> dict[str, Tensor]:
        return {name: value for name, value in self._parameters.items() if name.startswith(prefix)}

    def step(self, phase: Side, x: Tensor, y: Tensor, rate: float) -> Tensor:
        """One step of ``phase`` on images x (members, batch, ...) and labels y (members, batch); returns the losses."""
        set_rate(self.sgds[phase], rate)
        return self._steps[phase](x, y)[0]

    def _step(self, phase: Side, clip: float | None, x: Tensor, y: Tensor) -> tuple[Tensor, list[Tensor] | None]:
        for name, side in self.sides.items():
            for value in side.values():
                value.requires_grad_(name == phase)
        losses, gates = self._forward(x, y)
        self.sgds[phase].zero_grad()
        losses.sum().backward()  # the members share no parameter: each gets the gradient of its own loss
        if clip is not None:
            clip_each(list(self.sides[phase].values()), clip)
        self.sgds[phase].step()
        return losses.detach(), [gate.detach() for gate in gates]

    def _forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, list[Tensor]]:
        def one(parameters: dict[str, Tensor], buffers: dict[str, Tensor], x: Tensor, y: Tensor) -> object:
            return torch.func.functional_call(self._template, (parameters, buffers), (x, y))

        return cast(tuple[Tensor, list[Tensor]], torch.vmap(one)(self._parameters, self._buffers, x, y))

    @torch.no_grad()
    def unstack(self, index: int) -> Model:
        """The member ``index`` as it is now: the module that was given, with its weights of now."""
        own = dict(self.models[index].named_parameters())
        for name, value in self._parameters.items():
            own[name.removeprefix("model.")].copy_(value[index])
        return self.models[index]

    def velocity(self, index: int) -> dict[str, Tensor]:
        """Momentum buffers of the member ``index``, as :class:`~snnlib.training.loops.State` keeps them."""
        return {key: buffer[index].clone() for key, buffer in velocity_of(self.sgds).items()}

    def set_velocity(self, states: Sequence[State]) -> None:
        """Restore the momentum buffers of resumed members."""
        device = next(iter(self._parameters.values())).device
        stacked = {key: torch.stack([state.velocity[key].to(device) for state in states]) for key in states[0].velocity}
        for side, sgd in self.sgds.items():
            restore_velocity(side, sgd, stacked)


class _LossAndGates(nn.Module):
    """A model as a function of images and labels: its loss, and its factors."""

    model: Model

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, list[Tensor]]:
        if not isinstance(self.model, Switched):
            return F.cross_entropy(self.model(x), y), []
        gates = self.model.gates()
        return F.cross_entropy(self.model.network(x, gates), y), gates


def clip_each(parameters: Sequence[Tensor], largest: float) -> None:
    """Scale each member's gradient (members, ...) so that its norm over all ``parameters`` is at most ``largest``.

    For one member ``nn.utils.clip_grad_norm_`` does the same.
    """
    grads = [parameter.grad for parameter in parameters if parameter.grad is not None]
    norms = torch.stack([grad.flatten(1).norm(dim=1) for grad in grads]).norm(dim=0)
    factors = (largest / (norms + 1e-6)).clamp(max=1.0)
    for grad in grads:
        grad.mul_(factors.view(-1, *[1] * (grad.ndim - 1)))


@flushing()
def train(
    models: Sequence[Model],
    method: str,
    data: Dataset,
    config: TrainConfig,
    seeds: Sequence[int],
    states: Sequence[State] | None = None,
    on_epoch: OnEpoch | None = None,
    on_round: Callable[[], None] | None = None,
) -> list[State | TrainingError]:
    """Train ``models`` by "dense", "alternating" or "separate" as :mod:`snnlib.training.loops` trains one of them.

    ``states`` resumes, all from the same epoch. A member that diverges or dies gives its error in place of a state; the
    others go on. ``models`` hold the result. ``on_round`` is called after each epoch, when all members are saved.
    Raises ``ValueError`` where members stand at different epochs.
    """
    states = list(states) if states else [State() for _ in models]
    if len({state.epoch for state in states}) != 1:
        raise ValueError(
            f"members stand at different epochs, {[state.epoch for state in states]}: go on with them one by one"
        )
    if method == "alternating":
        check_turns(config)
    together = Together(models, config)
    errors: list[TrainingError | None] = [None] * len(models)
    together.set_velocity(states)
    feeds = [Batches(data, config, seed, next(models[0].parameters()).dtype) for seed in seeds]
    per_epoch = len(feeds[0])
    for model, state in zip(models, states):
        model.train()
        if isinstance(model, Switched) and not state.epoch:
            state.marks["start"] = flow.encode(model.gates())
    first_turn = config.turns[0] * (1 if config.alternate == "step" else per_epoch) if method == "alternating" else 0
    for epoch in range(states[0].epoch, config.epochs):
        began = time.perf_counter()
        steps: list[Tensor] = []
        phase: Side = "network"
        for index, batches in enumerate(zip(*(feed.epoch(states[0].first + epoch) for feed in feeds))):
            t = epoch * per_epoch + index
            if method == "alternating":
                phase = phase_of(config, t, per_epoch)
            else:
                phase = "switcher" if method == "separate" else "network"
            x, y = (torch.stack(each) for each in zip(*batches))
            steps.append(together.step(phase, x, y, rate_at(config, t / (config.epochs * per_epoch), phase)))
            if t + 1 == first_turn:
                for member, state in enumerate(states):
                    model = together.unstack(member)
                    if isinstance(model, Switched):
                        state.marks["first turn"] = flow.encode(model.gates())
        losses, seconds = torch.stack(steps), time.perf_counter() - began
        for member, state in enumerate(states):
            if errors[member] is not None:
                continue
            try:
                _end_epoch(
                    together,
                    member,
                    state,
                    losses[:, member],
                    data,
                    feeds[member],
                    phase,
                    method,
                    seconds / len(models),
                )
            except TrainingError as error:
                errors[member] = error
                continue
            if on_epoch is not None:
                on_epoch(member, state)
        if all(error is not None for error in errors):
            break
        if on_round is not None:
            on_round()
    return [error or state for error, state in zip(errors, states)]


def _end_epoch(
    together: Together,
    member: int,
    state: State,
    losses: Tensor,
    data: Dataset,
    feed: Batches,
    phase: Side,
    method: str,
    seconds: float,
) -> None:
    """Check one member as a run alone is checked, and add its row to its history."""
    model = together.unstack(member)
    network, gates = model, None
    if isinstance(model, Switched):
        network, gates = model.network, [gate.detach() for gate in model.gates()]
    broken = (~losses.isfinite()).nonzero()
    step = int(broken[0]) if len(broken) else len(losses) - 1
    check(model, gates, losses[step], state.epoch, step, phase, after_step=True)
    state.history.append(
        {
            "epoch": state.epoch,
            "phase": "both" if method == "alternating" and together.config.alternate == "step" else phase,
            "loss": float(losses.mean()),
            "accuracy": accuracy(network, gates, data.x_test, data.y_test, standard=feed.standard),
            "seconds": seconds,
        }
        | (gate_counts(gates) | {"off": flow.encode(gates)} if gates is not None else {})
    )
    state.velocity = together.velocity(member)
    state.epoch += 1
