"""Speed-up against serial: how many times the steps of one process the design makes in the same time.

Whiskers are the 5 to 95 percent points of the steps themselves. With three numbers of workers or more it is a curve
over workers, else one line a row. Beyond the number of cores more workers cannot be faster; the figure marks that
place.
"""

from collections.abc import Sequence
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cllm_sim.report.figures.style import FAINT, INK, Picture, canvas, line
from cllm_sim.report.shape import Comparison, Row

CURVE_MIN = 3


def pictures(comparison: Comparison) -> list[Picture]:
    """One picture, of all rows with a speed-up."""
    rows = [row for row in comparison.rows if row.speedup_vs_serial and row.speedup_vs_serial > 0]
    if not rows:
        return []
    return [Picture("speedup", "Speed-up against serial", _caption(comparison, rows), partial(_draw, comparison, rows))]


def _caption(comparison: Comparison, rows: Sequence[Row]) -> str:
    sound = [row for row in rows if not row.marked_broken and row.architecture not in comparison.alone] or rows
    best = max(sound, key=lambda row: row.speedup_vs_serial or 0.0)
    cores = _cores(comparison)
    limit = f"; {cores} cores allow {cores} at most" if cores else ""
    label = comparison.label(best, best.depth)
    return f"{label} makes {_spread(best)} times as many steps as one process alone{limit}."


def _spread(row: Row) -> str:
    told = " ({:.2f} to {:.2f})".format(*row.speedup_interval) if row.speedup_interval else ""
    return f"{row.speedup_vs_serial or 0.0:.2f}{told}"


def _whiskers(row: Row) -> tuple[float, float]:
    """How far the speed-up of single steps lies below and above that of the median."""
    value = row.speedup_vs_serial or 0.0
    low, high = row.speedup_interval or (value, value)
    return max(0.0, value - low), max(0.0, high - value)


def _cores(comparison: Comparison) -> int | None:
    cores = comparison.environment.get("cores")
    return cores if isinstance(cores, int) and cores > 0 else None


def _draw(comparison: Comparison, rows: Sequence[Row]) -> Figure:
    if len({row.workers for row in rows if row.architecture not in comparison.alone}) >= CURVE_MIN:
        figure = canvas(3.3)
        _curves(figure.subplots(), comparison, rows)
    else:
        figure = canvas(0.85 + 0.3 * len(rows))
        _lines(figure.subplots(), comparison, rows)
    return figure


def _curves(axis: Axes, comparison: Comparison, rows: Sequence[Row]) -> None:
    names = [name for name in comparison.architectures if name not in comparison.alone]
    widths = sorted({row.workers for row in rows if row.architecture in names})
    shown = [name for name in names if any(row.architecture == name for row in rows)]
    for index, name in enumerate(shown):
        mine = sorted((row for row in rows if row.architecture == name), key=lambda row: row.workers)
        look = line(comparison.architectures.index(name))
        aside = 0.12 * (index - (len(shown) - 1) / 2)  # whiskers of equal values would hide each other
        axis.errorbar(
            [row.workers + aside for row in mine],
            [row.speedup_vs_serial or 0.0 for row in mine],
            yerr=np.array([_whiskers(row) for row in mine]).T,
            color=look.colour,
            marker=look.marker,
            linestyle=look.dash,
            markersize=5.5,
            markerfacecolor="white",
            markeredgewidth=1.2,
            elinewidth=0.9,
            capsize=2.5,
            label=name,
        )
    _limits(axis, rows, vertical=True)
    cores = _cores(comparison)
    if cores:
        axis.axvline(cores, color=FAINT, linewidth=0.9, linestyle="--", label=f"{cores} cores end here")
    axis.axhline(1, color=INK, linewidth=0.9, label="serial")
    axis.set_xticks(widths)
    axis.set(xlabel="workers", ylabel="times as fast as serial")
    axis.grid(True, axis="y")
    axis.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))


def _limits(axis: Axes, rows: Sequence[Row], vertical: bool) -> None:
    most = max((row.speedup_vs_serial or 0.0) + _whiskers(row)[1] for row in rows)
    (axis.set_ylim if vertical else axis.set_xlim)(0, 1.15 * max(1.0, most))


def _lines(axis: Axes, comparison: Comparison, rows: Sequence[Row]) -> None:
    for place, row in enumerate(rows):
        look = line(comparison.architectures.index(row.architecture))
        value = row.speedup_vs_serial or 0.0
        below, above = _whiskers(row)
        axis.barh(place, value, height=0.5, color="#dcdcdc", edgecolor=FAINT, linewidth=0.6)
        axis.errorbar(
            [value], [place], xerr=[[below], [above]], fmt=look.marker, color=look.colour, markersize=6,
            markerfacecolor="white", markeredgewidth=1.2, capsize=3,
        )  # fmt: skip
        axis.annotate(
            f"{value:.2f}x", (value + above, place), (7, 0), textcoords="offset points", va="center",
            bbox={"boxstyle": "square,pad=0.15", "facecolor": "white", "linewidth": 0},
        )  # fmt: skip
    axis.axvline(1, color=INK, linewidth=0.9)
    _limits(axis, rows, vertical=False)
    axis.set_yticks(range(len(rows)), [comparison.label(row, row.depth) for row in rows])
    axis.set_ylim(len(rows) - 0.45, -0.55)
    axis.tick_params(axis="y", length=0)
    axis.set_xlabel("times as fast as serial (line: serial itself)")
    axis.grid(True, axis="x")
