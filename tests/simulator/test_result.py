"""The result of a simulation: every shipped architecture, what is said of broken ones, and that every number counts."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cllm_sim import simulator, validator
from cllm_sim.errors import BadRequest
from cllm_sim.library import load, shipped
from cllm_sim.promises import PROMISES
from cllm_sim.results import RunResult
from cllm_sim.trace import HEADER_FIELDS, Trace, read_trace, write_trace

TIMING = ("seconds", "events_per_second")
SPREAD = {"spread.distribution": "lognormal", "spread.compute": 0.2, "spread.operations": 0.5}


def simulated(reference: str, model, **options) -> tuple[RunResult, Trace]:
    return simulator.run(load(reference), costs=model, **{"steps": 3, "replications": 2, **options})


def classes(result: RunResult) -> set[str]:
    return {row["class"] for row in result.broken}


# --- all architectures ------------------------------------------------------------------------------------------------

BROKEN = {
    "unguarded": {"race"},
    "early_reduce": {"race"},
    "count_too_large": {"deadlock"},
    "count_too_small": {"race", "deadlock"},
    "control_computes": {"role"},
    "shared_segment": {"ownership"},
    "lost_remainder": {"coverage"},
    "leaves_early": {"deadlock"},
    "forgets_last_child": {"race"},
}
"""Classes that must be among those found, by architecture; all others hold."""


def test_the_table_knows_all_shipped_architectures():
    assert {name for name in shipped() if load(name).broken} == set(BROKEN)


@pytest.mark.parametrize("workers", [2, 3, 12])
@pytest.mark.parametrize("name", sorted(shipped()))
def test_every_architecture(costs, name, workers):
    result, trace = simulated(name, costs(), workers=workers)
    assert classes(result) >= BROKEN.get(name, set())
    assert result.verdict == ("broken" if name in BROKEN else "holds")
    assert result.exit_code == (1 if name in BROKEN else 0)
    assert trace.header["complete"] is ("deadlock" not in classes(result))
    assert [row["name"] for row in result.promises][: len(PROMISES)] == list(PROMISES)
    assert bool(result.deadlock["stuck"]) == ("deadlock" in classes(result))
    json.loads(result.to_json(), parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    if name not in BROKEN:
        assert result.step_ms["p05"] <= result.step_ms["median"] <= result.step_ms["p95"]
        assert sum(result.wait_share.values()) == pytest.approx(1, abs=1e-5)
        assert len(trace.actors) == (1 if name == "serial" else workers + 1)


@pytest.mark.parametrize("name", ["node_zero", "model_lock", "sliced_reduce"])
def test_two_levels(costs, name):
    result, trace = simulated(name, costs(), workers=3, depth=2)
    assert result.verdict == "holds"
    assert len(trace.actors) == 13
    assert result.scope == {
        "workers": 3, "depth": 2, "slots": 12, "steps": 3, "faults": 0, "memory": "sequentially consistent",
    }  # fmt: skip


def test_a_hundred_and_fifty_seven_actors(costs):
    result, trace = simulated("node_zero", costs(), workers=12, depth=2, steps=2, replications=1)
    assert result.verdict == "holds"
    assert len(trace.actors) == 157
    assert result.scope["slots"] == 144
    assert result.step_ms["median"] > 144 * 3.1 / 2


def test_the_model_lock_reaches_eleven_waiters_and_node_zero_none(costs):
    locked, _ = simulated("model_lock", costs())
    assert locked.contention["model"] == 11
    free, _ = simulated("node_zero", costs())
    assert free.contention == {}
    assert {"name": "uncontended", "verdict": "holds", "class": None} in free.promises


def test_contention_that_was_promised_away_is_broken(costs):
    result, _ = simulated("model_lock", costs(), workers=3, promise=("uncontended",))
    assert {"name": "uncontended", "verdict": "broken", "class": "contention"} in result.promises
    assert result.exit_code == 1
    row = next(row for row in result.broken if row["text"] == "2 actors wait for model")
    assert row["path"].endswith("model_lock.py")


def test_a_deadlock_says_who_waits_for_whom(costs):
    result, _ = simulated("count_too_large", costs(), workers=3)
    stuck = result.deadlock["stuck"]
    assert [row["actor"] for row in stuck] == ["0", "0.0", "0.1", "0.2"]
    assert {row["waits_for"] for row in stuck} == {"0/batch"}
    assert stuck[0]["needs"] == "5 parties, 4 have arrived (0, 0.0, 0.1, 0.2)"
    assert stuck[0]["line"] != stuck[1]["line"]
    assert all(row["path"].endswith("count_too_large.py") for row in stuck)
    assert result.step_ms == {"median": None, "p05": None, "p95": None}
    assert result.ci95_ms is None
    assert result.critical_path == []


def test_the_wait_for_graph_names_those_who_could_help(costs):
    result, _ = simulated("leaves_early", costs(), workers=2)
    assert [row["actor"] for row in result.deadlock["stuck"]] == ["0"]
    assert result.deadlock["edges"] == [{"from": "0", "to": worker, "on": "0/batch"} for worker in ("0.0", "0.1")]


def test_a_race_names_line_actor_time_and_how_often(costs):
    result, _ = simulated("unguarded", costs(), workers=3, steps=2, replications=1)
    row = result.broken[0]
    lines = Path(row["path"]).read_text(encoding="utf-8").splitlines()
    assert "BROKEN" in lines[row["line"] - 1]
    assert row["class"] == "race"
    assert "activations is not ordered after" in row["text"]
    assert row["actor"] in ("0.0", "0.1", "0.2")
    assert row["time_ms"] > 0
    assert row["count"] == 4  # the second and the third worker, in two steps
    assert {"name": "no race", "verdict": "broken", "class": "race"} in result.promises


def test_a_race_on_the_weights_breaks_two_promises(costs, architecture):
    body = """
