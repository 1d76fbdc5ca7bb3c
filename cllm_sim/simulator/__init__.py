"""The simulator: how long will a design take, and who waits for whom? Seeded, with confidence intervals.

`run` turns an architecture, a scope and a cost model into a `RunResult` and a trace. Modules, from the ground: `host`
(cores), `line`, `log`, `text`, `monitor` (promises along a run), `deadlock`, `engine` (one run). Rules of this package:
it does not know the checker, the runtime or any shipped architecture; what times mean is `metrics.py`'s, for real runs
as well.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cllm_sim import metrics
from cllm_sim.architecture import Loaded
from cllm_sim.compose import System, compose
from cllm_sim.costs import CostModel
from cllm_sim.errors import BadRequest
from cllm_sim.job import Job
from cllm_sim.operations import Place
from cllm_sim.promises import promised, verdicts
from cllm_sim.results import SCHEMA, ExitCode, RunResult, environment, scope
from cllm_sim.script import script
from cllm_sim.simulator.deadlock import Deadlock
from cllm_sim.simulator.engine import EVENTS_MAX, Engine, Run, Setting
from cllm_sim.simulator.monitor import Defect
from cllm_sim.slots import share_defects
from cllm_sim.statistics import mean_interval, quantiles
from cllm_sim.trace import SCHEMA as TRACE_SCHEMA
from cllm_sim.trace import Trace
from cllm_sim.tree import Tree, checked_tree

Progress = Callable[[int, int], None]
"""Told after every replication: how many are done, of how many."""


@dataclass(frozen=True)
class SimulationData:
    """All replications of one simulation, summed up; the trace is the first one's.

    `steps_ms` has one tuple of step times per replication; `shares` and `phases_ms` are means over the replications.
    """

    trace: Trace
    steps_ms: tuple[tuple[float, ...], ...]
    shares: dict[str, dict[str, float]]
    phases_ms: dict[str, float | None]
    defects: tuple[Defect, ...]
    contention: dict[str, int]
    seen: frozenset[str]
    deadlock: Deadlock | None
    limit: str | None
    events: int
    cores_used: float | None
    seconds: float


def simulate(
    loaded: Loaded, setting: Setting, steps: int, replications: int, progress: Progress | None = None
) -> SimulationData:
    """Run all replications (fewer where one reaches a limit) and sum them up."""
    started = time.perf_counter()
    runs: list[Run] = []
    measured: list[_Measured] = []
    trace: Trace | None = None
    for replication in range(replications):
        done = Engine(setting, replication).run()
        whole = Trace(_header(loaded, setting, steps, done), done.logs)
        trace = trace or whole
        measured.append(_Measured.of(whole, done.busy_s / done.end_s if done.end_s else None))
        runs.append(replace(done, logs={}))  # one trace in memory is enough
        if progress is not None:
            progress(len(runs), replications)
        if done.limit:
            break
    assert trace is not None
    worst = {item: max(run.contention[item] for run in runs) for item in runs[0].contention}
    return SimulationData(
        trace,
        tuple(item.steps_ms for item in measured),
        _mean_shares([item.shares for item in measured if item.shares]),
        _mean_of([item.phases_ms for item in measured]),
        _merged(run.defects for run in runs),
        {setting.system.objects[item].name: count for item, count in worst.items()},
        frozenset().union(*(run.seen for run in runs)),
        next((run.deadlock for run in runs if run.deadlock), None),
        next((run.limit for run in runs if run.limit), None),
        sum(run.operations for run in runs),
        _mean([item.cores_used for item in measured]),
        time.perf_counter() - started,
    )


def run(
    loaded: Loaded,
    *,
    costs: CostModel,
    workers: int = 12,
    depth: int = 1,
    slots: int | None = None,
    steps: int = 50,
    epoch_steps: int = 0,
    cores: int | None = None,
    replications: int = 5,
    seed: int = 1,
    promise: tuple[str, ...] = (),
    without: tuple[str, ...] = (),
    budget_seconds: float | None = None,
    events_max: int = EVENTS_MAX,
    progress: Progress | None = None,
) -> tuple[RunResult, Trace]:
    """Simulate an architecture: the result with the fields of `simulate` in the schema, and the first run's trace.

    `cores` replaces those of the cost model. Raises BadRequest for a scope that makes no sense.
    """
    for name, value, least in (("--steps", steps, 1), ("--replications", replications, 1), ("--cores", cores, 1)):
        if value is not None and value < least:
            raise BadRequest(f"{name} {value}: at least {least} is needed")
    names = promised(loaded.architecture, promise, without)
    system = system_of(loaded, workers, depth)
    setting = Setting(
        system,
        Job(system, slots),
        costs,
        script(steps, epoch_steps),
        seed,
        cores or costs.machine.cores,
        events_max,
        None if budget_seconds is None else time.perf_counter() + budget_seconds,
    )
    data = simulate(loaded, setting, steps, replications, progress)
    return _result(loaded, setting, steps, names, data), data.trace


def system_of(loaded: Loaded, workers: int, depth: int) -> System:
    """The system of an architecture on a tree; raises BadRequest for a tree it is not written for."""
    architecture = loaded.architecture
    if architecture.alone and (workers, depth) == (0, 0):  # what a trace of such an architecture says of itself
        return compose(architecture, Tree(0, 0))
    return compose(architecture, checked_tree(workers, depth, architecture.arity, architecture.depth_max, loaded.name))


# --- summing up -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Measured:
    """What one replication's trace says about time."""

    steps_ms: tuple[float, ...]
    shares: dict[str, metrics.Shares]
    phases_ms: dict[str, float | None]
    cores_used: float | None

    @classmethod
    def of(cls, trace: Trace, cores_used: float | None) -> "_Measured":
        found = metrics.steps(trace)
        return cls(
            tuple(step.ms for step in found),
            metrics.shares(trace, found),
            metrics.phases_ms(trace, found),
            cores_used,
        )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _mean_of(rows: Sequence[dict[str, float | None]]) -> dict[str, float | None]:
    return {key: _mean([row[key] for row in rows]) for key in rows[0]}


