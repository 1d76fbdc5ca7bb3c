"""The control writes a message and says so with an atomic word; the workers wait for the word, then read."""

from cllm_sim import BATCH, Architecture, Barrier, Mutex, Seat, Steps, Team, Variable, Word, Work, join


class Crew(Team[Seat]):
    text = Variable()
    ready = Word()
    flag = Variable()  # edits may need these
    lock = Mutex()
    end = Barrier()


def worker(me: Seat, team: Crew, work: Work) -> Steps:
    yield team.ready.wait_until(1)
    yield team.text.read()
    yield team.end.wait()


def leaf(me: Seat, team: Crew, order: int) -> Steps:
    yield from ()


def control(me: Seat, team: Crew, order: int) -> Steps:
    yield team.text.write(7)
    yield team.ready.store(1)
    yield team.end.wait()  # control
    yield team.end.destroy()  # nobody will come again


def root(me: Seat, work: Work) -> Steps:
    yield from work(BATCH)


def main(team: Crew) -> Steps:
    yield join("0")


architecture = Architecture(root, worker, control, leaf, team=Crew, depth_max=1, others={"main": main})
