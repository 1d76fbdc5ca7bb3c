"""Measured step times beside the simulated ones, with the noise of the measurement beside the error.

Both sides are read by `metrics.py` from traces of one shape, so that they mean the same. The noise floor is the
half-width of the 95 % interval of the median step time of this one run, as a share of that median: blocks of
consecutive steps are drawn again, because steps depend on their neighbours (Künsch 1989). An error below it is no
error that this run could show.

Rules of this file: traces in, numbers out. Times in ms; what a run is too short to tell is None.
"""

from collections.abc import Sequence
from typing import Any

from cllm_sim import metrics
from cllm_sim.statistics import median_interval, quantiles
from cllm_sim.trace import Trace

WARM_UP_STEPS = 2
"""Steps of a real run that are not counted: first touch of memory is no property of a design."""

PHASES = ("compute", "fold", "update", "barrier", "lock")


def compare_times(real: Trace, simulated: Trace | None, *, seed: int = 0) -> dict[str, Any]:
    """The fields `predicted_ms`, `measured_ms`, `error_pct` (above 0: predicted too long), `noise_floor_pct`,
    `per_phase`, and `steps_measured`, the number of steps that count.
    """
    measured = _counted(metrics.steps(real))
    predicted = metrics.steps(simulated) if simulated is not None else ()
    measured_ms = quantiles([step.ms for step in measured])
    predicted_ms = quantiles([step.ms for step in predicted])["median"]
    return {
        "predicted_ms": predicted_ms,
        "measured_ms": measured_ms,
        "error_pct": error_pct(predicted_ms, measured_ms["median"]),
        "noise_floor_pct": noise_floor_pct([step.ms for step in measured], seed),
        "per_phase": {"predicted": _phases(simulated, predicted), "measured": _phases(real, measured)},
        "steps_measured": len(measured),
    }


def _counted(steps: Sequence[metrics.Step]) -> Sequence[metrics.Step]:
    """The steps after warming up; all of them where too few would be left."""
    return steps[WARM_UP_STEPS:] if len(steps) > 2 * WARM_UP_STEPS else steps


def error_pct(predicted_ms: float | None, measured_ms: float | None) -> float | None:
    """By how much of the measured time the prediction is off, in percent."""
    if predicted_ms is None or not measured_ms:
        return None
    return 100.0 * (predicted_ms - measured_ms) / measured_ms


def noise_floor_pct(step_ms: Sequence[float], seed: int = 0) -> float | None:
    """Half the width of the 95 % interval of the median, in percent of the median; None for too few steps.

    The blocks have the cube root of the number of steps, the order that balances bias and variance of such intervals.
    """
    middle = quantiles(step_ms)["median"]
    interval = median_interval(step_ms, seed, block=max(1, round(len(step_ms) ** (1 / 3))))
    if interval is None or not middle:
        return None
    return 100.0 * (interval[1] - interval[0]) / 2 / middle


def _phases(trace: Trace | None, steps: Sequence[metrics.Step]) -> dict[str, float | None]:
    found = metrics.phases_ms(trace, steps) if trace is not None else {}
    return {name: found.get(name) for name in PHASES}