def _mean_shares(rows: Sequence[dict[str, metrics.Shares]]) -> dict[str, dict[str, float]]:
    if not rows:
        return {}
    return {name: {key: sum(row[name][key] for row in rows) / len(rows) for key in metrics.KEYS} for name in rows[0]}


def _merged(found: Any) -> tuple[Defect, ...]:
    """Defects of all replications; one and the same is counted."""
    merged: dict[tuple[str, Place, int], Defect] = {}
    for defects in found:
        for defect in defects:
            key = (defect.kind, defect.place, defect.on if defect.kind == "race" else -1)
            known = merged.get(key)
            merged[key] = defect if known is None else replace(known, count=known.count + defect.count)
    return tuple(merged.values())


def _header(loaded: Loaded, setting: Setting, steps: int, done: Run) -> dict[str, Any]:
    return {
        "schema": TRACE_SCHEMA,
        "clock": "simulated",
        "architecture": loaded.name,
        "path": loaded.path,
        "file_sha256": loaded.sha256,
        "settings": dict(loaded.settings),
        "workers": setting.system.tree.workers,
        "depth": setting.system.tree.depth,
        "slots": setting.job.slots,
        "steps": steps,
        "seed": setting.seed,
        "replication": done.replication,
        "complete": done.complete,
    }


# --- the result -------------------------------------------------------------------------------------------------------


def _result(loaded: Loaded, setting: Setting, steps: int, names: tuple[str, ...], data: SimulationData) -> RunResult:
    tree = setting.system.tree
    broken = [*_coverage(loaded), *data.defects, *_contention(setting.system, names, data)]
    rows = _promises(loaded, names, broken, data)
    classes = {row["class"] for row in rows if row["verdict"] == "broken"}
    undecided = any(row["verdict"] == "undecided" for row in rows)
    verdict = "broken" if classes else "undecided" if undecided or data.limit else "holds"
    code = {"broken": ExitCode.SUBJECT, "holds": ExitCode.HOLDS, "undecided": ExitCode.UNDECIDED}[verdict]
    return RunResult(
        {
            "schema": SCHEMA,
            "verb": "simulate",
            "architecture": loaded.name,
            "file": loaded.path,
            "file_sha256": loaded.sha256,
            "title": loaded.title,
            "marked_broken": loaded.broken,
            "scope": scope(tree.workers, tree.depth, setting.job.slots, steps),
            "seed": setting.seed,
            "environment": environment(),
            "verdict": verdict,
            "promises": rows,
            "broken": [row for row in (defect.row() for defect in broken) if row["class"] in classes],
            "deadlock": {
                "stuck": data.deadlock.stuck if data.deadlock else [],
                "edges": data.deadlock.edges if data.deadlock else [],
            },
            "limit": data.limit,
            "assumptions": _assumptions(loaded, setting, len(data.steps_ms)),
            "contention": data.contention,
            **_times(data),
            "replications": len(data.steps_ms),
            "cores": setting.cores,
            "cores_used": _rounded(data.cores_used),
            "costs_toml": setting.costs.to_toml(),
            "events": data.events,
            "events_per_second": round(data.events / data.seconds, 1) if data.seconds else None,
            "seconds": round(data.seconds, 6),
            "exit_code": int(code),
        }
    )


