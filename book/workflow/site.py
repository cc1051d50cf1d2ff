"""Builds the HTML: of the book as it stands, or of a copy whose notebooks were executed with another profile."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from . import ROOT
from .finish import finish
from .pairs import BookError, notebook_of, texts

SITES = ROOT / "runs" / "book"
SOURCES = (
    "_config.yml",
    "_toc.yml",
    *(f"book/{name}.md" for name in ("intro", "architecture", "notation", "glossary", "settings", "reference")),
    "book/references.bib",
    "book/_static",
    "book/_templates",
    "book/chapters",
)


def build(source: Path, output: Path) -> Path:
    """Build the book in ``source`` below ``output``; returns the folder of the pages.

    Every warning is an error, references that lead nowhere included (-W -n); all of them are shown before it stops.
    """
    environment = {
        **os.environ,
        "PYTHONWARNINGS": "ignore",  # of the tools' own deprecations, not of the book
        "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))),  # for our extensions
    }
    command = [
        sys.executable,
        "-c",
        "import sys; from jupyter_book.cli.main import main; sys.exit(main())",
        "build",
        str(source),
        "--path-output",
        str(output),
        "-W",
        "-n",
        "--keep-going",
        "--quiet",
    ]
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    pages = output / "_build" / "html"
    if done.returncode or not (pages / "index.html").exists():
        raise BookError(f"The book could not be built:\n{done.stdout.strip()}")
    # Sphinx leaves these as they are where no page has changed
    shutil.copytree(source / "book" / "_static", pages / "_static", dirs_exist_ok=True)
    finish(pages)
    return pages


def stage(executed: Path, target: Path) -> Path:
    """Copy the book's sources to ``target``, each chapter as its executed copy in ``executed``; returns ``target``.

    Files that did not change keep their time, so that a second build only does what is new.
    """
    wanted = {}
    for name in SOURCES:
        top = ROOT / name
        for path in top.rglob("*") if top.is_dir() else [top]:
            if path.is_file() and (path.suffix != ".md" or path == top):  # a chapter's text stays behind
                wanted[path.relative_to(ROOT)] = path
    for text in texts():
        notebook = executed / notebook_of(text).name
        if not notebook.exists():
            raise BookError(f"{notebook} is missing: run the chapters first (`python -m book.workflow run`).")
        wanted[notebook_of(text).relative_to(ROOT)] = notebook
    for path in target.rglob("*") if target.exists() else []:
        if path.is_file() and "_build" not in path.relative_to(target).parts and path.relative_to(target) not in wanted:
            path.unlink()
    for name, path in wanted.items():
        copy = target / name
        if not copy.exists() or copy.read_bytes() != path.read_bytes():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
    return target
