"""Modules of one's own: which layers are found and refused, and that gated, folded and compacted logits agree."""

import os
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import pytest
import tiny
import torch
from torch import nn
from torch.nn import functional as F
from torchvision.models.resnet import BasicBlock, ResNet

from snnlib import Switched, SwitcherConfig, TrainConfig, compact, switch, train_alternating, train_dense
from snnlib.compaction import fold, save_compact
from snnlib.compaction.module import SelectedLinear
from snnlib.data import Dataset, scale
from snnlib.lab import runner
from snnlib.networks import MLP, count, protocol
from snnlib.networks.gated_module import GatedModule
from snnlib.training import DeadLayerError, UntrainedWarning, checks, fit, network_step, optimizer, switcher_step

SMALL = SwitcherConfig(channels=(2, 4), kernel_features=4)


class Functional(nn.Module):
    """Written with functions, its flattening with the size of a batch."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 5, 3), nn.Conv2d(5, 6, 3, padding=1, padding_mode="reflect")
        self.hidden, self.norm, self.last = nn.Linear(6 * 9, 7), nn.BatchNorm1d(7), nn.Linear(7, 3)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.first(2 * x - 1)), 2)
        x = F.dropout(torch.sigmoid(self.second(x)), 0.2, self.training)
        return self.last(self.norm(self.hidden(x.view(x.size(0), -1))).relu())


class Convolutional(nn.Module):
    """No Linear at all: the classes are the means of the last maps."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(1, 5, 3), nn.PReLU(5), nn.BatchNorm2d(5), nn.Conv2d(5, 3, 1))

    def forward(self, x):
        return self.layers(x).mean((2, 3))


def sequential():
    return nn.Sequential(
        nn.Conv2d(1, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.2),
        nn.Conv2d(6, 5, 3, bias=False), nn.BatchNorm2d(5), nn.Tanh(), nn.Flatten(), nn.BatchNorm1d(20),
        nn.Linear(20, 8), nn.ReLU(), nn.Linear(8, 3),
    )  # fmt: skip


def pooled():
    layers = nn.Conv2d(1, 5, 3), nn.Softplus(), nn.Conv2d(5, 6, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    return nn.Sequential(*layers, nn.Linear(6, 3))


def perceptron():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 9), nn.GELU(), nn.Linear(9, 3))


def residual():
    network = ResNet(BasicBlock, [1, 1, 1, 1], num_classes=3)
    network.conv1 = nn.Conv2d(1, 64, 3, padding=1, bias=False)
    return network


NETWORKS = [sequential, Functional, Convolutional, pooled, perceptron, residual]


def made(build, dtype=torch.float64, seed=0):
    """A module whose weights, and whose batch norms' statistics, are drawn by ``seed``."""
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        module = build()
        for layer in module.modules():
            if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
                for values in (layer.bias, layer.running_mean):
                    nn.init.normal_(values)
                nn.init.uniform_(layer.running_var, 0.5, 2.0)
    return module.to(dtype)


def pictures(number=5, dtype=torch.float64, side=8, channels=1):
    return torch.rand(number, channels, side, side, generator=torch.Generator().manual_seed(9), dtype=dtype)


def gates_of(network, pruned, seed=0):
    """Factors from 0 to 2, of which about the share ``pruned`` is exactly 0."""
    draw, like = torch.Generator().manual_seed(seed), next(network.parameters())
    widths = network.gate_widths()
    return [
        2 * torch.rand(width, generator=draw).to(like) * (torch.rand(width, generator=draw) >= pruned)
        for width in widths
    ]


def copies(module):
    return {name: value.clone() for name, value in module.state_dict().items()}


def same(module, before):
    return all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


def images(classes=3, count=36, side=8):
    """Images of noise with a bright bar that tells the class."""
    draw = torch.Generator().manual_seed(0)
    labels = torch.arange(count) % classes
    x = torch.randint(0, 90, (count, 1, side, side), generator=draw)
    x[torch.arange(count), 0, labels] += 150
    return Dataset("bars", x.to(torch.uint8), labels, x.to(torch.uint8), labels, tuple("abcdef"[:classes]))


DATA = images()


# ---------------------------------------------------------------- gated = folded = compacted


