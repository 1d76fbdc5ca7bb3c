"""A schedule driven by the simulator ends where the checker's walk ends, whatever the costs are."""

import random

import pytest

from cllm_sim import check, checker, library
from cllm_sim.checker.space import Space
from cllm_sim.comparison import replayed as comparing
from cllm_sim.comparison.replayed import replayed
from cllm_sim.costs import CostModel, parse_costs
from cllm_sim.library import shipped
from cllm_sim.simulator.schedule import follow

from tests.test_examples import COSTS

MOVES = 80


@pytest.fixture(scope="module")
def costs() -> CostModel:
    return parse_costs(COSTS, "costs.toml")


@pytest.mark.parametrize("name", sorted(shipped()))
def test_every_counterexample_ends_in_the_same_state(name: str, costs: CostModel) -> None:
    loaded, result = library.load(name), check(name, workers=2)
    schedules = [row["counterexample"]["schedule"] for row in result.broken if row["counterexample"]]
    schedules += [row["schedule"] for row in result.contention_details]
    for schedule in schedules:
        found = replayed(loaded, schedule, costs, workers=2)
        assert found["same_end"]
        assert found["steps_ms"] == sorted(found["steps_ms"])
        assert len(found["steps_ms"]) == len([part for part in schedule.split(",") if part])


def drawn(name: str, seed: int) -> str:
    """A schedule drawn at random: any move that is possible, one after another."""
    loaded, draw = library.load(name), random.Random(seed)
    system = checker.system_of(loaded, 3, 1)
    space = Space(system, loaded.path)
    state, entries = space.start(), []
    for _ in range(MOVES):
        steps = list(space.steps(state, space.pending(state.nodes)))
        if not steps:
            break
        step = draw.choice(steps)
        choice = f":{step.outcome.choice}" if step.outcome.choice else ""
        entries.append(system.actors[step.actor].name + choice)
        state = step.after
    return ",".join(entries)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", ["node_zero", "model_lock", "sliced_reduce", "work_queue"])
def test_any_schedule_ends_in_the_same_state(name: str, seed: int, costs: CostModel) -> None:
    schedule = drawn(name, seed)
    found = replayed(library.load(name), schedule, costs, workers=3, seed=seed, cores=1 + seed)
    assert len(found["steps_ms"]) == schedule.count(",") + 1
    assert found["end_ms"] >= found["steps_ms"][-1]


def test_the_times_are_those_of_the_costs(costs: CostModel) -> None:
    """A lone step after another costs what its operation costs; computing takes the longest."""
    found = replayed(library.load("serial"), "0:batch,0,0", costs, workers=1)
    loaded = library.load("node_zero")
    both = replayed(loaded, "0:batch,0,0,0.0,0.1,0.0,0.1,0.0,0.1", costs, workers=2)
    assert found["steps_ms"][0] < found["steps_ms"][1]
    computing = [event for event in both["timeline"]["events"] if event[1] == "compute"]
    assert len(computing) == 2
    assert all(end - begin > 12 for _, _, begin, end in computing)
    assert both == replayed(loaded, "0:batch,0,0,0.0,0.1,0.0,0.1,0.0,0.1", costs, workers=2)


def test_a_different_end_is_noticed(costs: CostModel, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded, schedule = library.load("node_zero"), "0:batch,0,0"
    monkeypatch.setattr(comparing, "follow", lambda setting, moves: follow(setting, moves[:-1]))
    with pytest.raises(AssertionError, match="another state than the checker"):
        replayed(loaded, schedule, costs, workers=2)
