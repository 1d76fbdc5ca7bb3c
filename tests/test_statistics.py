"""Intervals: known cases, determinism by seed, and how often they contain the truth."""

import numpy as np
import pytest

from cllm_sim.statistics import mean_interval, median_interval, quantiles


def test_quantiles_interpolate():
    assert quantiles(range(101)) == {"median": 50.0, "p05": 5.0, "p95": 95.0}
    assert quantiles([]) == {"median": None, "p05": None, "p95": None}
    assert quantiles([3.0]) == {"median": 3.0, "p05": 3.0, "p95": 3.0}


def test_students_interval_of_a_known_case():
    """Three values 1, 2, 3: mean 2, standard error 1/sqrt(3), t(0.975; 2) = 4.302653."""
    low, high = mean_interval([1.0, 2.0, 3.0]) or (0.0, 0.0)
    assert (low, high) == pytest.approx((2 - 4.302653 / 3**0.5, 2 + 4.302653 / 3**0.5), rel=1e-6)


def test_one_value_has_no_interval():
    assert mean_interval([]) is None
    assert mean_interval([1.0]) is None
    assert median_interval([1.0], 1) is None
    assert median_interval([1.0, 2.0, 3.0], 1, block=2) is None


def test_equal_values_have_an_interval_of_no_width():
    assert mean_interval([2.0] * 4) == (2.0, 2.0)
    assert median_interval([2.0] * 4, 1) == (2.0, 2.0)


def test_students_interval_contains_the_mean_in_95_of_100():
    """1,000 experiments of 5 normal values; 4 standard errors of the share are 2.8 %."""
    data = np.random.default_rng(1).normal(3.0, 2.0, (1000, 5))
    inside = sum(low <= 3.0 <= high for low, high in map(mean_interval, data))  # type: ignore[misc]
    assert abs(inside / 1000 - 0.95) < 0.028


def test_the_bootstrap_depends_on_its_seed_only():
    data = list(np.random.default_rng(2).exponential(1.0, 60))
    assert median_interval(data, 5) == median_interval(data, 5)
    assert median_interval(data, 5) != median_interval(data, 6)
    low, high = median_interval(data, 5) or (0.0, 0.0)
    assert low < float(np.median(data)) < high


def test_blocks_see_what_neighbours_share():
    """Values that change only every ten steps carry a tenth of the information: the interval must be wider."""
    levels = np.random.default_rng(3).normal(0.0, 1.0, 40)
    data = list(np.repeat(levels, 10))
    alone, blocks = (median_interval(data, 4, block=block) for block in (1, 10))
    assert alone is not None
    assert blocks is not None
    assert blocks[1] - blocks[0] > 1.5 * (alone[1] - alone[0])


def test_a_rest_is_left_out_at_the_beginning():
    assert median_interval([100.0, 1.0, 1.0, 1.0, 1.0], 1, block=2) == (1.0, 1.0)
