"""What a finished run measured: accuracy, widths, weights removed, multiplications."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .. import data, metrics
from ..arms import Arm
from ..compaction import compact
from ..networks import DeepNet, Network, count
from ..peers import Peer
from ..switching.switched import Masked, Switched
from ..training.batches import Batches
from ..training.judging import accuracy


@torch.no_grad()
def measured(peer: Peer, dataset: data.Dataset, arm: Arm, seed: int, history: list[dict[str, Any]]) -> dict[str, Any]:
    """What a rival's finished run measured: as :func:`result`, and what is left of weights and multiplications.

    Of a method that prunes by a threshold after training also the accuracy without it, in percent.
    """
    peer.eval()
    standard = Batches(dataset, arm.train, seed).standard
    images = standard(data.scale(dataset.x_test))
    final, left = peer.final(), peer.left(images)
    if peer.KIND != "images":
        check_left(peer, images[:CHECKED])
    scaled = peer if any(bool((gate != 1).any()) for gate in peer.gates()) else None
    uncounted = of_untouched_features(peer, final)
    counted = left.of - uncounted
    found = {
        "kind": peer.KIND,
        "weights": counted,
        "left_pct": 100 * (left.weights - uncounted) / counted,
        "macs_left": left.macs,
        "macs_full": count.macs(peer.network),
    }
    if (whole := peer.uncut()) is not None:
        right = accuracy(final, whole, dataset.x_test, dataset.y_test, standard=standard)
        found["uncut_accuracy"] = round(100 * right, 4)
    return result(final, scaled, history) | found | left.also


def of_untouched_features(peer: Peer, final: Network) -> int:
    """Weights of the features of a deep network that ``peer`` leaves in ``final`` as they are: not counted, as by the
    paper."""
    network = peer.network
    if peer.KIND == "weights" or not isinstance(network, DeepNet) or not isinstance(final, DeepNet):
        return 0
    before, after = (sum(layer.weight.numel() for _, layer in count.layers(each.features)) for each in (network, final))
    return before if after == before else 0


CHECKED, TOLERANCE = 500, 1e-4
"""Test images on which a network is held against what compaction leaves of it, and how far their logits may lie apart,
as a part of the largest."""


def apart(logits: Tensor, others: Tensor) -> tuple[float, float]:
    """The largest difference of two networks' logits, and the largest of the first, 1 at least."""
    return float((logits - others).abs().max()), max(1.0, float(logits.abs().max()))


@torch.no_grad()
def check_left(peer: Peer, images: Tensor) -> None:
    """Raise ``ValueError`` unless ``peer`` has the logits of the network that it says it leaves: what would be counted
    as removed were in use otherwise."""
    difference, largest = apart(peer(images), compact(peer)(images))
    if not difference <= TOLERANCE * largest:
        raise ValueError(
            f"{type(peer).__name__} is judged by another network than it leaves: logits lie {difference:.2g} apart "
            "from those of compact(peer). Mend the method; the run goes on from its last epoch"
        )


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
