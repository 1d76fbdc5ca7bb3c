"""The verbs as Python functions: what the command line calls, and what a user's own test calls.

    from cllm_sim import check
    assert check("mine.py", workers=3).holds

Every verb returns a `RunResult`. Verbs that leave files take `output` (a folder; None: the default below `reports/`).

Rules of this file: it wires packages that do not know each other (checker, simulator, judge, runtime, report) and
adds the common fields of a result; what a verb does stands in its own package. Heavy packages are imported by the
verb that needs them.
"""

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cllm_sim.architecture import Loaded
from cllm_sim.errors import BadRequest
from cllm_sim.folders import RESULT_FILE, cache_folder, output_folder, write_result
from cllm_sim.library import load, shipped_folder
from cllm_sim.results import SCHEMA, ExitCode, RunResult, environment, read_result, scope

if TYPE_CHECKING:
    from cllm_sim.costs import CostModel
    from cllm_sim.trace import Trace

Settings = Mapping[str, str] | None
Notify = Callable[[str], None]


def _silent(_: Any) -> None:
    pass


def _finished(result: RunResult, started: float, folder: Path | None = None) -> RunResult:
    """Add the fields that every result has, and write it where it belongs."""
    result.data["command"] = ["cllm", *sys.argv[1:]] if Path(sys.argv[0]).name == "cllm" else None
    result.data["wall_seconds"] = round(time.perf_counter() - started, 6)
    if folder is not None:
        result.data["output"] = str(folder)
        write_result(folder, result)
    return result


def _own_settings_only(loaded: Loaded, settings: Settings) -> None:
    """Refuse settings that change nothing: a verb without a learner knows only those of the architecture."""
    unused = [name for name in settings or {} if name not in dict(loaded.settings)]
    if unused:
        raise BadRequest(f"--set {unused[0]}: {loaded.name} has no such setting, so it would change nothing")


def check(
    architecture: str,
    *,
    workers: int = 12,
    depth: int = 1,
    reductions: str = "both",
    races: str = "auto",
    promise: Sequence[str] = (),
    without: Sequence[str] = (),
    budget_seconds: float = 120.0,
    max_states: int = 3_000_000,
    settings: Settings = None,
    promela: str | None = None,
    any_depth: bool = False,
    fanouts: Sequence[int] = range(1, 13),
    output: str | None = None,
    overwrite: bool = False,
    progress: Callable[[int, int, float], None] | None = None,
) -> RunResult:
    """Can it ever go wrong? Every interleaving, unlimited steps. Files are left only where `output` names a folder.

    `promela` names a file for the same model in Promela, to be checked by SPIN. With `any_depth` every depth of trees
    whose controls have `fanouts` children is proved by induction instead, and `workers` and `depth` do not count.
    """
    from cllm_sim import checker

    started = time.perf_counter()
    loaded = load(str(architecture), settings)
    _own_settings_only(loaded, settings)
    folder = output_folder("", output, overwrite=overwrite) if output else None
    if any_depth:
        result = _proved(loaded, fanouts, budget_seconds, max_states, promise, without, progress)
        return _finished(result, started, folder)
    result = checker.run(
        loaded,
        workers=workers,
        depth=depth,
        reductions=reductions,
        races=races,
        promise=tuple(promise),
        without=tuple(without),
        budget_seconds=budget_seconds,
        max_states=max_states,
        progress=progress,
    )
    if promela is not None:
        from cllm_sim.promela import export_to

        result.data["promela"] = {"path": promela, "states": export_to(loaded, workers, depth, Path(promela))}
    if folder is not None:
        _draw_broken(result, folder)
    return _finished(result, started, folder)


def _proved(
    loaded: Loaded,
    fanouts: Sequence[int],
    budget_seconds: float,
    max_states: int,
    promise: Sequence[str],
    without: Sequence[str],
    progress: Callable[[int, int, float], None] | None,
) -> RunResult:
    from cllm_sim.induction import prove

    return prove(
        loaded,
        fanouts=tuple(fanouts),
        budget_seconds=budget_seconds,
        max_states=max_states,
        promise=tuple(promise),
        without=tuple(without),
        progress=progress,
    )


