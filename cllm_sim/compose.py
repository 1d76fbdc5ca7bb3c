"""Composition: an architecture and a tree become a system of named actors with their texts and shared objects.

Recursion is substitution, and this is the only place where an inner node differs from a leaf: what a worker is handed
as its `work` is the leaf's text at a leaf and the control's text one level down at an inner node. Actors with the same
role and the same numbers of children and siblings are of one kind and share one text, one set of handles and one
automaton.

Rules of this file: a relative name is bound here, once per actor, and nowhere else. All three interpreters know only
`System`. Keep `docs/architecture.md` in step.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from cllm_sim.architecture import Architecture
from cllm_sim.errors import BadArchitecture
from cllm_sim.operations import (
    Barrier,
    Condition,
    Kind,
    Op,
    Place,
    Regions,
    Seat,
    Shared,
    Steps,
    Team,
    Verb,
    declared,
    seat_class,
)
from cllm_sim.tree import Tree, parent


@dataclass(frozen=True, slots=True)
class SharedObject:
    """One shared object of a system.

    `owner` is the actor whose seat it lies in, `crew` the control whose team it lies in (both None: one for all);
    `number` is its index in a numbered family; `parties` counts only for barriers, `mutex` only for conditions.
    """

    name: str
    field: str
    kind: Kind
    initial: int
    place: Place
    owner: int | None = None
    crew: int | None = None
    number: int | None = None
    parties: int = 0
    mutex: int = -1


@dataclass(frozen=True, slots=True)
class Actor:
    """One actor: its address, its kind, and its place in the tree (`index`: under its parent; root and others -1)."""

    name: str
    kind: int
    parent: int | None
    children: tuple[int, ...]
    index: int
    leaf: bool


class Bound(NamedTuple):
    """An operation and the objects it names. `at`: one variant per child, where it names the child under the cursor."""

    op: Op
    verb: Verb
    on: int
    reads: tuple[int, ...]
    writes: tuple[int, ...]
    scratch: tuple[int, ...]
    at: tuple["Bound", ...] = ()


Binding = dict[str, int | tuple[int, ...]]


@dataclass
class System:
    """Actors, objects and bindings: all that the checker, the simulator and the runtime know of a design."""

    architecture: Architecture
    tree: Tree
    actors: tuple[Actor, ...]
    texts: tuple[Callable[[], Steps], ...]
    objects: tuple[SharedObject, ...]
    bind: tuple[Binding, ...]
    seat_block: tuple[range, ...]
    team_block: tuple[range, ...]
    cursor: tuple[int, ...]
    any_order: frozenset[int] = frozenset()
    spurious: bool = False
    monitor: bool = True
    _bound: list[dict[Op, Bound]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._bound = [{} for _ in self.actors]

    def text(self, actor: int) -> Steps:
        """A fresh run of an actor's text."""
        return self.texts[self.actors[actor].kind]()

    def bound(self, actor: int, op: Op) -> Bound:
        """The operation with its names resolved for this actor; raises BadArchitecture for a name it cannot reach."""
        known = self._bound[actor].get(op)
        if known is None:
            known = self._bound[actor][op] = self._resolve(actor, op)
        return known

    def describe(self, actor: int, op: Op) -> str:
        """The operation in absolute names, as traces and reports show it: `wait 0/batch`."""
        bound = self.bound(actor, op)
        if op.verb is Verb.CHOOSE or op.verb is Verb.NEXT:
            return str(op.verb)
        if op.verb is Verb.JOIN:
            return f"join {self.actors[bound.on].name}"
        if bound.at:
            return f"{op.verb} {self.actors[actor].name}/at/{(op.on or op.writes[0]).rpartition('.')[2]}"
        if op.verb is Verb.EXCHANGE:
            return f"exchange {self.objects[bound.on].name} {op.expected} by {op.value}"
        value = f" {op.value}" if op.verb in (Verb.STORE, Verb.ADD, Verb.WRITE, Verb.AWAIT) else ""
        objects = (bound.on,) if op.on else bound.writes
        return f"{op.verb} {', '.join(self.objects[item].name for item in objects)}{value}"

    def actor_number(self, name: str) -> int:
        """Index of the actor with this name; raises KeyError."""
        for number, actor in enumerate(self.actors):
            if actor.name == name:
                return number
        raise KeyError(name)

    def _resolve(self, actor: int, op: Op) -> Bound:
        if not all(isinstance(number, int) for number in (op.value, op.expected, *op.options)):
            raise BadArchitecture(f"'{op}' carries {op.value!r}; operations carry integers only")
        if op.verb is Verb.NEXT and not op.on.startswith("down."):
            raise BadArchitecture("a cursor is moved by the control only; here 'team' is the worker's side of it")
        names = (op.on, *op.reads, *op.writes, *op.scratch)
        if any(name.startswith("down.at.") for name in names):
            children = self.actors[actor].children
            variants = [self._plain(actor, op, f"down.{index}.") for index in range(len(children))]
            return Bound(op, op.verb, -1, (), (), (), tuple(variants))
        return self._plain(actor, op, "down.at.")

    def _plain(self, actor: int, op: Op, at: str) -> Bound:
        def ids(names: Iterable[str]) -> tuple[int, ...]:
            found: list[int] = []
            for name in names:
                target = self._object(actor, name.replace("down.at.", at))
                found.extend(target if isinstance(target, tuple) else (target,))
            return tuple(found)

        on = self._one(actor, op, at) if op.on and op.verb is not Verb.NEXT else -1
        return Bound(op, op.verb, on, ids(op.reads), ids(op.writes), ids(op.scratch))

    def _one(self, actor: int, op: Op, at: str) -> int:
        target = self._object(actor, op.on.replace("down.at.", at))
        if isinstance(target, tuple):
            raise BadArchitecture(
                f"'{op}' names several objects; use team.at and team.next(), or a loop over team.seats"
            )
        return target

    def _object(self, actor: int, name: str) -> int | tuple[int, ...]:
        try:
            return self.bind[actor][name]
        except KeyError:
            who = self.actors[actor].name
            raise BadArchitecture(
                f"actor {who} names '{name}', which it cannot reach; "
                "declare module-level objects in Architecture(shared=...)"
            ) from None


