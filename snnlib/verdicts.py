"""A verdict on each claim of the paper, by the rules of :mod:`snnlib.experiments.claims`, computed from records.

Only the paper profile counts. What a rule needs and has not got is named in the evidence; the verdict is then undecided.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from . import metrics, pixels, records
from .config import Arm
from .experiments import CLAIMS, TABLES, arm_of
from .experiments.controls import FED
from .metrics import PairedDifference, paired_difference
from .underway import build_network, wrap

ENOUGH = 4
"""Pairs of runs without which nothing is decided."""

READINGS = {"snn-al-epoch": "", "snn-al-std-0.1": "-std-0.1"}
"""SNN-AL under both readings of the initialisation (FC std 0.01 and 0.1), and the ending of the names of its controls."""


@dataclass(frozen=True)
class Verdict:
    """``verdict`` is confirmed, refuted or undecided; ``evidence`` says from which figures."""

    name: str
    claim: str
    place: str
    rule: str
    known: bool
    evidence: tuple[str, ...]
    verdict: str


@dataclass(frozen=True)
class Sign:
    """A quantity that a rule asks for: its interval, and on which side of 0 it lies (+1, -1; 0 for neither or too few runs)."""

    what: str
    found: PairedDifference
    unit: str = "points"

    @property
    def side(self) -> int:
        if self.found.n < ENOUGH:
            return 0
        return 1 if self.found.low > 0 else -1 if self.found.high < 0 else 0

    def __str__(self) -> str:
        if not self.found.n:
            return f"{self.what}: no pairs of runs yet"
        span = f" [{self.found.low:+.2f}, {self.found.high:+.2f}]" if self.found.n > 1 else ""
        return f"{self.what}: {self.found.mean:+.2f}{span} {self.unit} (n = {self.found.n})"


class Evidence:
    """The finished runs of the paper profile below ``root``, asked for by table and arm."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @functools.cache
    def entries(self, table: str, arm: str, network: str = "mlp") -> list[records.Entry]:
        """What stands on disk for every seed of the arm."""
        of = arm_of(TABLES[table], "paper", arm, network)
        return [records.look_up(of, "paper", seed, self.root) for seed in TABLES[table].seeds_of(of, "paper")]

    def runs(self, table: str, arm: str, network: str = "mlp") -> dict[int, dict]:
        """Records by seed; those of other settings, failed and broken ones are left out."""
        return {entry.seed: entry.record for entry in self.entries(table, arm, network) if entry.state == "recorded"}

    def failed(self, table: str, arm: str, network: str = "mlp") -> int:
        """How many runs of the arm ended as failed."""
        return sum(entry.state == "failed" for entry in self.entries(table, arm, network))

    def figures(self, table: str, arm: str, figure: str | Callable[[dict], float], network: str = "mlp") -> dict[int, float]:
        """One figure of each run by seed: a key of its result, or a function of the record."""
        take = figure if callable(figure) else lambda record: record["result"][figure]
        return {seed: take(record) for seed, record in self.runs(table, arm, network).items()}

    def difference(self, table: str, first: str, second: str, figure: str | Callable[[dict], float], network: str = "mlp") -> PairedDifference:
        """``figure`` of the arm ``first`` less that of ``second``, paired by seed."""
        return paired_difference(self.figures(table, first, figure, network), self.figures(table, second, figure, network))


def all_verdicts(root: Path | None = None) -> list[Verdict]:
    """The verdicts on all claims, in the order of the report."""
    evidence = Evidence(Path(root or records.default_root()))
    found = []
    for claim in CLAIMS:
        said, verdict = RULES[claim.name](evidence)
        found.append(Verdict(claim.name, claim.claim, claim.place, claim.rule, claim.known, tuple(said), verdict))
    return found


def one(difference: dict[int, float] | Iterable[float]) -> PairedDifference:
    """Mean and interval of figures of single runs, as a difference from 0."""
    values = difference if isinstance(difference, dict) else dict(enumerate(difference))
    return paired_difference(values, dict.fromkeys(values, 0.0))


def _lines(signs: Iterable[Sign]) -> list[str]:
    return [str(sign) for sign in signs]


def _unanimous(signs: list[Sign]) -> str:
    """Confirmed if all lie above 0, refuted if all lie below, undecided otherwise."""
    sides = {sign.side for sign in signs}
    return {(1,): "confirmed", (-1,): "refuted"}.get(tuple(sides), "undecided")