def _times(data: SimulationData) -> dict[str, Any]:
    """The fields that speak about time. All None or empty where no step was completed."""
    means = [sum(values) / len(values) for values in data.steps_ms if values]
    interval = mean_interval(means)
    middle = metrics.typical(metrics.steps(data.trace))
    path = metrics.critical_path(data.trace, middle) if middle else []
    return {
        "step_ms": _all_rounded(quantiles([value for values in data.steps_ms for value in values])),
        "ci95_ms": None if interval is None else [_rounded(value) for value in interval],
        "wait_share": _all_rounded(metrics.overall(data.shares)),
        "wait_share_by_actor": {name: _all_rounded(dict(share)) for name, share in data.shares.items()},
        "phases_ms": _all_rounded(data.phases_ms),
        "critical_path": [{"actor": part.actor, "op": part.op, "ms": _rounded(part.ms)} for part in path],
    }


def _rounded(value: float | None) -> float | None:
    """Six decimals: nanoseconds of a millisecond, and no noise of the last bit in a document that people compare."""
    return None if value is None else round(value, 6)


def _all_rounded(values: dict[str, Any]) -> dict[str, float | None]:
    return {key: _rounded(value) for key, value in values.items()}


def _promises(
    loaded: Loaded, names: tuple[str, ...], broken: Sequence[Defect], data: SimulationData
) -> list[dict[str, Any]]:
    """Verdicts of the simulated runs. That a `sometimes` was not met in them says nothing about other runs."""
    rows = verdicts(names, [defect.kind for defect in broken], data.limit is None)
    unmet = {promise.name for promise in loaded.architecture.promises if promise.kind == "sometimes"} - data.seen
    return [{**row, "verdict": "undecided"} if row["name"] in unmet and row["class"] is None else row for row in rows]


def _coverage(loaded: Loaded) -> list[Defect]:
    """A share that loses or doubles items is arithmetic: no run is needed to see it, and no run shows it."""
    text = share_defects(loaded.architecture.share)
    if text is None:
        return []
    code = loaded.architecture.share.__code__
    last = max(line for _, _, line in code.co_lines() if line is not None)
    return [Defect("coverage", text, "", Place(code.co_filename, last), 0)]


def _contention(system: System, names: tuple[str, ...], data: SimulationData) -> list[Defect]:
    if "uncontended" not in names:
        return []
    places = {item.name: item.place for item in system.objects}
    return [
        Defect("contention", f"{count} actors wait for {name}", "", places[name], 0)
        for name, count in data.contention.items()
        if count
    ]


def _assumptions(loaded: Loaded, setting: Setting, replications: int) -> list[str]:
    notes = [
        f"what holds, holds in {replications} simulated runs; `cllm check` looks at all interleavings",
        "a mutex goes to whoever came first; who is woken by a notify is drawn",
        "memory is sequentially consistent (exact for programs without races)",
    ]
    architecture, workers = loaded.architecture, setting.system.tree.workers
    if not architecture.alone and workers != architecture.arity:
        notes.append(f"simulated with {workers} workers; the declared arity is {architecture.arity}")
    if setting.cores != setting.costs.machine.cores:
        notes.append(
            f"simulated with {setting.cores} cores; the costs were measured with {setting.costs.machine.cores}"
        )
    return notes
