"""Records as one file: packed where they were made, unpacked where they are kept."""

from __future__ import annotations

import gzip
import io
import re
import tarfile
import zlib
from collections.abc import Iterable, Mapping
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
    try:
        content = Path(source).read_bytes()
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        raise FileError(f"{source}: {'there is no such file' if missing else error.strerror}.") from error
    return place(files_of(content, str(source), NAME), root, force)


def place(files: Mapping[str, bytes], root: Path, force: bool = False) -> Unpacked:
    """Put files, by their names below ``root``, where they belong; as :func:`unpack` does."""
    found = Unpacked()
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


def files_of(content: bytes, called: str, wanted: re.Pattern[str], alone: bool = True) -> dict[str, bytes]:
    """Files of the .tar.gz archive ``content``, which errors call ``called``; records before all others.

    ``wanted`` matches their names; its group ``name``, if it has one, is what they are called here. Other members are
    refused if the wanted ones must be ``alone``, else left out. Each record is checked. Raises ``FileError``.
    """
    try:
        whole = gzip.decompress(content)  # tarfile by itself stops before the checksum at the end
        with tarfile.open(fileobj=io.BytesIO(whole), mode="r:") as archive:
            files: dict[str, bytes] = {}
            for member in archive.getmembers():
                found = None if ".." in member.name else wanted.fullmatch(member.name)
                file = archive.extractfile(member) if found and member.isreg() else None
                if found and file:
                    files[found.groupdict().get("name", found[0])] = file.read()
                elif found or alone:
                    raise FileError(f"{called} holds {member.name!r}, which is no record. Nothing was unpacked.")
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise FileError(
            f"{called} is damaged or no .tar.gz file ({error}). Nothing was unpacked. Fetch it again."
        ) from error
    for name, data in files.items():
        if name.endswith(".json"):
            try:
                records.parse(data, name)
            except FileError as error:
                raise FileError(f"{called}: {error} Nothing was unpacked.") from error
    return dict(sorted(files.items(), key=lambda item: (not item[0].endswith(".json"), item[0])))
