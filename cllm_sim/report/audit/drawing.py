"""Draws a graph of an audit: boxes whose outline tells their kind, arrows with their labels, all of it in ink on white.

Rules of this file: lengths are inches and the axis covers the whole figure, so that what is computed is what is seen;
the same graph gives the same bytes. The kind stands in words in every box, nothing is told by colour alone.
"""

import itertools
import textwrap
from collections import defaultdict
from dataclasses import dataclass
from functools import partial
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.patches import Ellipse, FancyArrowPatch, FancyBboxPatch, Patch, Polygon, Rectangle
from matplotlib.path import Path

from cllm_sim.report.audit.blocks import Figure
from cllm_sim.report.audit.graphs import drawn, graph
from cllm_sim.report.audit.layers import Layout, layers, layout
from cllm_sim.report.audit.shape import Audit, Edge, Graph, Node
from cllm_sim.report.figures.style import INK, WIDTH, Picture, canvas

Point = tuple[float, float]
Box = tuple[float, float, float, float]

FONT = 7.5
SMALL = 6.5
CHARACTER = 0.066
LINE = 0.135
PAD = 0.1
MARGIN = 0.15
WRAP = 22
LABEL_WRAP = 18
LAYERS_BESIDE = 4
"""So many layers stand beside each other; more of them go from top to bottom."""

SLANT = 0.14
CUT = 0.08
LINES = {"thick": 2.2, "hexagon": 1.3}
STEPS = 12
"""Points of a curve between two bends that are looked at for a label's place."""

ROLES = frozenset({"worker", "control", "caller", "other", "role", "thread"})
OUTLINES = {
    "worker": "round",
    "control": "thick",
    "caller": "square",
    "barrier": "hexagon",
    "mutex": "cut",
    "rwlock": "cut",
    "spinlock": "cut",
    "condition": "ellipse",
    "semaphore": "ellipse",
    "work": "filled",
    "function": "filled",
    "region": "double",
    "segment": "double",
}


@dataclass(frozen=True, slots=True)
class Shape:
    """A box before it has a place."""

    kind: str
    lines: tuple[str, ...]
    width: float
    height: float


def picture(audit: Audit, figure: Figure) -> Picture:
    """The picture for a figure of the report."""
    return Picture(figure.name, figure.title, figure.caption, partial(draw, drawn(graph(audit, figure.name))))


def draw(found: Graph) -> Canvas:
    """The whole graph on a canvas of its own size."""
    ranks, _ = layers(found)
    beside = len(ranks) <= LAYERS_BESIDE
    wrap = WRAP if beside else max(9, min(20, int((WIDTH / max(map(len, ranks), default=1) - 0.45) / CHARACTER)))
    shapes = {node.id: _shape(node, wrap) for node in found.nodes}
    placed = _layout(found, shapes, beside, len(ranks))
    points = {name: _point(spot, beside) for name, spot in placed.spots.items()}
    width = max(WIDTH, (placed.length if beside else placed.breadth) + 2 * MARGIN)
    height = (placed.breadth if beside else placed.length) + 2 * MARGIN
    figure = canvas(height)
    figure.set_layout_engine("none")  # everything has its place already
    figure.set_figwidth(width)
    axis = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axis.set_axis_off()
    axis.set_xlim(-MARGIN - (width - 2 * MARGIN - (placed.length if beside else placed.breadth)) / 2, None)
    axis.set_xlim(axis.get_xlim()[0], axis.get_xlim()[0] + width)
    axis.set_ylim(height - MARGIN, -MARGIN)
    for name, shape in shapes.items():
        _box(axis, shape, points[name])
    _arrows(axis, found, shapes, placed, points, beside)
    return figure


def _layout(found: Graph, shapes: dict[str, Shape], beside: bool, count: int) -> Layout:
    sizes = {
        name: (shape.width, shape.height) if beside else (shape.height, shape.width) for name, shape in shapes.items()
    }
    labelled = any(edge.label for edge in found.edges)
    if not beside:
        return layout(found, sizes, (0.75 if labelled else 0.5, 0.25), WIDTH - 2 * MARGIN)
    taken = sum(max((sizes[name][0] for name in names), default=0.0) for names in layers(found)[0])
    gap = (WIDTH - 2 * MARGIN - taken) / max(1, count - 1)
    return layout(found, sizes, (max(1.15 if labelled else 0.6, min(gap, 2.2)), 0.22), 0.0)


def _point(spot: tuple[float, float], beside: bool) -> Point:
    return (spot[0], spot[1]) if beside else (spot[1], spot[0])


