"""Training: what each phase changes and leaves, what stops a run, and what a seed decides."""

import copy
import itertools
import math
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from snnlib.compaction import compact
from snnlib.config import SwitcherConfig, TrainConfig
from snnlib.data import Dataset, scale
from snnlib.lab import together
from snnlib.networks import MLP, vgg_cov2
from snnlib.seeds import generator
from snnlib.switching.switched import Switched, dead_layers
from snnlib.training import batches, checks, flow, optimizers
from snnlib.training import loops as training
from snnlib.training.checks import DeadLayerError, DivergenceError
from snnlib.training.loops import State, train_alternating, train_dense, train_separate

WIDTHS = (16, 12, 8, 3)
SWITCHER = SwitcherConfig(initial_mean=1.0, initial_spread=0.5)


def images(count=40, classes=3, pixels=16, seed=0):
    """Images of noise, brighter where the class says, so that there is something to learn."""
    draw = torch.Generator().manual_seed(seed)
    labels = torch.randint(classes, (count,), generator=draw)
    noise = torch.randint(0, 100, (count, 1, 1, pixels), generator=draw)
    bright = 150 * (torch.arange(pixels) % classes == labels[:, None])
    x = (noise + bright[:, None, None]).to(torch.uint8)
    return Dataset("noise", x, labels, x[:20], labels[:20], tuple("abc"[:classes]))


DATA = images()


def dense(seed=0, widths=WIDTHS, fc_std=0.3):
    return MLP(widths, fc_std=fc_std, generator=generator(seed, "network")).double()


def switched(seed=0, widths=WIDTHS, through=True, config=SWITCHER):
    return Switched.around(dense(seed, widths), config, generator(seed, "switcher"), through)


def config_of(**changes):
    return TrainConfig(**{"epochs": 2, "batch_size": 16, **changes})


def copies(module):
    return {name: value.clone() for name, value in module.state_dict().items()}


def same(module, before):
    return all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


def batch(data=DATA, count=16):
    return scale(data.x_train[:count], torch.float64), data.y_train[:count]


def without_times(history):
    return [{key: value for key, value in row.items() if key != "seconds"} for row in history]


LOOPS = pytest.mark.parametrize(
    "train, make", [(train_dense, dense), (train_alternating, switched), (train_separate, switched)]
)


# --- the two phases


@pytest.mark.parametrize("through", [True, False])
def test_each_phase_changes_one_side_and_leaves_the_other_bit_for_bit(through):
    model, (x, y) = switched(through=through), batch()
    for step, frozen, trained in (
        (training.switcher_step, model.network, model.switcher),
        (training.network_step, model.switcher, model.network),
        (training.switcher_step, model.network, model.switcher),
    ):
        fixed, moving = copies(frozen), copies(trained)
        sgd = torch.optim.SGD(trained.parameters(), lr=0.1, momentum=0.9, weight_decay=0.1)
        for _ in range(3):
            step(model, sgd, x, y, None)
        assert same(frozen, fixed) and not same(trained, moving)
        assert not any(p.requires_grad for p in frozen.parameters()) and all(
            p.requires_grad for p in trained.parameters()
        )


def test_phases_differ_only_in_what_steps():
    """From the same point both see the same loss and factors, and step along parts of one and the same gradient."""
    (x, y), model = batch(), switched()
    whole = copy.deepcopy(model)
    loss = F.cross_entropy(whole(x), y)
    loss.backward()
    for step, side in ((training.switcher_step, "switcher"), (training.network_step, "network")):
        now = copy.deepcopy(model)
        trained = getattr(now, side)
        found, gates = step(now, torch.optim.SGD(trained.parameters(), lr=1.0), x, y, None)
        assert found == loss.detach() and all(torch.equal(a, b) for a, b in zip(gates, model.gates()))
        for after, before, reference in zip(
            trained.parameters(), getattr(model, side).parameters(), getattr(whole, side).parameters()
        ):
            torch.testing.assert_close(before - after, reference.grad, rtol=0, atol=1e-12)


