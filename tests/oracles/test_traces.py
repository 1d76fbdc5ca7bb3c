"""The counter of traces is itself counted: every execution written out, and relations that are wrong are found out."""

import pytest

from tests.oracles import traces as counter
from tests.oracles.claims import Case, claims, graph
from tests.oracles.counting import Cyclic, Graph, explored, interleavings, space_of
from tests.oracles.traces import COMMUTING, READ, WRITE, Count, Moves, executions, foata, traces, traces_by_force

EXECUTIONS_MAX = 400
"""Programs with more interleavings are not written out."""

WORKERS_MAX = 3
SEEDS = range(60)


def random_program(seed: int, pieces: int = 2) -> Graph:
    """Three threads of random pieces."""
    return explored(space_of("family_random", 1, (("pieces", str(pieces)), ("seed", str(seed)))))


def few_executions(walked: Graph) -> bool:
    """Is the program without cycles, and can all its executions be written out?"""
    try:
        return sum(interleavings(walked)) <= EXECUTIONS_MAX
    except Cyclic:
        return False


def test_sleep_sets_agree_with_writing_out() -> None:
    """On every transcribed program whose executions are few."""
    judged = 0
    for case in dict.fromkeys(claim.case for claim in claims()):
        if case.workers <= WORKERS_MAX and few_executions(graph(case)):
            assert traces(graph(case)) == traces_by_force(graph(case)), str(case)
            judged += 1
    assert judged >= 40


def test_sleep_sets_agree_on_random_programs() -> None:
    judged = deadlocked = 0
    for seed in SEEDS:
        walked = random_program(seed)
        if few_executions(walked):
            counted = traces(walked)
            assert counted == traces_by_force(walked), f"seed {seed}"
            judged += 1
            deadlocked += counted.deadlocked > 0
    assert judged >= 25
    assert 5 <= deadlocked < judged


def test_every_end_has_a_trace_and_every_trace_an_interleaving() -> None:
    for seed in SEEDS:
        walked = random_program(seed, 3)
        counted, orders = traces(walked), interleavings(walked)
        assert len(walked.ends) <= counted.complete <= orders[0], f"seed {seed}"
        assert len(walked.deadlocks) <= counted.deadlocked <= orders[1], f"seed {seed}"


def test_equivalent_words_have_one_normal_form() -> None:
    words = [word for _, word in executions(Moves(graph(Case("thread_barrier", 3, (("rounds", "1"),)))))]
    assert len(set(words)) == 36  # six orders of arriving, six of leaving
    assert len({foata(word) for word in words}) == 1


def test_a_relation_that_forgets_a_conflict_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counter, "COMMUTING", COMMUTING | {(READ, WRITE), (WRITE, READ)})
    walked = explored(space_of("peterson_once"))
    with pytest.raises(AssertionError, match=r"do not commute|keeps"):
        traces(walked)


def test_a_relation_that_knows_no_independence_counts_interleavings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counter, "dependent", lambda one, two: True)
    walked = explored(space_of("lockinc", 3))
    assert traces(walked) == Count(*interleavings(walked))
    walked = explored(space_of("naive_philosophers", 1, (("count", "3"),)))
    assert traces(walked) == Count(*interleavings(walked))


def test_a_cycle_has_no_number_of_interleavings() -> None:
    with pytest.raises(Cyclic):
        interleavings(graph(Case("local_turn", 1, ())))
