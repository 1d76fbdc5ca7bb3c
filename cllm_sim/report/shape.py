"""The shape of a comparison as reports read it: what stands in the result, checked once, with names instead of keys.

Every part is optional (a comparison `--with check` has no measured times); a part that is null counts as missing.
Times are milliseconds, shares are fractions of 1. Rules of this file: shapes only, no drawing and no wording. Keep it
in step with what `compare` writes; fields are only ever added there, and what is unknown here is ignored.
"""

from collections.abc import Iterable
from typing import Annotated, Any, Literal, Protocol, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from cllm_sim.errors import BadRequest

Kind = Literal["real", "simulated"]
Interval = tuple[float, float]
Share = Annotated[float, Field(ge=0)]


def _count(value: Any) -> Any:
    """A list of steps stands for their number."""
    return len(value) if isinstance(value, list) else value


class Part(BaseModel):
    """A frozen piece of a result in which null and missing are the same."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, data: Any) -> Any:
        return {name: value for name, value in data.items() if value is not None} if isinstance(data, dict) else data


class Subject(Protocol):
    """What names its architecture and its number of workers."""

    @property
    def architecture(self) -> str: ...

    @property
    def workers(self) -> int: ...


SubjectType = TypeVar("SubjectType", bound=Subject)


class Spread(Part):
    """A median with the 5 and 95 percent points of what was seen."""

    median: float
    p05: float | None = None
    p95: float | None = None


class Change(Part):
    """A value at the first and at the last step; not a number where training went wrong."""

    first: float | None = None
    last: float | None = None


class Row(Part):
    """One architecture at one scope: everything that was found out about it."""

    architecture: str
    workers: int = 0
    depth: int = 1
    slots: int | None = None
    verdict: Literal["holds", "broken", "undecided"] | None = None
    verdict_workers: int | None = None
    holds_completely_with: int | None = None
    marked_broken: bool = False
    classes: tuple[str, ...] = ()
    contention_max: int | None = None
    contention_exact: bool = True
    states: int | None = None
    predicted_ms: float | None = None
    predicted_interval_ms: Interval | None = None
    measured_ms: Spread | None = None
    error_pct: float | None = None
    noise_floor_pct: float | None = None
    speedup_vs_serial: float | None = None
    heldout_bits_per_byte: Change | None = None
    loss: Change | None = None
    digest: str | None = None
    digests: tuple[str | None, ...] = ()
    nonfinite_steps: tuple[Annotated[int, BeforeValidator(_count)] | None, ...] = ()
    legal: bool | None = None
    processes: int | None = None
    repeats: int | None = None
    failures: tuple[str, ...] = ()

    @property
    def actors(self) -> int:
        """Number of actors of its tree: those of the real run, else what workers and depth make."""
        return self.processes or sum(self.workers**level for level in range(self.depth + 1))

    @property
    def speedup_interval(self) -> Interval | None:
        """The speed-up of the 5 percent slowest and of the 5 percent fastest steps."""
        value, measured = self.speedup_vs_serial, self.measured_ms
        if value is None or measured is None or not measured.p05 or not measured.p95:
            return None
        return value * measured.median / measured.p95, value * measured.median / measured.p05

    @property
    def different_digests(self) -> tuple[str, ...]:
        """The digests of all repeats, each once, in the order in which they came."""
        found = [digest for digest in self.digests if digest] or ([self.digest] if self.digest else [])
        return tuple(dict.fromkeys(found))


class Pair(Part):
    """Two architectures: `ratio` is the step time of `b` divided by that of `a`, so above 1 `a` is faster."""

    a: str
    b: str
    workers: int = 0
    ratio: float | None = None
    interval: Interval | None = None
    wording: str = ""


class Timeline(Part):
    """What every actor did in a few consecutive steps.

    An event is [actor index, category, begin, end] in ms, and optionally the index of the actor that released the wait.
    """

    architecture: str
    workers: int = 0
    kind: Kind
    actors: tuple[str, ...]
    events: tuple[tuple[int, str, float, float] | tuple[int, str, float, float, int | None], ...] = ()
    steps: tuple[float, ...] = ()

    @model_validator(mode="after")
    def _known_actors(self) -> "Timeline":
        if any(not 0 <= event[0] < len(self.actors) for event in self.events):
            raise ValueError(f"an event names an actor beyond the {len(self.actors)} listed")
        return self


class ActorShare(Part):
    """Where one actor's time went."""

    architecture: str
    workers: int = 0
    actor: str
    kind: Kind
    compute: Share = 0.0
    fold: Share = 0.0
    update: Share = 0.0
    barrier: Share = 0.0
    lock: Share = 0.0
    ready: Share = 0.0

    @property
    def working(self) -> float:
        """The share spent on work."""
        return self.compute + self.fold + self.update


class StepTimes(Part):
    """The step times themselves, in ms."""

    architecture: str
    workers: int = 0
    kind: Kind
    values_ms: tuple[float, ...] = ()


class Lock(Part):
    """One mutex: the most actors that ever waited for it, and how long each actor did in the measured run."""

    architecture: str
    workers: int = 0
    object: str
    worst_checked: int | None = None
    worst_simulated: int | None = None
    wait_ms_total_measured: tuple[float, ...] = ()


class TreeNode(Part):
    """One actor of the control tree."""

    name: str
    parent: str | None = None
    waiting_share: float | None = None


class ControlTree(Part):
    """The control tree of one architecture."""

    architecture: str
    workers: int = 0
    depth: int = 1
    nodes: tuple[TreeNode, ...]


class GraphNode(Part):
    """One box of a graph; boxes of one group (an actor, say) stand together."""

    id: str
    label: str = ""
    group: str = ""
    mark: Literal["", "side"] = ""