@pytest.mark.parametrize("build", NETWORKS)
@pytest.mark.parametrize("pruned", [0.0, 0.5, 1.0])
def test_gated_folded_and_compacted_logits_agree(build, pruned):
    pytest.importorskip("torch_pruning")
    module, x = made(build), pictures()
    network = GatedModule(module, x[:1]).eval()
    gates, before, kind = gates_of(network, pruned), copies(module), type(module)
    expected, folded, small = network(x, gates), fold(network, gates), compact(network, gates)
    assert type(folded) is type(small) is kind and folded is not module
    for other in (folded, small):
        torch.testing.assert_close(other.eval()(x), expected, rtol=1e-10, atol=1e-10)
    assert same(module, before) and not module.training
    if pruned:
        assert count.parameters(small) < count.parameters(module)
        assert count.macs(small, (1, 8, 8)) < count.macs(module, (1, 8, 8)) == count.macs(network)
    assert all(parameter.requires_grad for parameter in small.parameters())


@pytest.mark.parametrize("build", NETWORKS)
def test_in_float32_the_compacted_logits_agree_to_a_hundred_thousandth(build):
    pytest.importorskip("torch_pruning")
    module, x = made(build, torch.float32), pictures(dtype=torch.float32)
    model = switch(module, x, SMALL).eval()
    with torch.no_grad():
        gates = model.gates()
        expected, small = model(x), compact(model.network, gates)
        assert all((gate == 0).any() for gate in gates if len(gate) > 20)
        assert (small.eval()(x) - expected).abs().max() <= 1e-5 * expected.abs().max().clamp_min(1)


def test_what_is_cut_is_what_is_off():
    pytest.importorskip("torch_pruning")
    network = GatedModule(made(sequential), pictures()).eval()
    gates = [torch.ones(width).double() for width in network.gate_widths()]
    for gate, off in zip(gates, ([1, 4], [0], [5, 6, 7], [2, 3])):
        gate[off] = 0
    small = compact(network, gates)
    layers = [(type(small[index]), tuple(small[index].weight.shape)) for index in (0, 1, 5, 6, 10, 12)]
    assert layers == [
        (nn.Conv2d, (4, 1, 3, 3)), (nn.BatchNorm2d, (4,)), (nn.Conv2d, (4, 4, 3, 3)), (nn.BatchNorm2d, (4,)),
        (SelectedLinear, (6, 13)), (nn.Linear, (6, 3)[::-1]),
    ]  # fmt: skip
    assert small[10].inputs.tolist() == [0, *range(4, 16)], "of 4 maps of 4 pixels, less 3 of the first"


def test_a_factor_multiplies_after_batch_norm_and_activation():
    """Eq. 4: what is pruned is exactly 0 behind the activation, also where batch norm has a bias."""
    module, x = made(sequential).eval(), pictures()
    network = GatedModule(module, x)
    gates = gates_of(network, 0.4)
    maps = module[2](module[1](module[0](x)))
    assert (maps[:, gates[0] == 0] > 0).any(), "a bias of batch norm is left where the factor is 0"
    maps = module[5](module[3](maps * gates[0][:, None, None]))  # pooling behind the factors, as in Eq. 4
    maps = module[7](module[6](maps))
    read = module[9](module[8](maps)) * gates[1].repeat_interleave(4) * gates[2]
    expected = module[12](module[11](module[10](read)) * gates[3])
    torch.testing.assert_close(network(x, gates), expected, rtol=1e-12, atol=1e-12)


# ---------------------------------------------------------------- what is found, chosen and refused


def test_the_layers_of_a_residual_network_that_go_to_nothing_but_the_next():
    network = GatedModule(made(residual), pictures())
    assert network.switched == (*(f"layer{index}.0.conv1" for index in (1, 2, 3, 4)), "fc")
    assert network.refused["conv1"].startswith("its output goes 2 ways, as in a skip connection: to layer1.0.conv1")
    assert network.refused["layer2.0.conv2"] == "its output meets another path, as in a skip connection, in add"
    assert network.refused["layer2.0.downsample.0"] == network.refused["layer2.0.conv2"]


@pytest.mark.parametrize(
    "layers, switched", [(None, ("0", "5", "10", "12")), (["0"], ("0",)), (["12", "5"], ("5", "12")), ("10", ("10",))]
)
def test_layers_are_chosen_by_name(layers, switched):
    pytest.importorskip("torch_pruning")
    x = pictures()
    network = GatedModule(made(sequential), x, layers).eval()
    assert network.switched == switched
    assert [len(weight) for weight in (*network.kernel_weights(), *network.linear_weights())] == [
        *network.gate_widths()
    ]
    gates = gates_of(network, 0.5)
    torch.testing.assert_close(compact(network, gates)(x), network(x, gates), rtol=1e-10, atol=1e-10)


def test_a_part_stands_for_all_in_it_that_can():
    network = GatedModule(made(residual), pictures(), ["layer3", "layer4.0"])
    assert network.switched == ("layer3.0.conv1", "layer4.0.conv1")


