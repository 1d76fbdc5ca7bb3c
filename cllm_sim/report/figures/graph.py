"""What is broken, as a graph: who waits for whom, or what happens before what and where an order is missing.

Happens-before: one column an actor, time runs downward. Wait-for: actors on the left and what they wait for on the right;
a circle where actors wait for one another. Positions follow from the graph alone.
"""

import math
import textwrap
from collections.abc import Sequence
from functools import partial

import networkx as nx
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

from cllm_sim.report.figures.style import FAINT, INK, Picture, canvas
from cllm_sim.report.naming import actor_label, parents, slug
from cllm_sim.report.quantities import counted
from cllm_sim.report.shape import Comparison, Graph, GraphEdge

GRAPHS_MAX = 6
WRAP = 26
LAYER_INCHES = 0.72
ROW_INCHES = 0.34
CIRCLE_INCHES = 4.2
Places = dict[str, tuple[float, float]]

LOOKS = {
    "order": ("happens before", INK, "-", 1.0),
    "missing": ("no order: the defect", "#a4321e", (0, (4, 2)), 2.0),
    "waits": ("waits for", INK, "-", 1.2),
}


def pictures(comparison: Comparison) -> list[Picture]:
    """One picture a graph."""
    found: list[Picture] = []
    names: list[str] = []
    for graph in [graph for graph in comparison.graphs if graph.nodes][:GRAPHS_MAX]:
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
    waiting = len({edge.source for edge in graph.edges if edge.style == "waits"})
    return f"{graph.title or graph.architecture}: {counted(waiting, 'actor waits', 'actors wait')} for what nobody left can do."


def _draw(graph: Graph) -> Figure:
    if graph.kind == "happens-before":
        places, height = _lanes(graph)
    elif len(_objects(graph)) > 0:
        places, height = _sides(graph)
    else:
        places, height = _circle(graph)
    figure = canvas(height + 0.75)
    axis = figure.subplots()
    axis.set_axis_off()
    xs, ys = [place[0] for place in places.values()], [place[1] for place in places.values()]
    axis.set_xlim(min(xs) - 0.5, max(xs) + 0.5)
    axis.set_ylim(max(ys) + 0.6, min(ys) - (1.0 if graph.kind == "happens-before" else 0.6))
    boxes = {node.id: _box(axis, _shown(graph, node.label or node.id), places[node.id]) for node in graph.nodes}
    for edge in graph.edges:
        _arrow(axis, edge, boxes, places)
    if graph.kind == "happens-before":
        _heads(axis, graph, places)
    if graph.title:
        axis.set_title("\n".join(textwrap.wrap(graph.title, 95)))
    styles = [style for style in LOOKS if any(edge.style == style for edge in graph.edges)]
    handles = [Line2D([], [], color=LOOKS[name][1], linestyle=LOOKS[name][2], linewidth=LOOKS[name][3], label=LOOKS[name][0]) for name in styles]
    if handles:
        figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), handlelength=3)
    return figure


# ------------------------------------------------------------------------------------------------------------------ places
def _objects(graph: Graph) -> list[str]:
    """What is waited for without waiting itself."""
    waiting = {edge.source for edge in graph.edges}
    return [node.id for node in graph.nodes if node.id not in waiting and any(edge.target == node.id for edge in graph.edges)]


def _lanes(graph: Graph) -> tuple[Places, float]:
    groups = list(dict.fromkeys(node.group for node in graph.nodes))
    ordered: nx.DiGraph[str] = nx.DiGraph()
    ordered.add_nodes_from(node.id for node in graph.nodes)
    ordered.add_edges_from((edge.source, edge.target) for edge in graph.edges if edge.style == "order")
    layer = _layers(ordered)
    taken: dict[tuple[str, int], str] = {}
    places: Places = {}
    for node in sorted(graph.nodes, key=lambda node: layer[node.id]):
        row = layer[node.id]
        while (node.group, row) in taken:
            row += 1
        taken[node.group, row] = node.id
        places[node.id] = (float(groups.index(node.group)), float(row))
    return places, LAYER_INCHES * (2 + max(place[1] for place in places.values()))


def _layers(ordered: "nx.DiGraph[str]") -> dict[str, int]:
    """Length of the longest chain before each node; in the order given where the arrows run in a circle."""
    if not nx.is_directed_acyclic_graph(ordered):
        return {name: row for row, name in enumerate(ordered)}
    return {name: row for row, names in enumerate(nx.topological_generations(ordered)) for name in names}


def _sides(graph: Graph) -> tuple[Places, float]:
    objects = _objects(graph)
    actors = [node.id for node in graph.nodes if node.id not in objects]
    places: Places = {name: (0.0, float(row)) for row, name in enumerate(actors)}
    gap = max(1.0, len(actors) / max(1, len(objects)))
    middle = (len(actors) - 1) / 2
    for row, name in enumerate(objects):
        places[name] = (1.0, middle + gap * (row - (len(objects) - 1) / 2))
    rows = max(place[1] for place in places.values()) - min(place[1] for place in places.values())
    return places, ROW_INCHES * (rows + 2.2)


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


# ------------------------------------------------------------------------------------------------------------------ drawing
def _shown(graph: Graph, label: str) -> str:
    controls = parents([node.id for node in graph.nodes])
    lines = [actor_label(line, controls) if graph.kind == "wait-for" else line for line in label.splitlines()]
    return "\n".join(part for line in lines for part in textwrap.wrap(line, WRAP) or [""])


def _box(axis: Axes, label: str, place: tuple[float, float]) -> Text:
    return axis.text(
        *place, label, ha="center", va="center", fontsize=7.5, zorder=4, linespacing=1.25,
        bbox={"boxstyle": "round,pad=0.35", "facecolor": "white", "edgecolor": INK, "linewidth": 0.9},
    )  # fmt: skip


def _arrow(axis: Axes, edge: GraphEdge, boxes: dict[str, Text], places: Places) -> None:
    _, colour, dash, width = LOOKS[edge.style]
    start, end = places[edge.source], places[edge.target]
    two_ways = "<|-|>" if edge.style == "missing" else "-|>"
    axis.annotate(
        "", end, start, zorder=5,
        arrowprops={
            "arrowstyle": two_ways, "color": colour, "linestyle": dash, "linewidth": width, "shrinkA": 1, "shrinkB": 1,
            "patchA": boxes[edge.source].get_bbox_patch(), "patchB": boxes[edge.target].get_bbox_patch(),
        },
    )  # fmt: skip
    if edge.label:
        x, y = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
        axis.text(
            x, y, "\n".join(part for line in edge.label.splitlines() for part in textwrap.wrap(line, WRAP)), ha="center", va="center",
            fontsize=7, zorder=6, color=colour, bbox={"boxstyle": "square,pad=0.15", "facecolor": "white", "linewidth": 0},
        )  # fmt: skip


def _heads(axis: Axes, graph: Graph, places: Places) -> None:
    """The actors' names above their columns, and a faint line down each."""
    groups: Sequence[str] = list(dict.fromkeys(node.group for node in graph.nodes))
    controls = parents(groups)
    bottom = max(place[1] for place in places.values()) + 0.45
    for column, name in enumerate(groups):
        axis.plot([column, column], [-0.55, bottom], color=FAINT, linewidth=0.7, linestyle=":", zorder=0)
        axis.text(column, -0.72, actor_label(name, controls) if name else "", ha="center", fontweight="bold", fontsize=8)


