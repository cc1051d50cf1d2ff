"""Files that appear whole or not at all, and tensors with JSON beside them; nothing is ever pickled."""

from __future__ import annotations

import base64
import errno
import json
import os
import tempfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

VERSION = 1
"""Version of the record and checkpoint format."""


class FileError(Exception):
    """A file of ours cannot be read or written; the message names the file and the remedy."""


def of_version(version: object, known: int) -> str:
    """What is wrong with a file of ``version`` where this library reads ``known``, and what a newer one asks for."""
    newer = isinstance(version, int) and version > known
    return f"is of version {version}, this library reads version {known}" + (": update snnlib" if newer else "")


def write_bytes(path: Path, content: bytes) -> None:
    """Write ``path`` whole or not at all: a full disk or a kill leaves the old file as it was."""
    part = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(part, 0o644)
        os.replace(part, path)
    except OSError as error:
        if part is not None and os.path.exists(part):
            os.unlink(part)
        raise FileError(
            f"{path} could not be written ({error.strerror}); what stood there before is unchanged. "
            + ("Free some space, or name another place." if error.errno == errno.ENOSPC else "Name another place.")
        ) from error


def to_text(data: bytes) -> str:
    """``data`` compressed, as text that JSON can hold."""
    return base64.b64encode(zlib.compress(data, 9)).decode()


def from_text(text: str) -> bytes:
    """What :func:`to_text` made text of. Raises ``ValueError`` or ``zlib.error`` for other text."""
    return zlib.decompress(base64.b64decode(text, validate=True))


def save_tensors(path: Path, tensors: dict[str, Tensor], metadata: dict[str, Any]) -> None:
    """Write tensors and JSON ``metadata`` as one safetensors file, whole or not at all."""
    from safetensors.torch import save  # here, not above: it imports torch, which reading a record does not need

    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    write_bytes(path, save(plain, {"snnlib": json.dumps({"version": VERSION, **metadata})}))


def load_tensors(path: Path, remedy: str = "name another file") -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read what :func:`save_tensors` wrote.

    Raises :class:`FileError`, with the caller's ``remedy``, where the file is missing, cut off, of another version, not
    ours, or no safetensors file (a pickled checkpoint, say, which is never loaded).
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            metadata = json.loads((file.metadata() or {}).get("snnlib", "{}"))
            version = metadata.get("version")
            if version is None:
                raise FileError(f"{path} was not written by this library; {remedy}.")
            if version != VERSION:
                raise FileError(f"{path} {of_version(version, VERSION)}, or {remedy}.")
            return {name: file.get_tensor(name) for name in file.keys()}, metadata  # noqa: SIM118
    except FileNotFoundError as error:
        raise FileError(f"{path}: there is no such file.") from error
    except (SafetensorError, ValueError, OSError) as error:
        start = path.read_bytes()[:2] if path.is_file() else b""
        kind = (
            "holds pickled objects, which are never loaded"
            if start in (b"PK", b"\x80\x02", b"\x80\x04")
            else "is cut off or no safetensors file"
        )
        raise FileError(f"{path} {kind} ({error}); {remedy}.") from error
