"""Which runs of a rival may be compared with SNN-AL's: those that remove as much, chosen by size, not by accuracy."""

from __future__ import annotations

from collections.abc import Mapping

from ..lab import records
from ..lab.experiments import TABLES
from ..lab.experiments.rivals import JUDGED
from ..metrics import PairedDifference
from . import tables
from .evidence import Evidence


def removed(record: records.Record) -> float:
    """Weights really gone in percent, with dead ends followed through; of a rival that prunes single weights, these."""
    return tables.removed(record["result"], "effective_pct")


NEAR = 5.0
"""Points of the weights removed by which a rival may fall short of SNN-AL and still be compared with it."""


def least_compared(evidence: Evidence, ours: str) -> float:
    """The percent of weights that a rival must remove to be compared with the arm ``ours`` of SNN-AL."""
    shares = evidence.figures("rivals", ours, removed).values()
    return sum(shares) / len(shares) - NEAR if shares else 0.0


def as_sparse(evidence: Evidence, rival: str, least: float) -> str | None:
    """The least sparse arm of ``rival`` on the MLP that removes ``least`` percent or more, in the mean; None if none.

    Sizes are those of the arms' names, so that no accuracy enters the choice.
    """
    sizes = sorted(
        int(size)
        for arm in TABLES["rivals"].arms["paper"]
        for name, _, size in [arm.name.rpartition("-")]
        if arm.network == "mlp" and arm.rival and name == rival
    )
    figures = {size: evidence.figures("rivals", f"{rival}-{size}", removed).values() for size in sizes}
    size = first_large({size: sum(found) / len(found) if found else None for size, found in figures.items()}, least)
    return None if size is None else f"{rival}-{size}"


def first_large(shares: Mapping[int, float | None], least: float) -> int | None:
    """Of sizes, with the percent of weights removed in the mean, the smallest that removes ``least`` or more."""
    known = {size: share for size, share in shares.items() if share is not None}
    return next((size for size in sorted(known) if known[size] >= least), None)


def held_against(evidence: Evidence, ours: str) -> dict[str, str]:
    """Rival to its arm that is compared with the arm ``ours`` of SNN-AL; rivals without one are left out.

    Of those only that were there when the rule was written.
    """
    least = least_compared(evidence, ours)
    return {rival: arm for rival in JUDGED if (arm := as_sparse(evidence, rival, least)) is not None}


def pairs_ahead(evidence: Evidence, rival: str, ours: str) -> int:
    """Seeds in which the arm ``rival`` is more accurate than the arm ``ours``; a run that died counts at chance."""
    theirs, mine = (evidence.figures("rivals", arm, "accuracy") for arm in (rival, ours))
    return sum(theirs[seed] > mine[seed] for seed in set(theirs) & set(mine))


def living(evidence: Evidence, rival: str, ours: str) -> PairedDifference:
    """Accuracy of the arm ``rival`` minus that of the arm ``ours``, in points, of the seeds whose runs both went to
    their end."""
    return evidence.difference("", "rivals", rival, ours, lambda run: run["result"]["accuracy"]).found


def sparsest_of(rival: str) -> str:
    """The arm of ``rival`` on the MLP for the largest share of weights removed: roles of equal settings are one arm."""
    sizes = [
        int(arm.name.rpartition("-")[2])
        for arm in TABLES["rivals"].arms["paper"]
        if arm.network == "mlp" and arm.rival and arm.rival.name == rival
    ]
    return f"{rival}-{max(sizes, default=90)}"
