"""What counts as independent really commutes: in every state, whoever goes first, the same states are reached.

Rules of this file: the reference walks with `Space.steps`; states are compared whole, without the marks.
"""

from itertools import combinations
from pathlib import Path

import pytest

from cllm_sim import library
from cllm_sim.checker import system_of
from cllm_sim.checker.independence import Independence, dependent
from cllm_sim.checker.packing import Packing
from cllm_sim.checker.search import Limits, search
from cllm_sim.checker.space import Space, State

HERE = Path(__file__).resolve().parent
NAMES = [*library.shipped(), *(str(path) for path in sorted((HERE / "architectures").glob("*.py")))]
STATES_MAX = 1_500


def after(space: Space, state: State, actor: int) -> set[State]:
    """The states after one step of an actor."""
    steps = space.steps(state, space.pending(state.nodes))
    return {step.after._replace(memory=step.after.memory._replace(marks=())) for step in steps if step.actor == actor}


def both(space: Space, state: State, first: int, second: int) -> set[State]:
    """The states after a step of one actor and then one of another."""
    return {last for middle in after(space, state, first) for last in after(space, middle, second)}


@pytest.mark.parametrize("name", NAMES, ids=lambda name: Path(name).stem)
def test_independent_steps_commute(name: str) -> None:
    loaded = library.load(name)
    space = Space(system_of(loaded, 2, 1), loaded.path)
    found, _ = search(space, False, Limits(states=STATES_MAX))
    packing = Packing(space, frozenset(), 16, False)
    known = Independence(packing)
    pairs = 0
    for state in found.states[: len(found.states)]:
        plain = state._replace(memory=state.memory._replace(marks=()))
        packed = packing.pack(plain)
        able = [actor for actor in range(len(space.system.actors)) if after(space, plain, actor)]
        for one, other in combinations(able, 2):
            if not dependent(known.uses(one, known.spot(packed, one)), known.uses(other, known.spot(packed, other))):
                pairs += 1
                assert both(space, plain, one, other) == both(space, plain, other, one) != set()
    assert pairs or len(space.system.actors) == 1 or name in {"serial"} or len(found.states) < 20
