"""The inventory: every shared object with its declaration, initialisations, uses, destruction and parties.

Uses are taken from the flows of the roles (so a use through a wrapper is a use of the object that was passed), and from
the outlines of functions no role reaches (`dead`). Rules of this file: it records, it judges nothing; an object is
listed even if nothing uses it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cllm_sim.auditor.facts import Declare, Expr, Function, InitialList, Name, Site, TypeName
from cllm_sim.auditor.flow import Step
from cllm_sim.auditor.locations import Location, members, object_kind
from cllm_sim.auditor.outline import events
from cllm_sim.auditor.program import Count
from cllm_sim.auditor.roles import Role
from cllm_sim.auditor.traverse import statements
from cllm_sim.auditor.vocabulary import ATOMIC, PLAIN, STATIC_INITIALISERS, WRITES, Act, Kind

if TYPE_CHECKING:
    from cllm_sim.auditor.analysis import Analysis

OBJECTS = (Kind.BARRIER, Kind.MUTEX, Kind.CONDITION, Kind.SEMAPHORE, Kind.ATOMIC)


@dataclass(frozen=True, slots=True)
class Use:
    """One use: by which role, in which function, reached by which calls (outermost first). `step` is its number in
    the role's flow (None where no role reaches it; then `role` is "")."""

    act: Act
    site: Site
    role: str
    function: Function
    how: tuple[Site, ...] = ()
    step: int | None = None
    own: bool = False
    passed: bool = False


@dataclass(frozen=True, slots=True)
class Initialisation:
    """One initialisation, with the count of a barrier or the initial value of a semaphore."""

    site: Site
    role: str
    count: Count | None
    how: tuple[Site, ...] = ()
    static: bool = False
    step: int | None = None


@dataclass(slots=True)
class SharedObject:
    """A barrier, mutex, condition, semaphore, atomic, or a piece of plain memory (kind "memory").

    `type` is the declared type (None where no declaration was found). `many` says that one declaration stands for
    several objects (an array of them, or a member of a record of which there are many).
    """

    kind: Kind
    location: Location
    declared: Site | None = None
    type: TypeName | None = None
    many: bool = False
    initialised: list[Initialisation] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)
    destroyed: list[Use] = field(default_factory=list)
    dead: list[Use] = field(default_factory=list)

    @property
    def label(self) -> str:
        """What a person calls it."""
        return self.location.label

    def by(self, *acts: Act) -> list[Use]:
        """The uses of these acts."""
        return [use for use in self.uses if use.act in acts]

    def roles(self, *acts: Act) -> list[str]:
        """The roles with such a use (any, if no acts are given), each once, in the order of the uses."""
        return list(dict.fromkeys(use.role for use in self.uses if not acts or use.act in acts))

    @property
    def site(self) -> Site | None:
        """Where to point: the declaration, else the first initialisation or use."""
        return (
            self.declared
            or next((one.site for one in self.initialised), None)
            or next((use.site for use in (*self.uses, *self.destroyed, *self.dead)), None)
        )


@dataclass(slots=True)
class Inventory:
    """All objects of a program by location; plain memory only where a role (or dead code) touches it."""

    objects: dict[Location, SharedObject] = field(default_factory=dict)
    memory: dict[Location, SharedObject] = field(default_factory=dict)

    def of(self, kind: Kind) -> list[SharedObject]:
        """The objects of a kind, in the order of their declarations."""
        found = [one for one in self.objects.values() if one.kind is kind]
        return sorted(found, key=lambda one: (one.site or Site("", 0), one.label))

    def shared_memory(self) -> list[SharedObject]:
        """Plain memory that several roles touch, sorted by label."""
        found = [one for one in self.memory.values() if len(one.roles()) > 1]
        return sorted(found, key=lambda one: one.label)


def take_inventory(analysis: Analysis) -> Inventory:
    """The inventory of a program."""
    inventory = Inventory()
    for location, type, site, initial, owner in _declared(analysis):
        _declare(inventory, location, type, site, initial, owner)
    _mark_many(analysis, inventory)
    for role in analysis.roles.all:
        for step in analysis.flow(role).events():
            _use(analysis, inventory, role, step)
    _dead(analysis, inventory)
    return inventory


# ------------------------------------------------------------------------------------------------------- declarations
_Declared = tuple[Location, TypeName, Site, Expr | None, Function | None]


