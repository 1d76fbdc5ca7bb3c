"""Two single actors: one counts for ever, and what it wrote first the other reads without any order."""

from cllm_sim import Architecture, Seat, Steps, Team, Variable, Word, Work

data = Variable("data")
count = Word("count")
Crew = Team[Seat]


def root(me: Seat, work: Work) -> Steps:
    yield from ()


def leaf(me: Seat, team: Crew, order: int) -> Steps:
    yield from ()


def counts(team: Crew) -> Steps:
    yield data.write(1)
    while True:
        yield count.add(1)


def reads(team: Crew) -> Steps:
    yield data.read()  # BROKEN: nothing orders it after the write


architecture = Architecture(root, leaf=leaf, shared=(data, count), others={"counting": counts, "reading": reads})
