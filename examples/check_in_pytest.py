"""A design checked by pytest: it holds, all of it is reached, and a broken variant is found.

    pytest examples/check_in_pytest.py

Take the file to your own tests and put the path of your design in the place of `node_zero`, for example `./mine.py`.
"""

import sys

import pytest

from cllm_sim import check

DESIGN = "node_zero"


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_the_design_holds(workers: int) -> None:
    assert check(DESIGN, workers=workers).holds


def test_every_line_of_it_is_reached() -> None:
    assert check(DESIGN, workers=2).unreached == []


def test_nobody_ever_waits_for_a_mutex() -> None:
    assert check(DESIGN, workers=3, promise=["uncontended"]).holds


def test_a_broken_variant_is_found() -> None:
    result = check("early_reduce", workers=2)
    assert result.verdict == "broken"
    assert "race" in {defect["class"] for defect in result.broken}


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q"]))
