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

from .. import __version__, data, files, metrics, peers
from ..compaction import compact
from ..config import Arm
from ..networks import NETWORKS, DeepNet, Network, count
from ..networks.initial import start_linear
from ..networks.specs import builder, is_perceptron
from ..optional import unet
from ..peers import Peer
from ..seeds import generator
from ..switching.switched import Masked, Switched
from ..training import flow
from ..training.batches import Batches
from ..training.loops import State, TrainingError
from . import records, sealing
from .devices import describe
from .names import check_name


def build_network(
    arm: Arm, seed: int, device: torch.device, image: tuple[int, int, int] = (1, 28, 28), classes: int = 10
) -> Network:
    """The arm's task network as the seed initialises it: the same for every arm of that seed.

    A pruned arm without dense training before starts from other numbers: those of the run that it follows would be the
    ones its neurons were chosen with. ``image`` is (channels, height, width), ``classes`` how many kinds there are.
    """
    if not is_perceptron(arm.network):
        check_name("network", arm.network, NETWORKS)
    draw = generator(seed, "scratch" if arm.pruning and not arm.dense_epochs else "network")
    network = builder(arm.network)(image, classes, fc_std=arm.train.fc_std, generator=draw)
    if arm.train.fc_init != "normal":
        start_linear(network, arm.train.fc_init, draw)
    if arm.train.nudge:
        _nudge(network, arm.train.nudge)
    return network.to(device)


NUDGE = 1e-6
"""How far a control moves one weight: about the size of a rounding error in float32."""


@torch.no_grad()
def _nudge(network: Network, which: int) -> None:
    """Move one weight of the first FC layer: the first one for ``which`` 1, the 1009th from there for 2, and so on."""
    weight = network.linear_weights()[0]
    weight.t().reshape(-1)[1009 * (which - 1) % weight.numel()] += NUDGE


def wrap(arm: Arm, network: Network, seed: int) -> Switched:
    """The network with the arm's switcher, calibrated on the network's present weights."""
    assert arm.switcher is not None
    # drawn on the CPU, so that every device starts from the same numbers
    return Switched.around(
        network.cpu(), arm.switcher, generator(seed, "switcher"), through_switcher=arm.train.through_switcher
    )


@torch.no_grad()
def left_out(arm: Arm, network: Network, seed: int, kept_by: list[list[float]]) -> Masked:
    """``network`` with neurons left out as ``arm.pruning`` says; ``kept_by``: the factors of the run it follows."""
    assert arm.pruning is not None
    keep, criterion = [torch.tensor(gate) > 0 for gate in kept_by], arm.pruning.criterion
    draw = generator(seed, "pruning")
    for index, (kept, weight) in enumerate(zip(list(keep), network.linear_weights())):
        if criterion == "same":
            continue
        score = torch.rand(len(kept), generator=draw) if criterion == "random" else weight.cpu().norm(dim=1)
        keep[index] = torch.zeros_like(kept).index_fill(0, score.topk(int(kept.sum())).indices, True)
    return Masked(network, keep)


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
        self._started, self._clock, self._spent = (
            datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            time.monotonic(),
            0.0,
        )
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
            self.trained.load_state_dict(tensors)

    def _checkpoint(self) -> dict[str, Tensor] | None:
        """Take up the run where its checkpoint stands and return its weights; None without one of these settings."""
        path = records.checkpoint_path(self.path)
        if not path.exists():
            return None
        tensors, metadata = files.load_tensors(path)
        if metadata["settings_hash"] != self.arm.settings_hash():
            return None  # the settings changed since: start anew
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
        }
        tensors = self.trained.state_dict() | {f"velocity.{key}": buffer for key, buffer in state.velocity.items()}
        files.save_tensors(records.checkpoint_path(self.path), tensors, extra | {"seconds": self._seconds()})

    def _seconds(self) -> float:
        return self._spent + time.monotonic() - self._clock

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

    def finish(self, problem: TrainingError | None = None, share: int = 1) -> records.Record:
        """Write and return the record, of a failed run if ``problem`` says why; the checkpoint goes.

        ``share`` is the number of runs that were trained together: each is said to have taken its share of the time.
        """
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
            "seconds": round(self._seconds() / share, 2),
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
                and unet.library(torch.float32) is not None
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

    def _measured(self, history: list[dict[str, Any]]) -> dict[str, Any]:
        """The result of the finished run."""
        if not isinstance(self.model, Peer):
            return result(self.network, self.model, history) | self._removed_before()
        return measured(self.model, self.dataset, self.arm, self.seed, history)


@torch.no_grad()
def measured(peer: Peer, dataset: data.Dataset, arm: Arm, seed: int, history: list[dict[str, Any]]) -> dict[str, Any]:
    """What a rival's finished run measured: as :func:`result`, and what is left of weights and multiplications."""
    peer.eval()
    images = Batches(dataset, arm.train, seed).standard(data.scale(dataset.x_test))
    final, left = peer.final(), peer.left(images)
    scaled = peer if any(bool((gate != 1).any()) for gate in peer.gates()) else None
    uncounted = 0  # weights of features that no factor touches are not counted, as the paper does not
    if isinstance(peer.network, DeepNet) and peer.KIND != "weights":
        uncounted = left.of - count.weights(peer.network)
    counted = left.of - uncounted
    found = {
        "kind": peer.KIND,
        "weights": counted,
        "left_pct": 100 * (left.weights - uncounted) / counted,
        "macs_left": left.macs,
        "macs_full": count.macs(peer.network),
    }
    return result(final, scaled, history) | found | left.also


def rival_of(arm: Arm, network: Network, seed: int, images: int) -> Peer:
    """The network as the arm's rival trains it on so many training images."""
    assert arm.rival is not None
    return peers.peer(arm.rival, network, images, arm.train, generator(seed, "rival start"))


@torch.no_grad()
def result(network: Network, model: Switched | Masked | Peer | None, history: list[dict[str, Any]]) -> dict[str, Any]:
    """What a finished run measured: last and best accuracy (percent), widths, weights removed, MACs, factors.

    ``macs`` counts one image through the compacted network, all layers of it; percentages count switched layers alone.
    """
    full = list(network.gate_widths())
    gates: list[Tensor] = model.gates() if model else [torch.ones(width) for width in full]
    plain = [gate.double().cpu().numpy() for gate in gates]
    kept = metrics.kept_widths(plain)
    weights, kernels = (
        [weight.cpu().numpy() for weight in each] for each in (network.linear_weights(), network.kernel_weights())
    )
    effective = metrics.effective_widths(plain, weights, kernels)
    shape = count.shape(network)
    best = max(history, key=lambda row: row["accuracy"])
    return {
        "accuracy": round(100 * history[-1]["accuracy"], 4),
        "best_accuracy": round(100 * best["accuracy"], 4),
        "best_epoch": best["epoch"],
        "full_widths": full,
        "widths": kept,
        "effective_widths": effective,
        "removed_pct": metrics.removed_pct(full, kept, **shape),
        "effective_pct": metrics.removed_pct(full, effective, **shape),
        "macs_full": count.macs(network),
        "macs": count.macs(compact(network, gates)),
        "shape": shape,
        "gates": [[float(f"{value:.5g}") for value in gate] for gate in plain] if model else None,
    }
