"""A record as text, sealed by a checksum of its own content, and held against itself when it is read.

The factors of a run, five digits each, are compressed text; the history is written column by column.
"""

from __future__ import annotations

import hashlib
import json
import math
import zlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from ..arms import hash_of
from ..files import from_text, of_version, to_text

VERSION = 2
"""Version of the form of records."""

NUMBER = (int, float)

KINDS: dict[str, type | tuple[type, ...]] = {
    "status": str,
    "error": (dict, type(None)),
    "profile": str,
    "arm": str,
    "seed": int,
    "settings_hash": str,
    "settings": dict,
    "seconds": NUMBER,
    "device": str,
    "versions": dict,
    "images": dict,
    "result": (dict, type(None)),
    "history": list,
}
"""Keys without which a record is no record, and what stands there."""

MEASURED: dict[str, type | tuple[type, ...]] = {
    "accuracy": NUMBER,
    "best_accuracy": NUMBER,
    "best_epoch": int,
    "full_widths": list,
    "widths": list,
    "effective_widths": list,
    "removed_pct": NUMBER,
    "effective_pct": NUMBER,
    "macs_full": int,
    "macs": int,
    "shape": dict,
    "gates": (list, type(None)),
}
"""What the result of a finished run holds."""


class Altered(ValueError):
    """The content of a record is not what its checksum, or the rest of it, says."""


def encode(record: Mapping[str, Any]) -> bytes:
    """The record as JSON, a line a key, with the checksum of its content."""
    content = {key: value for key, value in record.items() if key != "checksum"}
    if content["result"] and content["result"].get("gates"):
        content["result"] = content["result"] | {"gates": _pack(content["result"]["gates"])}
    content["history"] = _columns(content["history"])
    sealed = {"version": content.pop("version"), "checksum": "", **content}
    sealed["checksum"] = checksum(sealed)
    lines = (f" {json.dumps(key)}: {json.dumps(value, separators=(',', ':'))}" for key, value in sealed.items())
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


def decode(content: bytes) -> dict[str, Any]:
    """The record that :func:`encode` wrote, without its checksum.

    Raises :class:`Altered` where the content does not agree with its checksum or with itself, and ``ValueError`` for
    what is no JSON or of another version.
    """
    sealed = json.loads(content)
    version = sealed.get("version") if isinstance(sealed, dict) else None
    if version != VERSION:
        raise ValueError(of_version(version, VERSION))
    if missing := set(KINDS) - set(sealed):
        raise ValueError(f"lacks {', '.join(sorted(missing))}")
    if sealed.get("checksum") != checksum(sealed):
        raise Altered("its content is not what its checksum says: it was changed after the run wrote it")
    record = {key: value for key, value in sealed.items() if key != "checksum"}
    try:
        if record["result"] and isinstance(record["result"].get("gates"), dict):
            record["result"]["gates"] = _unpack(record["result"]["gates"])
        record["history"] = _rows(record["history"])
        problem = next(contradictions(record), "")
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, OverflowError, zlib.error) as error:
        problem = f"a part of it is of another form ({error})"
    if problem:
        raise Altered(problem)
    return record


def checksum(sealed: Mapping[str, Any]) -> str:
    """SHA-256 of all but the checksum itself, whatever the order of keys and the space between them."""
    content = {key: value for key, value in sealed.items() if key != "checksum"}
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _pack(gates: Sequence[Sequence[float]]) -> dict[str, Any]:
    """Factors as text with five digits, compressed; zlib alone is no smaller for float32, whose last bits are noise."""
    text = " ".join(f"{factor:.5g}" for gate in gates for factor in gate)
    return {"widths": [len(gate) for gate in gates], "text": to_text(text.encode())}


def _unpack(packed: Mapping[str, Any]) -> list[list[float]]:
    factors, ends = [float(word) for word in from_text(packed["text"]).decode().split()], [0]
    for width in packed["widths"]:
        ends.append(ends[-1] + width)
    if ends[-1] != len(factors):
        raise ValueError(f"{len(factors)} factors for {ends[-1]} neurons")
    return [factors[start:end] for start, end in pairwise(ends)]


def _columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Each key of the rows once, with its values in order; None where a row lacks it."""
    return {key: [row.get(key) for row in rows] for key in dict.fromkeys(key for row in rows for key in row)}


def _rows(columns: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    count = len(next(iter(columns.values()), ()))
    if any(len(values) != count for values in columns.values()):
        raise ValueError("columns of the history are of unequal length")
    return [
        {key: values[index] for key, values in columns.items() if values[index] is not None} for index in range(count)
    ]


def contradictions(record: Mapping[str, Any]) -> Iterator[str]:
    """What does not agree in a record: with its settings' hash, its history, its factors."""
    yield from _of_other_kind(record, KINDS)
    if hash_of(record["settings"]) != record["settings_hash"]:
        yield "its settings are not those of its hash"
    if record["status"] not in ("finished", "failed"):
        yield f"its status is {record['status']!r}, not finished or failed"
    if not 0 <= record["seconds"] < math.inf:
        yield f"it took {record['seconds']} seconds"
    if not all(isinstance(text, str) for text in (record["versions"]["torch"], record.get("title", ""))):
        yield "its title or its version of torch is no text"
    for count in (record["images"].get("classes", 10), *record["images"].get("shape", (1, 28, 28))):
        if type(count) is not int or count < 1 or len(record["images"].get("shape", "123")) != 3:
            yield f"its images are no images: {record['images']}"
    yield from _of_history(record)
    if off := record.get("off"):
        length = len(from_text(off["bits"]))
        if not all(isinstance(time, str) for time in off["times"]) or length != len(off["times"]) * -(
            -sum(off["widths"]) // 8
        ):
            yield "the neurons that were off are not those of its widths and epochs"
    if record["status"] == "failed":
        if record["result"] is not None or not isinstance((record["error"] or {}).get("message"), str):
            yield "it failed, but has a result, or no message that says why"
    elif record["error"] is not None or record["result"] is None:
        yield "it finished, but has an error, or no result"
    else:
        yield from _of_result(record, record["result"])


