"""Records: one JSON file a run, and the checkpoint that an unfinished run resumes from.

``ROOT/PROFILE/DATASET-NETWORK/ARM/seed-N.json`` holds settings, their hash, seed, versions, device, curves and
results. Each is sealed (:mod:`.sealing`), and appears whole or not at all. Beside it stand ``seed-N.safetensors``
(final weights) and, while a run is under way, ``seed-N.part.safetensors`` (checkpoint). Nothing is ever pickled.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout

from ..arms import ADDED_LATER, Arm, Pruning, Rival, Source, restore
from ..config import SwitcherConfig, TrainConfig
from ..files import FileError, write_bytes
from .sealing import Altered, decode, encode

Record = dict[str, Any]
"""What one file holds: :data:`.sealing.KINDS` and the keys that :meth:`snnlib.lab.underway.UnderWay.finish` adds."""

TIMED = ("seconds", "started", "device", "versions", "code")
"""Keys that may differ between two runs of the same settings and seed."""


def default_root() -> Path:
    """data/records of the checkout, or of the working directory where the library is installed elsewhere."""
    checkout = Path(__file__).resolve().parents[2] / "data" / "records"
    return checkout if checkout.is_dir() else Path("data") / "records"


def folder_of(arm: Arm) -> str:
    """The folder, DATASET-NETWORK, of all runs of a network on a data set.

    A data set that is a path is called by its last part and a short hash: of its images, for images of one's own.
    """
    dataset = arm.dataset
    if arm.source or not re.fullmatch(r"[\w.-]+", dataset) or dataset.endswith(".npz"):
        place = str(Path(dataset).expanduser().absolute())
        digest = arm.source.digest if arm.source else hashlib.sha256(place.encode()).hexdigest()
        dataset = f"{re.sub(r'[^a-zA-Z0-9_.]+', '_', Path(place).stem)}-{digest[:8]}"
    network = arm.network.replace(":", "-")  # no colon may stand in a name on Windows
    return f"{dataset}-{network}"


def path_of(arm: Arm, profile: str, seed: int, root: Path) -> Path:
    """Where the record of a run stands."""
    return Path(root) / profile / folder_of(arm) / arm.name / f"seed-{seed}.json"


def weights_path(record_path: Path) -> Path:
    """Where the final weights of a run stand."""
    return record_path.with_suffix(".safetensors")


def checkpoint_path(record_path: Path) -> Path:
    """Where an unfinished run's checkpoint stands."""
    return record_path.with_suffix(".part.safetensors")


