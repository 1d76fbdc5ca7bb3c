"""Measuring this machine: what every parameter of a cost model is here, each by its own small experiment.

    caller ──settings (JSON)──► fresh interpreter, one BLAS thread ──forks──► crews of measuring processes
        ◄──progress and result (JSON lines)──┘

No parameter is fitted to the step time of any protocol. The experiments run in rounds, so that a slow drift of the
machine meets all of them alike, until each has enough blocks that no other program disturbed, or the time is over.

How the parameters fit together (the simulator adds exactly these):

    compute     slots x per_slot + fixed: the marginal slot with warm caches, and once per operation the refilling of
                the caches that others have used meanwhile. Twelve workers with one slot each pay it twelve times in a
                step, a single process once. All of it times `slowdown` while several cores are busy.
    fold        operands x per_operand + fixed: gradients that other cores have just written. A slice pays its part.
    update      per_gradient + fixed: norm, check, clipping and the optimizer.
    operations  from the begin of an operation to the begin of the next, without waiting, caches warm.
    switch      what a `down` that slept costs more than one that did not, after others had the caches.
    release     what one more sleeper costs whoever ends a wait at a barrier.
    wake        from `up` until the woken process runs on an idle core, less what `up`, release and a switch cost.

Not in it: the copy out of a shared scratch (`model_lock`), and caches refilled after a preemption inside an operation.

Rules of this file: medians, so that single disturbances do not count; names and units of the values are those of the
cost model's file, which this package does not import. Keep in step with `cllm_sim/costs.py`.
"""

import json
import math
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np

from cllm_sim.errors import BadRequest, CllmError, SubjectFailed
from cllm_sim.operations import RULES, Verb
from cllm_sim.slots import ARITY
from real_runtime import measure_sync, measure_work
from real_runtime.launch import END_LIMIT_SECONDS, THREADS, InternalFailure
from real_runtime.learner import Learner, LearnerSettings
from real_runtime.libc import death_tie
from real_runtime.measure_lab import Lab, Samples
from real_runtime.optimizer import OptimizerSettings
from real_runtime.processes import usable_cores
from real_runtime.text import Corpus, load_text

ROUNDS_MAX = 8
QUIET_BLOCKS = 4
"""Undisturbed blocks of every experiment after which no more are wanted."""

SECONDS_MAX = 8.0
"""No further round begins after so long."""

WORK_KEYS = ("compute", "fold", "update")
OPERATION_KEYS = tuple(dict.fromkeys(rule.cost_key for rule in RULES.values() if rule.cost_key not in WORK_KEYS))
DISTRIBUTION = "lognormal"
NORMAL_QUARTILES = 1.349
"""Distance between the quartiles of a normal distribution, in standard deviations."""

OnProgress = Callable[[str, int, int], None]
"""Told what is being measured, how many blocks are done, and how many there will be if nobody disturbs."""

Experiment = Callable[[Lab], dict[str, Samples]]


@dataclass(frozen=True, slots=True)
class Measured:
    """One parameter: value, unit, relative standard deviation of single samples, their number, and how it was measured.

    A parameter that is a difference of two medians has the deviation of the difference; one that was looked up has 0.
    """

    value: float
    unit: str
    spread: float
    samples: int
    how: str


Section = dict[str, Measured]


