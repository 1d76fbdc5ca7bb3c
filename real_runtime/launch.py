"""Starting a run from any process: a fresh interpreter becomes the host, its messages come back line by line.

The caller may have threads, a notebook or a pool around it: nothing of that is forked. Ctrl-C (or SIGTERM, SIGHUP) in
the caller asks the host to end after the current step; the second one ends it at once; the third one does not wait for
it. Rules of this file: no numpy, no model; the caller stays light. When `launch` returns or raises, the host has ended.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from cllm_sim.errors import BadRequest, CllmError, SubjectFailed
from real_runtime.failure import Failure, InternalFailure
from real_runtime.spec import RunSpec

__all__ = ["InternalFailure", "Interrupted", "Message", "launch"]

Message = dict[str, Any]
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "BLIS_NUM_THREADS")
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PATIENCE = 2
"""Signals that the host answers itself."""

END_LIMIT_SECONDS = 60.0


class Interrupted(CllmError):
    """A signal stopped the run: `data` is its partial result, `signal_number` the first signal that asked for it."""

    def __init__(self, data: Message, signal_number: int = signal.SIGTERM) -> None:
        super().__init__(f"interrupted after step {data['steps']}")
        self.data = data
        self.signal_number = signal_number


def launch(spec: RunSpec, on_message: Callable[[Message], None]) -> Message:
    """Run to the end and return the fields of the result; raises what the run ended with."""
    if not sys.platform.startswith("linux"):
        raise BadRequest("train needs Linux (futex, pidfd, memfd); check and simulate run anywhere")
    run = _Run(spec, on_message)
    # Blocked signals stay blocked in the host until it can answer them, and reach us when we can pass them on.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        run.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    return run.follow()


class _Run:
    """One run as its caller sees it: the host process, its messages, the signals passed on to it."""

    def __init__(self, spec: RunSpec, on_message: Callable[[Message], None]) -> None:
        self.spec = spec
        self.on_message = on_message
        self.host: subprocess.Popen[bytes]
        self.messages: IO[bytes]
        self.asked: list[int] = []
        self.handlers: dict[int, Any] = {}
        self.last_step = 0

    def start(self) -> None:
        """Start the host, and take over the signals that stop it."""
        read_end, write_end = os.pipe()
        environment = {**os.environ, **dict.fromkeys(THREADS, "1")}
        arguments = [self.spec.to_json(), str(write_end), str(os.getpid())]
        try:
            self.host = subprocess.Popen(
                [sys.executable, "-P", "-m", "real_runtime.host", *arguments],
                pass_fds=[write_end],
                env=environment,
                start_new_session=True,  # Ctrl-C goes to the caller alone
                stdin=subprocess.DEVNULL,
            )
        except OSError as error:
            os.close(read_end)
            raise BadRequest(f"the host process of the run cannot be started: {error.strerror or error}") from error
        finally:
            os.close(write_end)
        self.messages = os.fdopen(read_end, "rb")
        for number in STOP_SIGNALS:
            handler = signal.getsignal(number)
            if handler not in (signal.SIG_IGN, None):  # `nohup` and the like stay in force
                with suppress(ValueError):  # not the main thread: signals are somebody else's business
                    signal.signal(number, self._pass_on)
                    self.handlers[number] = handler

    def _pass_on(self, number: int, _: object) -> None:
        self.asked.append(number)
        if len(self.asked) <= PATIENCE:
            self.host.terminate()
        else:
            self.host.kill()

    def follow(self) -> Message:
        """Pass messages on until the last one; the host is collected whatever happens."""
        final: Message | None = None
        try:
            final = self._final_message()
        finally:
            if final is None:  # it died, or nobody wants to hear it any more
                self.host.kill()
                for _ in self.messages:  # until the last of its processes has ended
                    pass
            self._collect()
            self.messages.close()
            for number, handler in self.handlers.items():
                signal.signal(number, handler)
        return self._judged(final)

    def _final_message(self) -> Message | None:
        for line in self.messages:
            if not line.endswith(b"\n"):  # the host was killed while it wrote
                break
            message: Message = json.loads(line)
            self.on_message(message)
            if message["event"] == "step":
                self.last_step = message["step"]
            if message["event"] in ("result", "error"):
                return message
        with suppress(subprocess.TimeoutExpired):  # it has closed its end, so it is ending: let it, for its exit code
            self.host.wait(END_LIMIT_SECONDS)
        return None

    def _collect(self) -> None:
        """The host has nothing left to say: wait for its end, by force if it lingers."""
        try:
            self.host.wait(END_LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            self.host.kill()
            self.host.wait()

    def _judged(self, final: Message | None) -> Message:
        if final is None:
            raise self._silent_end()
        if final["event"] == "error":
            raise Failure(final["kind"], final["name"], final["message"]).error()
        data: Message = final["data"]
        if self.asked or data["interrupted"]:
            raise Interrupted(data, *self.asked[:1])
        return data

    def _silent_end(self) -> CllmError:
        """Why the host ended without a last message."""
        if len(self.asked) > PATIENCE:
            return Interrupted(self._partial_data(), self.asked[0])
        code = self.host.returncode
        if code >= 0:
            return InternalFailure(f"the host process of the run ended with exit code {code} and without a result")
        words = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        return SubjectFailed(
            f"the host process of the run (process {self.host.pid}) was killed by {words} after step {self.last_step}; "
            "all its processes ended with it"
        )

    def _partial_data(self) -> Message:
        """What is known of a run whose host was not waited for."""
        folder = Path(self.spec.run_dir)
        return {
            "architecture": Path(self.spec.architecture).stem,
            "slots": self.spec.slots,
            "steps": self.last_step,
            "asked_steps": self.spec.steps,
            "interrupted": True,
            "complete": False,
            "checkpoints": sorted((path.name for path in folder.glob("checkpoints/step-*")), reverse=True),
            "run_dir": str(folder),
        }
