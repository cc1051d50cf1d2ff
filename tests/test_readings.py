"""Controls: what a switcher is fed instead of the weights, images that are rearranged, and networks that are pruned
otherwise."""

from dataclasses import replace

import pytest
import tiny
import torch

from snnlib import config, data
from snnlib.arms import Arm, Pruning
from snnlib.config import READS, SwitcherConfig, TrainConfig
from snnlib.lab import building, memory, records, runner, trained, workers
from snnlib.networks import MLP, NETWORKS
from snnlib.seeds import generator
from snnlib.switching.switched import Switched
from snnlib.training.loops import train_alternating

CPU = torch.device("cpu")
WIDTHS = (12, 9, 7, 3)


def switched(reads, seed=0, through=True, **settings):
    network = MLP(WIDTHS, fc_std=0.3, generator=generator(seed, "network")).double()
    return Switched.around(
        network, SwitcherConfig(channels=(2, 4), reads=reads, **settings), generator(seed, "switcher"), through
    )


def change_weights(model):
    with torch.no_grad():
        for weight in model.network.linear_weights():
            weight.add_(torch.randn(weight.shape, generator=torch.Generator().manual_seed(1), dtype=weight.dtype))


def gates(model):
    with torch.no_grad():
        return torch.cat(model.gates())


@pytest.mark.parametrize("reads", READS)
def test_only_a_switcher_that_reads_weights_answers_to_them(reads):
    model = switched(reads)
    before = gates(model)
    change_weights(model)
    assert torch.equal(before, gates(model)) == (reads in ("constants", "noise", "nothing"))


@pytest.mark.parametrize("reads", READS)
def test_every_control_starts_with_the_mean_and_spread_of_the_settings(reads):
    model = switched(reads, initial_mean=5.0, initial_spread=0.5)  # so far above 0 that the ReLU cuts nothing
    with torch.no_grad():
        for gate in model.gates():
            assert gate.mean().item() == pytest.approx(5.0, abs=0.5 if reads == "nothing" else 1e-6)
            assert gate.std(correction=0).item() == pytest.approx(0.5, abs=0.25 if reads == "nothing" else 1e-6)


@pytest.mark.parametrize("reads", ["constants", "noise", "nothing"])
def test_what_does_not_read_the_weights_sends_them_no_gradient(reads):
    model, plain = switched(reads), switched("weights")
    for each, expected in ((model, False), (plain, True)):
        torch.cat(each.gates()).sum().backward()
        assert (
            any(weight.grad is not None and bool(weight.grad.any()) for weight in each.network.parameters()) == expected
        )


def test_reordered_rows_come_back_to_the_neuron_they_were_read_from():
    """Exchanging two neurons of the network exchanges the factors that a switcher gives them only up to its position;
    undo the order by hand and the two agree exactly."""
    model = switched("reordered")
    orders = [getattr(model.reading, f"order{index}") for index in range(3)]
    assert any(not torch.equal(order, torch.arange(len(order))) for order in orders)
    by_hand = Switched(MLP(WIDTHS).double(), model.switcher)
    with torch.no_grad():
        for target, source, order in zip(by_hand.network.linear_weights(), model.network.linear_weights(), orders):
            target.copy_(source[order])
        for index, (found, expected) in enumerate(zip(model.gates(), by_hand.gates())):
            assert torch.equal(found[orders[index]], expected)


def test_rows_are_shuffled_anew_at_each_step_but_not_by_a_look():
    model = switched("shuffled")
    seen = [torch.cat(model.gates()).detach() for _ in range(3)]
    assert not torch.equal(seen[0], seen[1]) and not torch.equal(seen[1], seen[2])
    assert torch.equal(gates(model), gates(model)) and torch.equal(gates(model), seen[2])
    again = switched("shuffled")
    again.load_state_dict(model.state_dict())
    assert torch.equal(torch.cat(again.gates()), torch.cat(model.gates())), (
        "a resumed run draws what the interrupted one would have"
    )


def test_the_controls_refuse_networks_with_switched_convolutions():
    with pytest.raises(ValueError, match="reads='noise'.*FC layers alone"):
        Switched.around(NETWORKS["lenet5-caffe"]((1, 28, 28), 10), SwitcherConfig(reads="noise"))
    with pytest.raises(ValueError, match="reads='nonsense': choose 'weights'"):
        SwitcherConfig(reads="nonsense")


@pytest.mark.parametrize("reads", READS)
def test_the_memory_of_a_control_is_known(reads):
    assert memory.needed("mlp", SwitcherConfig(reads=reads), 64, (1, 28, 28), 10) > 2**20


