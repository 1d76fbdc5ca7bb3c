"""One simulated run: who gets what when, to the nanosecond, and what is said of texts that do something wrong."""

import itertools
import math
from pathlib import Path

import numpy as np
import pytest

from cllm_sim.compose import System, compose
from cllm_sim.costs import CostModel
from cllm_sim.errors import BadArchitecture, NondeterministicText
from cllm_sim.job import Job
from cllm_sim.library import load
from cllm_sim.metrics import steps
from cllm_sim.script import script
from cllm_sim.semantics import waiters
from cllm_sim.simulator import engine
from cllm_sim.simulator.engine import Engine, Run, Setting
from cllm_sim.simulator.monitor import Contention
from cllm_sim.trace import Event, Trace
from cllm_sim.tree import Tree

US = 1000


def system_of(reference: str, workers: int, depth: int = 1) -> System:
    return compose(load(reference).architecture, Tree(workers, depth))


def simulated(system: System, model: CostModel, count: int = 1, *, seed: int = 1, replication: int = 0, **more) -> Run:
    setting = Setting(system, Job(system), model, script(count), seed, model.machine.cores, **more)
    return Engine(setting, replication).run()


def named(run: Run, actor: str, op: str) -> list[Event]:
    return [event for event in run.logs[actor] if event.op == op]


OWN_CORES = {"machine.cores": 200, "machine.quantum_ms": math.inf, "machine.switch_us": 0.0, "machine.slowdown": 1.0}
EXPONENTIAL = {
    "machine.slowdown": 1.0, "machine.cores": 13, "spread.distribution": "exponential", "spread.compute": 1.0,
}  # fmt: skip
"""To be used with scale 0: nothing costs time but computations, and those are exponential with a core each."""

# --- time -------------------------------------------------------------------------------------------------------------


def test_a_barrier_wakes_its_members_one_after_another(costs):
    """The control arrives last at Point A and wakes the workers in their order of arrival, 5 us each, then 30 us."""
    run = simulated(system_of("node_zero", 3), costs(OWN_CORES))
    control = named(run, "0", "wait 0/batch")[0]
    released = control.begin + 1 * US
    for turn, worker in enumerate(("0.0", "0.1", "0.2"), 1):
        first = named(run, worker, "wait 0/batch")[0]
        assert (first.begin, first.end) == (0, released + turn * 5 * US + 30 * US)
    assert control.end == released + 3 * 5 * US


def test_members_are_woken_in_order_of_arrival(costs):
    """At Point B of 12 slots on 5 workers those with 2 slots arrive before those with 3, and are woken before them."""
    run = simulated(system_of("node_zero", 5), costs(OWN_CORES))
    arrived = {name: named(run, name, "wait 0/batch")[1].begin for name in run.logs if name != "0"}
    woken = {name: named(run, name, "wait 0/batch")[1].end for name in run.logs if name != "0"}
    last = max(arrived, key=lambda name: (arrived[name], name))
    others = [name for name in arrived if name != last]
    assert sorted(others, key=woken.__getitem__) == sorted(others, key=lambda name: (arrived[name], name))


def test_a_step_is_the_sum_of_its_parts(costs):
    """With a core each: order, Point A, the last worker's wake-up and computation, Point B, fold and update."""
    run = simulated(system_of("node_zero", 4), costs(OWN_CORES))
    (step,) = steps(Trace({}, run.logs))
    point_a = 0.5 + 1.0 + 4 * 5.0 + 30.0
    point_b = 1.0 + 5.0 + 30.0  # the control was the first to arrive, so it is woken first
    assert step.ms * 1000 == pytest.approx(point_a + 0.5 + 9100.0 + point_b + 610.0 + 210.0)


def test_equal_computations_share_the_cores(costs):
    """12 equal computations on 2 cores: 6 times one, under ideal sharing and to completion."""
    for quantum in (0.0, math.inf):
        only = {"machine.quantum_ms": quantum, "machine.slowdown": 1.0, "compute.per_slot_us": 1000.0}
        run = simulated(system_of("node_zero", 12), costs(only, scale=0.0), 3)
        assert [step.ms for step in steps(Trace({}, run.logs))] == pytest.approx([6.0] * 3)


def test_waiting_for_the_longest_of_twelve_exponentials(costs):
    """Zero cost but exponential computations with a core each: a step lasts the largest of twelve, 3.1032 means."""
    run = simulated(system_of("node_zero", 12), costs({**EXPONENTIAL, "compute.fixed_us": 1000.0}, scale=0.0), 400)
    times = np.array([step.ms for step in steps(Trace({}, run.logs))])
    assert abs(times.mean() - 3.103210678) < 4 * 1.250990 / math.sqrt(times.size)


