"""Other sizes of the rivals whose size is an outcome: what the price of each buys, all else as its search chose.

L0's price of a weight, lambda, is one for all layers, or one for each ("sep."), each over two orders of magnitude. The
paper quotes the sparser of its authors' two rows, that with a lambda for each layer, and leaves out the other. The
searches of Bayesian compression, Deep Elastic Networks and N2N took one or two sizes for all that were asked for; these
are the sizes beside them. (Lambdas and shares, and the prices of the others, were each written on 2026-11-30, before
any of their runs.)
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

from ...arms import Arm
from .ablation import ABLATION
from .chosen import CHOSEN_RIVALS
from .rivals import NAMES, judged
from .studies import STUDIES
from .table import Table

LAMBDAS = (0.02, 0.06, 0.2, 0.6, 2.0)
"""Prices of one weight, in units of 1 / N, around those that the search took for 60 and for 90 % of the weights."""

FORMS = {"one": "one lambda", "each": "a lambda for each layer"}
"""The word in an arm's name to what it means."""

WIDTHS = (784, 300, 100, 10)


def shares(widths: tuple[int, ...] = WIDTHS) -> tuple[float, ...]:
    """What multiplies lambda in each layer: all layers cost the same, and together as much as with one lambda.

    Their authors print no values of theirs. With one lambda a neuron of the last hidden layer, which holds ten weights,
    costs a thirtieth of what a pixel costs, and nothing makes it go.
    """
    weights = [inputs * outputs for inputs, outputs in pairwise(widths)]
    return tuple(round(sum(weights) / len(weights) / each, 4) for each in weights)


def name_of(form: str, price: float) -> str:
    """The name of the arm with this price in this form, a key of :data:`FORMS`."""
    return f"lambda-{form}-{price:g}"


def arms() -> tuple[Arm, ...]:
    """Every price in both forms."""
    settings = CHOSEN_RIVALS["mlp-l0"]["60"]
    own: dict[str, dict[str, Any]] = {"one": {}, "each": {"shares": shares()}}
    return tuple(
        replace(
            judged(STUDIES["mlp-l0"], {**settings, **own[form], "strength": price}, name_of(form, price)),
            title=f"L0, {title}: {price:g}",
        )
        for form, title in FORMS.items()
        for price in LAMBDAS
    )


def others() -> tuple[Arm, ...]:
    """Two more sizes of Bayesian compression and Deep Elastic Networks, and one of N2N.

    Bayesian compression pays with the weight of its divergence. Deep Elastic Networks with 1 / rho, and no further than
    the least of its levels: a quarter of the neurons where there are four. N2N's students must keep a share of the
    teacher's accuracy.
    """
    made: list[Arm] = []
    for rival, option, prices in (
        ("bc-gnj", "strength", {"half": ("half its price", 1 / 2), "quarter": ("a quarter of its price", 1 / 4)}),
        ("bc-ghs", "strength", {"half": ("half its price", 1 / 2), "quarter": ("a quarter of its price", 1 / 4)}),
        ("elastic", "rho", {"tenth": ("a tenth of its price", 10)}),
    ):
        price = CHOSEN_RIVALS[f"mlp-{rival}"]["60"][option]
        made += [_other(rival, ending, title, {option: price * by}) for ending, (title, by) in prices.items()]
    made.append(_other("elastic", "fine", "ten levels", {"levels": 10}))
    made.append(_other("n2n", "strict", "95 % of the accuracy kept", {"least": 0.95}))
    return tuple(made)


LENET5 = "lenet5-caffe"


def bounds() -> tuple[Arm, ...]:
    """Bayesian compression on LeNet5-Caffe with a divergence that weighs what the variational bound says.

    Its searches took three and seven times that, and ended below the published rows: how much of it does the weight
    make? (Written on 2026-12-01, when BC-GNJ's eight runs and two of BC-GHS's had been seen, before any of these.)
    """
    return tuple(
        _other(rival, "bound", "the bound itself", {"strength": 1.0}, "lenet5") for rival in ("bc-gnj", "bc-ghs")
    )


def _other(rival: str, ending: str, title: str, changed: dict[str, Any], place: str = "mlp") -> Arm:
    study = STUDIES[f"{place}-{rival}"]
    arm = judged(study, {**CHOSEN_RIVALS[study.name]["60"], **changed}, f"{rival}-{ending}")
    return replace(arm, title=f"{NAMES[rival]}, {title}")


PRICES = Table(
    "prices",
    "Rivals whose size is an outcome: what the price of each buys, L0's lambda on the MLP first",
    {"paper": (*arms(), *others(), *bounds())},
    {"paper": ABLATION.seeds["paper"]},
    name_of("one", LAMBDAS[0]),
    {arm.name: arm.name for arm in bounds()},
    {"paper": {LENET5: 3}},
)

PRICED = frozenset(arm.name for arm in PRICES.arms["paper"])
"""Names of these arms."""
