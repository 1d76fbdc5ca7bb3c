"""The judge: did reality do what the text allows, in the time that was predicted?

`run` turns an architecture and a recorded trace, real or simulated, into a `RunResult`. Modules: `replay` (every log
against its own text), `timeline`, `tables`, `sweep` and `search` (is there an order of all logs that the semantics
allows?), `walk` and `clocks` (what that order kept of the promises), `explain` (the first impossible event),
`judgement`, and `timing`.

Rules of this package: it does not know the checker, the simulator, the runtime or any shipped architecture.
"""

from typing import Any

from cllm_sim.architecture import Loaded
from cllm_sim.compose import System, compose
from cllm_sim.errors import BadRequest
from cllm_sim.job import Job
from cllm_sim.promises import promised, verdicts
from cllm_sim.results import SCHEMA, ExitCode, RunResult, environment, scope
from cllm_sim.trace import HEADER_FIELDS, Trace
from cllm_sim.tree import Tree, checked_tree
from cllm_sim.validator.explain import general
from cllm_sim.validator.judgement import BUDGET_MOVES, Judgement, judge
from cllm_sim.validator.timing import compare_times

__all__ = ["BUDGET_MOVES", "Judgement", "compare_times", "judge", "run", "system_of"]

LIVENESS = ("no deadlock", "progress")
"""Promises about where a run ends: one that was interrupted says nothing about them."""


def system_of(loaded: Loaded, trace: Trace) -> System:
    """The system that a trace was recorded of; raises BadRequest where the trace belongs to another text."""
    head = trace.header
    for name in HEADER_FIELDS:
        if name not in head:
            raise BadRequest(f"the trace's header lacks '{name}'; it cannot be judged")
        if name in ("workers", "depth", "slots") and not isinstance(head[name], int | None):
            raise BadRequest(f"the trace's header says {name} {head[name]!r}, which is no number; it cannot be judged")
    if head["architecture"] != loaded.name:
        raise BadRequest(f"the trace was recorded of '{head['architecture']}', not of '{loaded.name}'")
    if head["file_sha256"] != loaded.sha256:
        then, now = str(head["file_sha256"])[:12], loaded.sha256[:12]
        raise BadRequest(
            f"{loaded.path}: the text has changed since the trace was recorded (sha256 {then}, now {now}); "
            "record it anew, or judge it with the file as it was"
        )
    architecture = loaded.architecture
    if architecture.alone:
        return compose(architecture, Tree(0, 0))
    tree = checked_tree(
        head["workers"] or 0, head["depth"] or 0, architecture.arity, architecture.depth_max, loaded.name
    )
    return compose(architecture, tree)


def run(
    loaded: Loaded,
    trace: Trace,
    simulated: Trace | None = None,
    *,
    promise: tuple[str, ...] = (),
    without: tuple[str, ...] = (),
    budget_moves: int = BUDGET_MOVES,
    budget_seconds: float = 120.0,
    seed: int = 0,
) -> RunResult:
    """Judge a recorded trace; the result's fields are those of `validate` in the schema.

    With a `simulated` trace of the same scope the times are compared, too; `seed` decides the resampling of the noise
    floor. Raises BadRequest where the trace does not belong to this architecture.
    """
    system = system_of(loaded, trace)
    names = promised(loaded.architecture, promise, without)
    judged = judge(system, trace, path=loaded.path, budget_moves=budget_moves, budget_seconds=budget_seconds)
    rows, broken = _promises(system, trace, judged, names)
    return _result(loaded, trace, judged, rows, broken, _times(trace, simulated, judged, seed))


def _promises(
    system: System, trace: Trace, judged: Judgement, names: tuple[str, ...]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """A verdict on every promise, for this run alone, and what broke those that were not kept."""
    if not judged.legal:
        return verdicts(names, (), complete=False), []
    broken = [*judged.faults, *_coverage(system, trace)]
    if judged.contended is not None and "uncontended" in names:
        broken.append(judged.contended)
    rows = verdicts(names, [row["class"] for row in broken], complete=True)
    open_names = {*(LIVENESS if not judged.complete else ()), *_unseen(system, judged)}
    for row in rows:
        if row["name"] in open_names and row["verdict"] == "holds":
            row["verdict"] = "undecided"
    wanted = {row["class"] for row in rows if row["verdict"] == "broken"}
    told = [{**row, "class": row["class"].removesuffix("-on-weights")} for row in broken]
    return rows, [row for row in told if row["class"] in wanted]


def _unseen(system: System, judged: Judgement) -> set[str]:
    """Promises that something happens *sometimes*: one run in which it did not says nothing."""
    return {p.name for p in system.architecture.promises if p.kind == "sometimes"} - judged.own_seen


def _coverage(system: System, trace: Trace) -> list[dict[str, Any]]:
    """Did every slot of this run belong to exactly one child? Arithmetic: no event tells it."""
    ranges = Job(system, trace.header.get("slots")).ranges
    for number, actor in enumerate(system.actors):
        parts = sorted(slot for child in actor.children for slot in ranges[child])
        if actor.children and parts != list(ranges[number]):
            lost = sorted(set(ranges[number]) - set(parts))
            which = f"nobody answers for slot {lost[0]}" if lost else "some slots belong to two of them"
            code = system.architecture.share.__code__
            text = f"among the children of {actor.name} {which}"
            return [
                {"class": "coverage", **general(actor.name, code.co_filename, code.co_firstlineno, text), "count": 1}
            ]
    return []


def _times(trace: Trace, simulated: Trace | None, judged: Judgement, seed: int) -> dict[str, Any]:
    """Times of a real run; what an illegal trace says about time is worth nothing."""
    if judged.legal is False or trace.header["clock"] != "real":
        return {
            "predicted_ms": None,
            "measured_ms": None,
            "error_pct": None,
            "noise_floor_pct": None,
            "per_phase": None,
            "steps_measured": None,
        }
    return compare_times(trace, simulated, seed=seed)


def _result(
    loaded: Loaded,
    trace: Trace,
    judged: Judgement,
    promises: list[dict[str, Any]],
    broken: list[dict[str, Any]],
    times: dict[str, Any],
) -> RunResult:
    head = trace.header
    subject = judged.legal is False or any(row["verdict"] == "broken" for row in promises)
    code = ExitCode.SUBJECT if subject else ExitCode.UNDECIDED if judged.legal is None else ExitCode.HOLDS
    return RunResult(
        {
            "schema": SCHEMA,
            "verb": "validate",
            "architecture": loaded.name,
            "file": loaded.path,
            "file_sha256": loaded.sha256,
            "title": loaded.title,
            "marked_broken": loaded.broken,
            "scope": scope(head["workers"], head["depth"], head["slots"], head["steps"]),
            "seed": head["seed"],
            "environment": environment(),
            "clock": head["clock"],
            "legal": judged.legal,
            "events": judged.events,
            "events_judged": judged.judged,
            "complete": judged.complete,
            "first_illegal": judged.first_illegal,
            "promises": promises,
            "broken": broken,
            "contention": dict(judged.contention),
            "stuck": list(judged.stuck),
            "moves": judged.moves,
            "events_per_second": round(judged.events / judged.seconds) if judged.seconds else None,
            **times,
            "seconds": round(judged.seconds, 6),
            "exit_code": int(code),
        }
    )
