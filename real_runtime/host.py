"""The host process of a run: loads everything once, forks the actors, watches them, keeps what they leave behind.

    command line ──spec (JSON)──► host ──fork──► actor 0, 0.0, 0.1, ...   (one process per actor of the tree)
         ◄──messages (JSON lines)── │ ◄──pidfd: an actor ended
                                    └── shared memory: steps, logs, errors

It is started as a fresh interpreter with one BLAS thread, so it may fork; it is no actor and takes no part in the
protocol. If an actor dies or nobody moves any more, all are ended, what they recorded is kept, and the message names
who and where. If the command line dies, so does the host, and with it every actor.

Rules of this file: the actors' protocol is never touched from here; messages go to the one descriptor that was given.
Signal handlers only take notes, `watch` acts on them.
"""

import fcntl
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from cllm_sim.compose import System, compose
from cllm_sim.errors import BadRequest, CllmError, WorkerDied
from cllm_sim.job import Job
from cllm_sim.library import load
from cllm_sim.script import script
from cllm_sim.tree import checked_tree
from real_runtime import checkpoint
from real_runtime.actor import drive
from real_runtime.board import ERROR_BYTES, Board, create_board, log_capacity
from real_runtime.failure import Failure, failure_from
from real_runtime.launch import STOP_SIGNALS
from real_runtime.learner import Learner, LearnerSettings
from real_runtime.libc import death_tie
from real_runtime.optimizer import OptimizerSettings, optimizer_for
from real_runtime.outcome import Metrics, plain, train_result, write_run_trace
from real_runtime.perform import APPLIED, SAVED, STEP, STOPPING, Workplace
from real_runtime.processes import Child, Exit, fork_actor, kill_all, wait_any
from real_runtime.record import doing
from real_runtime.settings import divided
from real_runtime.spec import RunSpec, spec_from_json
from real_runtime.stillness import Stillness, who
from real_runtime.text import load_text

POLL_SECONDS = 0.25
CHECKPOINTS = "checkpoints"
Send = Callable[[dict[str, Any]], None]


