"""Bundles: an arm with all its seeds, the unit in which the batch workflow (``workflow/Snakefile``) trains.

A bundle's manifest says which records stand, with their checksums. The workflow takes it, not the records, for the
product of a job: Snakemake deletes a product before it is made again and after its job failed, and what is recorded
must outlive both.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..arms import Arm
from ..files import write_bytes
from . import records
from .experiments import PROFILES, TABLES
from .names import check_name
from .records import Entry


@dataclass(frozen=True)
class Bundle:
    """``arm`` of ``profile`` with ``seeds``; ``tables`` are those that show it, the first of them can make it."""

    arm: Arm
    profile: str
    seeds: tuple[int, ...]
    tables: tuple[str, ...]

    @property
    def name(self) -> str:
        """The folder of its records below that of the profile, DATASET-NETWORK/ARM."""
        return _name(self.arm, self.profile)

    @property
    def follows(self) -> str | None:
        """The name of the bundle whose runs come first: those that a pruned arm takes its neurons from."""
        return _name(self.arm.pruning.of, self.profile) if self.arm.pruning else None

    def entries(self, root: Path) -> list[Entry]:
        """The records of its runs, as they are on disk."""
        return [records.look_up(self.arm, self.profile, seed, root) for seed in self.seeds]


def _name(arm: Arm, profile: str) -> str:
    return "/".join(records.path_of(arm, profile, 0, Path()).parts[1:-1])


def tables_of(profile: str, named: Iterable[str] = ()) -> list[str]:
    """The tables ``named``; "all" means every table of ``profile``, none those whose data set is MNIST alone.

    MNIST is part of the repository. Raises :class:`~snnlib.lab.names.Refused` for an unknown table.
    """
    check_name("profile", profile, PROFILES)
    known, named = [name for name, table in TABLES.items() if table.arms.get(profile)], list(named)
    if not named:
        return [name for name in known if all(arm.dataset == "mnist" for arm in TABLES[name].arms[profile])]
    return known if named == ["all"] else [check_name(f"table of profile {profile}", name, known) for name in named]


def bundles(profile: str, tables: Iterable[str]) -> dict[str, Bundle]:
    """Every bundle of ``tables`` by its name; what two tables share is one bundle.

    Raises ``ValueError`` where two tables give it other settings: each would take the other's records for stale.
    """
    found: dict[str, Bundle] = {}
    for table in tables:
        for arm in TABLES[table].arms[profile]:
            name, seeds = _name(arm, profile), TABLES[table].seeds_of(arm, profile)
            known = found.get(name)
            if known and (known.arm.settings_hash(), known.seeds) != (arm.settings_hash(), seeds):
                raise ValueError(f"tables {known.tables[0]} and {table} mean different runs by {profile}/{name}")
            found[name] = Bundle(arm, profile, seeds, (*(known.tables if known else ()), table))
    return found


def complete(entries: Sequence[Entry], accept_failed: bool = False) -> bool:
    """Whether every run has a record of today's settings.

    A failed run, and one that would follow it, counts only with ``accept_failed``.
    """
    enough = ("recorded", "failed", "barred") if accept_failed else ("recorded",)
    return all(entry.state in enough for entry in entries)


def manifest(entries: Sequence[Entry], root: Path) -> dict[str, dict[str, str]]:
    """By path below ``root``: state, hash of the settings and SHA-256 of each record."""
    return {
        entry.path.relative_to(root).as_posix(): {
            "state": entry.state,
            "settings_hash": entry.arm.settings_hash(),
            "sha256": hashlib.sha256(entry.path.read_bytes()).hexdigest(),
        }
        for entry in entries
        if entry.state != "barred"
    }


def write_manifest(path: Path, entries: Sequence[Entry], root: Path) -> None:
    """Write the manifest of ``entries``, all of them with a record."""
    write_bytes(path, (json.dumps(manifest(entries, root), indent=1) + "\n").encode())


def holds(path: Path, entries: Sequence[Entry], root: Path, accept_failed: bool = False) -> bool:
    """Whether the manifest at ``path`` is still true: every run complete, every record as it was."""
    if not complete(entries, accept_failed):
        return False
    try:
        return json.loads(path.read_bytes()) == manifest(entries, root)
    except (OSError, ValueError):
        return False
