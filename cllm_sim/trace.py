"""Traces: per actor, the operations it performed. One shape for simulated and real runs.

On disk a trace is JSON lines: first the header, then one line per event, and for every actor a closing line with the
number of its events, so that a log that lost its end is noticed. There is no global order: whether *some* interleaving
of the logs is legal is asked of `validate`.

Rules of this file: reading and writing only. Times are integer nanoseconds from the start of the run, read outside of
the operation (`begin` before it was started, `end` after its reply was there).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from cllm_sim.errors import BadRequest

SCHEMA = "cllm-trace/1"


class Event(NamedTuple):
    """One operation in absolute names (`wait 0/batch`), its reply, and when it began and ended (ns)."""

    op: str
    reply: int
    begin: int
    end: int


@dataclass(frozen=True)
class Trace:
    """All logs of a run. `header` tells which run it was; see `HEADER_FIELDS`."""

    header: Mapping[str, Any]
    actors: Mapping[str, tuple[Event, ...]]

    @property
    def events(self) -> int:
        """Number of events of all actors together."""
        return sum(len(log) for log in self.actors.values())


HEADER_FIELDS = (
    "schema",
    "clock",
    "architecture",
    "path",
    "file_sha256",
    "workers",
    "depth",
    "slots",
    "steps",
    "seed",
    "complete",
)
"""clock: real or simulated; complete: did every actor come to the end of its text?"""


def write_trace(path: Path, trace: Trace) -> None:
    """Write a trace as JSON lines."""
    with path.open("w", encoding="utf-8") as file:
        file.write(json.dumps(dict(trace.header), sort_keys=True) + "\n")
        for name, log in trace.actors.items():
            for event in log:
                row = {"actor": name, "op": event.op, "reply": event.reply, "begin": event.begin, "end": event.end}
                file.write(json.dumps(row) + "\n")
            file.write(json.dumps({"actor": name, "length": len(log)}) + "\n")


def read_trace(path: Path) -> Trace:
    """Read a trace; raises BadRequest naming the line that is no event. `header['lengths']`: the closing lines."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadRequest(f"{path}: cannot be read as a trace: {getattr(error, 'strerror', None) or error}") from None
    logs: dict[str, list[Event]] = {}
    lengths: dict[str, int] = {}
    header: dict[str, Any] = {}
    for number, line in enumerate(lines, 1):
        row = _row(path, number, line)
        if number == 1:
            header = row
        elif "length" in row:
            lengths[row["actor"]] = _length(path, number, row)
            logs.setdefault(row["actor"], [])
        else:
            logs.setdefault(row["actor"], []).append(_event(path, number, row))
    if header.get("schema") != SCHEMA:
        raise BadRequest(f"{path}:1: is no trace of this version (expected schema '{SCHEMA}')")
    return Trace({**header, "lengths": lengths}, {name: tuple(log) for name, log in logs.items()})


def _row(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise BadRequest(f"{path}:{number}: is no JSON: {error}") from None
    if not isinstance(row, dict) or (number > 1 and not isinstance(row.get("actor"), str)):
        raise BadRequest(f"{path}:{number}: is no line of a trace")
    return row


def _length(path: Path, number: int, row: dict[str, Any]) -> int:
    if type(row["length"]) is not int:
        raise BadRequest(f"{path}:{number}: a closing line needs the number of events of its log")
    return row["length"]


def _event(path: Path, number: int, row: dict[str, Any]) -> Event:
    try:
        return Event(str(row["op"]), int(row["reply"]), int(row["begin"]), int(row["end"]))
    except (KeyError, TypeError, ValueError):
        raise BadRequest(f"{path}:{number}: an event needs op, reply, begin and end") from None
