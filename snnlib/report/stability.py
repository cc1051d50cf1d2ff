"""Which settings train at all: the maps of chapter 9, how their runs ended, and how far a rounding error carries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure

from ..arms import Arm
from ..data import Dataset
from ..lab import building, status
from ..lab.experiments import TABLES, stability
from ..lab.records import Entry, Record
from ..switching.switched import dead_layers
from ..training import TrainingError, train_alternating
from . import maps, pages
from .maps import Cell
from .wording import unbroken

GOOD = 90.0
"""Percent of held-out images that a setting which trains has right on average; a long run reaches far more."""


def ending(arm: Arm, images: Dataset, seed: int, epochs: int = 2) -> str:
    """How a short run of ``arm`` on these images ends: whether it does better than guessing, or what broke it."""
    train = replace(arm.train.for_training(), epochs=epochs)
    model = building.wrap(arm, building.build_network(arm, seed, torch.device("cpu")), seed)
    dead = dead_layers(model.gates())
    try:
        state = train_alternating(model, images, train, seed)
    except TrainingError as problem:
        return f"dead before the first step (layer {dead[0]})" if dead else str(problem)
    return "learns" if state.history[-1]["accuracy"] > 0.2 else "guesses"


@dataclass(frozen=True)
class Plane:
    """One map: its cells by turn, row and column, and what the rows and columns are."""

    rows: str
    columns: str
    cells: Mapping[tuple[str, str, str], Cell]

    def drawn(self) -> Figure:
        """Its heat maps (:func:`~snnlib.report.maps.settings_map`), or a word that there is nothing to draw."""
        if not any(cell.runs for cell in self.cells.values()):
            return pages.nothing("None of these settings has a record yet.")
        return maps.settings_map(self.cells, self.rows, self.columns)


@dataclass(frozen=True)
class Maps:
    """The four maps, from the records below ``root``."""

    root: Path

    @cached_property
    def entries(self) -> list[Entry]:
        """Every run of the maps, read once."""
        return status.entries("stability", "map", self.root)

    @cached_property
    def _by_setting(self) -> dict[str, Cell]:
        groups: dict[str, list[Entry]] = {}
        for entry in self.entries:
            groups.setdefault(entry.arm.settings_hash(), []).append(entry)
        return {setting: maps.cell(entries) for setting, entries in groups.items()}

    def cell(self, arm: Arm) -> Cell:
        """What the runs of one setting did."""
        return self._by_setting[arm.settings_hash()]

    @cached_property
    def planes(self) -> dict[str, Plane]:
        """The maps by name: "start", "clipping", "rate" and "calibration"."""
        turns = {turn: f"t counts {turn}s" for turn in stability.TURNS}
        start = {
            (turns[turn], f"{mean:g}", f"{spread:g}"): self.cell(stability.start(turn, mean, spread))
            for turn, mean, spread in product(turns, stability.MEANS, stability.SPREADS)
        }
        clipping = {
            (turns[turn], _norm(switcher), _norm(network)): self.cell(stability.clipping(turn, switcher, network))
            for turn, switcher, network in product(turns, stability.CLIPS, stability.CLIPS)
        }
        rate = {
            (turns[turn], "both at 1" if clip else "none", f"{rate:g}"): self.cell(stability.rate(turn, rate, clip))
            for turn, clip, rate in product(turns, (1.0, None), stability.RATES)
        }
        calibration = {
            (turns[turn], how.replace("-", " "), f"{std:g}"): self.cell(stability.calibration(turn, how, std))
            for turn, how, std in product(turns, stability.STARTS, stability.STDS)
        }
        return {
            "start": Plane("mean", "spread of the first scores", start),
            "clipping": Plane("clip of the switcher", "clip of the task network", clipping),
            "rate": Plane("clipping", "learning rate at the start, of both sides", rate),
            "calibration": Plane("switcher", "std of the FC weights at the start", calibration),
        }

    def about(self) -> str:
        """What was run, as Markdown."""
        train, seeds = stability.TRAIN, TABLES["stability"].seeds["map"]
        done = sum(entry.stands for entry in self.entries)
        said = (
            f"{len(self._by_setting)} settings, {len(seeds)} seeds each: {done} of {len(self.entries)} runs are "
            f"recorded. Each trains the MLP on {train.train_images:,} digits for {train.epochs} epochs, both sides "
            "counted, and is judged on 5,000 **held-out training images**: the test set is no place to look for "
            "settings."
        )
        missing = f" **The others are missing**: `{status.command('stability', 'map', self.root)}` makes them."
        return said + (missing if done < len(self.entries) else "")

    def in_short(self) -> str:
        """How many of all settings train and how the other runs ended, as Markdown."""
        found = _ended(self._by_setting.values())
        if not found["runs"]:
            return pages.NO_RUNS
        return (
            f"**{found['settings that train']} of {found['settings']} settings train.** Of all {found['runs']} runs "
            f"{found['diverged']} diverged, {found['dead']} lost a layer, and {found['untrained']} ended no better "
            "than chance."
        )

    def outcomes(self) -> pd.DataFrame:
        """How the runs of each map ended, a row a map and reading of t."""
        rows: dict[str, dict[str, int]] = {}
        for name, plane in self.planes.items():
            for turn in dict.fromkeys(key[0] for key in plane.cells):
                rows[f"{name}, {turn}"] = _ended(cell for key, cell in plane.cells.items() if key[0] == turn)
        return pages.table(rows)

    def deciding(self) -> pd.DataFrame:
        """Four choices that the paper leaves open, a row each: one figure under either of two answers, in percent."""
        start, clipping = self.planes["start"].cells, self.planes["clipping"].cells
        fed = self.planes["calibration"].cells
        small = {key: float(key[1]) < 0.5 and float(key[2]) < 0.5 for key in start}
        all_arms = [arm for arm in TABLES["stability"].arms["map"] if self.cell(arm).accuracy >= GOOD]
        by_turn = {
            turn: [self.cell(arm).left for arm in all_arms if arm.train.alternate == turn] for turn in stability.TURNS
        }
        by_std = {
            f"{std:g}": [cell.left for key, cell in fed.items() if key[1:] == ("inputs scaled", f"{std:g}")]
            for std in stability.STDS
        }
        rows = {
            "clip of the task network": (
                "runs that break",
                {
                    "none": [_broken(cell) for key, cell in clipping.items() if key[2] == "none"],
                    "5 or less": [_broken(cell) for key, cell in clipping.items() if key[2] != "none"],
                },
            ),
            "size of the first factors": (
                "runs that guess",
                {
                    "mean and spread below 0.5": [cell.untrained for key, cell in start.items() if small[key]],
                    "larger": [cell.untrained for key, cell in start.items() if not small[key]],
                },
            ),
            "what t counts": ("neurons left", {f"{turn}s": left for turn, left in by_turn.items()}),
            "std of the first FC weights": ("neurons left", by_std),
        }
        return pages.table(
            {
                choice: {
                    "share of": what,
                    **{side: _answer(*answer) for side, answer in zip(("one answer", "another"), answers.items())},
                }
                for choice, (what, answers) in rows.items()
            }
        )


def _norm(clip: float | None) -> str:
    return "none" if clip is None else f"{clip:g}"


def _broken(cell: Cell) -> float:
    """Percent of the runs that diverged or lost a layer."""
    return cell.diverged + cell.dead


def _answer(name: str, values: list[float]) -> str:
    known = [value for value in values if not np.isnan(value)]
    return f"{name}: {np.mean(known):.0f}\N{NO-BREAK SPACE}%" if known else f"{name}: no runs"


def _ended(cells: Iterable[Cell]) -> dict[str, int]:
    """Settings and runs, how many runs ended in which way, and in how many settings all is well."""
    done = [cell for cell in cells if cell.runs]
    return {
        "settings": len(done),
        "runs": sum(cell.runs for cell in done),
        **{
            kind: round(sum(getattr(cell, kind) * cell.runs / 100 for cell in done))
            for kind in ("diverged", "dead", "untrained")
        },
        "settings that train": sum(_broken(cell) + cell.untrained == 0 and cell.accuracy >= GOOD for cell in done),
    }


def rounding(root: Path) -> pd.DataFrame:
    """Runs that differ by one rounding error beside runs of different seeds, of the same setting.

    Means and standard deviations in percent, and the lowest and highest share of weights removed.
    """
    nudged = [run for runs in status.finished("rounding", "paper", root).values() for run in runs.values()]
    seeds = list(status.finished("2", "paper", root)["mlp", "snn-al-epoch"].values())
    groups = {"one seed, one weight moved by a millionth": nudged, "different seeds": seeds}
    missing = f"These runs are still to be made: {status.command('rounding', 'paper', root)}."
    return pages.table({title: _spread(runs) for title, runs in groups.items() if len(runs) > 1}, missing)


def _spread(runs: list[Record]) -> dict[str, str]:
    """What runs that should be alike differ by."""
    accuracy, removed = (np.array([run["result"][key] for run in runs]) for key in ("accuracy", "removed_pct"))
    return {
        "runs": str(len(runs)),
        "accuracy (%)": unbroken(f"{accuracy.mean():.2f} ± {accuracy.std(ddof=1):.2f}"),
        "removed (%)": unbroken(f"{removed.mean():.1f} ± {removed.std(ddof=1):.1f}"),
        "from": f"{removed.min():.1f}",
        "to": f"{removed.max():.1f}",
    }
