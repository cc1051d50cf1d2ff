"""L0's price of a weight, lambda: one for all layers, or one for each ("sep."), each over two orders of magnitude.

All else is what the search of L0 chose for 60 % of the weights, so that a size is bought by lambda alone. The paper
quotes the sparser of its authors' two rows, that with a lambda for each layer, and leaves out the other. (Prices and
shares were written on 2026-11-30, before any of these runs.)
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

from ...arms import Arm
from .ablation import ABLATION
from .chosen import CHOSEN_RIVALS
from .rivals import judged
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


PRICES = Table(
    "prices",
    "L0 on the MLP: what its lambda buys",
    {"paper": arms()},
    {"paper": ABLATION.seeds["paper"]},
    name_of("one", LAMBDAS[0]),
)
