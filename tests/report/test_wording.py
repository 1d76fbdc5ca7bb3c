"""The words for a difference, and where its interval comes from."""

import random

import pytest

from cllm_sim.report.wording import NO_DIFFERENCE, compare_wording, difference, ratio_interval, ratio_wording


@pytest.mark.parametrize(
    ("ratio", "interval", "words"),
    [
        (2.31, (2.1, 2.5), "2.31x faster"),
        (0.5, (0.45, 0.55), "2.00x slower"),
        (1.1, (0.98, 1.2), NO_DIFFERENCE),
        (0.9, (0.8, 1.0), NO_DIFFERENCE),
        (1.002, (1.001, 1.003), NO_DIFFERENCE),
        (0.998, (0.997, 0.999), NO_DIFFERENCE),
    ],
)
def test_a_difference_is_clear_when_the_interval_is_on_one_side(
    ratio: float, interval: tuple[float, float], words: str
) -> None:
    assert ratio_wording(ratio, interval) == words


@pytest.mark.parametrize(
    ("ratio", "interval"), [(0.0, (1.0, 2.0)), (1.0, (2.0, 1.0)), (1.0, (0.0, 1.0)), (float("nan"), (1, 2))]
)
def test_what_is_no_ratio_is_refused(ratio: float, interval: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="ratio of times"):
        ratio_wording(ratio, interval)


def test_few_values_count_all_their_ratios() -> None:
    assert ratio_interval([10.0, 11.0, 12.0], [20.0, 22.0, 24.0]) == (20 / 12, 24 / 10)
    assert compare_wording([10.0, 11.0, 12.0], [20.0, 22.0, 24.0]) == "2.00x faster"


def test_one_odd_repeat_takes_the_certainty_away() -> None:
    assert compare_wording([10.0, 11.0, 25.0], [20.0, 22.0, 24.0]) == NO_DIFFERENCE


def test_many_values_are_resampled_with_a_seed() -> None:
    draw = random.Random(1)
    mine, other = [draw.gauss(10, 1) for _ in range(60)], [draw.gauss(20, 1) for _ in range(60)]
    low, high = ratio_interval(mine, other, seed=3)
    assert 1.85 < low < 2.0 < high < 2.15
    assert (low, high) == ratio_interval(mine, other, seed=3)
    assert (low, high) != ratio_interval(mine, other, seed=4)


def test_equal_distributions_are_no_difference() -> None:
    draw = random.Random(2)
    mine, other = [[draw.gauss(10, 1) for _ in range(40)] for _ in range(2)]
    assert compare_wording(mine, other) == NO_DIFFERENCE


def test_a_given_interval_decides() -> None:
    found = difference([10.0], [20.0], (0.5, 3.0))
    assert found == (2.0, (0.5, 3.0), NO_DIFFERENCE)


def test_nothing_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="at least one time"):
        difference([], [1.0])