class Crew(Team[Seat]):
    batch = Barrier()

def worker(me, team, work):
    yield from work(BATCH)
    yield team.batch.wait()

def leaf(me, team, order):
    yield compute(weights, into=me.segment)

def control(me, team, order):
    yield update(me.segment, into=weights)
    yield team.batch.wait()

def root(me, work):
    order = yield choose(BATCH, STOP)
    yield from work(order)

architecture = Architecture(root, worker, control, leaf, team=Crew, shared=(weights,))
"""
    result, _ = simulated(architecture(body), costs(), workers=2)
    broken = {row["name"] for row in result.promises if row["verdict"] == "broken"}
    assert broken >= {"no race", "update before use"}
    assert classes(result) >= {"race"}


# --- promises of an architecture's own --------------------------------------------------------------------------------

OWN = """
class Crew(Team[Seat]):
    batch = Barrier()
    order = Variable()

def worker(me, team, work):
    order = 0
    while order != STOP:
        yield team.batch.wait()
        order = yield team.order.read()
        yield from work(order)
        if order == BATCH:
            yield team.batch.wait()

def leaf(me, team, order):
    if order == BATCH:
        yield compute(weights, into=me.segment)

def control(me, team, order):
    yield team.order.write(order)
    yield team.batch.wait()
    if order == BATCH:
        yield team.batch.wait()
        yield fold(team.each.segment, into=me.segment)

def root(me, work):
    order = 0
    while order != STOP:
        order = yield choose(BATCH, STOP)
        yield from work(order)
        if order == BATCH:
            yield update(me.segment, into=weights)

