"""A run as a film: all its neurons before the first step, after the switcher's first turn, and after each epoch.

:func:`film` shows a recorded run, of which is known who was off; :func:`film_of_factors` all factors of a run that
:class:`Watch` has watched.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from matplotlib.colors import to_hex
from numpy.typing import ArrayLike, NDArray

from ..switching.switched import Switched
from ..training import State, flow
from .figures import layer_name
from .interactive import Live, as_script, live
from .style import CLASS_COLOURS, STRONG, WEAK

CELL, GAP, LINE = 6, 8, 10
"""Pixels of a neuron's square, between layers, and of a line of text."""

KINDS = {"off": CLASS_COLOURS["pruned"], "on": "#d9d9d9", "on again since the last look": "#56b4e9"}
"""What is known of a neuron in a record, to its colour."""

WEAKENED, STRENGTHENED = 7, 8
"""Shades of factors below 1, and of 1 and above: with that of 0 as many as one hexadecimal digit has."""

PLAY = """
const cells = [...box.querySelectorAll("rect[data-n]")], slider = box.querySelector("input");
const button = box.querySelector("button"), said = box.querySelector("output");
const show = (frame) => {
  cells.forEach((cell, n) => cell.setAttribute("fill", COLOURS[parseInt(FRAMES[frame][n], 16)]));
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


class Watch:
    """Notes all factors of ``model`` as it is, and after each epoch of a training whose ``on_epoch`` it is.

    ``factors`` maps "start", "epoch 0", ... to one array (neurons,) a layer.
    """

    def __init__(self, model: Switched) -> None:
        self.model = model
        self.factors: dict[str, list[NDArray[np.float64]]] = {"start": self._now()}

    def __call__(self, state: State) -> None:
        """Note the factors after the epoch that is done."""
        self.factors[f"epoch {state.history[-1]['epoch']}"] = self._now()

    def _now(self) -> list[NDArray[np.float64]]:
        with torch.no_grad():
            return [gate.detach().cpu().double().numpy() for gate in self.model.gates()]


def film(record: Mapping[str, Any]) -> Live:
    """The neurons of a recorded run over its epochs, with a button to play and a slider; at rest, the last look.

    Raises ``ValueError`` for a run that did not note which neurons were off.
    """
    looks = flow.of_record(record)
    frames: list[NDArray[np.int_]] = []
    last = np.zeros(sum(map(len, looks["start"])), bool)
    for look in looks.values():
        off = np.concatenate(look)
        frames.append(np.where(off, 0, np.where(last, 2, 1)))
        last = off
    told = [
        f"{words(time)}: {'-'.join(str(int((~layer).sum())) for layer in look)} are on" for time, look in looks.items()
    ]
    about = f"the neurons of {record.get('title') or record.get('arm')}, seed {record.get('seed')}, over its epochs"
    legend = "".join(f"{_square(colour)} {what} " for what, colour in KINDS.items())
    return _shown(_Film([len(layer) for layer in looks["start"]], frames, told, list(KINDS.values()), legend, about))


def film_of_factors(factors: Mapping[str, Sequence[ArrayLike]], about: str) -> Live:
    """All factors of a run over its epochs, as :class:`Watch` notes them; at rest, the last look.

    Dark is 0, blue below 1, orange 1 and above, each in shades; ``about`` says which run it is.
    """
    looks = {time: [np.asarray(layer, float) for layer in look] for time, look in factors.items()}
    top = max(float(layer.max()) for look in looks.values() for layer in look)
    frames = [shades(np.concatenate(look), top) for look in looks.values()]
    told = [f"{words(time)}: {_counted(np.concatenate(look))}" for time, look in looks.items()]
    weak, strong = _palette(WEAK, WEAKENED), _palette(STRONG, STRENGTHENED)
    colours = [CLASS_COLOURS["pruned"], *weak, *strong]
    legend = (
        f"{_square(colours[0])} pruned (0) {''.join(map(_square, weak[::2]))} weakened (below 1) "
        f"{''.join(map(_square, strong[::2]))} strengthened (1 to {max(top, 1.0):.1f})"
    )
    widths = [len(layer) for layer in next(iter(looks.values()))]
    return _shown(_Film(widths, frames, told, colours, legend, about))


def shades(factors: ArrayLike, top: float) -> NDArray[np.int_]:
    """The number of each factor's shade: 0 for 0, from 1 on below 1, from 8 on for 1 to ``top`` (by logarithm)."""
    found = np.asarray(factors, float)
    weak = 1 + np.minimum(np.floor(found * WEAKENED), WEAKENED - 1)
    above = np.log(np.maximum(found, 1)) / max(np.log(max(top, 1)), 1e-9)  # few factors are large
    strong = 1 + WEAKENED + np.clip(np.floor(above * STRENGTHENED), 0, STRENGTHENED - 1)
    return np.where(found <= 0, 0, np.where(found < 1, weak, strong)).astype(int)


def _counted(factors: NDArray[np.float64]) -> str:
    off, strong = int((factors <= 0).sum()), int((factors >= 1).sum())
    return f"{off} pruned, {len(factors) - off - strong} weakened, {strong} strengthened"


def _palette(colours: Any, count: int) -> list[str]:
    return [to_hex(colours(place)) for place in np.linspace(0, 1, count)]


def _square(colour: str) -> str:
    return f'<span style="color: {colour}">■</span>'


@dataclass(frozen=True)
class _Film:
    """The numbers of all neurons' colours at each look, and what is said of it."""

    widths: list[int]
    frames: list[NDArray[np.int_]]
    told: list[str]
    colours: list[str]
    legend: str
    about: str


def _shown(made: _Film) -> Live:
    """A film with its controls."""
    still, end, number, down = made.frames[-1], len(made.frames) - 1, 0, 0
    drawn: list[str] = []
    columns = [side(width) for width in made.widths]
    for index, (neurons, across) in enumerate(zip(made.widths, columns)):
        drawn.append(f'<text x="0" y="{down + 7}" style="font-size: 6px">{layer_name(index)}: {neurons}</text>')
        for n in range(neurons):
            x, y = n % across * CELL, down + LINE + n // across * CELL
            fill = made.colours[still[number]]
            drawn.append(f'<rect data-n="{number}" x="{x}" y="{y}" width="5" height="5" fill="{fill}"/>')
            number += 1
        down += LINE + math.ceil(neurons / across) * CELL + GAP
    frames = ["".join(f"{colour:x}" for colour in frame) for frame in made.frames]
    label = f"One square a neuron, layer by layer. {made.told[-1]}"
    body = (
        f'<svg viewBox="0 0 {max(columns) * CELL} {down - GAP}" style="max-width: 26rem" role="img" '
        f'aria-label="{label}">\n'
        + "\n".join(drawn)
        + '\n</svg>\n<div class="controls"><button type="button">Play</button>\n'
        f'<input type="range" min="0" max="{end}" value="{end}" step="1" aria-label="Time in the run" '
        f'aria-valuetext="{made.told[-1]}"></div>\n<output>{made.told[-1]}</output>\n{made.legend}'
    )
    data = "".join(
        f"const {name} = {as_script(value)};\n"
        for name, value in (("FRAMES", frames), ("TOLD", made.told), ("COLOURS", made.colours))
    )
    return live(body, f"{data}{PLAY}", made.about, [made.widths, frames])


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