def test_a_tree_of_zero_cost_is_one_flat_barrier(costs):
    """Two levels of three with exponential leaves: the largest of nine, H_9 = 2.828968."""
    run = simulated(system_of("node_zero", 3, 2), costs({**EXPONENTIAL, "compute.fixed_us": 1000.0}, scale=0.0), 400)
    times = np.array([step.ms for step in steps(Trace({}, run.logs))])
    assert abs(times.mean() - 2.828968254) < 4 * math.sqrt(sum(1 / k**2 for k in range(1, 10)) / times.size)


REPAIRMAN = """
model = Mutex("model")
CYCLES = 150

class Crew(Team[Seat]):
    end = Barrier()

def worker(me, team, work):
    yield from work(BATCH)
    yield team.end.wait()

def leaf(me, team, order):
    for cycle in range(CYCLES):
        yield compute(weights, into=me.segment)
        yield model.acquire()
        yield compute(weights, into=me.segment)
        yield model.release()

def control(me, team, order):
    yield team.end.wait()

def root(me, work):
    yield from work(BATCH)

architecture = Architecture(root, worker, control, leaf, team=Crew, shared=(weights, model))
"""


def test_one_lock_is_the_machine_repairman(costs, architecture):
    """N = 4 workers think and hold with mean 1 ms each: p0 = 1/sum N!/(N-k)! = 1/65, throughput (1 - p0)/S.

    Counted from when the pipeline is full until the first worker has finished; 12 runs give the standard error.
    """
    model = costs({**EXPONENTIAL, "compute.fixed_us": 1000.0}, scale=0.0)
    system = system_of(architecture(REPAIRMAN), 4)
    rates = []
    for replication in range(12):
        run = simulated(system, model, replication=replication)
        released = sorted(event.end for log in run.logs.values() for event in log if event.op == "release model")
        until = min(log[-2].end for name, log in run.logs.items() if name != "0")
        inside = [end for end in released if released[20] < end <= until]
        rates.append(len(inside) / ((inside[-1] - released[20]) / 1e6))
    assert abs(np.mean(rates) - (1 - 1 / 65)) < 4 * np.std(rates, ddof=1) / math.sqrt(len(rates))


# --- order ------------------------------------------------------------------------------------------------------------


def test_a_mutex_is_handed_over_in_order_of_arrival(costs, architecture):
    """Operations take no time here, so an acquire begins with the arrival and ends with the grant."""
    model = costs({**EXPONENTIAL, "compute.fixed_us": 1000.0}, scale=0.0)
    run = simulated(system_of(architecture(REPAIRMAN), 5), model)
    acquired = [(event.end, event.begin) for name in run.logs for event in named(run, name, "acquire model")]
    assert len(acquired) == 5 * 150
    arrivals = [begin for _, begin in sorted(acquired)]
    assert arrivals == sorted(arrivals)
    assert sum(end > begin for end, begin in acquired) > 300  # and most of them had to wait


def test_the_holder_hands_over_at_once_and_the_next_is_ready_after_its_wake_up(costs):
    run = simulated(system_of("model_lock", 3), costs(OWN_CORES))
    released = [named(run, name, "release model")[0] for name in ("0.0", "0.1", "0.2")]
    acquired = [named(run, name, "acquire model")[0] for name in ("0.0", "0.1", "0.2")]
    for before, after in itertools.pairwise(range(3)):
        assert acquired[after].end == released[before].begin + (1 + 5 + 30) * US
        assert released[before].end == released[before].begin + (1 + 5) * US


def test_twelve_workers_pile_up_before_the_model(costs):
    run = simulated(system_of("model_lock", 12), costs(), 2)
    system = system_of("model_lock", 12)
    worst = {system.objects[item].name: count for item, count in run.contention.items()}
    assert worst["model"] == 11
    assert all(count <= 1 for name, count in worst.items() if name != "model")


@pytest.mark.parametrize(
    ("reference", "workers", "depth"), [("model_lock", 4, 1), ("model_lock", 2, 2), ("unguarded", 3, 1)]
)
def test_contention_equals_the_waiters_of_the_semantics_in_every_state(costs, monkeypatch, reference, workers, depth):
    system = system_of(reference, workers, depth)
    states = []
    look = Contention.look

    def compared(self, pending, memory, moved):
        look(self, pending, memory, moved)
        assert self.now(memory) == waiters(system, pending, memory)
        states.append(memory)

    monkeypatch.setattr(Contention, "look", compared)
    run = simulated(system, costs({"spread.distribution": "lognormal", "spread.operations": 1.0}), 3)
    assert run.complete
    assert len(states) > run.operations


