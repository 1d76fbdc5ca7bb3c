"""Composition: a tree and four texts become named actors, objects and bindings, the same at every depth."""

from dataclasses import replace
from typing import Any

import pytest

from cllm_sim.architecture import Architecture
from cllm_sim.compose import System, compose
from cllm_sim.errors import BadArchitecture, BadRequest
from cllm_sim.library import load, shipped
from cllm_sim.operations import (
    Barrier,
    Condition,
    Kind,
    Mutex,
    Op,
    Region,
    Regions,
    Seat,
    Steps,
    Team,
    Variable,
    Word,
    choose,
    compute,
    fold,
    join,
    update,
)
from cllm_sim.tree import Tree, checked_tree, parent


class Desk(Seat):
    lock = Mutex()
    wake = Condition("lock")


class Crew(Team[Desk]):
    batch = Barrier()
    order = Variable(initial=4)
    piece = Regions(lambda workers: workers)


weights = Region("weights")
me, up, down = Desk("me"), Crew("up", 2), Crew("down", 2)


def text(*_: Any) -> Steps:
    yield choose(1)


def main(team: Crew) -> Steps:
    yield join("0")


ARCHITECTURE = Architecture(text, text, text, text, team=Crew, shared=(weights,))


def system(depth: int = 1, workers: int = 2, **changes: Any) -> System:
    return compose(replace(ARCHITECTURE, **changes), Tree(workers, depth))


def bound_names(made: System, actor: str, op: Op) -> tuple[list[str], ...]:
    """The absolute names that an operation of an actor speaks of: on, reads, writes, scratch."""
    bound = made.bound(made.actor_number(actor), op)
    on = [bound.on] if bound.on >= 0 else []
    return tuple(
        [made.objects[item].name for item in items] for items in (on, bound.reads, bound.writes, bound.scratch)
    )


# --- the tree ---------------------------------------------------------------------------------------------------------
def test_trees() -> None:
    tree = Tree(2, 2)
    assert tree.addresses() == ("0", "0.0", "0.0.0", "0.0.1", "0.1", "0.1.0", "0.1.1")
    assert (tree.leaves, tree.size) == (4, 7)
    assert (Tree(12, 1).size, Tree(12, 2).size, Tree(12, 3).size) == (13, 157, 1885)
    assert Tree(0, 0).addresses() == ("0",)
    assert Tree(2, 2).children("0.1.0") == ()
    assert [parent(address) for address in ("0", "0.3", "0.3.11")] == [None, "0", "0.3"]


