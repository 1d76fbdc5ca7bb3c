"""An actor for every node of a graph, a mutex for every edge; each takes all mutexes of its edges, then frees them.

`edges`: such as `01,12,20`. All take them in the order of this list, so nobody waits in a ring.
"""

from collections.abc import Callable

from cllm_sim import Architecture, Mutex, Seat, Steps, Team, Work


def root(me: Seat, work: Work) -> Steps:
    yield from ()


def idle(me: Seat, team: Team[Seat], order: int) -> Steps:
    yield from ()


def node(mutexes: tuple[Mutex, ...]) -> Callable[[Team[Seat]], Steps]:
    def text(team: Team[Seat]) -> Steps:
        for number in range(len(mutexes)):
            yield mutexes[number].acquire()
        for number in range(len(mutexes)):
            yield mutexes[number].release()

    return text


def architecture(edges: str = "01,12") -> Architecture:
    pairs = edges.split(",")
    mutexes = tuple(Mutex(f"edge{pair}") for pair in pairs)
    names = sorted(set("".join(pairs)))
    others = {
        f"node{name}": node(tuple(mutex for pair, mutex in zip(pairs, mutexes, strict=True) if name in pair))
        for name in names
    }
    return Architecture(root, leaf=idle, shared=mutexes, others=others)
