"""The host process of a run: loads everything once, forks the actors, watches them, keeps what they leave behind.

    command line ──spec (JSON)──► host ──fork──► actor 0, 0.0, 0.1, ...   (one process per actor of the tree)
         ◄──messages (JSON lines)── │ ◄──pidfd: an actor ended
                                    └── shared memory: steps, logs, errors

It is started as a fresh interpreter with one BLAS thread, so it may fork; it is no actor and takes no part in the
protocol. If an actor dies or nobody moves any more, all are ended, what they recorded is kept, and the message names who
and where. If the command line dies, so does the host, and with it every actor.

Rules of this file: the actors' protocol is never touched from here; messages go to the one descriptor that was given.
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

from cllm_sim.compose import System, compose
from cllm_sim.errors import BadRequest, CllmError, RunHung, SubjectFailed, WorkerDied
from cllm_sim.job import Job
from cllm_sim.library import load
from cllm_sim.operations import RULES, Verb
from cllm_sim.script import script
from cllm_sim.tree import checked_tree
from real_runtime import checkpoint
from real_runtime.actor import drive
from real_runtime.board import ERROR_BYTES, Board, create_board
from real_runtime.learner import Learner, LearnerSettings
from real_runtime.libc import death_tie
from real_runtime.optimizer import OptimizerSettings, optimizer_for
from real_runtime.outcome import Metrics, train_result, write_run_trace
from real_runtime.perform import APPLIED, SAVED, STEP, STOPPING, Workplace
from real_runtime.processes import Child, fork_actor, kill_all, process_state, wait_any
from real_runtime.record import current_op
from real_runtime.settings import divided
from real_runtime.spec import RunSpec, spec_from_json
from real_runtime.text import load_text

POLL_SECONDS = 0.25
STOP_LIMIT_SECONDS = 30.0
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
        self.corpus = load_text(Path(spec.text) if spec.text else None)
        own = dict(self.loaded.settings)
        texts = {name: value for name, value in spec.settings.items() if name not in own}
        learner_texts, optimizer_texts = divided(texts, LearnerSettings, OptimizerSettings)
        self.learner = Learner(LearnerSettings.from_texts(learner_texts), self.corpus)
        self.optimizer_settings = OptimizerSettings.from_texts(optimizer_texts)
        self.optimizer = optimizer_for(self.optimizer_settings)
        self.run_dir = Path(spec.run_dir)
        self.first_step = 0
        self.board: Board
        self.children: list[Child] = []
        self.stop_asked = 0.0
        self.origin_ns = 0

    # --- before ---

    def prepare(self) -> None:
        """Create the shared memory, with fresh weights or those of the newest checkpoint."""
        names = self.optimizer.state_names
        capacity = 4096 + (self.spec.steps + 2) * (64 + 16 * max(len(actor.children) for actor in self.system.actors))
        self.board = create_board(self.system, self.job, self.learner, len(names), self.spec.steps, capacity)
        if self.spec.resume:
            self._restore(names)
        else:
            self.board.weights[:] = self.learner.initial_weights(self.spec.seed)
        self.board.header[STEP] = self.board.header[SAVED] = self.first_step
        self.metrics = Metrics(self.board, self.run_dir, self.first_step)

    def _restore(self, names: tuple[str, ...]) -> None:
        found = checkpoint.load(self.run_dir / "checkpoints")
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
        return {
            "seed": self.spec.seed,
            "slots": self.job.slots,
            "text": self.corpus.sha256,
            "learner": json.loads(json.dumps(_plain(self.learner.settings))),
            "optimizer": json.loads(json.dumps(_plain(self.optimizer_settings))),
        }

    # --- the actors ---

    def start(self) -> None:
        """Fork one process per actor."""
        orders = script(self.spec.steps - self.first_step, self.spec.epoch_steps)
        place = Workplace(
            self.system, self.job, self.board, self.learner, self.optimizer,
            self.optimizer_settings.gradient_clip_val, self.spec.seed, orders, self._keep_house, self.spec.inject,
        )  # fmt: skip
        self.origin_ns = time.monotonic_ns()
        for actor in range(len(self.system.actors)):
            self.children.append(
                fork_actor(lambda a=actor: drive(place, a), on_error=lambda error, a=actor: self._report(a, error))  # type: ignore[misc]
            )

    def _report(self, actor: int, error: BaseException) -> None:
        """In the actor's process: leave the error where it outlives the process."""
        first = str(error) if isinstance(error, CllmError) else f"{type(error).__name__}: {error}"
        text = (first.replace("\n", " ") + "\n" + "".join(traceback.format_exception(error))).encode()[:ERROR_BYTES]
        self.board.errors[actor][: len(text)] = memoryview(text)

    def _keep_house(self, done: int, last: bool) -> None:
        """In the root's process, between two orders: write a checkpoint when one is due."""
        every = self.spec.checkpoint_every
        due = bool(every) and done % every == 0
        if done > self.board.header[SAVED] and (due or last):
            tensors = self.learner.tensors(self.board.weights)
            for vector, name in zip(self.board.state, self.optimizer.state_names, strict=True):
                tensors.update(self.learner.tensors(vector, f"{name}."))
            meta = {"identity": self._identity(), "applied": int(self.board.header[APPLIED])}
            checkpoint.save(self.run_dir / "checkpoints", done, tensors, meta)
            self.board.header[SAVED] = done

    # --- watching ---

    def watch(self) -> None:
        """Wait for all actors to end; raises WorkerDied or RunHung after ending everybody."""
        moved_at, seen = time.monotonic(), (-1, -1.0)
        while any(child.end is None for child in self.children):
            woken = wait_any(self.children, POLL_SECONDS)
            for gone in woken.exits:
                if gone.status != 0:
                    self._died(gone.child, gone.description)
            self._progress()
            now = time.monotonic()
            state = (int(self.board.counts[:, 0].sum()), self._busy_seconds())
            if state != seen:
                moved_at, seen = now, state
            if now - moved_at > self.spec.hang_after_seconds:
                self._hung()
            if self.stop_asked and now - self.stop_asked > STOP_LIMIT_SECONDS:
                kill_all(self.children)
                raise SubjectFailed(f"the step did not end within {STOP_LIMIT_SECONDS:g} s of being asked to stop")

    def _busy_seconds(self) -> float:
        """Processor time of all actors, so that one long operation is not taken for a hang."""
        states = [process_state(child.pid) for child in self.children if child.end is None]
        return sum(state.cpu_seconds for state in states if state is not None)

    def _progress(self) -> None:
        for row in self.metrics.new_rows():
            self.send({"event": "step", **row})

    def _who(self, actor: int) -> str:
        role = "control" if self.system.actors[actor].children else "worker"
        return f"{role} {self.system.actors[actor].name}"

    def _died(self, child: Child, how: str) -> None:
        actor = self.children.index(child)
        doing, step = current_op(self.board, actor), int(self.board.header[STEP])
        error = self.board.error_of(actor)
        kill_all(self.children)
        where = f"{self._who(actor)} (process {child.pid})"
        if error:
            message, _, details = error.partition("\n")
            self.send({"event": "details", "text": details})
            raise WorkerDied(f"{where} failed in step {step}, in '{doing}': {message}; all processes were ended")
        raise WorkerDied(f"{where} died in step {step}, in '{doing}': {how}; all processes were ended")

    def _hung(self) -> None:
        waiting = []
        for actor, child in enumerate(self.children):
            if child.end is None:
                doing = current_op(self.board, actor)
                state = process_state(child.pid)
                stopped = state is not None and state.letter in "Tt"
                blocks = doing.split(" ")[0] in {str(verb) for verb in Verb if RULES[verb].blocks}
                words = state.words if state else "gone"
                waiting.append((not stopped and blocks, f"{self._who(actor)} is {words} in '{doing}'"))
        kill_all(self.children)
        rows = [text for _, text in sorted(waiting, key=lambda row: row[0])]
        self.send({"event": "stuck", "rows": rows})
        limit = self.spec.hang_after_seconds
        more = f" (and {len(rows) - 1} more)" if len(rows) > 1 else ""
        raise RunHung(
            f"nobody moved for {limit:g} s in step {int(self.board.header[STEP])}: {rows[0]}{more}; all processes were ended"
        )

    def ask_to_stop(self, *_: object) -> None:
        """Signal handler: end after the current step; the second time at once."""
        if self.stop_asked:
            kill_all(self.children, 5.0)
        self.stop_asked = self.stop_asked or time.monotonic()
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
            if not self.stop_asked:
                self.start()
            self.watch()
            self._progress()
        finally:
            kill_all(self.children)
            complete = write_run_trace(self)
        return train_result(self, before, complete, time.perf_counter() - started)


