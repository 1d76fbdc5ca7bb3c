"""The host against results that are known in advance, and the conservation of core time.

Closed forms: order statistics of exponentials, E[makespan] = (H_c + (n - c)/c)/mu for first come first served and
sharing alike; equal jobs nx/c when shared and ceil(n/c)x to completion. Statistical checks are at four standard errors.
"""

import math
from collections.abc import Generator, Sequence
from typing import Any

import numpy as np
import pytest
from simpy.core import Environment
from simpy.events import Event

from cllm_sim.simulator.host import Host, Task, make_host

INFINITE = math.inf


def makespan(demands: Sequence[float], cores: int, quantum_s: float, **machine: float) -> tuple[float, Host]:
    """When the last of these jobs, all started at 0, is done."""
    environment = Environment()
    host = make_host(environment, cores, quantum_s=quantum_s, **machine)
    ends: list[float] = []
    for demand in demands:
        done = host.run(demand)
        assert done.callbacks is not None
        done.callbacks.append(lambda _: ends.append(environment.now))
    environment.run()
    assert len(ends) == len(demands)
    return max(ends), host


def exponentials(jobs: int, samples: int, seed: int) -> Any:
    return np.random.default_rng(seed).exponential(1.0, (samples, jobs))


@pytest.mark.parametrize(
    ("quantum_s", "expected"), [(0.0, 6.5), (INFINITE, 7.0)], ids=["ideal sharing", "run to completion"]
)
def test_thirteen_equal_jobs_on_two_cores(quantum_s, expected):
    assert makespan([1.0] * 13, 2, quantum_s)[0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("quantum_s", [0.0, 0.05, INFINITE])
def test_one_job_alone_takes_its_demand(quantum_s):
    assert makespan([1.25], 2, quantum_s)[0] == pytest.approx(1.25, rel=1e-12)


@pytest.mark.parametrize("quantum_s", [0.0, INFINITE])
def test_the_largest_of_twelve_exponentials_with_a_core_each(quantum_s):
    ends = [makespan(demands, 12, quantum_s)[0] for demands in exponentials(12, 800, seed=1)]
    harmonic = sum(1 / k for k in range(1, 13))
    assert harmonic == pytest.approx(3.103210678)
    deviation = math.sqrt(sum(1 / k**2 for k in range(1, 13)))
    assert abs(np.mean(ends) - harmonic) < 4 * deviation / math.sqrt(len(ends))


@pytest.mark.parametrize("quantum_s", [0.0, INFINITE])
@pytest.mark.parametrize(("jobs", "cores"), [(12, 1), (12, 2), (13, 2), (12, 4)])
def test_exponential_jobs_take_the_same_under_both_disciplines(jobs, cores, quantum_s):
    ends = [makespan(demands, cores, quantum_s)[0] for demands in exponentials(jobs, 400, seed=2)]
    expected = sum(1 / k for k in range(1, cores + 1)) + (jobs - cores) / cores
    assert abs(np.mean(ends) - expected) < 4 * np.std(ends, ddof=1) / math.sqrt(len(ends))


def test_round_robin_tends_to_sharing_as_the_quantum_shrinks():
    demands = exponentials(7, 1, seed=3)[0]
    shared = makespan(demands, 2, 0.0)[0]
    gaps = [abs(makespan(demands, 2, quantum)[0] - shared) for quantum in (0.1, 0.01, 0.001)]
    assert gaps[-1] < 0.002 * shared
    assert gaps[-1] <= gaps[0]


def test_round_robin_with_a_huge_quantum_is_run_to_completion():
    demands = exponentials(7, 1, seed=4)[0]
    assert makespan(demands, 2, 1e9)[0] == pytest.approx(makespan(demands, 2, INFINITE)[0], rel=1e-12)


def test_round_robin_lets_a_short_job_pass_a_long_one():
    environment = Environment()
    host = make_host(environment, 1, quantum_s=0.1)
    host.run(10.0)
    short = host.run(0.15)
    environment.run(until=short)
    assert environment.now == pytest.approx(0.1 + 0.1 + 0.1 + 0.05)


# --- conservation -----------------------------------------------------------------------------------------------------

DISCIPLINES = [0.0, 0.003, 0.05, INFINITE]


@pytest.mark.parametrize("quantum_s", DISCIPLINES)
def test_core_time_is_conserved(quantum_s):
    demands = exponentials(23, 1, seed=5)[0]
    _, host = makespan(demands, 3, quantum_s)
    assert host.busy_s == pytest.approx(float(sum(demands)), rel=1e-9)


@pytest.mark.parametrize("quantum_s", DISCIPLINES)
def test_switches_are_paid_for(quantum_s):
    demands = exponentials(9, 1, seed=6)[0]
    end, host = makespan(demands, 2, quantum_s, switch_s=0.01)
    assert host.switches >= len(demands)
    assert host.busy_s == pytest.approx(float(sum(demands)) + 0.01 * host.switches, rel=1e-9)
    assert end > makespan(demands, 2, quantum_s)[0]


@pytest.mark.parametrize("quantum_s", DISCIPLINES)
def test_two_busy_cores_are_slower_by_the_factor(quantum_s):
    """Two equal jobs slow each other down from beginning to end; of two unequal ones the longer ends unslowed."""
    assert makespan([1.0, 1.0], 2, quantum_s, slowdown=1.5)[0] == pytest.approx(1.5, rel=1e-9)
    assert makespan([1.0, 2.0], 2, quantum_s, slowdown=1.5)[0] == pytest.approx(1.5 + 1.0, rel=1e-9)
    assert makespan([1.0, 1.0], 1, quantum_s, slowdown=1.5)[0] == pytest.approx(2.0, rel=1e-9)


@pytest.mark.parametrize("quantum_s", DISCIPLINES)
def test_a_job_that_comes_later_slows_down_from_then_on(quantum_s):
    environment = Environment()
    host = make_host(environment, 2, quantum_s=quantum_s, slowdown=2.0)
    first = host.run(1.0)

    def later() -> Generator[Event, Any, None]:
        yield environment.timeout(0.5)
        yield host.run(10.0)

    environment.process(later())
    environment.run(until=first)
    assert environment.now == pytest.approx(0.5 + 0.5 * 2.0, rel=1e-9)


# --- tasks ------------------------------------------------------------------------------------------------------------


def rival(environment: Environment, host: Host, demand_s: float) -> Event:
    """A job on its own that comes to the host after the processes that were started before it."""

    def job() -> Generator[Event, Any, None]:
        yield host.run(demand_s)

    return environment.process(job())


@pytest.mark.parametrize("quantum_s", [0.02, INFINITE])
def test_an_actor_goes_on_without_queueing_for_each_operation(quantum_s):
    """Ten short bursts of one task beside a long job on the one core: one dispatch until the slice is over."""
    environment = Environment()
    host = make_host(environment, 1, quantum_s=quantum_s)
    ends: list[float] = []

    def actor(task: Task) -> Generator[Event, Any, None]:
        for _ in range(10):
            yield task.run(0.001)
        ends.append(environment.now)
        task.leave()

    environment.process(actor(host.task()))
    rival(environment, host, 1.0)
    environment.run()
    assert ends == [pytest.approx(0.01)]
    assert host.switches == 2


def test_the_slice_of_a_task_that_goes_on_still_ends():
    """The slice belongs to the task, not to the burst: after 20 ms somebody else has the core."""
    environment = Environment()
    host = make_host(environment, 1, quantum_s=0.02)
    task = host.task()
    ends: list[float] = []

    def actor() -> Generator[Event, Any, None]:
        for _ in range(3):
            yield task.run(0.01)
            ends.append(environment.now)
        task.leave()

    environment.process(actor())
    rival(environment, host, 0.02)
    environment.run()
    assert ends == pytest.approx([0.01, 0.02, 0.05])


@pytest.mark.parametrize("quantum_s", DISCIPLINES)
def test_waiting_uses_no_core(quantum_s):
    environment = Environment()
    host = make_host(environment, 1, quantum_s=quantum_s)
    task = host.task()

    def actor() -> Generator[Event, Any, None]:
        yield task.run(0.25)
        task.leave()
        yield environment.timeout(1.0)
        yield task.run(0.25)
        task.leave()

    environment.process(actor())
    environment.run(until=rival(environment, host, 0.5))
    assert environment.now == pytest.approx(0.75)
    environment.run()
    assert 1.5 <= environment.now <= 1.75 + 1e-9
    assert host.busy_s == pytest.approx(1.0)


@pytest.mark.parametrize("quantum_s", [0.05, INFINITE])
def test_demand_zero_waits_for_a_core(quantum_s):
    environment = Environment()
    host = make_host(environment, 1, quantum_s=quantum_s)
    host.run(0.04)
    ready = host.run(0.0)
    environment.run(until=ready)
    assert environment.now == pytest.approx(0.04)


def test_demand_zero_is_instant_when_cores_are_shared():
    environment = Environment()
    host = make_host(environment, 1)
    host.run(0.04)
    ready = host.run(0.0)
    environment.run(until=ready)
    assert environment.now == 0


@pytest.mark.parametrize("quantum_s", DISCIPLINES)
def test_doubling_all_times_doubles_the_result_exactly(quantum_s):
    demands = exponentials(11, 1, seed=7)[0]
    once = makespan(demands, 2, quantum_s, switch_s=0.01, slowdown=1.25)[0]
    twice = makespan(2 * demands, 2, 2 * quantum_s, switch_s=0.02, slowdown=1.25)[0]
    assert twice == 2 * once