class _Layout:
    """Collects objects while the tree is walked."""

    def __init__(self, architecture: Architecture) -> None:
        self.architecture = architecture
        self.objects: list[SharedObject] = []

    def add(self, prefix: str, declarations: dict[str, Shared], workers: int, **where: Any) -> Binding:
        """Lay out the objects of one scope; returns field name -> object number(s)."""
        names: Binding = {}
        for name, declaration in declarations.items():
            full = f"{prefix}/{name}" if prefix else name
            if isinstance(declaration, Regions):
                size = _number(declaration, declaration.count, workers)
                names[name] = tuple(
                    self._one(f"{full}[{k}]", name, declaration, number=k, **where) for k in range(size)
                )
                names.update({f"{name}[{k}]": len(self.objects) - size + k for k in range(size)})
            else:
                parties = self._parties(declaration, workers)
                mutex = self._mutex(declaration, names)
                names[name] = self._one(full, name, declaration, parties=parties, mutex=mutex, **where)
        return names

    def _parties(self, declaration: Shared, workers: int) -> int:
        return _number(declaration, declaration.parties, workers) if isinstance(declaration, Barrier) else 0

    def _mutex(self, declaration: Shared, names: Binding) -> int:
        if not isinstance(declaration, Condition):
            return -1
        mutex = names.get(declaration.mutex)
        if not isinstance(mutex, int) or self.objects[mutex].kind is not Kind.MUTEX:
            raise BadArchitecture(
                f"{declaration.place}: Condition('{declaration.mutex}') names no Mutex declared above it "
                "in the same scope"
            )
        return mutex

    def _one(self, name: str, field_name: str, declaration: Shared, **where: Any) -> int:
        self.objects.append(
            SharedObject(name, field_name, declaration.kind, declaration.initial, declaration.place, **where)
        )
        return len(self.objects) - 1


