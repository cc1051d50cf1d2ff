"""What came out, in a few lines: the questions of the book, the figures that answer them, and where to read on.

Every number is computed from records, by :mod:`.answers`. A line whose runs are not there says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from . import answers, wording
from .answers import Answer
from .evidence import Evidence
from .tables import Row, rows

NOT_YET = Answer("", "Not run yet.")


@dataclass(frozen=True)
class Finding:
    """A question, what was measured, and the chapter (a file of ``book/chapters``, and what it is called) that tells
    more."""

    question: str
    answer: Answer
    chapter: str
    title: str


QUESTIONS: tuple[tuple[str, str, str, str, Callable[[list[Row], Evidence], Answer | None]], ...] = (
    (
        "Is the network with a switcher more accurate than the dense one, in points?",
        "2",
        "05_ablation",
        "the ablation",
        answers.accuracy,
    ),
    (
        "And on photographs, in the few epochs that two cores can pay for?",
        "3",
        "13_cifar10",
        "CIFAR-10",
        answers.photographs,
    ),
    ("How much does it prune?", "2", "10_search", "the search", answers.compression),
    ("Where does its sparsity come from?", "sparsity", "11_sparsity", "the sparsity", answers.origin),
    ("Does the switcher have to read the weights?", "controls", "08_controls", "controls", answers.reading),
    ("Is the structure that it finds a good one?", "controls", "08_controls", "controls", answers.structure),
    ("Does it do better than the paper's rivals at its own size?", "rivals", "12_rivals", "the rivals", answers.rivals),
    (
        "Why are rows of pixels switched off, and not columns?",
        "question",
        "07_open_question",
        "rows and columns",
        answers.pixels,
    ),
)
"""Question, table, chapter and its name, and what computes the answer from the table's rows and from runs."""


def findings(root: Path) -> list[Finding]:
    """The answers from the records of the profile paper below ``root``."""
    evidence = Evidence(root)
    return [
        Finding(question, answer(rows(table, "paper", root), evidence) or NOT_YET, chapter, title)
        for question, table, chapter, title, answer in QUESTIONS
    ]


def folded(answer: Answer) -> str:
    """``answer`` with its figures folded away, so that what came out is seen at a glance."""
    if not answer.lead:
        return answer.figures
    return f"**{answer.lead}** <details><summary>figures</summary>{answer.figures}</details>"


def markdown(root: Path, chapters: str = "chapters") -> str:
    """The findings as a Markdown table; ``chapters`` is the folder of the chapters from where the table stands."""
    lines = [
        (each.question, folded(each.answer), f"[{each.title}]({chapters}/{each.chapter}.ipynb)")
        for each in findings(root)
    ]
    return wording.markdown(("question", "what we measured", "read on"), lines)
