"""Training: dense, alternating (Algorithm 1, SNN-AL) and separate (section 4.1.3, SNN-SL).

A loop returns numbers; it does not print, plot or save. Batch norm, where a network has it, runs in training mode in
both phases: the frozen side's parameters stay as they are bit by bit, but its running mean and variance follow the
activations, which the switcher's steps change.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from .. import seeds
from ..config import Side, TrainConfig
from ..data import Dataset
from ..networks import MLP, ConvNet, DeepNet, TaskNetwork
from ..optional import graphs
from ..switching.switched import Switched
from . import flow
from .batches import Batches
from .checks import Dead, check
from .fit import check_fit, check_read, check_switched, left_as_it_was, remark
from .judging import accuracy, gate_counts
from .optimizers import optimizer, restore_velocity, set_rate, velocity_of
from .steps import check_precision, dense_step, network_step, switcher_step
from .subnormal import flushing
from .turns import check_turns, phase_of, rate_at


@dataclass
class State:
    """Where a run stands: the next epoch, one row of numbers for each epoch that is done, the optimizers' velocities.

    A row of ``history`` holds "epoch" (from 0), "phase" (what the epoch trained: "switcher", "network", or "both" where
    they take turns by steps), "loss" (mean cross-entropy of its batches), "accuracy" (on the test images, from 0 to 1)
    and "seconds". With a switcher also "pruned", "weakened" and "strengthened", each a list with the number of factors
    that are 0, below 1, and 1 or above in every switched layer, and "off", which of them are 0
    (:func:`snnlib.training.flow.decode` reads it).

    ``marks`` holds which factors were 0 before the first step ("start") and after the switcher's first turn ("first
    turn"), as :func:`snnlib.training.flow.encode` writes them; rows of the history hold the same under "off". ``first``
    is the number of the first epoch's order of images: a second stage goes on where the first one ended. A state goes
    with the model that it was filled with: the weights are there alone.
    """

    epoch: int = 0
    history: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    # "switcher.3": momentum of its fourth parameter; "network.3.exp_avg": one of several that an optimizer keeps
    velocity: dict[str, Tensor] = field(default_factory=dict[str, Tensor])
    marks: dict[str, str] = field(default_factory=dict[str, str])
    first: int = 0
    seed: int | None = None  # of the run; None before its first epoch


OnEpoch = Callable[[State], None]
"""Called after each epoch with the state; it may save it, show it, or raise to stop the run.