def test_cutting_the_second_term_leaves_the_gradient_at_constant_factors():
    (x, y), model = batch(), switched(through=False)
    network = copy.deepcopy(model.network)
    gates = [gate.detach() for gate in model.gates()]
    F.cross_entropy(network(x, gates), y).backward()
    before = copy.deepcopy(model.network)
    training.network_step(model, torch.optim.SGD(model.network.parameters(), lr=1.0), x, y, None)
    for after, start, reference in zip(model.network.parameters(), before.parameters(), network.parameters()):
        torch.testing.assert_close(start - after, reference.grad, rtol=0, atol=1e-12)


def test_the_second_term_is_the_factors_gradient_through_the_switcher():
    """Whole gradient = gradient at constant factors + (d loss / d factors) carried back through the switcher."""
    (x, y), model = batch(), switched()
    gates = model.gates()
    constant = [gate.detach().requires_grad_() for gate in gates]
    first = torch.autograd.grad(
        F.cross_entropy(model.network(x, constant), y), [layer.weight for layer in model.network.layers] + constant
    )
    weights, to_factors = first[: len(WIDTHS) - 1], first[len(WIDTHS) - 1 :]
    second = torch.autograd.grad(gates, [layer.weight for layer in model.network.layers], to_factors)
    before = copy.deepcopy(model.network)
    training.network_step(model, torch.optim.SGD(model.network.parameters(), lr=1.0), x, y, None)
    for after, start, a, b in zip(model.network.layers, before.layers, weights, second):
        torch.testing.assert_close(start.weight - after.weight, a + b, rtol=0, atol=1e-12)
        assert b.abs().max() > 1e-6


@pytest.mark.parametrize("step, side", [(training.switcher_step, "switcher"), (training.network_step, "network")])
def test_clipping_bounds_the_step_and_keeps_its_direction(step, side):
    (x, y), model, moves = batch(), switched(), {}
    for clip in (None, 1e-3, 1e6):
        now = copy.deepcopy(model)
        step(now, torch.optim.SGD(getattr(now, side).parameters(), lr=1.0), x, y, clip)
        pairs = zip(getattr(model, side).parameters(), getattr(now, side).parameters())
        moves[clip] = torch.cat([(before - after).detach().flatten() for before, after in pairs])
    assert moves[None].norm() > 1e-3
    assert math.isclose(moves[1e-3].norm(), 1e-3, rel_tol=1e-3)
    torch.testing.assert_close(moves[1e-3] / moves[1e-3].norm(), moves[None] / moves[None].norm(), rtol=0, atol=1e-6)
    assert torch.equal(moves[1e6], moves[None])


def test_dense_step_is_gradient_descent_written_by_hand():
    network, (x, y) = dense(), batch()
    weights = [(layer.weight.detach().clone(), layer.bias.detach().clone()) for layer in network.layers]
    hidden, inputs = x.flatten(1), []
    for index, (weight, bias) in enumerate(weights):
        inputs.append(hidden)
        hidden = hidden @ weight.t() + bias
        hidden = hidden.clamp(min=0) if index < len(weights) - 1 else hidden
    delta = (torch.softmax(hidden, 1) - F.one_hot(y, 3)) / len(y)
    training.dense_step(network, torch.optim.SGD(network.parameters(), lr=0.1), x, y, None)
    for index in reversed(range(len(weights))):
        weight, bias = weights[index]
        layer = network.layers[index]
        torch.testing.assert_close(
            layer.weight, nn.Parameter(weight - 0.1 * delta.t() @ inputs[index]), rtol=0, atol=1e-12
        )
        torch.testing.assert_close(layer.bias, nn.Parameter(bias - 0.1 * delta.sum(0)), rtol=0, atol=1e-12)
        delta = (delta @ weight) * (inputs[index] > 0)


# --- the loop


def watched(monkeypatch):
    """Which phase each step is of, with the rate and the images it used."""
    seen = []
    for name in ("switcher_step", "network_step", "dense_step"):

        def wrapper(model, sgd, x, y, clip, precision="float32", *, name=name, step=getattr(training, name)):
            seen.append((name, sgd.param_groups[0]["lr"], x.clone(), clip))
            return step(model, sgd, x, y, clip, precision)

        monkeypatch.setattr(training, name, wrapper)
    return seen