def _all_or_one(signs: list[Sign]) -> str:
    """Confirmed if all lie above 0, refuted if one lies below, undecided otherwise."""
    sides = [sign.side for sign in signs]
    return "refuted" if -1 in sides else "confirmed" if sides and all(side == 1 for side in sides) else "undecided"


def accuracy(evidence: Evidence) -> tuple[list[str], str]:
    """The rule of the claim "accuracy": evidence in words, and the verdict."""
    signs = []
    for table in ("1", "3", "4"):
        for network in TABLES[table].networks:
            sign = Sign(f"{TABLES[table].arms['paper'][0].dataset} {network}", evidence.difference(table, "snn-al-epoch", "dense", "accuracy", network))
            signs += [sign] if sign.found.n >= ENOUGH else []
    measured = sum(len(TABLES[table].networks) for table in ("1", "3", "4"))
    missing = [f"{measured - len(signs)} of {measured} networks have fewer than {ENOUGH} pairs of runs"] if len(signs) < measured else []
    beside = Sign("beside the rule, MLP with t counting steps", evidence.difference("2", "snn-al-step", "dense", "accuracy"))
    return [*_lines(signs), str(beside), *missing], _all_or_one(signs)


def start_pct(record: dict) -> float:
    """Share of weights removed before the first step, in percent: the run's network and switcher are built again from its seed."""
    arm: Arm = records.arm_of(record)
    images = record["images"]
    network = build_network(arm, record["seed"], torch.device("cpu"), tuple(images.get("shape", (1, 28, 28))), images.get("classes", 10))
    with torch.no_grad():
        gates = [gate.numpy() for gate in wrap(arm, network, record["seed"]).gates()]
    kernels = network.kernel_weights()
    shape = {"outputs": network.linear_weights()[-1].shape[1], "areas": [kernel[0, 0].numel() for kernel in kernels]}
    return metrics.removed_pct(network.gate_widths(), metrics.kept_widths(gates), **shape, channels=kernels[0].shape[1] if kernels else 1)


def sparsity(evidence: Evidence) -> tuple[list[str], str]:
    """The rule of the claim "sparsity": evidence in words, and the verdict."""
    def gained(record: dict) -> float:
        return record["result"]["removed_pct"] - start_pct(record)

    signs = [
        Sign("MLP, end less start", one(evidence.figures("2", "snn-al-epoch", gained))),
        Sign("MLP with FC std 0.1, end less start", one(evidence.figures("2", "snn-al-std-0.1", gained))),
        Sign("LeNet5-Caffe, end less start", one(evidence.figures("1", "snn-al-epoch", gained, "lenet5-caffe"))),
    ]
    return _lines(signs), _unanimous(signs)


def alternate(evidence: Evidence) -> tuple[list[str], str]:
    """The rule of the claim "alternate": evidence in words, and the verdict."""
    signs = [Sign(f"{what}, SNN-AL less SNN-SL", evidence.difference("2", "snn-al-epoch", "snn-sl", figure)) for what, figure in (("accuracy", "accuracy"), ("weights removed", "removed_pct"))]
    return _lines(signs), _all_or_one(signs)


def harder(evidence: Evidence) -> tuple[list[str], str]:
    """The rule of the claim "harder": evidence in words, and the verdict."""
    removed = {
        (table, network): evidence.figures(table, "snn-al-epoch", "removed_pct", network) for table in ("3", "4") for network in ("resnet34", "mobilenet-v1-x1")
    }
    pairs = [(f"{network}, Mini-ImageNet less CIFAR-10", ("4", network), ("3", network)) for network in ("resnet34", "mobilenet-v1-x1")]
    pairs += [(f"{name}, mobilenet-v1-x1 less resnet34", (table, "mobilenet-v1-x1"), (table, "resnet34")) for table, name in (("3", "CIFAR-10"), ("4", "Mini-ImageNet"))]
    signs = [Sign(what, paired_difference(removed[first], removed[second])) for what, first, second in pairs]
    sides = [sign.side for sign in signs]
    return _lines(signs), "refuted" if 1 in sides else "confirmed" if all(side == -1 for side in sides) else "undecided"


def centre(evidence: Evidence) -> tuple[list[str], str]:
    """The rule of the claim "centre": evidence in words, and the verdict."""
    signs = [Sign(f"{arm}: strengthened in the centre less outside", one(evidence.figures("2", arm, pixels.centre_contrast)), "percent of the pixels") for arm in READINGS]
    return _lines(signs), _all_or_one(signs)


