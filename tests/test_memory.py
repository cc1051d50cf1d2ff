"""The estimate of the memory that a run takes: counted by hand, against measured peaks, and what is said where it is
short."""

import gc

import pytest
import torch

from benchmarks import memory as benchmark
from snnlib.config import SwitcherConfig
from snnlib.lab import memory
from snnlib.networks import lenet5_caffe, mlp
from snnlib.training.judging import accuracy, judged_at_once

SWITCHER = SwitcherConfig()


def test_storages_count_once_and_for_as_long_as_they_live():
    a = torch.empty(100, device="meta")
    with memory.Alive(a) as alive:
        assert alive.now == 400
        b = a * 2
        c = b[10:]
        assert alive.now == 800 and alive.peak == 800  # c is a view
        b.add_(1)
        del b
        assert alive.now == 800
        del c
        gc.collect()
        assert alive.now == 400 and alive.peak == 800
        d = torch.empty(50, device="meta")
        assert alive.now == 600 and alive.peak == 800
    del d


def test_a_dense_step_of_the_mlp_by_hand():
    """Weights and their gradients, the batch and its labels; the hidden layers are let go while gradients are made."""
    weights, batch = 266_610, 64
    found = memory.step_bytes("mlp", None, "dense", batch, (1, 28, 28), 10)
    least = 4 * (2 * weights + batch * 784) + 8 * batch
    assert least < found < least + 4 * batch * 4 * 410
    with_momentum = memory.step_bytes("mlp", None, "dense", batch, (1, 28, 28), 10, momentum=0.9)
    assert with_momentum >= found + 4 * weights - 4 * batch * 4 * 410


@pytest.mark.parametrize("network, image", [("lenet5-caffe", (1, 28, 28)), ("mobilenet-v1-x0.25", (3, 32, 32))])
def test_activations_grow_with_the_batch_and_with_the_image(network, image):
    small, large = (memory.step_bytes(network, SWITCHER, "network", batch, image, 10) for batch in (64, 128))
    none = memory.step_bytes(network, SWITCHER, "network", 1, image, 10)
    assert none < small < large < 2.1 * small
    bigger = memory.step_bytes(network, SWITCHER, "network", 64, (image[0], 96, 96), 10)
    assert bigger > 1.5 * small


def test_a_frozen_deep_network_keeps_no_activations_of_its_features():
    sizes = {
        phase: memory.step_bytes("mobilenet-v1-x1", SWITCHER, phase, 64, (3, 32, 32), 10)
        for phase in ("switcher", "network")
    }
    assert sizes["switcher"] < sizes["network"] / 2


def test_a_run_needs_its_largest_part():
    steps = [memory.step_bytes("vgg-cov2", SWITCHER, phase, 64, (3, 32, 32), 10) for phase in ("switcher", "network")]
    judging = [memory.evaluation_bytes("vgg-cov2", SWITCHER, (3, 32, 32), 10, images) for images in (10, 2000)]
    assert judging[0] < max(steps) < judging[1]
    assert memory.needed("vgg-cov2", SWITCHER, 64, (3, 32, 32), 10, evaluated=10) == max(steps)
    assert memory.needed("vgg-cov2", SWITCHER, 64, (3, 32, 32), 10, evaluated=2000) == judging[1]
    assert memory.needed("vgg-cov2", None, 64, (3, 32, 32), 10, evaluated=10) < max(steps)


def test_an_estimate_takes_no_memory_and_no_random_numbers():
    state = torch.get_rng_state()
    assert memory.needed("resnet34", SWITCHER, 1_000_000, (3, 84, 84), 100) > 2**40
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    "network, dataset, image", [("mlp", "mnist", (1, 28, 28)), ("mobilenet-v1-x0.25", "cifar10", (3, 32, 32))]
)
def test_the_estimate_is_near_the_measured_peak(network, dataset, image):
    measured = benchmark._in_process(network, dataset, 64, torch.device("cpu"), native=False)
    assert measured.keys() == memory.STEPS.keys()
    for phase, peak in measured.items():
        estimated = memory.step_bytes(network, None if phase == "dense" else SWITCHER, phase, 64, image, 10)
        assert 1 / benchmark.FACTOR <= peak / estimated <= benchmark.FACTOR


def test_the_estimate_of_judging_is_near_the_measured_peak(monkeypatch):
    monkeypatch.setattr("snnlib.networks.convnet.pooled", None)  # the estimate is of torch's own operations

    def prepare():
        network = lenet5_caffe(generator=torch.Generator().manual_seed(0))
        x, y = torch.zeros(300, 1, 28, 28, dtype=torch.uint8), torch.zeros(300, dtype=torch.long)
        return lambda: accuracy(network, None, x, y)

    measured = benchmark._cpu_peak(prepare, torch.device("cpu"))
    estimated = memory.evaluation_bytes("lenet5-caffe", None, (1, 28, 28), 10, images=300)
    assert 1 / benchmark.FACTOR <= measured / estimated <= benchmark.FACTOR


def test_as_many_images_are_judged_at_once_as_the_estimate_supposes():
    judged = []
    network = mlp(generator=torch.Generator().manual_seed(0))
    network.register_forward_pre_hook(lambda module, inputs: judged.append(len(inputs[0])))
    accuracy(network, None, torch.zeros(4500, 1, 28, 28, dtype=torch.uint8), torch.zeros(4500, dtype=torch.long))
    assert (
        judged == [2000, 2000, 500]
        and judged_at_once((1, 28, 28)) == 2000 > judged_at_once((3, 32, 32)) > judged_at_once((3, 84, 84)) > 50
    )
    assert memory.needed("resnet34", None, 1, (3, 84, 84), 100) == memory.evaluation_bytes(
        "resnet34", None, (3, 84, 84), 100, judged_at_once((3, 84, 84))
    )


def test_too_little_memory_is_refused_with_both_numbers_and_the_remedy(monkeypatch):
    monkeypatch.setattr(memory, "free_bytes", lambda device: 2**30)
    memory.check(2**30, torch.device("cpu"), "mlp")
    with pytest.raises(
        ValueError,
        match=r"^mlp needs about 2.5 GiB, 1.0 GiB are free on cpu: choose a smaller batch_size, fewer seeds "
        "--together or another device",
    ):
        memory.check(5 * 2**29, torch.device("cpu"), "mlp")
    monkeypatch.setattr(memory, "free_bytes", lambda device: None)  # a system that does not tell
    memory.check(2**60, torch.device("cpu"), "mlp")


def test_free_memory_is_read_from_the_system(tmp_path):
    (tmp_path / "meminfo").write_text("MemTotal:       16000 kB\nMemFree:         100 kB\nMemAvailable:    4000 kB\n")
    assert memory._system_free(tmp_path / "meminfo") == 4000 * 1024
    assert memory._system_free(tmp_path / "nothing") is None


def test_free_memory_is_what_a_containers_limit_leaves(tmp_path):
    for name, text in (
        ("memory.max", "1000\n"),
        ("memory.current", "700\n"),
        ("memory.stat", "anon 500\ninactive_file 150\n"),
    ):
        (tmp_path / name).write_text(text)
    assert memory._container_free(tmp_path) == 450
    (tmp_path / "memory.max").write_text("max\n")
    assert memory._container_free(tmp_path) is None and memory._container_free(tmp_path / "nothing") is None


def test_this_machine_has_memory_left():
    free = memory.free_bytes(torch.device("cpu"))
    assert free is None or free > 2**20


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA device")
def test_free_memory_of_an_accelerator():
    device = torch.device("cuda")
    assert 0 < memory.free_bytes(device) <= torch.cuda.get_device_properties(device).total_memory
