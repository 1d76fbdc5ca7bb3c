"""One round of writing a skeleton: what is tracked, what is wanted, what had to be given up.

A skeleton is written in rounds. In each, conditions that decide something visible ask for values; what they asked for
is tracked in the next round; what cannot be followed is banned and its conditions become choices of the environment.
The rounds end when nothing changes. Rules of this file: state only; the translation stands in `statements.py`.
"""

from __future__ import annotations

import keyword
from collections.abc import Iterable
from dataclasses import dataclass, field

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Function, Site
from cllm_sim.auditor.flow import Step
from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.outline import Event
from cllm_sim.auditor.skeleton.code import Node
from cllm_sim.auditor.skeleton.objects import RESERVED, Learnt, Objects
from cllm_sim.auditor.skeleton.place import Family, Frame, Root
from cllm_sim.auditor.skeleton.places import Places
from cllm_sim.auditor.skeleton.shared import SharedData
from cllm_sim.auditor.skeleton.sizes import Key, Scale, Sizes
from cllm_sim.auditor.skeleton.threads import Group, Threads

GENERATORS_MAX = 150

Tracked = tuple[object, ...]
"""Something whose value is followed: ("local", path, line, name), ("private", root, path), ("memory", family),
("result", path, line)."""


class TooLarge(Exception):
    """The program has too many functions that matter."""


@dataclass(slots=True)
class Knowledge:
    """What outlives a round."""

    analysis: Analysis
    places: Places
    sizes: Sizes
    threads: Threads
    shared: SharedData
    scale: Scale
    rings: bool = True
    strict: bool = False
    learnt: Learnt = field(default_factory=Learnt)
    tracked: set[Tracked] = field(default_factory=set)
    banned: set[Tracked] = field(default_factory=set)
    compared: dict[Tracked, set[int]] = field(default_factory=dict)
    difficult: set[Tracked] = field(default_factory=set)
    ordered: set[Tracked] = field(default_factory=set)
    arithmetic: set[Tracked] = field(default_factory=set)
    copies: dict[Tracked, set[Tracked]] = field(default_factory=dict)
    partners: dict[Tracked, set[Tracked | None]] = field(default_factory=dict)
    loop_users: dict[Key, set[str]] = field(default_factory=dict)
    local_names: set[str] = field(default_factory=set)
    needs_own: set[tuple[str, int]] = field(default_factory=set)
    needs_index: set[tuple[str, int, str]] = field(default_factory=set)

    def size(self) -> tuple[int, ...]:
        """Grows with everything that was learnt."""
        held = (
            self.banned, self.difficult, self.ordered, self.arithmetic, self.local_names, self.needs_own,
            self.needs_index, self.sizes.known,
        )  # fmt: skip
        nested = (self.compared, self.loop_users, self.copies, self.partners)
        return (
            self.learnt.size(),
            *(len(one) for one in held),
            *(sum(len(values) for values in one.values()) for one in nested),
        )


@dataclass(slots=True)
class Generator:
    """One generator of the skeleton: a C function for one way of being called."""

    name: str
    function: Function
    frame: Frame
    group: Group
    parameters: list[str] = field(default_factory=list)
    sizes: dict[str, str] = field(default_factory=dict)
    locals: dict[Tracked, str] = field(default_factory=dict)
    body: list[Node] = field(default_factory=list)
    returns: bool = False
    silent: bool = False
    done: bool = False
    names: set[str] = field(default_factory=set)
    hows: list[tuple[Site, ...]] = field(default_factory=list)
    own: tuple[str, ...] = ()
    repeated: bool = False


class Round:
    """One round."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self.analysis = knowledge.analysis
        self.program = knowledge.analysis.program
        self.places = knowledge.places
        self.sizes = knowledge.sizes
        self.threads = knowledge.threads
        self.objects = Objects(knowledge.learnt)
        self.objects.names |= knowledge.local_names
        self.objects.names |= knowledge.sizes.taken
        self.wanted: set[Tracked] = set()
        self.generators: dict[tuple[object, ...], Generator] = {}
        self.generator_names: set[str] = set()
        self.abstracted: dict[tuple[str, Site], None] = {}
        self.followed: set[str] = set()
        self.vague: set[str] = set()
        self.writing: list[tuple[str, int]] = []

    def objects_safe(self, name: str) -> str:
        """A local's name that is no word of Python or of the language."""
        return f"{name}_" if name in RESERVED or keyword.iskeyword(name) else name

    def generator_name(self, name: str) -> str:
        """A free name for a generator; objects keep away from it in the next round."""
        name = self.objects_safe(name) if name != "main" else name
        unique, number = name, 2
        while unique in self.generator_names:
            unique, number = f"{name}_{number}", number + 1
        self.generator_names.add(unique)
        self.knowledge.local_names.add(unique)
        return unique

    def paths_of(self, root: Root) -> set[str]:
        """The words in all paths that begin at a root."""
        return {
            word for families in self.knowledge.learnt.by_location.values() for family in families
            if family.root == root for word in family.path
        }  # fmt: skip

    def note(self, text: str, site: Site) -> None:
        """Say that something was left out or made a choice."""
        self.abstracted.setdefault((text, site), None)

    def ban(self, key: Tracked) -> None:
        """Give up following a value."""
        self.knowledge.banned.add(key)

    def want(self, key: Tracked) -> None:
        """Ask for a value to be followed."""
        self.wanted.add(key)

    def follows(self, key: Tracked) -> bool:
        """Is a value followed (or was it just asked for)?"""
        return key not in self.knowledge.banned and (key in self.knowledge.tracked or key in self.wanted)

    def link(self, target: Tracked, source: Tracked | None) -> None:
        """A value goes from one followed thing to another: what the one is compared with matters for the other."""
        if source is None or source == target:
            return
        knowledge = self.knowledge
        knowledge.copies.setdefault(source, set()).add(target)
        values = knowledge.compared.get(target, set())
        if values - knowledge.compared.get(source, set()):
            knowledge.compared.setdefault(source, set()).update(values)
        if target in knowledge.difficult:
            knowledge.difficult.add(source)
        if target in knowledge.ordered:
            knowledge.ordered.add(source)

    def turns(self, key: Tracked) -> bool:
        """Is this a counter that is only ever compared with earlier values of itself?"""
        knowledge = self.knowledge
        if key in knowledge.ordered | knowledge.arithmetic:
            return False
        partners = knowledge.partners.get(key, set())
        return bool(partners) and partners <= knowledge.copies.get(key, set())

    def step(self, event: Event, frame: Frame) -> Step | None:
        """The step of a role's flow that an event is."""
        return self.knowledge.shared.step(event, frame.how)

    def families_at(self, location: Location) -> Iterable[Family]:
        """The places at which memory of this name was seen."""
        return self.knowledge.learnt.by_location.get(location, set())
