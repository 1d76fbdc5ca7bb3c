"""The two graphs of an audit as data: which thread does what, and which object orders whom before whom.

A graph that is too large to be read is made smaller before it is drawn: boxes alike in kind and neighbours become one,
then those with the fewest arrows are left out, and the caption says so. Rules of this file: nothing is drawn here
(`drawing` does that), so that the terminal and the Markdown can tell the arrows without loading anything.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from cllm_sim.report.audit.blocks import Code, Figure, Words
from cllm_sim.report.audit.shape import Audit, Edge, Graph, Node
from cllm_sim.report.quantities import counted

NODES_MAX = 26
NAMES_MAX = 2
TITLES = {
    "thread-roles": "Who does what and waits on what",
    "synchronisation-order": "Which object orders whom before whom",
}


def graph(audit: Audit, name: str) -> Graph:
    """The graph behind a figure."""
    return audit.graphs.roles if name == "thread-roles" else audit.graphs.order


def figure(audit: Audit, name: str) -> Figure | None:
    """The place for a figure, with its arrows in words; None where there is nothing to draw."""
    whole = graph(audit, name)
    if not whole.nodes:
        return None
    labels = {node.id: node.label or node.id for node in whole.nodes}
    arrows: list[Words] = [
        (Code(labels.get(edge.a, edge.a)), " → ", Code(labels.get(edge.b, edge.b)),
         f": {edge.label}" if edge.label else "")
        for edge in whole.edges
    ]  # fmt: skip
    return Figure(name, TITLES[name], _caption(whole), tuple(arrows))


def _caption(whole: Graph) -> str:
    size = f"{counted(len(whole.nodes), 'box', 'boxes')} and {counted(len(whole.edges), 'arrow')}"
    shown = drawn(whole)
    kinds = "the first line of a box says what it is"
    if len(shown.nodes) < len(whole.nodes):
        return f"{size}, drawn as {counted(len(shown.nodes), 'box', 'boxes')}: the rest is only told in words; {kinds}."
    return f"{size}; {kinds}."


def drawn(whole: Graph) -> Graph:
    """The graph in a size that can be read: without arrows to nowhere or to the box they come from."""
    known = {node.id for node in whole.nodes}
    edges = _merged(edge for edge in whole.edges if edge.a != edge.b and {edge.a, edge.b} <= known)
    small = Graph(nodes=whole.nodes, edges=tuple(edges))
    if len(small.nodes) > NODES_MAX:
        small = _together(small)
    if len(small.nodes) > NODES_MAX:
        small = _largest(small)
    return small


def _merged(edges: Iterable[Edge]) -> list[Edge]:
    """One arrow for all between the same two boxes, with two heads where they run both ways."""
    labels: dict[tuple[str, str], list[str]] = defaultdict(list)
    for edge in edges:
        labels[edge.a, edge.b].append(edge.label)
    told = {ends: "\n".join(dict.fromkeys(filter(None, found))) for ends, found in labels.items()}
    merged = []
    for number, (a, b) in enumerate(told):
        both = (b, a) in told
        if both and list(told).index((b, a)) < number:
            continue
        back = told[b, a] if both else ""
        label = f"{told[a, b]}\nback: {back}".strip() if back and back != told[a, b] else told[a, b]
        merged.append(Edge(a=a, b=b, label=label, both=both))
    return merged


def _together(whole: Graph) -> Graph:
    """Boxes of one kind with the same arrows become one."""
    alike: dict[object, list[Node]] = defaultdict(list)
    for node in whole.nodes:
        goes = frozenset((edge.b, edge.label, edge.both) for edge in whole.edges if edge.a == node.id)
        comes = frozenset((edge.a, edge.label, edge.both) for edge in whole.edges if edge.b == node.id)
        alike[node.kind, goes, comes].append(node)
    stands_for = {node.id: some[0].id for some in alike.values() for node in some}
    nodes = tuple(some[0].model_copy(update={"label": _label(some)}) for some in alike.values())
    moved: dict[tuple[str, str], Edge] = {}
    for edge in whole.edges:
        ends = stands_for[edge.a], stands_for[edge.b]
        if ends[0] != ends[1]:
            moved.setdefault(ends, edge.model_copy(update={"a": ends[0], "b": ends[1]}))
    return Graph(nodes=nodes, edges=tuple(moved.values()))


def _label(some: Sequence[Node]) -> str:
    names = [node.label or node.id for node in some]
    rest = [f"and {len(names) - NAMES_MAX} more"] if len(names) > NAMES_MAX else []
    return "\n".join(names[:NAMES_MAX] + rest)


def _largest(whole: Graph) -> Graph:
    """The boxes with the most arrows, in the order of the result."""
    degree = {node.id: sum(node.id in (edge.a, edge.b) for edge in whole.edges) for node in whole.nodes}
    kept = set(sorted(degree, key=lambda name: -degree[name])[:NODES_MAX])
    nodes = tuple(node for node in whole.nodes if node.id in kept)
    return Graph(nodes=nodes, edges=tuple(edge for edge in whole.edges if {edge.a, edge.b} <= kept))