class Twice(nn.Module):
    """Its layers have what is refused: shared weights, a second call, another kind, a call that fx does not see."""

    def __init__(self):
        super().__init__()
        self.twice, self.one, self.other = nn.Conv2d(1, 1, 3, padding=1), nn.Linear(64, 64), nn.Linear(64, 64)
        self.other.weight = self.one.weight
        self.grouped, self.mixed = nn.Conv2d(1, 4, 1), nn.Conv2d(4, 4, 1, groups=2)
        self.normed, self.norm = nn.Conv2d(4, 4, 1), nn.GroupNorm(2, 4)
        self.turned, self.up = nn.Conv2d(4, 1, 1), nn.ConvTranspose2d(1, 1, 1)
        self.bare, self.spectral = nn.Linear(64, 64), nn.utils.parametrizations.spectral_norm(nn.Linear(64, 64))
        self.wide, self.last = nn.Linear(8, 8), nn.Linear(64, 3)

    def forward(self, x):
        x = self.turned(self.norm(self.normed(self.mixed(self.grouped(self.twice(self.twice(x)))))))
        x = self.wide(self.up(x)).flatten(1)
        x = F.linear(self.other(self.one(x)), self.bare.weight)
        return self.last(self.spectral(x))


def test_each_refusal_names_the_layer_and_the_reason():
    network = GatedModule(made(Twice), pictures())
    assert network.switched == ("last",)
    assert network.refused == {
        "twice": "forward calls it 2 times",
        "one": "it shares its weights with other",
        "other": "it shares its weights with one",
        "grouped": "its output is read by mixed: it is a grouped convolution (groups=2)",
        "mixed": "it is a grouped convolution (groups=2)",
        "normed": "its output passes through norm (GroupNorm), which may mix channels",
        "turned": "its output is read by up: it is of class ConvTranspose2d, and only Linear and Conv2d layers are "
        "switched",
        "up": "it is of class ConvTranspose2d, and only Linear and Conv2d layers are switched",
        "bare": "forward does not call it as a module",
        "spectral": "its weight is computed by a parametrization",
        "wide": "it reads a tensor of shape 5 x 1 x 8 x 8, and not (images, inputs)",
    }


