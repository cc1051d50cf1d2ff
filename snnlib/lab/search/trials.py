"""The trials of a study: running one, and the small file that keeps them all."""

from __future__ import annotations

import gzip
import json
import math
import platform
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...arms import Arm
from .. import records
from ..experiments.study import Study, cut_after

if TYPE_CHECKING:
    import torch

    from ...data import Dataset

Row = dict[str, Any]
"""One trial: its number, rung, settings and results."""

REGIONS = ("pixels_off", "rows_off", "columns_off", "centre_off")
"""Shares of input pixels switched off, in percent: all, top and bottom 4 rows, left and right 4 columns, central
quarter."""


def default_folder() -> Path:
    """data/search beside the records."""
    return records.default_root().parent / "search"


def file_of(study: Study, folder: Path) -> Path:
    """The file that holds the trials of ``study``."""
    return Path(folder) / f"{study.name}.csv.gz"


def read(study: Study, folder: Path) -> pd.DataFrame:
    """All trials of a study, one a row, in their order; empty where there are none yet.

    Raises ``FileError`` where the file is damaged.
    """
    path = file_of(study, folder)
    if not path.exists():
        return pd.DataFrame(columns=["trial", "rung", "state"])
    try:
        found = pd.read_csv(path, keep_default_na=False, dtype=str)
        columns = {name: [_plain(value) for value in found[name]] for name in found}
        return pd.DataFrame(columns, dtype=object)  # None stays None
    except (OSError, EOFError, ValueError, KeyError) as error:
        raise records.FileError(
            f"{path} is damaged ({error}). Take it from the repository again, or delete it and search anew."
        ) from error


def rows_of(trials: pd.DataFrame) -> list[Row]:
    """The rows of a table of trials, one dictionary each."""
    return cast(list[Row], trials.to_dict("records"))


def _plain(text: str) -> Any:
    """The value of a cell: JSON, except for words."""
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text


def write(rows: list[Row], path: Path) -> None:
    """Write trials, whole or not at all; the same rows give the same bytes."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    table = pd.DataFrame([{name: _cell(row.get(name)) for name in columns} for row in rows], columns=columns)
    records.write_bytes(path, gzip.compress(table.to_csv(index=False).encode(), mtime=0))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) and not _looks_like_json(value) else json.dumps(value)


def _looks_like_json(text: str) -> bool:
    return _plain(text) != text


class _Hopeless(Exception):
    """A trial that is cut short."""


def try_out(arm: Arm, seed: int, hopeless: float, device: str = "cpu") -> Row:
    """Train ``arm`` on its training images, judge it on the held-out ones, and return the row of results.

    ``state`` is finished, failed (``error`` says why) or cut; accuracies and shares are in percent.
    """
    import torch

    from ...metrics import removed_pct
    from ...networks import count
    from ...peers import train_peer
    from ...training.checks import NoTurnError, TrainingError
    from ...training.fit import unremarked
    from ...training.flow import decode
    from ...training.loops import State, train_alternating, train_dense
    from ..building import build_network, rival_of, wrap
    from ..devices import pick_device
    from ..measuring import measured, result

    train = arm.train.for_training()
    began, place = time.monotonic(), pick_device(device)
    data = _dataset(arm, str(place))
    network = build_network(arm, seed, place, data.image, len(data.classes))
    model = wrap(arm, network, seed).to(place) if arm.switcher else None
    peer = rival_of(arm, network, seed, len(data.x_train)) if arm.rival else None
    state, check = State(), cut_after(arm.train.epochs)

    def look(now: State) -> None:
        if now.epoch == check < arm.train.epochs and 100 * now.history[-1]["accuracy"] < hopeless:
            raise _Hopeless(f"{100 * now.history[-1]['accuracy']:.2f} % after {now.epoch} epochs")

    row: Row = {"state": "finished", "error": None}
    try:
        with unremarked():
            if peer is not None:
                train_peer(peer, data, train, seed, state, look)
            elif model is None:
                train_dense(network, data, train, seed, state, look)
            else:
                train_alternating(model, data, train, seed, state, look)
    except (TrainingError, NoTurnError) as error:
        row |= {"state": "failed", "error": f"{type(error).__name__}: {error}"}
    except _Hopeless as reason:
        row |= {"state": "cut", "error": str(reason)}
    row["epochs_done"] = state.epoch
    if state.history:
        row |= {
            "accuracy": round(100 * state.history[-1]["accuracy"], 3),
            "best_accuracy": round(100 * max(each["accuracy"] for each in state.history), 3),
        }
    if row["state"] == "finished":
        found = measured(peer, data, arm, seed, state.history) if peer else result(network, model, state.history)
        row |= {
            "removed": round(100 - found["left_pct"] if peer else found["removed_pct"], 3),
            "effective": round(found["effective_pct"], 3),
            "widths": _widths(found["widths"]),
        }
    if model is not None:
        full = list(network.gate_widths())
        times = {"start": state.marks.get("start"), "first": state.marks.get("first turn")}
        for name, text in times.items():
            if text is not None:
                kept = [int((~off).sum()) for off in decode(text, full)]
                row |= {
                    f"removed_{name}": round(removed_pct(full, kept, **count.shape(network)), 3),
                    f"widths_{name}": _widths(kept),
                }
        if state.history and full[0] == math.prod(data.image):  # the first neurons are pixels
            row |= dict(zip(REGIONS, regions(decode(state.history[-1]["off"], full)[0], data.image[1:])))
    versions = f"torch {torch.__version__}, python {platform.python_version()}"
    return row | {"seconds": round(time.monotonic() - began, 1), "device": _device(place), "versions": versions}


def _device(place: torch.device) -> str:
    from ..devices import describe

    return describe(place)


_kept: dict[tuple[object, ...], Dataset] = {}


def _dataset(arm: Arm, device: str) -> Dataset:
    """The data set of ``arm``, kept for later trials of this process."""
    from ..devices import pick_device
    from ..runner import load_data

    key = (arm.dataset, arm.train.split, arm.train.train_images, device)
    if key not in _kept:
        _kept.clear()
        _kept[key] = load_data(arm, pick_device(device))
    return _kept[key]


def _widths(widths: list[int]) -> str:
    return "-".join(map(str, widths))


def regions(off: NDArray[np.bool_], size: tuple[int, int], edge: int = 4) -> tuple[float, ...]:
    """Shares of pixels switched off, in percent, for each of :data:`REGIONS`; corners belong to neither edge."""
    image = off.reshape(size)
    height, width = size
    inner, outer = slice(edge, -edge), np.r_[0:edge, -edge:0]
    parts = (
        image,
        image[outer][:, inner],
        image[inner][:, outer],
        image[height // 4 : -(height // 4), width // 4 : -(width // 4)],
    )
    return tuple(round(100 * float(part.mean()), 2) for part in parts)
