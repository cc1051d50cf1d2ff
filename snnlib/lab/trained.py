"""The network of a finished run, from its record and the weights beside it."""

from __future__ import annotations

from pathlib import Path

import torch

from .. import files
from ..arms import Arm
from ..networks import Network
from ..peers import Peer
from ..switching.switched import Masked, Switched
from . import records
from .building import build_network, left_out, rival_of, wrap
from .experiments import TABLES, own
from .status import command


def load(path: Path) -> tuple[Arm, Network, Switched | Masked | Peer | None]:
    """Arm, network and, unless the arm is dense, network with switcher of a finished run, on the CPU.

    A rival's network is the one that it leaves, to be used with its gates.

    ``path`` is the record's. Raises ``FileError`` where the record or the weights beside it are missing, cut off or
    not of the same run; the message names the command that makes them.
    """
    record = records.read(path)
    arm = records.arm_of(record)
    again = f"make them again with `{_remedy(record, path)}`"
    if record["status"] != "finished":
        raise records.FileError(f"{path} records a failed run ({record['error']['message']}): it has no weights")
    weights = records.weights_path(path)
    if not weights.exists():
        raise records.FileError(f"{weights} is missing: records are kept without their weights; {again}")
    tensors, metadata = files.load_tensors(weights, again)
    if metadata.get("settings_hash") != record["settings_hash"] or metadata.get("seed") != record["seed"]:
        raise records.FileError(f"{weights} holds the weights of another run than {path.name}; {again}")
    images = record["images"]  # the first records were of MNIST only and name no shape
    network = build_network(
        arm, record["seed"], torch.device("cpu"), tuple(images.get("shape", (1, 28, 28))), images.get("classes", 10)
    )
    model = wrap(arm, network, record["seed"]) if arm.switcher else None
    if arm.pruning:
        model = left_out(arm, network, record["seed"], record["result"]["gates"])
    if arm.rival:
        try:
            model = rival_of(arm, network, record["seed"], images["train"]).eval()
        except ValueError as error:
            raise records.FileError(f"{path} is of a rival that this library cannot build: {error}") from error
    try:
        (model or network).load_state_dict(tensors)
    except RuntimeError as error:
        raise records.FileError(f"{weights} does not fit the network of {path.name} ({error}); {again}") from error
    return arm, model.final() if isinstance(model, Peer) else network, model


def _remedy(record: records.Record, path: Path) -> str:
    """The command that makes the run of ``record`` again, below ROOT where it stands at
    ROOT/PROFILE/NAME/ARM/seed-N.json, else below a folder that the reader has to name."""
    root = Path("FOLDER")
    if len(path.absolute().parents) > 3 and path.absolute() == records.path_of(
        records.arm_of(record), record["profile"], record["seed"], path.absolute().parents[3]
    ):
        root = path.absolute().parents[3]
    if record["settings"].get("source"):
        return own.command(records.arm_of(record), record["seed"], root)
    arm, network = record["arm"], record["settings"]["network"]
    holders = [
        t
        for t in TABLES.values()
        if any((each.network, each.name) == (network, arm) for each in t.arms.get(record["profile"], ()))
    ]
    alone = next((t.name for t in holders if len(t.networks) == 1), None)
    name = alone or (holders[0].name if holders else "TABLE")
    return command(
        name, record["profile"], root, [arm], [record["seed"]], force=True, networks=[] if alone else [network]
    )