# ------------------------------------------------------------------------------------------------------------- boxes
def _shape(node: Node, wrap: int) -> Shape:
    label = node.label or node.id
    lines = tuple(part for line in label.splitlines() for part in _wrapped(line, wrap)) or ("",)
    longest = max(map(len, (*lines, node.kind)))
    slanted = OUTLINES.get(node.kind) in ("hexagon", "ellipse")
    width = longest * CHARACTER + 2 * PAD + (0.3 if slanted else 0.06)
    return Shape(node.kind, lines, width, LINE * (len(lines) + 1) + 2 * PAD + (0.08 if slanted else 0.0))


def _wrapped(line: str, width: int) -> list[str]:
    """Lines of a name: broken where a name of C is put together, else where it has to be."""
    words = textwrap.wrap(line, width, break_long_words=False) or [""]
    return [part for word in words for part in _broken(word, width)]


def _broken(word: str, width: int) -> list[str]:
    parts = []
    while len(word) > width:
        cut = max(word.rfind(mark, 1, width) for mark in "._-/>") + 1
        cut = cut if cut > width // 3 else width
        parts.append(word[:cut])
        word = word[cut:]
    return [*parts, word]


def _box(axis: Axes, shape: Shape, place: Point) -> None:
    axis.add_patch(_outline(shape, place))
    x, y = place
    if OUTLINES.get(shape.kind) == "double":
        for side in (-1, 1):
            edge = x + side * (shape.width / 2 - 0.05)
            axis.plot([edge, edge], [y - shape.height / 2, y + shape.height / 2], color=INK, linewidth=0.8, zorder=4)
    top = y - LINE * len(shape.lines) / 2
    axis.text(x, top, shape.kind, ha="center", va="center", fontsize=SMALL, style="italic", zorder=5)
    for number, line in enumerate(shape.lines):
        weight = "bold" if shape.kind in ROLES else "normal"
        axis.text(x, top + LINE * (number + 1), line, ha="center", va="center", fontsize=FONT, weight=weight, zorder=5)


def _outline(shape: Shape, place: Point) -> Patch:
    """The outline that tells the kind; kinds without one of their own are rounded and dashed."""
    name = OUTLINES.get(shape.kind, "dashed")
    (x, y), w, h = place, shape.width / 2, shape.height / 2
    patch: Patch
    if name == "hexagon":
        patch = _polygon(place, [(w, 0.0), (w - SLANT, h), (SLANT - w, h), (-w, 0.0), (SLANT - w, -h), (w - SLANT, -h)])
    elif name == "cut":
        right = [(w, CUT - h), (w, h - CUT), (w - CUT, h)]
        left = [(CUT - w, h), (-w, h - CUT), (-w, CUT - h), (CUT - w, -h), (w - CUT, -h)]
        patch = _polygon(place, right + left)
    elif name == "ellipse":
        patch = Ellipse(place, 2 * w, 2 * h)
    elif name in ("thick", "square", "double"):
        patch = Rectangle((x - w, y - h), 2 * w, 2 * h)
    else:
        corner, size = (x - w + CUT, y - h + CUT), (2 * (w - CUT), 2 * (h - CUT))
        patch = FancyBboxPatch(corner, *size, boxstyle=f"round,pad={CUT},rounding_size=0.1")
    patch.set(facecolor="#e6e6e6" if name == "filled" else "white", edgecolor=INK, zorder=3)
    patch.set(linewidth=LINES.get(name, 0.9), linestyle=(0.0, (4.0, 2.0)) if name == "dashed" else "solid")
    return patch


def _polygon(place: Point, corners: list[Point]) -> Polygon:
    return Polygon([(place[0] + x, place[1] + y) for x, y in corners], closed=True)


# ------------------------------------------------------------------------------------------------------------ arrows
def _arrows(
    axis: Axes, found: Graph, shapes: dict[str, Shape], placed: Layout, points: dict[str, Point], beside: bool
) -> None:
    ends = _ports(found, shapes, placed, points, beside)
    taken: list[Box] = [_around(points[name], shape.width, shape.height) for name, shape in shapes.items()]
    routes = {(edge.a, edge.b): _route(edge, ends, placed, beside) for edge in found.edges}
    for edge in found.edges:
        head = "<|-|>" if edge.both else "-|>"
        style = f"{head},head_length=4.5,head_width=2"
        path = _path(routes[edge.a, edge.b], beside)
        axis.add_patch(FancyArrowPatch(path=path, arrowstyle=style, color=INK, linewidth=0.9, zorder=2))
    for edge in found.edges:
        if edge.label:
            _label(axis, edge.label, _samples(_path(routes[edge.a, edge.b], beside)), taken)


