"""The control tree, the darker the longer an actor waits; every number stands beside its shade.

Two levels below the root are drawn: the children as circles with their share, theirs as small squares above the
median of the subtree. What lies deeper is folded into the square above it. Positions follow from the addresses.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from statistics import median
from typing import Any

import networkx as nx
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from cllm_sim.report.figures.style import FAINT, INK, Picture, canvas
from cllm_sim.report.quantities import listed, share
from cllm_sim.report.shape import Comparison, ControlTree, TreeNode, widest

TREES_MAX = 4
PER_LINE = 14
SHADES = colormaps["Greys"]
LIGHTEST, DARKEST = 0.02, 0.85
PANEL_INCHES = {1: 1.85, 2: 3.0}
SQUARES = 3
SQUARE = 0.2
STEPS = 26
"""Shades of the legend; with more of them matplotlib would put a raster image into the SVG."""


@dataclass
class Layout:
    """A tree on paper: the drawn nodes with their places and shares, and the shares of what hangs below."""

    graph: "nx.DiGraph[str]" = field(default_factory=nx.DiGraph)
    place: dict[str, tuple[float, float]] = field(default_factory=dict)
    share: dict[str, float | None] = field(default_factory=dict)
    below: dict[str, list[float | None]] = field(default_factory=lambda: defaultdict(list))


def pictures(comparison: Comparison) -> list[Picture]:
    """One picture with a panel for each architecture, at its largest number of workers."""
    names = dict.fromkeys(tree.architecture for tree in comparison.trees)
    trees = [tree for name in names for tree in widest(comparison.trees, name)[:1] if tree.nodes][:TREES_MAX]
    if not trees:
        return []
    return [Picture("tree", "The control tree, coloured by waiting", _caption(trees), partial(_draw, trees))]


def _caption(trees: Sequence[ControlTree]) -> str:
    told = []
    for tree in trees:
        inner = {node.parent for node in tree.nodes}
        leaves = [
            node.waiting_share for node in tree.nodes if node.name not in inner and node.waiting_share is not None
        ]
        if leaves:
            told.append(
                f"{share(median(leaves))} ({share(min(leaves))} to {share(max(leaves))}) in {tree.architecture}"
            )
    half = f": the median worker waits {listed(told)}" if told else ""
    return f"The darker, the larger the share of its time that an actor waits{half}."


def layout(tree: ControlTree) -> Layout:
    """Places of the root, its children, and their children put together; x runs over the children, y downward."""
    found = Layout()
    known = {node.name: node for node in tree.nodes}
    root = next((node for node in tree.nodes if node.parent not in known), tree.nodes[0])
    children = [node for node in tree.nodes if node.parent == root.name and node is not root][:PER_LINE]
    _add(found, root, (0.5 * (len(children) - 1), 0.0))
    for index, child in enumerate(children):
        _add(found, child, (float(index), 1.0))
        found.graph.add_edge(root.name, child.name)
        for grandchild in (node for node in tree.nodes if node.parent == child.name):
            found.below[child.name].append(_subtree(tree.nodes, grandchild))
    return found


def _add(found: Layout, node: TreeNode, place: tuple[float, float]) -> None:
    found.graph.add_node(node.name)
    found.place[node.name] = place
    found.share[node.name] = node.waiting_share


def _subtree(nodes: Sequence[TreeNode], top: TreeNode) -> float | None:
    inside = [node.waiting_share for node in nodes if node is top or node.name.startswith(f"{top.name}.")]
    known = [value for value in inside if value is not None]
    return median(known) if known else None


def _draw(trees: Sequence[ControlTree]) -> Figure:
    layouts = [layout(tree) for tree in trees]
    heights = [PANEL_INCHES[2 if found.below else 1] for found in layouts]
    figure = canvas(sum(heights) + 0.3 * len(trees))
    axes = figure.subplots(len(trees), 1, squeeze=False, height_ratios=heights)[:, 0]
    for axis, tree, found in zip(axes, trees, layouts, strict=True):
        _panel(axis, tree, found)
    shades = ScalarMappable(Normalize(0, 1), ListedColormap([_shade(step / (STEPS - 1)) for step in range(STEPS)]))
    bar = figure.colorbar(shades, ax=list(axes), shrink=min(0.9, 2.0 / sum(heights)), aspect=18, pad=0.01)
    bar.set_ticks([0, 0.5, 1], labels=["0 %", "50 %", "100 %"])
    bar.set_label("share of its time an actor waits")
    return figure


def _shade(value: float | None) -> Any:
    return "white" if value is None else SHADES(LIGHTEST + (DARKEST - LIGHTEST) * min(1.0, max(0.0, value)))


def _panel(axis: Axes, tree: ControlTree, found: Layout) -> None:
    drawn: Any = found.graph
    nodes = list(found.graph)
    nx.draw_networkx_edges(drawn, found.place, ax=axis, arrows=False, edge_color=FAINT, width=0.8)
    nx.draw_networkx_nodes(
        drawn, found.place, nodelist=nodes, ax=axis, node_size=500,
        node_color=[_shade(found.share[name]) for name in nodes], edgecolors=INK, linewidths=0.8,
    )  # fmt: skip
    for name in nodes:
        _label(axis, found, name)
    for name, shares in found.below.items():
        _squares(axis, found.place[name], shares)
    width = max(1, len(nodes) - 2)
    axis.set_xlim(-0.6, max(width, 1) + 0.6)
    axis.set_ylim(2.55 if found.below else 1.4, -0.28)
    axis.set_axis_off()
    more = f", {len(tree.nodes)} actors" if found.below else ""
    axis.set_title(f"{tree.architecture}{more}")


def _label(axis: Axes, found: Layout, name: str) -> None:
    x, y = found.place[name]
    value = found.share[name]
    dark = value is not None and value > 0.6
    axis.text(
        x,
        y,
        "–" if value is None else share(value),
        ha="center",
        va="center",
        fontsize=6.5,
        color="white" if dark else INK,
    )
    if y == 0:
        axis.annotate("control", (x, y), (14, 0), textcoords="offset points", va="center", fontsize=7.5)
    else:
        axis.annotate(name, (x, y), (0, -14), textcoords="offset points", ha="center", va="top", fontsize=7)


def _squares(axis: Axes, place: tuple[float, float], shares: Sequence[float | None]) -> None:
    """The children of a drawn control, three a line, with the median and the ends below."""
    x, top = place[0], 1.42
    lines = -(-len(shares) // SQUARES)
    height = min(SQUARE, 0.6 / max(1, lines))
    for index, value in enumerate(shares):
        column, line = index % SQUARES, index // SQUARES
        corner = (x + (column - SQUARES / 2) * (SQUARE + 0.04), top + line * height)
        axis.add_patch(Rectangle(corner, SQUARE, height * 0.85, facecolor=_shade(value), edgecolor=INK, linewidth=0.4))
    known = [value for value in shares if value is not None]
    if known:
        text = f"{share(median(known))}\n{100 * min(known):.0f}–{100 * max(known):.0f}"
        axis.text(x, top + lines * height + 0.08, text, ha="center", va="top", fontsize=6.5)
