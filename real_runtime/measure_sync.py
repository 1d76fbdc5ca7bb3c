"""What synchronisation costs: every operation through the actors' own loop, and the scheduler's share of it.

    operations   two texts driven by `actor.drive`; an operation costs from its begin to the begin of the next one, with
                 everything between them: recording, the text itself, the table of actions
    sleep        two actors hand a condition to and fro on one core; what is left of a turn after everything else
    resume       two processes hand a semaphore to and fro on one core: a `down` that slept less one that did not
    wake         a process asleep on an idle core: from just before the `up` until it runs
    release      the last party of a barrier wakes all others: slope over the number of parties
    quantum      two processes that never rest on one core: how long one runs until the other does

Rules of this file: processor time except for `wake` and `quantum`, latencies by nature. No loop is without limit.
"""

import os
import resource
import time
from itertools import pairwise

import numpy as np

from cllm_sim.architecture import Architecture
from cllm_sim.compose import System, compose
from cllm_sim.job import Job
from cllm_sim.operations import (
    BATCH,
    RULES,
    STOP,
    Barrier,
    Condition,
    Mutex,
    Seat,
    Semaphore,
    Steps,
    Team,
    Variable,
    Verb,
    Word,
    Work,
    choose,
    join,
)
from cllm_sim.slots import ARITY
from cllm_sim.tree import Tree
from real_runtime.actor import drive
from real_runtime.board import Board, create_board
from real_runtime.learner import Learner
from real_runtime.measure_lab import Lab, Samples, cpu_ns, pin
from real_runtime.optimizer import OptimizerSettings, optimizer_for
from real_runtime.perform import Workplace
from real_runtime.processes import process_state
from real_runtime.record import read_log

OPERATIONS_IN_A_TURN = 19
NOTIFIER, SLEEPER = 0, 1


class Office(Team[Seat]):
    """One object of every kind. The barrier is for one party, so that crossing it never blocks."""

    lock = Mutex()
    wake = Condition("lock")
    gate = Barrier(lambda workers: 1)
    tokens = Semaphore()
    word = Word()
    flag = Variable()


def leaf(me: Seat, team: Office, order: int) -> Steps:
    """Hardly anything."""
    yield team.flag.read()


def _operations_bench(turns: int) -> Architecture:
    """A control that performs every operation that need not block, so many times; its worker has finished before."""

    def worker(me: Seat, team: Office, work: Work) -> Steps:
        yield from work(STOP)

    def control(me: Seat, team: Office, order: int) -> Steps:
        yield team.gate.wait()
        yield team.lock.acquire()
        yield team.wake.notify()
        yield team.wake.notify_all()
        yield team.lock.release()
        yield team.tokens.up()
        yield team.tokens.down()
        yield team.word.store(1)
        yield team.word.load()
        yield team.word.exchange(1, 2)
        yield team.word.add(1)
        yield team.word.wait_until(3)
        yield team.flag.write(1)
        yield team.flag.read()
        yield team.next()
        yield team.next()
        yield join("0.0")
        yield team.lock.destroy()  # its bytes stay, so it can be used again; only this bench may

    def root(me: Seat, work: Work) -> Steps:
        for _ in range(turns):
            yield choose(BATCH, STOP)
            yield from work(BATCH)

    return Architecture(root, worker, control, leaf, team=Office)


def _condition_bench(turns: int) -> Architecture:
    """Two actors that take turns by one condition, holding its mutex except when asleep."""

    def turn(team: Office, mine: int, other: int) -> Steps:
        while (yield team.flag.read()) != mine:
            yield team.wake.wait()
        yield team.flag.write(other)
        yield team.wake.notify()

    def worker(me: Seat, team: Office, work: Work) -> Steps:
        yield team.lock.acquire()
        for _ in range(turns):
            yield from turn(team, 1, 0)
        yield team.lock.release()

    def control(me: Seat, team: Office, order: int) -> Steps:
        yield team.lock.acquire()
        for _ in range(turns):
            yield from turn(team, 0, 1)
        yield team.lock.release()

    def root(me: Seat, work: Work) -> Steps:
        yield from work(BATCH)

    return Architecture(root, worker, control, leaf, team=Office)


class SyncBench:
    """Small boards on which texts are driven; the learner is never asked to compute."""

    def __init__(self, learner: Learner) -> None:
        self._learner = learner

    def place(self, architecture: Architecture, turns: int) -> Workplace:
        """A workplace with fresh objects and empty logs."""
        system: System = compose(architecture, Tree(1, 1))
        job = Job(system, 1)
        board = create_board(system, job, self._learner, 0, turns, OPERATIONS_IN_A_TURN * (turns + 1) + turns)
        optimizer = optimizer_for(OptimizerSettings())
        orders = [BATCH] * turns
        return Workplace(system, job, board, self._learner, optimizer, 0.0, 1, orders, lambda done, last: None)


# --- operations -------------------------------------------------------------------------------------------------------


def operations(bench: SyncBench, lab: Lab) -> dict[str, Samples]:
    """Per cost key, from the begin of an operation to the begin of the next one in the log of one actor."""
    turns = lab.times(150, 5)
    place = bench.place(_operations_bench(turns), turns)

    def main(number: int) -> None:
        drive(place, SLEEPER)
        drive(place, NOTIFIER)

    with place.board.memory:
        lab.crew([main])
        return _durations(place.board)


