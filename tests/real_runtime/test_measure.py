"""Goal: a calibration is complete, sane and leaves nothing. Method: quick real ones, and the rules on made-up samples.

No test looks at how long anything took: the machine that runs the tests is busy with others.
"""

import math
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from cllm_sim.costs import KINDS, CostModel, parse_costs
from cllm_sim.errors import BadRequest, RunHung, SubjectFailed
from cllm_sim.operations import RULES
from real_runtime import measure_lab
from real_runtime.measure import Estimate, Measurements, measure_in_fresh_process
from real_runtime.measure_lab import CREW_MAX, QUIET_CORES, SAMPLES_MAX, Block, Lab, Main, Samples, cpu_ns

LEARNER = {"context": "2", "embedding": "2", "hidden": "8,4", "rows_per_slot": "8"}
OPTIMIZER = {"optimizer": "sgd"}


def children() -> list[int]:
    return [int(pid) for pid in Path("/proc/self/task", str(os.getpid()), "children").read_text().split()]


def descriptors() -> list[str]:
    return sorted(entry.name for entry in Path("/proc/self/fd").iterdir())


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    before = children(), descriptors()
    yield
    assert (children(), descriptors()) == before


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("text") / "text.txt"
    path.write_bytes(bytes(range(32, 127)) * 200)
    return str(path)


@pytest.fixture(scope="module")
def told() -> list[tuple[str, int, int]]:
    return []


@pytest.fixture(scope="module")
def measured(text: str, told: list[tuple[str, int, int]]) -> Measurements:
    return measure_in_fresh_process(LEARNER, OPTIMIZER, text, 7, lambda *progress: told.append(progress), quick=True)


@pytest.fixture
def lab() -> Iterator[Lab]:
    lab = Lab(quick=True)
    yield lab
    lab.close()


# --- a whole calibration ----------------------------------------------------------------------------------------------


@pytest.mark.processes
def test_every_operation_of_the_vocabulary_has_a_cost(measured: Measurements) -> None:
    work = {"compute", "fold", "update"}
    assert set(measured.operations) == {rule.cost_key for rule in RULES.values()} - work


@pytest.mark.processes
def test_the_cost_model_takes_it_as_it_is_and_every_kind_has_a_spread(measured: Measurements) -> None:
    model = CostModel.model_validate(measured.sections())
    assert parse_costs(model.to_toml(), "test") == model
    assert set(measured.spread) == set(KINDS)
    assert model.machine.cores == measured_cores(measured)
    # Nothing of the model is left at a default that nobody measured.
    assert set(measured.sections()) == set(CostModel.model_fields)
    assert measured.parameters["size"] == 256 * 2 + (4 * 8 + 8) + (8 * 4 + 4) + (4 * 256 + 256)
    assert measured.learner.items() >= {**LEARNER, **OPTIMIZER}.items()
    assert "learning_rate" not in measured.learner  # none of its own: the optimizer's default


def measured_cores(measured: Measurements) -> int:
    return int(measured.machine["cores"].value)


@pytest.mark.processes
def test_every_value_is_finite_and_none_is_negative(measured: Measurements) -> None:
    rows = list(measured.rows())
    assert len(rows) == 6 + len(measured.operations) + 3 * 2
    for row in rows:
        assert math.isfinite(row["value"]), row
        assert row["value"] >= 0, row
        assert math.isfinite(row["spread"]), row
        assert row["spread"] >= 0, row
        assert row["samples"] >= 1, row
        assert row["how"], row
    for item in (*measured.operations.values(), measured.compute["per_slot_us"], measured.machine["quantum_ms"]):
        assert item.value > 0
    assert measured.machine["slowdown"].value >= 1
    assert 1 <= measured_cores(measured) <= len(os.sched_getaffinity(0))


@pytest.mark.processes
def test_it_says_how_far_others_disturbed_and_how_far_it_is(
    measured: Measurements, told: list[tuple[str, int, int]]
) -> None:
    conditions = measured.conditions
    assert 0 < conditions["blocks_counting"] <= conditions["blocks"] == len(told)
    assert 0 <= conditions["others_cores"] <= len(os.sched_getaffinity(0)) + 1
    assert [done for _, done, _ in told] == list(range(len(told)))
    assert all(done < of for _, done, of in told)


@pytest.mark.processes
def test_measurements_survive_the_way_through_json(measured: Measurements) -> None:
    assert Measurements.from_json(measured.to_json()) == measured


# --- what can go wrong ------------------------------------------------------------------------------------------------


@pytest.mark.processes
@pytest.mark.parametrize(
    ("learner", "optimizer", "named"),
    [({"hiden": "8"}, {}, "hidden"), ({"hidden": "0"}, {}, "hidden=0"), ({}, {"optimizer": "lion"}, "adam or sgd")],
)
def test_bad_settings_are_refused_by_name(
    learner: dict[str, str], optimizer: dict[str, str], named: str, text: str
) -> None:
    with pytest.raises(BadRequest, match=named):
        measure_in_fresh_process(learner, optimizer, text, 1, lambda *progress: None, quick=True)


@pytest.mark.processes
def test_a_missing_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="does not exist"):
        measure_in_fresh_process(LEARNER, {}, str(tmp_path / "none"), 1, lambda *progress: None, quick=True)


