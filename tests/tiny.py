"""The command line with one tiny table in place of all others, as a process: ``python tests/tiny.py run tiny ...``.

Also the tiny arms themselves. They are real runs on MNIST, of 256 images.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # where it runs as a script, and in the workers it spawns

from snnlib.arms import Arm
from snnlib.config import SwitcherConfig, TrainConfig
from snnlib.lab import experiments

TRAIN = TrainConfig(epochs=4, train_images=256)
SWITCHER = SwitcherConfig(channels=(2, 4))
DENSE = Arm("dense", "dense", train=TRAIN)
ALTERNATING = Arm("alternating", "alternating", train=TRAIN, switcher=SWITCHER)
BY_STEP = Arm(
    "by-step",
    "alternating",
    train=TrainConfig(epochs=4, train_images=256, alternate="step", momentum=0.5),
    switcher=SWITCHER,
)
SEPARATE = Arm("separate", "separate", train=TRAIN, switcher=SWITCHER, dense_epochs=3)
DIVERGING = Arm("diverging", "dense", train=TrainConfig(epochs=2, train_images=256, rate=1e30, clip_network=None))
KILLED = Arm("killed", "alternating", train=TrainConfig(epochs=40, train_images=512), switcher=SWITCHER)
LONG = Arm("long", "alternating", train=TrainConfig(epochs=100_000, train_images=256), switcher=SWITCHER)


def table(*arms: Arm, seeds: tuple[int, ...] = (0,), profile: str = "quick") -> experiments.Table:
    """A table of these arms, in one profile alone."""
    return experiments.Table(
        "tiny", "A tiny table", arms={profile: arms}, seeds={profile: seeds}, reference=arms[0].name
    )


TABLES = {
    "tiny": table(DENSE, ALTERNATING),
    "diverging": table(DIVERGING),
    "long": table(LONG, seeds=(0, 1), profile="paper"),
}

if __name__ == "__main__":
    from snnlib.__main__ import main

    experiments.TABLES.clear()
    experiments.TABLES.update(TABLES)
    main()
