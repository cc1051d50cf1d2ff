"""Draws rooms as boxes on floors, and the imports between them as arrows that go down around other boxes."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Iterable
from html import escape
from itertools import combinations, pairwise

WIDTH, BOX, HEIGHT, PITCH, MARGIN = 440, 112, 44, 74, 6
APART, EDGE, GAP = 8, 16, 18
"""Free space beside a box or an arrow that passes by; from a box's corner to its arrows; between its arrows."""
STEP, STEPS = 4, 40_000
"""Positions are multiples of STEP; STEPS moves are tried."""
METHOD = frozenset({"data", "networks", "switching", "training", "compaction"})
"""Rooms in which the paper's method is."""

STYLE = """
.rooms-diagram{--ink:var(--pst-color-text-base,#24292f);--soft:var(--pst-color-text-muted,#57606a);
--accent:#0b7d8c;--warm:#c8641b;font-family:system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
html[data-theme="dark"] .rooms-diagram{--accent:#4cc3d2;--warm:#f0a05a}
@media (prefers-color-scheme:dark){
svg.rooms-diagram:root{--ink:#e6edf3;--soft:#9da7b1;--accent:#4cc3d2;--warm:#f0a05a}}
.rooms-diagram text{fill:var(--ink);font-size:15px;font-weight:600;text-anchor:middle}
.rooms-diagram .lines{fill:var(--soft);font-size:13px;font-weight:400}
.rooms-diagram rect{fill:var(--soft);fill-opacity:.08;stroke:var(--soft);stroke-width:1.4}
.rooms-diagram .method rect{fill:var(--accent);fill-opacity:.14;stroke:var(--accent)}
.rooms-diagram .lab rect{fill:var(--warm);fill-opacity:.12;stroke:var(--warm)}
.rooms-diagram .arrow{fill:none;stroke:var(--soft);stroke-width:1.4}
.rooms-diagram .tip{fill:var(--soft)}
"""

Node = tuple[str, int]
"""A room on its floor; or an arrow, named FROM>TO, on a floor that it passes."""
Arrow = tuple[str, str]
"""The rooms that it comes from and leads to."""


def svg(boxes: list[tuple[str, int, int]], arrows: set[Arrow]) -> str:
    """The picture of ``boxes`` (name, floor, lines of code) and of ``arrows`` between them."""
    floor = {name: each for name, each, _lines in boxes}
    chains = {
        (name, other): [
            (name, floor[name]),
            *((f"{name}>{other}", between) for between in range(floor[name] - 1, floor[other], -1)),
            (other, floor[other]),
        ]
        for name, other in sorted(arrows)
    }
    places = arranged({(name, each) for name, each, _ in boxes}, list(chains.values()))
    top = max(floor.values())
    height = 2 * MARGIN + top * PITCH + HEIGHT
    reach = [places[node] for node in places if node[0] in floor]
    left, right = min(reach) - BOX / 2 - MARGIN, max(reach) + BOX / 2 + MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{left:g} 0 {right - left:g} {height}" '
        'role="img" class="rooms-diagram" aria-labelledby="rooms-title rooms-desc">',
        '<title id="rooms-title">The rooms of snnlib and their imports</title>',
        f'<desc id="rooms-desc">{escape(described(boxes, arrows))}</desc>',
        f"<style>{STYLE}</style>",
        '<defs><marker id="rooms-tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        'orient="auto"><path class="tip" d="M0 0.5 8 4 0 7.5z"/></marker></defs>',
    ]
    ends = ports(chains, places)
    for (name, other), chain in chains.items():
        path = line(chain, places, *ends[name, other], top)
        parts.append(
            f'<path class="arrow" data-from="{name}" data-to="{other}" marker-end="url(#rooms-tip)" d="{path}"/>'
        )
    for name, each, lines in boxes:
        x, y = places[name, each], level(each, top)
        kind = "method" if name in METHOD else "lab" if each >= floor.get("lab", top) else "ground"
        parts.append(
            f'<g class="{kind}" data-room="{name}" data-floor="{each}" data-lines="{lines}">'
            f'<rect x="{x - BOX / 2:g}" y="{y}" width="{BOX}" height="{HEIGHT}" rx="6"/>'
            f'<text x="{x:g}" y="{y + 19}">{name}</text>'
            f'<text class="lines" x="{x:g}" y="{y + 36}">{lines:,} lines</text></g>'
        )
    return "\n".join([*parts, "</svg>", ""])


def described(boxes: list[tuple[str, int, int]], arrows: set[Arrow]) -> str:
    """The picture in words, for those who hear it."""
    said = []
    for name, _floor, _lines in sorted(boxes, key=lambda box: -box[1]):
        others = sorted(other for one, other in arrows if one == name)
        said.append(f"{name} imports {', '.join(others) if others else 'nothing'}")
    return f"Boxes on floors, arrows only downwards. {'; '.join(said)}."


