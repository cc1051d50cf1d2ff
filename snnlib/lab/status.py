"""Which runs of every table have a record, and the command that makes those that have none."""

from __future__ import annotations

import ast
import shlex
import sys
from collections import Counter
from collections.abc import Iterable, Sequence, Set
from pathlib import Path
from typing import Any

from . import records
from .experiments import PROFILES, TABLES, Table, own, regime_of
from .names import Refused, check_name
from .records import Entry, Record

STATES = ("recorded", "missing", "stale", "failed", "barred", "broken")
"""recorded: finished, of today's settings. stale: its settings changed since. failed: diverged or died. barred: it
would keep the neurons of a run that failed. broken: unreadable, or altered since it was written."""


def entries(table: str | Table, profile: str, root: Path) -> list[Entry]:
    """Every run of the table and its record, in the table's order."""
    plan = TABLES[table] if isinstance(table, str) else table
    return [records.look_up(arm, profile, seed, root) for arm, seed in plan.runs(profile)]


def finished(table: str, profile: str, root: Path) -> dict[tuple[str, str], dict[int, Record]]:
    """Records of finished runs by network and arm, then by seed; an arm without one has an empty dict."""
    found: dict[tuple[str, str], dict[int, Record]] = {
        (arm.network, arm.name): {} for arm in TABLES[table].arms[profile]
    }
    for entry in entries(table, profile, root):
        if entry.state == "recorded":
            found[entry.arm.network, entry.arm.name][entry.seed] = entry.content
    return found


PARAMETERS = ("profile", "records")
"""What papermill may set on a page."""


OF_PAGES = ("smoke", "quick", "paper")
"""The profiles that a page may be run with; the others are those of single tables."""


class WrongParameter(Refused):
    """A parameter that a page was given and cannot use; a notebook shows its sentence alone, without a traceback."""

    def _render_traceback_(self) -> list[str]:
        """What IPython shows, and papermill prints at its end."""
        return [str(self)]


def check_page(profile: object, root: Path) -> None:
    """Check the parameters of a page before it reads records.

    Raises :class:`WrongParameter` for a ``profile`` that does not exist, where the records folder ``root`` is missing,
    and where papermill was given a name that is none of :data:`PARAMETERS`: it would only warn, and the page would
    show what nobody asked for.
    """
    try:
        for name in injected():
            check_name("parameter", name, PARAMETERS)
        check_name("profile", str(profile), OF_PAGES)
    except Refused as problem:
        raise WrongParameter(str(problem)) from None
    if not Path(root).is_dir():
        raise WrongParameter(
            f"records={str(root)!r}: there is no such folder. Give one that `snn run --records FOLDER` has filled, "
            "from the project's root, or data/records, where the published records are; `snn fetch` gets them"
        )


def injected() -> list[str]:
    """The names that papermill set in the notebook that runs here; none outside a notebook.

    papermill writes them into a cell of their own, which begins with the comment ``# Parameters``.
    """
    shell: Any = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    cells: list[str] = [] if shell is None else shell.user_ns.get("In", [])
    given = [cell for cell in cells if cell.startswith("# Parameters\n")][-1:]
    return [
        target.id
        for cell in given
        for line in ast.parse(cell).body
        if isinstance(line, ast.Assign)
        for target in line.targets
        if isinstance(target, ast.Name)
    ]


FULL_TO_SMALL = ("paper", "whole", "quick", "smoke", "map", "search", "authors")
"""Profiles in the order in which a table that is asked for without one looks for records."""


def profile_to_show(table: str, root: Path, wanted: str | None = None) -> str:
    """The profile ``wanted`` if it has records, else the fullest that has, else ``wanted`` or the fullest there is.

    A page that shows another profile than the one asked for has to say so.
    """
    known = [each for each in FULL_TO_SMALL if each in TABLES[table].arms]
    tried = [wanted, *known] if wanted else known
    begun = (each for each in tried if any(run.state != "missing" for run in entries(table, each, root)))
    return next(begun, tried[0])


def command(
    table: str,
    profile: str,
    root: Path,
    arms: Iterable[str] = (),
    seeds: Iterable[int] = (),
    force: bool = False,
    networks: Iterable[str] = (),
) -> str:
    """The command that makes the runs of these networks, arms and seeds, all of them if none is named."""
    words = ["snn", "run", table, "--profile", profile]
    for option, values in (("--network", networks), ("--arm", arms), ("--seed", seeds)):
        for value in values:
            words += [option, str(value)]
    if force:
        words.append("--force")
    if Path(root).resolve() != records.default_root().resolve():
        words += ["--records", str(root)]
    return shlex.join(words)