@pytest.mark.parametrize(
    "alternate, turns", [("epoch", [0, 0, 0, 1, 1, 1, 0, 0, 0]), ("step", [0, 1, 0, 1, 0, 1, 0, 1, 0])]
)
def test_t_counts_epochs_or_steps_and_even_t_trains_the_switcher(monkeypatch, alternate, turns):
    seen = watched(monkeypatch)
    state = train_alternating(switched(), DATA, config_of(epochs=3, alternate=alternate), 0)
    assert [name for name, *_ in seen] == [("switcher_step", "network_step")[turn] for turn in turns]
    assert [row["phase"] for row in state.history] == (
        ["switcher", "network", "switcher"] if alternate == "epoch" else ["both"] * 3
    )


def test_alternating_by_epoch_leaves_the_frozen_side_alone_for_the_whole_epoch():
    model, points = switched(), []
    points.append((copies(model.network), copies(model.switcher)))
    train_alternating(
        model,
        DATA,
        config_of(epochs=3),
        0,
        on_epoch=lambda state: points.append((copies(model.network), copies(model.switcher))),
    )
    for epoch, (before, after) in enumerate(itertools.pairwise(points)):
        moved = [any(not torch.equal(a[name], b[name]) for name in a) for a, b in zip(before, after)]
        assert moved == ([False, True] if epoch % 2 == 0 else [True, False])


def test_separate_training_never_touches_the_task_network():
    model = switched()
    network, switcher = copies(model.network), copies(model.switcher)
    state = train_separate(model, DATA, config_of(epochs=2), 0)
    assert same(model.network, network) and not same(model.switcher, switcher)
    assert [row["phase"] for row in state.history] == ["switcher", "switcher"]


def test_each_side_is_clipped_by_its_own_setting(monkeypatch):
    seen = watched(monkeypatch)
    config = config_of(clip_switcher=0.5, clip_network=None, alternate="step")
    train_alternating(switched(), DATA, config, 0)
    train_dense(dense(), DATA, replace(config, clip_network=0.25), 0)
    assert {(name, clip) for name, _, _, clip in seen} == {
        ("switcher_step", 0.5),
        ("network_step", None),
        ("dense_step", 0.25),
    }


@pytest.mark.parametrize("schedule", ["cosine", "constant"])
def test_rate_falls_along_a_cosine_over_all_steps_or_stays(monkeypatch, schedule):
    seen = watched(monkeypatch)
    train_alternating(switched(), DATA, config_of(epochs=4, rate=0.2, schedule=schedule), 0)
    expected = [0.2 if schedule == "constant" else 0.1 * (1 + math.cos(math.pi * t / 12)) for t in range(12)]
    assert [rate for _, rate, *_ in seen] == pytest.approx(expected, rel=1e-12)
    assert training.rate_at(config_of(), 0.5) == pytest.approx(0.05) and training.rate_at(
        config_of(), 1.0
    ) == pytest.approx(0.0)


def test_each_side_has_its_own_rate_momentum_and_decay(monkeypatch):
    seen = watched(monkeypatch)
    config = config_of(
        alternate="step",
        schedule="constant",
        rate=0.2,
        rate_switcher=0.05,
        momentum=0.9,
        momentum_switcher=0.0,
        weight_decay=0.1,
    )
    train_alternating(switched(), DATA, config, 0)
    assert {(name, rate) for name, rate, *_ in seen} == {("switcher_step", 0.05), ("network_step", 0.2)}
    groups = {
        side: optimizers.optimizer(dense().parameters(), config, side).param_groups[0]
        for side in ("network", "switcher")
    }
    assert {side: (group["lr"], group["momentum"], group["weight_decay"]) for side, group in groups.items()} == {
        "network": (0.2, 0.9, 0.1),
        "switcher": (0.05, 0.0, 0.1),
    }


