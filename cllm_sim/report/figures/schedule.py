"""A counterexample as a picture: a column for each actor, a row for each step in the order in which they happened.

Thin arrows are an actor's own order, strong ones what synchronisation establishes (with the object that carries it);
the two sides of a race are grey with a thick frame and joined by a dashed line: there is no order. A dotted line across
all columns says where the way back ended.
"""

from collections.abc import Sequence
from functools import partial

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

from cllm_sim.report.figures.graph import LOOKS, SOLID, Look
from cllm_sim.report.figures.style import FAINT, INK, WIDTH, Picture, canvas
from cllm_sim.report.naming import actor_label, parents, slug
from cllm_sim.report.quantities import counted
from cllm_sim.report.shape import Graph, GraphEdge

ROW_INCHES = 0.3
HEAD_INCHES = 1.0
CHARACTER_INCHES = 0.06
BEND = 0.12
OWN = Look("an actor's own order", FAINT, SOLID, 0.9)
BETWEEN = Look("synchronisation: must come first", INK, SOLID, 1.3)
MISSING = Look("no order: the defect", LOOKS["missing"].colour, LOOKS["missing"].dash, 2.2)
WAYS = {"own": OWN, "order": BETWEEN, "missing": MISSING}
Place = tuple[float, float]


def picture(graph: Graph, name: str) -> Picture:
    """The picture of one counterexample; `name` is the file's."""
    first = int(graph.nodes[0].id)
    cut = f", from step {first} on" if first > 1 else ""
    missing = any(edge.style == "missing" for edge in graph.edges)
    lacking = "; dashed: the two sides of the race, which nothing orders" if missing else ""
    back = f"; dotted: after step {graph.no_way_back} there was no way back" if graph.no_way_back else ""
    others = f" ({counted(graph.hidden, 'actor')} more not shown)" if graph.hidden else ""
    caption = f"{counted(len(graph.nodes), 'step')}{cut}{others}, time runs downward{lacking}{back}."
    return Picture(slug(name), f"What happens before what in {graph.architecture}", caption, partial(_draw, graph))


def _draw(graph: Graph) -> Figure:
    columns = _columns(graph)
    places = {node.id: (float(columns.index(node.group)), float(row)) for row, node in enumerate(graph.nodes)}
    figure = canvas(HEAD_INCHES + ROW_INCHES * len(graph.nodes))
    axis = figure.subplots()
    axis.set_axis_off()
    axis.set_xlim(-0.5, len(columns) - 0.5)
    axis.set_ylim(len(graph.nodes) - 0.4, -1.6)
    boxes = {node.id: _box(axis, graph, node.id, places[node.id], len(columns)) for node in graph.nodes}
    named = _named(graph)
    for edge in sorted(graph.edges, key=lambda edge: list(WAYS).index(edge.style)):
        _arrow(axis, edge, boxes, places)
        if edge in named:
            _label(axis, edge.label, _on_arrow(places[edge.source], places[edge.target], WIDTH / len(columns)))
    _heads(axis, columns, len(graph.nodes))
    if graph.no_way_back:
        before = sum(int(node.id) <= graph.no_way_back for node in graph.nodes)
        _no_way_back(axis, graph, before - 0.5)
    used = [way for style, way in WAYS.items() if any(edge.style == style for edge in graph.edges)]
    handles = [
        Line2D([], [], color=way.colour, linestyle=way.dash, linewidth=way.width, label=way.label) for way in used
    ]
    if handles:
        figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), handlelength=3)
    return figure


def _named(graph: Graph) -> list[GraphEdge]:
    """The arrows that say what carries them: one for each object and meeting, not every one of many."""
    seen: set[tuple[str, str]] = set()
    found = []
    for edge in graph.edges:
        ends = {(edge.label, edge.source), (edge.label, edge.target)}
        if edge.style == "order" and edge.label and not ends & seen:
            found.append(edge)
        seen |= ends
    return found


def _columns(graph: Graph) -> list[str]:
    """The actors in order of their addresses; controls before their children."""
    return sorted({node.group for node in graph.nodes}, key=lambda name: [_number(part) for part in name.split(".")])


