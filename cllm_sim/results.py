"""RunResult: the versioned JSON document of any verb, and the only thing that reports read.

Rules of this file: data only. Fields are added within a schema version, never renamed or removed; keep
`result.schema.json` in step (a test compares them). Every number in a result was measured by the run that wrote it.
"""

import json
import os
import platform
import sys
from collections.abc import Mapping
from enum import IntEnum
from pathlib import Path
from typing import Any

from cllm_sim.errors import BadRequest

SCHEMA = "cllm/1"


class ExitCode(IntEnum):
    """What a command's exit code says about who is at fault."""

    HOLDS = 0
    SUBJECT = 1
    REQUEST = 2
    UNDECIDED = 3
    INTERNAL = 4
    INTERRUPTED = 130
    TERMINATED = 143


PRECEDENCE = (ExitCode.INTERNAL, ExitCode.REQUEST, ExitCode.SUBJECT, ExitCode.UNDECIDED, ExitCode.HOLDS)


def worst(codes: list[int]) -> int:
    """The exit code of several results together: 4, 2, 1, 3, 0 in this order of precedence."""
    return next((int(code) for code in PRECEDENCE if code in codes), 0)


class RunResult:
    """One result document; its fields are attributes (`result.verdict`, `result.states`, ...)."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.data = dict(data)

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["data"][name]
        except KeyError:
            raise AttributeError(f"this result of '{self.data.get('verb')}' has no field '{name}'") from None

    @property
    def holds(self) -> bool:
        """Do all promises hold, as far as this verb can tell? (An undecided result does not.)"""
        return bool(self.data["exit_code"] == ExitCode.HOLDS)

    def to_json(self) -> str:
        """The document as JSON text."""
        return json.dumps(self.data, indent=2, ensure_ascii=False) + "\n"

    def __repr__(self) -> str:
        shown = {name: self.data.get(name) for name in ("verb", "architecture", "verdict", "exit_code")}
        return f"RunResult({', '.join(f'{name}={value!r}' for name, value in shown.items() if value is not None)})"


def environment() -> dict[str, Any]:
    """Where a result was made: versions and machine, no names of people or machines."""
    return {
        "python": platform.python_version(),
        "implementation": sys.implementation.name,
        "system": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
    }


def scope(
    workers: int | None, depth: int | None, slots: int | None = None, steps: int | None = None, faults: int = 0
) -> dict[str, Any]:
    """The `scope` field: what the result speaks about. `steps` None means unlimited."""
    return {
        "workers": workers,
        "depth": depth,
        "slots": slots,
        "steps": steps,
        "faults": faults,
        "memory": "sequentially consistent",
    }


def read_result(path: Path) -> RunResult:
    """Read a stored result; raises BadRequest where it is none."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise BadRequest(f"{path}: cannot be read as a result: {getattr(error, 'strerror', None) or error}") from None
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise BadRequest(f'{path}: is no result of this version (expected "schema": "{SCHEMA}")')
    return RunResult(data)
