"""A check as SARIF 2.1.0: one result for each broken promise, one code flow for each way to break it, and in every code
flow one thread flow for each actor, its steps numbered in the order in which they happened.

A promise that is undecided is a notification of the run, not a result: nothing was found, and nothing was shown to
hold. Rules of this file: the words are those of the terminal (`causes`, `waits`); keep it in step with the fields of a
check result.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from shlex import join, quote
from typing import Any

from cllm_sim.report.causes import causes_of, told
from cllm_sim.report.lines import depth_of
from cllm_sim.report.naming import family, slug
from cllm_sim.report.sarif_log import ROOT, Log, document, location
from cllm_sim.report.waits import labels_of, sentence, waits
from cllm_sim.results import ExitCode

Data = Mapping[str, Any]
FINGERPRINT = "promiseClassFile/v1"
FLOWS_MAX = 8
FAILED = (ExitCode.REQUEST, ExitCode.INTERNAL)


def render(results: Sequence[Data]) -> str:
    """The log of one or several check results as JSON text."""
    return document([_run(data) for data in results])


def _run(data: Data) -> Log:
    rules = list(dict.fromkeys(row["name"] for row in data["promises"]))
    return {
        "tool": {"driver": {"name": "cllm", "rules": [_rule(name) for name in rules]}},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {ROOT: {"description": {"text": "the folder from which the check was started"}}},
        "invocations": [_invocation(data)],
        "results": [
            _result(data, row["name"], rules.index(row["name"]))
            for row in data["promises"]
            if row["verdict"] == "broken"
        ],
        "properties": {"scope": data.get("scope"), "states": data.get("states"), "complete": data.get("complete")},
    }


def _rule(name: str) -> Log:
    more = f"cllm explain {quote(name)}"
    return {
        "id": slug(name),
        "name": name,
        "shortDescription": {"text": f"promise: {name}"},
        "help": {"text": f"More: {more}", "markdown": f"More: `{more}`"},
        "defaultConfiguration": {"level": "error"},
    }


def _invocation(data: Data) -> Log:
    command = data.get("command") or ()
    line = command if isinstance(command, str) else join(command)
    return {
        **({"commandLine": line} if line else {}),
        "executionSuccessful": data.get("exit_code") not in FAILED,
        "exitCode": data.get("exit_code"),
        "toolExecutionNotifications": [
            {
                "level": "warning",
                "message": {"text": f"undecided: {row['name']}; {data.get('limit') or 'a limit was reached'}"},
            }
            for row in data["promises"]
            if row["verdict"] == "undecided"
        ],
    }


# ------------------------------------------------------------------------------------------------------------ results
def defects_of(data: Data, name: str) -> list[Data]:
    """The defects that break a promise: those of its class, and of "update before use" only races on what it writes."""
    kinds = {row["class"] for row in data["promises"] if row["name"] == name}
    found = [defect for defect in data.get("broken") or () if defect["class"] in kinds]
    if name != "update before use":
        return found
    written = _updated(data)
    return [defect for defect in found if (_example(defect).get("race") or {}).get("object") in written] or found


def _updated(data: Data) -> set[str]:
    """The names of what `update` writes, as far as the schedules show it."""
    steps = [step for defect in data.get("broken") or () for step in _example(defect).get("steps") or ()]
    return {family(step["op"].removeprefix("update ")) for step in steps if step["op"].startswith("update ")}


def _example(defect: Data) -> Data:
    found: Data = defect.get("counterexample") or {}
    return found


def _result(data: Data, name: str, index: int) -> Log:
    found = defects_of(data, name)
    first = found[0] if found else {"class": name, "text": "broken", "path": data.get("file") or "", "line": None}
    repair = causes_of(data, first, depth_of(data))
    related = _related(found)
    flows = [_flow(data, defect) for defect in found[:FLOWS_MAX] if _example(defect).get("steps")]
    return {
        "ruleId": slug(name),
        "ruleIndex": index,
        "kind": "fail",
        "level": "error",
        "message": {"text": _message(name, first, [cause.advice for cause in repair])},
        "locations": [_place(first)],
        **({"relatedLocations": related} if related else {}),
        **({"codeFlows": flows} if flows else {}),
        "partialFingerprints": {FINGERPRINT: f"{slug(name)}:{first['class']}:{PurePath(first.get('path') or '').name}"},
        "properties": {"class": first["class"], "defects": len(found), "schedule": _schedule(first)},
    }


def _message(name: str, defect: Data, advice: Sequence[str]) -> str:
    to_do = f" To do: {advice[0]}." if advice else ""
    return f"{name} is broken ({defect['class']}): {told(defect)}.{to_do}"


def _schedule(defect: Data) -> str:
    return str(_example(defect).get("schedule") or "")


def _related(found: Sequence[Data]) -> list[Log]:
    """All other lines that have to do with it, each once."""
    rows: dict[tuple[str, int], str] = {}
    for defect in found:
        for row in (defect, *(defect.get("places") or ())):
            if row.get("path") and row.get("line"):
                rows.setdefault((row["path"], row["line"]), row.get("note") or told(row))
    places = [location(_short(path), line, note) for (path, line), note in list(rows.items())[1:]]
    return [{"id": number, **place} for number, place in enumerate(places, 1)]


def _flow(data: Data, defect: Data) -> Log:
    """Who did what, by actor; `executionOrder` is the number of the step in the schedule."""
    example = defect["counterexample"]
    labels = labels_of(example, depth_of(data))
    end = {wait.actor: wait for wait in waits(example)}
    threads: dict[str, list[Log]] = {}
    for number, step in enumerate(example["steps"], 1):
        threads.setdefault(step["actor"], []).append(_step(number, step, example))
    last = len(example["steps"])
    for number, (actor, wait) in enumerate(end.items(), last + 1):
        said = sentence(wait, labels)
        place = {"location": location(_short(wait.path), wait.line, said), "executionOrder": number}
        threads.setdefault(actor, []).append({**place, "importance": "essential"})
    return {
        "message": {"text": f"{defect['class']}: {told(defect)}"},
        "threadFlows": [
            {"id": actor, "message": {"text": labels.get(actor, actor)}, "locations": steps}
            for actor, steps in threads.items()
        ],
    }


def _step(number: int, step: Data, example: Data) -> Log:
    faults = [f"{fault['class']}: {fault['text']}" for fault in step.get("faults") or ()]
    changed = ", ".join([*(step.get("changes") or ()), *faults])
    said = f"{step['op']}: {changed}" if changed else str(step["op"])
    sides = (example.get("race") or {}).get("accesses") or ()
    essential = faults or any(all(step[key] == side[key] for key in ("actor", "op", "line")) for side in sides)
    return {
        "location": location(_short(step["path"]), step["line"], said),
        "executionOrder": number,
        "importance": "essential" if essential else "important" if changed else "unimportant",
    }


def _place(row: Data) -> Log:
    return location(_short(row.get("path") or ""), row.get("line"))


def _short(path: str) -> str:
    """Relative to the current folder, where the file lies below it: what a code host needs."""
    try:
        return Path(path).relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path