def _number(part: str) -> tuple[int, str]:
    return (int(part), "") if part.isdecimal() else (1_000_000, part)


def _box(axis: Axes, graph: Graph, name: str, place: Place, columns: int) -> Text:
    node = next(node for node in graph.nodes if node.id == name)
    room = max(6, int(0.95 * WIDTH / columns / CHARACTER_INCHES))
    side = node.mark == "side"
    return axis.text(
        *place, _fitted(f"{name}  {node.label}", room), ha="center", va="center", fontsize=7, zorder=4,
        fontweight="bold" if side else "normal",
        bbox={
            "boxstyle": "square,pad=0.25", "facecolor": "#d9d9d9" if side else "white", "edgecolor": INK,
            "linewidth": 2.0 if side else 0.7,
        },
    )  # fmt: skip


def _fitted(label: str, room: int) -> str:
    """The label as far as it fits, its end (the line) always."""
    if len(label) <= room:
        return label
    head, _, line = label.rpartition(":")
    kept = room - len(line) - 2
    return f"{head[:kept].rstrip()}… :{line}" if kept > 2 else label[:room]


def _arrow(axis: Axes, edge: GraphEdge, boxes: dict[str, Text], places: dict[str, Place]) -> None:
    way = WAYS[edge.style]
    start, end = places[edge.source], places[edge.target]
    missing = edge.style == "missing"
    bend = 0.0 if edge.style == "own" else _bend(start, end, missing)
    axis.annotate(
        "", end, start, zorder=5 if missing else 3 if edge.style == "order" else 2,
        arrowprops={
            "arrowstyle": "<|-|>" if missing else "-|>", "connectionstyle": f"arc3,rad={bend}", "color": way.colour,
            "linestyle": way.dash, "linewidth": way.width, "shrinkA": 1, "shrinkB": 1, "mutation_scale": 9,
            "patchA": boxes[edge.source].get_bbox_patch(), "patchB": boxes[edge.target].get_bbox_patch(),
        },
    )  # fmt: skip


def _bend(start: Place, end: Place, missing: bool) -> float:
    """Arrows over several columns are bent upward, so that they do not run along the boxes between."""
    span = end[0] - start[0]
    return 0.0 if abs(span) < 1.5 or missing else BEND * (-1 if span > 0 else 1)


def _on_arrow(start: Place, end: Place, column_inches: float) -> Place:
    """A point of the arrow half a column before its end, where no box is; the middle of a short one."""
    span = abs(end[0] - start[0])
    along = 1 - 0.5 / span if span > 1 else 0.5
    across, down = (end[0] - start[0]) * column_inches, (end[1] - start[1]) * ROW_INCHES
    swell = 2 * along * (1 - along) * _bend(start, end, missing=False)
    return (
        start[0] + along * (end[0] - start[0]) - swell * down / column_inches,
        start[1] + along * (end[1] - start[1]) + swell * across / ROW_INCHES,
    )


def _label(axis: Axes, text: str, spot: Place) -> None:
    axis.text(
        *spot, text, ha="center", va="center", fontsize=6, zorder=6, color=INK,
        bbox={"boxstyle": "square,pad=0.1", "facecolor": "white", "linewidth": 0},
    )  # fmt: skip


def _heads(axis: Axes, columns: Sequence[str], rows: int) -> None:
    controls = parents(columns)
    for column, name in enumerate(columns):
        axis.plot([column, column], [-0.8, rows - 0.5], color=FAINT, linewidth=0.6, linestyle=":", zorder=0)
        axis.text(column, -1.1, actor_label(name, controls), ha="center", fontweight="bold", fontsize=8)


def _no_way_back(axis: Axes, graph: Graph, row: float) -> None:
    if not 0 < row < len(graph.nodes) - 0.2:
        return
    axis.axhline(row, color=INK, linewidth=1.2, linestyle=(0, (1, 1.5)), zorder=1)
    axis.text(
        axis.get_xlim()[0], row, "no way back", ha="left", va="center", fontsize=6.5, zorder=6,
        bbox={"boxstyle": "square,pad=0.1", "facecolor": "white", "linewidth": 0},
    )  # fmt: skip
