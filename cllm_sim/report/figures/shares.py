"""Where each actor's time goes: measured beside simulated, work solid and first, waiting hatched behind it.

Up to `ACTORS_MAX` actors stand one by one; more are put together by level of the tree, the mean share with a whisker from
the least to the most working of them.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cllm_sim.report.figures.style import FILLS, HATCH_COLOUR, INK, WAITS, Picture, canvas, patch
from cllm_sim.report.naming import actor_labels, level
from cllm_sim.report.quantities import share
from cllm_sim.report.shape import ActorShare, Comparison, widest

ACTORS_MAX = 16
COLUMNS = 2
ROW_INCHES = 0.26
BAR = 0.4
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
    panels = {name: widest(comparison.shares, name) for name in dict.fromkeys(item.architecture for item in comparison.shares)}
    if not panels:
        return []
    return [Picture("shares", "Where each actor's time goes", _caption(panels), partial(_draw, panels))]


def _caption(panels: dict[str, tuple[ActorShare, ...]]) -> str:
    told = []
    for name, shares in panels.items():
        kind = "real" if any(item.kind == "real" for item in shares) else "simulated"
        mine = [item for item in shares if item.kind == kind]
        locked, work = fmean(item.lock for item in mine), fmean(item.working for item in mine)
        told.append(f"{name} works {share(work)} of the time" + (f" and waits for locks {share(locked)}" if locked > 0.005 else ""))
    both = any(item.kind == "real" for shares in panels.values() for item in shares) and any(
        item.kind == "simulated" for shares in panels.values() for item in shares
    )
    upper = "Upper bar measured, lower bar simulated; over" if both else "Over"
    return f"{upper} all actors, {', '.join(told)}."


def _draw(panels: dict[str, tuple[ActorShare, ...]]) -> Figure:
    columns = min(COLUMNS, len(panels))
    drawn = {name: {kind: bars(shares, kind) for kind in ("real", "simulated")} for name, shares in panels.items()}
    names = list(drawn)
    lines = [names[start : start + columns] for start in range(0, len(names), columns)]
    heights = [max(1.0, max(ROW_INCHES * len(_labels(drawn[name])) for name in some)) for some in lines]
    figure = canvas(sum(heights) + 0.55 * len(lines) + 0.6)
    grid = figure.subplots(len(lines), columns, squeeze=False, height_ratios=heights)
    for index, axis in enumerate(grid.flat):
        if index < len(names):
            _panel(axis, names[index], drawn[names[index]])
        else:
            axis.set_axis_off()
    used = {part for kinds in drawn.values() for bars_ in kinds.values() for bar in bars_ for part, value in bar.parts.items() if value > 0}
    handles = [patch(name) for name in FILLS if name in used]
    figure.legend(handles=handles, loc="outside lower center", ncols=min(7, len(handles)), handlelength=2.6)
    return figure


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
    return label if level(name) in (0, None) else label.partition(" ")[0]


def _together(label: str, shares: Sequence[ActorShare]) -> Bar:
    parts = {part: fmean(getattr(item, part) for item in shares) for part in PARTS}
    parts["other"] = max(0.0, 1 - sum(parts.values()))
    working = [item.working for item in shares]
    return Bar(label, {name: parts[name] for name in FILLS if parts[name] > 0}, min(working), max(working))


def _labels(kinds: dict[str, list[Bar]]) -> list[str]:
    return list(dict.fromkeys(bar.label for found in kinds.values() for bar in found))


def _panel(axis: Axes, name: str, kinds: dict[str, list[Bar]]) -> None:
    labels = _labels(kinds)
    present = [kind for kind in kinds if kinds[kind]]
    for kind in present:
        offset = 0.0 if len(present) == 1 else -BAR / 2 if kind == "real" else BAR / 2
        for bar in kinds[kind]:
            _bar(axis, labels.index(bar.label) + offset, bar)
    axis.set_yticks(range(len(labels)), labels, fontsize=7.5)
    axis.set_ylim(len(labels) - 0.45, -0.55)
    axis.set_xlim(0, 1)
    axis.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25", "50", "75", "100 %"])
    axis.tick_params(axis="y", length=0)
    kinds_told = {("real",): "measured", ("simulated",): "simulated"}.get(tuple(present), "measured above simulated")
    axis.set_title(f"{name} · {kinds_told}", fontsize=8.5)


def _bar(axis: Axes, place: float, bar: Bar) -> None:
    left = 0.0
    order = sorted(bar.parts, key=lambda part: (part in WAITS, list(FILLS).index(part)))
    for part in order:
        fill = FILLS[part]
        axis.barh(
            place, bar.parts[part], left=left, height=BAR * 0.92, color=fill.face, edgecolor=HATCH_COLOUR, linewidth=0.4, hatch=fill.hatch
        )
        left += bar.parts[part]
    if bar.most - bar.least > 0.002:
        axis.plot([bar.least, bar.most], [place, place], color="white", linewidth=3, solid_capstyle="butt")
        axis.plot([bar.least, bar.most], [place, place], color=INK, linewidth=1.2, marker="|", markersize=5)
