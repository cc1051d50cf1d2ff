"""What is foreseen of a network or data set of one's own: each error or warning names the cause and the remedy."""

from dataclasses import replace

import pytest
import torch
from test_own_network import DATA, SMALL, gates_of, made, perceptron, pictures, sequential
from torch import nn
from torch.nn import functional as F

from snnlib import (
    MLP,
    Switched,
    SwitcherConfig,
    TrainConfig,
    compact,
    load,
    switch,
    train_alternating,
    train_dense,
    train_separate,
)
from snnlib.compaction import CompactionError, fold, save_compact
from snnlib.compaction.module import SelectedLinear
from snnlib.data import DataError, Normalize, scale
from snnlib.networks.gated_module import GatedModule
from snnlib.switching import SwitchWarning

# ---------------------------------------------------------------- reshapes, and what compaction leaves


class Reshaped(nn.Module):
    """``way`` flattens 8 maps of 6 x 6."""

    def __init__(self, way):
        super().__init__()
        self.way, self.conv, self.read = way, nn.Conv2d(1, 8, 3), nn.Linear(288, 3)

    def forward(self, x):
        return self.read(self.way(self.conv(x).relu()).flatten(1))


FIXED = [
    lambda x: x.view(-1, 8 * 6 * 6),
    lambda x: x.reshape(x.size(0), 288),
    lambda x: torch.reshape(x, (-1, 288)),
    lambda x: x.view(-1, 8, 6, 6),
    lambda x: x.view(-1, x.size(1), 6, 6),
    lambda x: torch.flatten(x, 1).view(x.size(0), -1),
    lambda x: torch.reshape(x, shape=(x.shape[0], 288)),
]
FREE = [
    lambda x: x.view(x.size(0), -1),
    lambda x: x.reshape(len(x) if isinstance(x, torch.Tensor) else x.shape[0], x.shape[1] * 36),
    lambda x: torch.reshape(x, (x.size(0), -1)),
    lambda x: torch.flatten(x, 1),
]


@pytest.mark.parametrize("way", FIXED)
def test_a_reshape_to_a_fixed_number_of_channels_is_refused_and_nothing_breaks(way):
    pytest.importorskip("torch_pruning")
    network, x = GatedModule(made(lambda: Reshaped(way)), pictures()).eval(), pictures(8)
    assert network.switched == ("read",)
    assert "x.flatten(1)" in network.refused["conv"] or "changes nothing" in network.refused["conv"]
    gates = [torch.ones(288).double()]
    gates[0][:144] = 0  # half of the maps: a wrong view would make 4 images of 8
    torch.testing.assert_close(compact(network, gates)(x), network(x, gates))


@pytest.mark.parametrize("way", FREE)
def test_a_reshape_that_follows_the_tensor_is_cut(way):
    pytest.importorskip("torch_pruning")
    network, x = GatedModule(made(lambda: Reshaped(way)), pictures()).eval(), pictures(8)
    gates = [(torch.arange(8) > 3).double(), torch.ones(288).double()]
    small = compact(network, gates)
    assert small.conv.out_channels == 4
    torch.testing.assert_close(small(x), network(x, gates))


