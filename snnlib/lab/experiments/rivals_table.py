"""The table of the rivals: SNN-AL beside all of them, on the perceptron and on LeNet5-Caffe."""

from __future__ import annotations

from typing import Any

from ...arms import Arm, Rival
from ...config import TrainConfig
from .ablation import ABLATION
from .as_published import recipes
from .rivals import NAMES, on
from .spaces import RIVALS
from .table import Table


def tried(epochs: int, images: int) -> tuple[Arm, ...]:
    """Every rival, and a dense network in the place of the tuned one, so short that it only shows that it runs."""
    train = TrainConfig(epochs=epochs, rate=0.1, train_images=images, fc_init="torch", normalize=True)
    made = [Arm("tuned-dense", "dense", "dense", train=train)]
    for name, *_ in RIVALS:
        options: dict[str, Any] = {"rollout": 4, "judged": 1, "rollouts": 2} if name == "n2n" else {}
        if name == "lottery":
            options["rounds"] = 2
        made.append(Arm(name, "rival", NAMES[name], train=train, rival=Rival.of(name, **options)))
    return tuple(made)


RIVALS_TABLE = Table(
    "rivals",
    "The paper's nine rivals beside SNN-AL: the MLP and LeNet5-Caffe on MNIST",
    {
        "smoke": tried(4, 1280),
        "quick": tried(4, 1280),
        "paper": (*on("mlp"), *on("lenet5-caffe")),
        "authors": recipes(),
    },
    {"smoke": (0,), "quick": (0,), "paper": ABLATION.seeds["paper"], "authors": (0,)},
    "tuned-dense",
)