def _route(edge: Edge, ends: dict[tuple[str, str, int], Point], placed: Layout, beside: bool) -> list[Point]:
    bends = [_point(spot, beside) for spot in placed.bends[edge.a, edge.b]]
    return [ends[edge.a, edge.b, 0], *bends, ends[edge.a, edge.b, 1]]


def _ports(
    found: Graph, shapes: dict[str, Shape], placed: Layout, points: dict[str, Point], beside: bool
) -> dict[tuple[str, str, int], Point]:
    """Where each arrow leaves and enters its boxes: spread over the side, in the order of where it comes from."""
    sides: dict[tuple[str, bool], list[tuple[float, tuple[str, str, int]]]] = defaultdict(list)
    for edge in found.edges:
        against = (edge.a, edge.b) in placed.back
        bends = placed.bends[edge.a, edge.b]
        first = bends[0] if bends else placed.spots[edge.b]
        last = bends[-1] if bends else placed.spots[edge.a]
        nudge = 0.001 if against else 0.0  # there and back again: two arrows beside each other, not upon
        sides[edge.a, not against].append((first[1] + nudge, (edge.a, edge.b, 0)))
        sides[edge.b, against].append((last[1] + nudge, (edge.a, edge.b, 1)))
    ends = {}
    for (name, far), arrows in sides.items():
        shape, (along, across) = shapes[name], placed.spots[name]
        depth, breadth = (shape.width, shape.height) if beside else (shape.height, shape.width)
        for number, (_, key) in enumerate(sorted(arrows)):
            offset = 0.7 * breadth * ((number + 0.5) / len(arrows) - 0.5)
            inset = _inset(shape, 2 * abs(offset) / breadth, beside)
            ends[key] = _point((along + (1 if far else -1) * (depth / 2 - inset), across + offset), beside)
    return ends


def _inset(shape: Shape, share: float, beside: bool) -> float:
    """How far an outline lies inside its rectangle, at this share of the way from the middle of a side to its end."""
    outline = OUTLINES.get(shape.kind)
    if outline == "ellipse":
        half = (shape.width if beside else shape.height) / 2
        return float(half * (1 - (1 - min(1.0, share) ** 2) ** 0.5))
    if outline == "hexagon" and beside:
        return 0.14 * share
    return 0.0


def _path(route: list[Point], beside: bool) -> Path:
    """A smooth line through all points that leaves and enters boxes straight."""
    points, codes = [route[0]], [Path.MOVETO]
    for (x, y), (next_x, next_y) in itertools.pairwise(route):
        middle_x, middle_y = (x + next_x) / 2, (y + next_y) / 2
        controls = [(middle_x, y), (middle_x, next_y)] if beside else [(x, middle_y), (next_x, middle_y)]
        points += [*controls, (next_x, next_y)]
        codes += [Path.CURVE4] * 3
    return Path(points, codes)


def _samples(path: Path) -> list[Point]:
    """Points on the curve, from its beginning to its end."""
    found: list[Point] = []
    segments: Any = path.iter_bezier()  # its stub says that it yields only the curve
    for curve, _ in segments:
        shares = [step / STEPS for step in range(STEPS + 1)] if curve.degree else []
        found += [(float(x), float(y)) for x, y in (curve(share) for share in shares)]
    return found


def _label(axis: Axes, text: str, curve: list[Point], taken: list[Box]) -> None:
    """The words of an arrow, at the first place on it where nothing else stands."""
    lines = [part for line in text.splitlines() for part in _wrapped(line, LABEL_WRAP)]
    width, height = max(map(len, lines)) * CHARACTER * SMALL / FONT + 0.06, 0.12 * len(lines) + 0.04
    spots = [curve[int(share * (len(curve) - 1))] for share in (0.5, 0.4, 0.6, 0.3, 0.7, 0.22, 0.78, 0.15, 0.85)]
    boxes = [_around(spot, width, height) for spot in spots]
    best = min(
        range(len(boxes)), key=lambda number: (round(sum(_overlap(boxes[number], one) for one in taken), 4), number)
    )
    taken.append(boxes[best])
    x, y = spots[best]
    axis.text(x, y, "\n".join(lines), ha="center", va="center", fontsize=SMALL, zorder=6, linespacing=1.1,
              bbox={"boxstyle": "square,pad=0.1", "facecolor": "white", "linewidth": 0})  # fmt: skip


def _around(point: Point, width: float, height: float) -> Box:
    return point[0] - width / 2, point[1] - height / 2, point[0] + width / 2, point[1] + height / 2


def _overlap(one: Box, other: Box) -> float:
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    return across * down if across > 0 and down > 0 else 0.0