def test_what_compaction_leaves_is_compared_with_the_gated_network(monkeypatch):
    pytest.importorskip("torch_pruning")
    network = GatedModule(made(lambda: Reshaped(FREE[0])), pictures()).eval()
    gates = [(torch.arange(8) > 3).double(), torch.ones(288).double()]
    module = network.module
    for way, told in (
        (lambda x: x.view(-1, 288), "the compacted Reshaped cannot be run"),
        (lambda x: x[: x.size(1) // 4], r"makes \(1, 3\) of two images, the gated one \(2, 3\)"),
        (lambda x: x.flip(1), "the logits .* differ by"),
    ):
        module.way = way
        with pytest.raises(CompactionError, match=told):
            compact(network, gates)
    module.way = lambda x: F.dropout(x, 0.5).view(x.size(0), -1)  # drops in evaluation too: there is nothing to compare
    state = torch.get_rng_state()
    assert compact(network, gates).conv.out_channels == 4
    assert torch.equal(torch.get_rng_state(), state)


def test_a_selected_linear_checks_its_width_and_says_what_it_reads():
    layer = SelectedLinear(nn.Linear(5, 2), torch.tensor([0, 3]))
    assert "reads 2 of 5" in repr(layer)
    with pytest.raises(ValueError, match=r"of 5 inputs was given \(4, 6\)"):
        layer(torch.rand(4, 6))


def test_a_compacted_network_is_switched_and_compacted_again():
    pytest.importorskip("torch_pruning")
    x = pictures()
    first = GatedModule(made(sequential), x).eval()
    small = compact(first, gates_of(first, 0.4))
    assert isinstance(small[10], SelectedLinear)
    again = GatedModule(small, x).eval()
    assert again.switched == ("0", "10", "12"), "kernels whose pixels are picked cannot go"
    assert "picks some of its values already" in again.refused["5"]
    gates = gates_of(again, 0.8, seed=1)
    smaller = compact(again, gates)
    assert smaller[10].in_features < small[10].in_features and smaller[10].width == small[10].width
    torch.testing.assert_close(smaller(x), again(x, gates), rtol=1e-10, atol=1e-10)


class Twice(nn.Module):
    """Returns its logits and what leads to them."""

    def __init__(self):
        super().__init__()
        self.inner = perceptron()

    def forward(self, x):
        return self.inner(x), x


class Standardized(nn.Conv2d):
    def forward(self, input):
        return F.conv2d(input, self.weight - self.weight.mean((1, 2, 3), keepdim=True), self.bias)


class Named(nn.Linear):
    """Computes as any Linear."""


def test_subclasses_of_layers_are_switched_where_they_compute_the_same():
    layers = nn.Sequential(Standardized(1, 4, 3), nn.ReLU(), nn.Flatten(), Named(144, 3))
    network = GatedModule(layers, pictures(dtype=torch.float32))
    assert network.switched == ("3",)
    assert network.refused["0"].startswith("its class Standardized has a forward that may do more with its weights")


# ---------------------------------------------------------------- what switch says


class Fails(nn.Module):
    """Torch-Pruning divides by zero where channels are shuffled behind a narrow convolution."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.read = nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 1), nn.Linear(4, 3)

    def forward(self, x):
        return self.read(self.second(self.first(x)).mean((2, 3)))


def test_where_torch_pruning_fails_switch_warns_and_fold_works(monkeypatch):
    pruning = pytest.importorskip("torch_pruning")

    def fail(*args, **kwargs):
        raise ZeroDivisionError("integer division or modulo by zero")

    monkeypatch.setattr(pruning.DependencyGraph, "build_dependency", fail)
    module, x = made(Fails, torch.float32), pictures(dtype=torch.float32)
    with pytest.warns(SwitchWarning, match=r"Torch-Pruning cannot follow Fails \(ZeroDivisionError.*fold\(model\)"):
        model = switch(module, x, SMALL).eval()
    gates = gates_of(model.network, 0.5)
    with pytest.raises(CompactionError, match="Torch-Pruning cannot follow Fails"):
        compact(model, gates)
    torch.testing.assert_close(fold(model, gates)(x), model.network(x, gates))


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.rows, self.read = nn.LSTM(8, 16, batch_first=True), nn.Linear(16, 3)

    def forward(self, x):
        return self.read(self.rows(x.squeeze(1))[0][:, -1])


def test_where_little_is_switched_it_is_said_once_and_the_summary_says_why():
    with pytest.warns(SwitchWarning, match=r"only 3 % of the weights of Recurrent are switched \(read\); not rows"):
        model = switch(Recurrent(), pictures(1, torch.float32), SMALL)
    shown = str(model.network)
    assert "read: 16 inputs, a factor each" in shown
    assert "rows: no factors: it is of class LSTM, and only Linear and Conv2d layers are switched" in shown


X = torch.zeros(1, 1, 8, 8)


class OptimizedModule(nn.Module):
    """Named as what torch.compile returns, which takes half a minute to import."""


@pytest.mark.parametrize(
    "call, error, told",
    [
        (lambda: switch(perceptron(), (1, 1, 8, 8)), TypeError, "example_input is a tuple: give a batch of images"),
        (lambda: switch(perceptron(), X, TrainConfig()), TypeError, "config is a TrainConfig: switch takes"),
        (lambda: switch(nn.Sequential, X), TypeError, "module is the class Sequential: give an nn.Module"),
        (lambda: switch("net", X), TypeError, "module is a str"),
        (lambda: switch(switch(perceptron(), X, SMALL), X), ValueError, "has a switcher already"),
        (lambda: switch(nn.DataParallel(perceptron()), X), ValueError, "the module inside, net.module"),
        (lambda: switch(OptimizedModule(), X), ValueError, "the module inside, net._orig_mod"),
        (lambda: switch(perceptron()[1:], X.flatten(1)), ValueError, r"classifiers of images.*x.view\(rows, 1, 1, col"),
        (lambda: SwitcherConfig(channels=8), ValueError, r"channels=8: give a tuple of whole numbers, e.g. \(4, 8, 16"),
        (lambda: SwitcherConfig(kernel=3), ValueError, "kernel=3: give a tuple"),
        (lambda: TrainConfig(turns=2), ValueError, "turns=2: give two whole numbers"),
        (lambda: TrainConfig(momentum=2), ValueError, "momentum=2: must be below 1"),
        (lambda: TrainConfig(rate="0.1"), ValueError, "rate='0.1': must be a number"),
        (lambda: load("MNIST"), DataError, "unknown data set 'MNIST': did you mean 'mnist'"),
        (lambda: save_compact(switch(perceptron(), X, SMALL), "x"), TypeError, r"save_compact\(compact\(model"),
        (lambda: save_compact("x", perceptron()), TypeError, r"save_compact\(network, path\): the network comes first"),
        (lambda: compact(perceptron()), TypeError, "a Sequential has no switcher: `model = snnlib.switch"),
        (lambda: switch(Twice(), X), ValueError, "Twice returns a tuple: its forward must have one output"),
        (lambda: switch(perceptron(), X.to(torch.uint8)), ValueError, r"or snnlib.scale\(data.x_train\[:1\]\)"),
        (lambda: Switched.around(MLP((4, 2)), SMALL, 0), TypeError, r"give snnlib.generator\(0, 'switcher'\)"),
        (lambda: DATA.first(0), ValueError, r"first\(0\): .* 1 or more"),
    ],
)
def test_arguments_of_another_kind_are_named(call, error, told):
    with pytest.raises(error, match=told):
        call()


# ---------------------------------------------------------------- before the first step


def bars(**changes):
    return replace(DATA, **changes)


@pytest.mark.parametrize(
    "data, error, told",
    [
        (torch.utils.data.TensorDataset(DATA.x_train, DATA.y_train), TypeError, "data is a TensorDataset: give a snnl"),
        ((DATA.x_train, DATA.y_train), TypeError, "data is a tuple"),
        (bars(x_train=DATA.x_train / 255), ValueError, r"x_train .*torch.float32: give uint8 images .*255 \* x"),
        (bars(y_train=DATA.y_train.int()), ValueError, r"y_train .*torch.int32: .*y.long\(\)"),
        (bars(y_train=F.one_hot(DATA.y_train)), ValueError, r"y_train has shape \(36, 3\) .*y.argmax\(1\)"),
        (bars(y_test=DATA.y_test + 2), ValueError, "y_test run from 2 to 4, but there are 3 classes"),
        (bars(y_train=DATA.y_train[:9]), ValueError, "36 images x_train, but 9 labels"),
        (bars(classes=3), ValueError, "classes=3: give a tuple of the names"),
        (bars(x_train=DATA.x_train.numpy()), TypeError, "x_train is a ndarray: give a tensor"),
        (bars(x_test=DATA.x_test[:, :, 1:]), ValueError, r"x_train are \(1, 8, 8\), x_test \(1, 7, 8\)"),
    ],
)
def test_data_that_are_not_as_a_dataset_says_are_named(data, error, told):
    with pytest.raises(error, match=told):
        train_dense(perceptron(), data, TrainConfig(), seed=0)


class Auxiliary(nn.Module):
    """Two outputs in training, one in evaluation; batch norm and dropout beside them."""

    def __init__(self):
        super().__init__()
        self.body, self.out = nn.Sequential(nn.Linear(64, 6), nn.BatchNorm1d(6), nn.Dropout()), nn.Linear(6, 3)

    def forward(self, x):
        out = self.out(self.body(x.flatten(1)))
        return (out, out) if self.training else out


def test_an_auxiliary_head_is_named_and_the_question_leaves_no_trace():
    module = made(Auxiliary, torch.float32)
    before, state = {name: value.clone() for name, value in module.state_dict().items()}, torch.get_rng_state()
    with pytest.raises(ValueError, match=r"Auxiliary, in training mode, makes tuple .* An auxiliary head has no place"):
        train_alternating(switch(module, X, SMALL), DATA, TrainConfig(), seed=0)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


def test_a_last_batch_of_one_image_before_batch_norm_is_foreseen():
    module = nn.Sequential(nn.Flatten(), nn.Linear(64, 6), nn.BatchNorm1d(6), nn.Linear(6, 3))
    config = TrainConfig(batch_size=35)
    with pytest.raises(ValueError, match=r"36 training images in batches of 35: .* or data.first\(35\)"):
        train_dense(module, DATA, config, seed=0)
    assert train_dense(perceptron(), DATA, config, seed=0).epoch == 2, "without batch norm one image is a batch"


@pytest.mark.parametrize(
    "change, told",
    [
        ({"train_images": 8}, r"train_images=8 \(give data.first\(n\)"),
        ({"test_images": 8}, "test_images=8"),
        ({"split": "holdout"}, r"split='holdout' \(give data.holdout\(\)"),
        ({"pixels": "shuffled"}, r"data.arranged"),
        ({"fc_init": "kaiming", "fc_std": 1.0}, "fc_init='kaiming' .*; fc_std=1.0 .*torch.nn.init"),
        ({"through_switcher": False}, r"switch\(module, example_input, through_switcher=False\)"),
        ({"nudge": 3}, "nudge=3"),
    ],
)
@pytest.mark.parametrize("train", [train_alternating, train_separate, train_dense])
def test_settings_that_training_does_not_read_are_refused(change, told, train):
    trained = perceptron() if train is train_dense else switch(perceptron(), X, SMALL)
    with pytest.raises(ValueError, match="does not read these settings.*" + told):
        train(trained, DATA, TrainConfig(**change), seed=0)


def test_a_setting_that_the_model_was_built_by_may_stay():
    model = switch(perceptron(), X, SMALL, through_switcher=False)
    assert train_alternating(model, DATA, TrainConfig(through_switcher=False, batch_size=12), seed=0).epoch == 2
    assert TrainConfig(train_images=5, rate=0.2).for_training() == TrainConfig(rate=0.2)


# ---------------------------------------------------------------- after the last step


def flags(model):
    return [each.requires_grad for each in model.parameters()], [each.training for each in model.modules()]


@pytest.mark.parametrize("epochs", [2, 3])
@pytest.mark.parametrize("ends", ["well", "by an error"])
def test_training_leaves_modes_and_frozen_parameters_as_they_were(epochs, ends):
    def stop(state):
        if ends != "well":
            raise KeyboardInterrupt

    module = made(sequential, torch.float32).eval()
    module[0].requires_grad_(False)
    for train, given in ((train_alternating, switch(module, X, SMALL)), (train_dense, module)):
        before, weights = flags(given), module[0].weight.clone()
        config = TrainConfig(epochs=epochs, batch_size=12)
        if ends == "well":
            train(given, DATA, config, seed=0, on_epoch=stop)
            assert not torch.equal(module[0].weight, weights), "what was frozen is trained"
        else:
            with pytest.raises(KeyboardInterrupt):
                train(given, DATA, config, seed=0, on_epoch=stop)
        assert flags(given) == before


def test_normalisation_goes_with_the_compacted_network():
    pytest.importorskip("torch_pruning")
    torch.manual_seed(0)
    model = switch(perceptron(), X, SMALL)
    state = train_alternating(model, DATA, TrainConfig(epochs=6, batch_size=4, normalize=True), seed=0)
    small = nn.Sequential(Normalize(DATA), compact(model)).eval()
    mean, deviation = DATA.colour_statistics()
    assert mean.shape == deviation.shape == (1, 1, 1)
    x = scale(DATA.x_test)
    assert abs(float(small[0](scale(DATA.x_train)).mean())) < 1e-5
    right = float((small(x).argmax(1) == DATA.y_test).double().mean())
    assert right == pytest.approx(state.history[-1]["accuracy"])
    assert not torch.equal(small(x), small[1](x))
