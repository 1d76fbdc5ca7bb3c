"""A wrong algorithm for mutual exclusion with three variables, from an exercise: eight states show two inside."""

from collections.abc import Callable

from cllm_sim import Architecture, Seat, StateView, Steps, Team, Word, Work, always

x = Word("x")
y = Word("y")
z = Word("z")
count = Word("count")


def root(me: Seat, work: Work) -> Steps:
    yield from ()


def idle(me: Seat, team: Team[Seat], order: int) -> Steps:
    yield from ()


def user(me: int) -> Callable[[Team[Seat]], Steps]:
    def text(team: Team[Seat]) -> Steps:
        while True:
            yield x.store(me)
            if (yield y.load()) not in (0, me):
                continue
            yield z.store(me)
            if (yield x.load()) != me:
                continue
            yield y.store(me)
            if (yield z.load()) != me:
                continue
            yield count.add(1)
            yield count.load()  # the assertion
            yield count.add(-1)

    return text


def alone(state: StateView) -> bool:
    return state.values("count") <= (1,)


architecture = Architecture(
    root,
    leaf=idle,
    shared=(x, y, z, count),
    others={"one": user(1), "two": user(2)},
    promises=(always("alone inside", alone),),
)
