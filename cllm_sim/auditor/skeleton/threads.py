"""The threads of a skeleton: every creation is a group of threads, each an actor with its own number.

Rules of this file: a group is one place of creation (two places that start the same function are two groups); what a
thread's argument leads to is worked out here, once per group.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Expr, Function, Name, Site
from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.outline import Event, Repeat
from cllm_sim.auditor.roles import Creation, Role
from cllm_sim.auditor.skeleton.counted import counted_loop
from cllm_sim.auditor.skeleton.place import FREE, Frame, Place
from cllm_sim.auditor.skeleton.places import Places
from cllm_sim.auditor.skeleton.sizes import THREADS, Size, Sizes
from cllm_sim.auditor.vocabulary import Act, Kind

ACTORS_MAX = 9


@dataclass(slots=True)
class Dimension:
    """One loop around a creation: the free index it stands for, the actor's own name for it, and its bound."""

    free: str
    own: str
    bound: Expr | None
    frame: Frame


@dataclass(slots=True)
class Group:
    """Threads made at one place. `handle` is where their identifiers are kept."""

    name: str
    role: Role
    entry: Function
    frame: Frame
    dimensions: list[Dimension] = field(default_factory=list)
    sizes: list[str] = field(default_factory=list)
    handle: Place | None = None
    handle_location: Location | None = None
    event: Event | None = None
    site: Site | None = None
    only: tuple[str, int] | None = None

    @property
    def many(self) -> bool:
        """Are there several threads in the group?"""
        return bool(self.dimensions)

    @property
    def own(self) -> tuple[str, ...]:
        """The names by which a thread knows its own number."""
        return tuple(one.own for one in self.dimensions)

    def actor(self, indices: tuple[str, ...]) -> str:
        """The Python text of the name of one actor."""
        if not self.dimensions:
            return f'"{self.name}"'
        return 'f"' + self.name + "".join(f"_{{{one}}}" for one in indices) + '"'