def errors(evidence: Evidence) -> tuple[list[str], str]:
    """The rule of the claim "errors": evidence in words, and the verdict."""
    signs = [
        Sign(f"{arm} less the same with the term cut", evidence.difference("controls", arm, f"snn-al-cut{ending}", "accuracy")) for arm, ending in READINGS.items()
    ]
    sides = {sign.side for sign in signs}
    return _lines(signs), "undecided" if {1, -1} <= sides or sides == {0} else "confirmed" if 1 in sides else "refuted"


def strengthening(evidence: Evidence) -> tuple[list[str], str]:
    """The rule of the claim "strengthening": evidence in words, and the verdict."""
    def gained(record: dict) -> float:
        counts = [sum(row["strengthened"]) for row in record["history"]]
        return counts[-1] - counts[0]

    sign = Sign("strengthened neurons, last epoch less first", one(evidence.figures("3", "snn-al-epoch", gained, "vgg-cov2")), "neurons")
    return [str(sign)], _unanimous([sign])


def weights(evidence: Evidence) -> tuple[list[str], str]:
    """The rule of the claim "weights": evidence in words, and the verdict."""
    said, beaten = [], {}
    for arm, ending in READINGS.items():
        for kind in FED:
            control = f"fed-{kind}{ending}"
            signs = [Sign(f"{what}, {arm} less {control}", evidence.difference("controls", arm, control, figure)) for what, figure in (("accuracy", "accuracy"), ("weights removed", "removed_pct"))]
            sides = {sign.side for sign in signs}
            failed = evidence.failed("controls", control)
            beaten[arm, kind] = (1 in sides and -1 not in sides) or failed > len(TABLES["controls"].seeds["paper"]) - ENOUGH
            said += _lines(signs) + ([f"{control}: {failed} {'run' if failed == 1 else 'runs'} failed"] if failed else [])
    controls = [f"fed-{kind}{ending}" for ending in READINGS.values() for kind in FED]
    if any(len(evidence.runs("controls", control)) + evidence.failed("controls", control) < ENOUGH for control in controls):
        return said, "undecided"
    by_reading = [[beaten[arm, kind] for kind in FED] for arm in READINGS]
    return said, "confirmed" if all(map(all, by_reading)) else "refuted" if not all(map(any, by_reading)) else "undecided"


def structure(evidence: Evidence) -> tuple[list[str], str]:
    """The rule of the claim "structure": evidence in words, and the verdict."""
    signs = [
        Sign(f"{arm} less {control}{ending}", evidence.difference("controls", arm, f"{control}{ending}", "accuracy"))
        for arm, ending in READINGS.items()
        for control in ("random", "norm", "scratch")
    ]
    return _lines(signs), _all_or_one(signs)


def position(evidence: Evidence) -> tuple[list[str], str]:
    """The rule of the claim "position": evidence in words, and the verdict."""
    found = {arm: evidence.figures("question", f"{arm}-std-0.1", pixels.edge_contrast) for arm in ("snn-al", "transposed", "pixels-shuffled", "rows-reordered")}
    unit = "percent of the pixels"
    plain, turned = Sign("images as they are", one(found["snn-al"]), unit), Sign("images transposed", one(found["transposed"]), unit)
    alone = [Sign(name.replace("-", " "), one(found[name]), unit) for name in ("pixels-shuffled", "rows-reordered")]
    vanished = [Sign(f"as they are less {sign.what}", paired_difference(found["snn-al"], found[name]), unit) for sign, name in zip(alone, ("pixels-shuffled", "rows-reordered"))]
    said = _lines([plain, turned, *alone, *vanished])
    if min(sign.found.n for sign in (plain, turned, *vanished)) < ENOUGH:
        return said, "undecided"
    if turned.side == 1 or plain.side != 1:
        return said, "refuted"
    return said, "confirmed" if turned.side == -1 and all(sign.side == 1 for sign in vanished) else "undecided"


RULES: dict[str, Callable[[Evidence], tuple[list[str], str]]] = {
    rule.__name__: rule for rule in (accuracy, sparsity, alternate, harder, centre, errors, strengthening, weights, structure, position)
}
"""Name of a claim to the rule as code: evidence in words, and the verdict."""