def test_a_resumed_velocity_lies_as_its_parameter_does():
    """Files keep no strides, and a fused optimizer goes through memory as it comes."""
    weight = torch.randn(4, 3, 3, 3).to(memory_format=torch.channels_last)
    buffer = torch.randn(4, 3, 3, 3)
    laid = optimizers.laid_out_as(weight, buffer)
    assert laid.stride() == weight.stride() != buffer.stride() and torch.equal(laid, buffer)


def test_rate_falls_by_steps(monkeypatch):
    seen = watched(monkeypatch)
    train_dense(dense(), DATA, config_of(epochs=4, rate=0.2, schedule="step", milestones=(0.25, 0.75)), 0)
    assert [rate for _, rate, *_ in seen] == pytest.approx([0.2] * 3 + [0.02] * 6 + [0.002] * 3)


@pytest.mark.parametrize(
    "changes, expected",
    [
        ({}, "sss nnn sss nnn"),
        ({"turns": (1, 3)}, "sss nnn nnn nnn"),
        ({"turns": (3, 1)}, "sss sss sss nnn"),
        ({"turns": (2, 2)}, "sss sss nnn nnn"),
        ({"alternate": "step"}, "sns nsn sns nsn"),
        ({"alternate": "step", "turns": (2, 1)}, "ssn ssn ssn ssn"),
        ({"alternate": "step", "turns": (4, 2)}, "sss snn sss snn"),
        ({"switcher_until": 0.5}, "sss nnn nnn nnn"),
        ({"alternate": "step", "switcher_until": 0.25}, "sns nnn nnn nnn"),
        ({"switcher_until": 0.75}, "sss nnn sss nnn"),
    ],
)
def test_turns_of_any_length_and_a_switcher_that_stops_learning(monkeypatch, changes, expected):
    """Twelve steps, three an epoch; s and n say who steps."""
    seen = watched(monkeypatch)
    train_alternating(switched(), DATA, config_of(epochs=4, **changes), 0)
    assert "".join(name[0] for name, *_ in seen) == expected.replace(" ", "")


@pytest.mark.parametrize("changes", [{"epochs": 1}, {"epochs": 3, "turns": (3, 1)}])
def test_a_run_in_which_the_task_network_has_no_turn_is_refused(changes):
    for train in (
        lambda *run: train_alternating(switched(), *run),
        lambda *run: together.train([switched()], "alternating", *run[:2], [run[2]]),
    ):
        with pytest.raises(ValueError, match="the task network would never be trained; give at least"):
            train(DATA, config_of(**changes), 0)


@pytest.mark.parametrize("changes, turn", [({}, 3), ({"alternate": "step", "turns": (2, 1)}, 2)])
def test_what_is_off_is_noted_at_the_start_after_the_first_turn_and_after_each_epoch(changes, turn):
    model, config = switched(), config_of(epochs=2, **changes)
    first, steps = [(gate == 0).tolist() for gate in model.gates()], []

    def watch(step):
        def watched_step(*arguments):
            found = step(*arguments)
            steps.append([(gate == 0).tolist() for gate in model.gates()])
            return found

        return watched_step

    with pytest.MonkeyPatch.context() as patch:
        for name in ("switcher_step", "network_step"):
            patch.setattr(training, name, watch(getattr(training, name)))
        state = train_alternating(model, DATA, config, 0)

    def read(text):
        return [layer.tolist() for layer in flow.decode(text, WIDTHS[:-1])]

    assert list(state.marks) == ["start", "first turn"]
    assert read(state.marks["start"]) == first and read(state.marks["first turn"]) == steps[turn - 1]
    assert [read(row["off"]) for row in state.history] == [steps[2], steps[5]]
    assert all([sum(layer) for layer in read(row["off"])] == row["pruned"] for row in state.history)


def test_batch_norm_s_running_statistics_follow_both_phases_and_nothing_else_of_the_frozen_network_moves():
    """The promise of the module's docstring: parameters stay bit for bit; the running mean is a measurement, and goes
    on."""
    network = vgg_cov2((3, 8, 8), batch_norm=True, generator=generator(0, "network"))
    model, x, y = (
        Switched.around(network, SWITCHER, generator(0, "switcher")),
        torch.rand(4, 3, 8, 8),
        torch.tensor([0, 1, 2, 3]),
    )
    before = copies(network)
    training.switcher_step(model, torch.optim.SGD(model.switcher_side().parameters(), lr=0.1), x, y, None)
    moved = {name for name, value in network.state_dict().items() if not torch.equal(value, before[name])}
    assert moved == {
        f"norms.{index}.{name}" for index in (0, 1) for name in ("running_mean", "running_var", "num_batches_tracked")
    }


