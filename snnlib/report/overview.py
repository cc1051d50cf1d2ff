"""All verdicts on a page: at a glance, claim by claim to be opened, and the runs that are still missing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from ..lab import status
from ..lab.experiments import REGIMES, TABLES
from . import pages, wording
from .verdicts import Verdict

WORDS = {
    "confirmed": "{} *confirmed* (in at least one regime, failing in none)",
    "depends": "{} *dependent on the settings* (holding here and failing there, or mixed)",
    "not reproduced": "{} *not reproduced* (failing where tried, open elsewhere)",
    "refuted": "{} *refuted* (failing in every regime)",
    "undecided": "{} *undecided*",
}
"""Verdict over all regimes to a phrase with the number of claims that have it."""


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def at_a_glance(found: Sequence[Verdict]) -> pd.DataFrame:
    """A line a claim: the verdict in each regime, and over all."""
    return pages.table(
        {
            each.claim: {**{regime: str(each.regimes[regime]) for regime in REGIMES}, "verdict": str(each)}
            for each in found
        }
    )


def counted(found: Sequence[Verdict]) -> str:
    """How many claims have which verdict, as a sentence."""
    counts = {verdict: sum(each.verdict == verdict for each in found) for verdict in WORDS}
    return (
        f"Of {len(found)} claims: "
        + wording.listing(said.format(counts[verdict]) for verdict, said in WORDS.items())
        + "."
    )


def folded(found: Sequence[Verdict]) -> str:
    """Every claim with its place, rule and evidence, as Markdown in HTML's ``details``, which open on a click."""
    lines: list[str] = []
    for number, each in enumerate(found, 1):
        lines += [
            f'<details class="claim"><summary><b>{number}. {each.claim}</b> {_capital(str(each))}.</summary>',
            "",
            f"*{_capital(each.place)}.* Rule, {each.history}: {each.rule}",
            "",
        ]
        for regime, judged in each.regimes.items():
            lines.append(f"* *{regime}*: {judged}")
            if judged.verdict != "no runs":
                lines += [f"    * {wording.unsigned(line)}" for line in judged.evidence]
        lines += ["", "</details>", ""]
    return "\n".join(lines)


def absent(root: Path) -> pd.DataFrame:
    """A line for each table and network of the paper profile whose runs below ``root`` are not all there."""
    lines: dict[str, dict[str, object]] = {}
    for name, table in TABLES.items():
        if "paper" not in table.arms:
            continue
        entries = status.entries(name, "paper", root)
        for network in table.networks:
            of_network = [entry for entry in entries if entry.arm.network == network]
            done = sum(entry.state in ("recorded", "failed", "barred") for entry in of_network)
            if done < len(of_network):
                networks = [network] if len(table.networks) > 1 else ()
                title = f"{name}, {network}" if networks else name
                command = status.command(name, "paper", root, networks=networks)
                lines[title] = {"recorded": f"{done} of {len(of_network)}", "command": command}
    return pages.table(lines, "nothing: every run of the paper profile is recorded")
