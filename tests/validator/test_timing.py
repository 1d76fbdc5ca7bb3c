"""Times of a trace beside those of another one, on traces whose durations are known."""

import numpy as np
import pytest

from cllm_sim.trace import Event, Trace
from cllm_sim.validator import compare_times
from cllm_sim.validator.timing import WARM_UP_STEPS, error_pct, noise_floor_pct

MS = 1_000_000


def trace_of(steps_ms: list[float], compute_share: float = 0.5) -> Trace:
    """One actor whose steps take so long: a part is compute, the rest is the update."""
    log: list[Event] = []
    now = 0
    for step_ms in steps_ms:
        log.append(Event("choose", 1, now, now + 10))
        begin, length = now + 10, round(step_ms * MS)
        middle = begin + round(length * compute_share)
        log.append(Event("compute 0/segment", 0, begin, middle))
        log.append(Event("update weights", 0, middle, begin + length))
        now = begin + length
    log.append(Event("choose", 3, now, now + 10))
    return Trace({}, {"0": tuple(log)})


def test_predicted_and_measured() -> None:
    real, simulated = trace_of([50.0, 40.0, *[10.0] * 30]), trace_of([12.0] * 20, compute_share=0.75)
    found = compare_times(real, simulated)
    assert found["measured_ms"] == {"median": 10.0, "p05": 10.0, "p95": 10.0}
    assert found["predicted_ms"] == 12.0
    assert found["error_pct"] == pytest.approx(20.0)
    assert found["noise_floor_pct"] == 0.0
    assert found["steps_measured"] == 32 - WARM_UP_STEPS
    assert found["per_phase"]["measured"]["compute"] == pytest.approx(5.0)
    assert found["per_phase"]["predicted"]["compute"] == pytest.approx(9.0)
    assert found["per_phase"]["predicted"]["update"] == pytest.approx(3.0)
    assert found["per_phase"]["measured"]["barrier"] == 0
    assert set(found["per_phase"]["measured"]) == {"compute", "fold", "update", "barrier", "lock"}


def test_without_a_prediction() -> None:
    found = compare_times(trace_of([10.0] * 10), None)
    assert found["predicted_ms"] is None
    assert found["error_pct"] is None
    assert set(found["per_phase"]["predicted"].values()) == {None}
    assert found["measured_ms"]["median"] == 10.0


def test_few_steps() -> None:
    """Where warming up would leave too little, every step counts; what cannot be told is None."""
    assert compare_times(trace_of([30.0, 10.0, 10.0]), None)["steps_measured"] == 3
    assert compare_times(trace_of([30.0]), None)["noise_floor_pct"] is None
    none = compare_times(trace_of([]), trace_of([]))
    assert none["measured_ms"] == {"median": None, "p05": None, "p95": None}
    assert none["noise_floor_pct"] is None
    assert none["error_pct"] is None


def test_the_sign_of_an_error() -> None:
    assert error_pct(5.0, 10.0) == -50.0
    assert error_pct(15.0, 10.0) == 50.0
    assert error_pct(None, 10.0) is None
    assert error_pct(5.0, None) is None


def test_the_noise_floor_of_independent_steps() -> None:
    """For a median of n normal values the half-width is 1.96 * 1.2533 * sigma / sqrt(n)."""
    values = (100 + 10 * np.random.default_rng(3).standard_normal(900)).tolist()
    wanted = 1.96 * 1.2533 * 10 / 30
    assert noise_floor_pct(values) == pytest.approx(wanted, rel=0.35)


def test_the_noise_floor_knows_that_neighbours_are_alike() -> None:
    """Slow minutes and quick ones: blocks see that the steps are worth fewer independent ones, single draws do not."""
    random = np.random.default_rng(5)
    drift = np.repeat(10 * random.standard_normal(60), 15)
    values = 100 + drift + random.standard_normal(900)
    shuffled = random.permutation(values)
    slow, mixed = noise_floor_pct(values.tolist()), noise_floor_pct(shuffled.tolist())
    assert slow is not None
    assert mixed is not None
    assert slow > 1.8 * mixed


def test_the_same_seed_gives_the_same_noise() -> None:
    values = (100 + np.random.default_rng(1).standard_normal(50)).tolist()
    assert noise_floor_pct(values, 4) == noise_floor_pct(values, 4)
    assert noise_floor_pct(values, 4) != noise_floor_pct(values, 5)
