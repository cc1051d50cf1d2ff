"""Narrow tables of the rivals: sizes and accuracies, the best of each kind, costs, and what was published."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean

import pandas as pd

from ..lab.experiments import TABLES, arm_of, whole
from ..lab.experiments.prices import LENET5, PRICES
from ..lab.experiments.rivals import NAMES, QUOTED, is_rival
from . import beside, pages, prices, scale
from .comparable import held_against, living, pairs_ahead, removed
from .evidence import Evidence
from .printing import short
from .results import Results
from .rivals import FLOOR, FURTHER, OURS, Curve, curves
from .tables import Row, of_network, our_rows
from .wording import span, unbroken

PUBLISHED = {"BC-GNJ": "bc-gnj-authors", "BC-GHS": "bc-ghs-authors", prices.QUOTED: None}
"""The paper's name of a rival in Table 1, ours and what comes before a bracket in it, to the arm of its recipe."""

LEFT_OUT = {"L0 (one lambda)": "l0-authors", "lottery ticket": "lottery-authors"}
"""Rows of the perceptron that the paper does not quote, though their authors have trained it, and arms of recipes."""


ASKED = re.compile(r"(\d+(?:, \d+)*(?: and \d+)? %) removed$")
"""What the title of a rival's row says of the sizes that it was asked for, or chosen for."""


def _asked(title: str) -> str | None:
    """These sizes as a bracket behind the rival's name; None where the title has none."""
    found = ASKED.search(title)
    return f" ({unbroken(found[1])})" if found else None


def _accuracy(row: Row) -> str:
    deviation = f" ± {row.acc_std:.2f}" if row.acc_std is not None else ""
    return unbroken(f"{row.acc_mean:.2f}{deviation}")


def _runs(row: Row) -> str:
    """How many runs a row's means are of, how many of these only guess, and how many beside them failed."""
    guess = f", {row.at_chance} at chance" if row.at_chance else ""
    return unbroken(f"{row.n}{guess}" + (f" (+ {row.failed} failed)" if row.failed else ""))


def sizes(rows: Sequence[Row], network: str = "mlp") -> pd.DataFrame:
    """A line a method and size, the least sparse first: what is pruned, how much, and the accuracy in percent."""
    lines = {
        _named(curve, number): {
            "prunes": curve.prunes or "nothing",
            "removed %": f"{row.gone_pct:.1f}",
            "accuracy %": _accuracy(row),
            "runs": _runs(row),
        }
        for curve in curves(rows, network)
        for number, row in enumerate(curve.rows, 1)
    }
    return pages.table(lines)


def _named(curve: Curve, number: int) -> str:
    """What the row ``number``, from 1, of a curve is called: SNN-AL's by setting, a rival's by the size asked for."""
    row = curve.rows[number - 1]
    if curve.method == OURS:
        return row.title
    if curve.method in FLOOR.values():
        return f"{curve.method} ({'small search' if row.arm.startswith('small-') else row.arm.rpartition('-')[0]})"
    if asked := _asked(row.title):
        return curve.method + asked
    if row.arm in FURTHER:
        return f"{curve.method} ({row.title.removeprefix(f'{curve.method}, ')})"
    return curve.method + (f", {number}" if len(curve.rows) > 1 else "")


KINDS = {
    "neurons": "neurons: smaller and faster",
    "weights": "single weights: smaller files",
    "neurons, by image": "others for each image: less work",
}
"""What is pruned, and what it is good for."""

LEAST = 60.0
"""Percent of the weights that :func:`best` asks a method to remove."""

ROUNDING = 0.5
"""Percent by which it may miss that: a size of whole neurons is never hit exactly."""


