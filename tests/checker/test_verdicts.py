"""Small protocols with a known verdict: deadlocks of every kind, misuse, races, progress.

Both ways of looking for races, with symmetry and without, must agree on every one of them.
"""

from pathlib import Path

import pytest

from cllm_sim.checker import run, unfold
from cllm_sim.results import RunResult

from tests.checker.searching import explored, loaded, space_of

SPINNING = {"livelock"}
"""A loop that looks at a word until it changes is a cycle without a choice, so it breaks "progress"; nothing else."""

FLAT = [
    ("locks", "in_order", set()),
    ("locks", "inverted", {"deadlock"}),
    ("locks", "leaked", {"deadlock"}),
    ("locks", "twice", {"deadlock"}),
    ("locks", "meeting_with_the_lock", {"deadlock"}),
    ("locks", "meeting_after_the_lock", set()),
    ("locks", "stranger", {"lock-misuse"}),
    ("locks", "counter", set()),
    ("locks", "counter_unlocked", {"race"}),
    ("locks", "polite", {"livelock"}),
    ("conditions", "predicate", set()),
    ("conditions", "no_predicate", {"deadlock"}),
    ("conditions", "outside_the_lock", {"race", "deadlock"}),
    ("conditions", "set_unlocked", {"race", "deadlock"}),
    ("conditions", "sleep_unlocked", {"lock-misuse", "deadlock"}),
    ("conditions", "one_signal_for_two", {"deadlock"}),
    ("conditions", "signal_for_all", set()),
    ("conditions", "queue_while", set()),
    ("conditions", "queue_if", {"never below zero"}),
    ("words", "sense_reversing", set()),
    ("words", "without_generation", {"livelock"}),
    ("words", "counting", {"livelock"}),
    ("words", "peterson", SPINNING),
    ("words", "peterson_plain", {"race", *SPINNING}),
    ("words", "without_turn", {"alone inside", *SPINNING}),
    ("words", "message", set()),
    ("words", "message_plain", {"race", *SPINNING}),
    ("words", "readers", set()),
    ("words", "bounded_buffer", set()),
    ("words", "bounded_buffer_holding", {"deadlock"}),
]

CREWS = [
    ("one_lost", {"partial-deadlock"}),
    ("turns", {"livelock"}),
    ("first_lost", {"deadlock"}),
    ("barrier_in_use", {"barrier-misuse", "use-after-destroy", "deadlock"}),
    ("barrier_after_use", set()),
    ("lock_in_use", {"lock-misuse", "use-after-destroy"}),
    ("lock_of_sleepers", {"lock-misuse", "use-after-destroy", "deadlock"}),
]


def classes(result: RunResult) -> set[str]:
    assert result.complete
    assert (result.verdict == "holds") == (not result.broken)
    return {row["class"] for row in result.broken}


@pytest.mark.parametrize("races", ["next", "monitor"])
@pytest.mark.parametrize("reductions", ["symmetry", "none"])
@pytest.mark.parametrize(("name", "variant", "expected"), FLAT)
def test_single_actors(name: str, variant: str, expected: set[str], reductions: str, races: str) -> None:
    result = run(loaded(name, variant=variant), workers=1, reductions=reductions, races=races)
    assert classes(result) == expected
    assert result.reductions == []  # single actors have no siblings


@pytest.mark.parametrize("races", ["next", "monitor"])
@pytest.mark.parametrize("reductions", ["symmetry", "none"])
@pytest.mark.parametrize("workers", [2, 3])
@pytest.mark.parametrize(("variant", "expected"), CREWS)
def test_crews(variant: str, expected: set[str], workers: int, reductions: str, races: str) -> None:
    result = run(loaded("endings", variant=variant), workers=workers, reductions=reductions, races=races)
    assert classes(result) == expected


@pytest.mark.parametrize("races", ["next", "monitor"])
@pytest.mark.parametrize("reductions", ["symmetry", "none"])
@pytest.mark.parametrize("workers", [1, 2, 3])
def test_an_extra_actor_and_its_repair(workers: int, reductions: str, races: str) -> None:
    broken = run(loaded("parked_control"), workers=workers, reductions=reductions, races=races)
    assert classes(broken) == {"deadlock", "race", "double-processing", "lost-update", "stale-read"}
    assert {"main"} <= {step["actor"] for step in broken.counterexample["steps"]}
    repaired = run(loaded("parked_control_repaired"), workers=workers, reductions=reductions, races=races)
    assert classes(repaired) == set()


