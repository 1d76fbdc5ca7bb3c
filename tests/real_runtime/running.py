"""Real runs for tests: a small learner, what a run said and left, and the processes that it consists of.

Rules of this file: runs are awaited by their messages and their processes' ends, never by time.
"""

import json
import os
import select
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from cllm_sim.trace import Trace, read_trace
from real_runtime.launch import launch
from real_runtime.spec import RunSpec

SMALL = {"hidden": "32", "rows_per_slot": "32", "context": "4", "embedding": "8"}
"""A learner that takes well below a millisecond for a slot."""

END_LIMIT_MS = 50_000  # fires only where a process stays for ever

CALLER = """
import json, sys
from real_runtime.launch import Interrupted, launch
from real_runtime.spec import spec_from_json

def say(message):
    print(json.dumps(message), flush=True)

try:
    say({"event": "returned", "data": launch(spec_from_json(sys.argv[1]), say)})
except Interrupted as interrupted:
    say({"event": "interrupted", "data": interrupted.data, "signal": interrupted.signal_number})
"""
"""A program that runs what its argument says, and tells everything it hears line by line."""


Hear = Callable[[dict[str, Any]], None]


@dataclass
class Run:
    """What a run said and left behind."""

    folder: Path
    data: dict[str, Any] = field(default_factory=dict)
    messages: list[dict[str, Any]] = field(default_factory=list)

    def of(self, event: str) -> list[dict[str, Any]]:
        """Its messages of one kind."""
        return [message for message in self.messages if message["event"] == event]

    @property
    def metrics(self) -> list[dict[str, Any]]:
        """The rows of its metrics file."""
        return [json.loads(line) for line in (self.folder / "metrics.jsonl").read_text().splitlines()]

    @property
    def trace(self) -> Trace:
        """Its trace file."""
        return read_trace(self.folder / "trace.jsonl")


class Trainer:
    """`train(architecture, **fields of RunSpec)`; `settings` are added to those of the small learner.

    `on_message` is called with every message; `run` is the last run, also where it raised.
    """

    def __init__(self, text: Path, folder: Path) -> None:
        self.text, self.folder = text, folder
        self.number = 0
        self.run = Run(folder)

    def spec(self, architecture: str, folder: Path | None = None, **options: Any) -> RunSpec:
        """What to run; a new folder each time unless one is given."""
        self.number += 1
        settings = {**SMALL, **options.pop("settings", {})}
        options.setdefault("text", str(self.text))
        return RunSpec(architecture, str(folder or self.folder / f"run-{self.number}"), settings=settings, **options)

    def __call__(self, architecture: str, on_message: Hear | None = None, **options: Any) -> Run:
        spec = self.spec(architecture, **options)
        self.run = Run(Path(spec.run_dir))

        def hear(message: dict[str, Any]) -> None:
            self.run.messages.append(message)
            if on_message is not None:
                on_message(message)

        self.run.data = launch(spec, hear)
        return self.run


def heard(process: "subprocess.Popen[str]", event: str, **wanted: Any) -> dict[str, Any]:
    """The next message of a kind (and with these fields) that a caller hears."""
    assert process.stdout is not None
    for line in process.stdout:
        message: dict[str, Any] = json.loads(line)
        if message["event"] == event and all(message[name] == value for name, value in wanted.items()):
            return message
    pytest.fail(f"the run ended without a message '{event}'")


def open_descriptors() -> list[str]:
    """Numbers of this process's open descriptors."""
    return sorted(entry.name for entry in Path("/proc/self/fd").iterdir())


def children_of(pid: int) -> list[int]:
    """Live children of the main thread of a process, in the order in which they were started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


class Watched:
    """Processes of a run, held by pidfd from now on so that their end cannot be missed."""

    def __init__(self, pids: list[int]) -> None:
        self.pids = pids
        self._pidfds = [os.pidfd_open(pid) for pid in pids]

    def all_end(self) -> bool:
        """Wait for all of them to end; False where one stays."""
        poller = select.poll()
        left = set(self._pidfds)
        for pidfd in left:
            poller.register(pidfd, select.POLLIN)
        while left and (ready := poller.poll(END_LIMIT_MS)):
            for pidfd, _ in ready:
                poller.unregister(pidfd)
                left.discard(pidfd)
        for pidfd in self._pidfds:
            os.close(pidfd)
        return not left


def family(caller_pid: int) -> Watched:
    """The host of a caller's run, and its actors."""
    (host,) = children_of(caller_pid)
    return Watched([host, *children_of(host)])
