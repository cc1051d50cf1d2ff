"""Settings of a switcher and of a training: frozen, typed, each default with its reason.

"Fixed" marks what the paper's text fixes (section 4); "open" marks what it leaves open, where the default
was chosen on 5,000 held-out training images (see the records of the table ``search``).
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, Literal

ARM_ALONE = {
    "split": "give data.holdout() to judge on held-out training images",
    "train_images": "give data.first(n) to train on n images",
    "test_images": "give a data set with fewer test images: dataclasses.replace(data, x_test=..., y_test=...)",
    "pixels": "give data.arranged(pixels)",
    "nudge": "move the weight yourself before training",
    "fc_init": "start your module's weights yourself (torch.nn.init)",
    "fc_std": "start your module's weights yourself (torch.nn.init)",
    "through_switcher": "build the model so: snnlib.switch(module, example_input, through_switcher=False)",
}
"""Settings that only an arm of an experiment reads, which builds data, network and model by them; for a program of
one's own, what to do instead."""

READS = {
    "weights": "the task network's weights, as in the paper",
    "constants": "ones in the place of every weight",
    "noise": "fixed Gaussian noise in the place of the weights",
    "shuffled": "the weights, a layer's rows in a new random order at every step: neuron i gets the factor of "
    "another row",
    "reordered": "the weights, a layer's rows in one fixed random order; each factor goes back to the neuron it was "
    "read from",
    "nothing": "no weights at all: every neuron has one free factor, and there is no U-Net",
}
"""What a switcher may read: the weights, or one of the controls that test whether reading them matters."""

Side = Literal["network", "switcher"]
"""What a step of Algorithm 1 trains."""

Reads = Literal["weights", "constants", "noise", "shuffled", "reordered", "nothing"]
"""The keys of :data:`READS`."""

Pixels = Literal["raster", "transposed", "shuffled"]
"""How the pixels of an image are arranged."""

Split = Literal["full", "holdout"]
"""What is judged on: the test images, or the last 5,000 training images, held out of the training."""


def _check_whole(name: str, value: object, example: tuple[int, ...]) -> None:
    """Raise ``ValueError`` unless ``value`` is a tuple of whole numbers."""
    if not isinstance(value, tuple) or any(isinstance(each, bool) or not isinstance(each, int) for each in value):
        raise ValueError(f"{name}={value!r}: give a tuple of whole numbers, e.g. {example}")


@dataclass(frozen=True)
class SwitcherConfig:
    """The switcher's shape and its first output (section 3.1; every number here is open)."""

    channels: tuple[int, ...] = (4, 8, 16)  # one encoder block each; more channels cost more than they prune
    kernel: tuple[int, int] = (3, 3)  # rows x columns of an encoder convolution; odd, so that rows stay aligned
    width_stride: int = 3  # stride along a row; columns have no order, so windows need not overlap, and cost less
    # the paper's decoder; "one-bias": with torch's one bias; "resize": repeats rows, free of parity effects
    upsample: Literal["transposed", "one-bias", "resize"] = "transposed"
    reads: Reads = "weights"  # all others are controls, see snnlib.switching.readings
    calibrate: bool = True  # without it whole layers start at factor 0 and stay dead
    scale_inputs: bool = True  # calibration also scales the first convolution so that each layer arrives with unit RMS
    batch_norm: bool = False  # normalise each convolution's output over its rows and columns; the paper names none
    start: Literal["kaiming", "torch"] = "kaiming"  # open; "torch" draws weights and biases as torch's own layers do
    kernel_features: int = 32  # numbers that the learned convolution of section 3.3.2 makes of one kernel
    initial_mean: float = 1.0  # mean of a layer's factors at the start: 1 leaves the network as it was
    initial_spread: float = 1.0  # their standard deviation before the ReLU; 1 starts 16 % of the neurons at 0

    def __post_init__(self) -> None:
        for name, example in (("channels", (4, 8, 16)), ("kernel", (3, 3))):
            _check_whole(name, getattr(self, name), example)
        if not self.channels or min(self.channels) < 1:
            raise ValueError(
                f"channels={self.channels}: give one positive number for each encoder block, e.g. (4, 8, 16)"
            )
        if len(self.kernel) != 2 or any(k < 1 or k % 2 == 0 for k in self.kernel):
            raise ValueError(f"kernel={self.kernel}: give two sizes, odd and positive, so that row i stays row i")
        if self.kernel_features < 1:
            raise ValueError(f"kernel_features={self.kernel_features}: must be 1 or more")
        if self.width_stride < 1:
            raise ValueError(f"width_stride={self.width_stride}: must be 1 or more")
        if self.upsample not in ("transposed", "one-bias", "resize"):
            raise ValueError(f"upsample={self.upsample!r}: choose 'transposed', 'one-bias' or 'resize'")
        if self.start not in ("kaiming", "torch"):
            raise ValueError(f"start={self.start!r}: choose 'kaiming' or 'torch'")
        if self.reads not in READS:
            raise ValueError(f"reads={self.reads!r}: choose {' or '.join(map(repr, READS))}")
        if not math.isfinite(self.initial_mean):
            raise ValueError(f"initial_mean={self.initial_mean}: the mean of the factors must be a number")
        if not 0 <= self.initial_spread < math.inf:
            raise ValueError(f"initial_spread={self.initial_spread}: a standard deviation cannot be negative")


