"""The answers of :mod:`.findings`, one function a question, computed from records; None without the runs of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean

from ..lab import records
from ..lab.experiments import TABLES, arm_of, tuned
from ..lab.experiments.controls import FED
from ..lab.experiments.rivals import OF_PAPER
from ..metrics import PairedDifference, paired_difference
from . import claims, contrasts, wording
from .beside import NETWORKS, lost
from .claims import READINGS, RIVALS, beside
from .comparable import held_against, living, pairs_ahead
from .evidence import ENOUGH, FEW, WHOLE, Evidence, Sign, sides
from .scale import counted_weights, paired, really_gone
from .sparsity import TIMES, first_turn, gone_twice
from .tables import Row, of_network, rows
from .verdicts import verdict_on


@dataclass(frozen=True)
class Answer:
    """What is to be seen at a glance, a sentence or two, and the ``figures`` behind it; both are Markdown."""

    lead: str
    figures: str

    def __str__(self) -> str:
        return f"**{self.lead}** {self.figures}" if self.lead else self.figures


def _row(found: list[Row], arm: str, source: str = "ours") -> Row | None:
    return next((row for row in found if row.arm == arm and row.source == source and row.n != 0), None)


RULED = {
    "refuted": "By our rule no, in every regime of settings",
    "not reproduced": "By our rule this is not reproduced",
    "confirmed": "By our rule yes",
    "depends": "By our rule it depends on the settings",
    "undecided": "By our rule undecided",
}
"""A verdict to the words that begin an answer with it."""


def _at(row: Row) -> str:
    return f"{row.removed_pct:.1f} % of the weights at {row.acc_mean:.2f} %"


def _lead(found: Sequence[PairedDifference], above: str, below: str) -> str:
    """A first word for intervals that all lie above 0, all below, on both sides, or on none for certain."""
    told = [each for each in found if each.n > 1 and each.low * each.high > 0]
    signs = {each.mean > 0 for each in told}
    words = "It depends on the settings"
    if len(signs) < 2:
        words = above if True in signs else below if False in signs else "Not to be told"
    enough = any(each.n >= ENOUGH for each in told) if told else all(each.n >= ENOUGH for each in found)
    return words if enough else f"With few pairs so far, {words[0].lower()}{words[1:]}"


def _points(found: Sequence[PairedDifference]) -> str:
    """The least and the largest mean, in points."""
    ends = dict.fromkeys(wording.unbroken(f"{end([each.mean for each in found]):+.2f}") for end in (min, max))
    return f"{' to '.join(ends)} points"


def accuracy(table: list[Row], evidence: Evidence) -> Answer | None:
    """The verdict, and SNN-AL minus dense, in the tuned and in the plain settings, and in these with t as steps."""
    named = {"accurate": "with settings from a search", "snn-al-epoch": "with our first, plain ones"}
    named["snn-al-step"] = "with these if turns are steps, not epochs, which the rule does not ask"
    found = {
        arm: evidence.difference(said, "2", arm, "tuned-dense" if arm == "accurate" else "dense", "accuracy").found
        for arm, said in named.items()
    }
    found = {arm: each for arm, each in found.items() if each.n}
    if not found:
        return None
    parts = [f"{wording.span(each)} {named[arm]} (n = {each.n})" for arm, each in found.items()]
    said = f"On the perceptron {wording.listing(parts)}"
    other = {
        arm: evidence.difference("", "1", arm, against, "accuracy", "lenet5-caffe").found
        for arm, against in (("accurate", "tuned-dense"), ("snn-al-epoch", "dense"))
    }
    parts = [f"{wording.span(each)} {named[arm]} (n = {each.n})" for arm, each in other.items() if each.n]
    said += f"; on LeNet5-Caffe {wording.listing(parts)}." if parts else "."
    return Answer(f"{RULED[verdict_on('accuracy', evidence.root).verdict]}.", said)


def compression(table: list[Row], evidence: Evidence) -> Answer | None:
    """Weights removed in the sparse setting, and in that of the small search, beside the published share; and the same
    of LeNet5-Caffe."""
    ours, published = _row(table, *tuned.settings(("sparse",))), _row(table, "SNN-AL", "paper")
    if ours is None or published is None:
        return None
    lives = f", in the mean of the {ours.n} of {ours.failed + (ours.n or 0)} runs that live" if ours.failed else ""
    before = "" if ours.start_pct is None else f"; {ours.start_pct:.1f} % are off before the first step"
    said = "This is the sparse setting"
    small, dead = evidence.runs("controls", "small").values(), evidence.dead("controls", "small")
    if len(small) + len(dead) >= ENOUGH and small:
        gone, right = (mean([run["result"][key] for run in small]) for key in ("removed_pct", "accuracy"))
        broken = (
            f"{len(dead)} of {len(dead) + len(small)} runs {'is' if len(dead) == 1 else 'are'}" if dead else "no run is"
        )
        said += (
            f"; {gone:.1f} % at {right:.2f} % with the settings of a smaller search, made for the controls, and "
            f"{broken} lost"
        )
    at = f"{published.removed_pct:.1f} % at {published.acc_mean:.2f} %"
    return Answer(f"{_at(ours)}{lives}{before}. Published are {at}.", f"{said}.{_of_lenet(evidence)}")


def _of_lenet(evidence: Evidence) -> str:
    """Weights removed from LeNet5-Caffe in each setting that its search has chosen, beside the published share."""
    found = of_network(rows("1", "paper", evidence.root), "lenet5-caffe")
    published = _row(found, "SNN", "paper")
    parts = [
        f"{_at(row)} in its {tuned.TITLES[row.arm]}{lost(row)}" for row in found if row.arm in tuned.TITLES and row.n
    ]
    if not parts or published is None:
        return ""
    return f" LeNet5-Caffe: {wording.listing(parts)}; published are {_at(published)}."


def origin(table: list[Row], evidence: Evidence) -> Answer | None:
    """Weights off before the first step, after the switcher's first turn and at the end, in settings that prune much;
    how many of them are the same; and what becomes of a short run in which none is off before."""
    (sparse,) = tuned.settings(("sparse",))
    places = {"in the sparse setting": ("2", sparse)}
    places["in the plain one with larger first weights"] = "2", "snn-al-std-0.1"
    places["in that of a smaller search"] = "controls", "small"
    early: list[bool] = []
    parts: list[str] = []
    said: list[str] = []
    for setting, (number, arm) in places.items():
        found = records.learned(evidence.runs(number, arm)).values()
        shares = [[run["result"].get(time) for time in TIMES] for run in found]
        if not shares or any(share is None for times in shares for share in times):
            continue
        start, turned, end = (mean(each) for each in zip(*shares))
        early.append(turned > end / 2)
        long = first_turn(arm_of(TABLES[number], "paper", arm))
        parts.append(f"{start:.1f}, {turned:.1f} and {end:.1f} % {setting} (a turn of {long})")
        if number == "2" and all(run.get("off") and run["result"]["removed_pct"] for run in found):
            twice = [gone_twice(run) for run in found]
            same, chance = (mean([each[what] for each in twice]) for what in ("weights", "weights by chance"))
            said.append(
                f"Of the weights that are off at the end {setting} {same:.0f} % were off before the first step, where "
                f"chance alone would make it {chance:.0f} %."
            )
    short, none = (records.learned(evidence.runs("sparsity", arm)).values() for arm in ("short", "short-start-none"))
    if short and none:
        gone, kept = (mean([run["result"]["removed_pct"] for run in runs]) for runs in (short, none))
        said.append(
            "Sixteen epochs of the sparse setting from a start with all factors near 1, so that nothing is off, end at "
            f"{kept:.1f} % (n = {len(none)}), from the usual start at {gone:.1f} % (n = {len(short)})."
        )
    if not early:
        return Answer("", " ".join(said)) if said else None
    what = f"{sum(early)} of {len(early)} settings that prune much"
    lead = f"In {what} more than half as much is off after the switcher's first turn as at the end."
    if all(early):
        lead = (
            "From the switcher's start and its first turn, in which the task network learns nothing: after it more "
            f"than half as much is off as at the end in {what}."
        )
    times = "Off before the first step, after the first turn and at the end are"
    return Answer(lead, " ".join([f"{times} {'; '.join(parts)}.", *said]))


def reading(table: list[Row], evidence: Evidence) -> Answer | None:
    """SNN-AL minus the same with a switcher that reads something else, in the plain settings; and who dies there."""
    small, large = READINGS
    kinds = {"fixed noise": "fed-noise", "rows in a new order at each step": "fed-shuffled"}
    parts: list[str] = []
    above: list[bool] = []
    for said, kind in kinds.items():
        points, gone = (
            evidence.difference(said, "controls", small, beside(small, kind), figure).found
            for figure in ("accuracy", "removed_pct")
        )
        if points.n > 1 and gone.n > 1:
            above += [points.low > 0, gone.low > 0]
            shares = f"{wording.span(gone, 1)} percent of the weights removed (n = {points.n})"
            parts.append(f"minus reading {said} {wording.span(points)} points, {shares}")
    if not parts:
        return None
    lead = (
        "It helps with small first weights, against noise and changing orders."
        if any(above)
        else "Not shown: with small first weights, where little is pruned, no difference to noise and changing orders "
        "is seen."
    )
    answer = f"Reading the weights {'; '.join(parts)}."
    free, more = (
        evidence.difference("", "controls", beside(small, "fed-nothing"), small, figure).found
        for figure in ("accuracy", "removed_pct")
    )
    if free.n > 1 and more.n > 1:
        answer += (
            f" One free factor a neuron, which no network ties to others, minus reading {wording.span(free)} points, "
            f"{wording.span(more, 1)} percent of the weights removed (n = {free.n})."
        )
    free, more = (
        evidence.difference("", "controls", beside(large, "fed-nothing"), large, figure).found
        for figure in ("accuracy", "removed_pct")
    )
    if free.n > 1 and more.n > 1:
        answer += (
            f" With larger ones the same is {wording.span(free)} points and {wording.span(more, 1)} percent "
            f"(n = {free.n})."
        )
    dying: list[str] = []
    for said, kind in {"constants": "fed-constants", **kinds}.items():
        arm = beside(large, kind)
        dead, tried = evidence.dead("controls", arm), evidence.figures("controls", arm, "accuracy")
        dying += [f"{len(dead)} of {len(tried)} runs that read {said}"] if dead else []
    if dying:
        ours = len(evidence.dead("controls", large))
        answer += f" There {wording.listing(dying)} die, and {ours or 'none'} that read the weights."
    return Answer(lead, f"{answer} {tuned_reading(evidence)}".strip())


INSTEAD = {
    "nothing": "free factors",
    "constants": "constants",
    "noise": "fixed noise",
    "shuffled": "rows in a new order",
}
"""What stands in the place of reading the weights, in a word or two."""


def tuned_reading(evidence: Evidence) -> str:
    """SNN-AL with the settings of a small search against controls with those of an equal one, as the rule sees it.

    Nothing before there are eight pairs of each.
    """
    signs = claims.weights(evidence, "tuned")
    if not signs or any(sign.found.n < ENOUGH for sign in signs[::2]):
        return ""
    groups: dict[int, list[str]] = {1: [], -1: [], 0: []}
    for kind, side in zip(FED, claims.better_of(signs)):
        groups[side].append(INSTEAD[kind])
    words = {1: "better than", -1: "worse than", 0: "not told from"}
    parts = [f"{words[side]} {wording.listing(titles)}" for side, titles in groups.items() if titles]
    said = f"With sparse settings from a search planned alike for each, reading the weights is {wording.listing(parts)}"
    fewer = [
        f"{INSTEAD[kind]} {wording.span(sign.found, 1)} (n = {sign.found.n})"
        for kind, sign in zip(FED, signs[1::2])
        if 1 < sign.found.n < ENOUGH and sign.found.low * sign.found.high > 0
    ]
    if fewer:
        said += (
            f". In percent of the weights removed it differs from {wording.listing(fewer)}, where neither run was "
            "lost; with fewer than eight such pairs the rule does not count it"
        )
    return f"{said}."


def structure(table: list[Row], evidence: Evidence) -> Answer | None:
    """The dense network pruned to the widths that the switcher found, less SNN-AL, where it prunes much."""
    (sparse,) = tuned.settings(("sparse",))
    settings = {"in the plain settings with larger first weights": "snn-al-std-0.1", "in the sparse setting": sparse}
    settings["in that of the smaller search"] = "small"
    kinds = {"by the norm of its weights": "norm", "at random": "random"}
    found: list[PairedDifference] = []
    said: list[str] = []
    for setting, arm in settings.items():
        each = {
            kind: evidence.difference(kind, "controls", beside(arm, ending), arm, "accuracy").found
            for kind, ending in kinds.items()
        }
        if parts := [f"{kind} {wording.span(gain)}" for kind, gain in each.items() if gain.n]:
            pairs = max(gain.n for gain in each.values())
            lost = len(evidence.dead("controls", arm))
            of = f"n = {pairs}" + (f"; of {pairs + lost}, {lost} lost" if lost else "")
            said.append(f"{setting} {wording.listing(parts)} ({of})")
            found += [gain for gain in each.values() if gain.n]
    if not said:
        return None
    scratch = [
        gain
        for arm in settings.values()
        for gain in [evidence.difference("", "controls", beside(arm, "scratch"), arm, "accuracy").found]
        if gain.n >= FEW
    ]
    kept = {
        setting: evidence.difference("", "controls", beside(arm, "scratch"), beside(arm, "random-scratch"), "accuracy")
        for setting, arm in settings.items()
    }
    kept = {setting: sign for setting, sign in kept.items() if sign.found.n >= FEW}
    above = sum(gain.low > 0 for gain in found)
    lead = ""
    if kept:
        parts = [f"{wording.span(sign.found)} {setting} (n = {sign.found.n})" for setting, sign in kept.items()]
        said[-1] += f". The neurons that it kept minus as many drawn at random, both from scratch: {'; '.join(parts)}"
        told = sides(list(kept.values()), FEW)
        lead = (
            f"{'Shown' if 1 in told else 'Not shown'}: its choice of neurons, against as many at random, both from "
            f"scratch and corrected for the number of settings, is better in {told.count(1)} of {len(kept)} settings "
            f"and worse in {told.count(-1)}. "
        )
    begin = "A" if lead else f"{_lead(found, 'No', 'Yes')}: a"
    lead += (
        f"{begin} dense network cut to its widths, minus SNN-AL, is {_points(found)}, in {above} of {len(found)} cases "
        "by an interval above 0"
    )
    if scratch:
        lead += f"; its very structure, trained from scratch, minus SNN-AL {_points(scratch)}"
        if all(gain.low > 0 for gain in scratch):
            lead += ", so what is lost there is lost by the training"
    return Answer(f"{lead}.", f"Dense minus the switcher's, in points: {'; '.join(said)}.")


def _are(number: int) -> str:
    return f"{number or 'none'} {'is' if number < 2 else 'are'}"


def _of_living(found: PairedDifference) -> str:
    return f" ({wording.span(found)})" if found.n else ""


def rivals(table: list[Row], evidence: Evidence) -> Answer | None:
    """How many rivals are more accurate than SNN-AL at its share of weights removed."""
    (ours,) = tuned.settings(("sparse",))
    found: dict[str, Sign] = {}
    ahead: dict[str, int] = {}
    lived: dict[str, PairedDifference] = {}
    for rival, arm in held_against(evidence, ours).items():
        title = RIVALS[rival]
        found[title] = evidence.difference(title, "rivals", arm, ours, "accuracy")
        ahead[title] = pairs_ahead(evidence, arm, ours)
        lived[title] = living(evidence, arm, ours)
    if not found:
        return None
    decided = {title: each for title, each in found.items() if each.found.n >= ENOUGH}
    side = dict(zip(decided, sides(list(decided.values()))))
    nine = [RIVALS[rival] for rival in OF_PAPER]
    parts: list[str] = []
    for word, sign in (("More", 1), ("Less", -1)):
        names = [f"{title} ({wording.span(decided[title].found)} points)" for title in decided if side[title] == sign]
        parts += [f"{word} accurate than the sparse setting: {wording.listing(names)}."] if names else []
    if level := [title for title in decided if not side[title]]:
        names = [f"{title} {ahead[title]} of {decided[title].found.n}{_of_living(lived[title])}" for title in level]
        dead = max(decided[title].dead for title in level)
        why = f", for {dead} runs of SNN-AL are lost and count as guessing" if dead else ""
        parts.append(
            "Pairs of runs in which a rival is more accurate than the sparse setting, and in brackets by how many "
            f"points where neither run was lost: {'; '.join(names)}. No interval of all eight decides{why}."
        )
    early = {title: each.found for title, each in found.items() if each.found.n < ENOUGH}
    if early:
        names = [f"{title} ({wording.span(each)} points, n = {each.n})" for title, each in early.items()]
        parts.append(f"Too few seeds yet to tell: {wording.listing(names)}.")
    small = {RIVALS[rival]: living(evidence, arm, "small") for rival, arm in held_against(evidence, "small").items()}
    beside_small = [f"{title} {wording.span(each)}" for title, each in small.items() if each.n >= FEW]
    if beside_small:
        parts.append(
            "Minus the setting of the smaller search, which the rule lacks, where neither run was lost: "
            f"{wording.listing(beside_small)}."
        )
    told = {title: (each.low > 0) - (each.high < 0) for title, each in lived.items() if title in nine and each.n >= FEW}
    missing = [title for title in nine if title not in told]
    absent = f" ({wording.listing(missing)} not among them)" if missing else ""
    of = f"{len(told)} of " if missing else ""
    more, level, fewer = (list(told.values()).count(sign) for sign in (1, 0, -1))
    corrected = sides([Sign(title, lived[title]) for title in told], FEW)
    after = corrected.count(1) if corrected.count(1) != more else "as many"
    ruled = RULED[verdict_on("rivals", evidence.root).verdict]
    return Answer(
        f"{ruled}. Of {of}the paper's {len(nine)} rivals{absent}, each at its least sparse size that removes about as "
        f"much or more, {_are(more)} more accurate than SNN-AL's sparse setting by an interval above 0 ({after} if "
        f"corrected for their number), {_are(level)} not told from it, {_are(fewer)} less accurate (pairs in which "
        "neither run was lost).",
        " ".join(parts),
    )


def pixels(table: list[Row], evidence: Evidence) -> Answer | None:
    """The part of the pattern of pruned pixels that turns with the raster, and the part that stays with the digits."""
    named = {
        "where the pattern shows best, in short runs": ("pattern", "pattern-transposed"),
        "in plain settings that prune as much as the paper's": ("snn-al-std-0.1", "transposed-std-0.1"),
    }
    parts: list[str] = []
    for said, arms in named.items():
        found = contrasts.parts(*(evidence.runs("question", arm) for arm in arms))
        raster, digits = (wording.span(found[name], 1) for name in ("raster", "digits"))
        if found["raster"].n:
            parts.append(f"{said}, {raster} points follow the raster, {digits} the digits (n = {found['raster'].n})")
    if not parts:
        return None
    lead = f"Is it their place in the raster? {RULED[verdict_on('position', evidence.root).verdict]}."
    what = "Of the pruned pixels at the top and bottom less those at the sides, in percent, when images are transposed:"
    return Answer(lead, f"{what} {wording.listing(parts)}.")


def photographs(table: list[Row], evidence: Evidence) -> Answer | None:
    """SNN-AL minus dense on CIFAR-10 and Mini-ImageNet, with tuned settings and few epochs (the profile whole).

    Networks of which runs broke off or ended at guessing are told apart: their mean is not of the method.
    """
    cases: list[tuple[str, str, PairedDifference]] = []  # network and images, what is removed, minus dense
    astray: list[str] = []
    for number, images in (("3", "CIFAR-10"), ("4", "Mini-ImageNet")):
        for network in TABLES[number].networks:
            sign = evidence.difference("", number, "accurate", "tuned-dense", "accuracy", network, WHOLE)
            if not sign.found.n:
                continue
            runs, _ = paired(*(evidence.runs(number, arm, network, WHOLE) for arm in ("accurate", "tuned-dense")))
            guessed = sum(map(records.at_chance, runs))
            lost = len(evidence.dead(number, "accurate", network, WHOLE))
            if guessed or lost:
                astray.append(
                    f"Of {len(runs) + lost} runs of {NETWORKS[network]} with a switcher {lost} broke off and "
                    f"{guessed} ended at guessing, so its mean says nothing yet."
                )
                continue
            shares = [run["result"]["removed_pct"] for run in runs]
            whole = shares.count(0)
            none = f" (none at all in {whole} {'run' if whole == 1 else 'runs'})" if whole else ""
            shown = [run["result"]["removed_pct"] for run in evidence.runs(number, "accurate", network, WHOLE).values()]
            if len(shown) > len(shares):
                none += f" ({min(shown):.0f} to {max(shown):.0f} in all its {len(shown)} runs)"
            gone = f"{mean(shares):.0f} % of {counted_weights(network)} removed{none}{really_gone(runs)}"
            cases.append((f"{NETWORKS[network]} on {images}", gone, sign.found))
    if not cases:
        return Answer("", " ".join(astray)) if astray else None
    enough = [case for case in cases if case[2].n >= ENOUGH] or cases
    few = len(cases) - len(enough) + len(astray)
    have = "case has" if few == 1 else "cases have"
    others = f"; {few} more {have} fewer than eight pairs, or lost runs" if few else ""
    told = wording.listing(f"{wording.span(found)} points for {name}" for name, _, found in enough)
    lead = f"{_lead([found for *_, found in enough], 'Yes', 'No')}: {told}{others}."
    every = wording.listing(
        f"{name}, with {gone}, {wording.span(found)} points (n = {found.n})" for name, gone, found in cases
    )
    return Answer(lead, " ".join(filter(None, [f"{every}.", recipes(evidence), *astray])))


def recipes(evidence: Evidence) -> str:
    """How much of what networks on CIFAR-10 lose is the settings', without a switcher, in the seeds that have all three
    networks, as a sentence; nothing before there are :data:`.evidence.FEW` of them."""
    parts: list[str] = []
    for network in TABLES["3"].networks:
        found = [
            evidence.figures("3", arm, "accuracy", network, WHOLE)
            for arm in ("tuned-dense", f"{tuned.UNDER}accurate", "accurate")
        ]
        seeds = set.intersection(*map(set, found))
        if len(seeds) < FEW:
            continue
        dense, under, ours = ({seed: of[seed] for seed in seeds} for of in found)
        alone, whole = paired_difference(under, dense), paired_difference(ours, dense)
        each = [100 * (under[seed] - dense[seed]) / (ours[seed] - dense[seed]) for seed in seeds]
        parts.append(
            f"{NETWORKS[network]} with its switcher {wording.span(whole)} points, dense with the same settings "
            f"{wording.span(alone)}, which is {100 * alone.mean / whole.mean:.0f} % of that ({min(each):.0f} to "
            f"{max(each):.0f} by seed; n = {len(seeds)}, so provisionally)"
        )
    return f"In the seeds that have all three networks: {'; '.join(parts)}." if parts else ""