def test_logs_are_in_order_and_every_wait_was_ended_by_somebody(costs):
    run = simulated(system_of("model_lock", 3, 2), costs(), 2)
    for log in run.logs.values():
        assert all(event.begin <= event.end for event in log)
        assert all(one.end <= other.begin for one, other in itertools.pairwise(log))


EVERYTHING = """
class Crew(Team[Seat]):
    go = Semaphore()
    done = Word()
    gate = Barrier()

def worker(me, team, work):
    yield team.go.down()
    yield from work(BATCH)
    yield team.done.add(1)
    yield team.done.load()

def leaf(me, team, order):
    yield compute(weights, into=me.segment)

def control(me, team, order):
    for child in range(team.workers):
        yield team.go.up()
    yield team.done.wait_until(team.workers)
    yield team.done.exchange(team.workers, 0)
    yield team.gate.destroy()
    yield fold(team.each.segment, into=me.segment)

def root(me, work):
    order = yield choose(BATCH)
    yield from work(order)
    yield join("0.0")
    yield update(me.segment, into=weights)

architecture = Architecture(root, worker, control, leaf, team=Crew, shared=(weights,))
"""


def test_semaphores_words_and_joins_wait_and_go_on(costs, architecture):
    run = simulated(system_of(architecture(EVERYTHING), 3), costs())
    assert run.complete
    assert run.defects == []
    assert [event.reply for event in run.logs["0"] if event.op.startswith(("await", "exchange"))] == [3, 3]
    assert sorted(named(run, name, "add 0/done 1")[0].reply for name in ("0.0", "0.1", "0.2")) == [0, 1, 2]
    assert named(run, "0", "join 0.0")[0].end >= named(run, "0.0", "load 0/done")[0].begin


def test_a_notify_wakes_one_of_several_by_a_draw(costs, architecture):
    """Three sleepers, one notify each step of the control: which one goes first depends on the seed alone."""
    body = """
class Crew(Team[Seat]):
    lock = Mutex()
    wake = Condition("lock")
    asleep = Word()

def worker(me, team, work):
    yield team.lock.acquire()
    yield team.asleep.add(1)
    yield team.wake.wait()
    yield from work(BATCH)
    yield team.lock.release()

def leaf(me, team, order):
    yield team.asleep.add(-1)

def control(me, team, order):
    yield team.asleep.wait_until(team.workers)
    for child in range(team.workers):
        yield team.lock.acquire()
        yield team.wake.notify()
        yield team.lock.release()

def root(me, work):
    yield from work(BATCH)

architecture = Architecture(root, worker, control, leaf, team=Crew, shared=(weights,))
"""
    system = system_of(architecture(body), 3)

    def first(seed: int) -> str:
        run = simulated(system, costs(), seed=seed)
        assert run.complete
        return min((named(run, name, "sleep 0/wake")[0].end, name) for name in ("0.0", "0.1", "0.2"))[1]

    assert {first(seed) for seed in range(12)} == {"0.0", "0.1", "0.2"}
    assert first(5) == first(5)


# --- limits and errors ------------------------------------------------------------------------------------------------

FOREVER = """
class Crew(Team[Seat]):
    flag = Word()

def worker(me, team, work):
    while not (yield team.flag.load()):
        yield team.flag.load()

def leaf(me, team, order):
    yield compute(weights, into=me.segment)

def control(me, team, order):
    yield team.flag.wait_until(1)

def root(me, work):
    yield from work(BATCH)

architecture = Architecture(root, worker, control, leaf, team=Crew, shared=(weights,))
"""


@pytest.mark.parametrize("scale", [0.0, 1.0], ids=["in no time", "in time"])
def test_a_run_without_end_stops_at_its_limit(costs, architecture, scale):
    run = simulated(system_of(architecture(FOREVER), 2), costs(scale=scale), events_max=500)
    assert run.limit == "the limit of 500 operations was reached"
    assert not run.complete
    assert run.deadlock is None
    assert run.operations <= 500


def test_a_step_that_never_ends_is_noticed_long_before_the_limit(costs, architecture, monkeypatch):
    monkeypatch.setattr(engine, "STALL", 300)
    run = simulated(system_of(architecture(FOREVER), 2), costs())
    assert run.limit == "no new order within 3,300 operations; the step may never end"
    assert not run.complete


