"""What the paper prints of its larger networks, and which of their weights it counts (Tables 3 and 4)."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from ..lab.records import Record
from ..networks.listing import listed
from . import pages, tables
from .beside import NETWORKS, printed
from .evidence import one
from .style import CLASS_COLOURS
from .wording import span, unbroken


def gains(table: str) -> pd.DataFrame:
    """For each network of ``table`` what the paper prints: baseline, network with switcher, gain, weights removed."""
    rows: dict[str, dict[str, str]] = {}
    for network in dict.fromkeys(row.network for row in tables.paper_rows(table)):
        base, ours = (printed(table, network, method) for method in ("baseline", "SNN"))
        if base and ours and base.acc_mean is not None and ours.acc_mean is not None:
            rows[NETWORKS[network]] = {
                "baseline (%)": f"{base.acc_mean:.2f}" + (" (quoted)" if base.note else ""),
                "switcher (%)": f"{ours.acc_mean:.2f}",
                "gain": unbroken(f"{ours.acc_mean - base.acc_mean:+.2f}"),
                "removed (%)": f"{ours.removed_pct:.2f}",
            }
    return pages.table(rows)


def shares(networks: Mapping[str, str], table: str = "3", dataset: str = "cifar10") -> pd.DataFrame:
    """How many of all parameters the paper counts, and what its share of removed weights is of all.

    ``networks`` maps a network as we build it to its name in the paper's table.
    """
    rows: dict[str, dict[str, str]] = {}
    for network, name in networks.items():
        built, row = listed(network, dataset), printed(table, name, "SNN")
        removed = row.removed_pct if row and row.removed_pct is not None else 0.0
        rows[NETWORKS[network]] = {
            "counted": f"{built.weights:,}",
            "of all (%)": f"{100 * built.weights / built.parameters:.2f}",
            "removed (%)": f"{removed:.2f}",
            "that is, of all (%)": f"{removed * built.weights / built.parameters:.3f}",
        }
    return pages.table(rows)


def removed_and_gone(runs: Mapping[str, Mapping[int, Record]]) -> pd.DataFrame:
    """Widths that each run is left with, the share of weights removed by the paper's count, and the effective one.

    ``runs`` maps a title to records by seed; shares in percent.
    """
    rows = {
        f"{title}, seed {seed}": {
            "widths left": unbroken("-".join(map(str, run["result"]["widths"]))),
            "removed (%)": f"{run['result']['removed_pct']:.1f}",
            "really gone (%)": f"{run['result']['effective_pct']:.1f}",
        }
        for title, by_seed in runs.items()
        for seed, run in by_seed.items()
    }
    return pages.table(rows)


def classes_over_time(runs: Mapping[str, Mapping[int, Record]], layer: int) -> pd.DataFrame:
    """Neurons of one layer that are pruned, weakened, strengthened after the first epoch and the last, and the change.

    ``runs`` maps a title to records by seed; means over seeds.
    """
    rows: dict[str, dict[str, str]] = {}
    for title, by_seed in runs.items():
        for kind in CLASS_COLOURS if by_seed else ():
            first, last = (
                {seed: run["history"][place][kind][layer] for seed, run in by_seed.items()} for place in (0, -1)
            )
            rows[f"{title}: {kind}"] = {
                "first epoch": f"{one(first).mean:,.0f}",
                "last epoch": f"{one(last).mean:,.0f}",
                "change [95 %]": span(one({seed: last[seed] - first[seed] for seed in first}), 0),
            }
    return pages.table(rows)
