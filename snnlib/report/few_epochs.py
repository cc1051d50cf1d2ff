"""How settings and epochs of the profile "whole" were found: searches and a curve, on held-out images."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ..lab import search
from ..lab.experiments import TABLES, tuned, whole
from ..lab.experiments.studies import STUDIES
from . import pages, search_tables
from .beside import NETWORKS
from .results import Results


def searched(folder: Path) -> dict[str, tuple[str, str]]:
    """Networks on CIFAR-10 whose searches have trials below ``folder``, and their studies: dense, SNN-AL."""
    return {
        network: (dense, snn)
        for network, (snn, dense) in tuned.SEARCHED.items()
        if STUDIES[snn].dataset == "cifar10" and any(len(search.read(STUDIES[name], folder)) for name in (dense, snn))
    }


def progress(folder: Path) -> str:
    """How far these searches are, as a Markdown list."""
    found = [search_tables.progress(name, folder) for names in searched(folder).values() for name in names]
    return "\n".join(f"* {line}" for line in found) or "No search on CIFAR-10 has begun."


def settings(role: str, folder: Path) -> pd.DataFrame:
    """The settings chosen for ``role``, "dense" or "accurate", a column a network."""
    columns: dict[str, dict[str, str]] = {}
    for network in searched(folder):
        chosen = search_tables.chosen(tuned.SEARCHED[network][0], folder)
        if role in chosen.columns:
            values = {str(name): str(value) for name, value in chosen[role].items()}
            columns[NETWORKS[network]] = {
                name: value for name, value in values.items() if value and (role, name) != ("dense", "removed (%)")
            }
    return pages.table(columns, search_tables.NOTHING).T


def curve(root: Path) -> pd.DataFrame:
    """Held-out accuracy in percent of each tuned dense network, by the number of epochs; and how many are taken."""
    results = Results("epochs", "search", root)
    rows: dict[str, dict[str, str]] = {}
    for network in TABLES["epochs"].networks if "epochs" in TABLES else ():
        means = {epochs: results.mean(f"epochs-{epochs}", network=network) for epochs in whole.SHOWN}
        if any(mean is not None for mean in means.values()):
            taken = whole.EPOCHS.get(network)
            rows[NETWORKS[network]] = {
                **{f"{epochs} epochs": "" if mean is None else f"{mean:.2f}" for epochs, mean in means.items()},
                "taken": "" if taken is None else str(taken),
            }
    return pages.table(rows, "No such run is recorded yet.")
