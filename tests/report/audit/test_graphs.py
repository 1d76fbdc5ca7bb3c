"""The graphs of an audit: every box is drawn once, circles and crowds too, nothing stands on anything else."""

import itertools
from typing import Any

import pytest

from cllm_sim.report.audit import drawing, graphs
from cllm_sim.report.audit.layers import layers, layout
from cllm_sim.report.audit.shape import Edge, Graph, Node, read_audit
from cllm_sim.report.figures.style import Picture, rendered, settings

from tests.report.audit import sample

Box = tuple[float, float, float, float]


def made(edges: str, alone: str = "", kind: str = "worker") -> Graph:
    """`made("ab bc")`: arrows a to b and b to c."""
    pairs = [(one[0], one[1]) for one in edges.split()]
    names = dict.fromkeys([*itertools.chain.from_iterable(pairs), *alone])
    nodes = tuple(Node(id=name, label=name, kind=kind) for name in names)
    return Graph(nodes=nodes, edges=tuple(Edge(a=a, b=b, label="x") for a, b in pairs))


def boxes(graph: Graph) -> list[Box]:
    """The rectangles of all words in the picture, in pixels."""
    with settings("test"):
        figure = drawing.draw(graph)
        figure.draw_without_rendering()
        texts = [text.get_window_extent() for axes in figure.axes for text in axes.texts]
        width, height = figure.bbox.width, figure.bbox.height
    found = [(box.x0, box.y0, box.x1, box.y1) for box in texts]
    assert all(x0 >= 0 and y0 >= 0 and x1 <= width and y1 <= height for x0, y0, x1, y1 in found)
    return found


def overlapping(found: list[Box]) -> int:
    pairs = itertools.combinations(found, 2)
    return sum(min(a[2], b[2]) - max(a[0], b[0]) > 1 and min(a[3], b[3]) - max(a[1], b[1]) > 1 for a, b in pairs)


# ------------------------------------------------------------------------------------------------------------- layers
def test_arrows_run_one_way() -> None:
    ranks, back = layers(made("ab bc ac"))
    assert ranks == [["a"], ["b"], ["c"]]
    assert back == set()


def test_an_arrow_that_closes_a_circle_runs_back() -> None:
    ranks, back = layers(made("ab bc ca"))
    assert len(ranks) == 3
    assert len(back) == 1


def test_boxes_without_arrows_are_there() -> None:
    ranks, _ = layers(made("ab", "xyz"))
    assert sorted(itertools.chain.from_iterable(ranks)) == ["a", "b", "x", "y", "z"]
    assert layers(Graph()) == ([], set())


def test_an_arrow_over_several_layers_bends_beside_the_box_it_passes() -> None:
    graph = made("ab bc ac")
    placed = layout(graph, dict.fromkeys("abc", (1.0, 0.5)), (1.0, 0.2), 0.0)
    (bend,) = placed.bends["a", "c"]
    assert abs(bend.across - placed.spots["b"].across) >= 0.25
    assert bend.along == placed.spots["b"].along


# ------------------------------------------------------------------------------------------------------------ drawing
@pytest.mark.parametrize(
    "graph",
    [
        made("ab"),
        made("ab ba"),
        made("ab bc cd de ea"),
        made("ab ac ad be ce de ae"),
        made("ab bc cd de ef fg gh", "xy", "barrier"),
        made("", "abc", "condition"),
    ],
)
def test_no_words_stand_on_other_words(graph: Graph) -> None:
    assert overlapping(boxes(graph)) == 0


@pytest.mark.parametrize("name", ["thread-roles", "synchronisation-order"])
def test_the_graphs_of_the_sample_can_be_read(name: str) -> None:
    audit = read_audit(sample.sample())
    graph = graphs.drawn(graphs.graph(audit, name))
    found = boxes(graph)
    assert overlapping(found) == 0
    assert len(found) >= 2 * len(graph.nodes) + len(graph.edges)


def test_kinds_differ_in_outline_and_in_words() -> None:
    outlines = {
        drawing.OUTLINES[kind] for kind in ("worker", "control", "caller", "barrier", "mutex", "condition", "work")
    }
    assert len(outlines) == 7


def test_the_same_graph_gives_the_same_bytes() -> None:
    audit = read_audit(sample.sample())
    figure = graphs.figure(audit, "thread-roles")
    assert figure is not None
    first, second = (rendered(drawing.picture(audit, figure))[0] for _ in range(2))
    assert first == second


# -------------------------------------------------------------------------------------------------------------- sizes
def crowd(count: int) -> dict[str, Any]:
    data = sample.sample()
    nodes = data["graphs"]["roles"]["nodes"] + [
        {"id": f"lock {number}", "label": f"Pool.lock_{number}", "kind": "mutex"} for number in range(count)
    ]
    edges = data["graphs"]["roles"]["edges"] + [
        {"a": "worker", "b": f"lock {number}", "label": "locks"} for number in range(count)
    ]
    data["graphs"]["roles"] = {"nodes": nodes, "edges": edges}
    return data


def test_a_crowd_of_alike_boxes_becomes_one_and_the_caption_says_so() -> None:
    audit = read_audit(crowd(60))
    small = graphs.drawn(graphs.graph(audit, "thread-roles"))
    figure = graphs.figure(audit, "thread-roles")
    assert figure is not None
    assert len(small.nodes) <= graphs.NODES_MAX
    assert any(node.label.endswith("and 59 more") for node in small.nodes)
    assert figure.caption.startswith("69 boxes and 69 arrows, drawn as ")
    assert len(figure.arrows) == 69


def test_a_crowd_of_different_boxes_keeps_those_with_most_arrows() -> None:
    nodes = tuple(Node(id=f"n{number}", kind="work") for number in range(80))
    edges = tuple(Edge(a="n0", b=f"n{number}", label=str(number)) for number in range(1, 80))
    small = graphs.drawn(Graph(nodes=nodes, edges=edges))
    assert len(small.nodes) == graphs.NODES_MAX
    assert small.nodes[0].id == "n0"
    assert all({edge.a, edge.b} <= {node.id for node in small.nodes} for edge in small.edges)


def test_two_arrows_between_the_same_boxes_become_one_with_two_heads() -> None:
    nodes = (Node(id="a"), Node(id="b"), Node(id="c"))
    edges = (Edge(a="a", b="b", label="wait"), Edge(a="b", b="a", label="orders"), Edge(a="b", b="c", label="starts"))
    found = graphs.drawn(Graph(nodes=nodes, edges=edges)).edges
    assert [(edge.a, edge.b, edge.label, edge.both) for edge in found] == [
        ("a", "b", "wait\nback: orders", True),
        ("b", "c", "starts", False),
    ]


def test_arrows_to_nowhere_and_to_oneself_are_not_drawn() -> None:
    graph = Graph(nodes=(Node(id="a"),), edges=(Edge(a="a", b="a"), Edge(a="a", b="gone")))
    assert graphs.drawn(graph).edges == ()
    assert rendered(Picture("alone", "t", "c", lambda: drawing.draw(graphs.drawn(graph))))[0].startswith(b"<?xml")
