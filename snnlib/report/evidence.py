"""What the rules of :mod:`snnlib.report.claims` are computed from: runs of the whole protocol, and quantities of them.

A quantity lies above 0 if its claim is true; its interval is held against 0."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from .. import metrics
from ..lab import records
from ..lab.experiments import TABLES, arm_of
from ..metrics import PairedDifference, paired_difference

ENOUGH = 8
"""Pairs of runs needed for a decision."""

FEW = 3
"""Pairs of runs needed for a provisional decision, where a rule allows one."""

WHOLE = "whole"
"""The profile of Tables 3 and 4 with settings from a search: all images, and as few epochs as will do."""

LEVEL = 0.05
"""The largest chance of any false decision among the intervals of a rule."""


@dataclass(frozen=True)
class Sign:
    """A quantity of a rule, above 0 if the claim is true. ``dead`` counts runs that enter it at chance."""

    what: str
    found: PairedDifference
    unit: str = "points"
    dead: int = 0

    def __str__(self) -> str:
        if not self.found.n:
            return f"{self.what}: no pairs of runs yet"
        if self.dead == self.found.n:
            return f"{self.what}: in each of {self.found.n} pairs a run died ({self.found.mean:+.0f} {self.unit})"
        span = f" [{self.found.low:+.2f}, {self.found.high:+.2f}]" if self.found.n > 1 else ""
        dead = f", {self.dead} of them with a run that was lost, at chance" if self.dead else ""
        return f"{self.what}: {self.found.mean:+.2f}{span} {self.unit} (n = {self.found.n}{dead})"


def sides(signs: Sequence[Sign], enough: int = ENOUGH) -> list[int]:
    """The side of 0 on which each lies, +1 or -1, corrected for their number; 0 for neither, or too few pairs."""
    corrected = metrics.holm([sign.found.p for sign in signs])
    return [
        (1 if sign.found.mean > 0 else -1) if p < LEVEL and sign.found.n >= enough else 0
        for sign, p in zip(signs, corrected)
    ]


Figure = str | Callable[[records.Record], float]
"""A figure of a run: a key of its result, or a function of its record."""


@dataclass
class Evidence:
    """The runs of whole data sets below ``root``, by table and arm; ``seen`` notes those that were read.

    They are of the profile "paper", and of ``WHOLE`` where a rule says so.
    """

    root: Path
    seen: dict[Path, tuple[str, str]] = field(default_factory=dict[Path, tuple[str, str]])  # to start and profile
    _looked_up: dict[tuple[str, ...], list[records.Entry]] = field(
        default_factory=dict[tuple[str, ...], list[records.Entry]]
    )

    def entries(self, table: str, arm: str, network: str = "mlp", profile: str = "paper") -> list[records.Entry]:
        """The entry of every seed of the arm; nothing for an arm that is not in the table."""
        found = self._entries(table, arm, network, profile)
        self.seen |= {entry.path: (entry.content.get("started", ""), profile) for entry in found if entry.stands}
        return found

    def _entries(self, *key: str) -> list[records.Entry]:
        if key not in self._looked_up:
            table, arm, network, profile = key
            try:
                of = arm_of(TABLES[table], profile, arm, network)
            except KeyError:
                return []
            self._looked_up[key] = [
                records.look_up(of, profile, seed, self.root) for seed in TABLES[table].seeds_of(of, profile)
            ]
        return self._looked_up[key]

    def runs(self, table: str, arm: str, network: str = "mlp", profile: str = "paper") -> dict[int, records.Record]:
        """Records by seed; those of other settings, failed and broken ones are left out."""
        found = self.entries(table, arm, network, profile)
        return {entry.seed: entry.content for entry in found if entry.state == "recorded"}

    def dead(self, table: str, arm: str, network: str = "mlp", profile: str = "paper") -> dict[int, float]:
        """Seeds whose run died or diverged, and the accuracy of guessing, in percent."""
        found = self.entries(table, arm, network, profile)
        return {entry.seed: records.guessing(entry.content) for entry in found if entry.state == "failed"}

    def figures(
        self, table: str, arm: str, figure: Figure, network: str = "mlp", profile: str = "paper"
    ) -> dict[int, float]:
        """One figure of each run by seed; for accuracies dead runs are at chance."""
        runs = self.runs(table, arm, network, profile)
        if callable(figure):
            return {seed: figure(record) for seed, record in runs.items()}
        found: dict[int, float] = {seed: record["result"][figure] for seed, record in runs.items()}
        return found | self.dead(table, arm, network, profile) if figure == "accuracy" else found

    def difference(
        self,
        what: str,
        table: str,
        first: str,
        second: str,
        figure: Figure,
        network: str = "mlp",
        profile: str = "paper",
    ) -> Sign:
        """``figure`` of the arm ``first`` minus that of ``second``, paired by seed."""
        a, b = (self.figures(table, arm, figure, network, profile) for arm in (first, second))
        dead = (
            {seed for arm in (first, second) for seed in self.dead(table, arm, network, profile)} & set(a) & set(b)
            if figure == "accuracy"
            else set()
        )
        return Sign(what, paired_difference(a, b), dead=len(dead))


def one(figures: Mapping[int, float] | Iterable[float]) -> PairedDifference:
    """Mean and interval of figures of single runs, by seed or one after the other, as a difference from 0."""
    by_seed = cast(Mapping[int, float], figures) if isinstance(figures, Mapping) else dict(enumerate(figures))
    return paired_difference(by_seed, dict.fromkeys(by_seed, 0.0))
