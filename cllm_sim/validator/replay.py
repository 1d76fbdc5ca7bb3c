"""First pass of the judge: every log is replayed against its own actor's text, with the recorded replies.

A log that was cut, had an event dropped, doubled or exchanged, or belongs to another role parts from its text here,
at once and without any search. What passes is a list of operations with replies and times, and the operation that
would come next.

Rules of this file: one actor at a time. What an operation of an actor's own means (the environment's choice, the
cursor over the children) is asked of `semantics.outcomes`, as everywhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from cllm_sim.compose import Bound, System
from cllm_sim.errors import CllmError
from cllm_sim.frames import checked_operation, where
from cllm_sim.operations import Op, Place, Steps, Verb
from cllm_sim.semantics import Memory, Outcome, initial, outcomes, under_cursor
from cllm_sim.trace import Event

PRIVATE = frozenset({Verb.CHOOSE, Verb.NEXT})
"""Operations that no other actor can influence or notice: their replies are judged here already."""

SHARED_REPLY = frozenset({Verb.LOAD, Verb.READ, Verb.ADD, Verb.EXCHANGE, Verb.AWAIT})
"""Operations whose reply tells something about the others. All other replies can be known without them."""


class Break(NamedTuple):
    """The first event of a log that its own text does not do; `at` equals the log's length where an event is
    missing.
    """

    at: int
    text: str
    possible_replies: tuple[int, ...] = ()
    possible_ops: tuple[str, ...] = ()


@dataclass(frozen=True)
class Log:
    """One actor's log, as far as its text agrees with it.

    `bound[i]` is the operation of event i as the text yields it, `target[i]` the same with the child under the cursor
    filled in. `rest` is what the text does after the last of them (None: it has finished); `unrecorded` says that it
    may have been performed although it is not in the log, because the run ended in the middle of it.
    """

    events: tuple[Event, ...]
    bound: tuple[Bound, ...]
    target: tuple[Bound, ...]
    rest: Bound | None
    rest_target: Bound | None
    unrecorded: bool
    broken: Break | None

    @property
    def last_end(self) -> int:
        """When the last agreed event ended (ns)."""
        return self.events[len(self.bound) - 1].end if self.bound else 0


class _Stand:
    """One operation of an actor's text, with what its events in the log are compared with.

    `own`: it moves the actor's cursor, goes by it, or is the environment's choice. `replies`: all answers that it can
    have, None where the others decide about that.
    """

    __slots__ = ("bound", "label", "own", "private", "replies")

    def __init__(self, label: str, bound: Bound, replies: frozenset[int] | None) -> None:
        self.label = label
        self.bound = bound
        self.private = bound.verb in PRIVATE
        self.own = self.private or bool(bound.at)
        self.replies = replies


class _Replay:
    """One run of a text along a log."""

    def __init__(self, system: System, actor: int, events: Sequence[Event]) -> None:
        self.system = system
        self.actor = actor
        self.events = events
        self.steps = system.text(actor)
        self.op: Op | None = first(self.steps)
        self.alone: list[Bound | None] = [None] * len(system.actors)
        self.memory: Memory = initial(system)
        self.cursors: dict[Memory, Memory] = {self.memory: self.memory}
        self.moved: dict[tuple[int, Op, int], Memory] = {}
        self.resolutions: dict[tuple[int, Op], Bound] = {}
        self.stands: dict[Op, _Stand] = {}
        self.bound: list[Bound] = []
        self.target: list[Bound] = []

    def follow(self) -> Break | None:
        """Follow the log to its end, or to the first event that the text does not do."""
        known, enter, resolve = self.stands.get, self.bound.append, self.target.append
        clock = 0
        for index, (label, reply, begin, end) in enumerate(self.events):
            if self.op is None:
                return Break(index, "its text has come to its end before this event")
            stand = known(self.op) or self.stand(self.op)
            if label != stand.label or not clock <= begin <= end:
                return _disagreement(index, label, stand.label)
            bound = stand.bound
            enter(bound)
            resolve(self.resolved(bound) if stand.own else bound)
            if stand.replies is not None and reply not in stand.replies:
                return _impossible(index, tuple(stand.replies))
            broken = (self._own_reply(index, reply, bound) if stand.private else None) or self._send(index, reply)
            if broken is not None:
                return broken
            clock = end
        return None

    def stand(self, op: Op) -> _Stand:
        """An operation with its name in traces and its answers, asked for once."""
        if op not in self.stands:
            bound = self.system.bound(self.actor, op)
            others_decide = bound.verb in SHARED_REPLY or bound.verb in PRIVATE
            replies = None if others_decide else frozenset(self._answers(bound)) or None
            self.stands[op] = _Stand(self.system.describe(self.actor, op), bound, replies)
        return self.stands[op]

    def label(self, op: Op) -> str:
        """The operation as traces name it."""
        return self.stand(op).label

    def resolved(self, bound: Bound) -> Bound:
        """The variant for the child under the cursor; the operation itself where it names none, or the cursor stands
        nowhere.
        """
        if not bound.at:
            return bound
        known = id(self.memory), bound.op
        if known not in self.resolutions:
            self.resolutions[known] = under_cursor(self.system, self.memory, self.actor, bound) or bound
        return self.resolutions[known]

    def _own_reply(self, index: int, reply: int, bound: Bound) -> Break | None:
        """Judge a reply that nobody else can have influenced, and keep the cursor that the operation moves.

        States that differ in nothing are one object (`cursors`), so that each is known by its identity.
        """
        known = id(self.memory), bound.op, reply
        if known in self.moved:
            self.memory = self.moved[known]
            return None
        found = self._outcomes(bound, self.memory)
        replies = tuple(answer for outcome in found for _, answer in outcome.done)
        if reply not in replies:
            return _impossible(index, replies)
        after = found[replies.index(reply)].memory
        self.memory = self.moved[known] = self.cursors.setdefault(after, after)
        return None

    def _answers(self, bound: Bound) -> tuple[int, ...]:
        """All replies of an operation: alone, as one woken from sleep, and as the last to arrive where all others
        are.
        """
        others = tuple(int(number != self.actor) for number in range(len(self.alone)))
        woken = tuple(2 * (number == self.actor) for number in range(len(self.alone)))
        found = [
            *self._outcomes(bound, self.memory),
            *self._outcomes(bound, self.memory._replace(phase=woken)),
            *outcomes(self.system, [bound] * len(self.alone), self.memory._replace(phase=others), self.actor),
        ]
        return tuple({reply for outcome in found for member, reply in outcome.done if member == self.actor})

    def _outcomes(self, bound: Bound, memory: Memory) -> tuple[Outcome, ...]:
        """The outcomes of an operation while nobody else does anything."""
        self.alone[self.actor] = bound
        return outcomes(self.system, self.alone, memory, self.actor)

    def _send(self, index: int, reply: int) -> Break | None:
        try:
            op = self.steps.send(reply)
        except StopIteration:
            self.op = None
        except CllmError:
            raise
        except Exception as error:  # the text is a user's: with a reply it never expected it may do anything
            return Break(index, f"its text fails on the reply {reply} ({type(error).__name__}: {error})")
        else:
            self.op = op if type(op) is Op else checked_operation(op, self.steps)
        return None


def _disagreement(index: int, op: str, wanted: str) -> Break:
    if op != wanted:
        return Break(index, f"its text does '{wanted}' here", possible_ops=(wanted,))
    return Break(
        index, "its times run backwards (it begins before the event before it ended, or ends before it begins)"
    )


def _impossible(index: int, replies: tuple[int, ...]) -> Break:
    return Break(index, "it cannot be answered like this", possible_replies=tuple(sorted(replies)))


def first(steps: Steps) -> Op | None:
    """The first operation of a text; None if it has none."""
    try:
        return checked_operation(next(steps), steps)
    except StopIteration:
        return None


def replay(system: System, actor: int, events: tuple[Event, ...], complete: bool, stated: int | None) -> Log:
    """Replay one log.

    `complete`: every text must have come to its end; `stated`: the length that the log's closing line gives, -1 where
    the line is missing, None where the trace was never written to a file.
    """
    run = _Replay(system, actor, events)
    broken = run.follow() or _ending(run, complete, stated)
    if broken is not None and stated is not None and stated >= 0 and stated != len(events):
        broken = broken._replace(text=f"{broken.text}; the log states {stated} events and has {len(events)}")
    rest = None if run.op is None else system.bound(actor, run.op)
    return Log(
        events,
        tuple(run.bound),
        tuple(run.target),
        rest,
        None if rest is None else run.resolved(rest),
        unrecorded=rest is not None and broken is None,
        broken=broken,
    )


def _ending(run: _Replay, complete: bool, stated: int | None) -> Break | None:
    length = len(run.events)
    going_on = () if run.op is None else (run.label(run.op),)
    if stated is not None and stated < 0:
        return Break(length, "the line that closes the log with its length is missing", possible_ops=going_on)
    if stated is not None and stated != length:
        if stated > length:
            return Break(length, "the log breaks off here", possible_ops=going_on)
        return Break(stated, "the log should have ended here")
    if complete and going_on:
        return Break(length, f"the log ends although its text goes on with '{going_on[0]}'", possible_ops=going_on)
    return None


def until(log: Log, time: int) -> Log:
    """The part of an agreed log that ended by a time (ns); what comes next may have been performed by then."""
    kept = sum(event.end <= time for event in log.events)
    if kept == len(log.bound):
        return log
    return replace(
        log,
        events=log.events[:kept],
        bound=log.bound[:kept],
        target=log.target[:kept],
        rest=log.bound[kept],
        rest_target=log.target[kept],
        unrecorded=True,
    )


def after(system: System, actor: int, replies: Sequence[int]) -> Bound | None:
    """The operation of a text after these replies; None if it has finished."""
    _, op = _stand(system, actor, replies)
    return None if op is None else system.bound(actor, op)


def place(system: System, actor: int, replies: Sequence[int]) -> Place:
    """The user's line at which a text stands after these replies (its first line where it has finished)."""
    return where(_stand(system, actor, replies)[0])


def _stand(system: System, actor: int, replies: Sequence[int]) -> tuple[Steps, Op | None]:
    steps = system.text(actor)
    op = first(steps)
    try:
        for reply in replies:
            op = checked_operation(steps.send(reply), steps)
    except StopIteration:
        op = None
    return steps, op