def _durations(board: Board) -> dict[str, Samples]:
    events = tuple(read_log(board, NOTIFIER, 0))
    assert len(events) == board.counts[NOTIFIER, 0], "the log of the measured operations is too short"
    found: dict[str, list[float]] = {}
    for event, after in pairwise(events):
        key = RULES[Verb(event.op.partition(" ")[0])].cost_key
        found.setdefault(key, []).append(after.begin - event.begin)
    return {key: np.array(values) for key, values in found.items()}


def condition(bench: SyncBench, lab: Lab) -> dict[str, Samples]:
    """Processor time of one turn of one actor: find the flag wrong, sleep, find it right, write it, notify."""
    turns = lab.times(400, 5)
    place = bench.place(_condition_bench(turns), turns)

    def main(number: int) -> None:
        pin(lab.cores[0])
        lab.arena.put(number, cpu_ns(lambda: drive(place, number)) // turns)

    with place.board.memory:
        return {"turn": np.concatenate(lab.crew([main] * 2))}


# --- the scheduler ----------------------------------------------------------------------------------------------------


def resume(lab: Lab) -> dict[str, Samples]:
    """Processor time of a `down` between two processes on one core, and of `down` and `up` of one that is by itself.

    Only a `down` that gave up the core counts as slept: a woken process may run before its waker goes on.
    """
    hand_overs = lab.times(200, 5)
    mine = [lab.arena.semaphore(0, 1), lab.arena.semaphore(1)]
    own = lab.arena.semaphore(2)

    def main(number: int) -> None:
        pin(lab.cores[0])
        for _ in range(hand_overs):
            given_up = resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw
            duration_ns = cpu_ns(mine[number].down)
            if resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw > given_up:
                lab.arena.put(number, duration_ns)
            mine[1 - number].up()

    def alone(number: int) -> None:
        for _ in range(hand_overs):
            lab.arena.put(number, cpu_ns(own.up))
            lab.arena.put(number, cpu_ns(own.down))

    slept = np.concatenate(lab.crew([main, main]))
    free = lab.crew([alone])[0]
    return {"slept": slept, "up": free[0::2], "down": free[1::2]}


WAKER_RESTS_NS = 1_000_000
"""An idle core goes to deeper sleep after a while; in a run it has idled for about as long as a slot takes."""


def wake(lab: Lab) -> dict[str, Samples]:
    """From just before `up` until the woken process runs, on another core where there is one."""
    rounds = lab.times(40)
    forth, back = lab.arena.semaphore(0), lab.arena.semaphore(1)

    def waker(number: int) -> None:
        pin(lab.cores[0])
        for _ in range(rounds):
            rested = time.monotonic_ns() + WAKER_RESTS_NS
            while time.monotonic_ns() < rested:
                pass
            lab.arena.put(number, time.monotonic_ns())
            forth.up()
            back.down()

    def sleeper(number: int) -> None:
        pin(lab.cores[-1])
        for _ in range(rounds):
            forth.down()
            lab.arena.put(number, time.monotonic_ns())
            back.up()

    begun, woken = lab.crew([waker, sleeper])
    return {"latency": woken - begun}


FEW_PARTIES, MANY_PARTIES = 2, ARITY + 1
LOOKS_MAX = 5_000
BETWEEN_LOOKS_SECONDS = 0.0002


def release(lab: Lab) -> dict[str, Samples]:
    """Processor time of the last party's crossing, with one party asleep at the barrier and with twelve."""
    return {f"{parties} parties": _crossings(lab, parties) for parties in (FEW_PARTIES, MANY_PARTIES)}


def _crossings(lab: Lab, parties: int) -> Samples:
    rounds = 1 + lab.times(12)
    gate, flags = lab.arena.barrier(parties), lab.arena.flags

    def waits(number: int) -> None:
        flags[number, 1] = os.getpid()
        for turn in range(rounds):
            flags[number, 0] = turn + 1
            gate.wait()

    def comes_last(number: int) -> None:
        for turn in range(rounds):
            for _ in range(LOOKS_MAX):
                if _all_asleep(lab, parties, turn + 1):
                    break
                time.sleep(BETWEEN_LOOKS_SECONDS)
            duration_ns = cpu_ns(gate.wait)
            if turn:  # in the first turn everything is done for the first time
                lab.arena.put(number, duration_ns)

    return lab.crew([comes_last, *[waits] * (parties - 1)])[0]


def _all_asleep(lab: Lab, parties: int, turn: int) -> bool:
    flags = lab.arena.flags
    if any(flags[number, 0] != turn for number in range(1, parties)):
        return False
    states = [process_state(int(flags[number, 1])) for number in range(1, parties)]
    return all(state is not None and state.letter == "S" for state in states)


PREEMPTED_NS = 300_000
"""Time that passed unseen for longer than this was another process's turn; interrupts are shorter."""


def quantum(lab: Lab) -> dict[str, Samples]:
    """Lengths of the turns of two processes that spin on one core; the first and the last, cut off, are not used.

    Where nobody was ever interrupted, the one sample is the whole time: the quantum is at least that long.
    """
    length_ns = lab.times(120, 20) * 1_000_000
    line = lab.arena.barrier(2)

    def main(number: int) -> None:
        pin(lab.cores[0])
        line.wait()
        begin = last = time.monotonic_ns()
        end = begin + length_ns
        turns: list[int] = []
        while last < end:
            now = time.monotonic_ns()
            if now - last > PREEMPTED_NS:
                turns.append(last - begin)
                begin = now
            last = now
        for turn_ns in turns[1:] or [length_ns]:
            lab.arena.put(number, turn_ns)

    return {"turn": np.concatenate(lab.crew([main, main]))}