def test_every_epoch_visits_every_image_once_in_an_order_that_the_seed_decides():
    for epoch in range(3):
        order = batches.order(4, epoch, 50)
        assert sorted(order.tolist()) == list(range(50)) and torch.equal(order, batches.order(4, epoch, 50))
    assert not torch.equal(batches.order(4, 0, 50), batches.order(4, 1, 50))
    assert not torch.equal(batches.order(4, 0, 50), batches.order(5, 0, 50))


def test_arms_of_one_seed_see_the_same_batches(monkeypatch):
    seen = watched(monkeypatch)
    train_dense(dense(7), DATA, config_of(), 7)
    train_alternating(switched(7), DATA, config_of(alternate="step"), 7)
    train_separate(switched(7), DATA, config_of(), 7)
    first, *others = [[x for _, _, x, _ in seen[start : start + 6]] for start in (0, 6, 12)]
    assert (
        len(seen) == 18 and [len(x) for x in first] == [16, 16, 8] * 2
    )  # the last batch of an epoch holds what is left
    assert all(torch.equal(a, b) for other in others for a, b in zip(first, other))


def test_streams_of_one_seed_are_their_own():
    draws = {
        (seed, stream, index): torch.rand(1, generator=generator(seed, stream, index)).item()
        for seed in (0, 1)
        for stream in ("network", "switcher", "order")
        for index in (0, 1)
    }
    assert len(set(draws.values())) == len(draws)
    with pytest.raises(ValueError, match="whole number"):
        generator(-1, "network")


@LOOPS
def test_same_seed_gives_the_same_bits_whatever_the_global_state(train, make):
    runs = []
    for run in range(2):
        torch.manual_seed(run)
        model = make(5)
        state = train(model, DATA, config_of(momentum=0.5), 5)
        runs.append((copies(model), without_times(state.history)))
    assert same(model, runs[0][0]) and runs[0][1] == runs[1][1]
    other = make(6)
    train(other, DATA, config_of(momentum=0.5), 6)
    assert not same(other, runs[0][0])


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA device")
@LOOPS
def test_the_accelerator_trains_as_the_cpu_does(train, make):
    here, there = make(5), make(5).to("cuda")
    train(here, DATA, config_of(), 5)
    train(there, DATA.to("cuda"), config_of(), 5)
    for a, b in zip(here.parameters(), there.parameters()):
        torch.testing.assert_close(a, b.cpu(), rtol=0, atol=1e-8)


@LOOPS
@pytest.mark.parametrize("stop", [1, 2, 3])
def test_resumed_run_ends_in_the_same_bits(train, make, stop):
    class Stopped(Exception):
        pass

    config, kept = config_of(epochs=4, momentum=0.9), {}

    def stopping(state):
        if state.epoch == stop:
            kept.update(
                model=copies(model),
                state=State(state.epoch, list(state.history), {k: v.clone() for k, v in state.velocity.items()}),
            )
            raise Stopped

    whole = make(2)
    straight = train(whole, DATA, config, 2)
    model = make(2)
    with pytest.raises(Stopped):
        train(model, DATA, config, 2, on_epoch=stopping)
    again = make(2)
    again.load_state_dict(kept["model"])
    resumed = train(again, DATA, config, 2, kept["state"])
    assert same(again, copies(whole)) and without_times(resumed.history) == without_times(straight.history)


