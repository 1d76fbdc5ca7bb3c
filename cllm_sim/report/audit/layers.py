"""Where the boxes of a graph stand: in layers, so that arrows run one way, with as few crossings as a few sweeps find.

Arrows that close a circle run against the layers. An arrow over several layers gets a bend in each layer between, so
that it passes beside the boxes there. Rules of this file: positions follow from the graph alone, lengths are inches;
`along` counts across the layers, `across` within one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import networkx as nx

from cllm_sim.report.audit.shape import Graph

SWEEPS = 6
BEND = 0.16
"""Room that an arrow takes up beside the boxes of a layer that it passes."""


class Spot(NamedTuple):
    """A place: across the layers, and within a layer."""

    along: float
    across: float


@dataclass
class Layout:
    """Places of the boxes, and for each arrow the bends on its way; `back` are arrows that run against the layers."""

    spots: dict[str, Spot] = field(default_factory=dict)
    bends: dict[tuple[str, str], list[Spot]] = field(default_factory=dict)
    back: set[tuple[str, str]] = field(default_factory=set)
    depths: list[float] = field(default_factory=list)
    length: float = 0.0
    breadth: float = 0.0


def layers(graph: Graph) -> tuple[list[list[str]], set[tuple[str, str]]]:
    """The boxes in layers, boxes without arrows in the last one, and the arrows that run against them."""
    forward: nx.DiGraph[str] = nx.DiGraph()
    forward.add_nodes_from(node.id for node in graph.nodes)
    forward.add_edges_from((edge.a, edge.b) for edge in graph.edges)
    back: set[tuple[str, str]] = set()
    while not nx.is_directed_acyclic_graph(forward):
        a, b = nx.find_cycle(forward)[-1][:2]
        forward.remove_edge(a, b)
        if (b, a) not in forward.edges:
            forward.add_edge(b, a)
        back.add((a, b))
    alone = list(nx.isolates(forward))
    forward.remove_nodes_from(alone)
    found = [list(names) for names in nx.topological_generations(forward)]
    return _with_alone(_pulled(forward, found), alone), back


def _pulled(forward: "nx.DiGraph[str]", found: Sequence[Sequence[str]]) -> list[list[str]]:
    """Boxes that nothing leads to stand right before what they lead to, not all in the first layer."""
    layer = {name: number for number, names in enumerate(found) for name in names}
    for name in found[0] if found else ():
        layer[name] = min(layer[target] for target in forward.successors(name)) - 1
    return [[name for name in layer if layer[name] == number] for number in range(len(found))]


def _with_alone(found: list[list[str]], alone: Sequence[str]) -> list[list[str]]:
    """Boxes without arrows fill up the layers from the last one."""
    if not found:
        return [list(alone)] if alone else []
    for name in alone:
        fewest = min(range(len(found)), key=lambda number: (len(found[number]), -number))
        found[fewest].append(name)
    return found


def layout(graph: Graph, sizes: Mapping[str, tuple[float, float]], gaps: tuple[float, float], room: float) -> Layout:
    """Places for boxes of these sizes (along, across); `gaps` lie between layers and within one, `room` is the breadth
    that is there anyway."""
    ranks, back = layers(graph)
    chains = _chains(graph, ranks, back)
    columns = _ordered(ranks, chains)
    found = Layout(back=back)
    breadths = [
        sum(sizes[name][1] if name in sizes else BEND for name in column) + gaps[1] * (len(column) - 1)
        for column in columns
    ]
    found.breadth = max([room, *breadths])
    for column, breadth in zip(columns, breadths, strict=True):
        depth = max((sizes[name][0] for name in column if name in sizes), default=0.0)
        _place(found, column, sizes, found.length + depth / 2, breadth, gaps[1])
        found.depths.append(depth)
        found.length += depth + gaps[0]
    found.length -= gaps[0] if columns else 0.0
    for ends, chain in chains.items():
        passed = [found.spots[name] for name in chain[1:-1]]
        found.bends[ends] = passed[::-1] if ends in back else passed
    return found


def _place(
    found: Layout,
    column: Sequence[str],
    sizes: Mapping[str, tuple[float, float]],
    along: float,
    breadth: float,
    gap: float,
) -> None:
    """One layer, spread over the whole breadth."""
    spare = (found.breadth - breadth) / (len(column) + 1)
    edge = spare
    for name in column:
        size = sizes[name][1] if name in sizes else BEND
        found.spots[name] = Spot(along, edge + size / 2)
        edge += size + gap + spare


def _chains(
    graph: Graph, ranks: Sequence[Sequence[str]], back: set[tuple[str, str]]
) -> dict[tuple[str, str], list[str]]:
    """For each arrow the boxes and bends it passes, from the lower layer to the higher."""
    layer = {name: number for number, names in enumerate(ranks) for name in names}
    chains = {}
    for edge in graph.edges:
        low, high = (edge.b, edge.a) if (edge.a, edge.b) in back else (edge.a, edge.b)
        bends = [f"{low}\n{high}\n{number}" for number in range(layer[low] + 1, layer[high])]
        chains[edge.a, edge.b] = [low, *bends, high]
    return chains


def _ordered(ranks: Sequence[Sequence[str]], chains: Mapping[tuple[str, str], Sequence[str]]) -> list[list[str]]:
    """Boxes and bends of each layer, moved next to what they are connected with."""
    columns = [list(names) for names in ranks]
    layer = {name: number for number, names in enumerate(ranks) for name in names}
    linked: nx.Graph[str] = nx.Graph()
    for chain in chains.values():
        for number, name in enumerate(chain[1:-1], layer[chain[0]] + 1):
            if name not in columns[number]:
                columns[number].append(name)
        nx.add_path(linked, chain)
    for sweep in range(SWEEPS):
        numbers = range(len(columns)) if sweep % 2 == 0 else range(len(columns) - 1, -1, -1)
        for number in numbers:
            beside = columns[number - 1] if sweep % 2 == 0 else columns[number + 1] if number + 1 < len(columns) else []
            if sweep % 2 == 0 and number == 0:
                beside = []
            _sweep(columns[number], beside, linked)
    return columns


def _sweep(column: list[str], beside: Sequence[str], linked: "nx.Graph[str]") -> None:
    """Sort a layer by where its neighbours in the layer beside stand; who has none there keeps its place."""
    if not beside:
        return
    place = {name: (number + 0.5) / len(beside) for number, name in enumerate(beside)}
    kept = {name: (number + 0.5) / len(column) for number, name in enumerate(column)}

    def wish(name: str) -> float:
        found = [place[other] for other in linked.adj.get(name, ()) if other in place]
        return sum(found) / len(found) if found else kept[name]

    column.sort(key=wish)