def test_both_taps_share_their_biases_with_one_bias():
    """The same weights with biases repeated by hand in the paper's decoder give the same scores, and even and odd rows
    of a column of equal rows differ in neither through a bias."""
    one, two = switched("weights", upsample="one-bias"), switched("weights")
    with torch.no_grad():
        for layer, twice in zip(one.switcher.decoder, two.switcher.decoder):
            layer.bias.copy_(
                torch.randn(layer.bias.shape, generator=torch.Generator().manual_seed(2), dtype=layer.bias.dtype)
            )
            assert 2 * len(layer.bias) == len(twice.bias)
            twice.bias.copy_(layer.bias.repeat(2))
            twice.weight.copy_(layer.weight)
        two.switcher.head.load_state_dict(one.switcher.head.state_dict())
        assert torch.equal(gates(one), gates(two))
    torch.cat(one.gates()).sum().backward()
    torch.cat(two.gates()).sum().backward()
    for layer, twice in zip(one.switcher.decoder, two.switcher.decoder):
        torch.testing.assert_close(layer.bias.grad, twice.bias.grad.view(2, -1).sum(0))


# images


def test_arranged_images_are_the_same_pixels_in_other_places():
    whole = data.load("mnist").first(64)
    turned, mixed = whole.arranged("transposed"), whole.arranged("shuffled")
    assert torch.equal(turned.x_train, whole.x_train.transpose(2, 3)) and torch.equal(
        turned.x_test, whole.x_test.transpose(2, 3)
    )
    order = data.pixel_order("shuffled", (28, 28))
    assert sorted(order.tolist()) == list(range(784)) and not torch.equal(order, torch.arange(784))
    assert torch.equal(mixed.x_train.flatten(2), whole.x_train.flatten(2)[:, :, order])
    back = torch.empty_like(mixed.x_test.flatten(2))
    back[:, :, order] = mixed.x_test.flatten(2)
    assert torch.equal(back.view_as(whole.x_test), whole.x_test)
    assert whole.arranged("raster") is whole and len({each.checksum() for each in (whole, turned, mixed)}) == 3
    with pytest.raises(ValueError, match="pixels='upside down'"):
        whole.arranged("upside down")


def test_images_that_are_not_square_are_transposed_too():
    x = torch.arange(2 * 6, dtype=torch.uint8).view(2, 1, 2, 3)
    whole = data.Dataset("tiny", x, torch.tensor([0, 1]), x, torch.tensor([0, 1]), ("a", "b"))
    assert torch.equal(whole.arranged("transposed").x_train, x.transpose(2, 3))
    assert whole.arranged("shuffled").image == (1, 2, 3)


# runs


@pytest.fixture(scope="module")
def images():
    whole = data.load("mnist").first(256)
    return replace(whole, x_test=whole.x_test[:100], y_test=whole.y_test[:100])


def pruned(criterion, dense_epochs, of=tiny.ALTERNATING):
    return Arm(
        f"{criterion}-{dense_epochs}",
        "pruned",
        train=TrainConfig(epochs=2, train_images=256),
        dense_epochs=dense_epochs,
        pruning=Pruning(criterion, of),
    )


@pytest.mark.parametrize("criterion, dense_epochs", [("same", 0), ("random", 1), ("norm", 1)])
def test_a_pruned_run_keeps_as_many_neurons_as_the_run_that_it_follows(tmp_path, images, criterion, dense_epochs):
    arm = pruned(criterion, dense_epochs)
    record = runner.run(arm, "quick", 1, tmp_path, CPU, images)
    followed = records.read(records.path_of(tiny.ALTERNATING, "quick", 1, tmp_path))  # made on the way
    assert record["result"]["widths"] == followed["result"]["widths"] != [784, 300, 100]
    assert record["result"]["removed_pct"] == followed["result"]["removed_pct"] > 0
    same = [gate > 0 for gate in map(torch.tensor, record["result"]["gates"])]
    assert all(torch.equal(kept, torch.tensor(gate) > 0) for kept, gate in zip(same, followed["result"]["gates"])) == (
        criterion == "same"
    )
    assert [row["epoch"] for row in record["history"]] == list(range(2 + dense_epochs))
    assert records.arm_of(record) == replace(arm, pruning=replace(arm.pruning, of=replace(tiny.ALTERNATING, title="")))
    loaded, _network, masked = trained.load(records.path_of(arm, "quick", 1, tmp_path))
    assert loaded.settings_hash() == arm.settings_hash()
    assert all(torch.equal(gate > 0, kept) for gate, kept in zip(masked.gates(), same))
    assert runner.run(arm, "quick", 1, tmp_path, CPU, images) == record


def test_a_neuron_that_is_left_out_is_not_trained(tmp_path, images):
    arm = pruned("same", 0)
    record = runner.run(arm, "quick", 0, tmp_path, CPU, images)
    _, network, _masked = trained.load(records.path_of(arm, "quick", 0, tmp_path))
    start = building.build_network(arm, 0, CPU)
    for gate, weight, before in zip(record["result"]["gates"], network.linear_weights(), start.linear_weights()):
        off = torch.tensor(gate) == 0
        assert off.any() and torch.equal(weight[off], before[off]) and not torch.equal(weight[~off], before[~off])
    whole = building.build_network(tiny.ALTERNATING, 0, CPU)
    assert not torch.equal(start.linear_weights()[0], whole.linear_weights()[0]), (
        "from scratch: not the numbers the neurons were chosen with"
    )


