"""What came out, in a few lines: the questions of the book, the figures that answer them, and where to read on.

Every number is computed from records. A line whose runs are not there says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..lab.experiments import tuned
from ..metrics import PairedDifference
from . import contrasts, wording
from .claims import RIVALS, as_sparse, least_compared
from .evidence import ENOUGH, Evidence, Sign, sides
from .tables import Row, rows

NOT_YET = "Not run yet."


@dataclass(frozen=True)
class Finding:
    """A question, what was measured, and the chapter (a file of ``book/chapters``) that tells more."""

    question: str
    answer: str
    chapter: str


def _row(found: list[Row], arm: str, source: str = "ours") -> Row | None:
    return next((row for row in found if row.arm == arm and row.source == source and row.n != 0), None)


def _points(row: Row) -> str:
    interval = f" [{row.diff_low:+.2f}, {row.diff_high:+.2f}]" if row.diff_low is not None else ""
    return wording.unsigned(f"{row.diff_mean:+.2f}{interval}")


def _at(row: Row) -> str:
    return f"{row.removed_pct:.1f} % of the weights at {row.acc_mean:.2f} %"


def accuracy(table: list[Row], evidence: Evidence) -> str:
    """SNN-AL less dense, in the tuned and in the plain settings."""
    named = {"with settings from a search": "accurate", "with our first, plain settings": "snn-al-epoch"}
    found = {said: row for said, arm in named.items() if (row := _row(table, arm)) and row.diff_mean is not None}
    return "; ".join(f"{_points(row)} points {said} (n = {row.n})" for said, row in found.items()) + "." * bool(found)


def compression(table: list[Row], evidence: Evidence) -> str:
    """Weights removed in the sparse setting, beside the published share."""
    ours, published = _row(table, *tuned.settings(("sparse",))), _row(table, "SNN-AL", "paper")
    if ours is None or published is None:
        return ""
    lost = f", and {ours.failed} of {ours.failed + (ours.n or 0)} runs diverge" if ours.failed else ""
    return f"{_at(ours)} in its sparse setting{lost}; published are {_at(published)}."


def origin(table: list[Row], evidence: Evidence) -> str:
    """Weights off before the first step, and what is left of the sparsity without them."""
    short, none = (_row(table, arm) for arm in ("short", "short-start-none"))
    if short is None or none is None or short.start_pct is None:
        return ""
    return (
        f"Of {short.removed_pct:.0f} % removed {short.start_pct:.0f} are off before the first step; if nothing is off "
        f"then, training removes {none.removed_pct:.1f} %, at {none.acc_mean:.2f} %."
    )


def structure(table: list[Row], evidence: Evidence) -> str:
    """The dense network pruned to the widths that the switcher found, less SNN-AL."""
    (arm,) = tuned.settings(("sparse",))
    kinds = {"by the norm of its weights": f"{arm}-norm", "at random": f"{arm}-random"}
    found = {said: evidence.difference(said, "controls", name, arm, "accuracy").found for said, name in kinds.items()}
    parts = [f"{said} it stands at {wording.span(each)} (n = {each.n})" for said, each in found.items() if each.n]
    return f"Beside it, in points, a dense network pruned to its widths: {wording.listing(parts)}." if parts else ""


def rivals(table: list[Row], evidence: Evidence) -> str:
    """How many rivals are more accurate than SNN-AL at its share of weights removed."""
    (ours,) = tuned.settings(("sparse",))
    least, found = least_compared(evidence, ours), dict[str, PairedDifference]()
    for rival, title in RIVALS.items():
        if (arm := as_sparse(evidence, rival, least)) is not None:
            found[title] = evidence.difference(title, "rivals", arm, ours, "accuracy").found
    if not found:
        return ""
    decided = {title: each for title, each in found.items() if each.n >= ENOUGH}
    side = dict(zip(decided, sides([Sign(title, each) for title, each in decided.items()])))
    parts: list[str] = []
    for word, sign in (("more", 1), ("less", -1)):
        names = [f"{title} {wording.span(decided[title])}" for title in decided if side[title] == sign]
        parts += [f"{word} accurate: {wording.listing(names)}"] if names else []
    if level := [title for title in decided if not side[title]]:
        parts.append(f"not to be told apart: {wording.listing(level)}")
    if early := [f"{title} {wording.span(each)} (n = {each.n})" for title, each in found.items() if each.n < ENOUGH]:
        parts.append(f"too few seeds yet to tell: {wording.listing(early)}")
    return f"Rivals less the sparse setting, in points; {'; '.join(parts)}."


def pixels(table: list[Row], evidence: Evidence) -> str:
    """The part of the pattern of pruned pixels that turns with the raster, and the part that stays with the digits."""
    found = contrasts.parts(*(evidence.runs("question", arm) for arm in ("pattern", "pattern-transposed")))
    if not found["raster"].n:
        return ""
    raster, digits = (wording.span(found[name], 1) for name in ("raster", "digits"))
    pairs = found["raster"].n
    return f"Transpose the images, and {raster} points of the pattern turn with them; {digits} stay (n = {pairs})."


QUESTIONS: tuple[tuple[str, str, str, Callable[[list[Row], Evidence], str]], ...] = (
    ("Is the network with a switcher more accurate than the dense one?", "2", "05_ablation", accuracy),
    ("How much does it prune?", "2", "10_search", compression),
    ("Where does its sparsity come from?", "sparsity", "11_sparsity", origin),
    ("Is the structure that it finds a good one?", "controls", "08_controls", structure),
    ("Does it do better than the paper's rivals at its own size?", "rivals", "12_rivals", rivals),
    ("Why are rows of pixels switched off, and not columns?", "question", "07_open_question", pixels),
)
"""Question, table, chapter, and what computes the answer from the table's rows and from runs."""


def findings(root: Path) -> list[Finding]:
    """The answers from the records of the profile paper below ``root``."""
    evidence = Evidence(root)
    return [
        Finding(question, answer(rows(table, "paper", root), evidence) or NOT_YET, chapter)
        for question, table, chapter, answer in QUESTIONS
    ]


def markdown(root: Path, chapters: str = "chapters") -> str:
    """The findings as a Markdown table; ``chapters`` is the folder of the chapters from where the table stands."""
    lines = [(each.question, each.answer, f"[chapter]({chapters}/{each.chapter}.ipynb)") for each in findings(root)]
    return wording.markdown(("question", "what we measured", "read on"), lines)
