"""The shape of an audit as its renderers read it: what stands in the result, checked once, with names instead of keys.

Every part is optional, and null counts as missing, so that an audit of an empty folder and one of a whole trainer are
read alike. Rules of this file: shapes only, no wording. Keep it in step with what `cllm audit` writes; fields are only
ever added there, and what is unknown here is ignored. Paths, names and source lines come from strangers: characters
that move a cursor or turn text around are replaced before anybody shows them.
"""

import re
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator

from cllm_sim.errors import BadRequest
from cllm_sim.report.shape import Part

Severity = Literal["error", "warning", "note"]
Status = Literal["met", "partly", "unmet", "unknown"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
STATUSES: tuple[Status, ...] = ("met", "partly", "unmet", "unknown")
UNSHOWABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
REPLACEMENT = "\ufffd"


class Place(Part):
    """A line of the audited program, and what is known about it."""

    path: str = ""
    line: int = 0
    column: int = 0
    text: str = ""
    source: str = ""
    role: str = ""
    operation: str = ""
    count: str = ""
    function: str = ""
    how: tuple["Place", ...] = ()

    @field_validator("count", mode="before")
    @classmethod
    def _as_text(cls, value: Any) -> Any:
        return str(value) if isinstance(value, int) else value

    @property
    def known(self) -> bool:
        """Is this a place at all? (Evidence that nothing was found has none.)"""
        return bool(self.path)

    def __str__(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.path


class SyncObject(Part):
    """A barrier, mutex, condition, semaphore, atomic, flag or shared region."""

    name: str
    declared: Place | None = None
    initialised: tuple[Place, ...] = ()
    waits: tuple[Place, ...] = ()
    destroyed: tuple[Place, ...] = ()
    dead: tuple[Place, ...] = ()
    members: tuple[str, ...] = ()
    note: str = ""


class Thread(Part):
    """An entry function that threads are started with."""

    name: str
    created: tuple[Place, ...] = ()
    joined: tuple[Place, ...] = ()
    detached: tuple[Place, ...] = ()


class Role(Part):
    """What a kind of thread does."""

    name: str
    path: str = ""
    line: int = 0
    entry: str = ""
    kind: str = "other"
    count: str = ""
    reaches_work: bool = False
    work_path: tuple[Place, ...] = ()
    waits_on: tuple[str, ...] = ()
    distributes: tuple[Place, ...] = ()
    accumulates: tuple[Place, ...] = ()
    updates: tuple[Place, ...] = ()
    only_parked: bool = False

    @field_validator("count", mode="before")
    @classmethod
    def _as_text(cls, value: Any) -> Any:
        return str(value) if isinstance(value, int) else value


class Segment(Part):
    """A shared buffer and the part of it that each thread touches."""

    name: str
    declared: Place | None = None
    size: str = ""
    offset: str = ""
    length: str = ""
    written: tuple[Place, ...] = ()
    read: tuple[Place, ...] = ()


class Inventory(Part):
    """Everything that synchronises, every thread, and everything shared."""

    barriers: tuple[SyncObject, ...] = ()
    mutexes: tuple[SyncObject, ...] = ()
    conditions: tuple[SyncObject, ...] = ()
    semaphores: tuple[SyncObject, ...] = ()
    atomics: tuple[SyncObject, ...] = ()
    flags: tuple[SyncObject, ...] = ()
    regions: tuple[SyncObject, ...] = ()
    threads: tuple[Thread, ...] = ()
    roles: tuple[Role, ...] = ()
    segments: tuple[Segment, ...] = ()


class Module(Part):
    """A part of the program and how far the training path uses it."""

    name: str
    files: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    status: str = ""
    evidence: tuple[Place, ...] = ()


class Finding(Place):
    """One defect: where, how bad if true, how sure, and its other sides as notes."""

    code: str
    severity: Severity
    confidence: str = ""
    message: str = ""
    subject: str = ""
    notes: tuple[Place, ...] = ()
    tip: str = ""
    new: bool | None = None
    checked: str = ""


class Rule(Part):
    """A rule as the result names it."""

    name: str = ""
    summary: str = ""
    severity: Severity = "warning"


class Suppressed(Place):
    """A finding that the source itself asked to leave out."""

    code: str
    message: str = ""
    subject: str = ""
    reason: str = ""


class Requirement(Part):
    """One row of the plan that the program is measured against."""

    id: str
    group: str = ""
    text: str = ""
    source: str = ""
    status: Status = "unknown"
    evidence: tuple[Place, ...] = ()
    looked_for: str = ""


class PlanStep(Part):
    """One change that brings the program nearer to the plan."""

    step: int
    title: str = ""
    requirements: tuple[str, ...] = ()
    where: tuple[Place, ...] = ()
    replaces: str = ""
    promise: str = ""
    test: str = ""
    sides: tuple[Place, ...] = ()
    functions: tuple[str, ...] = ()
    patch: str = ""
    order_reason: str = ""


class Pairing(Part):
    """A name of the protocol and the name that the program has for it."""

    ours: str
    theirs: str = ""
    path: str = ""
    line: int = 0


class Assumption(Place):
    """What the audit took for granted, and the option that says otherwise."""

    confidence: str = ""
    override: str = ""


class Unreadable(Place):
    """What could not be read, and why."""

    why: str = ""


class Step(Place):
    """One step of a counterexample, mapped to a line of the program."""

    actor: str = ""
    op: str = ""
    changes: tuple[str, ...] = ()


class Stuck(Place):
    """An actor that cannot go on."""

    actor: str = ""
    waits_for: str = ""
    needs: str = ""


class Broken(Place):
    """A promise that the extracted protocol breaks, with the other side where there is one."""

    kind: str = Field("", alias="class")
    message: str = ""
    other: Place | None = None


class Example(Part):
    """A schedule that goes wrong."""

    schedule: str = ""
    steps: tuple[Step, ...] = ()
    stuck: tuple[Stuck, ...] = ()
    no_way_back: int | None = None


class Promise(Part):
    """A promise of the protocol and whether it holds."""

    name: str
    verdict: str = ""
    kind: str = Field("", alias="class")


class SkeletonCheck(Part):
    """The extracted protocol, checked with one number of workers."""

    workers: int = 0
    verdict: str = ""
    states: int | None = None
    transitions: int | None = None
    complete: bool | None = None
    limit: str = ""
    seconds: float | None = None
    kind: str = Field("", alias="class")
    promises: tuple[Promise, ...] = ()
    counterexample: Example | None = None
    broken: tuple[Broken, ...] = ()


class Skeleton(Part):
    """The protocol that was extracted from the program."""

    text: str = ""
    abstracted: tuple[Place, ...] = ()
    checks: tuple[SkeletonCheck, ...] = ()
    refused: str = ""


class Results(Part):
    """Embedded results of the protocol that the plan leads to; each has the shape of its own verb."""

    check: dict[str, Any] = Field(default_factory=dict)
    simulate: dict[str, Any] = Field(default_factory=dict)
    train: dict[str, Any] = Field(default_factory=dict)
    compare: dict[str, Any] = Field(default_factory=dict)
    workers: int | None = None


class Document(Part):
    """One of the eight documents, by its title."""

    id: str
    title: str = ""


class Node(Part):
    """A box of a graph; its kind decides its outline."""

    id: str
    label: str = ""
    kind: str = "other"


class Edge(Part):
    """An arrow from `a` to `b`, or one for both directions."""

    a: str
    b: str
    label: str = ""
    both: bool = False


class Graph(Part):
    """Boxes and arrows."""

    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()


class Graphs(Part):
    """Which thread does what, and which object orders whom before whom."""

    roles: Graph = Graph()
    order: Graph = Graph()


class Scope(Part):
    """What the audit speaks about."""

    workers: int | None = None


class Audit(Part):
    """The whole result."""

    architecture: str = ""
    file_sha256: str = ""
    command: str | tuple[str, ...] = ()
    environment: dict[str, Any] = Field(default_factory=dict)
    scope: Scope = Scope()
    seconds: float | None = None
    wall_seconds: float | None = None
    exit_code: int = 0
    output: str = ""
    paths: tuple[str, ...] = ()
    files: int = 0
    lines: int = 0
    functions: int = 0
    verdict_line: str = ""
    inventory: Inventory = Inventory()
    modules: tuple[Module, ...] = ()
    findings: tuple[Finding, ...] = ()
    suppressed: tuple[Suppressed, ...] = ()
    rules: dict[str, Rule] = Field(default_factory=dict)
    requirements: tuple[Requirement, ...] = ()
    plan: tuple[PlanStep, ...] = ()
    protocol: str = ""
    mapping: tuple[Pairing, ...] = ()
    assumptions: tuple[Assumption, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    skeleton: Skeleton | None = None
    results: Results | None = None
    documents: tuple[Document, ...] = ()
    graphs: Graphs = Graphs()
    sources: dict[str, dict[int, str]] = Field(default_factory=dict)

    def started(self, role: Role) -> tuple[Place, ...]:
        """Where the threads of a role are created."""
        named = (name for name in (role.entry, role.name) if name)
        threads = {thread.name: thread for thread in self.inventory.threads}
        return next((threads[name].created for name in named if name in threads), ())

    def source(self, place: Place) -> str:
        """The source line at a place, as far as the result carries it."""
        return place.source or self.sources.get(place.path, {}).get(place.line, "")

    @property
    def knows_work(self) -> bool:
        """Is any function known as batch processing? (Else that a role does not reach it means nothing.)"""
        return any(role.reaches_work for role in self.inventory.roles)

    @property
    def has_baseline(self) -> bool:
        """Was the audit compared with an earlier one? (Without one every finding counts as new.)"""
        return "--baseline" in self.command or any(finding.new is False for finding in self.findings)

    def number(self, severity: Severity) -> int:
        """How many findings are so severe."""
        return sum(finding.severity == severity for finding in self.findings)


def read_audit(data: Mapping[str, Any]) -> Audit:
    """The result of an audit; raises BadRequest where it is another verb's or a field has another shape."""
    if data.get("verb", "audit") != "audit":
        raise BadRequest(f"this is the result of '{data['verb']}', not of an audit (cllm audit PATH)")
    try:
        return Audit.model_validate(_showable(data))
    except ValidationError as error:
        first = error.errors()[0]
        where = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in first["loc"]).lstrip(".")
        raise BadRequest(f"the result does not have the shape of an audit: {where}: {first['msg']}") from None


def _showable(value: Any) -> Any:
    """The same document without characters that would do something instead of being seen."""
    if isinstance(value, str):
        return UNSHOWABLE.sub(REPLACEMENT, value.replace("\r\n", "\n"))
    if isinstance(value, Mapping):
        return {_showable(name): _showable(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_showable(item) for item in value]
    return value