def test_the_norm_keeps_the_neurons_with_the_largest_outgoing_weights():
    network = MLP((5, 4, 3), generator=generator(0, "network"))
    with torch.no_grad():
        network.linear_weights()[0][:] = torch.tensor([1.0, 5.0, 2.0, 4.0, 3.0])[:, None]
        network.linear_weights()[1][:] = torch.tensor([-4.0, 1.0, 2.0, -3.0])[:, None]
    arm = pruned("norm", 1)
    masked = building.left_out(arm, network, 0, [[0, 1, 0, 2, 0], [0.5, 0, 0, 0]])
    assert [gate.tolist() for gate in masked.gates()] == [[0, 1, 0, 1, 0], [1, 0, 0, 0]]


def test_a_pruned_run_is_resumed_as_if_never_interrupted(tmp_path, images):
    arm, alone, stopped = pruned("random", 2), tmp_path / "alone", tmp_path / "stopped"
    record = runner.run(arm, "quick", 0, alone, CPU, images)
    runner.run(tiny.ALTERNATING, "quick", 0, stopped, CPU, images)
    for _ in range(arm.train.epochs + arm.dense_epochs - 1):
        with pytest.raises(runner.BudgetReached):
            runner.run(arm, "quick", 0, stopped, CPU, images, deadline=0.0)
    assert records.comparable(runner.run(arm, "quick", 0, stopped, CPU, images)) == records.comparable(record)


def test_a_pruned_run_says_why_it_cannot_follow_a_failed_one(tmp_path, images):
    died = Arm(
        "died",
        "alternating",
        train=TrainConfig(epochs=2, train_images=256, rate=1e30, clip_network=None, clip_switcher=None),
        switcher=tiny.SWITCHER,
    )
    with pytest.raises(runner.Barred, match="would keep the neurons that died kept, but that run failed"):
        runner.run(pruned("same", 0, died), "quick", 0, tmp_path, CPU, images)


def test_seeds_with_a_state_of_their_own_are_not_batched(tmp_path):
    for arm, alone in (
        (pruned("same", 0), True),
        (replace(tiny.ALTERNATING, switcher=SwitcherConfig(reads="shuffled")), True),
        (tiny.ALTERNATING, False),
    ):
        groups = workers.groups_of([workers.Job(arm, "quick", seed, tmp_path) for seed in (0, 1)], 8)
        assert len(groups) == (2 if alone else 1)


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"pruning": None}, "a pruned arm says which neurons it keeps"),
        ({"switcher": SwitcherConfig()}, "an alternating or separate arm has a switcher, no other"),
        ({"network": "lenet5-caffe"}, "it prunes lenet5-caffe on mnist as 'alternating', which is mlp on mnist"),
        ({"dense_epochs": -1}, "dense_epochs=-1"),
    ],
)
def test_an_arm_that_makes_no_sense_is_refused(changes, said):
    with pytest.raises(ValueError, match=said):
        replace(pruned("same", 0), **changes)
    with pytest.raises(ValueError, match="criterion='largest'"):
        Pruning("largest", tiny.ALTERNATING)
    with pytest.raises(ValueError, match="has no switcher, so it prunes nothing"):
        Pruning("same", tiny.DENSE)


def test_settings_that_are_new_leave_older_hashes_as_they_were():
    assert not {"reads", "pixels", "pruning"} & set(
        str(Arm("a", "alternating", switcher=SwitcherConfig()).settings()).replace("'", " ").split()
    )
    changed = [
        Arm("a", "alternating", switcher=SwitcherConfig(reads="noise")),
        Arm("a", "alternating", train=TrainConfig(pixels="shuffled"), switcher=SwitcherConfig()),
        pruned("same", 0),
    ]
    assert (
        len(
            {arm.settings_hash() for arm in changed}
            | {Arm("a", "alternating", switcher=SwitcherConfig()).settings_hash()}
        )
        == 4
    )
    other = pruned("same", 0, replace(tiny.ALTERNATING, switcher=config.SwitcherConfig()))
    assert other.settings_hash() != pruned("same", 0).settings_hash(), (
        "stale where the run that it follows is another one"
    )


def test_every_control_trains(images):
    for reads in READS:
        model = Switched.around(
            MLP(generator=generator(0, "network")),
            SwitcherConfig(channels=(2, 4), reads=reads),
            generator(0, "switcher"),
        )
        before = [parameter.clone() for parameter in model.switcher_side().parameters()]
        state = train_alternating(model, images, TrainConfig(epochs=2), 0)
        assert [row["phase"] for row in state.history] == ["switcher", "network"]
        assert any(not torch.equal(a, b) for a, b in zip(before, model.switcher_side().parameters()))