def best(rows: Sequence[Row], network: str = "mlp", least: float = LEAST) -> pd.DataFrame:
    """The methods that remove ``least`` percent of the weights or more, the most accurate first, by what they prune.

    Of each rival its least sparse such size counts, so that no accuracy enters the choice, and of SNN-AL every setting.
    Runs that died or ended at chance are in the column of runs.
    """
    lines: dict[tuple[str, str], dict[str, str]] = {}
    for kind, title in KINDS.items():
        able: list[tuple[str, Row]] = []
        for curve in curves(rows, network):
            large = [
                (_named(curve, number) if curve.method == OURS else curve.method, row)
                for number, row in enumerate(curve.rows, 1)
                if row.gone_pct >= least - ROUNDING and curve.prunes == kind
            ]
            able += large if curve.method == OURS else large[:1]
        for method, row in sorted(able, key=lambda pair: -(pair[1].acc_mean or 0.0)):
            lines[title, method] = {
                "accuracy %": _accuracy(row),
                "removed %": f"{row.gone_pct:.1f}",
                "runs": _runs(row),
            }
    return _grouped(lines, ("what goes", "method"))


WIDTHS_OF = {"sparse": "sparse setting", "small": "small search"}
"""Arms of SNN-AL that rivals are held against, and what groups of lines are called after them."""


def pairs(evidence: Evidence, ours: Sequence[str] = tuple(WIDTHS_OF)) -> pd.DataFrame:
    """Each rival against the arms ``ours`` of SNN-AL on the MLP, seed by seed: its least sparse size that removes as
    much (:func:`~snnlib.report.comparable.as_sparse`).

    How much it removes, in how many pairs it is ahead, the chance of as lopsided a count if both were alike (sign
    test), and its accuracy minus SNN-AL's in points: with lost runs as guessing, and of the pairs without any.
    """
    from scipy.stats import binomtest  # here, not above: it takes a second to import

    lines: dict[tuple[str, str], dict[str, str]] = {}
    for arm in ours:
        for rival, theirs in held_against(evidence, arm).items():
            found = evidence.difference(NAMES[rival], "rivals", theirs, arm, "accuracy").found
            if found.n:
                ahead = pairs_ahead(evidence, theirs, arm)
                asked = _asked(arm_of(TABLES["rivals"], "paper", theirs).title)
                assert asked is not None, f"the title of {theirs} names no size"
                lines[WIDTHS_OF[arm], NAMES[rival] + asked] = {
                    "removed %": f"{mean(evidence.figures('rivals', theirs, removed).values()):.1f}",
                    "ahead": unbroken(f"{ahead} of {found.n}"),
                    "sign test": f"{binomtest(ahead, found.n).pvalue:.3f}",
                    "minus SNN-AL [95 %]": span(found),
                    "where both live": span(living(evidence, theirs, arm)),
                }
    return _grouped(lines, ("against", "rival"), "No finished pairs of runs yet.")


def floors(evidence: Evidence, ours: Sequence[str] = tuple(WIDTHS_OF)) -> pd.DataFrame:
    """SNN-AL and the rivals held against it, minus the plain floor at the widths of each of the arms ``ours``: pruning
    at random and by the norm of the weights. Accuracy in points, of pairs of runs that both went to their end."""
    lines: dict[tuple[str, str], dict[str, str]] = {}
    for arm in ours:
        compared = {OURS: arm} | {NAMES[rival]: theirs for rival, theirs in held_against(evidence, arm).items()}
        for method, theirs in compared.items():
            found = {floor: living(evidence, theirs, f"{arm}-{floor}") for floor in FLOOR}
            if any(each.n for each in found.values()):
                lines[WIDTHS_OF[arm], method] = {f"minus {FLOOR[floor]}": span(each) for floor, each in found.items()}
    return _grouped(lines, ("widths of", "method"), "No finished pairs of runs yet.")


def _grouped(
    lines: Mapping[tuple[str, str], dict[str, str]], names: tuple[str, str], missing: str = pages.NO_RUNS
) -> pd.DataFrame:
    """These lines, each below its group; ``names`` are the headings of the groups and of the lines."""
    found = pages.table({" | ".join(key): line for key, line in lines.items()}, missing)
    if lines:
        found.index = pd.MultiIndex.from_tuples(list(lines), names=list(names))
    return found


def cost(rows: Sequence[Row], network: str = "mlp") -> pd.DataFrame:
    """A line a method: multiplications for one image of its smallest network, and seconds of its quickest run."""
    lines = {
        curve.method: {
            "MACs": short(curve.rows[-1].macs),
            "s a run": "" if (quickest := _quickest(curve)) is None else f"{quickest:.0f}",
        }
        for curve in curves(rows, network)
    }
    return pages.table(lines)


