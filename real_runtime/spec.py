"""What a run is asked to do, as one plain value that travels to the host process as JSON.

Rules of this file: data and its checks only. Processes get a reference to the architecture's file and load it themselves;
generators and functions are never sent anywhere.
"""

import json
import re
from dataclasses import asdict, dataclass, field

from cllm_sim.errors import BadRequest

INJECTABLE = ("nan", "kill", "stall", "raise")


@dataclass(frozen=True, slots=True)
class Injection:
    """A fault put into a run on purpose: `nan` in the gradient of a slot; `kill`, `stall` or `raise` in an actor's compute."""

    kind: str
    step: int
    slot: int = -1
    actor: str = ""


def parse_injection(text: str) -> Injection:
    """`nan@step=5,slot=7` or `kill@step=5,actor=0.3`; raises BadRequest for anything else."""
    kind, _, rest = text.partition("@")
    given = dict(re.findall(r"(\w+)=([\w.]+)", rest))
    usage = "use nan@step=5,slot=7 or kill@step=5,actor=0.3 (also stall, raise)"
    if kind not in INJECTABLE or not given.get("step", "").isdigit() or set(given) - {"step", "slot", "actor"}:
        raise BadRequest(f"--inject {text}: {usage}")
    if (kind == "nan") != ("slot" in given) or (kind != "nan") != ("actor" in given):
        raise BadRequest(f"--inject {text}: {usage}")
    if not given.get("slot", "0").isdigit():
        raise BadRequest(f"--inject {text}: {usage}")
    return Injection(kind, int(given["step"]), int(given.get("slot", -1)), given.get("actor", ""))


@dataclass(frozen=True, slots=True)
class RunSpec:
    """One real run. `steps` counts from the beginning of training, also where a run is resumed.

    `settings` are the `--set` pairs: the architecture's own, the learner's and the optimizer's. `checkpoint_every` = 0
    saves at the end only; `hang_after_seconds` is how long nobody may move before the run counts as hung.
    """

    architecture: str
    run_dir: str
    workers: int = 12
    depth: int = 1
    steps: int = 100
    slots: int | None = None
    seed: int = 1
    text: str | None = None
    settings: dict[str, str] = field(default_factory=dict)
    epoch_steps: int = 0
    checkpoint_every: int = 0
    resume: bool = False
    inject: tuple[Injection, ...] = ()
    hang_after_seconds: float = 30.0

    def to_json(self) -> str:
        """The value as JSON."""
        return json.dumps(asdict(self))


def spec_from_json(text: str) -> RunSpec:
    """The inverse of `RunSpec.to_json`."""
    data = json.loads(text)
    data["inject"] = tuple(Injection(**item) for item in data["inject"])
    return RunSpec(**data)
