"""One schedule in two interpreters: walked through by the checker, driven by the simulator with the costs of a machine.

Both perform the same steps in the same order, so they must end in the same state; that is compared, and a difference is
a defect of ours. What is told are the times, and a timeline as the figures know it.

Rules of this file: it starts both and compares; the order is the schedule's, the times are the simulator's.
"""

from typing import Any

from cllm_sim import checker
from cllm_sim.architecture import Loaded
from cllm_sim.checker.space import Space, State
from cllm_sim.checker.walk import parse_schedule, walk
from cllm_sim.compose import System
from cllm_sim.costs import CostModel
from cllm_sim.job import Job
from cllm_sim.metrics import phase_of
from cllm_sim.simulator.engine import Setting
from cllm_sim.simulator.schedule import Followed, follow


def replayed(
    loaded: Loaded, schedule: str, costs: CostModel, *, workers: int, depth: int = 1, seed: int = 1, cores: int = 0
) -> dict[str, Any]:
    """The times of every step of a schedule (ms), the timeline, and that both interpreters end in the same state.

    Raises BadRequest where the schedule is not possible, AssertionError where the two end in different states.
    """
    system = checker.system_of(loaded, workers, depth)
    space = Space(system, loaded.path)
    moves = parse_schedule(system, schedule)
    _, last = walk(space, moves)
    setting = Setting(system, Job(system), costs, [], seed, cores or costs.machine.cores)
    run = follow(setting, [(move.actor, move.choice) for move in moves])
    difference = differs(space, last, run)
    assert not difference, f"the simulator ended in another state than the checker: {difference}"
    return {
        "steps_ms": [_ms(instant) for instant in run.at_ns],
        "end_ms": _ms(run.end_ns),
        "same_end": True,
        "cores": setting.cores,
        "seed": seed,
        "timeline": timeline(loaded, system, run),
    }


def differs(space: Space, last: State, run: Followed) -> str:
    """In what the end of a simulated run differs from the checker's end state; nothing where it is the same."""
    system = space.system
    for actor, (mine, theirs) in enumerate(zip(run.pending, space.pending(last.nodes), strict=True)):
        if mine != theirs or (mine is not None and run.places[actor] != space.place(actor, last.nodes[actor])):
            return f"{system.actors[actor].name} stands at {run.places[actor]}"
    for item, (now, then) in enumerate(zip(run.memory.value, last.memory.value, strict=True)):
        if now != then:
            return f"{system.objects[item].name} is {now}, not {then}"
    if run.memory.phase != last.memory.phase:
        return f"the actors' phases are {run.memory.phase}, not {last.memory.phase}"
    return "" if run.memory.marks == last.memory.marks else "the happens-before marks"


def timeline(loaded: Loaded, system: System, run: Followed) -> dict[str, Any]:
    """What every actor did when, as the `timelines` of a comparison have it; what is unfinished lasts to the end."""
    events: list[list[Any]] = []
    for number, actor in enumerate(system.actors):
        for event in run.logs[actor.name]:
            events.append([number, phase_of(event.op), _ms(event.begin), _ms(event.end)])
        op, begin = run.unfinished.get(actor.name, ("", run.end_ns))
        if op and begin < run.end_ns:
            events.append([number, phase_of(op), _ms(begin), _ms(run.end_ns)])
    return {
        "architecture": loaded.name,
        "workers": system.tree.workers,
        "kind": "simulated",
        "actors": [actor.name for actor in system.actors],
        "events": [event for event in events if event[3] > event[2]],
        "steps": [],
    }


def _ms(nanoseconds: int) -> float:
    return round(nanoseconds / 1e6, 6)
