"""Runs chapters through papermill into runs/chapters/PROFILE/, never into a pair, and skips what is finished.

A chapter is finished when its executed copy stands under its final name: it gets that name only after its last
cell, together with a digest of all it was made from (cells, parameters, records, library).
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import nbformat
import papermill
from papermill.exceptions import PapermillExecutionError
from traitlets.config import Config

from . import ROOT
from .pairs import BookError, from_text, read_notebook, write_notebook

EXECUTED = ROOT / "runs" / "chapters"
ENCRYPTED = Config({"KernelManager": {"transport_encryption": "auto"}})
"""A kernel talks to papermill over local sockets; encrypted where it can be, or each kernel warns."""


def digest(text: Path, parameters: dict, records: Path) -> str:
    """SHA-256 of all that decides a chapter's outputs: its cells, the parameters, the records, the library."""
    total = hashlib.sha256(json.dumps(parameters, sort_keys=True).encode())
    for cell in from_text(text).cells:
        total.update(json.dumps([cell.cell_type, cell.source]).encode())
    for path in (
        *sorted(records.rglob("*.json")),
        *sorted((ROOT / "snnlib").rglob("*.py")),
        *sorted((ROOT / "snnlib").rglob("*.csv")),
        *sorted((ROOT / "data" / "search").glob("*.csv.gz")),
    ):
        total.update(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}".encode())
    return total.hexdigest()


def finished(executed: Path, expected: str) -> bool:
    """Whether ``executed`` stands there, whole, and was made from what ``expected`` is the digest of."""
    try:
        return executed.exists() and read_notebook(executed).metadata.get("made_from") == expected
    except BookError:
        return False


def run(
    text: Path, profile: str, records: str, folder: Path | None = None, progress: bool = False
) -> tuple[Path, bool]:
    """Execute the chapter ``text`` with papermill; returns the executed copy and whether it had to be run.

    ``records`` is relative to the project's root or absolute. Raises :class:`BookError` where a cell fails; the
    notebook with the failing cell is kept beside the finished ones as NN_name.failed.ipynb.
    """
    folder = folder or EXECUTED / profile
    final, failed, part, source = (
        folder / name
        for name in (
            f"{text.stem}.ipynb",
            f"{text.stem}.failed.ipynb",
            f".{text.stem}.part.ipynb",
            f".{text.stem}.source.ipynb",
        )
    )
    parameters = {"profile": profile, "records": records}
    expected = digest(text, parameters, ROOT / records)
    if finished(final, expected):
        return final, False
    write_notebook(from_text(text), source)
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"  # the kernel of this environment, not one of the user's
    try:
        papermill.execute_notebook(
            str(source),
            str(part),
            parameters=parameters,
            cwd=str(ROOT),
            kernel_name="python3",
            extra_arguments=["--log-level=50"],  # at its end a kernel may be interrupted, which it calls an error
            progress_bar=progress,
            config=ENCRYPTED,
        )
    except PapermillExecutionError as error:
        part.replace(failed)
        raise BookError(
            f"{text.name} failed in cell {error.cell_index} ({error.ename}: {error.evalue}); see {failed}"
        ) from error
    finally:
        source.unlink(missing_ok=True)
    executed = read_notebook(part)
    executed.metadata = nbformat.from_dict({**from_text(text).metadata, "made_from": expected})
    for cell in executed.cells:
        cell.metadata = nbformat.from_dict(
            {key: value for key, value in cell.metadata.items() if key not in ("papermill", "execution")}
        )
    write_notebook(executed, final)
    part.unlink(missing_ok=True)
    failed.unlink(missing_ok=True)
    return final, True