architecture = Architecture(
    root, worker, control, leaf, team=Crew, shared=(weights,),
    promises=(%s,),
)
"""


def test_an_always_that_fails_once_is_broken(costs, architecture):
    promise = 'always("never all at once", lambda state: state.about_to("compute") < state.workers)'
    result, _ = simulated(architecture(OWN % promise), costs(), workers=2)
    row = {"name": "never all at once", "verdict": "broken", "class": "never all at once"}
    assert row in result.promises
    assert result.exit_code == 1


def test_an_always_that_stays_true_holds(costs, architecture):
    promise = 'always("orders are known", lambda state: set(state.values("order")) <= {0, BATCH, STOP})'
    result, _ = simulated(architecture(OWN % promise), costs(), workers=2)
    assert {"name": "orders are known", "verdict": "holds", "class": None} in result.promises
    assert result.exit_code == 0


def test_a_sometimes_that_was_not_met_is_undecided(costs, architecture):
    met = 'sometimes("all compute", lambda state: state.about_to("compute") == state.workers)'
    unmet = 'sometimes("an epoch", lambda state: EPOCH in state.values("order"))'
    result, _ = simulated(architecture(OWN % f"{met}, {unmet}"), costs(), workers=2)
    verdicts = {row["name"]: row["verdict"] for row in result.promises}
    assert (verdicts["all compute"], verdicts["an epoch"]) == ("holds", "undecided")
    assert (result.verdict, result.exit_code) == ("undecided", 3)


# --- limits and requests ----------------------------------------------------------------------------------------------


def test_a_limit_makes_the_verdict_undecided(costs):
    result, trace = simulated("node_zero", costs(), workers=3, steps=50, events_max=100)
    assert (result.verdict, result.exit_code) == ("undecided", 3)
    assert result.limit == "the limit of 100 operations was reached"
    assert {row["verdict"] for row in result.promises} == {"undecided"}
    assert result.replications == 1
    assert trace.header["complete"] is False


def test_what_was_found_before_the_limit_stays_broken(costs):
    result, _ = simulated("unguarded", costs(), workers=3, steps=50, events_max=200)
    assert (result.verdict, result.exit_code) == ("broken", 1)


def test_a_budget_of_no_time_is_undecided(costs):
    result, _ = simulated("node_zero", costs(), workers=3, steps=500, budget_seconds=0.0)
    assert result.limit == "the budget of time was used up"
    assert result.exit_code == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 0}, "--steps 0: at least 1 is needed"),
        ({"replications": 0}, "--replications 0: at least 1 is needed"),
        ({"cores": 0}, "--cores 0: at least 1 is needed"),
        ({"workers": 0}, "--workers 0"),
        ({"workers": 13}, "arity of 12"),
        ({"workers": 12, "slots": 5}, "12 leaves but only 5 slots"),
        ({"promise": ("no such",)}, "no promise called 'no such'"),
    ],
)
def test_a_request_that_makes_no_sense(costs, options, message):
    with pytest.raises(BadRequest, match=message):
        simulated("node_zero", costs(), **options)


# --- traces -----------------------------------------------------------------------------------------------------------


def test_the_trace_is_whole_and_survives_writing(costs, tmp_path):
    _, trace = simulated("work_queue", costs(), workers=3)
    assert set(HEADER_FIELDS) <= set(trace.header)
    assert trace.header["clock"] == "simulated"
    write_trace(tmp_path / "trace.jsonl", trace)
    again = read_trace(tmp_path / "trace.jsonl")
    assert again.actors == trace.actors


@pytest.mark.parametrize("quantum_ms", [0.0, 4.0])
@pytest.mark.parametrize("name", sorted(shipped()))
def test_every_simulated_trace_is_legal(costs, name, quantum_ms):
    """The judge finds an order of the logs that the semantics allows, for broken architectures as well."""
    _, trace = simulated(name, costs({**SPREAD, "machine.quantum_ms": quantum_ms}), workers=3)
    assert validator.run(load(name), trace).legal is True


def test_the_trace_of_a_single_actor_can_be_simulated_again_from_its_header(costs):
    _, trace = simulated("serial", costs(), workers=12)
    head = trace.header
    assert (head["workers"], head["depth"]) == (0, 0)
    again, _ = simulated("serial", costs(), workers=head["workers"], depth=head["depth"], slots=head["slots"])
    assert again.verdict == "holds"


# --- the same and not the same ----------------------------------------------------------------------------------------


def bare(result: RunResult) -> str:
    return json.dumps({name: value for name, value in result.data.items() if name not in TIMING})


@pytest.mark.parametrize("name", ["node_zero", "model_lock", "unguarded"])
def test_the_same_seed_gives_the_same_bytes(costs, name):
    first, first_trace = simulated(name, costs(SPREAD), workers=4)
    again, again_trace = simulated(name, costs(SPREAD), workers=4)
    other, other_trace = simulated(name, costs(SPREAD), workers=4, seed=2)
    assert bare(first) == bare(again)
    assert first_trace == again_trace
    assert first_trace.actors != other_trace.actors
    assert first.step_ms != other.step_ms


PRINT_A_DIGEST = """
import hashlib, sys
from cllm_sim import simulator
from cllm_sim.costs import parse_costs
from cllm_sim.library import load
result, trace = simulator.run(load("model_lock"), costs=parse_costs(sys.stdin.read(), "stdin"), workers=4, steps=2)
kept = {name: value for name, value in result.data.items() if name not in ("seconds", "events_per_second")}
print(hashlib.sha256(repr((kept, trace)).encode()).hexdigest())
"""


def test_the_bytes_do_not_depend_on_the_process(costs):
    """Another process hashes strings differently; nothing may depend on the order of a set."""
    digests = {
        subprocess.run(
            [sys.executable, "-c", PRINT_A_DIGEST],
            input=costs(SPREAD).to_toml(),
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1


def test_replications_give_an_interval_around_the_mean(costs):
    result, _ = simulated("node_zero", costs(SPREAD), workers=4, steps=10, replications=4)
    low, high = result.ci95_ms
    assert low < high
    assert low < result.step_ms["p95"]
    assert high > result.step_ms["p05"]
    alone, _ = simulated("node_zero", costs(SPREAD), workers=4, steps=10, replications=1)
    assert alone.ci95_ms is None


def test_more_replications_than_spread_give_an_interval_of_no_width(costs):
    result, _ = simulated("node_zero", costs(), workers=4)
    assert result.ci95_ms[0] == result.ci95_ms[1]


def test_doubling_all_durations_doubles_the_result(costs):
    for name in ("node_zero", "model_lock", "sliced_reduce"):
        once, once_trace = simulated(name, costs(), workers=4)
        twice, twice_trace = simulated(name, costs(scale=2.0), workers=4)
        assert twice.step_ms["median"] == pytest.approx(2 * once.step_ms["median"], abs=2e-6)
        assert [[event.op for event in log] for log in once_trace.actors.values()] == [
            [event.op for event in log] for log in twice_trace.actors.values()
        ]
        assert twice.wait_share == pytest.approx(once.wait_share, abs=1e-5)


def test_the_critical_path_lasts_as_long_as_its_step(costs):
    for name in ("node_zero", "model_lock", "sliced_reduce", "work_queue", "serial"):
        result, _ = simulated(name, costs(SPREAD), workers=4, steps=5, replications=1)
        total = sum(part["ms"] for part in result.critical_path)
        assert total == pytest.approx(result.step_ms["median"], rel=1e-4)
        assert sum("compute" in part["op"] for part in result.critical_path) >= 1


# --- every number of the model means something ------------------------------------------------------------------------

EVERYTHING = """
class Crew(Team[Seat]):
    go = Semaphore()
    done = Word()
    gate = Barrier()

