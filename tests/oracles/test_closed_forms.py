"""Counts that a formula gives: states, transitions, interleavings and traces of families of programs.

Every family is counted on this folder's own walk, and the checker's unreduced search must have as many states and
transitions.
"""

from math import comb, factorial, prod

import pytest

from cllm_sim.checker.search import Limits, search

from tests.oracles.claims import Case, graph, quotient, traced
from tests.oracles.counting import interleavings, space_of


def case(name: str, workers: int = 1, **settings: str) -> Case:
    """A program of a family."""
    return Case(name, workers, tuple(sorted(settings.items())))


def independent(*lengths: int) -> tuple[Case, int, int, int, int]:
    """Actors that share nothing: a product of chains, one trace, a multinomial number of orders."""
    states = prod(length + 1 for length in lengths)
    transitions = sum(states // (length + 1) * length for length in lengths)
    orders = factorial(sum(lengths)) // prod(map(factorial, lengths))
    return case("family_independent", lengths=",".join(map(str, lengths))), states, transitions, orders, 1


def meetings(count: int, rounds: int) -> tuple[Case, int, int, int, int]:
    """A barrier: any part of the members has arrived, the last arrival empties it."""
    orders = factorial(count) ** rounds
    arrived = rounds * (2**count - 1) + 1
    return case("thread_barrier", count, rounds=str(rounds)), arrived, rounds * count * 2 ** (count - 1), orders, 1


def locked(count: int) -> tuple[Case, int, int, int, int]:
    """A section of four steps under one lock: who is through, and who is where inside."""
    inside = count * 2 ** (count - 1)
    return case("lockinc", count), 2**count + 3 * inside, 4 * inside, factorial(count), factorial(count)


def added(count: int) -> tuple[Case, int, int, int, int]:
    """One atomic step each, all of them dependent."""
    return case("ainc", count), 2**count, count * 2 ** (count - 1), factorial(count), factorial(count)


def read(count: int) -> tuple[Case, int, int, int, int]:
    """One writer: every reader comes before or after it."""
    return case("readers", count), 2 ** (count + 1), (count + 1) * 2**count, factorial(count + 1), 2**count


def ballot(items: int) -> tuple[Case, int, int, int, int]:
    """Never more taken than put: Catalan's number of words, and every word is a trace of its own."""
    words = comb(2 * items, items) // (items + 1)
    states = (items + 1) * (items + 2) // 2
    return case("family_ballot", items=str(items)), states, items * (items + 1), words, words


def pairs(count: int) -> tuple[Case, int, int, int, int]:
    """Independent pairs, each with one lock: products of one pair."""
    orders = 2**count * factorial(4 * count) // 24**count
    return case("mutex_pairs", pairs=str(count)), 8**count, count * 8**count, orders, 2**count


FAMILIES = [
    *(independent(*lengths) for lengths in ((1,), (5,), (1, 1), (2, 3), (1, 2, 3), (2, 2, 2), (1, 1, 1, 1), (4, 4, 4))),
    *(meetings(count, rounds) for count in (1, 2, 3, 4, 6) for rounds in (1, 2, 3)),
    *(locked(count) for count in (1, 2, 3, 4, 5)),
    *(added(count) for count in (1, 2, 3, 5, 8)),
    *(read(count) for count in (1, 2, 4, 6)),
    *(ballot(items) for items in (1, 2, 3, 4, 5, 8)),
    *(pairs(count) for count in (1, 2, 3)),
]


@pytest.mark.parametrize(("program", "states", "transitions", "orders", "traces"), FAMILIES, ids=str)
def test_family(program: Case, states: int, transitions: int, orders: int, traces: int) -> None:
    walked = graph(program)
    assert (len(walked.states), walked.transitions) == (states, transitions)
    assert interleavings(walked) == (orders, 0)
    assert traced(program) == (traces, 0)
    found, _ = search(space_of(*program), False, Limits())
    assert (len(found.states), len(found.source)) == (states, transitions)


@pytest.mark.parametrize(("writers", "readers"), [(1, 1), (1, 4), (2, 1), (2, 2), (2, 3), (3, 1), (3, 2), (4, 2)])
def test_a_register(writers: int, readers: int) -> None:
    """The writes are ordered, and every reader comes into one of the gaps."""
    program = case("family_register", writers=str(writers), readers=str(readers))
    assert traced(program) == (factorial(writers) * (writers + 1) ** readers, 0)
    assert interleavings(graph(program)) == (factorial(writers + readers), 0)


@pytest.mark.parametrize(("count", "permits"), [(1, 1), (2, 1), (3, 1), (3, 2), (4, 2), (4, 3), (5, 2), (4, 4)])
def test_permits(count: int, permits: int) -> None:
    """Everybody is before, inside or after; at most `permits` are inside."""
    states = sum(comb(count, inside) * 2 ** (count - inside) for inside in range(permits + 1))
    program = case("family_permits", count, permits=str(permits))
    assert len(graph(program).states) == states
    assert quotient(program) == sum(count - inside + 1 for inside in range(permits + 1))


@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_a_ring_of_philosophers(count: int) -> None:
    """Who is first at each fork orients a ring; the two cyclic orientations are the deadlock and an impossible one."""
    program = case("naive_philosophers", count=str(count))
    assert traced(program) == (2**count - 2, 1)
    assert len(graph(program).deadlocks) == 1


@pytest.mark.parametrize(
    ("name", "edges", "orientations"),
    [
        ("one edge", "01", 2),
        ("path of 3", "01,12", 4),
        ("path of 4", "01,12,23", 8),
        ("star of 4", "01,02,03", 8),
        ("triangle", "01,12,20", 6),
        ("ring of 4", "01,12,23,30", 14),
        ("ring of 5", "01,12,23,34,40", 30),
        ("triangle with a tail", "01,12,20,23", 12),
        ("two triangles with one side", "01,12,20,23,30", 18),
        ("complete graph of 4", "01,02,03,12,13,23", 24),
        ("two and three sides", "02,03,04,12,13,14", 46),
    ],
)
def test_neighbours(name: str, edges: str, orientations: int) -> None:
    """Acyclic orientations: the chromatic polynomial at -1 without its sign (Stanley 1973)."""
    assert traced(case("family_neighbours", edges=edges)) == (orientations, 0)


def toy_states(count: int, holding: int) -> int:
    """Between start and done: five places for a worker outside the lock, `holding` inside, two for the control."""
    working = 5**count + holding * count * 5 ** (count - 1)
    return (2 * working - 1) + (4 * 2**count - 1)


def toy_orbits(count: int, holding: int) -> int:
    """The same up to exchanging workers: how many are at each place."""
    working = comb(count + 4, 4) + holding * comb(count + 3, 4)
    return (2 * working - 1) + (4 * (count + 1) - 1)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
@pytest.mark.parametrize(("variant", "holding"), [("barrier", 0), ("lock", 2)])
def test_the_toy_protocol(variant: str, holding: int, count: int) -> None:
    program = case("toy", count, variant=variant)
    assert len(graph(program).states) == toy_states(count, holding)
    found, _ = search(space_of(*program), False, Limits())
    assert len(found.states) == toy_states(count, holding)


@pytest.mark.parametrize("count", [1, 2, 3, 6, 9, 12])
@pytest.mark.parametrize(("variant", "holding"), [("barrier", 0), ("lock", 2)])
def test_the_toy_protocol_under_symmetry(variant: str, holding: int, count: int) -> None:
    assert quotient(case("toy", count, variant=variant)) == toy_orbits(count, holding)