def _declared(analysis: Analysis) -> Iterator[_Declared]:
    program = analysis.program
    for file in program.files:
        for one in file.globals:
            if "extern" not in one.type.qualifiers:
                static = "static" in one.type.qualifiers
                location = Location("global", "", one.name, file.path if static else "")
                yield location, program.resolved(one.type, file.path), Site(file.path, one.line), one.initial, None
        for record in (*file.records, *file.local_records):
            for location, type, line in members(program, record):
                yield location, type, Site(record.path, line), None, None
    for function in program.functions:
        for variable in program.locals(function).values():
            if variable.kind == "local" and object_kind(variable.type) is not None:
                name = Name(variable.name, variable.site.line)
                found = analysis.locations.of(name, function)
                if found is not None:
                    yield found, variable.type, variable.site, _initial(variable.name, function), function


def _initial(name: str, function: Function) -> Expr | None:
    for one in statements(function.body):
        if isinstance(one, Declare) and one.name == name and one.initial is not None:
            return one.initial
    return None


def _declare(
    inventory: Inventory, location: Location, type: TypeName, site: Site, initial: Expr | None, owner: Function | None
) -> None:
    kind = object_kind(type)
    if kind is None:
        if location not in inventory.memory:
            inventory.memory[location] = SharedObject(Kind.MEMORY, location, site, type, bool(type.arrays))
        return
    if type.pointers:
        return  # a pointer to an object is no object
    one = SharedObject(kind, location, site, type, bool(type.arrays))
    inventory.objects.setdefault(location, one)
    initialiser = isinstance(initial, Name) and initial.name in STATIC_INITIALISERS
    if initialiser or (isinstance(initial, InitialList) and kind in OBJECTS):
        inventory.objects[location].initialised.append(Initialisation(site, "", None, static=True))


def _mark_many(analysis: Analysis, inventory: Inventory) -> None:
    """Members of a record of which there is an array stand for several objects."""
    program = analysis.program
    arrays = [type for _, type, _, _, _ in _declared(analysis) if type.arrays and not type.pointers]
    for function in program.functions:
        arrays += [one.type for one in program.locals(function).values() if one.type.arrays and not one.type.pointers]
    labels = {program.label(record.name) for type in arrays if (record := program.record(type)) is not None}
    for one in inventory.objects.values():
        one.many = one.many or (one.location.kind == "member" and one.location.owner in labels)


# --------------------------------------------------------------------------------------------------------------- uses
def _use(analysis: Analysis, inventory: Inventory, role: Role, step: Step) -> None:
    event = step.event
    assert event is not None
    if step.target is None or event.act in {Act.CALL, Act.CREATE, Act.JOIN, Act.DETACH}:
        return
    use = Use(event.act, step.site, role.name, step.function, step.how, step.index, step.own, event.passed)
    for other in analysis.locations.several(step.target) if event.kind in OBJECTS else ():
        if event.act not in {Act.INIT, Act.DESTROY}:
            _object(inventory, other, event.kind).uses.append(use)  # the pointer may lead to each of them
    one = _object(inventory, step.target, event.kind)
    if event.act is Act.INIT:
        count = None
        if event.value is not None:
            count = analysis.program.count(event.value, step.function, step.function.path, step.bindings)
        one.initialised.append(Initialisation(step.site, role.name, count, step.how, step=step.index))
    elif event.act in {Act.DESTROY, Act.FREE, Act.UNMAP}:
        one.destroyed.append(use)
    else:
        one.uses.append(use)
    if event.partner is not None and step.partner is not None and event.kind is Kind.CONDITION:
        _object(inventory, step.partner, Kind.MUTEX)


def _object(inventory: Inventory, location: Location, kind: Kind) -> SharedObject:
    known = inventory.objects.get(location) or inventory.memory.get(location)
    if known is not None:
        return known
    shelf = inventory.objects if kind in OBJECTS else inventory.memory
    shelf[location] = SharedObject(kind, location)
    return shelf[location]


def _dead(analysis: Analysis, inventory: Inventory) -> None:
    """Uses in functions that no role reaches: they explain why something is unused, and count for nothing else."""
    for function in analysis.program.functions:
        if analysis.roles.of(function):
            continue
        for event in events(analysis.outliner.of(function).body):
            if event.target is None or event.act is Act.CALL or event.target.kind == "parameter":
                continue
            known = inventory.objects.get(event.target) or inventory.memory.get(event.target)
            if known is not None:
                known.dead.append(Use(event.act, event.site, "", function))


def writes(one: SharedObject) -> list[Use]:
    """The uses that write."""
    return [use for use in one.uses if use.act in WRITES]


def reads(one: SharedObject) -> list[Use]:
    """The uses that read."""
    return [use for use in one.uses if use.act in (PLAIN | ATOMIC) - WRITES or use.act is Act.CHANGE]
