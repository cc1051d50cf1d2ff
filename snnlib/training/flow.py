"""Which neurons are switched off, epoch by epoch: written as text into a run's history, read back as arrays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..files import from_text, to_text


@torch.no_grad()
def encode(gates: Sequence[Tensor]) -> str:
    """Which factors are 0, all layers in a row: one bit a neuron, as hexadecimal text."""
    off = torch.cat([gate.detach().flatten() for gate in gates]) == 0
    return np.packbits(off.cpu().numpy()).tobytes().hex()


def decode(text: str, widths: Sequence[int]) -> list[NDArray[np.bool_]]:
    """One boolean vector (width,) a layer from what :func:`encode` wrote, True where a neuron is off.

    Raises ``ValueError`` where the text is not of so many neurons.
    """
    bits, neurons = np.unpackbits(np.frombuffer(bytes.fromhex(text), np.uint8)), sum(widths)
    if not neurons <= len(bits) < neurons + 8:
        raise ValueError(f"{len(bits)} bits cannot be the {neurons} neurons of layers of widths {tuple(widths)}")
    return np.split(bits[:neurons].astype(bool), np.cumsum(widths)[:-1])


def pack(texts: Sequence[str]) -> str:
    """Several texts of :func:`encode` as one short text: of each what changed since the one before, compressed."""
    rows = [np.frombuffer(bytes.fromhex(text), np.uint8) for text in texts]
    changes = [now ^ before for now, before in zip(rows, [np.zeros_like(row) for row in rows[:1]] + rows)]
    return to_text(b"".join(change.tobytes() for change in changes))


def unpack(text: str, count: int) -> list[str]:
    """The ``count`` texts that :func:`pack` joined."""
    changes = np.frombuffer(from_text(text), np.uint8).reshape(count, -1)
    return [row.tobytes().hex() for row in np.bitwise_xor.accumulate(changes, axis=0)]


def of_record(record: Mapping[str, Any]) -> dict[str, list[NDArray[np.bool_]]]:
    """Which neurons of a run were off: time ("start", "first turn", "epoch 0", ...) to one boolean vector a layer.

    Raises ``ValueError`` for a run that did not note it: a dense one, or one made before version 0.2.
    """
    kept = record.get("off")
    if not kept:
        raise ValueError(
            f"the run of {record.get('arm')!r}, seed {record.get('seed')}, did not note which neurons were off: "
            "choose a run with a switcher, or train it again with --force"
        )
    return {
        time: decode(text, kept["widths"])
        for time, text in zip(kept["times"], unpack(kept["bits"], len(kept["times"])))
    }


def fates(off: Mapping[str, list[NDArray[np.bool_]]]) -> dict[str, NDArray[np.int_]]:
    """Counts (times, layers) of neurons by what has become of them, at the start and after each epoch.

    Of those that are off at a time: "off from the start" have been off at every look until then, "in the first turn"
    since the switcher's first turn, "later" since a later look; of those that are on: "revived" were off once, "never
    off" were not.
    """
    epochs = [time for time in off if time.startswith("epoch")]
    looks = [off["start"], *(off[time] for time in epochs)]
    first = off.get("first turn", off["start"])
    found: dict[str, list[list[int]]] = {
        name: [] for name in ("off from the start", "in the first turn", "later", "revived", "never off")
    }
    for now in range(len(looks)):
        rows: dict[str, list[int]] = {name: [] for name in found}
        for layer in range(len(first)):
            past = np.array([look[layer] for look in looks[: now + 1]])
            present, started, turned = past[-1], past[0], first[layer] if now else past[0]
            seen = past[1:] if now else past[:1]  # looks after the first turn
            always = present & started & turned & seen.all(0)
            since_turn = present & ~always & turned & seen.all(0)
            ever = past.any(0) | (turned if now else started)
            rows["off from the start"].append(int(always.sum()))
            rows["in the first turn"].append(int(since_turn.sum()))
            rows["later"].append(int((present & ~always & ~since_turn).sum()))
            rows["revived"].append(int((~present & ever).sum()))
            rows["never off"].append(int((~present & ~ever).sum()))
        for name, counts in rows.items():
            found[name].append(counts)
    return {name: np.array(counts) for name, counts in found.items()}


@dataclass(frozen=True)
class Persistence:
    """How often neurons of each layer are off at the end, learnt from some runs of a setting to predict the others.

    Arrays (layers,): the share that is off at the end of those that were off after the switcher's first turn
    (``stay``), and of those that were on (``fall``); ``widths`` is the mean of the widths at the end.
    """

    stay: np.ndarray
    fall: np.ndarray
    widths: np.ndarray

    def foresee(self, record: Mapping[str, Any], time: str = "first turn") -> NDArray[np.float64]:
        """Widths (layers,) at the end of another run of the setting, from its neurons that were off at ``time``."""
        off = of_record(record)[time]
        return np.array(
            [
                (~layer).sum() * (1 - fall) + layer.sum() * (1 - stay)
                for layer, stay, fall in zip(off, self.stay, self.fall)
            ]
        )


def persistence(records: Iterable[Mapping[str, Any]], time: str = "first turn") -> Persistence:
    """What became of the neurons that were off at ``time``, and of the others, in these runs of one setting.

    Where a group is empty its share is that of the whole layer. Raises ``ValueError`` without runs, and for a run that
    noted no neurons.
    """
    looks = [(found[time], found[_last(found)]) for found in map(of_record, records)]
    if not looks:
        raise ValueError("no runs to learn from")
    rows: list[tuple[float, float, float]] = []
    for layer in range(len(looks[0][0])):
        before, after = (np.concatenate([look[when][layer] for look in looks]) for when in range(2))
        stay, fall = (after[group].mean() if group.any() else after.mean() for group in (before, ~before))
        rows.append((stay, fall, float(np.mean([(~look[1][layer]).sum() for look in looks]))))
    return Persistence(*(np.array(column) for column in zip(*rows)))


def _last(off: Mapping[str, list[NDArray[np.bool_]]]) -> str:
    """The name of the last look."""
    return list(off)[-1]


def final_widths(record: Mapping[str, Any]) -> NDArray[np.int_]:
    """Neurons that are on at the last look, in each layer (layers,)."""
    found = of_record(record)
    return np.array([(~layer).sum() for layer in found[_last(found)]])
