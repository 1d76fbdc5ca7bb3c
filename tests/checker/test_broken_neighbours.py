"""Every broken neighbour is found with its class at its changed line; everything else holds; in every mode."""

from functools import cache
from pathlib import Path

import pytest

from cllm_sim.checker import run
from cllm_sim.library import shipped
from cllm_sim.results import RunResult

from tests.checker.searching import loaded

EXPECTED: dict[str, set[str]] = {
    "early_reduce": {"race"},
    "count_too_large": {"deadlock"},
    "count_too_small": {"race", "deadlock"},
    "control_computes": {"role"},
    "shared_segment": {"ownership"},
    "lost_remainder": {"coverage"},
    "leaves_early": {"deadlock"},
    "forgets_last_child": {"race"},
    "unguarded": {"race"},
}
"""File -> the classes that must be reported at the line marked BROKEN."""

STATES_MAX = 16_000
"""Enough for every defect of these files; the larger searches stop here (nightly tests pin them whole)."""

MODES = [("symmetry", 2), ("symmetry", 3), ("symmetry", 4), ("none", 2), ("none", 3)]
CORRECT = [name for name in shipped() if name not in EXPECTED]


@cache
def checked(name: str, workers: int, reductions: str, races: str = "auto") -> RunResult:
    return run(loaded(name), workers=workers, reductions=reductions, races=races, max_states=STATES_MAX)


def marked_lines(result: RunResult) -> set[int]:
    lines = Path(result.file).read_text(encoding="utf-8").splitlines()
    return {number for number, line in enumerate(lines, 1) if "# BROKEN" in line}


def test_the_table_names_every_file_that_calls_itself_broken() -> None:
    assert set(EXPECTED) == {name for name in shipped() if loaded(name).broken}


@pytest.mark.parametrize(("reductions", "workers"), MODES)
@pytest.mark.parametrize("name", EXPECTED)
def test_the_class_is_reported_at_the_changed_line(name: str, reductions: str, workers: int) -> None:
    result = checked(name, workers, reductions)
    marked = marked_lines(result)
    assert marked
    at_the_line = {row["class"] for row in result.broken if marked & {place["line"] for place in row["places"]}}
    assert EXPECTED[name] <= at_the_line
    assert (result.verdict, result.exit_code, result.marked_broken) == ("broken", 1, True)


@pytest.mark.parametrize(("reductions", "workers"), MODES)
@pytest.mark.parametrize("name", EXPECTED)
def test_every_line_that_is_named_exists(name: str, reductions: str, workers: int) -> None:
    result = checked(name, workers, reductions)
    count = len(Path(result.file).read_text(encoding="utf-8").splitlines())
    for row in result.broken:
        assert row["places"]
        assert (row["path"], row["line"]) == (row["places"][0]["path"], row["places"][0]["line"])
        assert all(place["path"] == result.file and 1 < place["line"] <= count for place in row["places"])


NIGHTLY = pytest.mark.nightly
SIZES = [(name, workers) for name in CORRECT for workers in (2, 3) if (name, workers) != ("model_lock", 3)]


@pytest.mark.parametrize("reductions", ["symmetry", "none"])
@pytest.mark.parametrize(("name", "workers"), [*SIZES, pytest.param("model_lock", 3, marks=NIGHTLY)])
def test_what_is_not_broken_holds(name: str, reductions: str, workers: int) -> None:
    result = run(loaded(name), workers=workers, reductions=reductions)
    assert (result.verdict, result.exit_code, result.complete) == ("holds", 0, True)
    assert result.broken == result.unconfirmed == result.unreached == []
    assert all(row["verdict"] == "holds" and row["class"] is None for row in result.promises)


LOCKS = {"model_lock", "unguarded"}
"""Marks multiply their states: `model_lock` is compared in `test_counts`, small locks in `test_verdicts`."""


@pytest.mark.parametrize("name", [name for name in (*CORRECT, *EXPECTED) if name not in LOCKS])
@pytest.mark.parametrize("reductions", ["symmetry", "none"])
def test_both_race_detectors_agree(name: str, reductions: str) -> None:
    """Two conflicting accesses that are both next, and happens-before marks: the same objects race."""
    racing = [
        {
            row["counterexample"]["race"]["object"]
            for row in checked(name, 2, reductions, races).broken
            if row["class"] == "race"
        }
        for races in ("next", "monitor")
    ]
    classes = [{row["class"] for row in checked(name, 2, reductions, races).broken} for races in ("next", "monitor")]
    assert racing[0] == racing[1]
    assert classes[0] == classes[1]


@pytest.mark.parametrize("name", [name for name in EXPECTED if name not in ("count_too_small", "unguarded")])
def test_symmetry_finds_the_same_classes(name: str) -> None:
    for workers in (2, 3):
        classes = [{row["class"] for row in checked(name, workers, mode).broken} for mode in ("none", "symmetry")]
        assert classes[0] == classes[1]


@pytest.mark.nightly
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("name", "workers"), [("count_too_small", 2), ("count_too_small", 3), ("unguarded", 2)])
def test_symmetry_finds_the_same_classes_in_large_searches(name: str, workers: int) -> None:
    results = [run(loaded(name), workers=workers, reductions=mode, budget_seconds=400) for mode in ("none", "symmetry")]
    assert all(result.complete for result in results)
    assert {row["class"] for row in results[0].broken} == {row["class"] for row in results[1].broken}
