"""Intervals for measured and simulated times: thin, deterministic calls of scipy.

Rules of this file: every interval is at 95 % unless told otherwise, a seed decides every resampling, and an interval
that the data cannot give is None, never an invented width. scipy is imported on first use: it takes long to load.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Interval = tuple[float, float]

RESAMPLES = 2_000


def quantiles(values: Sequence[float]) -> dict[str, float | None]:
    """`{median, p05, p95}` with linear interpolation; None where there are no values."""
    if not len(values):
        return {"median": None, "p05": None, "p95": None}
    p05, median, p95 = np.percentile(np.asarray(values, dtype=float), [5, 50, 95])
    return {"median": float(median), "p05": float(p05), "p95": float(p95)}


def mean_interval(values: Sequence[float], confidence: float = 0.95) -> Interval | None:
    """Student's interval for the mean of independent values (one per replication); None for fewer than two."""
    data = np.asarray(values, dtype=float)
    if data.size < 2:
        return None
    mean, error = float(data.mean()), float(data.std(ddof=1)) / float(np.sqrt(data.size))
    if error == 0:
        return mean, mean
    from scipy import stats

    low, high = stats.t.interval(confidence, data.size - 1, loc=mean, scale=error)
    return float(low), float(high)


def median_interval(
    values: Sequence[float], seed: int, *, block: int = 1, confidence: float = 0.95, resamples: int = RESAMPLES
) -> Interval | None:
    """Percentile bootstrap of a median; None for fewer than two blocks.

    Steps of one run depend on their neighbours, so they are resampled in consecutive blocks of `block` values (a rest
    that fills no block is left out at the beginning, where a run is least typical).
    """
    data = np.asarray(values, dtype=float)
    count = data.size // block
    if count < 2:
        return None
    blocks = data[data.size - count * block :].reshape(count, block)
    if bool((blocks == blocks.flat[0]).all()):
        return float(blocks.flat[0]), float(blocks.flat[0])
    from scipy import stats

    def median_of(chosen: npt.NDArray[np.intp], axis: int = -1) -> Any:
        taken = blocks[np.moveaxis(chosen, axis, -1)]
        return np.median(taken.reshape(*taken.shape[:-2], -1), axis=-1)

    found = stats.bootstrap(
        (np.arange(count),),
        median_of,
        n_resamples=resamples,
        confidence_level=confidence,
        method="percentile",
        vectorized=True,
        rng=np.random.default_rng(seed),
    )
    return float(found.confidence_interval.low), float(found.confidence_interval.high)
