"""The toy protocol: a command, a barrier, work, a second barrier, without end and without data.

The control writes its command, meets all at `start`, meets all at `done`, and reads the segments in one step. A worker
reads the command, computes, and either writes its own segment (`barrier`) or adds to the one model under a lock
(`lock`). No value ever changes: only program counters, barriers and the lock make up a state.
"""

from cllm_sim import Architecture, Barrier, Mutex, Seat, Steps, Team, Word, Work, choose

model = Mutex("model")
weights = Word("weights")
command = Word("command")
segments = Word("segments")


class Crew(Team[Seat]):
    start = Barrier()
    done = Barrier()


def root(me: Seat, work: Work) -> Steps:
    yield from work(1)


def control(me: Seat, team: Crew, order: int) -> Steps:
    while True:
        yield command.store(0)
        yield team.start.wait()
        yield team.done.wait()
        yield segments.load()


def writes(me: Seat, team: Crew, work: Work) -> Steps:
    while True:
        yield team.start.wait()
        yield command.load()
        yield choose(1)
        yield segments.add(0)
        yield team.done.wait()


def locks(me: Seat, team: Crew, work: Work) -> Steps:
    while True:
        yield team.start.wait()
        yield command.load()
        yield choose(1)
        yield model.acquire()
        yield weights.add(0)
        yield model.release()
        yield team.done.wait()


def idle(me: Seat, team: Crew, order: int) -> Steps:
    yield from ()


def architecture(variant: str = "barrier") -> Architecture:
    worker = writes if variant == "barrier" else locks
    return Architecture(root, worker, control, idle, team=Crew, shared=(model, weights, command, segments))
