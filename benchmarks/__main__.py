"""All benchmarks in one run: ``python -m benchmarks``, also ``make bench``.

Writes ``results.json`` and ``growth.svg`` beside this file and prints one table: our time, the yardstick's, their
ratio, what limits our time on this machine, and the fraction of it that is reached."""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import torch
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from benchmarks import data_path, growth, latency, memory, networks, steps
from benchmarks.timing import Row, as_in_a_worker, copy_bandwidth, matmul_peak
from snnlib import __version__
from snnlib.fast import unet
from snnlib.lab import records
from snnlib.lab.devices import describe, pick_device

HERE = Path(__file__).parent

PARTS: dict[str, Callable[[int, torch.device], list[Row]]] = {
    "steps": steps.rows,
    "networks": networks.rows,
    "data": lambda rounds, device: data_path.rows(max(rounds // 6, 3), device),
    "latency": latency.rows,
    "memory": lambda rounds, device: memory.rows(1, device),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=20, help="timed rounds of each function")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:N or auto")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads; batches of runs use one a process")
    parser.add_argument("--only", action="append", choices=[*PARTS, "growth"], help="only this part; may be repeated")
    parser.add_argument("--out", type=Path, default=HERE, help="folder for results.json and growth.svg")
    options = parser.parse_args()
    as_in_a_worker()
    torch.set_num_threads(options.threads)
    device, wanted, console = pick_device(options.device), options.only or [*PARTS, "growth"], Console(width=210)

    rows: list[Row] = []
    for part in (part for part in PARTS if part in wanted):
        console.print(f"measuring: {part} ...")
        rows += PARTS[part](options.rounds, device)
    results = {
        "device": describe(device),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "snnlib": __version__,
        "threads": options.threads,
        "fused_encoder": unet.library(torch.float32) is not None,
        "matmul_gflops": round(matmul_peak(device) / 1e9, 1),
        "copy_gbs": round(copy_bandwidth(device) / 1e9, 1),
        "rows": [asdict(row) for row in rows],
    }
    if "growth" in wanted:
        console.print("measuring: growth ...")
        points = growth.points(max(options.rounds // 2, 3), device)
        growth.plot(points, options.out / "growth.svg")
        results["growth"] = [asdict(point) for point in points]
    records.write_bytes(options.out / "results.json", (json.dumps(_rounded(results), indent=1) + "\n").encode())
    show(results, console)


def show(results: dict, console: Console) -> None:
    """Print what was measured."""
    console.print(
        f"\n{results['device']}, torch {results['torch']}; matrix products {results['matmul_gflops']} GFLOP/s, copies "
        f"{results['copy_gbs']} GB/s"
    )
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in ("", "ours ms", "plain ms", "ratio", "limit", "reached", "note"):
        table.add_column(
            name,
            justify="left" if name in ("", "limit", "note") else "right",
            no_wrap=name in ("", "ours ms", "plain ms"),
        )
    for row in results["rows"]:
        cells = [_text(row[key], form) for key, form in (("ours_ms", ".2f"), ("plain_ms", ".2f"), ("ratio", ".2f"))]
        table.add_row(row["name"], *cells, row["limit"], _text(row["fraction"], ".0%"), row["note"])
    console.print(table)
    if any((row["fraction"] or 0) > 1 for row in results["rows"]):
        console.print(
            "more than 100 %: convolutions here come from another library than matrix products, and do more "
            "operations a second"
        )
    for point in results.get("growth", []):
        console.print(f"{point['what']:<30}{point['size']:>10}  {point['phase']:<9} {point['ms']:8.2f} ms a step")


def _text(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


def _rounded(value):
    """Floats to five digits: what is behind them is noise."""
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    return [_rounded(each) for each in value] if isinstance(value, list) else value


if __name__ == "__main__":
    main()