@pytest.mark.parametrize(
    ("workers", "depth", "message"),
    [
        (0, 1, "--workers 0: a control needs at least one worker"),
        (-3, 1, "--workers -3"),
        (13, 1, "--workers 13: mine declares an arity of 12; add a level instead"),
        (2, 0, "--depth 0"),
        (2, 3, "--depth 3: mine is written for at most 2 level"),
        (12, 7, "more than 2985984 leaves"),
    ],
)
def test_trees_that_cannot_be(workers: int, depth: int, message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        checked_tree(workers, depth, 12, 2 if depth == 3 else None, "mine")


# --- actors -----------------------------------------------------------------------------------------------------------
def test_actors_of_a_tree() -> None:
    made = system(depth=2)
    rows = [(actor.name, actor.parent, actor.children, actor.index, actor.leaf) for actor in made.actors]
    assert rows == [
        ("0", None, (1, 4), -1, False),
        ("0.0", 0, (2, 3), 0, False),
        ("0.0.0", 1, (), 0, True),
        ("0.0.1", 1, (), 1, True),
        ("0.1", 0, (5, 6), 1, False),
        ("0.1.0", 4, (), 0, True),
        ("0.1.1", 4, (), 1, True),
    ]
    kinds = [actor.kind for actor in made.actors]
    assert kinds == [0, 1, 2, 2, 1, 2, 2]  # all leaves share one text, all inner nodes another
    assert len(made.texts) == 3


def test_at_depth_three_inner_nodes_still_share_a_text() -> None:
    made = system(depth=3)
    assert len({actor.kind for actor in made.actors if actor.parent is not None and actor.children}) == 1


def test_the_root_of_a_single_actor_is_a_leaf() -> None:
    made = system(worker=None, control=None)
    assert [(actor.name, actor.leaf, actor.children) for actor in made.actors] == [("0", True, ())]
    assert made.tree == Tree(0, 0)


def test_extra_actors_stand_beside_the_root_and_know_its_team() -> None:
    made = system(depth=2, others={"main": main})
    actor = made.actors[made.actor_number("main")]
    assert (actor.parent, actor.children, actor.index, actor.leaf) == (None, (), -1, False)
    assert bound_names(made, "main", up.batch.wait())[0] == ["0/batch"]
    assert bound_names(made, "main", fold(up.each.segment, into=up.owner.segment))[1] == ["0.0/segment", "0.1/segment"]
    with pytest.raises(BadArchitecture, match="which it cannot reach"):
        made.bound(made.actor_number("main"), compute(weights, into=me.segment))
    with pytest.raises(KeyError):
        made.actor_number("0.7")


# --- objects ----------------------------------------------------------------------------------------------------------
def test_objects_by_the_place_of_their_declaration() -> None:
    made = system()
    names = [thing.name for thing in made.objects]
    assert names == [
        "weights",
        *("0/segment", "0/lock", "0/wake", "0/cursor"),
        *("0.0/segment", "0.0/lock", "0.0/wake", "0.0/cursor"),
        *("0.1/segment", "0.1/lock", "0.1/wake", "0.1/cursor"),
        *("0/batch", "0/order", "0/piece[0]", "0/piece[1]"),
    ]
    things = dict(zip(names, made.objects, strict=True))
    assert (things["weights"].owner, things["weights"].crew) == (None, None)
    assert (things["0.1/lock"].owner, things["0.1/lock"].field) == (2, "lock")
    assert (things["0/batch"].crew, things["0/batch"].parties) == (0, 3)
    assert (things["0/order"].initial, things["0/piece[1]"].number) == (4, 1)
    assert made.objects[things["0.0/wake"].mutex].name == "0.0/lock"
    assert [made.objects[item].kind for item in made.cursor] == [Kind.CURSOR] * 3


def test_the_blocks_of_all_seats_have_one_order() -> None:
    """What makes renaming siblings trivial: field by field the same, for seats and for teams."""
    made = system(depth=2, others={"main": main})
    for blocks in (made.seat_block, made.team_block):
        fields = {tuple(made.objects[item].field for item in block) for block in blocks} - {()}
        assert len(fields) == 1
    assert made.seat_block[-1] == made.team_block[-1] == range(0)


@pytest.mark.parametrize(
    ("actor", "op", "expected"),
    [
        ("0.0", me.lock.acquire(), (["0.0/lock"], [], [], [])),
        ("0.0", up.batch.wait(), (["0/batch"], [], [], [])),
        ("0", down.batch.wait(), (["0/batch"], [], [], [])),
        ("0.0", down.batch.wait(), (["0.0/batch"], [], [], [])),
        ("0.0.1", up.batch.wait(), (["0.0/batch"], [], [], [])),
        (
            "0.1",
            fold(down.each.segment, into=me.segment),
            ([], ["0.1.0/segment", "0.1.1/segment"], ["0.1/segment"], []),
        ),
        ("0.1.1", compute(weights, into=me.segment), ([], ["weights"], ["0.1.1/segment"], [])),
        ("0.1.1", compute(weights, me.segment, weights), ([], ["weights"], ["0.1.1/segment"], ["weights"])),
        ("0.1.1", compute(weights, into=up.seats[0].segment), ([], ["weights"], ["0.1.0/segment"], [])),
        ("0.1.0", fold(up.piece, into=up.owner.segment), ([], ["0.1/piece[0]", "0.1/piece[1]"], ["0.1/segment"], [])),
        ("0.1.0", compute(weights, into=up.piece[1]), ([], ["weights"], ["0.1/piece[1]"], [])),
        ("0", update(me.segment, into=weights), ([], ["0/segment"], ["weights"], [])),
        ("0", choose(1, 2), ([], [], [], [])),
    ],
)
def test_relative_names_are_bound_once_per_actor(actor: str, op: Op, expected: tuple[list[str], ...]) -> None:
    made = system(depth=2)
    assert bound_names(made, actor, op) == expected
    number = made.actor_number(actor)
    assert made.bound(number, op) is made.bound(number, op)


def test_the_child_under_the_cursor_has_one_variant_per_child() -> None:
    made = system(workers=3)
    bound = made.bound(0, down.at.lock.acquire())
    assert (bound.on, len(bound.at)) == (-1, 3)
    assert [made.objects[variant.on].name for variant in bound.at] == ["0.0/lock", "0.1/lock", "0.2/lock"]


def test_regions_of_every_child_are_named_together() -> None:
    class Bench(Seat):
        half = Regions(lambda workers: 2)

    class Shop(Team[Bench]):
        pass

    made = system(team=Shop)
    reads = bound_names(made, "0", fold(Shop("down", 2).each.half, into=Seat("me").segment))[1]
    assert reads == ["0.0/half[0]", "0.0/half[1]", "0.1/half[0]", "0.1/half[1]"]


@pytest.mark.parametrize(
    ("actor", "op", "expected"),
    [
        ("0.0", me.lock.acquire(), "acquire 0.0/lock"),
        ("0", down.batch.wait(), "wait 0/batch"),
        ("0", down.order.write(2), "write 0/order 2"),
        ("0", down.order.read(), "read 0/order"),
        ("0", down.next(), "next"),
        ("0", choose(1, 2), "choose"),
        ("0", down.at.lock.acquire(), "acquire 0/at/lock"),
        ("0.0", compute(weights, into=me.segment), "compute 0.0/segment"),
        ("0", fold(down.each.segment, into=me.segment), "fold 0/segment"),
        ("0", update(me.segment, into=weights), "update weights"),
        ("0.1", join("0.0"), "join 0.0"),
    ],
)
def test_operations_in_absolute_names(actor: str, op: Op, expected: str) -> None:
    made = system()
    assert made.describe(made.actor_number(actor), op) == expected


def test_every_value_is_told() -> None:
    class Crew2(Team[Seat]):
        word = Word()

    made, word = system(team=Crew2), Crew2("down", 2).word
    told = [made.describe(0, op) for op in (word.store(1), word.add(-2), word.wait_until(3), word.exchange(4, 5))]
    assert told == ["store 0/word 1", "add 0/word -2", "await 0/word 3", "exchange 0/word 4 by 5"]


# --- substitution -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", [name for name in shipped() if name != "serial"])
def test_an_inner_node_is_worker_and_control_at_once(name: str) -> None:
    """Only its text speaks of both sides: of its parent's team as `up`, and of its own as `down`."""
    architecture = load(name).architecture
    made = compose(architecture, Tree(2, min(2, architecture.depth_max or 2)))
    for number, actor in enumerate(made.actors):
        sides = {op.on.partition(".")[0] for op in first_operations(made, number)}
        assert "up" not in sides or actor.parent is not None
        assert "down" not in sides or actor.children
        assert sides & {"up", "down", "me"}


def first_operations(made: System, actor: int) -> list[Op]:
    """The operations of a run in which every choice is a batch first and then stop, and every loop is left."""
    steps, found = made.text(actor), []
    try:
        op = next(steps)
        for number in range(40):
            found.append(op)
            op = steps.send(op.options[-1] if op.options else 3 if number else 1)
    except StopIteration:
        pass
    return found


def test_every_run_of_a_text_names_the_same_objects() -> None:
    made = compose(load("model_lock").architecture, Tree(2, 1))
    assert next(made.text(1)) is next(made.text(2)) is next(made.text(1))


# --- what does not fit ------------------------------------------------------------------------------------------------
class Clash(Team[Desk]):
    lock = Mutex()


class Reserved(Team[Seat]):
    workers = Word()  # type: ignore[assignment]


class ReservedMethod(Team[Seat]):
    next = Word()  # type: ignore[assignment]


class NoMutex(Team[Seat]):
    wake = Condition("lock")


class LaterMutex(Team[Seat]):
    wake = Condition("lock")
    lock = Mutex()


class NotAMutex(Team[Seat]):
    lock = Word()
    wake = Condition("lock")


class Half(Team[Seat]):
    batch = Barrier(lambda workers: workers / 2)  # type: ignore[arg-type, return-value]


class Negative(Team[Seat]):
    piece = Regions(lambda workers: -1)


class Raises(Team[Seat]):
    batch = Barrier(lambda workers: 1 // 0)


class CursorSeat(Seat):
    cursor = Word()


class CursorTeam(Team[CursorSeat]):
    pass


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"shared": (Region(),)}, "a module-level object needs a name"),
        ({"shared": (Regions(lambda workers: 2, "x"),)}, "Regions belong in a Team"),
        ({"shared": (Region("x"), Mutex("x"))}, "two module-level objects are called 'x'"),
        ({"team": Clash}, "'lock' is a name of the team and of its seats"),
        ({"team": CursorTeam}, "'cursor' is a name of the team and of its seats"),
        ({"team": Reserved}, "every team has a 'workers' already"),
        ({"team": ReservedMethod}, "every team has a 'next' already"),
        ({"team": NoMutex}, "Condition('lock') names no Mutex declared above it in the same scope"),
        ({"team": LaterMutex}, "Condition('lock') names no Mutex declared above it in the same scope"),
        ({"team": NotAMutex}, "Condition('lock') names no Mutex declared above it in the same scope"),
        ({"team": Half}, "1.0 is no count; give a function of the number of workers"),
        ({"team": Negative}, "-1 is no count"),
        ({"team": Raises}, "ZeroDivisionError"),
        ({"others": {"0.1": main}}, "others['0.1']: an extra actor needs a name of letters"),
    ],
)
def test_declarations_that_do_not_fit(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(BadArchitecture) as raised:
        system(**changes)
    assert message in str(raised.value)
    assert "others" in changes or str(raised.value).startswith(f"{__file__}:")


@pytest.mark.parametrize(
    ("actor", "op", "message"),
    [
        ("0.0", Mutex("outside").acquire(), "names 'outside', which it cannot reach; declare module-level objects"),
        ("0", up.batch.wait(), "names 'up.batch'"),
        ("0.0", down.batch.wait(), "names 'down.batch'"),
        ("0.0", compute(weights, into=Crew("up", 9).seats[7].segment), "names 'up.7.segment'"),
        ("0.0", up.next(), "a cursor is moved by the control only"),
        ("0", down.each.lock.acquire(), "names several objects; use team.at and team.next()"),
        ("0", down.order.write("x"), "carries 'x'; operations carry integers only"),  # type: ignore[arg-type]
        ("0", choose(1, "stop"), "operations carry integers only"),  # type: ignore[arg-type]
    ],
)
def test_operations_that_do_not_fit(actor: str, op: Op, message: str) -> None:
    made = system()
    with pytest.raises(BadArchitecture) as raised:
        made.bound(made.actor_number(actor), op)
    assert message in str(raised.value)
