"""An architecture: four small texts, the objects they share, and what it promises.

Upward a node is `root` or `worker`, downward `control` or `leaf`. A file in `models/` (or any file of a user) makes one
`Architecture` and calls it `architecture`. Rules of this file: data only; nothing here runs a text.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from cllm_sim.operations import Shared, Steps, Team
from cllm_sim.slots import ARITY, Share, even_share


class StateView(Protocol):
    """What a promise of an architecture's own may ask about a state; answers never depend on who is which sibling."""

    @property
    def workers(self) -> int:
        """Children of every control."""

    def values(self, name: str) -> tuple[int, ...]:
        """Values of all objects declared under this name, sorted."""

    def about_to(self, verb: str) -> int:
        """Number of actors whose next operation has this verb (waiting ones included)."""


Predicate = Callable[[StateView], bool]


@dataclass(frozen=True, slots=True)
class Promise:
    """A named claim. `kind` is `always`, `sometimes`, or `builtin` for a promise of the table in `promises.py`."""

    name: str
    kind: str = "builtin"
    predicate: Predicate | None = None


def always(name: str, predicate: Predicate) -> Promise:
    """A claim about every reachable state."""
    return Promise(name, "always", predicate)


def sometimes(name: str, predicate: Predicate) -> Promise:
    """A claim that some reachable state fulfils: the guard against holding because nothing happens."""
    return Promise(name, "sometimes", predicate)


uncontended = Promise("uncontended")
"""No actor ever waits for a mutex."""


@dataclass(frozen=True)
class Architecture:
    """The whole design as one value.

    `worker` and `control` are left out by an architecture of a single actor, whose root is handed the leaf's text as
    its work. `others` are further single actors beside the root; each is handed the root's team. `share(index,
    workers, total)` says which slots a child answers for. `depth_max` limits the levels of workers the text is
    written for.
    """

    root: Callable[..., Steps]
    worker: Callable[..., Steps] | None = None
    control: Callable[..., Steps] | None = None
    leaf: Callable[..., Steps] | None = None
    team: type[Team[Any]] = Team
    shared: tuple[Shared, ...] = ()
    others: Mapping[str, Callable[..., Steps]] = field(default_factory=dict)
    promises: tuple[Promise, ...] = ()
    share: Share = even_share
    arity: int = ARITY
    depth_max: int | None = None

    @property
    def alone(self) -> bool:
        """Is this an architecture of a single actor?"""
        return self.control is None


@dataclass(frozen=True)
class Loaded:
    """An architecture together with the file it came from."""

    name: str
    path: str
    sha256: str
    title: str
    architecture: Architecture
    settings: tuple[tuple[str, str], ...] = ()

    @property
    def broken(self) -> bool:
        """Does the file's first line say that it is broken on purpose?"""
        return self.title.startswith("BROKEN")
