"""The runs of one table of experiments as a chapter reads them: figures by seed, differences, and what is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from ..arms import Arm
from ..lab import records, status
from ..lab.experiments import PROFILES, TABLES, regime_of
from ..lab.records import Entry, Record
from ..metrics import PairedDifference, paired_difference
from .wording import listing

Quantity = str | Callable[[Record], float]
"""A key of a run's result, or a function of its record."""


@dataclass(frozen=True)
class Results:
    """What the runs of ``table`` came to in ``profile``, from the records below ``root``.

    An arm, and a network, that the profile lacks has no runs. A table of one network needs no ``network``.
    """

    table: str
    profile: str
    root: Path

    @cached_property
    def entries(self) -> list[Entry]:
        """Every run and its record, read once."""
        return status.entries(self.table, self.profile, self.root)

    @cached_property
    def arms(self) -> dict[tuple[str, str], Arm]:
        """The arms of the profile by network and name."""
        return {(arm.network, arm.name): arm for arm in TABLES[self.table].arms[self.profile]}

    def _of(self, arm: str, network: str | None, state: str) -> dict[int, Record]:
        return {
            entry.seed: entry.content
            for entry in self.entries
            if entry.state == state and entry.arm.name == arm and network in (None, entry.arm.network)
        }

    def runs(self, arm: str, network: str | None = None) -> dict[int, Record]:
        """Records of the finished runs by seed."""
        return self._of(arm, network, "recorded")

    def failed(self, arm: str, network: str | None = None) -> dict[int, Record]:
        """Records of the runs that died or diverged, by seed."""
        return self._of(arm, network, "failed")

    def lived(self, arm: str, network: str | None = None) -> str:
        """How many runs finished, and of how many if some failed: "8", or "6 of 8"."""
        lived, died = len(self.runs(arm, network)), len(self.failed(arm, network))
        return f"{lived} of {lived + died}" if died else str(lived)

    def values(self, arm: str, quantity: Quantity = "accuracy", network: str | None = None) -> dict[int, float]:
        """``quantity`` of each finished run by seed."""
        return {
            seed: float(quantity(run) if callable(quantity) else run["result"][quantity])
            for seed, run in self.runs(arm, network).items()
        }

    def with_dead(self, arm: str, network: str | None = None) -> dict[int, float]:
        """Accuracies by seed, those of runs that died or diverged at the accuracy of guessing."""
        dead = {seed: records.guessing(run) for seed, run in self.failed(arm, network).items()}
        return self.values(arm, "accuracy", network) | dead

    def mean(self, arm: str, quantity: Quantity = "accuracy", network: str | None = None) -> float | None:
        """Mean of ``quantity`` over the finished runs; None where there is none."""
        found = list(self.values(arm, quantity, network).values())
        return float(np.mean(found)) if found else None

    def pair(
        self, first: str, second: str, quantity: Quantity = "accuracy", network: str | None = None
    ) -> tuple[dict[int, float], dict[int, float]]:
        """``quantity`` of two arms by seed, as a figure of paired differences takes them."""
        return self.values(first, quantity, network), self.values(second, quantity, network)

    def difference(
        self, first: str, second: str, quantity: Quantity = "accuracy", network: str | None = None
    ) -> PairedDifference:
        """``quantity`` of ``first`` minus that of ``second``, paired by seed."""
        return paired_difference(*self.pair(first, second, quantity, network))

    def about(self, regime: str | None = None) -> str:
        """What a page says of its runs, as Markdown: their profile, how long they took, what failed or is missing.

        Of all runs, or of those of one regime of settings.
        """
        found = [entry for entry in self.entries if regime in (None, regime_of(entry.arm.name))]
        done = [entry for entry in found if entry.stands]
        said = [f"Profile **{self.profile}**: {PROFILES[self.profile]}."]
        if self.profile in ("smoke", "quick"):
            said.append("**These are reduced runs**: they show that the page works, and little about the method.")
        if done:
            minutes = sum(entry.content["seconds"] for entry in done) / 60
            took = f"{minutes / 60:.1f} hours" if minutes > 90 else f"{max(minutes, 1):.0f} minutes"
            said.append(f"The {len(done)} runs took {took} of computing.")
        said += _failures(found)
        if barred := sum(entry.state == "barred" for entry in found):
            said.append(f"{barred} {'run follows' if barred == 1 else 'runs follow'} a failed one, and cannot be made.")
        if absent := sum(entry.state not in ("recorded", "failed", "barred") for entry in found):
            command = status.command(self.table, self.profile, self.root)
            said.append(f"**{absent} of {len(found)} runs are still missing** (`{command}` makes them).")
        return " ".join(said)


def _failures(found: Iterable[Entry]) -> list[str]:
    """Which arms had runs that died or diverged, in one sentence; nothing if none did."""
    counts: dict[str, int] = {}
    for entry in found:
        if entry.state == "failed":
            title = entry.arm.title or entry.arm.name
            counts[title] = counts.get(title, 0) + 1
    if not counts:
        return []
    return [f"Died or diverged: {listing(f'*{title}* ({count})' for title, count in counts.items())}."]
