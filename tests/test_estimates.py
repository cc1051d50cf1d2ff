"""What runs will take, by the seconds that recorded ones took."""

from dataclasses import replace

import invented
import pytest
from invented import unchecked  # noqa: F401

from snnlib.arms import Arm
from snnlib.config import SwitcherConfig, TrainConfig
from snnlib.lab import estimates, records
from snnlib.lab.estimates import Estimate

pytestmark = pytest.mark.usefixtures("unchecked")

DENSE = Arm("dense", "dense", train=TrainConfig(epochs=2, train_images=1000))


def estimate(arm, root):
    return estimates.of_arms([arm], root)[arm.settings_hash()]


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "default_root", lambda: tmp_path / "none")
    return tmp_path


def keep(arm, seed, seconds, root, status="finished"):
    written = invented.record(arm, seed, seconds=seconds, status=status)
    records.write(records.path_of(arm, "quick", seed, root), written)


def test_seconds_grow_with_the_images_of_all_epochs(root):
    for seed, seconds in enumerate((20.0, 30.0, 10.0, 90.0)):
        keep(DENSE, seed, seconds, root)
    keep(DENSE, 4, 1.0, root, status="failed")  # a run that broke off tells nothing
    assert estimate(DENSE, root) == Estimate(20.0)  # the second of four: slower ones had company
    assert estimate(replace(DENSE, name="whole", train=TrainConfig(epochs=3)), root).seconds == pytest.approx(
        20 / 2000 * 180_000
    )
    held_out = replace(DENSE, train=TrainConfig(epochs=1, split="holdout"))
    assert estimates.images_of(held_out) == 55_000
    two_stages = replace(DENSE, method="separate", switcher=SwitcherConfig(), dense_epochs=4)
    assert estimates.images_of(two_stages) == 6000


def test_other_methods_and_precisions_of_the_network_serve_roughly(root):
    keep(DENSE, 0, 10.0, root)
    with_switcher = replace(DENSE, name="snn-al", method="alternating", switcher=SwitcherConfig())
    halves = replace(DENSE, name="half", train=replace(DENSE.train, precision="bfloat16"))
    for arm in (with_switcher, halves):
        assert estimate(arm, root) == Estimate(10.0, rough=True)
    keep(with_switcher, 0, 40.0, root)
    assert estimate(with_switcher, root) == Estimate(40.0)
    assert estimate(replace(DENSE, network="lenet5-caffe"), root) == Estimate(None)
    assert estimate(replace(DENSE, dataset="a/folder"), root) == Estimate(None)


def test_a_network_given_by_its_widths_has_an_estimate_too(root):
    widths = replace(DENSE, network="mlp:784-20-10")  # its folder has no colon
    keep(widths, 0, 10.0, root)
    assert estimate(replace(widths, name="other"), root) == Estimate(10.0)


@pytest.mark.parametrize(
    "found, text",
    [
        ([Estimate(60.0), Estimate(120.0)], "3 min"),
        ([Estimate(7200.0, rough=True)], "about 2.0 h"),
        ([Estimate(7200.0), Estimate(None)], "at least 2.0 h"),
        ([Estimate(None)], "no estimate: no record of this network"),
        ([Estimate(1.0)], "1 min"),
    ],
)
def test_sums_in_words(found, text):
    assert estimates.said(found) == text