def test_many_steps_are_no_stall(costs, monkeypatch):
    monkeypatch.setattr(engine, "STALL", 0)
    monkeypatch.setattr(engine, "STALL_PER_ACTOR", 20)
    run = simulated(system_of("node_zero", 3), costs(), 60)
    assert run.complete
    assert run.operations > 10 * 20 * 4


def test_a_run_stops_at_its_deadline(costs, architecture):
    run = simulated(system_of(architecture(FOREVER), 2), costs(), deadline=0.0)
    assert run.limit == "the budget of time was used up"


TEXTS = """
class Crew(Team[Seat]):
    batch = Barrier()

def worker(me, team, work):
    yield team.batch.wait()
    {line}

def leaf(me, team, order):
    yield compute(weights, into=me.segment)

def control(me, team, order):
    yield team.batch.wait()

def root(me, work):
    yield from work(BATCH)

architecture = Architecture(root, worker, control, leaf, team=Crew, shared=(weights,))
"""


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('yield "wait"', "yielded 'wait' (str); expected an operation such as team.batch.wait()"),
        ("yield team.batch.wait", "(a method without its parentheses?)"),
        ("yield None", "yielded None (NoneType)"),
        ("order = 1 // 0", "ZeroDivisionError: integer division or modulo by zero"),
        ("order = len(me.segmant.name)", "AttributeError: 'Seat' object has no attribute 'segmant'"),
    ],
)
def test_a_wrong_text_is_told_at_its_own_line(costs, architecture, line, message):
    path = architecture(TEXTS.replace("{line}", line))
    rows = Path(path).read_text(encoding="utf-8").splitlines()
    number = next(number for number, row in enumerate(rows, 1) if row.strip() == line)
    with pytest.raises(BadArchitecture) as caught:
        simulated(system_of(path, 2), costs())
    assert str(caught.value).startswith(f"{path}:{number}: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_error_in_a_function_that_a_text_calls_is_told_at_the_users_line(costs, architecture):
    body = TEXTS.replace("{line}", "order = half(1)") + "\n\ndef half(number):\n    return number / 0\n"
    with pytest.raises(BadArchitecture, match=r"mine\.py:\d+: ZeroDivisionError"):
        simulated(system_of(architecture(body), 2), costs())


def test_a_text_that_is_not_deterministic_is_refused(costs, architecture):
    body = "RUNS = [0]\n" + TEXTS.replace("{line}", "yield (me.segment, toss())[1]")
    body += (
        "\n\ndef toss():\n    RUNS[0] += 1\n    return (update(weights, into=weights), choose(BATCH))[RUNS[0] % 2]\n"
    )
    with pytest.raises(NondeterministicText, match=r"run twice with the same replies, the text did different things"):
        simulated(system_of(architecture(body), 2), costs())


# --- what stays the same ----------------------------------------------------------------------------------------------


def test_adding_actors_shifts_nobodys_draws(costs):
    """With a core each, what worker 0.1 draws for its third computation is the same among 2 workers and among 12."""
    model = costs({**OWN_CORES, "spread.distribution": "lognormal", "spread.compute": 0.4})
    factors = []
    for workers in (2, 12):
        run = simulated(system_of("node_zero", workers), model, 3)
        computed = named(run, "0.1", "compute 0.1/segment")
        factors.append([(event.end - event.begin) / (12 // workers * 3000 + 100) / US for event in computed])
    assert factors[0] == pytest.approx(factors[1], rel=1e-6)


def test_replications_differ_and_repeat(costs):
    model = costs({"spread.distribution": "lognormal", "spread.compute": 0.4})
    system = system_of("node_zero", 3)
    first, again, other = (simulated(system, model, 2, replication=number).logs for number in (0, 0, 1))
    assert first == again
    assert first != other


def test_core_time_is_the_sum_of_all_demands(costs):
    """Without switches, slowdown and the price of waking: every operation of the logs, and nothing else."""
    model = costs({"machine.switch_us": 0.0, "machine.slowdown": 1.0, "machine.release_us": 0.0})
    system = system_of("sliced_reduce", 4)
    run = simulated(system, model, 3)
    job = Job(system)
    expected = 0.0
    for number, actor in enumerate(system.actors):
        text = system.text(number)
        op = next(text)
        for event in run.logs[actor.name]:
            bound = system.bound(number, op)
            expected += model.mean_s(bound, job.piece(number, bound))
            try:
                op = text.send(event.reply)
            except StopIteration:
                break
    assert run.busy_s == pytest.approx(expected, rel=1e-9)
