"""The task networks: Eqs. 2 and 4 against plain computations, initial weights, widths, counts, what is refused."""

import csv
import json
from pathlib import Path

import pytest
import torch
from command_line import inside
from torch.nn import Conv2d
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from snnlib import data
from snnlib.fast import separable
from snnlib.networks import (
    MLP,
    NETWORKS,
    USES,
    ConvNet,
    DeepNet,
    count,
    lenet5_caffe,
    mobilenet_v1,
    resnet34_cifar,
    vgg16,
    vgg_cov2,
)
from snnlib.networks.convnet import Stage
from snnlib.networks.initial import start_linear
from snnlib.networks.listing import IMAGES, listed
from snnlib.networks.residual import Residual

TABLES = Path(__file__).parents[1] / "snnlib" / "report" / "paper.csv"
PAPER_CONVOLUTIONS = {
    "mlp": 0,
    "lenet5-caffe": 2,
    "vgg-cov2": 2,
    "vgg-cov2-bn": 2,
    "vgg16": 13,
    "vgg16-x0.25": 13,
    "resnet34": 36,
    "resnet34-x0.25": 36,
    "mobilenet-v1-x0.25": 27,
    "mobilenet-v1-x1": 27,
}
SMALL = [use for use in USES if use[0] not in ("vgg16", "resnet34")]


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def build(network, dataset, **settings):
    image, classes = IMAGES[dataset]
    return NETWORKS[network](image, classes, generator=generator(), **settings)


def random_gates(network, signed=False):
    draw = generator(1)
    dtype = network.linear_weights()[0].dtype
    return [
        (torch.randn if signed else torch.rand)(width, generator=draw, dtype=dtype) for width in network.gate_widths()
    ]


def disturb(network):
    """Random biases, batch norm's factors, offsets and running statistics: nothing is left at 0 or 1."""
    draw = generator(2)
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if name.endswith(("bias", "running_mean")):
                value.normal_(0, 0.3, generator=draw)
            elif name.endswith("running_var") or ("norm" in name and name.endswith("weight")):
                value.uniform_(0.5, 2, generator=draw)
    return network