class Host:
    """One run from its spec to its result."""

    def __init__(self, spec: RunSpec, send: Send) -> None:
        self.spec = spec
        self.send = send
        self.loaded = load(spec.architecture, spec.settings)
        architecture = self.loaded.architecture
        tree = checked_tree(spec.workers, spec.depth, architecture.arity, architecture.depth_max, self.loaded.name)
        self.system: System = compose(architecture, tree)
        self.job = Job(self.system, spec.slots)
        _check_injections(spec, self.system, self.job)
        own = dict(self.loaded.settings)
        texts = {name: value for name, value in spec.settings.items() if name not in own}
        learner_texts, optimizer_texts = divided(texts, LearnerSettings, OptimizerSettings)
        self.optimizer_settings = OptimizerSettings.from_texts(optimizer_texts)
        self.optimizer = optimizer_for(self.optimizer_settings)
        self.corpus = load_text(Path(spec.text) if spec.text else None)
        self.learner = Learner(LearnerSettings.from_texts(learner_texts), self.corpus)
        self.run_dir = Path(spec.run_dir)
        self.first_step = 0
        self.board: Board
        self.metrics: Metrics
        self.children: list[Child] = []
        self.stops = 0
        self.origin_ns = 0

    # --- before ---

    def prepare(self) -> None:
        """Create the shared memory, with fresh weights or those of the newest checkpoint."""
        names, steps = self.optimizer.state_names, self.spec.steps
        capacity = log_capacity(self.system, steps)
        self.board = create_board(self.system, self.job, self.learner, len(names), steps, capacity)
        if self.spec.resume:
            self._restore(names)
        elif checkpoint.checkpoints_in(self.run_dir / CHECKPOINTS):
            raise BadRequest(
                f"{self.run_dir}: holds checkpoints of an earlier run; use --resume, --overwrite or another -o"
            )
        else:
            self.board.weights[:] = self.learner.initial_weights(self.spec.seed)
        self.board.header[STEP] = self.board.header[SAVED] = self.first_step
        self.metrics = Metrics(self.board, self.run_dir, self.first_step)

    def _restore(self, names: tuple[str, ...]) -> None:
        found = checkpoint.load(self.run_dir / CHECKPOINTS)
        mine, theirs = self._identity(), found.meta.get("identity")
        if theirs != mine:
            different = [name for name in mine if not isinstance(theirs, dict) or theirs.get(name) != mine[name]]
            raise BadRequest(f"--resume: the checkpoint {found.path} was made with another {', '.join(different)}")
        if found.step >= self.spec.steps:
            raise BadRequest(f"--resume: the run has {found.step} steps already; ask for more with --steps")
        self.learner.restore(found.tensors, self.board.weights)
        for vector, name in zip(self.board.state, names, strict=True):
            self.learner.restore(found.tensors, vector, f"{name}.")
        self.board.header[APPLIED] = int(found.meta["applied"])
        self.first_step = found.step

    def _identity(self) -> dict[str, Any]:
        """What a resumed run must share with the one it goes on from; the tree of processes is not part of it."""
        identity = {
            "seed": self.spec.seed,
            "slots": self.job.slots,
            "text": self.corpus.sha256,
            "learner": plain(self.learner.settings),
            "optimizer": plain(self.optimizer_settings),
        }
        same: dict[str, Any] = json.loads(json.dumps(identity))  # as it comes back from a file
        return same

    # --- the actors ---

    def start(self) -> None:
        """Fork one process per actor."""
        orders = script(self.spec.steps - self.first_step, self.spec.epoch_steps, self.first_step)
        place = Workplace(
            self.system, self.job, self.board, self.learner, self.optimizer,
            self.optimizer_settings.gradient_clip_val, self.spec.seed, orders, self._keep_house, self.spec.inject,
        )  # fmt: skip
        self.origin_ns = time.monotonic_ns()
        for actor in range(len(self.system.actors)):
            self.children.append(fork_actor(self._life_of(place, actor), on_error=self._report_of(actor)))

    def _life_of(self, place: Workplace, actor: int) -> Callable[[], int]:
        def live() -> int:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)  # sent to a whole group, it is the host that answers it
            return drive(place, actor)

        return live

    def _report_of(self, actor: int) -> Callable[[BaseException], None]:
        """In the actor's process: leave the error where it outlives the process."""

        def report(error: BaseException) -> None:
            failure = Failure.of(error, "subject")
            if not isinstance(error, CllmError):
                failure = replace(failure, message=f"{_place_in(self.loaded.path, error)}{failure.message}")
            text = failure.to_bytes(ERROR_BYTES)
            self.board.errors[actor][: len(text)] = memoryview(text)

        return report

    def _keep_house(self, done: int, last: bool) -> None:
        """In the root's process, between two orders: write a checkpoint when one is due."""
        every = self.spec.checkpoint_every
        due = bool(every) and done % every == 0
        if done > self.board.header[SAVED] and (due or last):
            tensors = self.learner.tensors(self.board.weights)
            for vector, name in zip(self.board.state, self.optimizer.state_names, strict=True):
                tensors.update(self.learner.tensors(vector, f"{name}."))
            meta = {"identity": self._identity(), "applied": int(self.board.header[APPLIED])}
            checkpoint.save(self.run_dir / CHECKPOINTS, done, tensors, meta)
            self.board.header[SAVED] = done

    # --- watching ---

    def watch(self) -> None:
        """Wait for all actors to end; raises WorkerDied or RunHung after ending everybody."""
        stillness, told = Stillness(self.system, self.board, self.children, self.spec.hang_after_seconds), False
        while any(child.end is None for child in self.children):
            for gone in wait_any(self.children, POLL_SECONDS).exits:
                self._check_end(gone)
            self._progress()
            if self.stops and not told:
                told = True
                self.send({"event": "stopping", "step": int(self.board.header[STEP])})
            if self.stops > 1:
                kill_all(self.children)
            if stillness.too_long():
                rows, hung = stillness.report(int(self.board.header[STEP]))
                kill_all(self.children)
                self.send({"event": "stuck", "rows": rows})
                raise hung

    def _progress(self) -> None:
        for row in self.metrics.new_rows():
            self.send({"event": "step", **row})

    def _check_end(self, gone: Exit) -> None:
        actor = self.children.index(gone.child)
        state = doing(self.board, actor)
        if gone.status == 0 and state.finished:
            return
        step, reported = int(self.board.header[STEP]), self.board.error_of(actor)
        kill_all(self.children)
        name = f"{who(self.system, actor)} (process {gone.child.pid})"
        if not reported:
            how = gone.description
            raise WorkerDied(f"{name} died in step {step}, {state.words}: {how}; all processes were ended")
        failure = failure_from(reported)
        self.send({"event": "details", "text": failure.details})
        if failure.kind != "subject":
            raise failure.error()
        place = f"{name} failed in step {step}, {state.words}"
        raise WorkerDied(f"{place}: {failure.message}; all processes were ended")

    def ask_to_stop(self, *_: object) -> None:
        """Signal handler: end after the current step; the second time at once."""
        self.stops += 1
        if hasattr(self, "board"):
            self.board.header[STOPPING] = 1

    # --- the whole ---

    def run(self) -> dict[str, Any]:
        """The run; returns the fields of the train result."""
        started = time.perf_counter()
        self.prepare()
        before = self.learner.heldout_bits_per_byte(self.board.weights)
        self.send({"event": "start", "processes": len(self.system.actors), "slots": self.job.slots,
                   "parameters": self.learner.size, "first_step": self.first_step})  # fmt: skip
        try:
            if not self.stops:
                self.start()
            self.watch()
        finally:
            kill_all(self.children)
            self._progress()
            cut = write_run_trace(self)
        if cut:
            more = f" and {len(cut) - 1} more" if len(cut) > 1 else ""
            text = f"the log of {cut[0]}{more} was too short for all events: the trace shows only how the run began"
            self.send({"event": "details", "text": text})
        return train_result(self, before, time.perf_counter() - started)