class GraphEdge(Part):
    """One arrow of a graph."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    source: str = Field(alias="from")
    target: str = Field(alias="to")
    label: str = ""
    style: Literal["order", "own", "missing", "waits", "circle"] = "order"


class Graph(Part):
    """Who waits for whom, or what happens before what, in the counterexample of a broken architecture."""

    architecture: str
    workers: int = 0
    kind: Literal["wait-for", "happens-before", "schedule"]
    title: str = ""
    nodes: tuple[GraphNode, ...]
    edges: tuple[GraphEdge, ...] = ()
    no_way_back: int | None = None
    hidden: int = 0

    @model_validator(mode="after")
    def _known_nodes(self) -> "Graph":
        known = {node.id for node in self.nodes}
        for edge in self.edges:
            if not {edge.source, edge.target} <= known:
                raise ValueError(f"an edge from {edge.source} to {edge.target} names a node that is not listed")
        return self


class Step(Part):
    """One step of a counterexample."""

    actor: str
    op: str = ""
    path: str = ""
    line: int | None = None
    changes: tuple[str, ...] = ()


class Stuck(Part):
    """One actor that cannot go on, and what it waits for."""

    actor: str
    waits_for: str = ""
    needs: str = ""
    path: str = ""
    line: int | None = None


class Counterexample(Part):
    """How a promise is broken: the shortest schedule, step by step.

    `no_way_back` is the number of steps after which every continuation ends badly.
    """

    architecture: str = ""
    workers: int = 0
    defect: str = Field(default="", alias="class")
    text: str = ""
    schedule: str = ""
    steps: tuple[Step, ...] = ()
    stuck: tuple[Stuck, ...] = ()
    no_way_back: int | None = None


class Inversion(Part):
    """Two architectures that the prediction ranks the other way round, although they differ by more than the noise."""

    a: str
    b: str
    workers: int = 0
    gap_pct: float | None = None
    noise_pct: float | None = None


class Regression(Part):
    """A row whose measured time grew against the baseline by more than the noise."""

    architecture: str
    workers: int = 0
    growth_pct: float
    noise_pct: float | None = None


class Scope(Part):
    """What the result speaks about; None means unlimited or unknown."""

    workers: int | None = None
    depth: int | None = None
    slots: int | None = None
    steps: int | None = None
    faults: int | None = None
    memory: str | None = None


class Comparison(Part):
    """A whole comparison."""

    verb: str = "compare"
    scope: Scope = Scope()
    workers: tuple[int, ...] = ()
    repeats: int | None = None
    seed: int | None = None
    command: str | tuple[str, ...] = ""
    environment: dict[str, Any] = Field(default_factory=dict)
    settings: dict[str, Any] = Field(default_factory=dict)
    files: dict[str, str] = Field(default_factory=dict)
    text: Any = None
    parameters: int | None = None
    costs_source: str | None = None
    seconds: float | None = None
    wall_seconds: float | None = None
    exit_code: int | None = None
    rows: tuple[Row, ...] = ()
    pairs: tuple[Pair, ...] = ()
    inversions: tuple[Inversion, ...] | None = None
    regressions: tuple[Regression, ...] = ()
    median_error_pct: float | None = None
    bigram_bits_per_byte: float | None = None
    timelines: tuple[Timeline, ...] = ()
    shares: tuple[ActorShare, ...] = ()
    step_times: tuple[StepTimes, ...] = ()
    locks: tuple[Lock, ...] = ()
    trees: tuple[ControlTree, ...] = ()
    graphs: tuple[Graph, ...] = ()
    counterexamples: tuple[Counterexample, ...] = ()

    @property
    def architectures(self) -> tuple[str, ...]:
        """All architectures, in the order of the rows."""
        return tuple(dict.fromkeys(row.architecture for row in self.rows))

    @property
    def alone(self) -> frozenset[str]:
        """Architectures of a single actor, to which the number of workers means nothing."""
        return frozenset(row.architecture for row in self.rows if row.processes == 1 or row.workers == 0)

    @property
    def stories(self) -> tuple[Counterexample, ...]:
        """The counterexamples; of those that tell the same in the same words only the first."""
        return tuple(
            {(one.architecture, one.defect, one.text): one for one in reversed(self.counterexamples)}.values()
        )[::-1]

    def label(self, subject: Subject, depth: int | None = None) -> str:
        """`node_zero`, with the number of workers where the comparison has several, and the depth where it is not 1."""
        varied = len({row.workers for row in self.rows if row.architecture not in self.alone}) > 1
        alone = subject.architecture in self.alone
        workers = f" × {subject.workers}" if varied and not alone and subject.workers else ""
        return subject.architecture + workers + (f", depth {depth}" if depth and depth > 1 and not alone else "")


def read_comparison(data: dict[str, Any]) -> Comparison:
    """Check the shape of a compare result; raises BadRequest that names the first field at fault."""
    try:
        return Comparison.model_validate(data)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        where = _where(fault["loc"])
        raise BadRequest(f"the result cannot be shown: field {where}: {fault['msg']}; write it anew") from None


def _where(location: Iterable[int | str]) -> str:
    found = ""
    for item in location:
        found += f"[{item}]" if isinstance(item, int) else f".{item}" if found else item
    return found or "(top)"


def widest(items: Iterable[SubjectType], architecture: str) -> tuple[SubjectType, ...]:
    """Of the items of one architecture those with the largest number of workers."""
    mine = [item for item in items if item.architecture == architecture]
    most = max((item.workers for item in mine), default=0)
    return tuple(item for item in mine if item.workers == most)
