"""The cost model: how long an operation keeps a core busy on a machine, read from and written to TOML.

Every number comes from a file, which `cllm calibrate` writes from measurements; there are no defaults for durations,
because an invented number that nobody notices is worse than an error. A mean duration follows from the operation and
its piece of work (`mean_s`); a drawn one multiplies it by a factor with mean 1 (`factor`).

Random streams are keyed by (seed of the file, seed of the run, replication, actor's name, purpose) and by nothing else.
Adding an actor shifts nobody's draws, and two architectures simulated with one seed see the same draws for the same
purpose (common random numbers), so their difference is not noise.

Rules of this file: units stand in the names of the fields; everything that leaves it is in seconds. Keep
`[operations]` in step with the cost keys of `operations.RULES` and `docs/operations.md` with the fields.
"""

import difflib
import hashlib
import math
import re
import tomllib
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from cllm_sim.compose import Bound
from cllm_sim.errors import BadRequest
from cllm_sim.job import Piece
from cllm_sim.operations import RULES, Verb
from cllm_sim.slots import even_share

US, MS = 1e-6, 1e-3

NORMAL_SPREAD_MAX = 0.5
"""Beyond it, cutting the normal distribution off at zero would shift its mean by more than 3 %."""

Microseconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
RelativeDeviation = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Distribution = Literal["constant", "normal", "lognormal", "exponential"]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Machine(_Section):
    """The cores and what changing hands costs.

    `switch_us` is paid whenever an actor gets onto a core; `wake_us` passes between being woken and being ready for a
    core; `release_us` is what a waker pays for each actor it wakes, one after another. `quantum_ms` 0 is ideal sharing,
    inf is run to completion, anything between is round robin. `slowdown` is the factor by which all work is slower
    while two or more cores are busy.
    """

    cores: Annotated[int, Field(ge=1)]
    switch_us: Microseconds
    wake_us: Microseconds
    release_us: Microseconds
    quantum_ms: Annotated[float, Field(ge=0)]
    slowdown: Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Operations(_Section):
    """Core time of one operation, per cost key of `operations.RULES`; waiting is not part of it."""

    wait: Microseconds
    acquire: Microseconds
    release: Microseconds
    sleep: Microseconds
    notify: Microseconds
    down: Microseconds
    up: Microseconds
    atomic: Microseconds
    await_: Annotated[float, Field(ge=0, allow_inf_nan=False, alias="await")]
    plain: Microseconds
    choose: Microseconds
    join: Microseconds
    next: Microseconds
    destroy: Microseconds


class ComputeCost(_Section):
    """Forward and backward: per slot of the job, and once per operation."""

    per_slot_us: Microseconds
    fixed_us: Microseconds


class FoldCost(_Section):
    """Adding up: per whole gradient that is read, and once per operation."""

    per_operand_us: Microseconds
    fixed_us: Microseconds


class UpdateCost(_Section):
    """Validating, clipping and applying one whole gradient, and once per operation."""

    per_gradient_us: Microseconds
    fixed_us: Microseconds


class Parameters(_Section):
    """The learner's size in float32 numbers; it decides how evenly a gradient can be cut into slices."""

    size: Annotated[int, Field(ge=1)]


class Spread(_Section):
    """Relative standard deviation of durations by kind, and the distribution they are drawn from."""

    distribution: Distribution = "constant"
    compute: RelativeDeviation = 0.0
    fold: RelativeDeviation = 0.0
    update: RelativeDeviation = 0.0
    operations: RelativeDeviation = 0.0
    seed: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for kind in KINDS:
            spread = float(getattr(self, kind))
            problem = _misfit(self.distribution, spread)
            if problem:
                raise ValueError(f"{kind} = {spread:g} does not fit distribution = '{self.distribution}': {problem}")
        return self


def _misfit(distribution: Distribution, spread: float) -> str | None:
    """Why a spread cannot be had from a distribution; a number that would change nothing is refused, too."""
    if distribution == "constant" and spread:
        return "a constant has no spread (choose lognormal, or leave it out)"
    if distribution == "exponential" and spread not in (0, 1):
        return "its spread is always 1 (or 0 for a kind that is to be constant)"
    if distribution == "normal" and spread > NORMAL_SPREAD_MAX:
        return f"above {NORMAL_SPREAD_MAX:g} the cut at zero shifts the mean (choose lognormal)"
    return None


KINDS = ("compute", "fold", "update", "operations")
"""The kinds of duration that have a spread of their own."""


def kind_of(verb: Verb) -> str:
    """The kind whose spread a verb's duration has."""
    key = RULES[verb].cost_key
    return key if key in KINDS else "operations"


