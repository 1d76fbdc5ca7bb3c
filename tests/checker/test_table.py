"""The table of steps against the semantics: every step of every state, looked up and asked for.

Rules of this file: the reference walks with `Space.steps`, which asks the semantics in whole states.
"""

from pathlib import Path

import pytest

from cllm_sim import library
from cllm_sim.checker import system_of
from cllm_sim.checker.packing import Packing
from cllm_sim.checker.space import Space, State

HERE = Path(__file__).resolve().parent
NAMES = [*library.shipped(), *(str(path) for path in sorted((HERE / "architectures").glob("*.py")))]
STATES_MAX = 1_500


def looked_up(packing: Packing, packed: int) -> list[tuple[int, str, int, int]]:
    """Actor, choice, number of faults and state after, for every step of a state, by table."""
    layout, table = packing.layout, packing.table
    found = []
    for actor in range(len(layout.local)):
        row = table.row(actor, packed >> layout.local[actor] & layout.field)
        for move in table.moves(row, packed) if row is not None else ():
            after, races = packing.marked(packed ^ move.change, move.events)
            found.append((actor, move.choice, len(races) + len(move.faults), after))
    return found


def asked_for(packing: Packing, space: Space, state: State) -> list[tuple[int, str, int, int]]:
    """The same, by asking."""
    return [
        (step.actor, step.outcome.choice, len(step.outcome.faults), packing.pack(step.after))
        for step in space.steps(state, space.pending(state.nodes))
    ]


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("name", NAMES, ids=lambda name: Path(name).stem)
def test_steps_are_those_of_the_semantics(name: str, bits: int) -> None:
    loaded = library.load(name)
    space = Space(system_of(loaded, 2, 1), loaded.path)
    packing = Packing(space, frozenset(), bits, False)
    pending = [packing.start()]
    seen = set(pending)
    while pending and len(seen) < STATES_MAX:
        packed = pending.pop()
        state = packing.unpack(packed)
        assert packing.pack(state) == packed
        steps = asked_for(packing, space, state)
        assert looked_up(packing, packed) == steps
        for _, _, _, after in steps:
            if after not in seen:
                seen.add(after)
                pending.append(after)
