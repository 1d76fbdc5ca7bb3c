"""The words for a difference, as in pyperf: "2.31x faster", "1.40x slower", "no clear difference".

A difference is clear when the whole interval of the ratio lies on one side of 1. Rules of this file: the ratio is
always the time of the other divided by the time of the first, so above 1 means that the first is faster; `compare`
and the report use these words and no others.
"""

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

import numpy as np

NO_DIFFERENCE = "no clear difference"
FEW = 8
"""Below so many values a side every single ratio counts: resampling three repeats would pretend a spread."""

RESAMPLES = 2_000
CONFIDENCE_PCT = 95.0


class Difference(NamedTuple):
    """How much faster the first is: ratio of the medians, the interval of that ratio, and the words for it."""

    ratio: float
    interval: tuple[float, float]
    wording: str


def ratio_wording(ratio: float, interval: tuple[float, float]) -> str:
    """`2.31x faster`, `1.40x slower` or `no clear difference`; raises ValueError for what is no ratio of times."""
    low, high = interval
    if not (ratio > 0 and 0 < low <= high):
        raise ValueError(f"a ratio of times is positive and its interval ordered, not {ratio} in {low} to {high}")
    factor = f"{max(ratio, 1 / ratio):.2f}"
    if low <= 1 <= high or factor == "1.00":
        return NO_DIFFERENCE
    return f"{factor}x {'faster' if ratio > 1 else 'slower'}"


def ratio_interval(times: Sequence[float], other: Sequence[float], seed: int = 0) -> tuple[float, float]:
    """Interval of median(other) / median(times): all ratios of few values, else a 95 percent bootstrap."""
    if min(len(times), len(other)) < FEW:
        ratios = [theirs / mine for mine, theirs in product(times, other)]
        return min(ratios), max(ratios)
    random = np.random.default_rng(seed)
    medians = [np.median(random.choice(np.asarray(side), (RESAMPLES, len(side))), axis=1) for side in (times, other)]
    tail = (100 - CONFIDENCE_PCT) / 2
    low, high = np.percentile(medians[1] / medians[0], [tail, 100 - tail])
    return float(low), float(high)


def difference(
    times: Sequence[float], other: Sequence[float], interval: tuple[float, float] | None = None, seed: int = 0
) -> Difference:
    """Compare the times of one (samples, or the medians of its repeats) with those of another, in the same unit.

    Without an `interval` of the ratio it is taken from the values themselves. Raises ValueError where a side is empty.
    """
    if not times or not other:
        raise ValueError("both sides of a comparison need at least one time")
    ratio = float(np.median(other) / np.median(times))
    known = interval or ratio_interval(times, other, seed)
    return Difference(ratio, known, ratio_wording(ratio, known))


def compare_wording(times: Sequence[float], other: Sequence[float], interval: tuple[float, float] | None = None) -> str:
    """Only the words of `difference`."""
    return difference(times, other, interval).wording