def worker(me, team, work):
    yield team.go.down()
    yield from work(BATCH)
    yield team.done.add(1)

def leaf(me, team, order):
    yield compute(weights, into=me.segment)

def control(me, team, order):
    for child in range(team.workers):
        yield team.go.up()
    yield team.done.wait_until(team.workers)
    yield team.gate.destroy()
    yield fold(team.each.segment, into=me.segment)

def root(me, work):
    order = yield choose(BATCH)
    yield from work(order)
    yield join("0.0")
    yield update(me.segment, into=weights)

architecture = Architecture(root, worker, control, leaf, team=Crew, shared=(weights,))
"""

UP, DOWN = 1, -1
NOISE: dict[str, object] = {"spread.distribution": "lognormal"}
DIRECTIONS: list[tuple[str, object, str, int, dict[str, object]]] = [
    ("machine.cores", 4, "node_zero", DOWN, {}),
    ("machine.switch_us", 200.0, "node_zero", UP, {}),
    ("machine.switch_us", 200.0, "node_zero", UP, {"machine.quantum_ms": 0.0}),
    ("machine.wake_us", 300.0, "node_zero", UP, {}),
    ("machine.release_us", 100.0, "node_zero", UP, {}),
    ("machine.quantum_ms", 1.0, "node_zero", UP, {"machine.switch_us": 100.0}),
    ("machine.slowdown", 1.5, "node_zero", UP, {}),
    ("operations.wait", 100.0, "node_zero", UP, {}),
    ("operations.acquire", 100.0, "model_lock", UP, {}),
    ("operations.release", 100.0, "model_lock", UP, {}),
    ("operations.sleep", 100.0, "model_lock", UP, {}),
    ("operations.notify", 100.0, "model_lock", UP, {}),
    ("operations.next", 100.0, "model_lock", UP, {}),
    ("operations.plain", 100.0, "node_zero", UP, {}),
    ("operations.atomic", 100.0, "work_queue", UP, {}),
    ("operations.choose", 100.0, "node_zero", UP, {}),
    ("operations.down", 100.0, "everything", UP, {}),
    ("operations.up", 100.0, "everything", UP, {}),
    ("operations.await", 30_000.0, "everything", UP, {}),
    ("operations.join", 100.0, "everything", UP, {}),
    ("operations.destroy", 100.0, "everything", UP, {}),
    ("compute.per_slot_us", 4000.0, "node_zero", UP, {}),
    ("compute.fixed_us", 1000.0, "node_zero", UP, {}),
    ("fold.per_operand_us", 100.0, "node_zero", UP, {}),
    ("fold.fixed_us", 100.0, "node_zero", UP, {}),
    ("update.per_gradient_us", 400.0, "node_zero", UP, {}),
    ("update.fixed_us", 100.0, "node_zero", UP, {}),
    ("parameters.size", 1, "sliced_reduce", UP, {"fold.per_operand_us": 5000.0}),
    ("spread.compute", 0.5, "node_zero", UP, {**NOISE, "machine.cores": 8, "machine.quantum_ms": math.inf}),
    ("spread.fold", 0.5, "node_zero", 0, NOISE),
    ("spread.update", 0.5, "node_zero", 0, NOISE),
    ("spread.operations", 0.5, "node_zero", 0, NOISE),
    ("spread.seed", 9, "node_zero", 0, {**NOISE, "spread.compute": 0.3}),
    ("spread.distribution", "normal", "node_zero", 0, {**NOISE, "spread.compute": 0.3}),
]
"""Key, its new value, where it matters, which way the run's length goes (0: it changes), and what else is set."""