@pytest.mark.parametrize("workers", [2, 3, 4])
@pytest.mark.parametrize("reductions", ["symmetry", "none"])
def test_a_barrier_of_each_child_under_the_cursor(workers: int, reductions: str) -> None:
    assert classes(run(loaded("handover"), workers=workers, reductions=reductions)) == set()


# --- numbers of the literature ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(("count", "length"), [(2, 2), (3, 3), (4, 4), (5, 5)])
def test_philosophers(count: int, length: int) -> None:
    """All with their left fork in hand: one deadlocked state, after one step of each."""
    settings = {"count": str(count)}
    found = explored(space_of("philosophers", 1, settings=settings))
    assert len(found.deadlocks) == 1
    result = run(loaded("philosophers", **settings), workers=1)
    assert classes(result) == {"deadlock"}
    assert len(result.counterexample["steps"]) == length
    assert len(result.counterexample["waits"]) == count  # the ring
    assert classes(run(loaded("philosophers", **settings, last="reversed"), workers=1)) == set()


@pytest.mark.parametrize(
    ("name", "variant", "kind", "length"),
    [
        ("locks", "inverted", "deadlock", 2),
        ("locks", "twice", "deadlock", 1),
        ("locks", "meeting_with_the_lock", "deadlock", 2),
        ("locks", "stranger", "lock-misuse", 1),
        ("locks", "counter_unlocked", "race", 4),
        ("conditions", "no_predicate", "deadlock", 6),
        ("words", "bounded_buffer_holding", "deadlock", 2),
        ("words", "message_plain", "race", 3),
    ],
)
def test_shortest_counterexamples(name: str, variant: str, kind: str, length: int) -> None:
    result = run(loaded(name, variant=variant), workers=1)
    lengths = [len(row["counterexample"]["steps"]) for row in result.broken if row["class"] == kind]
    assert min(lengths) == length


def test_spinning_breaks_progress_only() -> None:
    result = run(loaded("words", variant="peterson"), workers=1, without=("progress",))
    assert result.holds
    assert "progress" not in {row["name"] for row in result.promises}
    row = run(loaded("words", variant="peterson"), workers=1).broken[0]
    source = loaded("words").path
    lines = Path(source).read_text(encoding="utf-8").splitlines()
    looked_at = {lines[place["line"] - 1].strip() for place in row["places"] if place["note"] == "goes round here"}
    assert looked_at == {"if not (yield wants[1 - me].load()):", "if (yield turn.load()) == me:"}


# --- limits -----------------------------------------------------------------------------------------------------------
def test_a_text_that_counts_without_bound_is_undecided_and_its_variable_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unfold, "SITUATIONS_MAX", 100)
    result = run(loaded("endings", variant="counter"), workers=2)
    assert (result.verdict, result.exit_code, result.complete) == ("undecided", 3, False)
    assert "'rounds' takes ever new values" in result.limit
    assert {row["verdict"] for row in result.promises} == {"undecided"}


def test_a_word_that_counts_without_bound_is_undecided() -> None:
    result = run(loaded("endings", variant="counting_word"), workers=2, max_states=1000)
    assert (result.verdict, result.exit_code, result.complete) == ("undecided", 3, False)
    assert result.limit == "the limit of 1,000 states was reached"
    assert result.states <= 1010


def test_a_budget_that_is_used_up_is_undecided() -> None:
    result = run(loaded("node_zero"), workers=12, budget_seconds=0.0)
    assert (result.verdict, result.complete) == ("undecided", False)
    assert "budget" in result.limit


def test_what_was_found_before_a_limit_counts() -> None:
    result = run(loaded("early_reduce"), workers=4, max_states=300, reductions="symmetry")
    assert (result.verdict, result.exit_code, result.complete) == ("broken", 1, False)
    assert {row["name"]: row["verdict"] for row in result.promises}["no race"] == "broken"
    assert {row["name"]: row["verdict"] for row in result.promises}["no deadlock"] == "undecided"
