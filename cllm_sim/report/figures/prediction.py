"""Predicted against measured step time: on the line the prediction is right; beside it, the error of every single row.

Left: both axes logarithmic with the line of equality, the 5 to 95 percent points measured and the interval predicted.
Right: the signed error, over the noise floor as a grey bar, because an error below the noise means nothing.
"""

from collections.abc import Sequence
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from cllm_sim.report.figures.style import FAINT, GRID, INK, Picture, canvas, line
from cllm_sim.report.quantities import percent, rounded
from cllm_sim.report.shape import Comparison, Row, Spread

BAND = 1.25
TICKS = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0)
TICKS_WIDE = (1.0, 2.0, 5.0)
TICKS_MAX = 7


def pictures(comparison: Comparison) -> list[Picture]:
    """One picture, of all rows that were both predicted and measured."""
    rows = [row for row in comparison.rows if row.predicted_ms and row.measured_ms and row.measured_ms.median > 0]
    if not rows:
        return []
    title = "Predicted against measured step time"
    return [Picture("predicted-measured", title, _caption(comparison, rows), partial(_draw, comparison, rows))]


def _error(row: Row) -> float:
    if row.error_pct is not None:
        return row.error_pct
    assert row.predicted_ms is not None
    assert row.measured_ms is not None
    return 100 * (row.predicted_ms - row.measured_ms.median) / row.measured_ms.median


def _caption(comparison: Comparison, rows: Sequence[Row]) -> str:
    """The errors of the designs that work; what a broken one takes says nothing about the prediction."""
    sound = [row for row in rows if not row.marked_broken] or rows
    worst = max(sound, key=lambda row: abs(_error(row)))
    name = comparison.label(worst, worst.depth)
    if len(sound) == 1:
        return f"On the line the prediction would be exact: for {name} it is {percent(_error(worst), signed=True)} off."
    middle = comparison.median_error_pct
    if middle is None:
        middle = float(np.median([abs(_error(row)) for row in sound]))
    return (
        f"On the line the prediction is exact: the median error is {percent(middle)}, the largest that of {name} with "
        f"{percent(_error(worst), signed=True)}; what lies inside a grey bar is noise."
    )


def _draw(comparison: Comparison, rows: Sequence[Row]) -> Figure:
    figure = canvas(max(3.4, 1.1 + 0.19 * len(rows)))
    left, right = figure.subplots(1, 2, width_ratios=[1.0, 1.0])
    _scatter(left, comparison, rows)
    _errors(right, comparison, rows)
    names = [name for name in comparison.architectures if any(row.architecture == name for row in rows)]
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=min(5, len(names) + 1))
    return figure


def _scatter(axis: Axes, comparison: Comparison, rows: Sequence[Row]) -> None:
    low, high = _limits(rows)
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.fill_between(
        [low, high], [low / BAND, high / BAND], [low * BAND, high * BAND], color=GRID, alpha=0.5, linewidth=0
    )
    axis.plot([low, high], [low, high], color=FAINT, linewidth=1, label=f"exact (band: ± {100 * BAND - 100:.0f} %)")
    for index, name in enumerate(comparison.architectures):
        mine = [row for row in rows if row.architecture == name]
        if mine:
            _points(axis, index, name, mine)
    axis.set(xlim=(low, high), ylim=(low, high), xlabel="measured ms per step", ylabel="predicted ms per step")
    axis.set_title("each step, predicted and measured")
    axis.set_box_aspect(1)
    for side in (axis.xaxis, axis.yaxis):
        side.set_major_locator(FixedLocator(_ticks(low, high)))
        side.set_minor_locator(NullLocator())
        side.set_major_formatter(FuncFormatter(lambda value, _: rounded(value, 2)))
    axis.grid(True)


def _points(axis: Axes, index: int, name: str, rows: Sequence[Row]) -> None:
    look = line(index)
    measured = [row.measured_ms or Spread(median=0.0) for row in rows]
    predicted = [row.predicted_ms or 0.0 for row in rows]
    spread = [_below_above(one.median, one.p05, one.p95) for one in measured]
    interval = [
        _below_above(value, *(row.predicted_interval_ms or (None, None)))
        for value, row in zip(predicted, rows, strict=True)
    ]
    axis.errorbar(
        [one.median for one in measured],
        predicted,
        xerr=np.array(spread).T,
        yerr=np.array(interval).T,
        fmt=look.marker,
        color=look.colour,
        markersize=5.5,
        markerfacecolor="white",
        markeredgewidth=1.2,
        elinewidth=0.9,
        capsize=2,
        label=name,
        zorder=3 + index,
    )


def _below_above(value: float, low: float | None, high: float | None) -> tuple[float, float]:
    return max(0.0, value - (low or value)), max(0.0, (high or value) - value)


def _limits(rows: Sequence[Row]) -> tuple[float, float]:
    values: list[float] = []
    for row in rows:
        if row.measured_ms and row.predicted_ms:
            values += [row.measured_ms.median, row.predicted_ms]
            values += [
                end for end in (row.measured_ms.p05, row.measured_ms.p95, *(row.predicted_interval_ms or ())) if end
            ]
    return min(values) / 1.2, max(values) * 1.2


def _ticks(low: float, high: float) -> list[float]:
    """Round values between the limits, few enough to stand beside each other."""
    for steps in (TICKS, TICKS_WIDE, (1.0,)):
        found = [step * 10.0**power for power in range(-4, 7) for step in steps if low <= step * 10.0**power <= high]
        if len(found) <= TICKS_MAX:
            break
    return found or [low, high]


def _errors(axis: Axes, comparison: Comparison, rows: Sequence[Row]) -> None:
    for place, row in enumerate(rows):
        look = line(comparison.architectures.index(row.architecture))
        floor = row.noise_floor_pct or 0.0
        axis.barh(place, 2 * floor, left=-floor, height=0.7, color=GRID)
        axis.plot([0, _error(row)], [place, place], color=look.colour, linewidth=1)
        axis.plot(
            [_error(row)],
            [place],
            look.marker,
            color=look.colour,
            markersize=5.5,
            markerfacecolor="white",
            markeredgewidth=1.2,
        )
    axis.axvline(0, color=INK, linewidth=0.8)
    reach = 1.25 * max(10.0, *(abs(_error(row)) for row in rows), *(row.noise_floor_pct or 0.0 for row in rows))
    axis.set(xlim=(-reach, reach), ylim=(len(rows) - 0.4, -0.6), xlabel="error of the prediction, % (grey: noise)")
    axis.set_yticks(range(len(rows)), [comparison.label(row, row.depth) for row in rows])
    axis.tick_params(axis="y", length=0)
    axis.set_title("predicted too short ← → too long")
    axis.grid(True, axis="x")
