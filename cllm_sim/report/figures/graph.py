"""What is broken, as a graph: who waits for whom, or what happens before what and where an order is missing.

Happens-before: one column an actor, time runs downward. Wait-for: actors on the left and what they wait for on the
right; a circle where actors wait for one another. Positions follow from the graph alone.
"""

import math
import textwrap
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import networkx as nx
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

from cllm_sim.report.figures.style import FAINT, INK, WIDTH, Picture, canvas
from cllm_sim.report.naming import actor_label, parents, slug
from cllm_sim.report.quantities import counted
from cllm_sim.report.shape import Comparison, Graph, GraphEdge, GraphNode

GRAPHS_MAX = 6
WRAP = 26
LAYER_INCHES = 0.68
LINE_INCHES = 0.14
ROW_INCHES = 0.34
CIRCLE_INCHES = 3.2
NODES_MAX = 28
TITLE_WRAP = 95
COLUMNS_MAX = 5
CHARACTER_INCHES = 0.064
SPAN_STRAIGHT = 1.5
RING_BEND = 0.22
"""So that two that wait for each other have two arrows."""
Place = tuple[float, float]
Places = dict[str, Place]


SOLID: tuple[float, Sequence[float]] = (0.0, ())


@dataclass(frozen=True, slots=True)
class Look:
    """How arrows of one style are drawn."""

    label: str
    colour: str
    dash: tuple[float, Sequence[float]]
    width: float


LOOKS = {
    "order": Look("happens before", INK, SOLID, 1.0),
    "missing": Look("no order: the defect", "#a4321e", (0.0, (4.0, 2.0)), 2.0),
    "waits": Look("waits for", INK, SOLID, 1.0),
    "circle": Look("the circle: each waits for the next", INK, SOLID, 2.4),
}


def pictures(comparison: Comparison) -> list[Picture]:
    """One picture a graph."""
    found: list[Picture] = []
    names: list[str] = []
    for graph in [graph for graph in comparison.graphs if graph.nodes and graph.kind != "schedule"][:GRAPHS_MAX]:
        name = f"{graph.kind}-{slug(graph.architecture)}"
        names.append(name)
        name += f"-{names.count(name)}" if names.count(name) > 1 else ""
        kind = "Who waits for whom" if graph.kind == "wait-for" else "What happens before what"
        found.append(Picture(name, f"{kind} in {graph.architecture}", _caption(graph), partial(_draw, graph)))
    return found


def _caption(graph: Graph) -> str:
    missing = sum(edge.style == "missing" for edge in graph.edges)
    if graph.kind == "happens-before":
        lacking = f"; dashed: {counted(missing, 'order')} that nothing establishes" if missing else ""
        return f"{graph.title or graph.architecture}: time runs downward, arrows are what must come first{lacking}."
    ring = len({edge.source for edge in graph.edges if edge.style == "circle"})
    if ring:
        return (
            f"{graph.title or graph.architecture}. The thick arrows are the circle of {ring}: none of them can go on."
        )
    waiting = len({edge.source for edge in graph.edges if edge.source not in {other.target for other in graph.edges}})
    who = counted(waiting, "actor waits", "actors wait") if waiting else "actors wait in a circle, each"
    return f"{graph.title or graph.architecture}: {who} for what nobody left can do."


def _draw(graph: Graph) -> Figure:
    lanes = graph.kind == "happens-before"
    drawn = graph if lanes else _together(graph)
    places, height = _lanes(graph) if lanes else _columns(drawn) or _circle(drawn)
    figure = canvas(height + 0.75)
    axis = figure.subplots()
    axis.set_axis_off()
    xs, ys = [place[0] for place in places.values()], [place[1] for place in places.values()]
    axis.set_xlim(min(xs) - 0.5, max(xs) + 0.5)
    axis.set_ylim(max(ys) + (_hanging(graph, places) if lanes else 0.6), min(ys) - (1.0 if lanes else 0.6))
    wrap = _wrap(graph) if lanes else WRAP
    size = 7.5 if len(set(xs)) <= COLUMNS_MAX or not lanes else 6.5
    labels = {node.id: _shown(graph, node.label or node.id, wrap) for node in drawn.nodes}
    boxes = {name: _box(axis, label, places[name], size, below=True) for name, label in labels.items()}
    for name, label in labels.items():  # once more over the arrows, whose ends need the boxes drawn before them
        _box(axis, label, places[name], size, below=False)
    told: set[tuple[str, str]] = set()
    for edge in drawn.edges:
        if graph.kind == "wait-for" and (edge.source, edge.label) in told:  # one arrow of an actor says for what
            edge = edge.model_copy(update={"label": ""})
        told.add((edge.source, edge.label))
        _arrow(axis, edge, boxes, places, (WIDTH / (max(xs) - min(xs) + 1), _row_inches(drawn)))
    if lanes:
        _heads(axis, graph, places)
    axis.set_title("\n".join(textwrap.wrap(graph.title or graph.architecture, TITLE_WRAP)))
    _legend(figure, drawn)
    return figure


