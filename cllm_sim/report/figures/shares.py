"""Where each actor's time goes: measured beside simulated, work solid and first, waiting hatched behind it.

Up to `ACTORS_MAX` actors stand one by one; more are put together by level of the tree, the mean share with a whisker
from the least to the most working of them.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import zip_longest
from statistics import fmean

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cllm_sim.report.figures.style import FILLS, INK, Picture, boxes, canvas, legend
from cllm_sim.report.naming import actor_labels, level
from cllm_sim.report.quantities import share
from cllm_sim.report.shape import ActorShare, Comparison, widest

ACTORS_MAX = 16
COLUMNS_MAX = 4
ROW_INCHES = 0.26
BAR = 0.4
VISIBLE = 0.002
PARTS = ("compute", "fold", "update", "barrier", "lock", "ready")


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: the shares of one actor or of several, and the working shares between which they lie."""

    label: str
    parts: dict[str, float]
    least: float
    most: float


def pictures(comparison: Comparison) -> list[Picture]:
    """One picture with a panel for each architecture, at its largest number of workers."""
    panels = {
        name: widest(comparison.shares, name) for name in dict.fromkeys(item.architecture for item in comparison.shares)
    }
    if not panels:
        return []
    return [Picture("shares", "Where each actor's time goes", _caption(panels), partial(_draw, panels))]


def _caption(panels: dict[str, tuple[ActorShare, ...]]) -> str:
    told = []
    for name, shares in panels.items():
        kind = "real" if any(item.kind == "real" for item in shares) else "simulated"
        mine = [item for item in shares if item.kind == kind]
        locked, work = fmean(item.lock for item in mine), fmean(item.working for item in mine)
        told.append(
            f"{name} works {share(work)} of the time"
            + (f" and waits for locks or notifies {share(locked)}" if locked > 0.005 else "")
        )
    both = any(item.kind == "real" for shares in panels.values() for item in shares) and any(
        item.kind == "simulated" for shares in panels.values() for item in shares
    )
    upper = "Upper bar measured, lower bar simulated; over" if both else "Over"
    return f"{upper} all actors, {', '.join(told)}."


def _draw(panels: dict[str, tuple[ActorShare, ...]]) -> Figure:
    drawn = {name: {kind: bars(shares, kind) for kind in ("real", "simulated")} for name, shares in panels.items()}
    lines = _lines({name: _labels(kinds) for name, kinds in drawn.items()})
    columns = max(len(line) for line in lines)
    heights = [max(0.5, ROW_INCHES * len(_labels(drawn[line[0]]))) for line in lines]
    figure = canvas(sum(heights) + 0.55 * len(lines) + 0.8)
    grid = figure.subplots(len(lines), columns, squeeze=False, height_ratios=heights)
    for line, axes in zip(lines, grid, strict=True):
        for name, axis in zip_longest(line, axes):
            if name is None:
                axis.set_axis_off()
            else:
                _panel(axis, name, drawn[name], labelled=name == line[0])
    grid[-1][0].set_xlabel(f"share of the time ({_told(drawn.values())})", loc="left")
    legend(
        figure, {part for kinds in drawn.values() for found in kinds.values() for bar in found for part in bar.parts}
    )
    return figure


def _lines(labels: dict[str, list[str]]) -> list[list[str]]:
    """Architectures with the same actors stand beside each other and share the labels; others get a line."""
    lines: list[list[str]] = []
    for name, mine in labels.items():
        room = next((line for line in lines if labels[line[0]] == mine and len(line) < COLUMNS_MAX), None)
        if room is None:
            lines.append([name])
        else:
            room.append(name)
    return sorted(lines, key=lambda line: -len(labels[line[0]]))


def _told(drawn: Iterable[dict[str, list[Bar]]]) -> str:
    present = {kind for kinds in drawn for kind, found in kinds.items() if found}
    if len(present) > 1:
        return "upper bar measured, lower bar simulated"
    return "measured" if "real" in present else "simulated"


def bars(shares: Sequence[ActorShare], kind: str) -> list[Bar]:
    """The bars of one run, control first."""
    mine = [item for item in shares if item.kind == kind]
    labels = actor_labels([item.actor for item in mine])
    if len(mine) <= ACTORS_MAX:
        return [_together(labels[item.actor], [item]) for item in mine]
    groups: dict[str, list[ActorShare]] = defaultdict(list)
    for item in mine:
        groups[_group(labels[item.actor], item.actor)].append(item)
    return [_together(f"{len(some)} {name}s" if len(some) > 1 else name, some) for name, some in groups.items()]


def _group(label: str, name: str) -> str:
    if level(name) in (0, None):
        return label
    return "inner control" if label.startswith("control") else "worker"


def _together(label: str, shares: Sequence[ActorShare]) -> Bar:
    parts = {part: fmean(getattr(item, part) for item in shares) for part in PARTS}
    parts["other"] = max(0.0, 1 - sum(parts.values()))
    working = [item.working for item in shares]
    return Bar(label, {name: parts[name] for name in FILLS if parts[name] > 0}, min(working), max(working))


def _labels(kinds: dict[str, list[Bar]]) -> list[str]:
    return list(dict.fromkeys(bar.label for found in kinds.values() for bar in found))


def _panel(axis: Axes, name: str, kinds: dict[str, list[Bar]], labelled: bool) -> None:
    labels = _labels(kinds)
    present = [kind for kind in kinds if kinds[kind]]
    corners: dict[str, list[tuple[float, float, float, float]]] = defaultdict(list)
    for kind in present:
        offset = 0.0 if len(present) == 1 else -BAR / 2 if kind == "real" else BAR / 2
        for bar in kinds[kind]:
            place = labels.index(bar.label) + offset
            _stack(corners, place, bar)
            _whisker(axis, place, bar)
    for part, found in corners.items():
        boxes(axis, part, found)
    axis.set_yticks(range(len(labels)), labels if labelled else [""] * len(labels), fontsize=7.5)
    axis.set_ylim(len(labels) - 0.45, -0.55)
    axis.set_xlim(0, 1)
    axis.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "", "50", "", "100 %"])
    axis.tick_params(axis="y", length=0)
    axis.set_title(name)


def _stack(corners: dict[str, list[tuple[float, float, float, float]]], place: float, bar: Bar) -> None:
    """Add the boxes of one bar: work first, then waiting."""
    left = 0.0
    for part in sorted(bar.parts, key=list(FILLS).index):
        right = left + bar.parts[part]
        corners[part].append((left, right, place - 0.46 * BAR, place + 0.46 * BAR))
        left = right


def _whisker(axis: Axes, place: float, bar: Bar) -> None:
    if bar.most - bar.least > VISIBLE:
        axis.plot([bar.least, bar.most], [place, place], color="white", linewidth=3, solid_capstyle="butt")
        axis.plot([bar.least, bar.most], [place, place], color=INK, linewidth=1.2, marker="|", markersize=5)
