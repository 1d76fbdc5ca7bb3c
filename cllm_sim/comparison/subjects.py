"""One architecture at one number of workers, taken through the stages of a comparison.

Rules of this file: it calls the packages of the verbs and keeps what they return; it computes nothing itself. Real
runs of different subjects are interleaved by the caller, so that a slow minute of the machine hits all of them.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cllm_sim import checker, simulator, validator
from cllm_sim.architecture import Loaded
from cllm_sim.comparison.request import Request
from cllm_sim.costs import CostModel
from cllm_sim.errors import SubjectFailed
from cllm_sim.trace import Trace, read_trace
from real_runtime.launch import launch
from real_runtime.spec import RunSpec

SMALL_SCOPE = 3
"""Workers of the check that is made beside one that could not be finished."""

WARM_UP_STEPS = 2
"""Steps of a real run that are not counted: first touch of memory is no property of a design."""


@dataclass
class Subject:
    """One row of a comparison in the making."""

    loaded: Loaded
    workers: int
    checked: dict[str, Any] | None = None
    small: dict[str, Any] | None = None
    simulated: dict[str, Any] | None = None
    simulated_trace: Trace | None = None
    runs: list[dict[str, Any]] = field(default_factory=list)
    traces: list[Trace] = field(default_factory=list)
    judged: list[dict[str, Any]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @property
    def label(self) -> str:
        """How progress names it."""
        return f"{self.loaded.name} with {self.workers} workers"

    @property
    def samples_ms(self) -> list[list[float]]:
        """Step times of every repeat, the first steps left out."""
        return [run["step_times_ms"][WARM_UP_STEPS:] for run in self.runs]


def check(subject: Subject, asked: Request) -> None:
    """Check at the scope asked for; where that stays undecided, also completely at a small one."""
    subject.checked = _checked(subject, asked, subject.workers)
    if subject.checked["verdict"] == "undecided" and subject.workers > SMALL_SCOPE:
        subject.small = _checked(subject, asked, SMALL_SCOPE)


def _checked(subject: Subject, asked: Request, workers: int) -> dict[str, Any]:
    result = checker.run(subject.loaded, workers=workers, depth=asked.depth, budget_seconds=asked.budget_seconds)
    return result.data


def simulate(subject: Subject, asked: Request, model: CostModel) -> None:
    """Simulate at the scope of the real runs."""
    result, subject.simulated_trace = simulator.run(
        subject.loaded, workers=subject.workers, depth=asked.depth, slots=asked.slots, steps=min(asked.steps, 50),
        costs=model, cores=asked.cores, replications=asked.replications, seed=asked.seed,
    )  # fmt: skip
    subject.simulated = result.data


def train(subject: Subject, asked: Request, folder: Path) -> None:
    """One real run; a run that dies or hangs is kept as a failure."""
    run_dir = (
        folder / "runs" / f"{subject.loaded.name}-{subject.workers}-{len(subject.runs) + len(subject.failures) + 1}"
    )
    run_dir.mkdir(parents=True, exist_ok=True)
    spec = RunSpec(
        subject.loaded.path, str(run_dir), subject.workers, asked.depth, asked.steps, asked.slots, asked.seed,
        asked.text, dict(asked.settings),
    )  # fmt: skip
    try:
        data = launch(spec, lambda _: None)
    except SubjectFailed as failure:
        subject.failures.append(str(failure))
        return
    lines = (run_dir / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    data["step_times_ms"] = [json.loads(line)["step_ms"] for line in lines]
    data["run_dir"] = str(run_dir.relative_to(folder))
    subject.runs.append(data)
    subject.traces.append(read_trace(run_dir / "trace.jsonl"))


def validate(subject: Subject) -> None:
    """Judge every recorded run."""
    for trace in subject.traces:
        subject.judged.append(validator.run(subject.loaded, trace, None).data)