class CostModel(_Section):
    """Durations of all operations on one machine for one learner; immutable."""

    machine: Machine
    operations: Operations
    compute: ComputeCost
    fold: FoldCost
    update: UpdateCost
    parameters: Parameters
    learner: dict[str, str] = Field(default_factory=dict)
    spread: Spread = Field(default_factory=Spread)

    @cached_property
    def _fixed_s(self) -> dict[str, float]:
        return {key: value * US for key, value in self.operations.model_dump(by_alias=True).items()}

    def mean_s(self, bound: Bound, piece: Piece) -> float:
        """Mean core time of an operation in seconds. A slice of a fold costs its part of every operand."""
        if bound.verb is Verb.COMPUTE:
            slots = self.compute.per_slot_us * len(piece.slots)
            return (slots + self.fold.per_operand_us * piece.operands + self.compute.fixed_us) * US
        if bound.verb is Verb.FOLD:
            share = len(even_share(piece.part, piece.parts, self.parameters.size)) / self.parameters.size
            return (self.fold.per_operand_us * piece.operands * share + self.fold.fixed_us) * US
        if bound.verb is Verb.UPDATE:
            return (self.update.per_gradient_us + self.update.fixed_us) * US
        return self._fixed_s[RULES[bound.verb].cost_key]

    def factor(self, kind: str, stream: np.random.Generator) -> float:
        """A draw with mean 1 and the spread of this kind. Draws nothing where the kind has no spread."""
        spread = float(getattr(self.spread, kind))
        if not spread:
            return 1.0
        if self.spread.distribution == "exponential":
            return float(stream.standard_exponential())
        if self.spread.distribution == "lognormal":
            variance = math.log1p(spread * spread)
            return float(stream.lognormal(-variance / 2, math.sqrt(variance)))
        while (drawn := float(stream.normal(1.0, spread))) <= 0:
            pass  # ends: at the largest spread allowed, 98 of 100 draws are positive
        return drawn

    def duration(self, bound: Bound, piece: Piece, stream: np.random.Generator) -> float:
        """Drawn core time of an operation in seconds."""
        return self.mean_s(bound, piece) * self.factor(kind_of(bound.verb), stream)

    def streams(self, seed: int, replication: int) -> "Streams":
        """The random streams of one replication."""
        return Streams(f"{self.spread.seed}/{seed}/{replication}")

    def to_toml(self) -> str:
        """The model as TOML text; `parse_costs` reads it back to an equal model."""
        sections = self.model_dump(by_alias=True)
        return "\n".join(_table(name, rows) for name, rows in sections.items() if rows)


class Streams:
    """Independent random streams by actor and purpose, made on first use."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._made: dict[tuple[str, str], np.random.Generator] = {}

    def of(self, actor: str, purpose: str) -> np.random.Generator:
        """The stream of one actor for one purpose."""
        made = self._made.get((actor, purpose))
        if made is None:
            digest = hashlib.blake2b(f"{self._key}/{actor}/{purpose}".encode(), digest_size=16).digest()
            made = np.random.Generator(np.random.Philox(key=int.from_bytes(digest, "little")))
            self._made[actor, purpose] = made
        return made


# --- reading and writing ----------------------------------------------------------------------------------------------


def load_costs(path: Path) -> CostModel:
    """Read a cost model; raises BadRequest with one line that names the file, the line and the key at fault."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadRequest(f"{path}: cannot be read as costs: {getattr(error, 'strerror', None) or error}") from None
    return parse_costs(text, str(path))


def parse_costs(text: str, source: str) -> CostModel:
    """The cost model of a TOML text; `source` names it in errors."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _syntax_error(source, text, str(error)) from None
    try:
        return CostModel.model_validate(data)
    except ValidationError as error:
        first = min(error.errors(), key=lambda item: (item["type"] != "extra_forbidden", _line(text, item["loc"])))
        raise BadRequest(f"{source}:{_line(text, first['loc'])}: {_words(first)}") from None


def _syntax_error(source: str, text: str, message: str) -> BadRequest:
    """tomllib says `... (at line 3, column 5)` or `... (at end of document)`."""
    found = re.search(r" \(at line (\d+), column \d+\)$", message)
    line = int(found[1]) if found else max(1, len(text.splitlines()))
    return BadRequest(f"{source}:{line}: not valid TOML: {message[: found.start()] if found else message}")


def _line(text: str, location: tuple[int | str, ...]) -> int:
    """The line of a key, else of its table, else the first; an inline table's keys stand on the line of the table."""
    section = str(location[0]) if location else ""
    key = str(location[1]) if len(location) > 1 else None
    table, found = "", 1
    for number, row in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[\s*([^\]]+?)\s*\]", row)
        name = re.match(r"""\s*["']?([\w.-]+)["']?\s*=""", row)
        if header:
            table = header[1]
            found = number if table == section else found
        elif name and table == section and name[1] == key:
            return number
        elif name and not table and name[1].split(".")[0] == section:
            found = number
            if name[1] == f"{section}.{key}":
                return number
    return found


def _words(error: ErrorDetails) -> str:
    """One line for what pydantic found."""
    section, *rest = [str(part) for part in error["loc"]]
    known = _keys(section)
    if error["type"] == "extra_forbidden":
        name, among = (rest[0], known) if rest else (section, list(CostModel.model_fields))
        near = difflib.get_close_matches(name, among, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(among)}"
        return f"unknown {f'key {name!r} in [{section}]' if rest else f'table [{name}]'}; {hint}"
    if error["type"] == "missing":
        what = f"[{section}] lacks the key '{rest[0]}'" if rest else f"the table [{section}] is missing"
        return f"{what}; `cllm calibrate` writes a complete file"
    where = f"[{section}] {rest[0]}" if rest else f"[{section}]"
    shown = "" if isinstance(error["input"], dict) or not rest else f" (it is {error['input']!r})"
    return f"{where}: {error['msg'].removeprefix('Value error, ')}{shown}"


def _keys(section: str) -> list[str]:
    field = CostModel.model_fields.get(section)
    if field is None or not isinstance(field.annotation, type) or not issubclass(field.annotation, _Section):
        return []
    return [item.alias or name for name, item in field.annotation.model_fields.items()]


def _table(name: str, rows: dict[str, Any]) -> str:
    lines = [f"{_key(key)} = {_value(value)}" for key, value in rows.items()]
    return "\n".join([f"[{name}]", *lines, ""])


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _value(name)


def _value(value: float | str) -> str:
    if not isinstance(value, str):
        return repr(value)
    escaped = (_escaped(character) for character in value)
    return f'"{"".join(escaped)}"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    return character if character.isprintable() else f"\\U{ord(character):08x}"