def test_forward_is_equation_2():
    network = disturb(MLP((5, 4, 3), generator=generator()).double())
    X = torch.randn(6, 5, generator=generator(1), dtype=torch.float64)
    g1, g2 = random_gates(network)
    W1, W2 = network.linear_weights()
    b1, b2 = (layer.bias for layer in network.layers)
    expected = (F.relu((X * g1) @ W1 + b1) * g2) @ W2 + b2
    torch.testing.assert_close(network(X, [g1, g2]), expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(network(X, [torch.ones(5), torch.ones(4)]), network(X), rtol=0, atol=0)


def pooled(x):
    """2 x 2 max pooling, written out; an odd last row or column is left out."""
    x = x[..., : x.shape[-2] // 2 * 2, : x.shape[-1] // 2 * 2]
    return torch.stack([x[..., i::2, j::2] for i in (0, 1) for j in (0, 1)]).amax(0)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", ["lenet5-caffe", "vgg-cov2", "vgg-cov2-bn"])
def test_forward_is_equation_4(name, training):
    """Factors may be negative here: only then does it show whether they come before or after pooling."""
    image = (2, 17, 16)
    network = disturb(NETWORKS[name](image, 3, fc_std=0.2, generator=generator())).double().train(training)
    gates, X = random_gates(network, signed=True), torch.randn(4, *image, generator=generator(3), dtype=torch.float64)
    h = X
    for conv, norm, stage, g in zip(network.convolutions, network.norms, network.plan, gates):
        side = stage.side
        windows = F.unfold(h, side, padding=stage.padding)  # (images, channels * side * side, pixels)
        out = conv.weight.flatten(1) @ windows + (0 if conv.bias is None else conv.bias[:, None])
        if name.endswith("bn"):
            mean, variance = (
                (out.mean((0, 2)), out.var((0, 2), correction=0)) if training else (norm.running_mean, norm.running_var)
            )
            out = (out - mean[:, None]) / (variance[:, None] + norm.eps).sqrt() * norm.weight[:, None] + norm.bias[
                :, None
            ]
        h = out.clamp_min(0).view(
            len(X), -1, h.shape[2] + 2 * stage.padding - side + 1, h.shape[3] + 2 * stage.padding - side + 1
        )
        h = h * g.view(1, -1, 1, 1)
        h = pooled(h) if stage.pool else h
    h = h.reshape(len(X), -1)
    for index, (W, g) in enumerate(zip(network.linear_weights(), gates[len(network.plan) :])):
        bias = network.head.layers[index].bias
        h = (h.clamp_min(0) if index else h) * g @ W + (0 if bias is None else bias)
    torch.testing.assert_close(network(X, gates), h, rtol=0, atol=1e-10)
    ones = [torch.ones_like(gate) for gate in gates]
    torch.testing.assert_close(network(X, ones), network(X), rtol=0, atol=0)


@pytest.mark.parametrize("name", ["vgg16-x0.25", "resnet34-x0.25", "mobilenet-v1-x0.25"])
def test_deep_networks_gate_their_fully_connected_layers(name):
    network = disturb(build(name, "cifar10", fc_std=0.1)).eval()
    X, gates = torch.rand(2, 3, 32, 32, generator=generator(3)), random_gates(network)
    h = network.features(X).flatten(1)
    assert h.shape == (2, network.gate_widths()[0])
    for index, (W, g, layer) in enumerate(zip(network.linear_weights(), gates, network.head.layers)):
        h = (F.relu(h) if index else h) * g @ W + layer.bias
    torch.testing.assert_close(network(X, gates), h, rtol=1e-4, atol=1e-5)
    assert network.kernel_weights() == []


@pytest.mark.parametrize("name, dataset", USES)
def test_logits_of_every_network_on_images_of_its_data_sets(name, dataset):
    image, classes = IMAGES[dataset]
    assert dataset in data.LOADERS
    with torch.device("meta"):
        network = NETWORKS[name](image, classes)
        assert network(torch.zeros(3, *image)).shape == (3, classes)


@pytest.mark.parametrize(
    "name, dataset, weights",
    [
        ("mlp", "mnist", 266_200),
        ("lenet5-caffe", "mnist", 430_500),
        ("vgg-cov2", "cifar10", 4_300_992),
        ("vgg-cov2-bn", "cifar10", 4_300_992),
        ("vgg16", "cifar10", 512 * 4096 + 4096 * 4096 + 4096 * 10),
        ("vgg16-x0.25", "cifar10", 128 * 1024 + 1024 * 1024 + 1024 * 10),
        ("resnet34", "cifar10", 5120),
        ("resnet34-x0.25", "cifar10", 1280),
        ("resnet34", "mini_imagenet", 51_200),
        ("mobilenet-v1-x1", "cifar10", 10_240),
        ("mobilenet-v1-x0.25", "mini_imagenet", 25_600),
    ],
)
def test_weights_are_the_papers(name, dataset, weights):
    assert listed(name, dataset).weights == weights


@pytest.mark.parametrize(
    "name, parameters",
    [
        # published counts for 1,000 classes, less the parts that small images and 10 classes replace
        ("resnet34", 21_797_672 - (64 * 3 * 49 - 64 * 3 * 9) - 513_000 + 5_130),
        (
            "vgg16",
            138_365_992
            - (25_088 * 4096 + 4096)
            - (4096 * 4096 + 4096)
            - (4096 * 1000 + 1000)
            + (512 * 4096 + 4096)
            + (4096 * 4096 + 4096)
            + 40_970,
        ),
        ("mobilenet-v1-x1", 4_231_976 - 1_025_000 + 10_250),
        ("mobilenet-v1-x0.25", 470_072 - 257_000 + 2_570),
    ],
)
def test_all_parameters_follow_from_the_published_counts(name, parameters):
    assert listed(name, "cifar10").parameters == parameters


def test_switched_widths_are_the_papers_baselines():
    names = {
        "MLP": "mlp",
        "LeNet5-Caffe": "lenet5-caffe",
        "VGG-cov2": "vgg-cov2",
        "VGG16": "vgg16",
        "ResNet34": "resnet34",
    }
    names["MobileNetV1 (x0.25)"] = "mobilenet-v1-x1"  # the paper's 1024 inputs are those of full width
    datasets = {"MNIST": "mnist", "CIFAR10": "cifar10", "Mini-ImageNet": "mini_imagenet"}
    with TABLES.open() as file:
        rows = [row for row in csv.DictReader(file) if row["method"] == "baseline"]
    assert len(rows) == 9
    for row in rows:
        found = listed(names[row["network"]], datasets[row["dataset"]])
        assert "-".join(map(str, found.gated_widths)) == row["widths"] and found.counted == row["counted_layers"]
    assert listed("mobilenet-v1-x0.25", "cifar10").gated_widths == (256,)


@pytest.mark.parametrize(
    "name, side, last",
    [
        ("resnet34", 32, 4),
        ("resnet34", 84, 6),
        ("mobilenet-v1-x0.25", 32, 2),
        ("mobilenet-v1-x0.25", 84, 3),
        ("vgg16", 84, 2),
    ],
)
def test_small_images_keep_their_resolution_in_the_stem(name, side, last):
    with torch.device("meta"):
        features = NETWORKS[name]((3, side, side), 10).features
        seen = []
        before_pooling = features.layer4[-1] if name == "resnet34" else features[-2]
        before_pooling.register_forward_hook(lambda module, x, y: seen.append(tuple(y.shape[2:])))
        features(torch.zeros(2, 3, side, side))
    assert seen == [(last, last)]


@pytest.mark.parametrize("name, dataset", [(name, dataset) for name, dataset in USES if dataset != "mini_imagenet"])
def test_initial_weights(name, dataset):
    network = build(name, dataset, fc_std=0.05)
    convolutions = [module for module in network.modules() if isinstance(module, torch.nn.Conv2d)]
    for conv in convolutions:
        fan_in = conv.weight[0].numel()
        spread = (2 / fan_in) ** 0.5  # Kaiming normal
        assert abs(conv.weight.std() / spread - 1) < 5 / (2 * conv.weight.numel()) ** 0.5
        assert abs(conv.weight.mean()) < 5 * spread / conv.weight.numel() ** 0.5
    for weight in network.linear_weights():
        assert abs(weight.std() / 0.05 - 1) < 5 / (2 * weight.numel()) ** 0.5
    for module in network.modules():
        if getattr(module, "bias", None) is not None:
            assert not module.bias.any()
        if isinstance(module, torch.nn.BatchNorm2d):
            assert torch.equal(module.weight, torch.ones_like(module.weight)) and not module.running_mean.any()
            assert (
                torch.equal(module.running_var, torch.ones_like(module.running_var)) and module.num_batches_tracked == 0
            )
    assert len(convolutions) == PAPER_CONVOLUTIONS.get(name, len(convolutions))


@pytest.mark.parametrize("name", sorted(set(NETWORKS) - {"vgg16"}))
def test_the_generator_alone_decides_the_weights(name):
    torch.manual_seed(0)
    dataset = next(dataset for network, dataset in USES if network == name)
    image, classes = IMAGES[dataset]
    first = NETWORKS[name](image, classes, generator=generator(7))
    torch.manual_seed(99)
    state = torch.get_rng_state()
    second = NETWORKS[name](image, classes, generator=generator(7))
    assert torch.equal(torch.get_rng_state(), state)
    assert first.state_dict().keys() == second.state_dict().keys()
    assert all(torch.equal(a, b) for a, b in zip(first.state_dict().values(), second.state_dict().values()))
    other = NETWORKS[name](image, classes, generator=generator(8))
    assert not any(
        torch.equal(a, b)
        for a, b in zip(
            first.linear_weights() + first.kernel_weights(), other.linear_weights() + other.kernel_weights()
        )
    )


def test_vgg16_leaves_the_global_random_state_alone():
    state = torch.get_rng_state()
    build("vgg16", "cifar10")
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("name, dataset", [*SMALL[:4], ("resnet34", "cifar10")])
def test_gates_that_do_not_fit_are_named_with_their_layer(name, dataset):
    with torch.device("meta"):
        network = NETWORKS[name](*IMAGES[dataset])
        x = torch.zeros(2, *IMAGES[dataset][0])
        widths = network.gate_widths()
        with pytest.raises(ValueError, match=f"{len(widths) - 1} gates for {len(widths)} layers"):
            network(x, [torch.ones(width) for width in widths[1:]])
        for wrong in range(len(widths)):
            gates = [torch.ones(width + (index == wrong)) for index, width in enumerate(widths)]
            convolutions = len(network.kernel_weights())
            layer = f"convolution {wrong}" if wrong < convolutions else f"FC layer {wrong - convolutions}"
            with pytest.raises(
                ValueError, match=rf"gates of {layer} have shape \({widths[wrong] + 1},\), but it has {widths[wrong]} "
            ):
                network(x, gates)
        with pytest.raises(ValueError, match="have shape"):
            network(x, [torch.ones(width, 1) for width in widths])


@pytest.mark.parametrize(
    "make, least", [(lenet5_caffe, 16), (vgg_cov2, 2), (vgg16, 32), (resnet34_cifar, 8), (mobilenet_v1, 16)]
)
def test_images_too_small_are_refused(make, least):
    with torch.device("meta"):
        assert make((3, least, least), 4)(torch.zeros(2, 3, least, least)).shape == (2, 4)
        for image in ((3, least - 1, least), (3, least, least - 1)):
            with pytest.raises(ValueError, match=f"images of {image[1]} x {image[2]} are too small"):
                make(image, 4)


@pytest.mark.parametrize("make", [vgg16, resnet34_cifar, mobilenet_v1])
def test_deep_networks_read_as_many_channels_as_the_images_have(make):
    with torch.device("meta"):
        assert make((1, 32, 32), 4)(torch.zeros(2, 1, 32, 32)).shape == (2, 4)


@pytest.mark.parametrize("name, dataset", SMALL)
def test_macs_are_those_of_a_real_forward_pass(name, dataset, monkeypatch):
    monkeypatch.setattr(separable, "usable", lambda *_: False)  # torch does not see what is computed in C
    network = build(name, dataset)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    counted = count.macs(network)
    assert network.training and all(torch.equal(before[key], value) for key, value in network.state_dict().items())
    with FlopCounterMode(display=False) as counter:
        network.eval()(torch.zeros(3, *IMAGES[dataset][0]))
    assert counted == counter.get_total_flops() / 6


def test_macs_by_formula():
    """Kernels times kernel weights times pixels of the map, then the FC weights."""
    assert listed("lenet5-caffe", "mnist").macs == 20 * 25 * 24**2 + 50 * 20 * 25 * 8**2 + 800 * 500 + 500 * 10
    assert listed("vgg-cov2", "cifar10").macs == 64 * 27 * 32**2 + 64 * 64 * 9 * 32**2 + 16384 * 256 + 256 * 256 + 2560
    depthwise = ConvNet((Stage(6, 3, 1, True),), (5,), (3, 9, 9), classes=2, generator=generator())
    assert count.macs(depthwise) == 6 * 27 * 81 + 6 * 16 * 5 + 10


def test_images_are_flattened_and_chosen_pixels_read():
    network = MLP((2, 3), inputs=torch.tensor([5, 0]))
    images = torch.rand(4, 1, 2, 3)
    assert torch.equal(network(images), network.layers[0](images.flatten(1)[:, [5, 0]]))


def test_widths_and_shapes_of_an_mlp():
    network = MLP(generator=generator())
    assert network.widths == (784, 300, 100, 10) and network.gate_widths() == (784, 300, 100)
    assert [tuple(w.shape) for w in network.linear_weights()] == [(784, 300), (300, 100), (100, 10)]


@pytest.mark.parametrize("widths", [(), (5,), (5, 0), (5, 0, 3), (-1, 3)])
def test_impossible_widths_are_named(widths):
    with pytest.raises(ValueError, match="give at least an input and an output width"):
        MLP(widths)


def test_networks_are_listed_for_people_and_for_programs(capsys):
    code, text, _ = inside(capsys, "networks")
    assert code == 0 and "20-50-800-500" in text and "4,300,992" in text
    code, text, _ = inside(capsys, "networks", "--json")
    rows = json.loads(text)
    assert code == 0 and [(row["network"], row["dataset"]) for row in rows] == list(USES)
    (mlp,) = [row for row in rows if row["network"] == "mlp"]
    assert mlp == {
        "network": "mlp",
        "dataset": "mnist",
        "image": [1, 28, 28],
        "classes": 10,
        "gated_widths": [784, 300, 100],
        "counted": "all",
        "weights": 266_200,
        "macs": 266_200,
        "parameters": 266_610,
    }


def test_networks_with_and_without_switched_convolutions_are_told_apart():
    kinds = {name: type(build(name, dataset)) for name, dataset in SMALL}
    assert kinds["mlp"] is MLP and kinds["vgg-cov2-bn"] is ConvNet and kinds["mobilenet-v1-x1"] is DeepNet


@pytest.mark.parametrize("how", ["kaiming", "torch"])
def test_other_starts_of_the_fc_layers(how):
    """Deviation and bounds as named; drawn from the generator alone; convolutions stay as they were."""
    first, again, normal = (lenet5_caffe(generator=generator(0)) for _ in range(3))
    for network in (first, again):
        start_linear(network, how, generator(1))
    for layer, other in zip(first.head.layers, again.head.layers):
        inputs, bound = layer.in_features, layer.in_features**-0.5
        assert torch.equal(layer.weight, other.weight) and torch.equal(layer.bias, other.bias)
        if how == "kaiming":
            assert abs(float(layer.weight.detach().std()) / (2 / inputs) ** 0.5 - 1) < 0.05 and not layer.bias.any()
        else:
            assert 0.99 * bound < float(layer.weight.detach().abs().max()) <= bound
            assert 0 < float(layer.bias.detach().abs().max()) <= bound
    assert all(torch.equal(conv.weight, other.weight) for conv, other in zip(first.convolutions, normal.convolutions))


# ---------------------------------------------------------------- residual blocks


def test_resnet34_is_torchvisions_with_another_stem():
    from torchvision.models import resnet34

    theirs = resnet34(weights=None)
    theirs.conv1 = torch.nn.Conv2d(3, 64, 3, padding=1, bias=False)
    theirs.maxpool = theirs.fc = torch.nn.Identity()
    ours = build("resnet34", "cifar10").features
    assert list(theirs.state_dict()) == list(ours.state_dict())
    theirs.load_state_dict(ours.state_dict())
    x = torch.rand(2, 3, 32, 32, generator=generator(3))
    for mode in (True, False):
        theirs.train(mode).to(memory_format=torch.channels_last)
        torch.testing.assert_close(ours.train(mode)(x).flatten(1), theirs(x), rtol=1e-4, atol=1e-5)


def test_a_quarter_of_the_width_is_a_quarter_of_every_layer():
    for name, unit in (("vgg16", 16), ("resnet34", 16), ("mobilenet-v1-x1", 8)):
        small = {"mobilenet-v1-x1": "mobilenet-v1-x0.25"}.get(name, f"{name}-x0.25")
        with torch.device("meta"):
            whole, quarter = (
                [module for module in NETWORKS[each]((3, 32, 32), 10).features.modules() if isinstance(module, Conv2d)]
                for each in (name, small)
            )
        assert [4 * layer.out_channels for layer in quarter] == [layer.out_channels for layer in whole]
        assert quarter[0].out_channels == unit
        assert NETWORKS[small]((3, 32, 32), 10, generator=generator()).name == small


@pytest.mark.parametrize("training", [True, False])
def test_fewer_kernels_within_residual_blocks(training):
    features = disturb(build("resnet34-x0.25", "cifar10")).features.train(training)
    draw = generator(5)
    inner = [int(torch.randint(width + 1, (), generator=draw)) for width in features.inner()]
    inner[:4] = [0, 0, 16, 0]  # the fourth changes the shape: its shortcut has a convolution
    small = features.narrowed(inner)
    assert small.inner() == tuple(inner) and small.training == training
    convolutions = [layer.weight.numel() for layer in small.modules() if isinstance(layer, Conv2d)]
    assert sum(convolutions) == small.weights(inner) == features.weights(inner) < features.weights(features.inner())
    x = torch.rand(3, 3, 32, 32, generator=draw)
    torch.testing.assert_close(small(x), features(x, inner), rtol=1e-4, atol=1e-5)
    assert tuple(features.narrow_as(small.state_dict(), "").inner()) == tuple(inner)


def test_a_block_without_kernels_is_its_shortcut():
    features = disturb(build("resnet34-x0.25", "cifar10")).features.eval()
    x = torch.rand(2, 3, 32, 32, generator=generator(3))
    h = F.relu(features.bn1(features.conv1(x)))
    for stage in (features.layer1, features.layer2, features.layer3, features.layer4):
        for block in stage:
            h = h if block.downsample is None else F.relu(block.downsample(h))
    torch.testing.assert_close(features(x, [0] * 16), h.mean((2, 3), keepdim=True), rtol=1e-4, atol=1e-5)


def test_features_need_a_width_for_each_block():
    with pytest.raises(ValueError, match="give one width for each of 16 blocks"):
        Residual(3, 1, 0.25, [4, 4])