def _number(declaration: Shared, function: Callable[[int], int], workers: int) -> int:
    """What a declaration's function of the number of workers says; raises BadArchitecture where it is no count."""
    try:
        number: object = function(workers)
    except Exception as error:
        raise BadArchitecture(f"{declaration.place}: {type(error).__name__}: {error}") from None
    if not isinstance(number, int) or number < 0:
        raise BadArchitecture(f"{declaration.place}: {number!r} is no count; give a function of the number of workers")
    return number


def _prefixed(prefix: str, names: Binding) -> Binding:
    return {f"{prefix}.{name}": target for name, target in names.items()}


def _each(prefix: str, blocks: Sequence[Binding]) -> Binding:
    """`each.<field>` for all children together, `<i>.<field>` for every child alone."""
    names: Binding = {}
    for index, block in enumerate(blocks):
        names.update(_prefixed(f"{prefix}.{index}", block))
    for name in blocks[0] if blocks else ():
        targets = [block[name] for block in blocks]
        names[f"{prefix}.each.{name}"] = tuple(
            item for target in targets for item in (target if isinstance(target, tuple) else (target,))
        )
    return names


def compose(architecture: Architecture, tree: Tree) -> System:
    """Compose an architecture with a tree; raises BadArchitecture where a declaration does not fit."""
    return _Composition(architecture, Tree(0, 0) if architecture.alone else tree).build()


