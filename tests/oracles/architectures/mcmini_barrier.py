"""A barrier for `parties`, N threads that come to it, and a `main` that joins them, or comes to it itself (`with`)."""

from cllm_sim import Architecture, Barrier, Seat, Steps, Team, Work, join


def idle(me: Seat, team: Team[Seat], order: int) -> Steps:
    yield from ()


def architecture(threads: str = "3", parties: str = "3", main: str = "without") -> Architecture:
    size = int(parties)
    meeting = Barrier(lambda workers: size, name="meeting")
    names = tuple(f"thread{number}" for number in range(int(threads)))

    def thread(team: Team[Seat]) -> Steps:
        yield meeting.wait()

    def joins(me: Seat, work: Work) -> Steps:
        for number in range(len(names)):
            yield join(names[number])

    def comes(me: Seat, work: Work) -> Steps:
        yield meeting.wait()
        for number in range(len(names)):
            yield join(names[number])

    root = comes if main == "with" else joins
    return Architecture(root, leaf=idle, shared=(meeting,), others=dict.fromkeys(names, thread))
