"""The experiments as data: each table is a list of arms by profile, from a trial of seconds to the whole protocol."""

from . import own, tuned
from .ablation import ABLATION
from .architectures import CIFAR10, MINI_IMAGENET, MNIST
from .controls import CONTROLS, SPARSITY
from .prices import PRICED, PRICES
from .question import CANDIDATES, QUESTION
from .rivals import is_rival
from .rivals_table import RIVALS_TABLE
from .search import SEARCH
from .stability import ROUNDING, STABILITY
from .table import PROFILES, Table, arm_of
from .whole import CURVE, PRECISION

TABLES = {
    table.name: table
    for table in (
        MNIST,
        ABLATION,
        CIFAR10,
        MINI_IMAGENET,
        CONTROLS,
        QUESTION,
        CANDIDATES,
        SEARCH,
        STABILITY,
        ROUNDING,
        SPARSITY,
        RIVALS_TABLE,
        PRICES,
        CURVE,
        PRECISION,
    )
    if any(table.arms.values())
}
"""By name; a table whose settings are still to be chosen is not there yet."""

QUEUE = (
    ("3", "vgg-cov2"),
    ("3", "vgg-cov2-bn"),
    ("1", "mlp"),
    ("1", "lenet5-caffe"),
    ("2", "mlp"),
    ("3", "mobilenet-v1-x0.25"),
    ("3", "vgg16-x0.25"),
    ("3", "resnet34-x0.25"),
    ("3", "mobilenet-v1-x1"),
    ("4", "mobilenet-v1-x0.25"),
    ("3", None),
    ("4", None),
    ("sparsity", None),
    ("rivals", None),
    ("prices", None),
    ("controls", None),
    ("rounding", None),
    ("question", None),
)
"""The order of ``snn run --pending``: table and network, None for all of its networks that are left; then the rest."""

__all__ = ["PROFILES", "QUEUE", "REGIMES", "TABLES", "Table", "arm_of", "own", "place_in_queue", "regime_of"]


REGIMES = {
    "letter": "the paper's letter: what its text fixes, torch's own start of the switcher, nothing calibrated, "
    "nothing clipped",
    "plain": "our first completion: the switcher's start calibrated, both sides clipped, plain SGD, both readings of "
    "the FC std",
    "tuned": "settings found by a search on held-out images, against a dense network found by an equal search",
}
"""The settings for which a claim is judged."""


def regime_of(arm: str) -> str:
    """The regime of settings of an arm, one of :data:`REGIMES`."""
    if arm.startswith("letter"):
        return "letter"
    searched = arm in tuned.names() or arm.split("-")[0] == "pattern" or arm in PRICED or is_rival(arm)
    return "tuned" if searched else "plain"


def place_in_queue(table: str, network: str) -> int:
    """Where the runs of ``network`` in ``table`` stand in :data:`QUEUE`; those not named come last."""
    return next(
        (index for index, (name, of) in enumerate(QUEUE) if name == table and of in (None, network)), len(QUEUE)
    )
