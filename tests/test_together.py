"""Seeds trained together come out as each would alone."""

import copy
from dataclasses import replace

import pytest
import torch

from snnlib.arms import Arm
from snnlib.config import SwitcherConfig, TrainConfig
from snnlib.data import Dataset
from snnlib.lab import records, runner, together
from snnlib.networks import MLP, lenet5_caffe, vgg_cov2
from snnlib.seeds import generator
from snnlib.switching.switched import Switched
from snnlib.training import loops as training
from snnlib.training.checks import DivergenceError, TrainingError
from snnlib.training.loops import State

SEEDS = (0, 1, 2)
CPU = torch.device("cpu")
SWITCHER = SwitcherConfig(channels=(2, 4))
METHODS = {
    "dense": training.train_dense,
    "alternating": training.train_alternating,
    "separate": training.train_separate,
}


def data_set(images=90):
    draw = torch.Generator().manual_seed(0)
    x = torch.randint(0, 256, (images, 1, 28, 28), generator=draw, dtype=torch.uint8)
    y = torch.randint(0, 10, (images,), generator=draw)
    return Dataset("noise", x, y, x[:40], y[:40], tuple("0123456789"))


def models(method, build=MLP, switcher=SWITCHER, through_switcher=True):
    networks = [build(generator=generator(seed, "network")).double() for seed in SEEDS]
    if method == "dense":
        return networks
    return [
        Switched.around(network, switcher, generator(seed, "switcher"), through_switcher)
        for network, seed in zip(networks, SEEDS)
    ]


def weights(model):
    return torch.cat([value.flatten() for value in model.state_dict().values()])


@pytest.mark.parametrize(
    "method, config",
    [
        ("dense", TrainConfig(epochs=2, clip_switcher=None)),
        ("alternating", TrainConfig(epochs=4)),
        ("alternating", TrainConfig(epochs=2, alternate="step", momentum=0.5, weight_decay=0.01)),
        (
            "alternating",
            TrainConfig(epochs=2, clip_switcher=None, clip_network=None, through_switcher=False, rate=0.01),
        ),
        (
            "alternating",
            TrainConfig(
                epochs=4,
                rate_switcher=0.03,
                momentum_switcher=0.9,
                turns=(1, 2),
                switcher_until=0.9,
                schedule="step",
                batch_size=32,
            ),
        ),
        ("separate", TrainConfig(epochs=2)),
    ],
    ids=["dense", "alternating", "by-step", "unclipped", "sides", "separate"],
)
def test_each_member_is_as_trained_alone(method, config):
    """90 images: the last batch of an epoch is smaller."""
    alone, members = (models(method, through_switcher=config.through_switcher) for _ in range(2))
    data = data_set()
    states = together.train(members, method, data, config, SEEDS)
    for seed, model, member, state in zip(SEEDS, alone, members, states):
        expected = METHODS[method](model, data, config, seed)
        torch.testing.assert_close(weights(member), weights(model), rtol=0, atol=1e-10)
        assert [row["phase"] for row in state.history] == [row["phase"] for row in expected.history]
        assert [row["accuracy"] for row in state.history] == [row["accuracy"] for row in expected.history]
        assert [row["loss"] for row in state.history] == pytest.approx(
            [row["loss"] for row in expected.history], abs=1e-10
        )
        assert state.marks == expected.marks
        for name in ("pruned", "off"):
            assert [row.get(name) for row in state.history] == [row.get(name) for row in expected.history]


@pytest.mark.parametrize(
    "changes",
    [
        {"reads": "nothing"},
        {"reads": "constants"},
        {"reads": "noise"},
        {"reads": "reordered"},
        {"upsample": "one-bias"},
        {"upsample": "resize"},
    ],
    ids=str,
)
def test_the_controls_too(changes):
    """Each member has its own order and its own noise."""
    data, config, switcher = data_set(), TrainConfig(epochs=2), replace(SWITCHER, **changes)
    alone, members = models("alternating", switcher=switcher), models("alternating", switcher=switcher)
    together.train(members, "alternating", data, config, SEEDS)
    for seed, model, member in zip(SEEDS, alone, members):
        training.train_alternating(model, data, config, seed)
        torch.testing.assert_close(weights(member), weights(model), rtol=0, atol=1e-10)


def test_convolutional_networks_too():
    data, alone, members = data_set(64), models("alternating", lenet5_caffe), models("alternating", lenet5_caffe)
    together.train(members, "alternating", data, TrainConfig(epochs=2, augment=True, normalize=True), SEEDS)
    for seed, model, member in zip(SEEDS, alone, members):
        training.train_alternating(model, data, TrainConfig(epochs=2, augment=True, normalize=True), seed)
        torch.testing.assert_close(weights(member), weights(model), rtol=0, atol=1e-10)


def test_float32_members_are_within_rounding():
    data, config = data_set(), TrainConfig(epochs=2)
    alone, members = ([model.float() for model in models("alternating")] for _ in range(2))
    together.train(members, "alternating", data, config, SEEDS)
    for seed, model, member in zip(SEEDS, alone, members):
        training.train_alternating(model, data, config, seed)
        torch.testing.assert_close(weights(member), weights(model), rtol=1e-4, atol=1e-4)