def test_history_says_what_happened_to_every_factor():
    model = switched(config=SwitcherConfig(initial_mean=0.8, initial_spread=0.8))
    row = train_alternating(model, DATA, config_of(epochs=2), 0).history[-1]
    gates = model.gates()
    counts = [row[key] for key in ("pruned", "weakened", "strengthened")]
    assert [sum(layer) for layer in zip(*counts)] == list(WIDTHS[:-1])
    assert row["pruned"] == [int((gate == 0).sum()) for gate in gates]
    assert row["weakened"] == [int(((gate > 0) & (gate < 1)).sum()) for gate in gates]
    assert sum(row["pruned"]) > 0 and sum(row["weakened"]) > 0 and sum(row["strengthened"]) > 0
    right = model(scale(DATA.x_test, torch.float64)).argmax(1) == DATA.y_test
    assert row["accuracy"] == pytest.approx(float(right.double().mean())) and row["epoch"] == 1


def test_training_learns():
    config = config_of(epochs=20, rate=0.5)
    for state in (train_dense(dense(), DATA, config, 0), train_alternating(switched(), DATA, config, 0)):
        assert state.history[-1]["accuracy"] == 1.0 and state.history[-1]["loss"] < 0.5 * state.history[0]["loss"]


def test_accuracy_is_the_same_whatever_the_batch():
    network = dense()
    found = {training.accuracy(network, None, DATA.x_train, DATA.y_train, batch=size) for size in (1, 7, 40, 1000)}
    assert len(found) == 1
    right = network(scale(DATA.x_train, torch.float64)).argmax(1) == DATA.y_train
    assert found == {int(right.sum()) / 40}


# --- what stops a run


def test_divergence_names_its_place():
    config = config_of(rate=1e200, schedule="constant", clip_network=None, clip_switcher=None)
    with pytest.raises(DivergenceError) as caught:
        train_dense(dense(), DATA, config, 0)
    error = caught.value
    assert (error.epoch, error.phase) == (0, "network") and error.step in (1, 2)
    assert f"epoch 0, step {error.step}, network phase, {error.layer}" in str(error)


@pytest.mark.parametrize("broken", ["network.layers.1.weight", "network.layers.2.bias"])
def test_divergence_names_the_layer_that_broke(broken):
    model = switched()
    with torch.no_grad():
        model.get_parameter(broken).view(-1)[0] = float("inf" if "bias" in broken else "nan")
    with pytest.raises(DivergenceError, match=f"epoch 0, step 0, switcher phase, {broken}") as caught:
        train_alternating(model, DATA, config_of(), 0)
    assert (caught.value.epoch, caught.value.step, caught.value.phase, caught.value.layer) == (0, 0, "switcher", broken)


@pytest.mark.parametrize("broken", ["layers.1.weight", "layers.2.bias"])
def test_divergence_of_the_side_that_trains_names_the_layer_that_broke(broken):
    """The step that would spread NaN to every layer is not taken."""
    network = dense()
    with torch.no_grad():
        network.get_parameter(broken).view(-1)[0] = float("inf")
    before = copies(network)
    with pytest.raises(DivergenceError, match=f"epoch 0, step 0, network phase, {broken}"):
        train_dense(network, DATA, config_of(), 0)
    assert same(network, before)


@pytest.mark.parametrize("train", [train_alternating, train_separate])
def test_divergence_in_the_switcher_names_its_layer(train):
    model = switched()
    with torch.no_grad():
        model.switcher.bottom.bias[0] = float("nan")
    with pytest.raises(DivergenceError, match="epoch 0, step 0, switcher phase, switcher.bottom.bias"):
        train(model, DATA, config_of(), 0)


@pytest.mark.parametrize(
    "train, make, function, part",
    [
        (train_dense, dense, "dense_step", "layers.1.bias"),
        (train_separate, switched, "switcher_step", "switcher.bottom.bias"),
    ],
)
def test_divergence_with_the_last_step_is_found_at_the_end_of_the_epoch(monkeypatch, train, make, function, part):
    """No later loss shows it, and NaN factors are no dead layer."""
    model, step = make(), getattr(training, function)

    def poisonous(*arguments):
        found = step(*arguments)
        with torch.no_grad():
            model.get_parameter(part).fill_(float("nan"))
        return found

    monkeypatch.setattr(training, function, poisonous)
    with pytest.raises(DivergenceError, match=f"epoch 0, step 0, (network|switcher) phase, {part}"):
        train(model, DATA, config_of(batch_size=40, epochs=1), 0)