def _quickest(curve: Curve) -> float | None:
    """Seconds of the quickest of all runs; means would tell how busy the machine was."""
    return min((row.quickest for row in curve.rows if row.quickest is not None), default=None)


def ours_at(row: Row) -> str:
    """Accuracy of a row at the weights that it removes, in percent."""
    return f"{_accuracy(row)} at {row.gone_pct:.1f}"


def beside_published(
    rows: Sequence[Row], recipes: Sequence[Row] = (), each: Sequence[Row] = (), network: str = "mlp"
) -> pd.DataFrame:
    """Published points of ``network``, ours of nearly the same size, and one run each by the authors' ``recipes``:
    accuracy at percent removed. Beside those that the paper quotes stand those of :data:`LEFT_OUT`, on the MLP, without
    a published figure.

    ``each`` are our rows of L0 with a lambda for each layer, the form that the paper quotes.
    """
    ours = {curve.method: curve.rows for curve in curves(rows, network)} | {prices.QUOTED: each}
    theirs = {row.arm: row for row in recipes if row.n}
    points = {
        row.arm: (f"{row.acc_mean:.2f} at {row.gone_pct:.1f}", row.gone_pct, PUBLISHED[row.arm])
        for row in of_network(rows, network)
        if row.source == "paper" and row.arm in PUBLISHED
    }
    if network == "mlp":
        points |= {
            name: ("not quoted", theirs[arm].gone_pct if arm in theirs else 0.0, arm) for name, arm in LEFT_OUT.items()
        }
    lines: dict[str, dict[str, str]] = {}
    for name, (published, share, arm) in points.items():
        near = _nearest(ours[name] if name in ours else ours.get(name.partition(" (")[0], ()), share)
        recipe = "no recipe of ours" if arm is None else ours_at(theirs[arm]) if arm in theirs else NOT_RUN
        lines[name] = {"published": published, "ours": ours_at(near) if near else NOT_RUN, "their recipe": recipe}
    return pages.table(lines)


NOT_RUN = "not run yet"


def _nearest(rows: Sequence[Row], share: float) -> Row | None:
    """The row whose percent of weights removed is nearest to ``share``."""
    return min(rows, key=lambda row: abs(row.gone_pct - share), default=None)


HEADS = ("runs", "accuracy (%)", "minus dense [95 %]", "removed (%)")
"""Columns of tables that set rivals beside the paper's rows."""


def on_lenet5(root: Path) -> pd.DataFrame:
    """LeNet5-Caffe with tuned settings: rows of the paper, ours, those of rivals that the paper does not quote there,
    and Bayesian compression under the bound itself; with multiplications, which are not in proportion to weights."""
    found = beside.rows(Results("1", "paper", root), LENET5, "tuned")
    quoted = {row.arm for row in found}
    found += [
        row
        for row in of_network(our_rows(TABLES["rivals"], "paper", root), LENET5)
        if is_rival(row.arm) and row.arm not in quoted
    ]
    found += of_network(our_rows(PRICES, "paper", root), LENET5)
    return beside.table(found, (*HEADS, "MACs"))


def on_photographs(results: Results, reduced: bool = False) -> pd.DataFrame:
    """The rivals that the paper quotes for networks of Table 3 and that run on them here, in print and ours, beside
    SNN-AL and dense; or those of its largest networks, of which ours are ``reduced``."""
    main, known = (scale.OF_WHOLE[scale.DENSE], scale.OF_WHOLE[scale.SNN]), TABLES[results.table].networks
    if reduced:
        networks = whole.with_reduced(tuple(whole.REDUCED.values()))
    else:
        networks = tuple(network for network in QUOTED if network in known and network not in whole.REDUCED)
    found = [
        row
        for network in networks
        for row in beside.rows(results, network, regime=None)
        if row.source == "paper" or row.arm in main or is_rival(row.arm)
    ]
    return beside.table(found, HEADS)