def _draw_broken(result: RunResult, folder: Path) -> None:
    """The picture of what is broken (who waits for whom, or the missing order), where something is."""
    from cllm_sim.report import write_graphs

    if result.data["verdict"] == "broken":
        result.data["figures"] = write_graphs(result, folder)


def replay(
    architecture: str,
    schedule: str,
    *,
    workers: int = 12,
    depth: int = 1,
    settings: Settings = None,
    timeline: bool = False,
    costs: str | None = None,
    output: str | None = None,
    overwrite: bool = False,
    notify: Notify = _silent,
) -> dict[str, Any]:
    """Walk through one schedule: every step with its line, what it changed and who waits, and who is stuck at the end.

    With `timeline` the simulator drives exactly this schedule with the durations of a cost model (`costs` as in
    `simulate`); it must end in the checker's state. Files are left only where `output` names a folder.
    """
    from cllm_sim.comparison.walked import walked

    loaded = load(str(architecture), settings)
    _own_settings_only(loaded, settings)
    folder = output_folder("", output, overwrite=overwrite) if output else None
    return walked(
        loaded,
        schedule,
        workers=workers,
        depth=depth,
        settings=settings,
        timeline=timeline,
        costs=costs,
        folder=folder,
        notify=notify,
    )


def simulate(
    architecture: str,
    *,
    workers: int = 12,
    depth: int = 1,
    slots: int | None = None,
    steps: int = 50,
    costs: str | None = None,
    cores: int | None = None,
    replications: int = 5,
    seed: int = 1,
    settings: Settings = None,
    output: str | None = None,
    overwrite: bool = False,
    notify: Notify = _silent,
) -> RunResult:
    """How long will it take, and who waits for whom? Leaves the result, the trace and the cost file used."""
    started = time.perf_counter()
    loaded = load(str(architecture), settings)
    folder = output_folder(f"{loaded.name}-simulate", output, overwrite=overwrite)
    model, source = _costs_for(costs, settings, loaded, notify)
    result, trace = simulated(
        loaded, model, workers=workers, depth=depth, slots=slots, steps=steps, cores=cores,
        replications=replications, seed=seed,
    )  # fmt: skip
    from cllm_sim.trace import write_trace

    write_trace(folder / "trace.jsonl", trace)
    (folder / "costs.toml").write_text(model.to_toml(), encoding="utf-8")
    result.data.update(trace="trace.jsonl", costs="costs.toml", costs_source=source)
    _draw_broken(result, folder)
    return _finished(result, started, folder)


def simulated(loaded: Loaded, model: "CostModel", **scope_and_seed: Any) -> "tuple[RunResult, Trace]":
    """One simulation without files."""
    from cllm_sim import simulator

    return simulator.run(loaded, costs=model, **scope_and_seed)


def train(
    architecture: str,
    *,
    workers: int = 12,
    depth: int = 1,
    steps: int = 100,
    slots: int | None = None,
    seed: int = 1,
    text: str | None = None,
    settings: Settings = None,
    output: str | None = None,
    resume: bool = False,
    overwrite: bool = False,
    checkpoint_every: int = 0,
    inject: Sequence[str] = (),
    hang_after_seconds: float = 30.0,
    epoch_steps: int = 0,
    on_message: Callable[[dict[str, Any]], None] = _silent,
) -> RunResult:
    """A real training run on real processes and shared memory; leaves result, trace, metrics and checkpoints.

    Raises SubjectFailed where the run died or hung, and `real_runtime.launch.Interrupted` (with the partial result)
    where it was asked to stop.
    """
    from real_runtime.launch import Interrupted, launch
    from real_runtime.spec import RunSpec, parse_injection

    started = time.perf_counter()
    loaded = load(str(architecture), settings)
    _check_run(loaded, workers, depth, steps, slots)
    injections = tuple(parse_injection(item) for item in inject)
    folder = output_folder(f"{loaded.name}-train", output, overwrite=overwrite, resume=resume)
    spec = RunSpec(
        loaded.path, str(folder), workers, depth, steps, slots, seed, text, dict(settings or {}), epoch_steps,
        checkpoint_every, resume, injections, hang_after_seconds,
    )  # fmt: skip
    try:
        data = launch(spec, on_message)
    except Interrupted as interrupted:
        partial = _finished(_train_result(loaded, spec, interrupted.data, ExitCode.INTERRUPTED), started, folder)
        interrupted.data = partial.data
        raise
    code = ExitCode.HOLDS if data["complete"] else ExitCode.SUBJECT
    return _finished(_train_result(loaded, spec, data, code), started, folder)


