"""Settings beside the paper's, and what sets two arms apart."""

from dataclasses import replace

from snnlib.arms import Arm
from snnlib.config import SwitcherConfig, TrainConfig
from snnlib.report import protocol

ARM = Arm("a", "alternating", "ours", train=TrainConfig(epochs=3, train_images=200), switcher=SwitcherConfig())


def test_choices_are_those_of_the_arm():
    found = protocol.choices(ARM, 5, 60_000)
    assert found.loc["training images"].tolist() == ["60,000", "200"] and found.loc["runs", "ours"] == "5"
    assert found.loc["clipped norm, network", "ours"] == "1" and found.loc["momentum", "paper"] == "open"


def test_arms_differ_in_what_was_changed():
    other = replace(ARM, title="by step", train=replace(ARM.train, alternate="step", clip_network=None))
    reader = replace(ARM, title="noise", switcher=SwitcherConfig(reads="noise"))
    dense = Arm("d", "dense", "dense", train=replace(ARM.train, clip_switcher=None, epochs=2))
    found = protocol.apart((ARM, other, reader, dense), ARM)["differs in"]
    assert found.tolist() == [
        "nothing",
        "alternate='step', clip_network=None",
        "reads='noise'",
        "method='dense', epochs=2",
    ]
