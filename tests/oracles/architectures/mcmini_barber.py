"""The barber shop: a waiting room with `chairs`, one barber's chair, a sleeping barber.

`ok`: a customer frees its place in the waiting room when it sits down in the barber's chair. `deadlock`: never.
`main` says that all is done and wakes the barber once more.
"""

from cllm_sim import Architecture, Seat, Semaphore, Steps, Team, Word, Work, join

chair = Semaphore("chair", 1)
pillow = Semaphore("pillow")
belt = Semaphore("belt")
done = Word("done")


def idle(me: Seat, team: Team[Seat], order: int) -> Steps:
    yield from ()


def barber(team: Team[Seat]) -> Steps:
    while True:
        yield pillow.down()
        if (yield done.load()):
            break
        yield belt.up()


def architecture(variant: str = "ok", customers: str = "2", chairs: str = "2") -> Architecture:
    room = Semaphore("room", int(chairs))
    names = tuple(f"customer{number}" for number in range(int(customers)))

    def leaves_room(team: Team[Seat]) -> Steps:
        yield room.down()
        yield chair.down()
        yield room.up()
        yield pillow.up()
        yield belt.down()
        yield chair.up()

    def keeps_place(team: Team[Seat]) -> Steps:
        yield room.down()
        yield chair.down()
        yield pillow.up()
        yield belt.down()
        yield chair.up()

    def main(me: Seat, work: Work) -> Steps:
        for number in range(len(names)):
            yield join(names[number])
        yield done.store(1)
        yield pillow.up()
        yield join("barber")

    others = {"barber": barber, **dict.fromkeys(names, leaves_room if variant == "ok" else keeps_place)}
    return Architecture(main, leaf=idle, shared=(room, chair, pillow, belt, done), others=others)