class _Composition:
    """One run of `compose`; the steps share the tables below."""

    def __init__(self, architecture: Architecture, tree: Tree) -> None:
        self.architecture = architecture
        self.tree = tree
        self.layout = _Layout(architecture)
        self.addresses = tree.addresses()
        self.number = {address: number for number, address in enumerate((*self.addresses, *architecture.others))}
        self.kinds: dict[tuple[str, int, int], int] = {}
        self.texts: list[Callable[[], Steps]] = []

    def build(self) -> System:
        self._check_names()
        module = self.layout.add("", {item.name: item for item in self.architecture.shared}, self.tree.workers)
        seats, seat_blocks, cursors = self._seats()
        teams, team_blocks = self._teams()
        actors = tuple(self._actor(address) for address in (*self.addresses, *self.architecture.others))
        bind = tuple(self._bind(actor, module, seats, teams) for actor in actors)
        blank = (range(0),) * len(self.architecture.others)
        return System(
            self.architecture,
            self.tree,
            actors,
            tuple(self.texts),
            tuple(self.layout.objects),
            bind,
            (*seat_blocks, *blank),
            (*team_blocks, *blank),
            (*cursors, *(-1 for _ in blank)),
        )

    def _check_names(self) -> None:
        """Names must tell objects and actors apart; raises BadArchitecture."""
        taken: set[str] = set()
        for item in self.architecture.shared:
            if not item.name or isinstance(item, Regions):
                raise BadArchitecture(f"{item.place}: a module-level object needs a name; Regions belong in a Team")
            if item.name in taken:
                raise BadArchitecture(f"{item.place}: two module-level objects are called '{item.name}'; rename one")
            taken.add(item.name)
        team = declared(self.architecture.team)
        for name, item in declared(seat_class(self.architecture.team)).items():
            if name in team or name == "cursor":
                where = team.get(name, item).place
                raise BadArchitecture(f"{where}: '{name}' is a name of the team and of its seats; rename one")
        for name, item in team.items():
            if hasattr(Team, name) or name in Team.__annotations__:
                raise BadArchitecture(f"{item.place}: every team has a '{name}' already; choose another name")
        for name in self.architecture.others:
            if not name.isidentifier():
                raise BadArchitecture(f"others['{name}']: an extra actor needs a name of letters, such as 'main'")

    def _seats(self) -> tuple[list[Binding], list[range], list[int]]:
        declarations = declared(seat_class(self.architecture.team))
        seats, blocks, cursors = [], [], []
        for number, address in enumerate(self.addresses):
            start = len(self.layout.objects)
            seats.append(self.layout.add(address, declarations, self.tree.workers, owner=number))
            cursors.append(len(self.layout.objects))
            self.layout.objects.append(
                SharedObject(f"{address}/cursor", "cursor", Kind.CURSOR, 0, Place("", 0), owner=number)
            )
            blocks.append(range(start, len(self.layout.objects)))
        return seats, blocks, cursors

    def _teams(self) -> tuple[list[Binding], list[range]]:
        declarations = declared(self.architecture.team)
        teams: list[Binding] = []
        blocks: list[range] = []
        for number, address in enumerate(self.addresses):
            start = len(self.layout.objects)
            children = len(self.tree.children(address))
            teams.append(self.layout.add(address, declarations, children, crew=number) if children else {})
            blocks.append(range(start, len(self.layout.objects)))
        return teams, blocks

    def _actor(self, address: str) -> Actor:
        number = self.number[address]
        if address in self.architecture.others:
            return Actor(address, self._kind(f"other {address}", 0, self.tree.workers), None, (), -1, False)
        above = parent(address)
        children = tuple(self.number[child] for child in self.tree.children(address))
        siblings = len(self.tree.children(above)) if above else 0
        role = "root" if above is None else "inner" if children else "leaf"
        index = int(address.rpartition(".")[2]) if above else -1
        leaf = not children
        assert number < len(self.addresses)
        return Actor(
            address, self._kind(role, len(children), siblings), self.number.get(above or ""), children, index, leaf
        )

    def _kind(self, role: str, children: int, siblings: int) -> int:
        key = (role, children, siblings)
        if key not in self.kinds:
            self.kinds[key] = len(self.texts)
            self.texts.append(_text(self.architecture, role, children, siblings))
        return self.kinds[key]

    def _bind(self, actor: Actor, module: Binding, seats: list[Binding], teams: list[Binding]) -> Binding:
        names: Binding = dict(module)
        names.update({f"actor.{name}": number for name, number in self.number.items()})
        other = actor.name in self.architecture.others
        me = self.number[actor.name]
        if not other:
            names.update(_prefixed("me", seats[me]))
        above = 0 if other else actor.parent
        if above is not None and teams[above]:
            names.update(self._crew("up", above, seats, teams))
        if actor.children:
            names.update(self._crew("down", me, seats, teams))
        return names

    def _crew(self, prefix: str, control: int, seats: list[Binding], teams: list[Binding]) -> Binding:
        children = [self.number[child] for child in self.tree.children(self.addresses[control])]
        return {
            **_prefixed(prefix, teams[control]),
            **_prefixed(f"{prefix}.owner", seats[control]),
            **_each(prefix, [seats[child] for child in children]),
        }


def _text(architecture: Architecture, role: str, children: int, siblings: int) -> Callable[[], Steps]:
    """The text of one kind of actor. Handles are made once, so every run of the text names the same objects."""
    me: Seat = seat_class(architecture.team)("me")
    up = architecture.team("up", siblings)
    down = architecture.team("down", children)
    leaf, control, worker = architecture.leaf, architecture.control, architecture.worker

    def compute(order: int) -> Steps:
        assert leaf is not None
        return leaf(me, up, order)

    def command(order: int) -> Steps:
        assert control is not None
        return control(me, down, order)

    if role.startswith("other "):
        other: Callable[[Team[Any]], Steps] = architecture.others[role.removeprefix("other ")]
        return lambda: other(up)
    if role == "root":
        work = command if children else compute
        return lambda: architecture.root(me, work)
    assert worker is not None
    return lambda: worker(me, up, command if role == "inner" else compute)