def _plain(settings: Any) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in settings.__dataclass_fields__}


def _check_injections(spec: RunSpec, system: System, job: Job) -> None:
    names = [actor.name for actor in system.actors]
    for item in spec.inject:
        if item.kind == "nan" and item.slot >= job.slots:
            raise BadRequest(f"--inject: there is no slot {item.slot}; the slots are 0 to {job.slots - 1}")
        if item.kind != "nan" and item.actor not in names:
            raise BadRequest(f"--inject: there is no actor {item.actor}")


@contextmanager
def locked(run_dir: Path) -> Iterator[None]:
    """Hold the run directory for this process; raises BadRequest where another run holds it."""
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
        os.set_inheritable(file.fileno(), False)
        yield


def main() -> int:
    """Entry point of the host process: spec as first argument, descriptor for messages as second."""
    spec, descriptor = spec_from_json(sys.argv[1]), int(sys.argv[2])
    death_tie()()
    if os.getppid() != int(sys.argv[3]):
        return 1
    output = os.fdopen(descriptor, "w", encoding="utf-8")

    def send(message: dict[str, Any]) -> None:
        output.write(json.dumps(message) + "\n")
        output.flush()

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with locked(Path(spec.run_dir)):
            host = Host(replace(spec), send)
            signal.signal(signal.SIGTERM, host.ask_to_stop)
            send({"event": "result", "data": host.run()})
    except CllmError as error:
        kind = "request" if isinstance(error, BadRequest) else "subject"
        send({"event": "error", "kind": kind, "message": str(error)})
    except Exception as error:
        send({"event": "details", "text": traceback.format_exc()})
        send({"event": "error", "kind": "internal", "message": f"{type(error).__name__}: {error}"})
    return 0


if __name__ == "__main__":
    sys.exit(main())
