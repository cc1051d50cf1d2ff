"""The records that the project has published, for a place without its repository: fetched at this version, and checked.

GitHub packs a repository anew whenever it is asked, so that such an archive has no checksum of its own. Its records
have one each, and all are compared with it before any is written.
"""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from importlib import metadata
from pathlib import Path

from .. import __version__
from ..files import FileError, write_bytes
from . import archive, records

WANTED = re.compile(rf"[^/]+/data/(?P<name>records/{archive.NAME.pattern}|search/[\w-]+\.csv\.gz)")
"""A record, or the trials of a search, in an archive of the repository: its files are all in one folder."""


def address() -> str:
    """Where the repository is to be had at this version, as one .tar.gz file.

    Raises ``FileError`` where snnlib is not installed, and so does not know its repository.
    """
    try:
        given = metadata.metadata("snnlib").get_all("Project-URL") or []
    except metadata.PackageNotFoundError:
        given = []
    named = dict(line.split(", ", 1) for line in given)
    if "Repository" not in named:
        raise FileError("snnlib is not installed here, and its repository not known: name an archive with --from.")
    return f"{named['Repository']}/archive/refs/tags/v{__version__}.tar.gz"


def fetch(source: str, root: Path, force: bool = False) -> archive.Unpacked:
    """Put the records of an archive of the repository below ``root``, and the trials of its searches beside it.

    ``source`` is an address or a file. A finished record that stands there is kept where the archive has another one,
    unless ``force``. Trials go only beside :func:`.records.default_root`, where they are looked for. Raises
    ``FileError`` where the archive cannot be had, is damaged or holds no records; then nothing is written.
    """
    files = archive.files_of(_read(source), source, WANTED, alone=False)
    found = {name.removeprefix("records/"): data for name, data in files.items() if name.startswith("records/")}
    if not found:
        raise FileError(f"{source} holds no records: it is no archive of this project's repository.")
    placed = archive.place(found, root, force)
    for name in set(files) - {f"records/{name}" for name in found} if root == records.default_root() else ():
        if force or not (root.parent / name).exists():
            write_bytes(root.parent / name, files[name])
    return placed


def _read(source: str) -> bytes:
    try:
        if "://" not in source:
            return Path(source).read_bytes()
        with urllib.request.urlopen(source, timeout=60) as answer:
            return answer.read()
    except urllib.error.HTTPError as error:
        newest = f"{source.partition('/archive/')[0]}/archive/refs/heads/main.tar.gz"
        raise FileError(
            f"{source} cannot be had ({error}). `snn fetch --from {newest}` takes the newest records instead."
        ) from error
    except (OSError, ValueError) as error:
        raise FileError(
            f"{source} cannot be had ({error}). Without a network, fetch it on a machine that has one, and name the "
            "file: `snn fetch --from FILE`."
        ) from error