def _check_run(loaded: Loaded, workers: int, depth: int, steps: int, slots: int | None) -> None:
    """Refuse what makes no sense before anything is created."""
    from cllm_sim.compose import compose
    from cllm_sim.job import Job
    from cllm_sim.tree import checked_tree

    if steps < 1:
        raise BadRequest(f"--steps {steps}: at least one step is needed")
    architecture = loaded.architecture
    Job(
        compose(architecture, checked_tree(workers, depth, architecture.arity, architecture.depth_max, loaded.name)),
        slots,
    )


def _train_result(loaded: Loaded, spec: Any, data: dict[str, Any], code: int) -> RunResult:
    workers, depth = (0, 0) if loaded.architecture.alone else (spec.workers, spec.depth)
    return RunResult(
        {
            "schema": SCHEMA,
            "verb": "train",
            **data,
            "scope": scope(workers, depth, data["slots"], data["steps"]),
            "seed": spec.seed,
            "settings": spec.settings,
            "environment": environment(),
            "exit_code": int(code),
        }
    )


def validate(
    run: str,
    *,
    costs: str | None = None,
    budget_seconds: float = 120.0,
    predict: bool = True,
    output: str | None = None,
    overwrite: bool = False,
    notify: Notify = _silent,
) -> RunResult:
    """Did reality do what the text allows, in the time that was predicted? `run` is a run's folder or its trace
    file.
    """
    from cllm_sim.trace import read_trace

    started = time.perf_counter()
    path = Path(run)
    if not path.exists():
        raise BadRequest(f"{run}: no such run")
    trace = read_trace(path / "trace.jsonl" if path.is_dir() else path)
    folder = output_folder("", output, overwrite=overwrite) if output else None
    settings = dict(trace.header.get("settings") or {})
    loaded = load(str(trace.header["path"]), settings)
    model = None
    if predict and trace.header.get("clock") == "real":
        model, _ = _costs_for(costs, settings, loaded, notify)
    return _finished(validated(loaded, trace, model, budget_seconds=budget_seconds), started, folder)


def validated(
    loaded: Loaded, trace: "Trace", model: "CostModel | None", *, budget_seconds: float = 120.0, replications: int = 3
) -> RunResult:
    """Judge one trace, and compare its times with a simulation where there is a cost model."""
    from cllm_sim import validator

    prediction = None
    if model is not None:
        head = trace.header
        result, simulated_trace = simulated(
            loaded, model, workers=head["workers"], depth=head["depth"], slots=head["slots"],
            steps=min(int(head["steps"]), 60), cores=None, replications=replications, seed=int(head["seed"]),
        )  # fmt: skip
        prediction = simulated_trace if result.data["verdict"] == "holds" or loaded.broken else None
    return validator.run(loaded, trace, prediction, budget_seconds=budget_seconds)


def calibrate(
    *,
    settings: Settings = None,
    text: str | None = None,
    output: str | None = None,
    overwrite: bool = False,
    seed: int = 1,
    notify: Notify = _silent,
) -> RunResult:
    """Measure this machine's durations in seconds; the cost file goes to the user's cache, and to `output` if given."""
    from cllm_sim import calibration

    started = time.perf_counter()
    folder = output_folder("", output, overwrite=overwrite) if output else None
    model, sheet, conditions = calibration.measure(dict(settings or {}), text, seed, notify)
    cached = cache_folder() / calibration.file_name(dict(settings or {}))
    for target in (cached, *((folder / "costs.toml",) if folder else ())):
        calibration.save(target, model)
    result = RunResult(
        {
            "schema": SCHEMA,
            "verb": "calibrate",
            "architecture": None,
            "file_sha256": None,
            "scope": scope(None, None),
            "seed": seed,
            "environment": environment(),
            "costs": str(cached),
            "sheet": sheet,
            "conditions": conditions,
            "seconds": round(time.perf_counter() - started, 6),
            "exit_code": 0,
        }
    )
    return _finished(result, started, folder)


