"""What a run is asked to do, as one plain value that travels to the host process as JSON.

Rules of this file: data and its checks only. Processes get a reference to the architecture's file and load it
themselves; generators and functions are never sent anywhere.
"""

import json
import re
from dataclasses import asdict, dataclass, field

from cllm_sim.errors import BadRequest

INJECTABLE = ("nan", "kill", "stall", "raise")
STEP_MAX = 10**9
_NUMBER = re.compile(r"[0-9]{1,9}\Z")


@dataclass(frozen=True, slots=True)
class Injection:
    """A fault put into a run on purpose.

    `nan` stands in the gradient of `slot` in `step`; `kill`, `stall` and `raise` hit `actor` when it is about to do its
    first piece of work (compute, fold or update) from `step` on. Steps are counted from 1.
    """

    kind: str
    step: int
    slot: int = -1
    actor: str = ""


def parse_injection(text: str) -> Injection:
    """`nan@step=5,slot=7` or `kill@step=5,actor=0.3`; raises BadRequest for anything else."""
    kind, _, rest = text.partition("@")
    place = "slot" if kind == "nan" else "actor"
    pairs = [part.partition("=")[::2] for part in rest.split(",")]
    given = dict(pairs)
    numbers = {name: int(value) for name, value in given.items() if _NUMBER.match(value)}
    numeric = {"step", "slot"} & set(given)
    if kind not in INJECTABLE or len(pairs) != 2 or set(given) != {"step", place} or not numeric <= set(numbers):
        raise BadRequest(f"--inject {text}: use nan@step=5,slot=7 or kill@step=5,actor=0.3 (also stall, raise)")
    if numbers["step"] < 1:
        raise BadRequest(f"--inject {text}: steps are counted from 1")
    return Injection(kind, numbers["step"], numbers.get("slot", -1), given.get("actor", ""))


@dataclass(frozen=True, slots=True)
class RunSpec:
    """One real run. `steps` counts from the beginning of training, also where a run is resumed.

    `settings` are the `--set` pairs: the architecture's own, the learner's and the optimizer's. `checkpoint_every` = 0
    saves at the end only; `hang_after_seconds` is how long nobody may move before the run counts as hung. Raises
    BadRequest for numbers that make no sense.
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

    def __post_init__(self) -> None:
        if not 1 <= self.steps <= STEP_MAX:
            raise BadRequest(f"--steps {self.steps}: from 1 to {STEP_MAX:,} steps can be asked for")
        for name in ("seed", "epoch_steps", "checkpoint_every"):
            if getattr(self, name) < 0:
                raise BadRequest(f"--{name.replace('_', '-')} {getattr(self, name)}: must not be negative")
        if not self.hang_after_seconds > 0:
            raise BadRequest(f"--hang-after {self.hang_after_seconds:g}: must be more than nothing")
        late = [item.step for item in self.inject if item.step > self.steps]
        if late:
            raise BadRequest(f"--inject: there is no step {late[0]}; the run ends after step {self.steps}")

    def to_json(self) -> str:
        """The value as JSON."""
        return json.dumps(asdict(self))


def spec_from_json(text: str) -> RunSpec:
    """The inverse of `RunSpec.to_json`."""
    data = json.loads(text)
    data["inject"] = tuple(Injection(**item) for item in data["inject"])
    return RunSpec(**data)
