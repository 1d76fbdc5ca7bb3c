"""Export of any system to Promela, the language of SPIN: an oracle for the checker that shares no search with it.

`export` gives the model as text, `export_to` writes it to a file. Modules, from the ground: `layout` (which variables
stand for which part of a state), `meaning` (what every operation does, written by hand in Promela), `processes` (who
does it), `text` (the file).

One step of ours is one transition of SPIN, and no state lies in between: every actor's place in its text is a variable,
and one process does the steps of all, each as one indivisible step. Without partial-order reduction SPIN therefore has
to report the states of `check --reductions none` with the monitor off, and its transitions plus one (SPIN counts the
arrival in the initial state); an invalid end state is a deadlock, a violated assertion a broken rule:

    spin -a model.pml && gcc -O2 -DNOREDUCE -DSAFETY -o pan pan.c
    ./pan -A -c0 -b -m1000000     # counts, and deadlocks as errors
    ./pan -E -c0 -b -m1000000     # counts, and steps that break a rule as errors

Compiled with -DBFS as well, `pan` stops at the first error on a shortest schedule, and `spin -t model.pml` tells its
steps in the words of the user's texts.

Rules of this package: of an operation's meaning nothing is asked of `semantics.py`, which is what is being tested; only
which situations and replies a text has comes from the checker's unfolding, and a reply that was not met there ends in a
failed assertion. Races and an architecture's own promises are not exported. Keep in step with `semantics.py` and
`operations.py`.
"""

from dataclasses import replace
from pathlib import Path

from cllm_sim.architecture import Loaded
from cllm_sim.checker import system_of
from cllm_sim.checker.space import Space
from cllm_sim.checker.unfold import UnboundedText
from cllm_sim.compose import System
from cllm_sim.errors import BadRequest
from cllm_sim.promela.layout import Layout
from cllm_sim.promela.text import model_text

STATES_MAX = 3_000_000
INTEGER_MAX = 2**31 - 1

__all__ = ["export", "export_to", "plain_space", "unfold_all"]


def export(system: System, space: Space, *, process_per_actor: bool = False) -> str:
    """The system as a Promela model; `space` must have met every state (`unfold_all`), so that no text is cut short.

    With a process per actor SPIN counts the same, and faster, but may miss a deadlock (see `processes.py`).
    """
    return model_text(Layout(system, space), process_per_actor)


def export_to(loaded: Loaded, workers: int, depth: int, path: Path, max_states: int = STATES_MAX) -> int:
    """Write an architecture on a tree to a file; returns the number of states met. Raises BadRequest at the limit."""
    space = plain_space(loaded, workers, depth)
    states = unfold_all(space, max_states)
    try:
        path.write_text(export(space.system, space), encoding="utf-8")
    except OSError as error:
        raise BadRequest(f"{path}: cannot be written: {error.strerror}") from None
    return states


def plain_space(loaded: Loaded, workers: int, depth: int) -> Space:
    """The state space that is exported: no monitor, and cursors in index order."""
    system = replace(system_of(loaded, workers, depth), monitor=False, any_order=frozenset())
    return Space(system, loaded.path)


def unfold_all(space: Space, max_states: int = STATES_MAX) -> int:
    """Visit every state, so that every situation and every reply of the texts is known; returns their number.

    Raises BadRequest where there are too many, or a text or a value grows without bound.
    """
    try:
        return _visit_all(space, max_states)
    except UnboundedText as unbounded:
        raise BadRequest(f"cannot be exported to Promela: {unbounded}") from None


def _visit_all(space: Space, max_states: int) -> int:
    seen = {space.start()}
    left = list(seen)
    while left:
        state = left.pop()
        if max(map(abs, state.memory.value), default=0) > INTEGER_MAX:
            raise BadRequest(f"{space.path}: a value of more than 32 bits cannot be exported to Promela")
        for step in space.steps(state, space.pending(state.nodes)):
            if step.after not in seen:
                seen.add(step.after)
                left.append(step.after)
        if len(seen) > max_states:
            raise BadRequest(f"{space.path}: more than {max_states:,} states; export fewer workers")
    return len(seen)
