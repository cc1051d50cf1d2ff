"""A verdict on each claim of the paper, by the rules of :mod:`snnlib.report.claims`, computed from records.

Only runs of the whole protocol count, and those of the profile "whole" where a rule takes them in. A claim is judged in
each regime of settings; a verdict over all names the regimes that it holds for. The evidence names what a rule needs
and lacks; the regime is then undecided.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..lab import records
from ..lab.experiments import REGIMES
from .claims import CLAIMS, Claim
from .evidence import ENOUGH, WHOLE, Evidence, Sign, sides


@dataclass(frozen=True)
class Judged:
    """The result of a rule in one regime: ``verdict`` is holds, fails, mixed, undecided or no runs."""

    verdict: str
    evidence: tuple[str, ...] = ()
    provisional: bool = False

    def __str__(self) -> str:
        if self.verdict == "no runs":
            return "no finished runs"
        return (
            f"{self.verdict} (provisional)"
            if self.provisional and self.verdict in ("holds", "fails", "mixed")
            else self.verdict
        )


@dataclass(frozen=True)
class Verdict:
    """The verdict on a claim over all regimes, and by regime.

    ``verdict`` is confirmed (it holds in at least one regime and fails in none), refuted (it fails in every regime),
    not reproduced (it fails in some and holds in none; others are open), depends (it holds here and fails there) or
    undecided. ``made_before`` of ``rests_on`` runs had been started when the rule was written.
    """

    name: str
    claim: str
    place: str
    rule: str
    regimes: dict[str, Judged]
    verdict: str
    made_before: int = 0
    rests_on: int = 0

    @property
    def evidence(self) -> tuple[str, ...]:
        """The evidence of all regimes that have runs."""
        return tuple(
            line for judged in self.regimes.values() if judged.verdict != "no runs" for line in judged.evidence
        )

    def __str__(self) -> str:
        held = [name for name, judged in self.regimes.items() if judged.verdict in ("holds", "mixed")]
        provisional = (
            ", provisionally"
            if any(judged.provisional and judged.verdict in ("holds", "fails") for judged in self.regimes.values())
            else ""
        )
        if self.verdict == "confirmed":
            return f"confirmed in the {' and '.join(held)} regime{'s' if len(held) > 1 else ''}{provisional}"
        return {"depends": "depends on the settings"}.get(self.verdict, self.verdict) + provisional

    @property
    def history(self) -> str:
        """Whether the rule is older than its runs."""
        if not self.rests_on:
            return "older than its runs"
        return (
            f"{self.made_before} of its {self.rests_on} runs had begun before it got its present form"
            if self.made_before
            else f"older than its {self.rests_on} runs"
        )


COUNTED = {1: ": above 0", -1: ": below 0", 0: ""}
"""What is said behind a quantity of which side it lies on, by its corrected interval and with enough pairs."""


def judge(claim: Claim, signs: Sequence[Sign]) -> Judged:
    """The verdict of a claim's policy on the quantities of one regime.

    Quantities without measurements are named. The claim "accuracy", of all networks measured, leaves them out; other
    claims cannot hold without them.
    """
    if not any(sign.found.n for sign in signs):
        return Judged("no runs", tuple(map(str, signs)))
    measured = [sign for sign in signs if sign.found.n >= claim.pairs or claim.name != "accuracy"]
    found = sides(measured, claim.pairs)
    if claim.verdict:
        verdict = claim.verdict(signs)
    elif 1 in found and -1 in found:
        verdict = "mixed"
    elif -1 in found:
        verdict = "fails"
    else:
        verdict = "holds" if found and (all(found) if claim.policy == "all" else any(found)) else "undecided"
    counts = {id(sign): side for sign, side in zip(measured, found)}
    lines = [f"{sign}{COUNTED[counts.get(id(sign), 0)]}" for sign in signs if sign.found.n]
    if absent := [sign.what for sign in signs if not sign.found.n]:
        lines.append(f"no pairs of runs yet: {', '.join(absent)}")
    return Judged(verdict, tuple(lines), any(sign.found.n < ENOUGH for sign in measured) and claim.pairs < ENOUGH)


def over_all(by_regime: Iterable[Judged]) -> str:
    """One verdict from those of the regimes."""
    found = [judged.verdict for judged in by_regime]
    holds, fails = ("holds" in found or "mixed" in found), ("fails" in found or "mixed" in found)
    if holds and fails:
        return "depends"
    if holds:
        return "confirmed"
    if fails:
        return "refuted" if all(verdict == "fails" for verdict in found) else "not reproduced"
    return "undecided"


def all_verdicts(root: Path | None = None) -> list[Verdict]:
    """The verdicts on all claims, in the order of the report."""
    found: list[Verdict] = []
    shared = Evidence(Path(root or records.default_root()))
    for claim in CLAIMS:
        shared.seen = {}
        by_regime = {regime: judge(claim, claim.quantities(shared, regime)) for regime in REGIMES}
        before = sum(
            started < (claim.widened if profile == WHOLE else claim.written)
            for started, profile in shared.seen.values()
        )
        found.append(
            Verdict(
                claim.name,
                claim.claim,
                claim.place,
                claim.rule,
                by_regime,
                over_all(by_regime.values()),
                before,
                len(shared.seen),
            )
        )
    return found


def verdict_on(name: str, root: Path | None = None) -> Verdict:
    """The verdict on the claim called ``name``. Raises ``KeyError`` where there is no such claim."""
    found = {each.name: each for each in all_verdicts(root)}
    return found[name]


def shown(names: Iterable[str], profile: str, root: Path) -> str:
    """The verdicts on these claims, a line for each, as Markdown; a page of other runs says that it has none.

    The evidence stands in the report, the book's last chapter.
    """
    if profile != "paper":
        return "The rules are applied to runs of the profile *paper* alone; this page shows others."
    found = {each.name: each for each in all_verdicts(root)}
    return "\n".join(f"* {_line(found[name])}" for name in names)


def _line(found: Verdict) -> str:
    regimes = "; ".join(f"{regime} regime: {judged}" for regime, judged in found.regimes.items())
    return (
        f"**{found.claim}** By [its rule](16_verdicts.ipynb) ({found.history}): **{found}**. "
        f"{regimes[0].upper()}{regimes[1:]}."
    )