def _of_other_kind(values: Mapping[str, Any], kinds: Mapping[str, type | tuple[type, ...]]) -> Iterator[str]:
    for key, kind in kinds.items():
        if not isinstance(values[key], kind) or isinstance(values[key], bool):
            yield f"{key} is {type(values[key]).__name__}"


def _of_history(record: Mapping[str, Any]) -> Iterator[str]:
    rows, train = record["history"], record["settings"]["train"]
    epochs = train["epochs"] + record["settings"]["dense_epochs"]
    if len(rows) > epochs or (record["status"] == "finished" and len(rows) != epochs):
        yield f"its history has {len(rows)} epochs, its settings {epochs}"
    for index, row in enumerate(rows):
        if row["epoch"] != index or not 0 <= row["accuracy"] <= 1 or not isinstance(row["seconds"], NUMBER):
            yield f"epoch {index} of its history is no epoch: {row}"
        if not isinstance(row.get("loss", 0.0), NUMBER):
            yield f"epoch {index} of its history has the loss {row['loss']!r}"
        counts = [row[key] for key in ("pruned", "weakened", "strengthened") if key in row]
        if any(count < 0 for each in counts for count in each) or len({len(each) for each in counts}) > 1:
            yield f"epoch {index} of its history counts {counts}"


def _of_rival(found: Mapping[str, Any]) -> Iterator[str]:
    """What a rival's run left, beside what every run says."""
    if found["kind"] not in ("neurons", "weights", "images") or type(found["weights"]) is not int:
        yield f"it pruned {found['kind']} of {found['weights']} weights"
    if not 0 <= found.get("uncut_accuracy", 0.0) <= 100:
        yield f"uncut_accuracy {found['uncut_accuracy']}"
    if not 0 <= found["left_pct"] <= 100:
        yield f"{found['left_pct']} % of its weights are left"
    if not 0 <= found["macs_left"] <= found["macs_full"]:
        yield f"{found['macs_left']} of {found['macs_full']} multiplications are left"


def _of_result(record: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[str]:
    from .. import metrics  # here, not above: it imports numpy, which the command line's help does not need

    yield from _of_other_kind(found, MEASURED)
    if record["settings"]["method"] == "alternating" and "start_removed_pct" not in found:
        yield "it does not say what was removed at the start"
    if record["settings"].get("rival"):
        yield from _of_rival(found)
    for key in ("start_removed_pct", "first_turn_removed_pct"):
        if not 0 <= found.get(key, 0.0) <= 100:
            yield f"{key} {found[key]}"
    rows, full, kept, effective = (
        record["history"], found["full_widths"], found["widths"], found["effective_widths"]
    )  # fmt: skip
    best = max(rows, key=lambda row: row["accuracy"])
    for key, row in (("accuracy", rows[-1]), ("best_accuracy", best)):
        if found[key] != round(100 * row["accuracy"], 4):
            yield f"{key} {found[key]} is not the one of its history, {100 * row['accuracy']:.2f}"
    if found["best_epoch"] != best["epoch"]:
        yield f"best_epoch {found['best_epoch']} is not the one of its history, {best['epoch']}"
    if not len(full) == len(kept) == len(effective) or any(
        not 0 <= few <= some <= all_ for few, some, all_ in zip(effective, kept, full)
    ):
        yield f"widths {kept} and {effective} of {full} neurons"
    gates = found["gates"]
    if kept != (full if gates is None else metrics.kept_widths(gates)):
        yield f"widths {kept} are not those of its factors"
    if gates is not None and full != [len(gate) for gate in gates]:
        yield f"widths {full} are not those of its factors"
    if record["settings"]["network"] == "mlp" and full[0] != math.prod(record["images"].get("shape", (1, 28, 28))):
        yield f"widths {full} are not those of its images"
    if "pruned" in rows[-1] and [a + b for a, b in zip(kept, rows[-1]["pruned"])] != full:
        yield f"widths {kept} are not those of its history"
    for key, widths in (("removed_pct", kept), ("effective_pct", effective)):
        if not math.isclose(found[key], metrics.removed_pct(full, widths, **found["shape"]), abs_tol=1e-9):
            yield f"{key} {found[key]} is not that of its widths {widths}"
    if not 0 <= found["macs"] <= found["macs_full"]:
        yield f"{found['macs']} of {found['macs_full']} multiplications"