def _legend(figure: Figure, graph: Graph) -> None:
    handles = [
        Line2D([], [], color=look.colour, linestyle=look.dash, linewidth=look.width, label=look.label)
        for style, look in LOOKS.items()
        if any(edge.style == style for edge in graph.edges)
    ]
    if handles:
        figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), handlelength=3)


# ------------------------------------------------------------------------------------------------------------- places
def _together(graph: Graph) -> Graph:
    """Too many boxes are put together: those of one group that wait for the same, and are waited for by the same."""
    alike: dict[tuple[str, frozenset[str], frozenset[str]], list[GraphNode]] = defaultdict(list)
    for node in graph.nodes:
        targets = frozenset(edge.target for edge in graph.edges if edge.source == node.id)
        sources = frozenset(edge.source for edge in graph.edges if edge.target == node.id)
        alike[node.group, targets, sources].append(node)
    if len(graph.nodes) <= NODES_MAX:
        return graph
    stands_for = {node.id: some[0].id for some in alike.values() for node in some}
    nodes = tuple(some[0].model_copy(update={"label": _more(some)}) for some in alike.values())
    edges = {
        (stands_for[edge.source], stands_for[edge.target]): edge.model_copy(
            update={"source": stands_for[edge.source], "target": stands_for[edge.target]}
        )
        for edge in graph.edges
    }
    return graph.model_copy(update={"nodes": nodes, "edges": tuple(edges.values())})


def _more(group: Sequence[GraphNode]) -> str:
    rest = f"\nand {len(group) - 1} more" if len(group) > 1 else ""
    return (group[0].label or group[0].id) + rest


def _wrap(graph: Graph) -> int:
    """Characters in a line of a box, so that the boxes of all columns have room beside each other."""
    columns = len({node.group for node in graph.nodes})
    size = CHARACTER_INCHES if columns <= COLUMNS_MAX else 0.87 * CHARACTER_INCHES
    return max(10, min(WRAP, int(0.93 * WIDTH / max(1, columns) / size)))


def _lanes(graph: Graph) -> tuple[Places, float]:
    """A column for each actor, a row for each step of the longest chain of arrows; nobody shares a place."""
    groups = list(dict.fromkeys(node.group for node in graph.nodes))
    rows = _rows(graph)
    places: Places = {}
    for node in sorted(graph.nodes, key=lambda node: rows[node.id]):
        place = (float(groups.index(node.group)), float(rows[node.id]))
        while place in places.values():
            place = (place[0], place[1] + 1)
        places[node.id] = place
    return places, _row_inches(graph) * (1.0 + _hanging(graph, places) + max(place[1] for place in places.values()))


def _hanging(graph: Graph, places: Places) -> float:
    """Rows below the lowest one that its box and the bent arrows need."""
    lowest = max(place[1] for place in places.values())
    reach = [0.6]
    for edge in graph.edges:
        start, end = places[edge.source], places[edge.target]
        if edge.style == "missing" and abs(end[0] - start[0]) >= SPAN_STRAIGHT:
            sag = _sag_inches(abs(end[0] - start[0]), _row_inches(graph)) / _row_inches(graph)
            reach.append((start[1] + end[1]) / 2 + sag + 0.15 - lowest)
    return max(reach)


def _row_inches(graph: Graph) -> float:
    lines = max(len(_shown(graph, node.label or node.id, _wrap(graph)).splitlines()) for node in graph.nodes)
    return LAYER_INCHES + LINE_INCHES * max(0, lines - 2)


def _rows(graph: Graph) -> dict[str, int]:
    """Length of the longest chain before each node; as given where the arrows run in a circle."""
    ordered: nx.DiGraph[str] = nx.DiGraph()
    ordered.add_nodes_from(node.id for node in graph.nodes)
    ordered.add_edges_from((edge.source, edge.target) for edge in graph.edges if edge.style == "order")
    if not nx.is_directed_acyclic_graph(ordered):
        return {name: row for row, name in enumerate(ordered)}
    return {name: row for row, names in enumerate(nx.topological_generations(ordered)) for name in names}


def _columns(graph: Graph) -> tuple[Places, float] | None:
    """Who waits on the left, what is waited for to the right of it; None where some wait for one another."""
    waiting: nx.DiGraph[str] = nx.DiGraph()
    waiting.add_nodes_from(node.id for node in graph.nodes)
    waiting.add_edges_from((edge.source, edge.target) for edge in graph.edges)
    if not nx.is_directed_acyclic_graph(waiting):
        return None
    given = {node.id: row for row, node in enumerate(graph.nodes)}
    columns = [sorted(names, key=given.__getitem__) for names in nx.topological_generations(waiting)]
    most = max(len(names) for names in columns)
    places: Places = {}
    for column, names in enumerate(columns):
        gap = most / len(names)
        for row, name in enumerate(names):
            places[name] = (float(column), gap * (row + 0.5))
    lines = max(len((node.label or node.id).splitlines()) for node in graph.nodes)
    return places, (ROW_INCHES + LINE_INCHES * max(0, lines - 1)) * (most + 0.8)


