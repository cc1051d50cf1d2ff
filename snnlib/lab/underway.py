"""A run under way: built or resumed, saved after each epoch, measured and recorded at its end."""

from __future__ import annotations

import datetime
import json
import platform
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .. import __version__, data, files, metrics
from ..arms import Arm
from ..networks import Network, count
from ..optional import unet
from ..peers import Peer
from ..switching.switched import Masked, Switched
from ..training import flow
from ..training.checks import TrainingError
from ..training.loops import State
from ..training.steps import imitates_bfloat16
from . import records, sealing
from .building import build_network, left_out, options_of, rival_of, wrap
from .devices import describe
from .measuring import measured, result

ANEW = "delete it, and the run begins anew"
"""What to do with an unfinished run that cannot be gone on with."""


class UnderWay:
    """The run of ``arm`` and ``seed`` whose record will stand at ``path``; goes on from its checkpoint if there is one.

    A run has one stage, or two: "dense", training without a switcher, then "switcher", or "pruned". ``state`` is where
    its present stage stands, ``before`` the history of the stage that is over. ``kept_by`` are the factors of the run
    that a pruned arm follows.
    """

    def __init__(
        self,
        arm: Arm,
        profile: str,
        seed: int,
        path: Path,
        device: torch.device,
        dataset: data.Dataset,
        kept_by: list[list[float]] | None = None,
    ) -> None:
        self.arm, self.profile, self.seed, self.path, self.device, self.dataset = (
            arm,
            profile,
            seed,
            path,
            device,
            dataset,
        )
        self._spent = 0.0
        self.begin()
        self.stages = ["dense"] if arm.method == "dense" or arm.dense_epochs else []
        self.stages += ["switcher"] if arm.switcher else ["pruned"] if arm.pruning else []
        self.stages += ["rival"] if arm.rival else []
        self._kept_by = kept_by or []
        self.stage, self.state, self.before = self.stages[0], State(), []
        self.network: Network = build_network(arm, seed, device, dataset.image, len(dataset.classes))
        self.model: Switched | Masked | Peer | None = None
        tensors = self._checkpoint()
        if self.stage != "dense":
            self._wrap()
        if tensors is not None:
            try:
                self.trained.load_state_dict(tensors)
            except RuntimeError as error:
                held = records.checkpoint_path(path)
                raise files.FileError(f"{held} does not fit the network as it is now ({error}); {ANEW}.") from error

    def _checkpoint(self) -> dict[str, Tensor] | None:
        """Take up the run where its checkpoint stands and return its weights; None without one of these settings."""
        path = records.checkpoint_path(self.path)
        if not path.exists():
            return None
        tensors, metadata = files.load_tensors(path, ANEW)
        options = options_of(self.arm)
        if metadata["settings_hash"] != self.arm.settings_hash() or metadata.get("options", options) != options:
            return None  # the settings changed since, or what a rival's code has for them: start anew
        self.stage, self.before, self._spent = metadata["stage"], metadata["before"], metadata["seconds"]
        velocity = {
            name.removeprefix("velocity."): tensors.pop(name) for name in list(tensors) if name.startswith("velocity.")
        }
        self.state = State(
            metadata["epoch"], metadata["history"], velocity, metadata.get("marks", {}), self.first_epoch
        )
        return tensors

    @property
    def trained(self) -> Switched | Masked | Peer | Network:
        """What is trained and saved: the network, with its switchers once they are there."""
        return self.model or self.network

    @property
    def method(self) -> str:
        """How the present stage trains: "dense", "alternating", "separate", "pruned" or "rival"."""
        return "dense" if self.stage == "dense" else self.arm.method

    @property
    def epochs(self) -> int:
        """Epochs of the present stage."""
        return self.arm.train.epochs if self.last else self.arm.dense_epochs

    @property
    def last(self) -> bool:
        """Whether the present stage is the last one."""
        return self.stage == self.stages[-1]

    @property
    def first_epoch(self) -> int:
        """Which order of images the present stage begins with: it goes on where the stage before it ended."""
        return len(self.before) if self.arm.continued else 0

    @property
    def done(self) -> tuple[int, int]:
        """Epochs done, and epochs in all."""
        return len(self.before) + self.state.epoch, self.arm.train.epochs + self.arm.dense_epochs

    def _wrap(self) -> None:
        if self.stage == "switcher":
            self.model = wrap(self.arm, self.network, self.seed).to(self.device)
        elif self.stage == "rival":
            self.model = rival_of(self.arm, self.network, self.seed, len(self.dataset.x_train))
        else:
            self.model = left_out(self.arm, self.network, self.seed, self._kept_by).to(self.device)

    def next_stage(self) -> None:
        """Begin the second stage: the network as it is, with its switcher or with neurons left out."""
        self.stage, self.before = self.stages[-1], self.state.history
        self.state = State(first=self.first_epoch)
        self._wrap()

    def begin(self, share: int = 1) -> None:
        """Count the time from now on: a part of it in so many where ``share`` runs train together."""
        self._started = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        self._clock, self._share = time.monotonic(), share

    def save(self, state: State) -> None:
        """Write the checkpoint after an epoch of the present stage."""
        self.state = state
        extra = {
            "settings_hash": self.arm.settings_hash(),
            "stage": self.stage,
            "before": self.before,
            "epoch": state.epoch,
            "history": state.history,
            "marks": state.marks,
            "options": options_of(self.arm),
        }
        tensors = self.trained.state_dict() | {f"velocity.{key}": buffer for key, buffer in state.velocity.items()}
        files.save_tensors(records.checkpoint_path(self.path), tensors, extra | {"seconds": self._seconds()})

    def _seconds(self) -> float:
        return self._spent + (time.monotonic() - self._clock) / self._share

    def _removed_before(self) -> dict[str, float]:
        """Share of weights removed before the first step, and after the switcher's first turn, in percent."""
        full = list(self.network.gate_widths())
        found: dict[str, float] = {}
        for mark, text in self.state.marks.items():
            kept = [int((~off).sum()) for off in flow.decode(text, full)]
            found[f"{mark.replace(' ', '_')}_removed_pct"] = metrics.removed_pct(
                full, kept, **count.shape(self.network)
            )
        return found

    def _off(self) -> dict[str, Any] | None:
        """Which neurons were off, and when: the start, the switcher's first turn, then each epoch with a switcher."""
        if not isinstance(self.model, Switched) or "start" not in self.state.marks:
            return None
        marks, rows = self.state.marks, [row["off"] for row in self.state.history]
        times = [*marks, *(f"epoch {len(self.before) + index}" for index in range(len(rows)))]
        return {"times": times, "widths": list(self.network.gate_widths()), "bits": flow.pack([*marks.values(), *rows])}

    def finish(self, problem: TrainingError | None = None) -> records.Record:
        """Write and return the record, of a failed run if ``problem`` says why; the checkpoint goes."""
        error = None
        if problem is not None:
            place = {key: getattr(problem, key) for key in ("epoch", "step", "phase", "layer")}
            error = {"type": type(problem).__name__, "message": str(problem), **place}
        rows = self.before + self.state.history
        history = [
            {key: value for key, value in row.items() if key != "off"} | {"epoch": index}
            for index, row in enumerate(rows)
        ]
        images = {
            "train": len(self.dataset.x_train),
            "evaluated": len(self.dataset.x_test),
            "shape": list(self.dataset.image),
        }
        images |= {"classes": len(self.dataset.classes), "checksum": self.dataset.checksum()}
        record: records.Record = {
            "version": sealing.VERSION,
            "status": "failed" if error else "finished",
            "error": error,
            "profile": self.profile,
            "arm": self.arm.name,
            "title": self.arm.title,
            "seed": self.seed,
            "settings_hash": self.arm.settings_hash(),
            "settings": self.arm.settings(),
            "started": self._started,
            "seconds": round(self._seconds(), 2),
            "device": describe(self.device),
            "versions": {
                "python": platform.python_version(),
                "torch": torch.__version__,
                "numpy": np.__version__,
                "snnlib": __version__,
            },
            "code": {
                "fused_encoder": self.device.type == "cpu"
                and unet is not None
                and unet.library(torch.float32) is not None,
                **({"options": options_of(self.arm)} if self.arm.rival else {}),  # the hash has those that are given
                **({"bfloat16": "imitated"} if self._imitated else {}),
            },
            "images": images,
            "result": None if error else self._measured(history),
            "history": history,
            "off": self._off(),
        }
        if not error:
            metadata = {"settings_hash": self.arm.settings_hash(), "seed": self.seed}
            files.save_tensors(records.weights_path(self.path), self.trained.state_dict(), metadata)
        records.write(self.path, json.loads(json.dumps(record)))
        records.checkpoint_path(self.path).unlink(missing_ok=True)
        return record

    @property
    def _imitated(self) -> bool:
        return self.arm.train.precision == "bfloat16" and imitates_bfloat16(self.device)

    def _measured(self, history: list[dict[str, Any]]) -> dict[str, Any]:
        """The result of the finished run."""
        if not isinstance(self.model, Peer):
            return result(self.network, self.model, history) | self._removed_before()
        return measured(self.model, self.dataset, self.arm, self.seed, history)
