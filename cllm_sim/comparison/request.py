"""What a comparison is asked to do, checked before anything starts.

Rules of this file: options in, one frozen value out; every refusal is one line.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cllm_sim.architecture import Loaded
from cllm_sim.compose import compose
from cllm_sim.errors import BadRequest
from cllm_sim.job import Job
from cllm_sim.library import load
from cllm_sim.results import RunResult, read_result
from cllm_sim.tree import checked_tree

STAGES = ("check", "simulate", "train", "validate")
Notify = Callable[[str], None]


def _silent(_: str) -> None:
    pass


@dataclass(frozen=True)
class Request:
    """One comparison: every architecture at every number of workers, through the stages `with_`.

    `steps` and `repeats` are per real run; `budget_seconds` per check. `baseline` is an earlier comparison whose
    measured times must not be exceeded.
    """

    loaded: tuple[Loaded, ...]
    workers: tuple[int, ...] = (12,)
    depth: int = 1
    with_: tuple[str, ...] = STAGES
    steps: int = 60
    repeats: int = 3
    slots: int | None = None
    seed: int = 1
    text: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    costs: str | None = None
    cores: int | None = None
    replications: int = 5
    budget_seconds: float = 20.0
    baseline: RunResult | None = None
    notify: Notify = _silent
    preset: str | None = None

    @property
    def name(self) -> str:
        """Name of the default folder."""
        return "-".join([item.name for item in self.loaded[:3]] + ["compare"])

    def does(self, stage: str) -> bool:
        """Is this stage asked for?"""
        return stage in self.with_


PRESETS: dict[str, dict[str, Any]] = {"demo": {"steps": 60, "repeats": 3, "budget_seconds": 20.0}}
"""Named sets of options; what is given beside them wins."""

OPTIONS = frozenset(Request.__dataclass_fields__) - {"loaded", "notify", "preset"}


def request(architectures: Sequence[str], options: Mapping[str, Any]) -> Request:
    """A checked request; raises BadRequest."""
    if not architectures:
        raise BadRequest("compare needs at least one architecture; 'cllm list' shows the shipped ones")
    preset = options.get("preset")
    if preset is not None and preset not in PRESETS:
        raise BadRequest(f"--preset {preset}: known presets are {', '.join(PRESETS)}")
    given = {name: value for name, value in options.items() if name in OPTIONS and value is not None}
    chosen = {**PRESETS.get(preset or "", {}), **given}
    settings = dict(chosen.pop("settings", None) or {})
    baseline = chosen.pop("baseline", None)
    made = Request(
        tuple(load(str(name), settings) for name in architectures),
        settings=settings,
        baseline=_baseline(baseline),
        notify=options.get("progress") or _silent,
        preset=preset,
    )
    made = replace(made, **{name: _tuple(value) for name, value in chosen.items()})
    _check(made)
    return made


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _baseline(path: str | None) -> RunResult | None:
    if path is None:
        return None
    file = Path(path)
    stored = read_result(file / "result.json" if file.is_dir() else file)
    if stored.data.get("verb") != "compare":
        raise BadRequest(f"{path}: is no comparison, so nothing can be compared with it")
    return stored


def _check(made: Request) -> None:
    unknown = [stage for stage in made.with_ if stage not in STAGES]
    if unknown or not made.with_:
        raise BadRequest(f"--with {','.join(made.with_)}: use some of {','.join(STAGES)}")
    if made.does("validate") and not made.does("train"):
        raise BadRequest("--with validate needs train: only recorded runs can be judged")
    if made.repeats < 1 or made.steps < 3:
        raise BadRequest(f"--repeats {made.repeats} --steps {made.steps}: at least 1 repeat and 3 steps are needed")
    for loaded in made.loaded:
        for workers in made.workers:
            architecture = loaded.architecture
            tree = checked_tree(workers, made.depth, architecture.arity, architecture.depth_max, loaded.name)
            Job(compose(architecture, tree), made.slots)
