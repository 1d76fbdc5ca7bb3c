"""The timeline of one architecture: the real run above the simulated one, control on top, workers below, waits
hatched.

Both share one scale of time that starts at the first step shown. With many actors only some are drawn: the root and
the subtree of its first child; the title says so.
"""

from collections import defaultdict
from collections.abc import Sequence
from functools import partial

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cllm_sim.report.figures.style import FILLS, INK, WAITS, Picture, boxes, canvas, category, legend
from cllm_sim.report.naming import actor_labels, slug
from cllm_sim.report.quantities import counted, share
from cllm_sim.report.shape import Comparison, Timeline, widest

ROWS_MAX = 26
STEPS_MAX = 3
ARCHITECTURES_MAX = 6
ROW_INCHES = 0.17
BAR = 0.76
Box = tuple[float, float, float, float]


def pictures(comparison: Comparison) -> list[Picture]:
    """One picture for each architecture that has a timeline, at its largest number of workers."""
    names = dict.fromkeys(item.architecture for item in comparison.timelines if item.events)
    found = []
    for name in list(names)[:ARCHITECTURES_MAX]:
        lines = sorted(widest((item for item in comparison.timelines if item.events), name), key=lambda item: item.kind)
        title = f"Timeline of {name}" + (f", {lines[0].workers} workers" if lines[0].workers else "")
        actors = max((row.actors for row in widest(comparison.rows, name)), default=0)
        found.append(Picture(f"timeline-{slug(name)}", title, _caption(lines), partial(_draw, lines, actors)))
    return found


def _caption(lines: Sequence[Timeline]) -> str:
    told = lines[0]
    waited = sum(end - begin for _, name, begin, end, *_ in told.events if name in WAITS)
    locked = sum(end - begin for _, name, begin, end, *_ in told.events if name == "lock")
    total = sum(event[3] - event[2] for event in told.events)
    part = share(waited / total) if total else "none"
    of_it = f", {share(locked / waited)} of it for locks or notifies" if locked and waited else ""
    both = (
        "The real run above, the simulated one below, on the same scale" if len(lines) > 1 else f"The {told.kind} run"
    )
    return f"{both}: solid is work, hatched is waiting ({part} of all actors' time here{of_it})."


def _draw(lines: Sequence[Timeline], actors: int) -> Figure:
    rows = [_rows(item.actors) for item in lines]
    heights = [max(0.8, ROW_INCHES * len(shown)) for shown in rows]
    figure = canvas(sum(heights) + 0.45 * len(lines) + 0.75)
    axes = figure.subplots(len(lines), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    used: set[str] = set()
    length = max(_window(item)[1] - _window(item)[0] for item in lines)
    for axis, item, shown in zip(axes, lines, rows, strict=True):
        used |= _panel(axis, item, shown, max(actors, len(item.actors)) if len(item.actors) > 1 else 1)
        axis.set_xlim(0, length)
    axes[-1].set_xlabel("ms since the first step shown")
    legend(figure, used)
    return figure


def _panel(axis: Axes, item: Timeline, shown: Sequence[int], actors: int) -> set[str]:
    """Draw one run of so many actors; returns the categories that occur."""
    start, end = _window(item)
    place = {actor: row for row, actor in enumerate(shown)}
    found: dict[str, list[Box]] = defaultdict(list)
    for actor, name, begin, finish, *_ in item.events:
        left, right = max(begin, start) - start, min(finish, end) - start
        if actor in place and right > left:
            found[category(name)].append((left, right, place[actor] - BAR / 2, place[actor] + BAR / 2))
    for name in sorted(found, key=list(FILLS).index, reverse=True):  # work is drawn last, over the waits
        boxes(axis, name, found[name])
    for step in item.steps:
        if start < step < end:
            axis.axvline(step - start, color=INK, linewidth=0.9, linestyle=(0, (1, 1.5)), zorder=3)
    labels = actor_labels(item.actors)
    axis.set_yticks(range(len(shown)), [labels[item.actors[actor]] for actor in shown], fontsize=7.5)
    axis.tick_params(axis="y", length=0)
    axis.set_ylim(len(shown) - 0.4, -0.6)
    axis.set_title(_title(item, len(shown), actors))
    return set(found)


def _title(item: Timeline, shown: int, total: int) -> str:
    real = item.kind == "real"
    actors = counted(total, "process", "processes") if real else counted(total, "actor")
    part = "" if shown == total else f", {shown} of them shown"
    return f"{item.architecture} · {'real run' if real else 'simulated'} · {actors}{part}"


def _window(item: Timeline) -> tuple[float, float]:
    begin = item.steps[0] if item.steps else min(event[2] for event in item.events)
    end = max(event[3] for event in item.events)
    return begin, item.steps[STEPS_MAX] if len(item.steps) > STEPS_MAX else end


def _rows(actors: Sequence[str]) -> list[int]:
    """Which actors are drawn: all, or the root with its first subtree, as many as fit."""
    if len(actors) <= ROWS_MAX:
        return list(range(len(actors)))
    first = [index for index, name in enumerate(actors) if name in ("0", "0.0") or name.startswith("0.0.")]
    return (first or list(range(len(actors))))[:ROWS_MAX]