def problems(table: str, profile: str, root: Path, regime: str | None = None, network: str | None = None) -> list[str]:
    """What keeps runs out of a table, with the command that mends it; of all arms, or of those of one ``regime`` or
    ``network``.

    There is a line for all that is missing, one for all that is stale, and for each arm one for its failed runs, one
    for the barred and one for the broken.
    """
    found, lines = [entry for entry in entries(table, profile, root) if regime in (None, regime_of(entry.arm.name))], []
    networks = list(dict.fromkeys(entry.arm.network for entry in found))
    for each in networks if network is None else [network]:
        of_network = [entry for entry in found if entry.arm.network == each]
        every = {arm.name for arm in TABLES[table].arms[profile] if arm.network == each}
        lines += _absent(table, profile, root, of_network, every, each if len(networks) > 1 else "")
    groups: dict[tuple[str, str, str], list[Entry]] = {}
    for entry in found:
        if entry.state in ("failed", "barred", "broken") and network in (None, entry.arm.network):
            groups.setdefault((entry.state, entry.arm.network, entry.arm.name), []).append(entry)
    for (state, of, arm), group in groups.items():
        seeds = [entry.seed for entry in group]
        mend = command(
            table, profile, root, [arm], seeds, force=state == "failed", networks=[of] if len(networks) > 1 else ()
        )
        why = _problem(group[0]) + (f"; {len(group) - 1} more" if len(group) > 1 else "")
        end = "" if state == "barred" else f": `{mend}`"
        lines.append(f"{state}: {arm} seed {', '.join(map(str, seeds))} ({why}){end}")
    return lines


def _absent(
    table: str, profile: str, root: Path, found: Sequence[Entry], all_arms: set[str], network: str
) -> list[str]:
    """A line for what is missing and one for what is stale; ``network`` is empty where the table has but one."""
    lines, runs_of = [], Counter(entry.arm.name for entry in found)
    for state in ("missing", "stale"):
        seeds: dict[str, list[int]] = {}
        for entry in found:
            if entry.state == state:
                seeds.setdefault(entry.arm.name, []).append(entry.seed)
        if seeds:
            whole = [arm for arm, some in seeds.items() if len(some) == runs_of[arm] > 1]
            parts = [f"{arm} seed {', '.join(map(str, some))}" for arm, some in seeds.items() if arm not in whole]
            which = "; ".join(([f"all of {', '.join(whole)}"] if whole else []) + parts)
            if len(found) == sum(map(len, seeds.values())):
                which = f"all {len(found)} runs"
            why = " (settings changed since)" if state == "stale" else ""
            mend = command(
                table, profile, root, [] if set(seeds) == all_arms else seeds, networks=[network] if network else ()
            )
            lines.append(f"{state}{why}: {f'{network}, ' if network else ''}{which}: `{mend}`")
    return lines


def profiles_begun(root: Path) -> list[str]:
    """The profiles of which the records folder holds at least one record."""
    return [profile for profile in PROFILES if next(Path(root, profile).glob("*/*/seed-*.json"), None) is not None]


def summary(profiles: Iterable[str], root: Path) -> list[dict[str, Any]]:
    """One dict for each table and profile: counts by state, and for each state its runs (arm, seed, path, problem)."""
    found: list[dict[str, Any]] = []
    for profile in profiles:
        for name, table in TABLES.items():
            if profile not in table.arms:
                continue
            runs = entries(name, profile, root)
            by_state = {state: [run for run in runs if run.state == state] for state in STATES}
            found.append(
                {
                    "table": name,
                    "profile": profile,
                    "runs": len(runs),
                    "counts": {state: len(group) for state, group in by_state.items()},
                    **{state: [_described(run) for run in group] for state, group in by_state.items()},
                }
            )
    return found


def own_runs(root: Path) -> dict[str, Counter[str]]:
    """For each folder of records on images of one's own, DATASET-NETWORK/ARM, how many runs finished and failed."""
    found: dict[str, Counter[str]] = {}
    for path in sorted(Path(root, own.OWN).glob("*/*/seed-*.json")):
        try:
            status = records.read(path)["status"]
        except records.FileError:
            continue  # named among the broken
        found.setdefault("/".join(path.parts[-3:-1]), Counter())[status] += 1
    return found


def broken_beside(known: Set[str], root: Path) -> list[str]:
    """What is wrong with each record below ``root`` that cannot be read or was altered, less the paths ``known``."""
    found: list[str] = []
    for path in sorted(Path(root).glob("*/*/*/seed-*.json")):
        try:
            if str(path) not in known:
                records.read(path)
        except records.FileError as problem:
            found.append(str(problem))
    return found


def _described(run: Entry) -> dict[str, Any]:
    return {"arm": run.arm.name, "seed": run.seed, "path": str(run.path), "problem": _problem(run)}


def _problem(run: Entry) -> str:
    return run.content["error"]["message"] if run.state == "failed" else run.problem