class Threads:
    """All groups of one program, the calling thread first."""

    def __init__(self, analysis: Analysis, places: Places, sizes: Sizes) -> None:
        self.analysis = analysis
        self.places = places
        self.sizes = sizes
        self.refused = ""
        self.groups: list[Group] = []
        self._names: set[str] = set()
        self._make()

    def _make(self) -> None:
        callers = [role for role in self.analysis.roles.all if role.caller]
        threads = self.analysis.roles.threads
        if len(callers) != 1 or len(callers[0].entries) != 1:
            self.refused = "there is no single main function to begin with"
        elif not threads:
            self.refused = "no threads are created"
        elif self.analysis.roles.unresolved:
            event, _ = self.analysis.roles.unresolved[0]
            self.refused = f"the function that is started at {event.site} is not known"
        if self.refused:
            return
        main = callers[0]
        self.groups.append(Group("main", main, main.entries[0], Frame(main.entries[0])))
        self._names.add("main")
        for role in threads:
            for creation in role.created:
                self._group(role, creation)
        if any(one.bound is None and one.free.endswith(":") for group in self.groups for one in group.dimensions):
            self.refused = "threads are created in a loop of which the rounds are not known"

    def _group(self, role: Role, creation: Creation) -> None:
        entry = role.entries[0]
        frame = self.places.frame(creation.function)
        dimensions = self._dimensions(role, creation, frame)
        self._rounds(creation.function, dimensions)
        only = self._one_each(role, creation, dimensions)
        if only is not None:
            dimensions = [one for one in dimensions if one.free != only[0]]
        group = Group(self._name(entry.name), role, entry, Frame(entry, (creation.event.site,)), dimensions)
        group.sizes = [self._size(one) for one in dimensions]
        group.only = only
        group.event, group.site = creation.event, creation.event.site
        change = {one.free: one.own for one in dimensions}
        if creation.event.expression is not None:
            group.handle = self.places.pointee(creation.event.expression, frame)
            group.handle_location = creation.event.partner
        argument = creation.event.argument
        for parameter in entry.parameters[:1]:
            if argument is None:
                continue
            argument = self.places.rewrite(argument, creation.function)
            place = self.places.pointee(argument, frame)
            self._known_entry(group, parameter.name, place)
            group.frame.places[parameter.name] = None if place is None else place.with_indices(change)
            text = self.places.integer(argument, frame)
            if text in change or text.isdigit():
                group.frame.integers[parameter.name] = change.get(text, text)
        if len(self.groups) > ACTORS_MAX:
            self.refused = f"more than {ACTORS_MAX} places create threads"
        self.groups.append(group)

    def _known_entry(self, group: Group, parameter: str, place: Place | None) -> None:
        """Who asks what the entry's parameter leads to, without being a thread of the group, gets free indices."""
        key = (group.entry.path, group.entry.line)
        if key not in self.places.frames:
            self.places.frames[key] = Frame(group.entry, group.frame.how, {parameter: place})

    def _rounds(self, function: Function, dimensions: list[Dimension]) -> None:
        """Loops around the calls of the function that creates: what it allocates is another piece in every round."""
        outer = [one.free for one in dimensions if not one.free.startswith(f"{FREE}{function.name}:")]
        if outer:
            self.places.rounds[function.path, function.line] = outer

    def _one_each(self, role: Role, creation: Creation, dimensions: list[Dimension]) -> tuple[str, int] | None:
        """A loop over a table of functions, every round starting another one: its counter, and this one's round."""
        entries = creation.event.entries
        for one in dimensions if len(entries) > 1 else ():
            function = one.frame.function
            if one.bound is None or self.analysis.program.constant(one.bound, function, function.path) != len(entries):
                continue
            size = self.sizes.register(one.bound, one.frame, THREADS)
            position = next((at for at, entry in enumerate(entries) if entry is role.entries[0]), None)
            if size is not None and position is not None:
                size.value = len(entries)
                return one.free, position
        return None

    def _name(self, name: str) -> str:
        unique, number = name, 2
        while unique in self._names:
            unique, number = f"{name}_{number}", number + 1
        self._names.add(unique)
        return unique

    def _size(self, one: Dimension) -> str:
        size = None if one.bound is None else self.sizes.register(one.bound, one.frame, THREADS)
        if size is None:
            key = ("threads", one.free)
            if key not in self.sizes.known:
                name = self.sizes._called(("number", ""), THREADS)
                site = Site(one.frame.function.path, one.bound.line if one.bound is not None else 0)
                self.sizes.known[key] = Size(name, THREADS, "not known", None, self.sizes.scale.threads, site)
            return self.sizes.known[key].name
        return size.name

    def _dimensions(self, role: Role, creation: Creation, frame: Frame) -> list[Dimension]:
        found: list[Dimension] = []
        chain = self._chain(creation)
        loops = [(loop, function) for function, at in chain for loop in at]
        for number, (loop, function) in enumerate(loops):
            own = "me" if len(loops) == 1 else f"me_{number + 1}"
            where = frame if function is creation.function else self.places.frame(function)
            count = counted_loop(loop, self.analysis.program)
            if count is None:
                name = _stepped(loop)
                found.append(Dimension(f"{FREE}{function.name}:{name}", own, None, where))
            else:
                found.append(Dimension(f"{FREE}{function.name}:{count.name}", own, count.last, where))
        return found

    def _chain(self, creation: Creation) -> list[tuple[Function, tuple[Repeat, ...]]]:
        """The functions from the creator's entry to the creation, each with the loops around the way on."""
        creator = self.analysis.roles.get(creation.creator)
        found: list[tuple[Function, tuple[Repeat, ...]]] = []
        at = creator.entries if creator is not None else ()
        for site in creation.how:
            for function in at:
                placed = [
                    one for one in self.analysis.roles.placed(function)
                    if one.event.site == site and one.event.callees
                ]  # fmt: skip
                if placed:
                    found.append((function, placed[0].loops))
                    at = placed[0].event.callees
                    break
        for one in self.analysis.roles.placed(creation.function):
            if one.event is creation.event:
                found.append((creation.function, one.loops))
        return found

    # ---------------------------------------------------------------------------------------------------------- asking
    def created(self, event: Event) -> list[Group]:
        """The groups that an event creates."""
        return [group for group in self.groups if group.event is event]

    def joined(
        self, event: Event, place: Place | None, here: dict[str, str]
    ) -> list[tuple[Group, tuple[str, ...] | None]]:
        """The groups whose threads a join may wait for, with the thread's number (None: any).

        `here` are the texts that free indices have where the join stands: the round in which threads were made.
        """
        found: list[tuple[Group, tuple[str, ...] | None]] = []
        for group in self.groups[1:]:
            if place is not None and group.handle is not None and group.handle.family == place.family:
                change = dict(zip(group.handle.indices, place.indices, strict=True))
                if all(change[free] == free for free in change if not free.startswith(FREE)):
                    numbers = tuple(change.get(one.free) or here.get(one.free, "?") for one in group.dimensions)
                    found.append((group, None if "?" in numbers else numbers))
        if found:
            return found
        return [
            (group, self._here(group, here))
            for group in self.groups[1:]
            if event.target is not None and group.handle_location == event.target
        ]

    def _here(self, group: Group, here: dict[str, str]) -> tuple[str, ...] | None:
        numbers = tuple(here.get(one.free, "?") for one in group.dimensions)
        return None if "?" in numbers else numbers

    def many(self, name: str) -> bool:
        """Are there several threads in the group of this name?"""
        return any(group.many for group in self.groups if group.name == name)

    def count(self) -> int:
        """How many threads there are here, the calling one included."""
        return sum(prod(self.size(name).value for name in group.sizes) for group in self.groups)

    def _waiting(self, location: Location | None) -> list[Group]:
        for one in self.analysis.inventory.of(Kind.BARRIER):
            if one.location == location:
                roles = one.roles(Act.WAIT)
                return [group for group in self.groups if group.role.name in roles]
        return []

    def size(self, name: str) -> Size:
        """The number of a Python name."""
        return next(size for size in self.sizes.known.values() if size.name == name)

    def parties(self, location: Location | None) -> int:
        """How many threads wait at a barrier here."""
        return sum(prod(self.size(name).value for name in group.sizes) for group in self._waiting(location))

    def shift(self, event: Event, location: Location | None) -> int:
        """By how much the number of threads that wait at a barrier is smaller here than in the program."""
        shift = 0
        for group in self._waiting(location):
            sizes = [self.size(name) for name in group.sizes]
            if all(size.original is not None for size in sizes):
                shift += prod(size.value for size in sizes) - prod(size.original or 1 for size in sizes)
        return shift


def _stepped(loop: Repeat) -> str:
    names = [getattr(node, "name", "") for node in loop.step]
    condition = loop.condition
    left = getattr(condition, "left", None)
    return next((name for name in names if name), left.name if isinstance(left, Name) else "")
