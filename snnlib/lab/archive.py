"""Records as one file: packed where they were made, unpacked where they are kept."""

from __future__ import annotations

import gzip
import io
import re
import tarfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from ..files import FileError, write_bytes
from . import records

NAME = re.compile(r"[\w.-]+/[\w.-]+/[\w.-]+/seed-\d+(\.part)?\.(json|safetensors)")
"""PROFILE/DATASET-NETWORK/ARM/seed-N: nothing else is packed, and nothing else unpacked."""


def pack(
    target: Path, root: Path, profiles: Iterable[str] = (), weights: bool = False, checkpoints: bool = False
) -> list[str]:
    """Write the records below ``root`` into the .tar.gz file ``target``, whole or not at all; returns their names.

    Records alone, unless ``weights`` or ``checkpoints`` (of runs that are under way) are asked for; all profiles,
    unless some are named. The same records give the same bytes. Raises ``FileError`` where the file cannot be written.
    """
    wanted = [".json"] + [".safetensors"] * (weights or checkpoints)
    names = sorted(
        name
        for path in Path(root).glob("*/*/*/seed-*")
        if path.suffix in wanted
        and NAME.fullmatch(name := path.relative_to(root).as_posix())
        and (not profiles or name.split("/")[0] in profiles)
        and (path.suffix == ".json" or (checkpoints if name.endswith(".part.safetensors") else weights))
    )
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:") as archive:
        for name in names:
            try:
                data = Path(root, name).read_bytes()
            except FileNotFoundError:
                continue  # a checkpoint whose run ended meanwhile
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    write_bytes(Path(target), gzip.compress(content.getvalue(), mtime=0))
    return names


@dataclass
class Unpacked:
    """What became of each file of an archive, by name."""

    new: list[str] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)  # another record, finished, stands there


def unpack(source: Path, root: Path, force: bool = False) -> Unpacked:
    """Put the files of an archive that :func:`pack` wrote below ``root``.

    A finished record that stands there is kept, with its weights, where the archive has another one, unless ``force``.
    Everything is read and checked before anything is written. Raises ``FileError`` where the archive is missing,
    damaged, or holds what is no record.
    """
    files, found = _read(Path(source)), Unpacked()
    kept: set[str] = set()
    for name, data in files.items():
        here = Path(root, name)
        run = name.split("/seed-")[0] + "/seed-" + name.split("/seed-")[1].split(".")[0]
        if here.exists() and here.read_bytes() == data:
            found.same.append(name)
        elif run in kept or (not force and here.exists() and _finished(Path(root, f"{run}.json"))):
            kept.add(run)
            found.refused.append(name)
        else:
            (found.replaced if here.exists() else found.new).append(name)
    for name in (*found.new, *found.replaced):
        write_bytes(Path(root, name), files[name])
    return found


def _finished(path: Path) -> bool:
    """Whether a finished record stands at ``path``."""
    try:
        return records.read(path)["status"] == "finished"
    except FileError:
        return False


def _read(source: Path) -> dict[str, bytes]:
    """The files of an archive, records before weights; each record is checked."""
    try:
        content = gzip.decompress(source.read_bytes())  # as a whole: tarfile stops before the checksum at the end
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
            members = archive.getmembers()
            strange = next(
                (
                    member.name
                    for member in members
                    if not (member.isreg() and NAME.fullmatch(member.name) and ".." not in member.name)
                ),
                None,
            )
            if strange is not None:
                raise FileError(f"{source} holds {strange!r}, which is no record. Nothing was unpacked.")
            opened = {member.name: archive.extractfile(member) for member in members}
            files = {name: file.read() for name, file in opened.items() if file is not None}  # all are regular files
    except FileNotFoundError as error:
        raise FileError(f"{source}: there is no such file.") from error
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise FileError(
            f"{source} is damaged or no .tar.gz file ({error}). Nothing was unpacked. Fetch it again."
        ) from error
    for name, data in files.items():
        if name.endswith(".json"):
            try:
                records.parse(data, name)
            except FileError as error:
                raise FileError(f"{source}: {error} Nothing was unpacked.") from error
    return dict(sorted(files.items(), key=lambda item: (not item[0].endswith(".json"), item[0])))
