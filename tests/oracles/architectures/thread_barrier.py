"""N threads meet at one barrier, `rounds` times; the root is no member."""

from cllm_sim import Architecture, Barrier, Seat, Steps, Team, Work


class Crew(Team[Seat]):
    meeting = Barrier(lambda workers: workers)


def root(me: Seat, work: Work) -> Steps:
    yield from ()


def idle(me: Seat, team: Crew, order: int) -> Steps:
    yield from ()


def architecture(rounds: str = "1") -> Architecture:
    count = int(rounds)

    def worker(me: Seat, team: Crew, work: Work) -> Steps:
        for _ in range(count):
            yield team.meeting.wait()

    return Architecture(root, worker, idle, idle, team=Crew)