def _circle(graph: Graph) -> tuple[Places, float]:
    count = len(graph.nodes)
    spots = nx.circular_layout(nx.path_graph(count))
    turn = math.pi / 2
    places = {
        node.id: (
            1.5 * (spots[index][0] * math.cos(turn) - spots[index][1] * math.sin(turn)),
            -1.5 * (spots[index][0] * math.sin(turn) + spots[index][1] * math.cos(turn)),
        )
        for index, node in enumerate(graph.nodes)
    }
    return places, CIRCLE_INCHES


# ------------------------------------------------------------------------------------------------------------ drawing
def _shown(graph: Graph, label: str, wrap: int) -> str:
    controls = parents([node.id for node in graph.nodes])
    lines = [actor_label(line, controls) if graph.kind == "wait-for" else line for line in label.splitlines()]
    return "\n".join(part for line in lines for part in textwrap.wrap(line, wrap) or [""])


def _box(axis: Axes, label: str, place: Place, size: float, below: bool) -> Text:
    return axis.text(
        *place, label, ha="center", va="center", fontsize=size, zorder=2 if below else 4, linespacing=1.25,
        bbox={"boxstyle": "round,pad=0.35", "facecolor": "white", "edgecolor": INK, "linewidth": 0.9},
    )  # fmt: skip


def _arrow(axis: Axes, edge: GraphEdge, boxes: dict[str, Text], places: Places, inches: tuple[float, float]) -> None:
    """One arrow; `inches` are the sizes of a column and a row, from which follows how far it bends."""
    look = LOOKS[edge.style]
    start, end = places[edge.source], places[edge.target]
    bend = _bend(edge, start, end, inches)
    axis.annotate(
        "", end, start, zorder=3,
        arrowprops={
            "arrowstyle": "<|-|>" if edge.style == "missing" else "-|>", "connectionstyle": f"arc3,rad={bend:.3f}",
            "color": look.colour, "linestyle": look.dash, "linewidth": look.width, "shrinkA": 1, "shrinkB": 1,
            "patchA": boxes[edge.source].get_bbox_patch(), "patchB": boxes[edge.target].get_bbox_patch(),
        },
    )  # fmt: skip
    if edge.label:
        told = "\n".join(part for line in edge.label.splitlines() for part in textwrap.wrap(line, WRAP))
        axis.text(
            *_beside(start, end, bend, inches), told, ha="center", va="center", fontsize=7, zorder=3.5,
            color=look.colour, bbox={"boxstyle": "square,pad=0.15", "facecolor": "white", "linewidth": 0},
        )  # fmt: skip


def _bend(edge: GraphEdge, start: Place, end: Place, inches: tuple[float, float]) -> float:
    """How much an arrow over several columns is bent: a missing order below the boxes, an order above them."""
    if edge.style == "circle":
        return RING_BEND
    span = abs(end[0] - start[0])
    if span < SPAN_STRAIGHT or edge.style == "waits":
        return 0.0
    length = math.hypot(span * inches[0], (end[1] - start[1]) * inches[1])
    side = 1.0 if edge.style == "missing" else -1.0
    height = _sag_inches(span, inches[1]) if edge.style == "missing" else 0.4 * inches[1]
    return side * math.copysign(2 * height / length, end[0] - start[0])


def _sag_inches(span: float, row_inches: float) -> float:
    """How far below the straight line a missing order over several columns runs."""
    return 0.75 * row_inches + 0.06 * span


def _beside(start: Place, end: Place, bend: float, inches: tuple[float, float]) -> Place:
    """Where the label of an arrow stands: on it, between the last two columns, where no box is."""
    along = 1 - (0.5 if abs(end[0] - start[0]) < SPAN_STRAIGHT else 0.62) / max(1.0, abs(end[0] - start[0]))
    across, down = (end[0] - start[0]) * inches[0], (end[1] - start[1]) * inches[1]
    swell = 2 * along * (1 - along) * bend
    return (
        start[0] + along * (end[0] - start[0]) - swell * down / inches[0],
        start[1] + along * (end[1] - start[1]) + swell * across / inches[1],
    )


def _heads(axis: Axes, graph: Graph, places: Places) -> None:
    """The actors' names above their columns, and a faint line down each."""
    groups: Sequence[str] = list(dict.fromkeys(node.group for node in graph.nodes))
    controls = parents(groups)
    bottom = max(place[1] for place in places.values()) + 0.45
    for column, name in enumerate(groups):
        axis.plot([column, column], [-0.55, bottom], color=FAINT, linewidth=0.7, linestyle=":", zorder=0)
        axis.text(
            column, -0.72, actor_label(name, controls) if name else "", ha="center", fontweight="bold", fontsize=8
        )
