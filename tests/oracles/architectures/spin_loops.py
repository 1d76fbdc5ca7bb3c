"""One process that counts two bytes round and round; the same assignment stands in both branches of a free choice.

`values`: SPIN forgets the value of a variable that is set before it is used again (`forgotten`), unless it is told not
to (`-o2`, `kept`).
"""

from cllm_sim import Architecture, Seat, Steps, Team, Work, choose


def idle(me: Seat, team: Team[Seat], order: int) -> Steps:
    yield from ()


def architecture(values: str = "forgotten") -> Architecture:
    keeps = values == "kept"

    def root(me: Seat, work: Work) -> Steps:
        a = 0
        b = 0
        branch = 0
        while True:
            yield choose(1)
            a = (a + 1) % 3
            branch = yield choose(1, 2)
            b = 2 * a
            if branch == 1:
                yield choose(1)
            else:
                yield choose(1)
            branch = 0
            yield choose(1)
            b = (b - 1) % 256 if keeps else 0

    return Architecture(root, leaf=idle)
