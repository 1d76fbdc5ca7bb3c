"""Is a run still moving? And if not: who is stopped, who is busy without an end, who waits for what.

    no event and no processor time for the limit         hung: stopped, or all wait for one another
    no work done for twenty times the limit              hung: a loop without an end, or everybody asks and nobody moves

Rules of this file: it looks at logs and at what the kernel says about processes; it ends nobody. An actor that is
runnable, or waits inside the kernel (for a disk), counts as busy: on a crowded machine neither is a fault of the text.
"""

from collections.abc import Sequence
from time import monotonic

from cllm_sim.compose import System
from cllm_sim.errors import RunHung
from cllm_sim.operations import RULES, Verb
from real_runtime.board import EVENTS, WORKED, Board
from real_runtime.processes import Child, ProcessState, process_state
from real_runtime.record import Doing, doing

BUSY_LETTERS, STOPPED_LETTERS = "RD", "Tt"
BUSY_LIMITS = 20
LOOK_SECONDS_MAX = 1.0
"""Two looks further apart count as this: then it was the observer who did not move, for the machine was suspended."""

WAITING_VERBS = {str(verb) for verb in Verb if RULES[verb].blocks}


class Stillness:
    """How long the actors of a run have done no work, and how long they have not even moved."""

    def __init__(self, system: System, board: Board, children: Sequence[Child], limit_seconds: float) -> None:
        self._system, self._board, self._children = system, board, children
        self._limit_seconds = limit_seconds
        self._looked_at = monotonic()
        self._worked = self._moved = (-1, -1)
        self._cpu_seconds = -1.0
        self._workless_seconds = self._idle_seconds = 0.0

    def too_long(self) -> bool:
        """Look again: has the run been still for too long?"""
        now = monotonic()
        passed, self._looked_at = min(now - self._looked_at, LOOK_SECONDS_MAX), now
        counts, ended = self._board.counts.sum(axis=0), sum(child.end is not None for child in self._children)
        moved, worked = (int(counts[EVENTS]), ended), (int(counts[WORKED]), ended)
        same = moved == self._moved and not self._busy()
        self._idle_seconds = self._idle_seconds + passed if same else 0.0
        self._workless_seconds = self._workless_seconds + passed if worked == self._worked else 0.0
        self._moved, self._worked = moved, worked
        return self._idle_seconds > self._limit_seconds or self._workless_seconds > BUSY_LIMITS * self._limit_seconds

    def _busy(self) -> bool:
        """Has anybody used the processor since the last look, or is about to? (One long operation is no hang.)"""
        states = [process_state(child.pid) for child in self._children if child.end is None]
        before, self._cpu_seconds = self._cpu_seconds, sum(state.cpu_seconds for state in states if state is not None)
        return self._cpu_seconds != before or any(state and state.letter in BUSY_LETTERS for state in states)

    def report(self, step: int) -> tuple[list[str], RunHung]:
        """A row for every actor that has not ended, the likely cause first, and the error to raise."""
        states = [doing(self._board, actor) for actor in range(len(self._children))]
        found = []
        for actor, child in enumerate(self._children):
            if child.end is None:
                found.append(self._row(actor, states, process_state(child.pid)))
        rows = [text for _, text in sorted(found, key=lambda row: row[0])] or ["every actor has ended"]
        endless = self._idle_seconds <= self._limit_seconds
        seconds = self._limit_seconds * (BUSY_LIMITS if endless else 1)
        what = f"no work came to an end for {seconds:g} s" if endless else f"nobody moved for {seconds:g} s"
        more = f" (and {len(rows) - 1} more)" if len(rows) > 1 else ""
        return rows, RunHung(f"{what} in step {step}: {rows[0]}{more}; all processes were ended")

    def _row(self, actor: int, states: Sequence[Doing], state: ProcessState | None) -> tuple[int, str]:
        """How likely this actor is the cause (0 most), and its row."""
        mine = states[actor]
        waits = mine.performing and mine.op.partition(" ")[0] in WAITING_VERBS
        stopped = state is not None and state.letter in STOPPED_LETTERS
        words = f"{who(self._system, actor)} is {state.words if state else 'gone'} {mine.words}"
        return 0 if stopped else 2 if waits else 1, words + self._parties(mine, states)

    def _parties(self, mine: Doing, states: Sequence[Doing]) -> str:
        """At a barrier: how many have arrived, of how many."""
        verb, _, name = mine.op.partition(" ")
        parties = [item.parties for item in self._system.objects if item.name == name]
        if not (mine.performing and verb == Verb.WAIT and parties):
            return ""
        arrived = sum(state == mine for state in states)
        ended = sum(state.finished for state in states)
        return (
            f" ({arrived} of {parties[0]} parties are there{f'; actors that have finished: {ended}' if ended else ''})"
        )


def who(system: System, actor: int) -> str:
    """An actor with its role."""
    item = system.actors[actor]
    role = "control" if item.children else "worker" if item.leaf and item.parent is not None else "actor"
    return f"{role} {item.name}"
