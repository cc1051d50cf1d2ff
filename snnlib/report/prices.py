"""What L0's lambda buys: accuracy and size by price, with one lambda for all layers and with one for each."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from ..lab.experiments.prices import FORMS, LAMBDAS, PRICES, name_of
from ..lab.experiments.rivals import NAMES
from . import beside, pages, rivals_picture, tables
from .results import Results
from .rivals_picture import high
from .stretched import around, shares, stretch
from .style import ARM_COLOURS, SINGLE, STYLE
from .tables import Row

LOOKS = {"one": rivals_picture.LOOKS[NAMES["l0"]], "each": (ARM_COLOURS[2], "o")}
"""Colour and mark of each form; that with one lambda looks as L0 does beside its rivals."""

QUOTED = "L0 (lambda sep.)"
"""The row that the paper quotes."""


def rows(results: Results) -> dict[tuple[str, float], Row]:
    """The rows by form and lambda, of prices that have a run."""
    by_arm = {row.arm: row for row in tables.rows(PRICES.name, results.profile, results.root)}
    places = {(form, price): name_of(form, price) for form in FORMS for price in LAMBDAS}
    return {place: by_arm[name] for place, name in places.items() if name in by_arm}


def of_form(results: Results, form: str) -> list[Row]:
    """The rows of one form, a key of :data:`~snnlib.lab.experiments.prices.FORMS`, the cheapest price first."""
    return [row for (kind, _), row in rows(results).items() if kind == form]


def table(results: Results) -> pd.DataFrame:
    """A line a lambda in each form: accuracy, weights removed and mean widths."""
    found = rows(results)
    shown = beside.table(list(found.values()), ("runs", "accuracy (%)", "removed (%)", "widths"))
    if found:
        lines = [(FORMS[form], f"{price:g}") for form, price in found]
        shown.index = pd.MultiIndex.from_tuples(lines, names=["form", "lambda"])
    return shown


def picture(results: Results) -> Figure:
    """Accuracy against the weights left, both on logarithmic axes, a line a form and at each mark its lambda.

    A cross is the row that the paper quotes. Accuracies below :data:`~.rivals_picture.FLOOR_OF_AXIS` are not drawn; the
    table has them. Without a finished run the figure says so.
    """
    every = rows(results)
    found = {place: row for place, row in every.items() if high(row)}
    if not found:
        return pages.nothing()
    quoted = beside.printed("1", "mlp", QUOTED)
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(figsize=(SINGLE, 4.6))
        for form, title in FORMS.items():
            own = [(price, row) for (kind, price), row in found.items() if kind == form]
            colour, mark = LOOKS[form]
            axes.errorbar(
                [100 - row.gone_pct for _, row in own],
                [row.acc_mean or 0.0 for _, row in own],
                [row.acc_std or 0.0 for _, row in own],
                color=colour,
                marker=mark,
                linewidth=1,
                elinewidth=1,
                capsize=2,
                label=title,
            )
            for price, row in own:
                axes.annotate(
                    f"{price:g}",
                    (100 - row.gone_pct, row.acc_mean or 0.0),
                    (6, -12) if form == "one" else (-6, 6),
                    textcoords="offset points",
                    ha="left" if form == "one" else "right",
                    fontsize=8.5,
                    color=colour,
                )
        if quoted is not None:
            axes.plot(
                100 - quoted.gone_pct, quoted.acc_mean or 0.0, "x", color="#000000", label="as the paper quotes it"
            )
        shares(axes)
        stretch(axes, *around([row.acc_mean or 0.0 for row in found.values()]))
        axes.set(xlabel="weights left (%)", ylabel="accuracy on the test images (%)")
        axes.grid()
        figure.legend(loc="outside lower center", ncols=3)
    return figure