def test_divergence_in_a_later_epoch_is_told_as_such():
    """The switcher's epoch is tame, the task network's is not."""
    model, config = switched(), config_of(alternate="epoch", clip_network=None, schedule="constant", epochs=4)

    def blow_up(state):
        if state.epoch == 1:
            with torch.no_grad():
                model.network.layers[0].weight[0, 0] = float("nan")

    with pytest.raises(DivergenceError, match="epoch 1, step 0, network phase, network.layers.0.weight"):
        train_alternating(model, DATA, config, 0, on_epoch=blow_up)


@pytest.mark.parametrize("dead", [0, 1, 2])
def test_dead_layer_is_named(dead):
    """At the end of an epoch, or sooner after so many steps."""
    for batch_size, message in (
        (16, "every factor became 0 .epoch 0, step 2"),
        (4, "every factor stayed 0 for 5 steps .epoch 0, step 5"),
    ):
        model = switched()
        with torch.no_grad():
            model.switcher.head.bias[dead] = -1e6
        with (
            pytest.MonkeyPatch.context() as patch,
            pytest.raises(DeadLayerError, match=f"{message}, switcher phase, layer {dead}") as caught,
        ):
            patch.setattr(checks, "PATIENCE", 5)
            train_alternating(model, DATA, config_of(batch_size=batch_size), 0)
        assert caught.value.layer == f"layer {dead}" and dead_layers(model.gates()) == [dead]


def test_a_layer_that_lives_again_is_no_dead_layer(monkeypatch):
    model, step, calls = switched(), training.switcher_step, []

    def briefly_deadly(*arguments):
        calls.append(step(*arguments))
        with torch.no_grad():
            model.switcher.head.bias[1] += {2: -1e6, 5: 1e6}.get(len(calls), 0.0)
        return calls[-1]

    monkeypatch.setattr(training, "switcher_step", briefly_deadly)
    train_separate(model, DATA, config_of(batch_size=4, epochs=1), 0)
    dead = [bool((gates[1] == 0).all()) for _, gates in calls]
    assert dead == [False, False, True, True, True, False, False, False, False, False]


def test_layer_that_dies_with_the_last_step_is_found_at_the_end_of_the_epoch(monkeypatch):
    """The factors of a step are those before it: after the last one they are looked at once more."""
    model, step = switched(), training.switcher_step

    def deadly(*arguments):
        found = step(*arguments)
        with torch.no_grad():
            model.switcher.head.bias[1] = -1e6
        return found

    monkeypatch.setattr(training, "switcher_step", deadly)
    with pytest.raises(DeadLayerError, match="layer 1"):
        train_separate(model, DATA, config_of(batch_size=40, epochs=1), 0)


@LOOPS
def test_batch_larger_than_the_data_is_refused(train, make):
    with pytest.raises(ValueError, match="batch_size=41 is larger than the data set: noise has 40 training images"):
        train(make(), DATA, config_of(batch_size=41), 0)
    assert len(train(make(), DATA, config_of(batch_size=40, epochs=1, alternate="step"), 0).history) == 1


@pytest.mark.parametrize(
    "widths", [(16, 3), (16, 1, 3), (16, 40, 3), (16, 1, 30, 2)], ids=["one layer", "one neuron", "wider", "both"]
)
@pytest.mark.parametrize("alternate", ["step", "epoch"])
def test_odd_networks_train_and_compact_exactly(widths, alternate):
    data = images(16, classes=widths[-1])
    model = switched(3, widths)
    start = copies(model)
    state = train_alternating(model, data, config_of(epochs=2, batch_size=16, alternate=alternate), 3)  # two steps
    assert state.epoch == 2 and not same(model, start)
    x = scale(data.x_test, torch.float64)
    torch.testing.assert_close(compact(model.network, model.gates())(x), model(x), rtol=0, atol=1e-10)
    network = dense(3, widths)
    assert train_dense(network, data, config_of(batch_size=8, epochs=1), 3).epoch == 1