def _place_in(path: str, error: BaseException) -> str:
    """`file:line: ` of the innermost call of this file that an error went through; empty if it went through none."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
    return f"{path}:{lines[-1]}: " if lines else ""


def _check_injections(spec: RunSpec, system: System, job: Job) -> None:
    names = [actor.name for actor in system.actors]
    for item in spec.inject:
        if item.kind == "nan" and item.slot >= job.slots:
            raise BadRequest(f"--inject: there is no slot {item.slot}; the slots are 0 to {job.slots - 1}")
        if item.kind != "nan" and item.actor not in names:
            raise BadRequest(f"--inject: there is no actor {item.actor}; the actors are {', '.join(names[:14])}")


@contextmanager
def locked(run_dir: Path) -> Iterator[None]:
    """Hold the run directory for this process and its actors; raises BadRequest where another run holds it."""
    try:
        run_dir.mkdir(parents=True, exist_ok=True)
        file = (run_dir / "lock").open("a+", encoding="utf-8")
    except OSError as error:
        raise BadRequest(f"{run_dir}: cannot be written: {error.strerror}") from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            raise BadRequest(f"{run_dir}: run directory in use by {file.read().strip() or 'another run'}") from None
        file.truncate(0)
        file.write(f"process {os.getpid()} since {time.strftime('%H:%M:%S')}")
        file.flush()
        yield


def _sender(descriptor: int) -> Send:
    def send(message: dict[str, Any]) -> None:
        left = (json.dumps(message) + "\n").encode()
        while left:
            left = left[os.write(descriptor, left) :]

    return send


def _serve(spec: RunSpec, send: Send) -> None:
    """The run, and as its last message the result or what it ended with."""
    try:
        with locked(Path(spec.run_dir)):
            host = Host(spec, send)
            for number in (signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, host.ask_to_stop)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
            send({"event": "result", "data": host.run()})
    except BrokenPipeError:
        raise
    except Exception as error:
        failure = Failure.of(error)
        if not isinstance(error, CllmError):
            send({"event": "details", "text": failure.details})
        send({"event": "error", "kind": failure.kind, "name": failure.name, "message": failure.message})


def main() -> int:
    """Entry point of the host process; arguments: the spec, the descriptor for messages, the caller's process id."""
    spec, descriptor, caller = spec_from_json(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    death_tie()()
    if os.getppid() != caller:
        return 1
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    np.seterr(all="ignore")  # a number that is not finite is found, and named, by the update; nobody needs a warning
    try:
        _serve(spec, _sender(descriptor))
    except BrokenPipeError:
        return 1  # nobody listens any more
    return 0


if __name__ == "__main__":
    sys.exit(main())