def test_what_is_interrupted_goes_on_as_if_it_had_not_been():
    data, config = data_set(), TrainConfig(epochs=4, momentum=0.5)
    whole, members = models("alternating"), models("alternating")
    together.train(whole, "alternating", data, config, SEEDS)
    kept = {}

    class Stop(Exception):
        pass

    def stop(member, state):
        kept[member] = copy.deepcopy(state)
        if member == 2 and state.epoch == 2:
            raise Stop

    with pytest.raises(Stop):
        together.train(members, "alternating", data, config, SEEDS, on_epoch=stop)
    states = together.train(members, "alternating", data, config, SEEDS, [kept[member] for member in range(3)])
    assert all(isinstance(state, State) and state.epoch == 4 for state in states)
    for one, other in zip(whole, members):
        assert torch.equal(weights(one), weights(other))


def test_a_member_that_diverges_leaves_the_others_alone():
    data, config, members, alone = data_set(), TrainConfig(epochs=2), models("dense"), models("dense")
    with torch.no_grad():
        members[1].layers[0].weight.fill_(torch.nan)
    states = together.train(members, "dense", data, config, SEEDS)
    assert isinstance(states[1], DivergenceError) and (states[1].epoch, states[1].step) == (0, 0)
    assert "layers.0.weight" in str(states[1]) and isinstance(states[1], TrainingError)
    training.train_dense(alone[2], data, config, 2)
    torch.testing.assert_close(weights(members[2]), weights(alone[2]), rtol=0, atol=1e-10)


def test_what_cannot_be_trained_together_is_refused():
    with pytest.raises(ValueError, match="batch norm cannot be trained together"):
        together.Together([vgg_cov2(batch_norm=True)], TrainConfig())
    with pytest.raises(ValueError, match=r"different epochs, \[0, 1, 0\]"):
        together.train(models("dense"), "dense", data_set(), TrainConfig(), SEEDS, [State(), State(epoch=1), State()])


def records_of(root, arm, profile="quick"):
    return {seed: records.read(records.path_of(arm, profile, seed, root)) for seed in SEEDS}


@pytest.mark.parametrize("method", ["dense", "alternating", "separate"])
def test_records_of_runs_trained_together_are_those_of_single_runs(tmp_path, method):
    train, switcher = TrainConfig(epochs=2, rate=0.05), SWITCHER if method != "dense" else None
    arm = Arm("arm", method, train=train, switcher=switcher, dense_epochs=1 if method == "separate" else 0)
    runner.run(arm, "quick", 1, tmp_path / "together", CPU, data_set())  # one of three is there already
    heard = []
    found = runner.run_together(
        arm, "quick", SEEDS, tmp_path / "together", CPU, data_set(), watch=lambda *row: heard.append(row[:3])
    )
    assert set(found) == set(SEEDS) and found == records_of(tmp_path / "together", arm)
    total = 3 if method == "separate" else 2
    assert sorted(heard) == [(seed, done, total) for seed in (0, 2) for done in range(1, total + 1)]
    for seed in SEEDS:
        alone = runner.run(arm, "quick", seed, tmp_path / "alone", CPU, data_set())
        assert set(found[seed]) == set(alone) and found[seed]["settings_hash"] == alone["settings_hash"]
        assert [row["loss"] for row in found[seed]["history"]] == pytest.approx(
            [row["loss"] for row in alone["history"]], abs=1e-4
        )
        assert found[seed]["result"]["widths"] == alone["result"]["widths"]
        assert records.weights_path(records.path_of(arm, "quick", seed, tmp_path / "together")).exists()


def test_runs_stopped_together_go_on_together_or_alone(tmp_path):
    arm = Arm("arm", "alternating", train=TrainConfig(epochs=3, momentum=0.5), switcher=SWITCHER)
    whole = runner.run_together(arm, "quick", SEEDS, tmp_path / "whole", CPU, data_set())
    for root, go_on in (("together", None), ("alone", 2)):
        with pytest.raises(runner.BudgetReached, match="after 1 of 3 epochs"):
            runner.run_together(arm, "quick", SEEDS, tmp_path / root, CPU, data_set(), deadline=0.0)
        if go_on is not None:  # this one gets on alone, so that the seeds stand at different epochs
            with pytest.raises(runner.BudgetReached):
                runner.run(arm, "quick", go_on, tmp_path / root, CPU, data_set(), deadline=0.0)
        found = runner.run_together(arm, "quick", SEEDS, tmp_path / root, CPU, data_set())
        for seed in SEEDS:
            losses, expected = ([row["loss"] for row in each[seed]["history"]] for each in (found, whole))
            assert losses == pytest.approx(expected, abs=0 if go_on is None else 1e-4)


def test_a_seed_that_fails_together_is_recorded_as_failed(tmp_path):
    arm = Arm("arm", "dense", train=TrainConfig(epochs=2, rate=1e30, clip_network=None))
    found = runner.run_together(arm, "quick", SEEDS, tmp_path, CPU, data_set())
    assert all(
        record["status"] == "failed" and record["error"]["type"] == "DivergenceError" for record in found.values()
    )


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA device")
@pytest.mark.parametrize("members", [1, 3])
def test_a_cuda_graph_computes_what_single_steps_do(monkeypatch, members):
    """20 steps and more of both phases, in float64, with momentum: the graph's warm-up leaves no trace."""
    data, config, found = data_set(1300).to("cuda"), replace(TrainConfig(epochs=2), momentum=0.5), []
    for graphs in ("0", "1"):
        monkeypatch.setenv("SNNLIB_GRAPHS", graphs)
        trained = [model.cuda() for model in models("alternating")[:members]]
        if members == 1:
            training.train_alternating(trained[0], data, config, 0)
        else:
            together.train(trained, "alternating", data, config, SEEDS)
        found.append(torch.cat([weights(model) for model in trained]))
    torch.testing.assert_close(*found, rtol=0, atol=1e-10)