def make_folder(folder: Path) -> None:
    """Make a folder for records. Raises :class:`FileError` where none can be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(
            f"{folder} cannot be made ({error.strerror}): name a folder that you may write to, --records DIR"
        ) from error


def write(path: Path, record: Record) -> None:
    """Write one record, sealed. Raises :class:`FileError` where the disk is full; the old record then stays."""
    write_bytes(path, encode(record))


def read(path: Path) -> Record:
    """Read one record.

    Raises :class:`FileError` where it is missing, cut off, of another version, or altered since it was written.
    """
    try:
        content = Path(path).read_bytes()
    except FileNotFoundError as error:
        raise FileError(f"{path}: there is no such record. `snn status` lists those there are.") from error
    except OSError as error:
        raise FileError(
            f"{path} cannot be read ({error.strerror}). A record is a file, .../ARM/seed-0.json say."
        ) from error
    return parse(content, str(path))


def parse(content: bytes, name: str) -> Record:
    """The record that ``content`` holds; raises :class:`FileError`, which calls it ``name``, where it holds none."""
    try:
        return decode(content)
    except Altered as error:
        raise FileError(f"{name} is not as a run wrote it: {error}. Restore it, or run the arm again.") from error
    except json.JSONDecodeError as error:
        raise FileError(f"{name} is cut off or no JSON ({error}). Restore it, or run the arm again.") from error
    except ValueError as error:
        raise FileError(f"{name} {error}. If it is a record of a run, run the arm again.") from error


def forget(path: Path) -> None:
    """Delete a record with its weights and checkpoint; a run that another process works on is left as it is."""
    if not path.parent.is_dir():
        return
    try:
        with FileLock(path.with_suffix(".lock"), timeout=0):
            for each in (path, weights_path(path), checkpoint_path(path)):
                each.unlink(missing_ok=True)
    except Timeout:
        return


def sweep(path: Path) -> None:
    """Remove half-written files that a killed process left beside ``path``; only for the holder of its lock."""
    for left in path.parent.glob(f".{path.stem}.*"):
        left.unlink(missing_ok=True)


def arm_of(record: Record) -> Arm:
    """The arm that a record was made with, rebuilt from the settings it holds.

    Raises :class:`FileError` where they are not settings that this library knows.
    """
    try:
        return _arm(record["settings"], record["arm"], record.get("title", ""))
    except (KeyError, TypeError, ValueError) as error:
        raise FileError(
            f"the record of {record['arm']}, seed {record['seed']}, has settings that this library does not know "
            f"({error}). Run the arm again."
        ) from error


def _arm(values: dict[str, Any], name: str, title: str = "") -> Arm:
    settings: dict[str, Any] = {key: value for key, value in values.items() if key != "algorithm"}
    train, switcher, pruning = (
        restore(TrainConfig, settings.pop("train")),
        settings.pop("switcher"),
        settings.pop("pruning", None),
    )
    if (of := settings.pop("rival", None)) is not None:
        options = ((key, tuple(value) if isinstance(value, list) else value) for key, value in of["options"].items())
        settings["rival"] = Rival(of["name"], tuple(sorted(options)))
    if (source := settings.pop("source", None)) is not None:
        settings["source"] = Source(**source)
    if switcher is not None:
        switcher = restore(SwitcherConfig, switcher)
    if pruning is not None:
        pruning = Pruning(pruning["criterion"], _arm(pruning["settings"], pruning["arm"]))
    settings = {"continued": ADDED_LATER["continued"] if settings.get("dense_epochs") else True} | settings
    return Arm(name=name, title=title, train=train, switcher=switcher, pruning=pruning, **settings)


def guessing(record: Record) -> float:
    """The accuracy of guessing in percent: what a run counts for that died or diverged."""
    return 100 / record.get("images", {}).get("classes", 10)


def at_chance(record: Record) -> bool:
    """Whether a finished run ended at the accuracy of guessing, or less than half of it above."""
    return record["result"]["accuracy"] < 1.5 * guessing(record)


def learned(runs: Mapping[int, Record]) -> dict[int, Record]:
    """Of finished runs by seed those that did not end at guessing."""
    return {seed: run for seed, run in runs.items() if not at_chance(run)}


def comparable(record: Record) -> Record:
    """The record without times, device and versions.

    It is equal for two runs of the same settings and seed on one machine.
    """
    kept = {key: value for key, value in record.items() if key not in TIMED}
    return kept | {"history": [{k: v for k, v in row.items() if k not in TIMED} for row in record.get("history", [])]}


@dataclass(frozen=True)
class Entry:
    """One run and its record on disk: ``state`` is one of :data:`snnlib.lab.status.STATES`."""

    arm: Arm
    profile: str
    seed: int
    path: Path
    state: Literal["recorded", "failed", "stale", "missing", "barred", "broken"]
    record: Record | None = None
    problem: str = ""

    @property
    def stands(self) -> bool:
        """Whether the run has ended with a record of its settings of today, good or failed."""
        return self.state in ("recorded", "failed")

    @property
    def content(self) -> Record:
        """The record of an entry that has one: recorded, failed or stale."""
        assert self.record is not None, f"{self.path} is {self.state}"
        return self.record


def look_up(arm: Arm, profile: str, seed: int, root: Path) -> Entry:
    """Find the record of a run.

    Its state is "stale" if its settings are not the arm's any more, "broken" if it cannot be read, and "barred" if it
    would keep the neurons of a run that failed, so that it can have no record.
    """
    path = path_of(arm, profile, seed, root)
    if not path.exists():
        if arm.pruning and look_up(arm.pruning.of, profile, seed, root).state == "failed":
            followed = f"it keeps the neurons of {arm.pruning.of.name}, whose run failed"
            return Entry(arm, profile, seed, path, "barred", problem=followed)
        return Entry(arm, profile, seed, path, "missing")
    try:
        record = read(path)
    except FileError as error:
        return Entry(arm, profile, seed, path, "broken", problem=str(error))
    if record["settings_hash"] != arm.settings_hash() or record["seed"] != seed:
        return Entry(arm, profile, seed, path, "stale", record, "its settings changed since it was written")
    return Entry(arm, profile, seed, path, "failed" if record["status"] == "failed" else "recorded", record)
