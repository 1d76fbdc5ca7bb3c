"""What every operation does: reply, blocking, change of state, and broken rules."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cllm_sim.compose import System
from cllm_sim.operations import BATCH, RULES, STOP, Kind, Op, Verb, choose, compute, fold, join, update
from cllm_sim.semantics import HANDLERS, PLAIN, Memory, initial, outcomes, parked, waiters

from tests.checker.by_hand import CONTROL, MAIN, ONE, SYSTEM, TWO, World, down, me, scratch, up, weights


def test_every_verb_has_one_meaning_and_one_rule() -> None:
    assert set(HANDLERS) == set(RULES) == set(Verb)
    assert {verb for verb, rule in RULES.items() if rule.plain} == PLAIN


# --- one operation at a time ------------------------------------------------------------------------------------------
SIMPLE = [
    # before, actor, operation, reply, values after, faults
    ([], ONE, up.door.acquire(), 0, {"0/door": 2}, []),
    ([(ONE, up.door.acquire())], ONE, up.door.release(), 0, {"0/door": 0}, []),
    ([(TWO, up.door.acquire())], ONE, up.door.release(), 0, {"0/door": 0}, ["lock-misuse"]),
    ([], ONE, up.door.release(), 0, {"0/door": 0}, ["lock-misuse"]),
    ([], ONE, up.bell.notify(), 0, {}, []),
    ([], ONE, up.bell.notify_all(), 0, {}, []),
    ([], ONE, up.token.down(), 0, {"0/token": 0}, []),
    ([], ONE, up.token.up(), 0, {"0/token": 2}, []),
    ([], ONE, up.word.load(), 5, {"0/word": 5}, []),
    ([], ONE, up.word.store(9), 0, {"0/word": 9}, []),
    ([], ONE, up.word.add(-7), 5, {"0/word": -2}, []),
    ([], ONE, up.word.exchange(5, 8), 5, {"0/word": 8}, []),
    ([], ONE, up.word.exchange(4, 8), 5, {"0/word": 5}, []),
    ([], ONE, up.word.wait_until(5), 5, {"0/word": 5}, []),
    ([], ONE, up.note.read(), 7, {"0/note": 7}, []),
    ([], ONE, up.note.write(3), 0, {"0/note": 3}, []),
    ([], ONE, compute(weights, into=me.segment), 0, {"0.0/segment": 1, "weights": 0}, []),
    ([], ONE, compute(weights, into=me.segment, using=scratch), 0, {"0.0/segment": 1, "scratch": 0}, []),
    ([], CONTROL, compute(weights, into=me.segment), 0, {"0/segment": 1}, ["role"]),
    ([], ONE, compute(weights, into=up.owner.segment), 0, {"0/segment": 1}, ["ownership"]),
    ([], ONE, compute(weights, into=up.seats[1].segment), 0, {"0.1/segment": 1}, ["ownership"]),
    ([], ONE, compute(weights, into=up.piece[1]), 0, {"0/piece[1]": 1}, []),
    ([], MAIN, join("0"), 0, {}, []),
    ([], CONTROL, down.next(), 1, {"0.0/cursor": 1, "0.1/cursor": 0}, []),
    ([], CONTROL, down.door.destroy(), 0, {"0/door": -1}, []),
    ([(ONE, up.door.acquire())], CONTROL, down.door.destroy(), 0, {"0/door": -1}, ["lock-misuse"]),
    ([], CONTROL, down.batch.destroy(), 0, {"0/batch": -1}, []),
    ([(ONE, up.batch.wait())], CONTROL, down.batch.destroy(), 0, {"0/batch": -1}, ["barrier-misuse"]),
    ([(CONTROL, down.door.destroy())], ONE, up.door.acquire(), 0, {"0/door": -1}, ["use-after-destroy"]),
    ([(CONTROL, down.door.destroy())], ONE, up.door.release(), 0, {"0/door": -1}, ["use-after-destroy"]),
    ([(CONTROL, down.door.destroy())], ONE, up.bell.wait(), 0, {"0/door": -1}, ["use-after-destroy"]),
    ([(CONTROL, down.door.destroy())], CONTROL, down.door.destroy(), 0, {"0/door": -1}, ["use-after-destroy"]),
    ([(CONTROL, down.batch.destroy())], ONE, up.batch.wait(), 0, {"0/batch": -1}, ["use-after-destroy"]),
    ([], CONTROL, down.at.lock.acquire(), 0, {"0.0/lock": 0, "0.1/lock": 0}, ["lock-misuse"]),
]


@pytest.mark.parametrize(("before", "actor", "op", "reply", "values", "faults"), SIMPLE)
def test_an_operation(
    before: list[tuple[str, Op]], actor: str, op: Op, reply: int, values: dict[str, int], faults: list[str]
) -> None:
    world = World()
    for who, what in before:
        world.do(who, what)
    untouched = world.memory
    assert world.do(actor, op) == (reply, faults)
    assert {name: world.value(name) for name in values} == values
    changed = {name for name in names() if value_in(untouched, name) != world.value(name)}
    assert changed <= set(values)


def names() -> list[str]:
    return [thing.name for thing in SYSTEM.objects]


def value_in(memory: Memory, name: str) -> int:
    return memory.value[names().index(name)]


@pytest.mark.parametrize(
    ("before", "op"),
    [
        ([(CONTROL, down.door.destroy())], up.door.acquire()),
        ([(CONTROL, down.batch.destroy())], up.batch.wait()),
        ([(CONTROL, down.door.destroy())], up.bell.wait()),
    ],
)
def test_what_is_impossible_is_told_and_leaves_everything_as_it_was(before: list[tuple[str, Op]], op: Op) -> None:
    world = World()
    for who, what in before:
        world.do(who, what)
    memory = world.memory
    assert world.do(ONE, op)[1] == ["use-after-destroy"]
    assert world.memory == memory


BLOCKED = [
    ([(TWO, up.door.acquire())], ONE, up.door.acquire()),
    ([(ONE, up.door.acquire())], ONE, up.door.acquire()),  # not reentrant
    ([(TWO, up.token.down())], ONE, up.token.down()),
    ([], ONE, up.word.wait_until(6)),
    ([(ONE, up.batch.wait())], ONE, None),
    ([(ONE, up.door.acquire()), (ONE, up.bell.wait())], ONE, None),
]


@pytest.mark.parametrize(("before", "actor", "op"), BLOCKED)
def test_blocked_means_no_outcome(before: list[tuple[str, Op]], actor: str, op: Op | None) -> None:
    world = World()
    for who, what in before:
        world.do(who, what)
    if op is not None:
        world.give(actor, op)
    assert world.possible(actor) == ()


def test_a_finished_actor_does_nothing_more() -> None:
    assert World().possible(ONE) == ()


# --- barrier ----------------------------------------------------------------------------------------------------------
def test_the_last_arrival_releases_everybody() -> None:
    world = World()
    assert world.do(TWO, up.batch.wait()) == (None, [])
    assert world.do(CONTROL, down.batch.wait()) == (None, [])
    assert world.phases() == (1, 0, 1, 0)
    assert world.possible(TWO) == world.possible(CONTROL) == ()
    world.give(ONE, up.batch.wait())
    assert world.go(ONE) == ({CONTROL: 0, ONE: 0, TWO: 0}, [])
    assert world.phases() == (0, 0, 0, 0)
    assert world.memory.value == initial(SYSTEM).value


def test_a_barrier_can_be_used_again_at_once() -> None:
    world = World()
    for _ in range(3):
        world.do(ONE, up.batch.wait())
        world.do(TWO, up.batch.wait())
        assert world.do(CONTROL, down.batch.wait())[0] == 0


@pytest.mark.parametrize("control_first", [True, False])
def test_a_childs_barrier_is_met_through_the_cursor(control_first: bool) -> None:
    world = World()
    world.do(CONTROL, down.next())
    arrivals = [(CONTROL, down.at.gate.wait()), (ONE, me.gate.wait())]
    first, second = arrivals if control_first else arrivals[::-1]
    assert world.do(*first) == (None, [])
    gate = [thing.name for thing in SYSTEM.objects].index("0.0/gate")
    assert [SYSTEM.actors[actor].name for actor in parked(SYSTEM, world.pending, world.memory, gate)] == [first[0]]
    world.give(*second)
    assert world.go(second[0])[0] == {CONTROL: 0, ONE: 0}


# --- condition --------------------------------------------------------------------------------------------------------
def asleep(*actors: str, system: System = SYSTEM) -> World:
    world = World(system)
    for actor in actors:
        world.do(actor, up.door.acquire())
        assert world.do(actor, up.bell.wait()) == (None, [])
    return world


def test_sleeping_gives_the_mutex_back_and_waking_takes_it() -> None:
    world = asleep(ONE)
    assert (world.value("0/door"), world.phases()) == (0, (0, 1, 0, 0))
    world.do(CONTROL, down.door.acquire())
    assert world.do(CONTROL, down.bell.notify()) == (0, [])
    assert world.phases() == (0, 2, 0, 0)
    assert world.possible(ONE) == ()  # the mutex is not free yet
    assert waiters(SYSTEM, world.pending, world.memory) == {names().index("0/door"): 1}
    world.do(CONTROL, down.door.release())
    assert world.go(ONE) == ({ONE: 0}, [])
    assert world.value("0/door") == SYSTEM.actor_number(ONE) + 1


def test_a_notify_wakes_one_of_several_and_somebody_else_chooses_whom() -> None:
    world = asleep(ONE, TWO)
    world.give(CONTROL, down.bell.notify())
    assert [outcome.choice for outcome in world.possible(CONTROL)] == [ONE, TWO]
    world.go(CONTROL, TWO)
    assert world.phases() == (0, 1, 2, 0)


def test_notify_all_wakes_everybody_in_one_outcome() -> None:
    world = asleep(ONE, TWO)
    assert world.do(CONTROL, down.bell.notify_all()) == (0, [])
    assert world.phases() == (0, 2, 2, 0)


def test_a_notify_without_a_sleeper_is_lost() -> None:
    world = World()
    world.do(CONTROL, down.bell.notify())
    world.do(ONE, up.door.acquire())
    world.do(ONE, up.bell.wait())
    assert world.possible(ONE) == ()


def test_sleeping_without_the_mutex_is_misuse() -> None:
    world = World()
    assert world.do(ONE, up.bell.wait()) == (None, ["lock-misuse"])


def test_spurious_wake_ups_are_a_switch() -> None:
    world = asleep(ONE, system=replace(SYSTEM, spurious=True))
    assert [outcome.choice for outcome in world.possible(ONE)] == ["spurious"]
    world.go(ONE)
    assert world.phases() == (0, 2, 0, 0)
    assert world.go(ONE) == ({ONE: 0}, [])


def test_a_childs_sleeper_is_woken_through_the_cursor() -> None:
    world = World()
    world.do(ONE, me.lock.acquire())
    world.do(ONE, me.wake.wait())
    world.do(CONTROL, down.next())
    world.do(CONTROL, down.at.wake.notify())
    assert world.phases() == (0, 2, 0, 0)


def test_the_control_sleeps_at_the_child_under_the_cursor() -> None:
    world = World()
    world.do(CONTROL, down.next())
    world.do(CONTROL, down.at.lock.acquire())
    assert world.do(CONTROL, down.at.wake.wait())[0] is None
    assert world.value("0.0/lock") == 0
    world.do(TWO, me.wake.notify())  # another child's condition
    assert world.phases() == (1, 0, 0, 0)
    world.do(ONE, me.wake.notify())
    assert world.phases() == (2, 0, 0, 0)
    assert world.go(CONTROL) == ({CONTROL: 0}, [])


# --- cursor, choice, join ---------------------------------------------------------------------------------------------
def cursors(world: World) -> tuple[int, int]:
    return world.value("0.0/cursor"), world.value("0.1/cursor")


def test_the_cursor_visits_every_child_once_and_starts_anew() -> None:
    world = World()
    seen = []
    for _ in range(2):
        seen += [(world.do(CONTROL, down.next())[0], cursors(world)) for _ in range(3)]
    assert seen == 2 * [(1, (1, 0)), (1, (2, 1)), (0, (0, 0))]


def test_in_any_order_the_cursor_may_stand_at_any_child_not_yet_visited() -> None:
    world = World(replace(SYSTEM, any_order=frozenset({0})))
    world.give(CONTROL, down.next())
    assert [outcome.choice for outcome in world.possible(CONTROL)] == [ONE, TWO]
    world.go(CONTROL, TWO)
    assert cursors(world) == (0, 1)
    assert world.do(CONTROL, down.next()) == (1, [])
    assert cursors(world) == (1, 2)
    assert world.do(CONTROL, down.next()) == (0, [])


def test_the_environment_chooses() -> None:
    world = World()
    world.give(CONTROL, choose(BATCH, STOP, 9))
    found = world.possible(CONTROL)
    assert [(outcome.choice, outcome.done) for outcome in found] == [
        ("batch", ((0, BATCH),)),
        ("stop", ((0, STOP),)),
        ("9", ((0, 9),)),
    ]
    assert all(outcome.memory == world.memory for outcome in found)


def test_join_waits_until_the_actor_has_finished() -> None:
    world = World()
    world.give(ONE, up.word.load())
    world.give(MAIN, join(ONE))
    assert world.possible(MAIN) == ()
    world.go(ONE)
    assert world.go(MAIN) == ({MAIN: 0}, [])


# --- freshness --------------------------------------------------------------------------------------------------------
def computed(*actors: str) -> World:
    world = World()
    for actor in actors:
        world.do(actor, compute(weights, into=me.segment))
    return world


def test_a_whole_step() -> None:
    world = computed(ONE, TWO)
    world.do(ONE, up.batch.wait())
    world.do(TWO, up.batch.wait())
    world.do(CONTROL, down.batch.wait())
    assert world.do(CONTROL, fold(down.each.segment, into=me.segment)) == (0, [])
    assert [world.value(name) for name in ("0.0/segment", "0.1/segment", "0/segment")] == [2, 2, 1]
    assert world.do(CONTROL, update(me.segment, into=weights)) == (0, [])
    assert [world.value(name) for name in ("0.0/segment", "0.1/segment", "0/segment", "weights")] == [0, 0, 0, 0]


FOLD = fold(down.each.segment, into=me.segment)
APPLY = update(me.segment, into=weights)
FRESHNESS = [
    ([], FOLD, ["stale-read", "stale-read"]),
    ([(ONE, compute(weights, into=me.segment))], FOLD, ["stale-read"]),
    ([], APPLY, ["stale-read"]),
    ([(CONTROL, fold((), into=me.segment)), (ONE, compute(weights, into=me.segment))], APPLY, ["lost-batch"]),
    ([(CONTROL, fold((), into=me.segment))], fold((), into=me.segment), ["double-processing"]),
    ([(CONTROL, fold((), into=down.piece[0]))], fold((), into=down.piece[0]), ["double-processing"]),
    ([(CONTROL, fold((), into=scratch))], fold((), into=scratch), ["lost-update"]),
]


@pytest.mark.parametrize(("before", "op", "faults"), FRESHNESS)
def test_what_is_not_fresh_is_told(before: list[tuple[str, Op]], op: Op, faults: list[str]) -> None:
    world = World(replace(SYSTEM, monitor=False))
    for who, what in before:
        world.do(who, what)
    assert world.do(CONTROL, op) == (0, faults)


def test_folding_twice_is_double_processing() -> None:
    world = computed(ONE, TWO)
    world.system = replace(SYSTEM, monitor=False)
    world.do(CONTROL, FOLD)
    assert world.do(CONTROL, fold(down.each.segment, into=scratch))[1] == ["double-processing"] * 2


def test_computing_twice_is_double_processing_and_over_somebody_elses_result_lost() -> None:
    world = computed(ONE)
    assert world.do(ONE, compute(weights, into=me.segment))[1] == ["double-processing"]
    world.system = replace(SYSTEM, monitor=False)
    assert world.do(TWO, compute(weights, into=up.seats[0].segment))[1] == ["ownership", "lost-update"]


def test_slices_make_the_whole() -> None:
    world = computed(ONE, TWO)
    world.system = replace(SYSTEM, monitor=False)
    part = fold(up.each.segment, into=up.owner.segment, parts=2)
    assert world.do(ONE, part) == (0, [])
    assert [world.value(name) for name in ("0.0/segment", "0.1/segment", "0/segment")] == [11, 11, -1]
    early = World(world.system)
    early.memory = world.memory
    assert early.do(CONTROL, APPLY)[1] == ["stale-read", "lost-batch", "lost-batch"]
    assert world.do(TWO, part) == (0, [])
    assert [world.value(name) for name in ("0.0/segment", "0.1/segment", "0/segment")] == [2, 2, 1]
    assert world.do(ONE, part)[1] == ["double-processing"] * 3
    assert World(world.system).do(ONE, part)[1] == ["stale-read", "stale-read"]


# --- for all sequences ------------------------------------------------------------------------------------------------
SLICE = fold((), into=up.owner.segment, parts=2)
WORKER_OPS = [
    up.batch.wait(), up.door.acquire(), up.door.release(), up.bell.wait(), up.bell.notify(), up.bell.notify_all(),
    up.token.down(), up.token.up(), up.word.load(), up.word.add(1), up.word.store(0), up.word.exchange(5, 1),
    up.word.wait_until(0), up.note.read(), up.note.write(1), me.gate.wait(), me.lock.acquire(), me.lock.release(),
    me.wake.wait(), compute(weights, into=me.segment, using=scratch), compute(weights, into=up.piece[0]), SLICE,
    update(me.segment, into=weights), up.door.destroy(), up.batch.destroy(), join("main"),
]  # fmt: skip
CONTROL_OPS = [
    down.batch.wait(), down.next(), down.at.gate.wait(), down.at.lock.acquire(), down.at.lock.release(),
    down.at.wake.wait(), down.at.wake.notify(), down.bell.notify_all(), FOLD, APPLY, choose(1, 2), down.door.acquire(),
]  # fmt: skip
MOVES = st.lists(
    st.one_of(
        st.tuples(st.sampled_from([ONE, TWO]), st.sampled_from(WORKER_OPS)),
        st.tuples(st.just(CONTROL), st.sampled_from(CONTROL_OPS)),
    ),
    max_size=40,
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(MOVES, st.booleans())
def test_every_state_stays_sound(moves: list[tuple[str, Op]], spurious: bool) -> None:
    """Whatever is done, in whatever order, broken rules included: states stay well-formed and answers repeatable."""
    world = World(replace(SYSTEM, spurious=spurious))
    for actor, op in moves:
        number = world.system.actor_number(actor)
        if world.pending[number] is None:
            world.give(actor, op)
        memory, pending = world.memory, list(world.pending)
        found = world.possible(actor)
        assert found == outcomes(world.system, pending, memory, number)
        assert (world.memory, world.pending) == (memory, pending)
        verb = world.pending[number].verb  # type: ignore[union-attr]
        assert found or RULES[verb].blocks
        if found:
            world.memory = found[0].memory
            for done, _ in found[0].done:
                world.pending[done] = None
        check_sound(world)


def check_sound(world: World) -> None:
    memory = world.memory
    hash(memory)
    actors = len(world.pending)
    assert set(memory.phase) <= {0, 1, 2}
    assert all(world.pending[actor] is not None for actor, phase in enumerate(memory.phase) if phase)
    assert memory.marks == tuple(sorted(set(memory.marks)))
    for thing, value in zip(world.system.objects, memory.value, strict=True):
        if thing.kind is Kind.MUTEX:
            assert -1 <= value <= actors
        elif thing.kind is Kind.REGION:
            assert value in (0, 1, 2, -1, 11)
        elif thing.kind is Kind.CURSOR:
            assert value in (0, 1, 2)
        elif thing.kind is Kind.SEMAPHORE:
            assert value >= 0