class Branching(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(64, 3)

    def forward(self, x):
        return self.layer(x.flatten(1)) if x.sum() > 0 else x.flatten(1)[:, :3]


@pytest.mark.parametrize(
    "module, layers, told",
    [
        (residual, ["conv1"], "conv1 cannot be switched. conv1: its output goes 2 ways, as in a skip connection"),
        (residual, ["layer5", "layer1.0.conv2"], "there is no layer 'layer5'; .* layer1.0.conv2 cannot be switched"),
        (residual, [], "name a layer"),
        (nn.Flatten, None, "no layer of Flatten can be switched. It holds no Linear and no Conv2d layer"),
        (lambda: nn.Sequential(nn.Conv2d(1, 3, 8)), None, "no layer .* 0: its output is the module's output"),
        (lambda: nn.Sequential(nn.Conv2d(3, 3, 3)), None, "cannot be run on an example of shape 1 x 1 x 8 x 8"),
        (Branching, None, "cannot be traced by torch.fx"),
        (lambda: MLP((64, 3)), ["fc"], "names its switched layers itself"),
    ],
)
def test_what_cannot_be_switched_is_said_with_the_reason(module, layers, told):
    module = module()
    with pytest.raises(ValueError, match=told):
        switch(module.double(), pictures(1), SMALL, layers=layers)
    assert module.training, "a refused module stays as it was"


def test_an_example_must_be_a_batch_of_images():
    with pytest.raises(ValueError, match="give a batch of images"):
        switch(nn.Sequential(nn.Linear(64, 3)), torch.rand(1, 64))


def test_a_network_of_the_library_keeps_its_own_door():
    model = switch(MLP((64, 5, 3)), pictures(1), SMALL)
    assert isinstance(model.network, MLP)


# ---------------------------------------------------------------- training


@pytest.mark.parametrize("build", [sequential, Convolutional])
@pytest.mark.parametrize("through", [True, False])
def test_each_phase_changes_one_side_and_leaves_the_other_bit_for_bit(build, through):
    model = switch(made(build), pictures(), SMALL, through_switcher=through)
    x, y = scale(DATA.x_train, torch.float64), DATA.y_train
    for step, frozen, trained in (
        (switcher_step, model.network, model.switcher_side()),
        (network_step, model.switcher_side(), model.network),
    ):
        before = {name: value.detach().clone() for name, value in frozen.named_parameters()}
        changing = [value.detach().clone() for value in trained.parameters()]
        step(model, optimizer(trained.parameters(), TrainConfig()), x, y, 1.0)
        assert all(torch.equal(value, before[name]) for name, value in frozen.named_parameters())
        assert not all(torch.equal(value, old) for value, old in zip(trained.parameters(), changing))


def trained(noise, epochs=2, state=None, model=None):
    """A run on a network with dropout; ``noise`` is what the global generator was left with."""
    torch.manual_seed(noise)
    model = model or switch(made(sequential), pictures(1), SMALL)
    state = train_alternating(model, DATA, TrainConfig(epochs=epochs, batch_size=12, schedule="constant"), 3, state)
    return model, state


def test_one_seed_gives_one_result_with_dropout_and_after_an_interruption():
    (one, _), (two, _) = trained(0, 4), trained(1, 4)
    assert same(one, copies(two))
    interrupted, state = trained(2, 2)
    trained(3, 4, state, interrupted)
    assert same(interrupted, copies(one))


def test_a_run_leaves_the_global_generator_as_it_was():
    torch.manual_seed(5)
    expected = torch.rand(3)
    trained(5)
    assert torch.equal(torch.rand(3), expected)


def test_a_module_trains_alone_too():
    state = train_dense(made(perceptron), DATA, TrainConfig(epochs=12, batch_size=4), seed=0)
    assert state.history[-1]["accuracy"] > 0.9


def test_it_learns_and_is_compacted_to_the_accuracy_it_had():
    pytest.importorskip("torch_pruning")
    model = switch(made(perceptron), pictures(1), SMALL)
    state = train_alternating(model, DATA, TrainConfig(epochs=16, batch_size=4), seed=0)
    small = compact(model.network, model.gates())
    right = (small.eval()(scale(DATA.x_test, torch.float64)).argmax(1) == DATA.y_test).double().mean()
    assert float(right) == pytest.approx(state.history[-1]["accuracy"]) and right > 0.9


# ---------------------------------------------------------------- errors and remarks


def test_around_points_to_switch_and_names_all_that_is_missing():
    with pytest.raises(TypeError) as told:
        Switched.around(nn.Sequential(nn.Linear(4, 2)), SMALL)
    text = str(told.value)
    for each in ("gate_widths()", "kernel_weights()", "linear_weights()", "forward(x, gates=None)", "class Net"):
        assert each in text
    assert text.rstrip(".").rpartition("\n")[2].count("snnlib.switch(module, example_input)") == 1


def test_what_is_no_module_or_no_image_is_told_at_once_with_an_example():
    with pytest.raises(TypeError) as told:
        switch(perceptron, "image")
    problems, example = str(told.value).split(". Say ")
    assert problems.count("give ") == 2
    assert len(eval(example, {"switch": switch, "nn": nn, "torch": torch}).gates()) == 2


def test_a_model_without_a_switcher_is_named():
    with pytest.raises(TypeError, match=r"a Sequential has no switcher .* snnlib.switch\(module, example_input\)"):
        train_alternating(perceptron(), DATA, TrainConfig(), seed=0)


def test_a_dead_layer_of_ones_own_network_is_named():
    model = switch(made(perceptron), pictures(1), SMALL)
    gates = [gate.detach() for gate in model.gates()]
    gates[1].zero_()
    with pytest.raises(DeadLayerError, match=r"layer 1 \(3\)"):
        checks.check(model, gates, torch.tensor(1.0), 0, 0, "switcher")


def test_the_example_of_that_message_is_a_task_network():
    names = {"nn": nn, "torch": torch}
    exec(protocol.EXAMPLE, names)
    model = Switched.around(names["Net"](), SMALL)
    assert model(torch.rand(2, 1, 28, 28)).shape == (2, 10)


def test_widths_that_are_not_those_of_the_weights_are_named():
    class Wrong(MLP):
        def gate_widths(self):
            return (5, 64)

    with pytest.raises(ValueError, match=r"gate_widths\(\) is \(5, 64\), but its weights have \(64, 5\) rows"):
        Switched.around(Wrong((64, 5, 3)), SMALL)


@pytest.mark.parametrize(
    "change, told",
    [
        (
            dict.fromkeys(("x_train", "x_test"), torch.zeros(36, 1, 12, 12, dtype=torch.uint8)),
            "images of bars, 1 x 12 x 12 .* of 1 x 8 x 8",
        ),
        ({"classes": tuple("abcd")}, "puts out 3 logits an image, but bars has 4 classes: give its last layer 4"),
    ],
)
@pytest.mark.parametrize("alternating", [True, False])
def test_a_network_and_data_that_do_not_fit_are_named_with_a_remedy(change, told, alternating):
    data = replace(DATA, **change)
    module = made(sequential)
    with pytest.raises(ValueError, match=told if alternating else told.partition(" .*")[0]):
        if alternating:
            train_alternating(switch(module, pictures(1), SMALL), data, TrainConfig(), seed=0)
        else:
            train_dense(module, data, TrainConfig(), seed=0)
    assert module.training


def test_a_network_that_returns_no_logits_is_named():
    with pytest.raises(ValueError, match=r"makes \(2, 1, 8, 8\) of 2 images .* must return logits of shape"):
        train_dense(nn.Sequential(nn.Conv2d(1, 1, 1)), DATA, TrainConfig(), seed=0)


def rows(loss, accuracy, epochs=fit.PATIENCE):
    return [{"loss": loss, "accuracy": accuracy} for _ in range(epochs)]


def test_a_run_that_learns_nothing_is_remarked_on_once():
    frozen = perceptron()
    nn.init.zeros_(frozen[3].weight)
    with pytest.warns(UntrainedWarning, match="nothing has been learned in 4 epochs.*Try another rate") as told:
        state = train_dense(frozen, DATA, TrainConfig(epochs=9, batch_size=12, rate=1e-12), seed=0)
    assert len(told) == 1 and told[0].filename == __file__
    assert set(state.history[0]) == {"epoch", "phase", "loss", "accuracy", "seconds"}, "records hold no remark"


@pytest.mark.parametrize(
    "history",
    [rows(0.9, 0.34), rows(1.1, 0.9), rows(1.1, 0.34, 3), rows(1.1, 0.34, 5), rows(1.1, 0.3, 3) + rows(1, 0.3, 1)],
)
def test_a_run_that_learns_or_is_short_or_was_remarked_on_is_not(history):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit.remark(history, DATA, switched=True)


def test_recorded_runs_are_not_remarked_on(tmp_path):
    arm = replace(tiny.DENSE, train=replace(tiny.TRAIN, rate=1e-12, epochs=5))
    with warnings.catch_warnings():
        warnings.simplefilter("error", UntrainedWarning)
        assert runner.run(arm, "quick", 0, tmp_path, torch.device("cpu"))["status"] == "finished"


def test_without_torch_pruning_compaction_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch_pruning", None)
    network = GatedModule(made(perceptron), pictures())
    with pytest.raises(ModuleNotFoundError, match="pip install torch-pruning"):
        compact(network, gates_of(network, 0.5))
    assert type(fold(network, gates_of(network, 0.5))) is nn.Sequential


def test_a_module_is_no_file_of_this_library(tmp_path):
    with pytest.raises(TypeError, match="torch.export.save"):
        save_compact(perceptron(), tmp_path / "small.safetensors")
    with pytest.raises(ValueError, match="macs of a Sequential"):
        count.macs(perceptron())


def test_the_compacted_module_runs_elsewhere(tmp_path):
    pytest.importorskip("torch_pruning")
    x = pictures(dtype=torch.float32)
    network = GatedModule(made(sequential, torch.float32), x).eval()
    small = compact(network, gates_of(network, 0.5)).eval()
    torch.export.save(torch.export.export(small, (x,)), tmp_path / "small.pt2")
    again = torch.export.load(tmp_path / "small.pt2").module()
    assert torch.equal(again(x), small(x))


SCRIPT = """
import torch
from torch import nn
from snnlib import SwitcherConfig, TrainConfig, compact, load, switch, train_alternating

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.fc = nn.Conv2d(1, 4, 5, stride=3), nn.BatchNorm2d(4), nn.Linear(4 * 64, 10)

    def forward(self, x):
        return self.fc(torch.relu(self.norm(self.conv(x))).flatten(1))

torch.manual_seed(0)
mnist = load("mnist").first(128)
net = Net()
model = switch(net, torch.zeros(1, *mnist.image), SwitcherConfig(channels=(2, 4)), seed=0)
state = train_alternating(model, mnist, TrainConfig(epochs=2), seed=0)
small = compact(model.network, model.gates())
print(type(small).__name__, sum(p.numel() for p in small.parameters()) < sum(p.numel() for p in net.parameters()))
print(repr(state.history[-1]["loss"]), model.network.switched)
"""


@pytest.mark.slow
def test_a_network_of_ones_own_from_an_empty_folder(tmp_path):
    pytest.importorskip("torch_pruning")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-W", "error::UserWarning", "-c", SCRIPT]
    ended = subprocess.run(command, cwd=tmp_path, text=True, capture_output=True, env=environment)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[0] == "Net True" and "('conv', 'fc')" in ended.stdout
    assert list(tmp_path.iterdir()) == []
