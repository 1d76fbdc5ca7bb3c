"""Starting a run from any process: a fresh interpreter becomes the host, its messages come back line by line.

The caller may have threads, a notebook or a pool around it: nothing of that is forked. Ctrl-C in the caller asks the host to
end after the current step; a second one ends it at once. Rules of this file: no numpy, no model; the caller stays light.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from cllm_sim.errors import BadRequest, CllmError, SubjectFailed
from real_runtime.spec import RunSpec

Message = dict[str, Any]
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "BLIS_NUM_THREADS")
END_LIMIT_SECONDS = 60.0


class Interrupted(CllmError):
    """The run was interrupted and ended in good order; `data` is its partial result."""

    def __init__(self, data: Message) -> None:
        super().__init__(f"interrupted after step {data['steps']}")
        self.data = data


class InternalFailure(CllmError):
    """The host itself failed: a defect of this project."""


def launch(spec: RunSpec, on_message: Callable[[Message], None]) -> Message:
    """Run to the end and return the fields of the result; raises what the run ended with."""
    if not sys.platform.startswith("linux"):
        raise BadRequest("train needs Linux (futex, pidfd, memfd); check and simulate run anywhere")
    read_end, write_end = os.pipe()
    environment = {**os.environ, **dict.fromkeys(THREADS, "1")}
    command = [sys.executable, "-P", "-m", "real_runtime.host", spec.to_json(), str(write_end), str(os.getpid())]
    host = subprocess.Popen(
        command, pass_fds=[write_end], env=environment, start_new_session=True, stdin=subprocess.DEVNULL
    )
    os.close(write_end)
    try:
        with os.fdopen(read_end, encoding="utf-8") as messages, _passing_on(host) as asked:
            return _follow(messages, on_message, asked)
    finally:
        _end(host)


def _follow(messages: Iterator[str], on_message: Callable[[Message], None], asked: list[int]) -> Message:
    for line in messages:
        message = json.loads(line)
        on_message(message)
        if message["event"] == "result":
            data: Message = message["data"]
            if asked or data["interrupted"]:
                raise Interrupted(data)
            return data
        if message["event"] == "error":
            kinds = {"request": BadRequest, "subject": SubjectFailed}
            raise kinds.get(message["kind"], InternalFailure)(message["message"])
    raise SubjectFailed("the host process of the run died (killed?); all its processes ended with it")


@contextmanager
def _passing_on(host: "subprocess.Popen[bytes]") -> Iterator[list[int]]:
    """While the run lasts, Ctrl-C and termination are passed on to the host as requests to stop."""
    asked: list[int] = []

    def pass_on(number: int, _: object) -> None:
        asked.append(number)
        if host.poll() is None:
            host.send_signal(signal.SIGTERM)

    before = {}
    try:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            before[number] = signal.signal(number, pass_on)
    except ValueError:
        pass  # not the main thread: signals are somebody else's business
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(host: "subprocess.Popen[bytes]") -> None:
    """The host has nothing left to say: collect it, by force if it lingers."""
    try:
        host.wait(END_LIMIT_SECONDS)
    except subprocess.TimeoutExpired:
        host.kill()
        host.wait()
