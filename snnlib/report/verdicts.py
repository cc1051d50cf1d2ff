"""A verdict on each claim of the paper, by the rules of :mod:`snnlib.report.claims`, computed from records.

Only runs of the whole protocol count. A claim is judged in each regime of settings; a verdict over all names the
regimes that it holds for. The evidence names what a rule needs and lacks; the regime is then undecided.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from .. import metrics
from ..lab import records
from ..lab.experiments import TABLES, arm_of, tuned
from ..lab.experiments.controls import FED
from ..lab.experiments.studies import STUDIES
from ..metrics import PairedDifference, paired_difference
from . import pixels
from .claims import CLAIMS, REGIMES, Claim

ENOUGH = 8
"""Pairs of runs needed for a decision."""

FEW = 3
"""Pairs of runs needed for a provisional decision, where a rule allows one."""

LEVEL = 0.05
"""The largest chance of any false decision among the intervals of a rule."""

SETTINGS = {
    "letter": ("letter",),
    "plain": ("snn-al-epoch", "snn-al-std-0.1"),
    "tuned": tuned.settings(STUDIES["mlp-snn"].roles),
}
"""The arms of SNN-AL on the MLP, by regime."""

FEWER = {
    "errors": tuned.settings(tuned.CONTROLLED),
    "structure": tuned.settings(tuned.CONTROLLED),
    "weights": ("small",),
}
"""Claims that use other arms in the tuned regime: pruned controls are run for two settings; a control of what the
switcher reads has a search of its own."""

READINGS = {"snn-al-epoch": "", "snn-al-std-0.1": "-std-0.1"}
"""SNN-AL of the plain regime under both readings of the initialisation, and the ending of the names of its controls."""

NAMES = {
    "snn-al-epoch": "MLP, FC std 0.01",
    "snn-al-std-0.1": "MLP, FC std 0.1",
    "letter": "MLP",
    "accurate": "MLP, accurate",
    "knee": "MLP, knee",
    "compact": "MLP, compact",
    "sparse": "MLP, sparse",
    "unstopped": "MLP, unstopped",
    "small": "MLP, small searches",
}
"""Names of these settings in the evidence."""


def asked(claim: str, regime: str) -> tuple[str, ...]:
    """The arms of SNN-AL on the MLP that the rule of ``claim`` uses in ``regime``."""
    return FEWER[claim] if regime == "tuned" and claim in FEWER else SETTINGS[regime]


def beside(arm: str, kind: str) -> str:
    """The arm that ``arm``, one of :data:`SETTINGS`, is compared with: "dense", "sl", "cut", or a control."""
    if arm in READINGS:
        names = {"dense": f"dense{READINGS[arm]}", "sl": "snn-sl", "cut": f"snn-al-cut{READINGS[arm]}"}
        if READINGS[arm]:  # with the clipping of SNN-AL, which the dense network of that start lacks
            names |= {kind: f"{kind}-clipped{READINGS[arm]}" for kind in ("random", "norm", "scratch")}
        return names.get(kind, f"{kind}{READINGS[arm]}")
    return f"{arm}-{kind}" if arm == "letter" or kind != "dense" else "tuned-dense"


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
        span = f" [{self.found.low:+.2f}, {self.found.high:+.2f}]" if self.found.n > 1 else ""
        dead = f", {self.dead} of them with a run that died, at chance" if self.dead else ""
        return f"{self.what}: {self.found.mean:+.2f}{span} {self.unit} (n = {self.found.n}{dead})"


def sides(signs: Sequence[Sign], enough: int = ENOUGH) -> list[int]:
    """The side of 0 on which each lies, +1 or -1, corrected for their number; 0 for neither, or too few pairs."""
    corrected = metrics.holm([sign.found.p for sign in signs])
    return [
        (1 if sign.found.mean > 0 else -1) if p < LEVEL and sign.found.n >= enough else 0
        for sign, p in zip(signs, corrected)
    ]


@dataclass(frozen=True)
class Judged:
    """The result of a rule in one regime: ``verdict`` is holds, fails, mixed, undecided or no runs."""

    verdict: str
    evidence: tuple[str, ...] = ()
    provisional: bool = False

    def __str__(self) -> str:
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
        """Whether the rule was written before its runs."""
        if not self.rests_on:
            return "written before its runs"
        return (
            f"{self.made_before} of its {self.rests_on} runs were made before it was written"
            if self.made_before
            else f"written before its {self.rests_on} runs"
        )


Figure = str | Callable[[records.Record], float]
"""A figure of a run: a key of its result, or a function of its record."""


@dataclass
class Evidence:
    """The runs of the paper profile below ``root``, by table and arm; ``seen`` notes those that were read."""

    root: Path
    seen: dict[Path, str] = field(default_factory=dict[Path, str])  # path of a record to when its run started
    _looked_up: dict[tuple[str, str, str], list[records.Entry]] = field(
        default_factory=dict[tuple[str, str, str], list[records.Entry]]
    )

    def entries(self, table: str, arm: str, network: str = "mlp") -> list[records.Entry]:
        """The entry of every seed of the arm; nothing for an arm that is not in the table."""
        found = self._entries(table, arm, network)
        self.seen |= {
            entry.path: entry.content.get("started", "") for entry in found if entry.state in ("recorded", "failed")
        }
        return found

    def _entries(self, table: str, arm: str, network: str) -> list[records.Entry]:
        key = (table, arm, network)
        if key not in self._looked_up:
            try:
                of = arm_of(TABLES[table], "paper", arm, network)
            except KeyError:
                return []
            self._looked_up[key] = [
                records.look_up(of, "paper", seed, self.root) for seed in TABLES[table].seeds_of(of, "paper")
            ]
        return self._looked_up[key]

    def runs(self, table: str, arm: str, network: str = "mlp") -> dict[int, records.Record]:
        """Records by seed; those of other settings, failed and broken ones are left out."""
        return {entry.seed: entry.content for entry in self.entries(table, arm, network) if entry.state == "recorded"}

    def dead(self, table: str, arm: str, network: str = "mlp") -> dict[int, float]:
        """Seeds whose run died or diverged, and the accuracy of guessing, in percent."""
        return {
            entry.seed: records.guessing(entry.content)
            for entry in self.entries(table, arm, network)
            if entry.state == "failed"
        }

    def figures(self, table: str, arm: str, figure: Figure, network: str = "mlp") -> dict[int, float]:
        """One figure of each run by seed; for accuracies dead runs are at chance."""
        runs = self.runs(table, arm, network)
        if callable(figure):
            return {seed: figure(record) for seed, record in runs.items()}
        found: dict[int, float] = {seed: record["result"][figure] for seed, record in runs.items()}
        return found | self.dead(table, arm, network) if figure == "accuracy" else found

    def difference(self, what: str, table: str, first: str, second: str, figure: Figure, network: str = "mlp") -> Sign:
        """``figure`` of the arm ``first`` less that of ``second``, paired by seed."""
        a, b = (self.figures(table, arm, figure, network) for arm in (first, second))
        dead = (
            {seed for arm in (first, second) for seed in self.dead(table, arm, network)} & set(a) & set(b)
            if figure == "accuracy"
            else set()
        )
        return Sign(what, paired_difference(a, b), dead=len(dead))


def one(figures: Mapping[int, float] | Iterable[float]) -> PairedDifference:
    """Mean and interval of figures of single runs, by seed or one after the other, as a difference from 0."""
    by_seed = cast(Mapping[int, float], figures) if isinstance(figures, Mapping) else dict(enumerate(figures))
    return paired_difference(by_seed, dict.fromkeys(by_seed, 0.0))


def accuracy(evidence: Evidence, regime: str) -> list[Sign]:
    """The quantities of the claim "accuracy"."""
    arm = {"letter": "letter", "plain": "snn-al-epoch", "tuned": "accurate"}[regime]
    tables = {"letter": (), "plain": ("1", "3", "4"), "tuned": ("1",)}[regime]
    networks = [(table, network) for table in tables for network in TABLES[table].networks] or [("2", "mlp")]
    return [
        evidence.difference(
            f"{TABLES[table].arms['paper'][0].dataset} {network}", table, arm, beside(arm, "dense"), "accuracy", network
        )
        for table, network in networks
    ]


def pruned_in_training(record: records.Record) -> float:
    """Weights removed at the end of a run less those removed before its first step, in percent of all."""
    return record["result"]["removed_pct"] - record["result"]["start_removed_pct"]


def sparsity(evidence: Evidence, regime: str) -> list[Sign]:
    """The quantities of the claim "sparsity"."""
    arms = [("2", arm, "mlp") for arm in SETTINGS[regime]] + [("1", SETTINGS[regime][0], "lenet5-caffe")] * (
        regime != "letter"
    )
    named = {"lenet5-caffe": "LeNet5-Caffe"}
    return [
        Sign(
            f"{named.get(network, NAMES[arm])}: end less start",
            one(evidence.figures(table, arm, pruned_in_training, network)),
        )
        for table, arm, network in arms
    ]


def alternate(evidence: Evidence, regime: str) -> list[Sign]:
    """The quantities of the claim "alternate"."""
    arms = [arm for arm in SETTINGS[regime] if arm != "snn-al-std-0.1"]  # there is no SNN-SL of that start
    return [
        evidence.difference(f"{NAMES[arm]}: {what}, SNN-AL less SNN-SL", "2", arm, beside(arm, "sl"), figure)
        for arm in arms
        for what, figure in (("accuracy", "accuracy"), ("weights removed", "removed_pct"))
    ]


def harder(evidence: Evidence, regime: str) -> list[Sign]:
    """The quantities of the claim "harder"."""
    if regime != "plain":
        return []
    removed = {
        (table, network): evidence.figures(table, "snn-al-epoch", "removed_pct", network)
        for table in ("3", "4")
        for network in ("resnet34", "mobilenet-v1-x1")
    }
    pairs = [
        (f"{network}, CIFAR-10 less Mini-ImageNet", ("3", network), ("4", network))
        for network in ("resnet34", "mobilenet-v1-x1")
    ]
    pairs += [
        (f"{name}, resnet34 less mobilenet-v1-x1", (table, "resnet34"), (table, "mobilenet-v1-x1"))
        for table, name in (("3", "CIFAR-10"), ("4", "Mini-ImageNet"))
    ]
    return [Sign(what, paired_difference(removed[first], removed[second])) for what, first, second in pairs]


def centre(evidence: Evidence, regime: str) -> list[Sign]:
    """The quantities of the claim "centre"."""
    return [
        Sign(
            f"{NAMES[arm]}: strengthened in the centre less outside",
            one(evidence.figures("2", arm, pixels.centre_contrast)),
            "percent of the pixels",
        )
        for arm in SETTINGS[regime]
    ]


def errors(evidence: Evidence, regime: str) -> list[Sign]:
    """The quantities of the claim "errors"."""
    return [
        evidence.difference(
            f"{NAMES[arm]}: less the same with the term cut", "controls", arm, beside(arm, "cut"), "accuracy"
        )
        for arm in asked("errors", regime)
    ]


def strengthening(evidence: Evidence, regime: str) -> list[Sign]:
    """The quantities of the claim "strengthening"."""

    def gained(record: records.Record) -> float:
        counts = [sum(row["strengthened"]) for row in record["history"]]
        return counts[-1] - counts[0]

    if regime != "plain":
        return []
    return [
        Sign(
            "strengthened neurons, last epoch less first",
            one(evidence.figures("3", "snn-al-epoch", gained, "vgg-cov2")),
            "neurons",
        )
    ]


def weights(evidence: Evidence, regime: str) -> list[Sign]:
    """The quantities of the claim "weights": for each setting and control accuracy, then share of weights removed."""
    return [
        evidence.difference(f"{NAMES[arm]}: {what}, less {title}", "controls", arm, beside(arm, f"fed-{kind}"), figure)
        for arm in asked("weights", regime)
        for kind, title in FED.items()
        for what, figure in (("accuracy", "accuracy"), ("weights removed", "removed_pct"))
    ]


def better_than_controls(signs: Sequence[Sign]) -> str:
    """The verdict of the claim "weights" from its quantities, which come in pairs, one for each control."""
    found = sides(signs)
    better = [1 in pair and -1 not in pair for pair in zip(found[::2], found[1::2])]
    by_setting = [better[start : start + len(FED)] for start in range(0, len(better), len(FED))]
    if any(sign.found.n < ENOUGH for sign in signs[::2]):  # of the shares removed, dead runs have none
        return "undecided"
    return "holds" if all(map(all, by_setting)) else "fails" if not all(map(any, by_setting)) else "undecided"


def structure(evidence: Evidence, regime: str) -> list[Sign]:
    """The quantities of the claim "structure"."""
    kinds = {"random": "random pruning", "norm": "L2-norm pruning", "scratch": "the same structure from scratch"}
    return [
        evidence.difference(f"{NAMES[arm]}: less {title}", "controls", arm, beside(arm, kind), "accuracy")
        for arm in asked("structure", regime)
        for kind, title in kinds.items()
    ]


def position(evidence: Evidence, regime: str) -> list[Sign]:
    """The quantities of the claim "position"."""
    endings = ("transposed", "pixels-shuffled", "rows-reordered")
    names = {
        "plain": [f"{arm}-std-0.1" for arm in ("snn-al", *endings)],
        "tuned": ["pattern", *(f"pattern-{ending}" for ending in endings)],
    }
    if regime not in names:
        return []
    plain, turned, shuffled, reordered = (
        evidence.figures("question", name, pixels.edge_contrast) for name in names[regime]
    )
    unit = "percent of the pixels"
    return [
        Sign("images as they are", one(plain), unit),
        Sign("images transposed, sign changed", one({seed: -value for seed, value in turned.items()}), unit),
        Sign("as they are less pixels shuffled", paired_difference(plain, shuffled), unit),
        Sign("as they are less rows reordered", paired_difference(plain, reordered), unit),
    ]


RULES: dict[str, Callable[[Evidence, str], list[Sign]]] = {
    rule.__name__: rule
    for rule in (accuracy, sparsity, alternate, harder, centre, errors, strengthening, weights, structure, position)
}
"""Name of a claim to the function that returns the quantities of its rule in a regime."""

PROVISIONAL = ("harder",)
"""Claims whose rule needs :data:`FEW` pairs only; the verdict is then provisional."""


def judge(claim: Claim, signs: Sequence[Sign]) -> Judged:
    """The verdict of a claim's policy on the quantities of one regime.

    Quantities without measurements are named. The claim "accuracy", of all networks measured, leaves them out; other
    claims cannot hold without them.
    """
    if not any(sign.found.n for sign in signs):
        return Judged("no runs", tuple(map(str, signs)))
    enough = FEW if claim.name in PROVISIONAL else ENOUGH
    measured = [sign for sign in signs if sign.found.n >= enough or claim.name != "accuracy"]
    found = sides(measured, enough)
    provisional = any(sign.found.n < ENOUGH for sign in measured)
    if claim.policy == "own":
        verdict = better_than_controls(signs)
    elif 1 in found and -1 in found:
        verdict = "mixed"
    elif -1 in found:
        verdict = "fails"
    else:
        verdict = "holds" if found and (all(found) if claim.policy == "all" else any(found)) else "undecided"
    lines = [str(sign) for sign in signs if sign.found.n]
    if absent := [sign.what for sign in signs if not sign.found.n]:
        lines.append(f"no pairs of runs yet: {', '.join(absent)}")
    return Judged(verdict, tuple(lines), provisional and claim.name in PROVISIONAL)


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
        by_regime = {regime: judge(claim, RULES[claim.name](shared, regime)) for regime in REGIMES}
        before = sum(started < claim.written for started in shared.seen.values())
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
