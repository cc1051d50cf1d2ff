"""A run as a film: all its neurons, off or on, at the start, after the switcher's first turn and after each epoch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..training import flow
from .figures import layer_name
from .interactive import Live, as_script, live

CELL, GAP, LINE = 6, 8, 10
"""Pixels of a neuron's square, between layers, and of a line of text."""
COLOURS = {"off": "#2b2b2b", "on": "#f2a03d", "changed": "#5b9bd1"}
"""Colours of a neuron that is off, that is on, and that was switched on again at this look."""

KINDS = {"off": "off", "on": "on", "changed": "on again since the last look"}
"""What the colours mean."""

PLAY = """
const cells = [...box.querySelectorAll("rect[data-n]")], slider = box.querySelector("input");
const button = box.querySelector("button"), said = box.querySelector("output");
const isOff = (frame, n) => (parseInt(FRAMES[frame][n >> 2], 16) >> (3 - (n & 3))) & 1;
const show = (frame) => {
  cells.forEach((cell, n) => {
    const off = isOff(frame, n), back = !off && frame > 0 && isOff(frame - 1, n);
    cell.setAttribute("fill", off ? COLOURS.off : back ? COLOURS.changed : COLOURS.on);
  });
  slider.value = frame;
  slider.setAttribute("aria-valuetext", TOLD[frame]);
  said.textContent = TOLD[frame];
};
let timer = null;
const stop = () => { clearInterval(timer); timer = null; button.textContent = "Play"; };
button.addEventListener("click", () => {
  if (timer) return stop();
  let frame = +slider.value >= FRAMES.length - 1 ? 0 : +slider.value;
  show(frame);
  button.textContent = "Pause";
  timer = setInterval(() => { if (++frame >= FRAMES.length) stop(); else show(frame); }, 500);
});
slider.addEventListener("input", () => { stop(); show(+slider.value); });
"""


def film(record: Mapping[str, Any]) -> Live:
    """The neurons of a recorded run over its epochs, with a button to play and a slider; at rest, the last look.

    Raises ``ValueError`` for a run that did not note which neurons were off.
    """
    looks = flow.of_record(record)
    times, last = list(looks), looks[list(looks)[-1]]
    drawn, down = [], 0
    columns = [side(len(layer)) for layer in last]
    width, number = max(columns) * CELL, 0
    for index, (layer, across) in enumerate(zip(last, columns)):
        drawn.append(f'<text x="0" y="{down + 7}" style="font-size: 6px">{layer_name(index)}: {len(layer)}</text>')
        for n, off in enumerate(layer):
            x, y = n % across * CELL, down + LINE + n // across * CELL
            fill = COLOURS["off" if off else "on"]
            drawn.append(f'<rect data-n="{number}" x="{x}" y="{y}" width="5" height="5" fill="{fill}"/>')
            number += 1
        down += LINE + math.ceil(len(layer) / across) * CELL + GAP
    frames = [np.packbits(np.concatenate(looks[time])).tobytes().hex() for time in times]
    told = [f"{words(time)}: {'-'.join(str(int((~layer).sum())) for layer in looks[time])} are on" for time in times]
    about = f"the neurons of {record.get('title') or record.get('arm')}, seed {record.get('seed')}, over its epochs"
    end = len(times) - 1
    label = f"One square a neuron, layer by layer: dark where it is off, blue where it came back; {told[-1]}"
    body = (
        f'<svg viewBox="0 0 {width} {down - GAP}" style="max-width: 26rem" role="img" aria-label="{label}">\n'
        + "\n".join(drawn)
        + '\n</svg>\n<div class="controls"><button type="button">Play</button>\n'
        f'<input type="range" min="0" max="{end}" value="{end}" step="1" aria-label="Time in the run" '
        f'aria-valuetext="{told[-1]}"></div>\n<output>{told[-1]}</output>\n'
        + " ".join(f'<span><span style="color: {COLOURS[kind]}">■</span> {what}</span>' for kind, what in KINDS.items())
    )
    data = (
        f"const FRAMES = {as_script(frames)};\nconst TOLD = {as_script(told)};\nconst COLOURS = {as_script(COLOURS)};"
    )
    return live(body, f"{data}\n{PLAY}", about)


def side(neurons: int) -> int:
    """How many squares a layer is wide: an image keeps its shape, other layers are three times as wide as high."""
    root = math.isqrt(neurons)
    return root if root * root == neurons and neurons > 400 else math.ceil(math.sqrt(3 * neurons))


def words(time: str) -> str:
    """A look of a record, in words: epochs are counted from 1."""
    kind, _, number = time.partition(" ")
    if kind == "epoch":
        return f"After epoch {int(number) + 1}"
    return "Before the first step" if time == "start" else "After the switcher's first turn"
