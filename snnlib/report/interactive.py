"""Figures that answer: HTML with a picture and a short script of its own, for a notebook and for the book's pages.

Nothing is fetched from elsewhere. Where no script runs, on paper say, the picture stays and the controls go.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import pandas as pd

from ..lab.experiments.study import Study
from ..lab.search import front
from .style import ARM_COLOURS

WIDTH, HEIGHT = 640, 420
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 12, 48
"""Size of a picture, and the room around its axes."""

STYLE = """
.snn-live { background: #fff; color: #222; max-width: 42rem; padding: .5rem; font: 14px sans-serif; }
.snn-live svg { display: block; width: 100%; height: auto; margin: 0 auto; }
.snn-live .controls { margin-top: .6rem; }
.snn-live text { fill: #222; font-size: 13px; }
.snn-live output { display: block; min-height: 3.6em; margin-top: .3rem; }
.snn-live .chosen { stroke: #000; stroke-width: 2.5; }
.snn-live :is(button, input) { font: inherit; vertical-align: middle; }
@media print { .snn-live .controls, .snn-live output { display: none; } }
"""

STEP = """
const marks = [...box.querySelectorAll("[data-told]")], told = box.querySelector("output");
let at = -1;
const choose = (next) => {
  if (at >= 0) marks[at].classList.remove("chosen");
  at = Math.max(0, Math.min(marks.length - 1, next));
  marks[at].classList.add("chosen");
  told.textContent = marks[at].dataset.told;
};
const steps = {ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 20, PageDown: -20};
box.querySelector("[tabindex]").addEventListener("keydown", (event) => {
  if (event.key === "Home") choose(0);
  else if (event.key === "End") choose(marks.length - 1);
  else if (event.key in steps) choose(at + steps[event.key]);
  else return;
  event.preventDefault();
});
marks.forEach((mark, place) => {
  for (const kind of ["mouseenter", "click"]) mark.addEventListener(kind, () => choose(place));
});
"""


@dataclass(frozen=True)
class Live:
    """A picture with its controls; a notebook shows it as HTML. ``drawn`` is what it draws, as JSON could hold it."""

    html: str
    about: str
    drawn: Any = None

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return f"<{self.about}>"


def live(body: str, script: str, about: str, drawn: Any = None) -> Live:
    """``body`` in a box of its own, with ``script``, which finds the box as ``box``; ``drawn`` is what it draws."""
    name = f"snn-{hashlib.sha256((body + script).encode()).hexdigest()[:10]}"
    start = f'(() => {{\nconst box = document.getElementById("{name}");\n{script.strip()}\n}})();'
    return Live(
        f'<div class="snn-live" id="{name}">\n<style>{STYLE}</style>\n{body}\n<script>\n{start}\n</script>\n</div>',
        about,
        drawn,
    )


def search_plane(
    trials: pd.DataFrame, study: Study, lowest: float = 95.0, published: Mapping[str, tuple[float, float]] | None = None
) -> Live:
    """Accuracy against weights removed, a mark for each finished trial; pointing at one tells its settings.

    The arrow keys go from trial to trial, in the order of the weights removed. ``published`` maps a name to (weights
    removed, accuracy) in percent. Raises ``ValueError`` where no finished trial reaches ``lowest`` percent.
    """
    shown = trials[(trials["state"] == "finished") & (trials["accuracy"].astype(float) >= lowest)]
    if not len(shown):
        raise ValueError(f"no finished trial of {study.name} reaches {lowest:g} %: there is nothing to draw")
    highest = max([*shown["accuracy"].astype(float), *(each[1] for each in (published or {}).values())]) + 0.1

    def place(removed: float, accuracy: float) -> tuple[float, float]:
        across = LEFT + removed / 100 * (WIDTH - LEFT - RIGHT)
        return round(across, 1), round(TOP + (highest - accuracy) / (highest - lowest) * (HEIGHT - TOP - BOTTOM), 1)

    drawn = axes(place, lowest, highest)
    for number in range(1, len(study.rungs) + 1):
        points = [place(row["removed"], row["accuracy"]) for row in rows(front(shown, study, number))]
        line = " ".join(f"{x},{y}" for x, y in sorted(points))
        drawn.append(f'<polyline points="{line}" fill="none" stroke="{colour(number)}" stroke-width="1.5"/>')
    for row in sorted(rows(shown), key=lambda row: (row["removed"], row["accuracy"])):
        x, y = place(row["removed"], row["accuracy"])
        drawn.append(
            f'<circle cx="{x}" cy="{y}" r="{2.5 + row["rung"]}" fill="{colour(row["rung"])}" fill-opacity="0.7" '
            f'data-told="{escape(told(row, study))}"/>'
        )
    for name, (removed, accuracy) in (published or {}).items():
        x, y = place(removed, accuracy)
        drawn.append(f'<text x="{x}" y="{y + 6}" text-anchor="middle" style="font-size:20px">★</text>')
        drawn.append(f'<text x="{x}" y="{y - 10}" text-anchor="middle">{escape(name)}</text>')
    about = f"{len(shown)} trials of the search: accuracy on held-out images against weights removed"
    body = (
        f'<div tabindex="0" role="group" aria-label="{escape(about)}; arrow keys go from trial to trial">\n'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(about)}">\n'
        + "\n".join(drawn)
        + "\n</svg>\n"
        + " ".join(
            f'<span><span style="color: {colour(number)}">●</span> {stage(study, number)}</span>'
            for number in sorted(set(map(int, shown["rung"])))
        )
        + '<output aria-live="polite">Point at a mark, or use the arrow keys: its settings appear here.</output></div>'
    )
    marks = [[row["trial"], round(row["removed"], 3), round(row["accuracy"], 3)] for row in rows(shown)]
    return live(body, STEP, about, [marks, dict(published or {})])


def stage(study: Study, number: int) -> str:
    """What the trials of a rung are; beyond the last rung the best of it are trained again on other seeds."""
    if number > len(study.rungs):
        return "the best again, on fresh seeds"
    return f"trials of {study.rungs[number - 1].epochs} epochs"


def axes(place: Callable[[float, float], tuple[float, float]], lowest: float, highest: float) -> list[str]:
    """The axes of :func:`search_plane`: ``place`` maps percent to pixels."""
    drawn = [
        f'<text x="{(WIDTH + LEFT) / 2}" y="{HEIGHT - 8}" text-anchor="middle">weights removed (%)</text>',
        f'<text transform="translate(14 {HEIGHT / 2 - 10}) rotate(-90)" text-anchor="middle">'
        "accuracy on held-out images (%)</text>",
    ]
    for removed in range(0, 101, 20):
        x, y = place(removed, lowest)
        drawn.append(f'<path d="M{x} {TOP}V{y}" stroke="#ddd"/>')
        drawn.append(f'<text x="{x}" y="{y + 17}" text-anchor="middle">{removed}</text>')
    for accuracy in range(math.ceil(lowest), int(highest) + 1):
        x, y = place(0, accuracy)
        drawn.append(f'<path d="M{x} {y}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        drawn.append(f'<text x="{x - 6}" y="{y + 4}" text-anchor="end">{accuracy}</text>')
    return drawn


def colour(rung: int) -> str:
    """The colour of a rung's trials."""
    return ARM_COLOURS[(rung - 1) % len(ARM_COLOURS)]


def rows(table: pd.DataFrame) -> Sequence[dict[str, Any]]:
    """A table's rows, with numbers that are numbers."""
    numbers = {name: table[name].astype(float) for name in ("removed", "accuracy")}
    return [{str(key): value for key, value in row.items()} for row in table.assign(**numbers).to_dict("records")]


def told(row: Mapping[str, Any], study: Study) -> str:
    """A trial in words: what came out, and its settings."""
    settings = [
        f"{name.replace('_', ' ')} {value:.3g}" if isinstance(value, float) else f"{name.replace('_', ' ')} {value}"
        for name in study.space
        if (value := row.get(name)) is not None and not (isinstance(value, float) and value != value)
    ]
    start = row.get("removed_start")
    begun = "" if start is None or start != start else f", {float(start):.1f} % before the first step"
    return (
        f"Trial {row['trial']}, rung {row['rung']}: accuracy {row['accuracy']:.2f} %, "
        f"{row['removed']:.1f} % of the weights removed{begun}. " + ", ".join(settings)
    )


def as_script(value: Any) -> str:
    """A value as it may stand in a script within HTML."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