@pytest.mark.parametrize(("key", "value", "name", "direction", "given"), DIRECTIONS)
def test_every_number_moves_the_answer(costs, architecture, key, value, name, direction, given):
    reference = architecture(EVERYTHING) if name == "everything" else name

    def length(model) -> int:
        _, trace = simulated(reference, model, workers=5, steps=20, replications=1)
        return max(log[-1].end for log in trace.actors.values())

    before, after = length(costs(given)), length(costs({**given, key: value}))
    assert before != after
    assert direction in (0, (after > before) - (after < before))


def test_no_number_of_the_model_was_forgotten(costs):
    sections = costs().model_dump(by_alias=True)
    numbers = {f"{name}.{key}" for name, rows in sections.items() for key in rows}
    assert {row[0] for row in DIRECTIONS} == numbers


def test_what_a_machine_is_asked_to_have_replaces_what_was_measured(costs):
    two, _ = simulated("node_zero", costs())
    four, _ = simulated("node_zero", costs(), cores=4)
    assert four.step_ms["median"] < two.step_ms["median"]
    assert (two.cores, four.cores) == (2, 4)
    assert any("4 cores" in note for note in four.assumptions)


def test_progress_is_told(costs):
    told: list[tuple[int, int]] = []
    simulated("node_zero", costs(), workers=2, replications=3, progress=lambda done, of: told.append((done, of)))
    assert told == [(1, 3), (2, 3), (3, 3)]