def level(floor: int, top: int) -> int:
    """The upper edge of a floor."""
    return MARGIN + (top - floor) * PITCH


def arranged(rooms: set[Node], chains: list[list[Node]]) -> dict[Node, float]:
    """Where each node's middle is: short and straight arrows, few crossings, nothing on top of another.

    The best of a few annealings from fixed seeds: a dozen boxes are too few to need better, and too many to be placed
    by hand anew with every import.
    """
    nodes = sorted(rooms | {node for chain in chains for node in chain})
    on_floor, between = defaultdict(list), defaultdict(list)
    for node in nodes:
        on_floor[node[1]].append(node)
    for chain in chains:
        for pair in pairwise(chain):
            between[pair[0][1]].append(pair)
    half = {node: BOX / 2 + 2 if node in rooms else 4 for node in nodes}

    def cost(x: dict[Node, float], floors: Iterable[int]) -> float:
        """Of all that a move on one of the floors may change."""
        total = 0.0
        for each in floors:
            for a, b in combinations(on_floor[each], 2):
                total += 40 * max(0.0, half[a] + half[b] + APART - abs(x[a] - x[b]))
            for one in (each, each + 1):
                for a, b in between[one]:
                    total += (1, 2, 8)[(a not in rooms) + (b not in rooms)] * abs(x[a] - x[b])
                for (a, b), (c, d) in combinations(between[one], 2):
                    total += 200 * ((x[a] - x[c]) * (x[b] - x[d]) < 0)
        return total

    def annealed(seed: int) -> dict[Node, float]:
        draw = random.Random(seed)
        x = {node: float(WIDTH // 2) for node in nodes}
        for step in range(STEPS):
            left = 1 - step / STEPS
            node = draw.choice(nodes)
            moved = {node: x[node] + STEP * draw.randint(-1 - int(30 * left), 1 + int(30 * left))}
            if draw.random() < 0.3:
                other = draw.choice(on_floor[node[1]])
                moved = {node: x[other], other: x[node]}
            if any(not half[each] <= to <= WIDTH - half[each] for each, to in moved.items()):
                continue
            before, kept = cost(x, [node[1]]), {each: x[each] for each in moved}
            x.update(moved)
            worse = cost(x, [node[1]]) - before
            if worse > 0 and draw.random() > math.exp(-worse / (200 * left**3 + 1e-9)):
                x.update(kept)
        return x

    return min(map(annealed, range(4)), key=lambda x: cost(x, on_floor))


def ports(chains: dict[Arrow, list[Node]], places: dict[Node, float]) -> dict[Arrow, tuple[float, float]]:
    """Where each arrow leaves its box and where it arrives: as straight as can be, apart from its neighbours."""
    found: dict[int, dict[Arrow, float]] = {0: {}, -1: {}}
    for end in found:
        at = defaultdict(list)
        for arrow, chain in chains.items():
            box, toward = places[chain[end]], places[chain[1 if end == 0 else -2]]
            if len(chain) == 2:  # from box to box: in the middle of what both span
                toward = (box + toward) / 2
            at[chain[end]].append([min(max(toward, box - BOX / 2 + EDGE), box + BOX / 2 - EDGE), arrow])
        for box, met in at.items():
            met.sort(key=lambda port: (places[chains[port[1]][1 if end == 0 else -2]], port[1]))
            for one, after in pairwise(met):  # each as far right of the last one as it must be
                after[0] = max(after[0], one[0] + GAP)
            over = max(0.0, met[-1][0] - (places[box] + BOX / 2 - EDGE))
            found[end] |= {arrow: x - over for x, arrow in met}
    return {arrow: (found[0][arrow], found[-1][arrow]) for arrow in chains}


def line(chain: list[Node], places: dict[Node, float], start: float, end: float, top: int) -> str:
    """The path of one arrow: upright past every floor, curved between them."""
    x, y = start, level(chain[0][1], top) + HEIGHT
    path = [f"M{x:g} {y}"]
    for node in chain[1:]:
        last = node == chain[-1]
        to_x, to_y = end if last else places[node], level(node[1], top)
        if x != to_x:
            turned = to_y - 10 if last else to_y  # the tip shall point down
            bend = (y + turned) / 2
            path.append(f"C{x:g} {bend:g} {to_x:g} {bend:g} {to_x:g} {turned}")
        x, y = to_x, to_y - 1 if last else to_y + HEIGHT
        path.append(f"V{y}")
    return " ".join(path)