@dataclass(frozen=True, slots=True)
class Measurements:
    """The machine in numbers, in the sections and under the names of a cost model.

    `learner` are the settings that were measured, as texts. `spread` are relative standard deviations by kind of
    duration. `conditions` say how trustworthy it all is: cores that other programs kept busy, blocks made and counted.
    """

    machine: Section
    operations: Section
    compute: Section
    fold: Section
    update: Section
    parameters: dict[str, int]
    learner: dict[str, str]
    spread: dict[str, float]
    conditions: dict[str, float] = field(default_factory=dict)

    def sections(self) -> dict[str, dict[str, Any]]:
        """The plain numbers, section by section, as a cost model reads them."""
        measured = {"machine": self.machine, "operations": self.operations}
        measured |= {"compute": self.compute, "fold": self.fold, "update": self.update}
        plain: dict[str, dict[str, Any]] = {
            name: {key: item.value for key, item in section.items()} for name, section in measured.items()
        }
        plain |= {"parameters": dict(self.parameters), "learner": dict(self.learner)}
        return plain | {"spread": {"distribution": DISTRIBUTION, **self.spread}}

    def rows(self) -> Iterator[dict[str, Any]]:
        """The calibration sheet: one row per measured parameter."""
        for name in ("machine", "operations", *WORK_KEYS):
            for key, item in getattr(self, name).items():
                yield {"section": name, "parameter": key, **asdict(item)}

    def to_json(self) -> str:
        """The value as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The inverse of `to_json`."""
        data = json.loads(text)
        for name in ("machine", "operations", *WORK_KEYS):
            data[name] = {key: Measured(**item) for key, item in data[name].items()}
        return cls(**data)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A median of samples, or arithmetic of such; `deviation` is that of single samples, in the same unit."""

    value: float
    deviation: float
    samples: int

    @classmethod
    def of(cls, samples: Samples) -> Self:
        """The median, and the standard deviation that a normal distribution with these quartiles would have."""
        low, middle, high = np.quantile(samples, (0.25, 0.5, 0.75)).tolist()
        return cls(middle, (high - low) / NORMAL_QUARTILES, samples.size)

    def times(self, factor: float) -> "Estimate":
        """In another unit, or per piece."""
        return Estimate(self.value * factor, self.deviation * abs(factor), self.samples)

    def less(self, *others: "Estimate") -> "Estimate":
        """What is left after taking others off, never below zero."""
        value = self.value - sum(other.value for other in others)
        deviation = math.hypot(self.deviation, *(other.deviation for other in others))
        return Estimate(max(0.0, value), deviation, min(self.samples, *(other.samples for other in others)))

    @property
    def relative(self) -> float:
        """Deviation in parts of the value; 0 where the value is."""
        return self.deviation / self.value if self.value else 0.0

    def measured(self, unit: str, how: str) -> Measured:
        """As a row of the calibration sheet; nanoseconds become microseconds or milliseconds."""
        scale = {"us": 1e-3, "ms": 1e-6}.get(unit, 1.0)
        return Measured(self.value * scale, unit, self.relative, self.samples, how)


# --- the experiments --------------------------------------------------------------------------------------------------


def measure(
    learner_texts: Mapping[str, str],
    optimizer_texts: Mapping[str, str],
    text: str | None,
    seed: int,
    on_progress: OnProgress,
    *,
    quick: bool = False,
) -> Measurements:
    """Measure this machine for a learner; takes some 5 s, or 10 s where other programs disturb.

    The process must have one BLAS thread, so call `measure_in_fresh_process` instead where that is not certain. `quick`
    takes the fewest samples there can be. Raises BadRequest for bad settings or a bad text.
    """
    began = time.monotonic()
    corpus = load_text(Path(text) if text else None)
    learner = Learner(LearnerSettings.from_texts(learner_texts), corpus)
    optimizer = OptimizerSettings.from_texts(optimizer_texts)
    lab = Lab(quick)
    bench = measure_work.WorkBench(learner, optimizer, seed)
    try:
        _rounds(lab, _experiments(lab, bench, corpus), on_progress)
        return _result(lab, learner, optimizer, time.monotonic() - began)
    finally:
        bench.close()
        lab.close()


def _experiments(lab: Lab, work: measure_work.WorkBench, corpus: Corpus) -> dict[str, Experiment]:
    tiny = Learner(LearnerSettings(context=1, embedding=1, hidden=(1,), rows_per_slot=1), corpus)
    sync = measure_sync.SyncBench(tiny)
    found: dict[str, Experiment] = {
        "compute alone": lambda lab: measure_work.compute_alone(work, lab),
        "compute in turn": lambda lab: measure_work.compute_in_turn(work, lab),
        "fold and update": lambda lab: measure_work.fold_and_update(work, lab),
        "operations": lambda lab: measure_sync.operations(sync, lab),
        "condition": lambda lab: measure_sync.condition(sync, lab),
        "resume": measure_sync.resume,
        "wake": measure_sync.wake,
        "release": measure_sync.release,
        "quantum": measure_sync.quantum,
    }
    if len(lab.cores) > 1:
        found["compute on all cores"] = lambda lab: measure_work.compute_all_cores(work, lab)
    return found


def _rounds(lab: Lab, experiments: Mapping[str, Experiment], on_progress: OnProgress) -> None:
    """Every experiment once a round, as long as it lacks quiet blocks."""
    began = time.monotonic()
    wanted = lab.times(QUIET_BLOCKS)
    done, expected = 0, wanted * len(experiments)
    for _ in range(lab.times(ROUNDS_MAX)):
        for name, experiment in experiments.items():
            if lab.quiet_blocks(name) < wanted:
                on_progress(name, done, max(done + 1, expected))
                lab.block(name, experiment)
                done += 1
        if time.monotonic() - began > SECONDS_MAX:
            return


def _result(lab: Lab, learner: Learner, optimizer: OptimizerSettings, seconds: float) -> Measurements:
    others, counting, blocks = lab.disturbance()
    operations = _operations(lab)
    return Measurements(
        _machine(lab),
        operations,
        _compute(lab),
        _fold(lab),
        _update(lab),
        {"size": learner.size},
        _texts(learner.settings) | _texts(optimizer),
        {
            "compute": _spread(lab, "compute in turn", "slot"),
            "fold": _spread(lab, "fold and update", "fold"),
            "update": _spread(lab, "fold and update", "update"),
            "operations": float(np.median([_spread(lab, "operations", key) for key in operations if key != "sleep"])),
        },
        {
            "others_cores": others,
            "blocks": float(blocks),
            "blocks_counting": float(counting),
            "seconds": seconds,
        },
    )


def _of(lab: Lab, experiment: str, quantity: str) -> Estimate:
    return Estimate.of(lab.samples(experiment, quantity))


def _spread(lab: Lab, experiment: str, quantity: str) -> float:
    """Relative deviation from one time to the next: within a block, so that a slow drift of the machine is left out."""
    return float(np.median([Estimate.of(block.samples[quantity]).relative for block in lab.counting(experiment)]))


def _texts(settings: LearnerSettings | OptimizerSettings) -> dict[str, str]:
    """The settings in effect, as texts; one without a value of its own is left out."""
    values = {name: value for name, value in asdict(settings).items() if value is not None}
    return {name: ",".join(map(str, v)) if isinstance(v, tuple) else str(v) for name, v in values.items()}


def _compute(lab: Lab) -> Section:
    alone, in_turn = _of(lab, "compute alone", "slot"), _of(lab, "compute in turn", "slot")
    return {
        "per_slot_us": alone.measured("us", "slots one after another in one process, others asleep"),
        "fixed_us": in_turn.less(alone).measured("us", "a slot in each of 12 processes in turn, less per_slot"),
    }


def _fold(lab: Lab) -> Section:
    whole, fixed = _of(lab, "fold and update", "fold"), _of(lab, "fold and update", "fold fixed")
    how = f"a fold of {ARITY} gradients just written by others, less fixed, per gradient"
    return {
        "per_operand_us": whole.less(fixed).times(1 / ARITY).measured("us", how),
        "fixed_us": fixed.measured("us", f"the same fold of gradients of {measure_work.NARROW} numbers"),
    }


def _update(lab: Lab) -> Section:
    whole, fixed = _of(lab, "fold and update", "update"), _of(lab, "fold and update", "update fixed")
    return {
        "per_gradient_us": whole.less(fixed).measured("us", "an update right after the fold, less fixed"),
        "fixed_us": fixed.measured("us", f"the same update of {measure_work.NARROW} weights"),
    }


def _release(lab: Lab) -> Estimate:
    few, many = measure_sync.FEW_PARTIES, measure_sync.MANY_PARTIES
    crossing = _of(lab, "release", f"{many} parties").less(_of(lab, "release", f"{few} parties"))
    return crossing.times(1 / (many - few))


def _warm_switch(lab: Lab) -> Estimate:
    return _of(lab, "resume", "slept").less(_of(lab, "resume", "down"))


def _machine(lab: Lab) -> Section:
    down, up = _of(lab, "resume", "down"), _of(lab, "resume", "up")
    switch = _of(lab, "compute in turn", "resumed").less(down)
    wake = _of(lab, "wake", "latency").less(up, _release(lab), _warm_switch(lab))
    return {
        "cores": Measured(usable_cores(), "", 0.0, 1, "affinity and quota of this process"),
        "switch_us": switch.measured("us", "a down that slept while 11 others computed, less one that did not sleep"),
        "wake_us": wake.measured("us", "from up until the woken runs on an idle core, less up, release and switch"),
        "release_us": _release(lab).measured("us", "last crossing of a barrier of 13 less one of 2, per sleeper"),
        "quantum_ms": _of(lab, "quantum", "turn").measured("ms", "turns of two processes that spin on one core"),
        "slowdown": _slowdown(lab),
    }


def _slowdown(lab: Lab) -> Measured:
    if len(lab.cores) < 2:
        return Measured(1.0, "", 0.0, 1, "there is one core only")
    alone, together = _of(lab, "compute alone", "slot"), _of(lab, "compute on all cores", "slot")
    ratio = max(1.0, together.value / alone.value)
    spread = math.hypot(alone.relative, together.relative)
    return Measured(ratio, "", spread, together.samples, "a slot with all cores computing, over per_slot; at least 1")


def _operations(lab: Lab) -> Section:
    how = "begin to begin in the log of a driven text, nobody in the way"
    found = {key: _of(lab, "operations", key) for key in OPERATION_KEYS if key != RULES[Verb.SLEEP].cost_key}
    rest = [found["plain"].times(3), found["notify"], _release(lab), _warm_switch(lab)]
    sleep = _of(lab, "condition", "turn").less(*rest)
    # Sleeping gives the mutex back and takes it again: it cannot cost less, whatever the subtraction says.
    least = found["release"].value + found["acquire"].value
    sleep = Estimate(max(least, sleep.value), sleep.deviation, sleep.samples)
    measured = {key: item.measured("us", how) for key, item in found.items()}
    measured["sleep"] = sleep.measured("us", "a turn by a condition on one core, less everything else in it")
    return {key: measured[key] for key in OPERATION_KEYS}


# --- a process of its own ---------------------------------------------------------------------------------------------


def measure_in_fresh_process(
    learner_texts: Mapping[str, str],
    optimizer_texts: Mapping[str, str],
    text: str | None,
    seed: int,
    on_progress: OnProgress,
    *,
    quick: bool = False,
) -> Measurements:
    """`measure` in a new interpreter with one BLAS thread; may be called from any process.

    Raises what `measure` raises, and SubjectFailed where the interpreter is killed. Nothing outlives the call.
    """
    if not sys.platform.startswith("linux"):
        raise BadRequest("calibrate needs Linux (futex, pidfd, memfd): give a cost file with --costs instead")
    request = json.dumps([dict(learner_texts), dict(optimizer_texts), text, seed, quick])
    read_end, write_end = os.pipe()
    command = [sys.executable, "-P", "-m", "real_runtime.measure", request, str(write_end), str(os.getpid())]
    environment = {**os.environ, **dict.fromkeys(THREADS, "1")}
    with os.fdopen(read_end, encoding="utf-8") as messages:
        try:
            process = subprocess.Popen(
                command, pass_fds=[write_end], env=environment, start_new_session=True, stdin=subprocess.DEVNULL
            )
        finally:
            os.close(write_end)
        try:
            return _follow(messages, on_progress)
        except BaseException:
            process.kill()  # it may have work left; what it has forked ends with it
            raise
        finally:
            _end(process)


def _follow(messages: Iterator[str], on_progress: OnProgress) -> Measurements:
    for line in messages:
        message = json.loads(line)
        if message["event"] == "progress":
            on_progress(message["what"], message["done"], message["of"])
        elif message["event"] == "result":
            return Measurements.from_json(message["data"])
        else:
            kinds = {"request": BadRequest, "subject": SubjectFailed}
            raise kinds.get(message["kind"], InternalFailure)(message["message"])
    raise SubjectFailed("the measuring process died (killed?); everything it had started ended with it")


def _end(process: "subprocess.Popen[bytes]") -> None:
    """The measuring process has nothing left to say: collect it, by force if it lingers."""
    try:
        process.wait(END_LIMIT_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def main() -> int:
    """Entry point of the measuring process: request, descriptor for messages, process id of the caller."""
    death_tie()()
    if os.getppid() != int(sys.argv[3]):
        return 1
    with os.fdopen(int(sys.argv[2]), "w", encoding="utf-8") as output:

        def send(**message: Any) -> None:
            output.write(json.dumps(message) + "\n")
            output.flush()

        learner_texts, optimizer_texts, text, seed, quick = json.loads(sys.argv[1])
        try:
            found = measure(
                learner_texts, optimizer_texts, text, seed,
                lambda what, done, of: send(event="progress", what=what, done=done, of=of), quick=quick,
            )  # fmt: skip
            send(event="result", data=found.to_json())
        except CllmError as error:
            kind = "request" if isinstance(error, BadRequest) else "subject"
            send(event="error", kind=kind, message=str(error))
        except Exception as error:
            traceback.print_exc()
            send(event="error", kind="internal", message=f"{type(error).__name__}: {error}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
