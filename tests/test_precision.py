"""The task network's products in bfloat16: near float32, the switcher's own numbers untouched, refused where it cannot
be."""

import copy
import io
import json
from dataclasses import replace

import pytest
import torch
from command_line import PROJECT
from rich.console import Console

from snnlib import data
from snnlib.arms import Arm
from snnlib.config import SwitcherConfig, TrainConfig
from snnlib.lab import progress, runner, underway
from snnlib.lab.experiments import studies
from snnlib.lab.together import Together
from snnlib.lab.workers import Event, Job
from snnlib.networks import MLP, lenet5_caffe, vgg_cov2
from snnlib.switching.switched import Switched
from snnlib.training import optimizers, steps, train_dense

HALF = TrainConfig(precision="bfloat16")
SUPPORTED = pytest.mark.skipif(not steps.bfloat16_on_cpu(), reason="this processor has no bfloat16 instructions")


def test_precision_is_a_setting_and_older_hashes_stay():
    arm = Arm("a", "dense")
    assert (
        "precision" not in arm.settings()["train"]
        and Arm("a", "dense", train=HALF).settings()["train"]["precision"] == "bfloat16"
    )
    with pytest.raises(ValueError, match="precision='float16': choose 'float32' or 'bfloat16'"):
        TrainConfig(precision="float16")


def test_a_processor_without_it_is_named(monkeypatch):
    monkeypatch.setattr(steps, "bfloat16_on_cpu", lambda: False)
    steps.check_precision("float32", torch.device("cpu"))
    with pytest.raises(ValueError, match="this processor has no instructions for it"):
        train_dense(MLP(), data.load("mnist").first(64), HALF, 0)


@pytest.mark.parametrize(
    "machine, avx512_bf16, amx, imitated",
    [
        ("x86_64", False, False, True),
        ("AMD64", False, False, True),
        ("x86_64", True, False, False),
        ("x86_64", False, True, False),
        ("aarch64", False, False, False),
    ],
)
def test_a_processor_that_imitates_it_is_told_of(monkeypatch, machine, avx512_bf16, amx, imitated):
    monkeypatch.setattr(steps.platform, "machine", lambda: machine)
    monkeypatch.setattr(steps, "bfloat16_on_cpu", lambda: True)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx512_bf16)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    cpu, half = torch.device("cpu"), Arm("half", "dense", train=TrainConfig(precision="bfloat16"))
    assert steps.imitates_bfloat16(cpu) == imitated and not steps.imitates_bfloat16(torch.device("cuda"))
    note = runner.note_of(half, cpu)
    assert ("This processor has no instructions for it (AVX512_BF16 or AMX)" in note) if imitated else note is None
    assert runner.note_of(replace(half, train=TrainConfig()), cpu) is None


def test_the_note_is_shown_once_and_the_record_keeps_it(monkeypatch, tmp_path):
    monkeypatch.setattr(runner, "imitates_bfloat16", lambda device: True)
    monkeypatch.setattr(underway, "imitates_bfloat16", lambda device: True)
    arm = Arm("half", "dense", train=TrainConfig(epochs=1, train_images=256, precision="bfloat16"))
    jobs = [Job(arm, "quick", seed, tmp_path) for seed in (0, 1)]
    notes = [Event("note", job, text=runner.note_of(arm, torch.device("cpu"))) for job in jobs]
    for view in (progress.Lines, progress.Bars):
        shown = io.StringIO()
        with view(Console(file=shown, force_terminal=view is progress.Bars, width=400), jobs, 1) as lines:
            for event in notes:
                lines.show(event)
        assert shown.getvalue().count("mlp is trained in bfloat16. This processor has no instructions") == 1
    if steps.bfloat16_on_cpu():
        assert runner.run(arm, "quick", 0, tmp_path, torch.device("cpu"))["code"]["bfloat16"] == "imitated"


def test_the_times_that_are_told_of_such_a_processor_are_those_measured():
    rows = json.loads((PROJECT / "benchmarks" / "without-bfloat16.json").read_text())["rows"]
    dense = {row["name"]: row["ours_ms"] for row in rows if row["name"].endswith(", dense")}
    ratio = {
        name.split(" on ")[0]: ms / dense[name.replace("bfloat16", "float32")]
        for name, ms in dense.items()
        if "bfloat16" in name
    }
    assert min(ratio.values()) > 1, "with every network float32 is the faster one"
    assert all(2 < ratio[network] < 3 for network, precision in studies.PRECISION.items() if precision == "bfloat16")
    assert max(ratio.values()) < 3.2, "a step may take three times as long"


def test_seeds_train_together_in_float32_only():
    with pytest.raises(ValueError, match="train them one by one"):
        Together([MLP()], HALF)


@pytest.mark.parametrize("make, image", [(MLP, (1, 28, 28)), (lenet5_caffe, (1, 28, 28)), (vgg_cov2, (3, 32, 32))])
@pytest.mark.parametrize("phase", ["dense", "switcher", "network"])
def test_a_step_lies_near_one_in_float32(make, image, phase):
    """Eight bits round by 0.4 %: the loss agrees to about that, and the gradients point the same way."""
    torch.manual_seed(0)
    network = make(fc_std=0.05)
    model = Switched.around(network, SwitcherConfig(initial_spread=0.3))
    x, y = torch.randn(16, *image), torch.randint(0, 10, (16,))
    found = {}
    for precision in ("float32", "bfloat16"):
        one = copy.deepcopy(model)
        side = one.switcher_side() if phase == "switcher" else one.network
        one.requires_grad_(True)
        sgd = optimizers.optimizer(side.parameters(), TrainConfig(rate=1e-12))
        step = {
            "dense": lambda: steps.dense_step(one.network, sgd, x, y, None, precision),
            "switcher": lambda: steps.switcher_step(one, sgd, x, y, None, precision),
            "network": lambda: steps.network_step(one, sgd, x, y, None, precision),
        }[phase]
        loss, gates = step()
        assert loss.dtype == torch.float32 and all(
            parameter.grad is None or parameter.grad.dtype == torch.float32 for parameter in side.parameters()
        )
        found[precision] = (
            float(loss),
            torch.cat([parameter.grad.flatten() for parameter in side.parameters() if parameter.grad is not None]),
            gates,
        )
    (loss, grad, gates), (near, turned, same) = found.values()
    assert near == pytest.approx(loss, rel=0.03) and float(torch.cosine_similarity(grad, turned, dim=0)) > 0.97
    assert gates is None or all(torch.equal(a, b) for a, b in zip(gates, same)), (
        "the switcher computes in float32 all the same"
    )


@SUPPORTED
def test_a_network_learns_in_it():
    digits = data.load("mnist").first(2000)
    found = {
        precision: train_dense(
            MLP(fc_std=0.05, generator=torch.Generator().manual_seed(0)),
            digits,
            TrainConfig(epochs=3, precision=precision),
            0,
        )
        for precision in ("float32", "bfloat16")
    }
    accuracies = [state.history[-1]["accuracy"] for state in found.values()]
    assert min(accuracies) > 0.7 and abs(accuracies[0] - accuracies[1]) < 0.02