def _costs_for(costs: str | None, settings: Settings, loaded: Loaded, notify: Notify) -> "tuple[CostModel, str]":
    from cllm_sim import calibration

    own = dict(loaded.settings)
    learner = {name: value for name, value in dict(settings or {}).items() if name not in own}
    return calibration.costs_for(costs, learner, notify)


def compare(*architectures: str, **options: Any) -> RunResult:
    """Which design is better, and is the difference real? See `comparison.Request` for the options."""
    from cllm_sim import comparison
    from cllm_sim.report import figure_names

    started = time.perf_counter()
    request = comparison.request(architectures, options)
    folder = output_folder(request.name, options.get("output"), overwrite=bool(options.get("overwrite")))
    result = comparison.run(request, folder)
    result.data["figures"] = figure_names(result)
    _finished(result, started, folder)
    report(str(folder / RESULT_FILE))
    return result


def audit(
    *paths: str,
    bind: Sequence[str] = (),
    plan: str | None = None,
    check: bool = False,
    workers: Sequence[int] = (2, 3),
    budget_seconds: float = 60.0,
    max_states: int = 1_000_000,
    export: str | None = None,
    min_severity: str = "note",
    baseline: str | None = None,
    with_results: bool = False,
    output: str | None = None,
    overwrite: bool = False,
    progress: Notify = _silent,
) -> RunResult:
    """What does an existing C program's threading really do, measured against the plan?

    `check` runs the checker on the extracted skeleton at every number of `workers`, each within `budget_seconds` and
    `max_states`; `export` writes the skeleton as an architecture file. `with_results` embeds real results of node_zero
    (checked, simulated, trained and compared with model_lock) at the program's worker count. Files are left only where
    `output` names a folder.
    """
    from cllm_sim.auditor import request as asked

    started = time.perf_counter()
    folder = output_folder("", output, overwrite=overwrite) if output else None
    request = asked.Request(
        tuple(str(path) for path in paths), tuple(bind), plan, check, tuple(workers), budget_seconds, max_states,
        export, min_severity, baseline, progress,
    )  # fmt: skip
    result = asked.run(request)
    if with_results:
        result.data["results"] = _plan_results(result, progress)
    _finished(result, started, folder)
    if folder is not None:
        from cllm_sim.report.audit import page

        page.write(json.loads(result.to_json()), folder)
    return result


def _plan_results(result: RunResult, progress: Notify) -> dict[str, Any]:
    """Real results of the proper solution at the audited program's worker count (12 where that is not known)."""
    import tempfile

    workers = min(max(int(result.data["scope"]["workers"] or 12), 1), 12)
    with tempfile.TemporaryDirectory(prefix="cllm-audit-") as scratch:
        progress(f"checking, simulating and training node_zero with {workers} workers")
        found: dict[str, Any] = {
            "workers": workers,
            "check": check("node_zero", workers=workers).data,
            "simulate": simulate("node_zero", workers=workers, output=f"{scratch}/simulate").data,
            "train": train("node_zero", workers=workers, steps=60, output=f"{scratch}/train").data,
        }
        progress(f"comparing node_zero with model_lock at {workers} workers")
        found["compare"] = compare(
            "model_lock", "node_zero", workers=(workers,), repeats=2, output=f"{scratch}/compare"
        ).data
        # The scratch folder is gone by then, and a shipped file is known by its name: no path of this machine is kept.
        renamed: dict[str, Any] = _renamed(found, {f"{scratch}/": "", f"{shipped_folder()}/": "models/"})
        return renamed


def _renamed(data: Any, folders: Mapping[str, str]) -> Any:
    """A document with folders named otherwise in all its texts."""
    if isinstance(data, dict):
        return {name: _renamed(value, folders) for name, value in data.items()}
    if isinstance(data, list):
        return [_renamed(value, folders) for value in data]
    if isinstance(data, str):
        for folder, name in folders.items():
            data = data.replace(folder, name)
    return data


def report(result: str, *, output: str | None = None) -> list[str]:
    """Write the page (and figures, timeline, documents) of a stored comparison or audit; returns the files' names."""
    from cllm_sim.report import write_report

    path = Path(result)
    path = path / RESULT_FILE if path.is_dir() else path
    stored = read_result(path)
    folder = Path(output) if output else path.parent
    if stored.data.get("verb") == "audit":
        from cllm_sim.report.audit import page

        return page.write(stored.data, folder)
    return write_report(stored, folder)
