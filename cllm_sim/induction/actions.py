"""Words between a level and its outside: actions that are seen, answers that come back, moves and offers.

Rules of this file: data only.
"""

from typing import NamedTuple

from cllm_sim.compose import Bound
from cllm_sim.induction.world import NOTHING, World
from cllm_sim.operations import Op, Verb
from cllm_sim.semantics import Fault

ARRIVE, GO_ON, WOKEN, DELIVER = "arrive at", "go on from", "be woken at", "deliver"

READS_WORDS = frozenset({Verb.READ, Verb.LOAD, Verb.AWAIT, Verb.ADD, Verb.EXCHANGE})
WRITES_WORDS = frozenset({Verb.WRITE, Verb.STORE, Verb.EXCHANGE, Verb.ADD})
WORK = frozenset({Verb.COMPUTE, Verb.FOLD})

END_OF_STEP = Bound(Op(Verb.UPDATE), Verb.UPDATE, -1, (), (), ())


class Action(NamedTuple):
    """What the outside sees: the deed, the objects, the numbers that belong to it, and the tag of the data."""

    deed: str
    on: tuple[str, ...]
    value: int = 0
    expected: int = 0
    tag: int = NOTHING


class Answer(NamedTuple):
    """What comes back: `answer`, `woken`, `arrived` or `step ends`; a reply and its tag."""

    what: str
    reply: int = 0
    tag: int = NOTHING


ARRIVED, AWAKE, STEP_ENDS = Answer("arrived"), Answer("woken"), Answer("step ends")


class Move(NamedTuple):
    """One move: who, what the outside sees of it (None: nothing), the state after, faults, a choice, answers given.

    `answers` are what children were told in it: (index of the child, answer).
    """

    actor: int
    action: Action | None
    after: World
    faults: tuple[Fault, ...]
    choice: str
    answers: tuple[tuple[int, Answer], ...]
    chosen: bool = False


class Offer(NamedTuple):
    """An action that needs an answer from outside."""

    actor: int
    action: Action
    bound: Bound
