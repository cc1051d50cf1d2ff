"""At which scale the runs behind a page were made, and what that allows to conclude."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import mean

import pandas as pd

from ..lab import records, status
from ..lab.experiments import PROFILES
from ..lab.records import Record
from . import pages
from .beside import NETWORKS
from .evidence import WHOLE
from .results import Results
from .wording import span, unbroken


def shown(tables: Sequence[str], profile: str, root: Path) -> str:
    """The profile that a page shows: ``profile`` if a table has records of it, else the fullest that has.

    The first of ``tables`` leads; the others are asked where it has no records at all.
    """
    for table in tables:
        found = status.profile_to_show(table, root, profile)
        if any(run.state != "missing" for run in status.entries(table, found, root)):
            return found
    return profile


DENSE, SNN, EQUAL_STEPS = "dense", "snn-al-epoch", "dense-equal-steps"
OF_WHOLE = {DENSE: "tuned-dense", SNN: "accurate", EQUAL_STEPS: "tuned-dense-as-accurate"}
"""Arms of Tables 3 and 4, and what stands in their place in the profile "whole"."""


def arm(results: Results, name: str) -> str:
    """The name that the arm ``name`` of Tables 3 and 4 has in the profile of ``results``."""
    return OF_WHOLE[name] if results.profile == WHOLE else name


def _ended(results: Results) -> int:
    """How many runs have a record, of success or of failure."""
    return sum(entry.stands for entry in results.entries)


def in_short(results: Results, profile: str = "paper") -> str:
    """How much of the protocol is done, and whether a page may conclude from it, as Markdown.

    ``results`` are those that the page shows, ``profile`` the one that a verdict needs.
    """
    whole = Results(results.table, profile, results.root)
    done = _ended(whole)
    recorded = f"{done or 'none'} {'is' if done < 2 else 'are'} recorded"
    said = f"**Of {len(whole.entries)} runs of the full protocol (profile *paper*) {recorded}.** "
    if results.profile == profile and done:
        return said + "The tables below show what these say."
    if results.profile == WHOLE:
        return said + (
            f"The tables below show the profile *whole*, {_ended(results)} of {len(results.entries)} runs of which are "
            "recorded: all images, with settings from a small search and fewer epochs than the protocol. The rules "
            "count these runs in the tuned regime."
        )
    some = sum(entry.state == "recorded" for entry in results.entries)
    if not some:
        return said + "There are no reduced ones either, so the tables below hold the paper's rows alone."
    return said + (
        f"The tables below show {some} runs of the profile *{results.profile}* ({PROFILES[results.profile]}). They "
        "show that everything runs and how a comparison is made; **they decide nothing about the paper**."
    )


def outcomes(results: Results) -> str:
    """For each network with a pair of runs: SNN-AL against dense in these pairs, and the weights removed, as a Markdown
    list.

    Nothing of reduced runs.
    """
    if results.profile not in ("paper", WHOLE):
        return ""
    dense, ours = arm(results, DENSE), arm(results, SNN)
    lines: list[str] = []
    for network in dict.fromkeys(network for network, _ in results.arms):
        found = results.difference(ours, dense, network=network)
        if not found.n:
            continue
        first, second = paired(results.runs(ours, network), results.runs(dense, network))
        means = [mean([run["result"]["accuracy"] for run in runs]) for runs in (first, second)]
        removed = [run["result"]["removed_pct"] for run in first if not records.at_chance(run)]
        of_these = "" if len(removed) == len(first) else " in those that learned"
        pairs = "the one pair of runs so far" if found.n == 1 else "pairs of runs"
        told = [
            f"* **{NETWORKS[network]}**: {means[0]:.2f} % with its switcher and {means[1]:.2f} % alone in {pairs}, "
            f"{span(found)} points (n = {found.n})"
        ]
        if removed:
            gone = really_gone([run for run in first if not records.at_chance(run)])
            told[0] += f"; {_spread(removed)} of {counted_weights(network)} are removed{gone}{of_these}."
        else:
            told[0] += "."
        if len(every := [run["result"]["removed_pct"] for run in results.runs(ours, network).values()]) > len(first):
            told.append(f"Over all {len(every)} runs with its switcher the mean of these shares is {_spread(every)}.")
        if guessed := sum(map(records.at_chance, first)):
            told.append(f"{guessed} of these {found.n} ended at guessing.")
        if lost := len(results.failed(ours, network)):
            runs = "One more run" if lost == 1 else f"{lost} more runs"
            told.append(f"{runs} with its switcher broke off, which the report counts as guessing.")
        lines.append(" ".join(told))
    return "\n".join(lines)


def fewer_steps(results: Results) -> str:
    """For each network that has these runs: SNN-AL minus dense, with equal steps in all and with equal task-network
    steps, as a Markdown list; what lies between them is what the dense network loses with fewer steps."""
    ours, steps = arm(results, SNN), {"in all": arm(results, DENSE), "of the task network": arm(results, EQUAL_STEPS)}
    lines: list[str] = []
    for network in dict.fromkeys(network for network, _ in results.arms):
        found = {said: results.difference(ours, dense, network=network) for said, dense in steps.items()}
        if all(each.n for each in found.values()):
            parts = [f"with as many steps {said} {span(each)} (n = {each.n})" for said, each in found.items()]
            lines.append(f"* **{NETWORKS[network]}**: {', '.join(parts)}.")
    return "\n".join(lines) or "No network has these runs yet."


def by_seed(results: Results, network: str) -> pd.DataFrame:
    """The runs of ``network`` with a switcher, a line each, those that remove least first: accuracy, the same minus the
    dense run of that seed, in points, and weights removed, in percent."""
    dense, ours = (results.runs(arm(results, name), network) for name in (DENSE, SNN))
    lines: dict[str, dict[str, str]] = {}
    for seed, run in sorted(ours.items(), key=lambda pair: (pair[1]["result"]["removed_pct"], pair[0])):
        result = run["result"]
        less = result["accuracy"] - dense[seed]["result"]["accuracy"] if seed in dense else None
        lines[f"seed {seed}"] = {
            "removed (%)": f"{result['removed_pct']:.1f}",
            "accuracy (%)": f"{result['accuracy']:.2f}",
            "minus dense": "" if less is None else unbroken(f"{less:+.2f}"),
        }
    return pages.table(lines)


def paired(first: Mapping[int, Record], second: Mapping[int, Record]) -> tuple[list[Record], list[Record]]:
    """The runs of the seeds that both have, in the order of the seeds."""
    seeds = sorted(set(first) & set(second))
    return [first[seed] for seed in seeds], [second[seed] for seed in seeds]


def really_gone(runs: Sequence[Record]) -> str:
    """What the end of a phrase says of removed weights where dead inputs make more than a point of them; else nothing.

    Pruned kernels leave inputs dead that the paper's count keeps.
    """
    counted, gone = (mean([run["result"][key] for run in runs]) for key in ("removed_pct", "effective_pct"))
    return f" by the paper's count and {gone:.0f} % really gone" if gone - counted > 1 else ""


def _spread(values: Sequence[float]) -> str:
    """Mean of ``values`` in percent and, of several, the least and the largest."""
    ends = f" ({min(values):.0f} to {max(values):.0f})" if len(values) > 1 else ""
    return f"{mean(values):.1f} %{ends}"


def counted_weights(network: str) -> str:
    """What the paper counts the removed weights of ``network`` of: those of the layers that have factors."""
    if network.startswith("vgg-cov2"):
        return "its weights"
    return "its FC layers' weights" if network.startswith("vgg16") else "its last layer's weights"


def table(results: Results, networks: Iterable[str], images: int) -> pd.DataFrame:
    """For each network: finished runs of all, training images of ``images``, and passes over them."""
    rows: dict[str, dict[str, str]] = {}
    for network in networks:
        runs = [entry for entry in results.entries if entry.arm.network == network]
        if runs:
            train = next((entry.arm for entry in runs if entry.arm.switcher), runs[0].arm).train
            done = sum(entry.state == "recorded" for entry in runs)
            rows[NETWORKS[network]] = {
                "runs": f"{done} of {len(runs)}",
                "images": f"{train.train_images or images:,}",
                "passes": str(train.epochs),
            }
    return pages.table(rows)