Whatever it raises comes out of the training function. Pass a ``State()`` of your own as ``state``: it is filled as the
run goes on, and holds all epochs that were done when it was stopped.
"""

Step = Callable[[Tensor, Tensor], tuple[Tensor, list[Tensor] | None]]
"""Takes images and labels; returns the loss and the factors, None where there are none."""


def graphed(step: Step, tensors: Iterable[Tensor], sgd: torch.optim.SGD) -> Step:
    """``step`` as a CUDA graph where that is possible (:class:`snnlib.fast.graphs.Graphed`), else as it is."""
    return step if graphs is None else graphs.Graphed(step, tensors, sgd)


Stepped = tuple[str, Tensor, list[Tensor] | None]
"""What a step trained, its loss and its factors."""


def train_dense(
    network: nn.Module,
    data: Dataset,
    config: TrainConfig,
    seed: int,
    state: State | None = None,
    on_epoch: OnEpoch | None = None,
) -> State:
    """Train ``network`` alone for ``config.epochs`` epochs; ``state`` resumes.

    Raises :class:`.DivergenceError`, and ``ValueError`` where network and data do not fit each other.
    """
    check_read(config, network)
    check_fit(network, data, config)
    sgd = optimizer(network.parameters(), config)
    one = graphed(
        lambda x, y: dense_step(network, sgd, x, y, config.clip_network, config.precision),
        network.state_dict().values(),
        sgd,
    )

    def step(t: int, x: Tensor, y: Tensor, progress: float) -> Stepped:
        set_rate(sgd, rate_at(config, progress))
        return ("network", *one(x, y))

    with left_as_it_was(network):
        network.requires_grad_(True)
        return epochs(network, None, {"network": sgd}, step, data, config, seed, state, on_epoch)


def train_alternating(
    model: Switched,
    data: Dataset,
    config: TrainConfig,
    seed: int,
    state: State | None = None,
    on_epoch: OnEpoch | None = None,
) -> State:
    """Algorithm 1: switcher and task network by turns, each epoch or each step (``config.alternate``).

    Even t trains the switcher, odd t the task network, both by the task's loss alone; ``config.turns`` gives either
    side several t in a row. Raises :class:`.DivergenceError` or :class:`.DeadLayerError`, and ``ValueError`` where the
    task network would have no turn, or where network and data do not fit each other.
    """
    check_read(config, check_switched(model).network, model)
    check_turns(config)
    check_fit(model.network, data, config)
    sgds: dict[Side, torch.optim.SGD] = {
        "switcher": optimizer(model.switcher_side().parameters(), config, "switcher"),
        "network": optimizer(model.network.parameters(), config),
    }
    steps_per_epoch, changing = math.ceil(len(data.x_train) / config.batch_size), model.state_dict().values()
    steps: dict[Side, Step] = {
        "switcher": graphed(
            lambda x, y: switcher_step(model, sgds["switcher"], x, y, config.clip_switcher, config.precision),
            changing,
            sgds["switcher"],
        ),
        "network": graphed(
            lambda x, y: network_step(model, sgds["network"], x, y, config.clip_network, config.precision),
            changing,
            sgds["network"],
        ),
    }

    def step(t: int, x: Tensor, y: Tensor, progress: float) -> Stepped:
        phase = phase_of(config, t, steps_per_epoch)
        set_rate(sgds[phase], rate_at(config, progress, phase))
        return (phase, *steps[phase](x, y))

    with left_as_it_was(model):
        return epochs(model.network, model, sgds, step, data, config, seed, state, on_epoch)


def train_separate(
    model: Switched,
    data: Dataset,
    config: TrainConfig,
    seed: int,
    state: State | None = None,
    on_epoch: OnEpoch | None = None,
) -> State:
    """SNN-SL: train the switcher of an already trained task network, which stays frozen (section 4.1.3).

    Raises :class:`.DivergenceError` or :class:`.DeadLayerError`, and ``ValueError`` where network and data do not fit.
    """
    check_read(config, check_switched(model).network, model)
    check_fit(model.network, data, config)
    sgd = optimizer(model.switcher_side().parameters(), config, "switcher")
    one = graphed(
        lambda x, y: switcher_step(model, sgd, x, y, config.clip_switcher, config.precision),
        model.state_dict().values(),
        sgd,
    )

    def step(t: int, x: Tensor, y: Tensor, progress: float) -> Stepped:
        set_rate(sgd, rate_at(config, progress, "switcher"))
        return ("switcher", *one(x, y))

    with left_as_it_was(model):
        return epochs(model.network, model, {"switcher": sgd}, step, data, config, seed, state, on_epoch)


@flushing()
def epochs(
    network: nn.Module | TaskNetwork,
    model: Switched | None,
    sgds: Mapping[Side, torch.optim.Optimizer],
    step: Callable[[int, Tensor, Tensor, float], Stepped],
    data: Dataset,
    config: TrainConfig,
    seed: int,
    state: State | None,
    on_epoch: OnEpoch | None,
) -> State:
    """The loop that all ways of training share: batches, checks, one row of history an epoch.

    ``step`` takes the number of the step, images, labels and the share of the run that is over. What a network of
    another's making draws itself, for dropout, comes from ``seed`` and the epoch as well. Warns
    (:class:`.UntrainedWarning`) where nothing is learned.
    """
    state = state or State()
    if state.seed not in (None, seed):
        raise ValueError(f"seed={seed}: the state is of a run of seed {state.seed}; go on with that, or begin anew")
    state.seed = seed
    check_precision(config.precision, data.x_train.device)
    batches = Batches(data, config, seed, next(network.parameters()).dtype)
    for side, sgd in sgds.items():
        restore_velocity(side, sgd, state.velocity)
    device, per_epoch = data.x_train.device, len(batches)
    network.train()
    if model is not None and not state.epoch:
        state.marks["start"] = flow.encode(model.gates())
    alternating = model is not None and len(sgds) == 2
    first_turn = config.turns[0] * (1 if config.alternate == "step" else per_epoch) if alternating else 0
    # this library's networks draw nothing in their forward; any other may have dropout
    own = not (isinstance(network, MLP | ConvNet | DeepNet) or hasattr(network, "gates"))
    check_every = 1 if device.type == "cpu" else 50  # reading a loss waits for the accelerator, not for the CPU
    while state.epoch < config.epochs:
        began, dead = time.perf_counter(), Dead()
        losses: list[Tensor] = []
        index, phase = 0, ""
        with seeds.drawn(device, seed, "dropout", state.first + state.epoch) if own else contextlib.nullcontext():
            for index, (x, y) in enumerate(batches.epoch(state.first + state.epoch)):
                t = state.epoch * per_epoch + index
                phase, loss, gates = step(t, x, y, t / (config.epochs * per_epoch))
                losses.append(loss)
                if model is not None and t + 1 == first_turn:
                    state.marks["first turn"] = flow.encode(model.gates())
                if index % check_every == 0 or index == per_epoch - 1:
                    check(model or network, gates, loss, state.epoch, index, phase, dead=dead)
        gates = model.gates() if model else None
        if gates is not None:
            gates = [gate.detach() for gate in gates]
        check(model or network, gates, losses[-1], state.epoch, index, phase, after_step=True)
        row: dict[str, Any] = {
            "epoch": state.epoch,
            "phase": "both" if alternating and config.alternate == "step" else phase,
            "loss": float(torch.stack(losses).mean()),
            "accuracy": accuracy(network, gates, data.x_test, data.y_test, standard=batches.standard),
            "seconds": time.perf_counter() - began,
        }
        state.history.append(row | (gate_counts(gates) | {"off": flow.encode(gates)} if gates is not None else {}))
        state.velocity = velocity_of(sgds)
        state.epoch += 1
        remark(state.history, data, model is not None)
        if on_epoch is not None:
            on_epoch(state)
    return state