@dataclass(frozen=True)
class TrainConfig:
    """How a network, with or without a switcher, is trained (Algorithm 1 and section 4)."""

    epochs: int = 2  # passes over the training images, both phases counted; open
    batch_size: int = 64  # fixed
    rate: float = 0.1  # fixed: the initial learning rate of SGD, for both networks
    # open; "constant" keeps the rate, "step" divides it by ten at each of the milestones
    schedule: Literal["cosine", "constant", "step"] = "cosine"
    milestones: tuple[float, ...] = (0.5, 0.75)  # shares of all steps after which "step" lowers the rate; usual ones
    momentum: float = 0.0  # open; the text says SGD and names no momentum
    weight_decay: float = 0.0  # open; of the L2 norm of all weights and biases
    rate_switcher: float | None = None  # the same three for the switcher's steps; None: as the task network's
    momentum_switcher: float | None = None
    weight_decay_switcher: float | None = None
    alternate: Literal["epoch", "step"] = "epoch"  # what t of Algorithm 1 counts; Fig. 4 counts epochs; or "step"
    turns: tuple[int, int] = (1, 1)  # so many of them for the switcher, then so many for the task network
    switcher_until: float = 1.0  # share of all steps after which the switcher learns no more; the paper has no such end
    clip_switcher: float | None = 1.0  # largest gradient norm of a switcher step; None: not clipped
    clip_network: float | None = 1.0  # the same for the task network; without either layers died or the loss became NaN
    through_switcher: bool = True  # the second term of Eq. 6; False cuts it
    fc_init: Literal["normal", "kaiming", "torch"] = "normal"  # fixed: normal, of std fc_std; others are other readings
    fc_std: float = 0.01  # std of the normal that fills FC weights; the scan leaves 0.1 and 0.01 open
    split: Split = "full"
    train_images: int | None = None  # the first so many training images only; None: all of them
    test_images: int | None = None  # judged on so many images, evenly spread over the test set; None: all of them
    augment: bool = False  # open: random crop (padded by an eighth of the side) and horizontal flip of training images
    normalize: bool = False  # open: each colour less its mean over the training images, divided by its deviation
    nudge: int = 0  # a control: above 0, the weight of this number is moved by a millionth before training
    # of the task network's products in training; "bfloat16": under autocast; switcher and evaluation stay in float32
    precision: Literal["float32", "bfloat16"] = "float32"
    pixels: Pixels = "raster"  # a control: "transposed" images, or "shuffled": all by one fixed permutation of pixels

    def __post_init__(self) -> None:
        for name, allowed in (
            ("schedule", ("cosine", "constant", "step")),
            ("alternate", ("epoch", "step")),
            ("split", ("full", "holdout")),
            ("pixels", ("raster", "transposed", "shuffled")),
            ("fc_init", ("normal", "kaiming", "torch")),
            ("precision", ("float32", "bfloat16")),
        ):
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name}={getattr(self, name)!r}: choose {' or '.join(map(repr, allowed))}")
        if not isinstance(self.nudge, int) or self.nudge < 0:
            raise ValueError(f"nudge={self.nudge}: must be a whole number, 0 for none")
        for name in ("epochs", "batch_size", "train_images", "test_images"):
            value = getattr(self, name)
            if not (value is None and name.endswith("_images")) and (not isinstance(value, int) or value < 1):
                raise ValueError(f"{name}={value}: must be a whole number, 1 or more")
        for name in (
            "rate",
            "momentum",
            "weight_decay",
            "fc_std",
            "rate_switcher",
            "momentum_switcher",
            "weight_decay_switcher",
            "switcher_until",
        ):
            value: Any = getattr(self, name)
            if name.endswith("_switcher") and value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise ValueError(f"{name}={value!r}: must be a number")
            if name.startswith("rate") and not 0 < value < math.inf:
                raise ValueError(f"{name}={value}: the learning rate must be positive and finite")
            if not 0 <= value < math.inf:
                raise ValueError(f"{name}={value}: must be 0 or more, and finite")
            if name.startswith("momentum") and value >= 1:
                raise ValueError(f"{name}={value}: must be below 1, e.g. 0.9, or the steps grow without end")
            object.__setattr__(self, name, float(value))  # 1 and 1.0 are one setting, with one hash
        if not 0 < self.switcher_until <= 1:
            raise ValueError(f"switcher_until={self.switcher_until}: a share of the run, above 0 and at most 1")
        if (
            not isinstance(self.turns, tuple)
            or len(self.turns) != 2
            or any(not isinstance(turn, int) or turn < 1 for turn in self.turns)
        ):
            raise ValueError(
                f"turns={self.turns}: give two whole numbers, 1 or more: the switcher's turn, then the task network's"
            )
        if any(not 0 < share < 1 for share in self.milestones) or list(self.milestones) != sorted(self.milestones):
            raise ValueError(f"milestones={self.milestones}: give shares of the run between 0 and 1, in rising order")
        for name in ("clip_switcher", "clip_network"):
            if getattr(self, name) is not None and not getattr(self, name) > 0:
                raise ValueError(f"{name}={getattr(self, name)}: give a positive norm, or None for no clipping")

    def for_training(self) -> TrainConfig:
        """The same with the settings of :data:`ARM_ALONE` at their defaults: what the training itself reads."""
        usual = {each.name: each.default for each in dataclasses.fields(self) if each.name in ARM_ALONE}
        return dataclasses.replace(self, **usual)

    def of(self, side: Side, name: Literal["rate", "momentum", "weight_decay"]) -> float:
        """The setting ``name`` as it holds for ``side``."""
        own = getattr(self, f"{name}_switcher") if side == "switcher" else None
        return getattr(self, name) if own is None else own


def check_seed(seed: int) -> int:
    """Return ``seed``; ``ValueError`` unless it is a whole number from 0 to 2**31 - 1."""
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**31:
        raise ValueError(f"seed={seed!r}: a seed is a whole number from 0 to {2**31 - 1}")
    return seed