@pytest.mark.processes
def test_an_interrupted_calibration_leaves_no_process(text: str) -> None:
    def interrupt(*progress: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure_in_fresh_process(LEARNER, {}, text, 1, interrupt, quick=True)


@pytest.mark.processes
def test_a_killed_calibration_is_an_error_of_one_line(text: str) -> None:
    before = set(children())

    def kill(*progress: object) -> None:
        for pid in set(children()) - before:
            os.kill(pid, signal.SIGKILL)

    with pytest.raises(SubjectFailed, match="died") as caught:
        measure_in_fresh_process(LEARNER, {}, text, 1, kill, quick=True)
    assert "\n" not in str(caught.value)


@pytest.mark.processes
def test_it_may_be_called_from_a_thread(text: str) -> None:
    found: list[Measurements] = []

    def call() -> None:
        found.append(measure_in_fresh_process(LEARNER, {}, text, 1, lambda *progress: None, quick=True))

    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    assert len(found) == 1


# --- the laboratory ---------------------------------------------------------------------------------------------------


def putting(lab: Lab, values: list[int]) -> Main:
    def main(number: int) -> None:
        for value in values:
            lab.arena.put(number, value + number)

    return main


@pytest.mark.processes
def test_a_crew_returns_what_each_process_put_and_forgets_the_crew_before(lab: Lab) -> None:
    lab.crew([putting(lab, [7, 8, 9])])
    rows = lab.crew([putting(lab, [10]), putting(lab, [20, 30])])
    assert [row.tolist() for row in rows] == [[10], [21, 31]]
    assert lab.crew([putting(lab, [1] * (SAMPLES_MAX + 5))])[0].size == SAMPLES_MAX
    assert len(lab.crew([putting(lab, [1])] * CREW_MAX)) == CREW_MAX


def failing(number: int) -> None:
    if number == 1:
        raise ValueError("not\nthis way")


def waiting(number: int) -> None:
    signal.pause()


@pytest.mark.processes
def test_a_failing_process_is_named_and_ends_the_others(lab: Lab) -> None:
    def experiment(lab: Lab) -> dict[str, Samples]:
        return {"x": lab.crew([waiting, failing])[0]}

    with pytest.raises(SubjectFailed, match=r"'pin drop' failed: ValueError: not this way"):
        lab.block("pin drop", experiment)


@pytest.mark.processes
def test_a_crew_that_hangs_is_ended(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure_lab, "CREW_LIMIT_SECONDS", 0.01)
    with pytest.raises(RunHung, match="'silence' did not end"):
        lab.block("silence", lambda lab: {"x": lab.crew([waiting])[0]})


def filled(lab: Lab, loads: list[float]) -> Lab:
    """Blocks whose only sample is their number, disturbed by so many cores."""
    lab._blocks["x"] = [Block({"q": np.array([float(number)])}, load) for number, load in enumerate(loads)]
    return lab


@pytest.mark.parametrize(
    ("loads", "counting"),
    [
        ([0.0], [0.0]),
        ([2.0], [0.0]),
        ([0.0, 1.0, QUIET_CORES, 0.6], [0.0, 2.0]),
        ([0.9, 0.4, 1.5], [1.0, 0.0]),
        ([3.0, 2.0, 1.0, 0.5], [3.0, 2.0]),
    ],
)
def test_only_the_load_of_others_decides_which_blocks_count(
    lab: Lab, loads: list[float], counting: list[float]
) -> None:
    found = filled(lab, loads).samples("x", "q")
    assert sorted(found.tolist()) == sorted(counting)
    assert lab.quiet_blocks("x") == sum(load <= QUIET_CORES for load in loads)
    assert lab.disturbance()[1:] == (len(counting), len(loads))


def test_no_sample_at_all_is_an_error_and_not_a_number(lab: Lab) -> None:
    lab.block("x", lambda lab: {"q": np.array([])})
    with pytest.raises(SubjectFailed, match="no sample of 'q'"):
        lab.samples("x", "q")


def test_a_block_never_counts_less_than_no_load(lab: Lab) -> None:
    lab.block("x", lambda lab: {"q": np.ones(1)})
    assert lab.counting("x")[0].others_cores >= 0


# --- arithmetic of estimates ------------------------------------------------------------------------------------------


def test_an_estimate_is_a_median_with_the_deviation_of_a_normal_distribution() -> None:
    drawn = np.random.Generator(np.random.PCG64(1)).normal(50.0, 4.0, 100_000)
    found = Estimate.of(np.append(drawn, [1e9] * 50))  # a few disturbances do not count
    assert found.value == pytest.approx(50.0, rel=0.01)
    assert found.deviation == pytest.approx(4.0, rel=0.02)
    assert found.relative == pytest.approx(0.08, rel=0.03)
    assert Estimate.of(np.array([3.0])) == Estimate(3.0, 0.0, 1)


def test_a_difference_is_never_negative_and_keeps_the_deviation_of_both() -> None:
    whole, part = Estimate(10.0, 3.0, 20), Estimate(4.0, 4.0, 5)
    assert whole.less(part) == Estimate(6.0, 5.0, 5)
    assert part.less(whole).value == 0
    assert part.less(whole).relative == 0  # nothing of nothing, and no division by zero
    assert whole.times(0.5) == Estimate(5.0, 1.5, 20)


@pytest.mark.parametrize(("unit", "value"), [("us", 2.5), ("ms", 0.0025), ("", 2500.0)])
def test_a_measured_value_is_in_its_unit(unit: str, value: float) -> None:
    item = Estimate(2500.0, 250.0, 3).measured(unit, "by hand")
    assert item.value == pytest.approx(value)
    assert (item.unit, item.spread, item.samples) == (unit, 0.1, 3)


def test_processor_time_leaves_waiting_out() -> None:
    spent: list[int] = []

    def spin() -> None:
        spent.append(sum(range(100_000)))

    asleep: Callable[[], object] = threading.Event().is_set
    assert cpu_ns(spin) > cpu_ns(asleep) > 0
    assert spent
