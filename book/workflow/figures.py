"""The figures of executed chapters as files: each chapter draws its own, from records, and none is drawn elsewhere."""

from __future__ import annotations

import base64
from pathlib import Path

from . import ROOT
from .pairs import read_notebook

FIGURES = ROOT / "runs" / "figures"
SUFFIXES = {"image/svg+xml": ".svg", "image/png": ".png"}
"""What a figure may be; of several forms of one figure, the first of these is taken."""


def write(executed: Path, folder: Path) -> list[Path]:
    """Write the figures of the notebooks in ``executed`` into ``folder`` as CHAPTER-N.png or .svg, N from 1; what lay
    there of figures before goes. Returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        if old.suffix in SUFFIXES.values():
            old.unlink()
    written = []
    for notebook in sorted(executed.glob("[0-9][0-9]_*.ipynb")):
        if "." in notebook.stem:
            continue  # NN_name.failed.ipynb
        number = 0
        for cell in read_notebook(notebook).cells:
            for output in cell.get("outputs", ()):
                data = output.get("data", {})
                kind = next((each for each in SUFFIXES if each in data), None)
                if kind is None:
                    continue
                number += 1
                path = folder / f"{notebook.stem}-{number}{SUFFIXES[kind]}"
                text = data[kind] if isinstance(data[kind], str) else "".join(data[kind])
                path.write_bytes(base64.b64decode(text) if kind == "image/png" else text.encode())
                written.append(path)
    return written
