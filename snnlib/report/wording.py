"""Texts for pages and terminals: minus signs, intervals, lists, Markdown tables. Nothing is computed here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ..lab.names import listing

if TYPE_CHECKING:
    from ..metrics import PairedDifference
    from .verdicts import Verdict

__all__ = ["listing", "markdown", "span", "unbroken", "unsigned", "verdict"]


def unbroken(text: str) -> str:
    """``text`` with true minus signs, and without line breaks at spaces or hyphens."""
    text = re.sub(r"(?<![0-9])-(?=[0-9])", "\N{MINUS SIGN}", text)
    return text.replace(" ", "\N{NO-BREAK SPACE}").replace("-", "\N{NON-BREAKING HYPHEN}")


def span(found: PairedDifference, digits: int = 2) -> str:
    """A paired difference as mean and 95 % interval; the mean alone for fewer than three pairs, nothing for none.

    The interval of two pairs reaches thirteen standard errors to either side, past what an accuracy can be.
    """
    if not found.n:
        return ""
    text = f"{found.mean:+.{digits}f}"
    return unbroken(text + (f" [{found.low:+.{digits}f}, {found.high:+.{digits}f}]" if found.n > 2 else ""))


def verdict(found: Verdict) -> str:
    """A claim, its verdict, whether the rule came before the runs, and the evidence by regime, as Markdown."""
    lines = [
        f"**{found.claim}** By [its rule](16_verdicts.ipynb) ({found.history}): **{found}**.",
        "",
        "; ".join(f"{regime} regime: {judged}" for regime, judged in found.regimes.items()) + ".",
        "",
    ]
    return "\n".join([*lines, *(f"* {unsigned(line)}" for line in found.evidence)])


def unsigned(text: str) -> str:
    """``text`` with true minus signs, otherwise as it is."""
    return re.sub(r"(?<![0-9A-Za-z])-(?=[0-9])", "\N{MINUS SIGN}", text)


def markdown(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A Markdown table of these headings and rows."""
    return "\n".join("| " + " | ".join(line) + " |" for line in (head, ["---"] * len(head), *lines))
