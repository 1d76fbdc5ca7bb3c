"""The models that are exported and counted by SPIN, and the counting that they are compared with.

Rules of this file: a model is an architecture (shipped, beside the checker's tests, or beside this file), a tree and
settings. `counted` is a plain search over the steps of a `Space`, with nothing else of the checker's.
"""

from pathlib import Path
from typing import NamedTuple

from cllm_sim.architecture import Loaded
from cllm_sim.checker.space import Space
from cllm_sim.library import load
from cllm_sim.promela import plain_space

HERE = Path(__file__).parent
FOLDERS = (HERE / "architectures", HERE.parent / "checker" / "architectures")


class Model(NamedTuple):
    """One model: the architecture's name, workers, depth, settings."""

    name: str
    workers: int = 1
    depth: int = 1
    settings: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        shown = ",".join(value for _, value in self.settings) or f"{self.workers}x{self.depth}"
        return f"{self.name}:{shown}"

    def loaded(self) -> Loaded:
        """The architecture."""
        beside = [folder / f"{self.name}.py" for folder in FOLDERS if (folder / f"{self.name}.py").is_file()]
        return load(str(beside[0]) if beside else self.name, dict(self.settings))

    def space(self) -> Space:
        """Its states, as they are exported."""
        return plain_space(self.loaded(), self.workers, self.depth)


def variant(name: str, chosen: str, workers: int = 1) -> Model:
    """A model with the setting `variant`."""
    return Model(name, workers, 1, (("variant", chosen),))


def sized(chosen: str, count: int) -> Model:
    """A protocol of one kind of object for `count` actors."""
    return Model("sized", 1, 1, (("variant", chosen), ("count", str(count))))


CORRECT = (
    *(Model("node_zero", workers) for workers in (1, 2, 3, 4)),
    Model("serial"),
    Model("sliced_reduce", 3),
    Model("work_queue", 3),
    Model("model_lock", 2),
    Model("parked_control_repaired", 2),
    Model("handover", 3),
    Model("nested", 2, 2),
    *(sized("mutex", count) for count in (2, 3, 5)),
    *(sized("semaphore", count) for count in (3, 5)),
    *(sized("spin_lock", count) for count in (2, 4)),
    *(sized("ticket_lock", count) for count in (2, 4)),
    *(sized("barrier", count) for count in (2, 4, 6)),
    *(sized("queue", count) for count in (2, 4)),
    *(sized("broadcast", count) for count in (2, 4)),
    sized("destroy", 4),
    sized("marks", 3),
    variant("words", "sense_reversing"),
    variant("words", "peterson"),
    variant("words", "bounded_buffer"),
)
"""Models without a deadlock and without a broken rule."""

WRONG = (
    *(Model("philosophers", settings=(("count", str(count)),)) for count in (2, 3, 5)),
    Model("count_too_large", 2),
    Model("leaves_early", 2),
    Model("early_reduce", 2),
    Model("shared_segment", 2),
    Model("control_computes", 2),
    Model("parked_control", 2),
    sized("destroy_early", 4),
    variant("words", "bounded_buffer_holding"),
    variant("conditions", "no_predicate"),
    variant("conditions", "one_signal_for_two"),
    variant("conditions", "sleep_unlocked"),
    variant("locks", "inverted"),
    variant("locks", "stranger"),
    variant("endings", "barrier_in_use", 2),
    variant("endings", "lock_of_sleepers", 3),
)
"""Models with a deadlock or a broken rule that is no race."""

LARGE = (
    Model("node_zero", 8),
    Model("model_lock", 3),
    sized("ticket_lock", 8),
    sized("semaphore", 8),
)
"""Models for the table of rates."""


BREAKING = frozenset(
    {
        "barrier-misuse",
        "double-processing",
        "lock-misuse",
        "lost-batch",
        "lost-update",
        "ownership",
        "role",
        "stale-read",
        "use-after-destroy",
    }
)
"""The classes of a step that breaks a rule; SPIN's assertions are about these."""


class Tally(NamedTuple):
    """What a search counts: `deadlocks` are states, `breaking` are steps that break a rule."""

    states: int
    transitions: int
    deadlocks: int
    breaking: int


def counted(space: Space, states_max: int = 1_000_000) -> Tally | None:
    """Visit every state; None where there are too many."""
    seen = {space.start()}
    left = list(seen)
    transitions = deadlocks = breaking = 0
    while left:
        state = left.pop()
        pending = space.pending(state.nodes)
        moved = False
        for step in space.steps(state, pending):
            moved = True
            transitions += 1
            breaking += bool(step.outcome.faults)
            if step.after not in seen:
                seen.add(step.after)
                left.append(step.after)
        deadlocks += not moved and not space.finished(pending)
        if len(seen) > states_max:
            return None
    return Tally(len(seen), transitions, deadlocks, breaking)
