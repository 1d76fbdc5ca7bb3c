"""One audit as a result: what was asked for, the auditor's document, and the fields that every result has.

Rules of this file: requests are refused here, in one line each; what an audit is stands in `auditor/`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cllm_sim import __version__
from cllm_sim.errors import BadRequest
from cllm_sim.folders import RESULT_FILE, cache_folder
from cllm_sim.results import SCHEMA, ExitCode, RunResult, environment, read_result, scope

SEVERITIES = ("error", "warning", "note")
Notify = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of an audit; see `api.audit`."""

    paths: tuple[str, ...]
    bind: tuple[str, ...]
    plan: str | None
    check: bool
    workers: tuple[int, ...]
    budget_seconds: float
    max_states: int
    export: str | None
    min_severity: str
    baseline: str | None
    progress: Notify


def run(request: Request) -> RunResult:
    """Audit, check the skeleton where asked, and decide the exit code."""
    from cllm_sim.auditor import audit
    from cllm_sim.auditor.document.skeleton import skeleton_fields

    _refuse(request)
    analysis, fields = audit.run(
        request.paths,
        bind=_bound(request.bind),
        plan_file=None if request.plan is None else Path(request.plan),
        baseline=_baseline(request.baseline),
        cache=cache_folder() / "audit",
        progress=request.progress,
    )
    _leave_out(fields, request.min_severity)
    if request.check or request.export is not None:
        fields["skeleton"] = skeleton_fields(
            analysis,
            request.workers if request.check else (),
            request.budget_seconds,
            request.max_states,
            request.progress,
        )
        _export(request, fields["skeleton"])
    return RunResult(
        {
            "schema": SCHEMA,
            "verb": "audit",
            "architecture": _name(request.paths),
            **fields,
            "scope": scope(_workers(fields), None),
            "seed": 0,
            "environment": {**environment(), "cllm": __version__},
            "exit_code": int(_code(fields)),
        }
    )


def _refuse(request: Request) -> None:
    if not request.paths:
        raise BadRequest("audit needs at least one file or folder of C sources")
    if request.min_severity not in SEVERITIES:
        raise BadRequest(f"--min-severity {request.min_severity}: use one of {', '.join(SEVERITIES)}")
    for number in request.workers:
        if not 1 <= number <= 12:
            raise BadRequest(f"--workers {number}: a skeleton is checked with 1 to 12 workers")
    if request.export is not None and Path(request.export).exists():
        raise BadRequest(f"{request.export}: exists already; remove it or use another name")


def _bound(given: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for one in given:
        purpose, equals, names = one.partition("=")
        if not equals or not purpose or not names:
            raise BadRequest(f"--bind {one}: write purpose=function, for example work=train_batch")
        functions = tuple(name.strip() for name in names.split(",") if name.strip())
        if not functions:
            raise BadRequest(f"--bind {one}: names no function")
        found[purpose] = (*found.get(purpose, ()), *functions)
    return found


def _baseline(path: str | None) -> frozenset[str] | None:
    if path is None:
        return None
    file = Path(path)
    stored = read_result(file / RESULT_FILE if file.is_dir() else file)
    if stored.data.get("verb") != "audit":
        raise BadRequest(f"{path}: is no audit, so nothing can be compared with it")
    return frozenset(str(one["key"]) for one in stored.data["findings"])


def _leave_out(fields: dict[str, Any], min_severity: str) -> None:
    wanted = SEVERITIES[: SEVERITIES.index(min_severity) + 1]
    fields["findings"] = [one for one in fields["findings"] if one["severity"] in wanted]
    fields["min_severity"] = min_severity


def _export(request: Request, found: dict[str, Any]) -> None:
    if request.export is None:
        return
    if found["refused"]:
        raise BadRequest(f"--export {request.export}: no skeleton could be made: {found['refused']}")
    try:
        Path(request.export).write_text(found["text"], encoding="utf-8")
    except OSError as error:
        raise BadRequest(f"{request.export}: cannot be written: {error.strerror}") from None


def _code(fields: dict[str, Any]) -> ExitCode:
    """1 for a (new) finding or a broken skeleton, 3 where a search ended undecided, else 0."""
    checks = [] if fields["skeleton"] is None else fields["skeleton"]["checks"]
    if any(one["new"] for one in fields["findings"]) or any(one["verdict"] == "broken" for one in checks):
        return ExitCode.SUBJECT
    refused = fields["skeleton"] is not None and fields["skeleton"]["refused"]
    if refused or any(one["verdict"] == "undecided" for one in checks):
        return ExitCode.UNDECIDED
    return ExitCode.HOLDS


def _workers(fields: dict[str, Any]) -> int | None:
    """The number of workers, where the program says it."""
    for role in fields["inventory"]["roles"]:
        if role["kind"] == "worker" and role["threads"] is not None:
            return int(role["threads"])
    return None


def _name(paths: tuple[str, ...]) -> str:
    return Path(paths[0]).resolve().name if len(paths) == 1 else f"{Path(paths[0]).resolve().name} and others"
