"""One level of a tree by itself: a node, its children as plain workers, and whatever is outside of the two.

    outside  (the parent's team and seat, siblings, module-level regions)
       |
     node    (a root, a control, or a worker without children)
       |
    children (always plain workers: they stand for the interface process)

Objects of the node and its children keep their values here. Objects outside, and those of the node's own seat that its
parent touches, do not: what happens to them is seen from outside as an `Action`, and what comes back is an `Answer`.

Rules of this file: objects and bindings come from `compose`, meanings from `semantics` (see `moves.py`); nothing here
knows an architecture. A level is built once per role and fan-out.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from cllm_sim.architecture import Architecture
from cllm_sim.checker.unfold import Automaton, Lines
from cllm_sim.compose import Actor, Binding, Bound, SharedObject, System, compose
from cllm_sim.errors import BadArchitecture
from cllm_sim.induction.findings import NotProvable
from cllm_sim.operations import Kind, Place, Steps
from cllm_sim.tree import Tree

ROOT, CONTROL, WORKER = "root", "control", "worker"

ENVIRONMENT_PARTIES = 2
"""Parties of a barrier of the parent's: the node, and everybody outside."""


def _silence() -> Steps:
    """The environment's own text: it never acts by itself."""
    yield from ()


@dataclass
class Texts:
    """The automata of one architecture at one fan-out, unfolded once and shared by all levels."""

    path: str
    lines: Lines = field(default_factory=set)
    automata: dict[str, Automaton] = field(default_factory=dict)

    def of(self, role: str, system: System, actor: int) -> Automaton:
        """The automaton of a role, whose text is that of an actor of a composed system."""
        if role not in self.automata:
            self.automata[role] = Automaton(system.texts[system.actors[actor].kind], self.lines, self.path)
        return self.automata[role]


@dataclass
class Level:
    """A node and its children as a system of its own; actor 0 is the node, the last one everybody outside.

    Objects stand in the order own seat and team (`shared` of them), outside, then one block per child. `open_to` are
    the numbers of the objects whose values are kept outside.
    """

    role: str
    workers: int
    system: System
    automata: tuple[Automaton, ...]
    shared: int
    block: int
    open_to: frozenset[int]
    private: tuple[bool, ...]
    regions: tuple[bool, ...]
    _bound: dict[tuple[int, int], Bound | None] = field(default_factory=dict)

    @property
    def outside(self) -> int:
        """The number of the actor that stands for everybody outside."""
        return len(self.automata)

    def automaton(self, actor: int) -> Automaton:
        """The automaton that an actor runs."""
        return self.automata[actor]

    def place(self, actor: int, situation: int) -> Place:
        """The user's line at which an actor stands."""
        return self.automata[actor].place[situation]

    def pending(self, actor: int, situation: int) -> Bound | None:
        """The operation that an actor performs next; None where it has finished."""
        key = (actor, situation)
        if key not in self._bound:
            self._bound[key] = self._resolved(actor, situation)
        return self._bound[key]

    def _resolved(self, actor: int, situation: int) -> Bound | None:
        op = self.automata[actor].op[situation]
        if op is None:
            return None
        place = self.place(actor, situation)
        if any(_indexed(name) for name in (op.on, *op.reads, *op.writes, *op.scratch)):
            raise NotProvable("interchangeable", f"'{op}' names a child by its index", place)
        try:
            return self.system.bound(actor, op)
        except BadArchitecture as error:
            raise BadArchitecture(f"{place}: {error}") from None


def _indexed(name: str) -> bool:
    side, _, rest = name.partition(".")
    return side in ("up", "down") and rest.partition(".")[0].isdigit()


def build(architecture: Architecture, role: str, workers: int, touched: frozenset[str], texts: Texts) -> Level:
    """The level of a role; `touched` are the fields of a child's seat that anybody above or beside it uses."""
    return _Assembly(architecture, role, workers, touched, texts).build()


class _Assembly:
    """One run of `build`: parts of two composed systems, one as seen from below and one as seen from above."""

    def __init__(
        self, architecture: Architecture, role: str, workers: int, touched: frozenset[str], texts: Texts
    ) -> None:
        self.architecture, self.role, self.workers = architecture, role, workers
        self.touched, self.texts = touched, texts
        self.flat = compose(architecture, Tree(workers, 1))
        self.children = 0 if role == WORKER else workers
        self.objects: list[SharedObject] = []
        self.below: dict[int, int] = {}
        self.above: dict[int, int] = {}

    def build(self) -> Level:
        shared = self._own()
        own_seat = len(self.flat.seat_block[0])
        outside = self._outside()
        children = [self._child(number) for number in range(1, self.children + 1)]
        open_to = {item for item in range(own_seat) if self._open(item)} if self.role != ROOT else set()
        self._conditions()
        automata = self._automata()
        system = self._system(automata, range(own_seat), range(own_seat, shared), children)
        block = self.flat.seat_block[1]
        private = tuple(
            self.flat.objects[item].field not in self.touched and self.flat.objects[item].kind is not Kind.CURSOR
            for item in block
        )
        regions = tuple(self.flat.objects[item].kind is Kind.REGION for item in block)
        unkept = frozenset({*open_to, *outside})
        return Level(self.role, self.workers, system, automata, shared, len(block), unkept, private, regions)

    def _open(self, item: int) -> bool:
        """Does anybody outside touch this object of the node's own seat?"""
        thing = self.objects[item]
        return thing.field in self.touched or thing.kind is Kind.CURSOR

    def _own(self) -> int:
        """The node's own seat, then its team."""
        seat = self.flat.seat_block[0]
        team = self.flat.team_block[0] if self.children else range(0)
        for item in (*seat, *team):
            self._add(self.below, item, "node", 0)
        for mine, theirs in zip(self.flat.seat_block[1], seat, strict=True):
            self.above[mine] = self.below[theirs]
        return len(self.objects)

    def _outside(self) -> range:
        """Module-level objects, and everything of the parent's that a worker could name."""
        start = len(self.objects)
        module = [item for item, thing in enumerate(self.flat.objects) if thing.owner is None and thing.crew is None]
        for item in module:
            self.above[item] = self._add(self.below, item, "", None)
        if self.role != ROOT:
            mine = set(self.flat.seat_block[1])
            for item in range(len(self.flat.objects)):
                if item not in mine and item not in self.above:
                    owner = self.flat.objects[item].owner
                    self._add(self.above, item, f"sibling {owner}" if owner else "parent", None)
        return range(start, len(self.objects))

    def _child(self, number: int) -> range:
        start = len(self.objects)
        for item in self.flat.seat_block[number]:
            self._add(self.below, item, f"child {number - 1}", number)
        return range(start, len(self.objects))

    def _add(self, into: dict[int, int], item: int, holder: str, owner: int | None) -> int:
        thing = self.flat.objects[item]
        name = f"{holder}/{thing.name.partition('/')[2]}" if holder else thing.name
        outside = owner is None
        into[item] = len(self.objects)
        self.objects.append(
            replace(
                thing,
                name=name,
                owner=owner if thing.owner is not None else None,
                crew=0 if thing.crew is not None and not outside else None,
                parties=ENVIRONMENT_PARTIES if outside and thing.kind is Kind.BARRIER else thing.parties,
            )
        )
        return into[item]

    def _conditions(self) -> None:
        """Condition variables name their mutexes by number: numbers of this level."""
        for table in (self.below, self.above):
            for item, new in table.items():
                mutex = self.flat.objects[item].mutex
                if mutex >= 0:
                    self.objects[new] = replace(self.objects[new], mutex=table[mutex])

    def _automata(self) -> tuple[Automaton, ...]:
        child = self.texts.of(WORKER, self.flat, 1)
        if self.role == WORKER:
            return (child,)
        node = self.texts.of(ROOT, self.flat, 0) if self.role == ROOT else self._control()
        return (node, *(child for _ in range(self.children)))

    def _control(self) -> Automaton:
        if CONTROL in self.texts.automata:
            return self.texts.automata[CONTROL]
        deep = compose(self.architecture, Tree(self.workers, 2))
        return self.texts.of(CONTROL, deep, 1)

    def _system(self, automata: tuple[Automaton, ...], seat: range, team: range, children: list[range]) -> System:
        numbers = range(1, len(children) + 1)
        actors = (
            Actor("root" if self.role == ROOT else "node", 0, None, tuple(numbers), -1, not children),
            *(Actor(f"child {number - 1}", 1, 0, (), number - 1, True) for number in numbers),
            Actor("outside", 2, None, (), -1, False),
        )
        blank = (range(0),)
        return System(
            self.architecture,
            Tree(self.workers, 1),
            actors,
            (automata[0].text, automata[-1].text, _silence),
            tuple(self.objects),
            (self._node_binding(), *(self._binding(self.flat.bind[number], self.below) for number in numbers), {}),
            (seat, *children, *blank),
            (team, *(blank * len(children)), *blank),
            (*(block.stop - 1 for block in (seat, *children)), -1),
            any_order=frozenset({0}) if children else frozenset(),
            monitor=False,
        )

    def _node_binding(self) -> Binding:
        names: Binding = {}
        if self.children:
            names.update(self._binding(self.flat.bind[0], self.below))
        if self.role != ROOT:
            names.update(self._binding(self.flat.bind[1], self.above))
        return names

    def _binding(self, names: Binding, table: dict[int, int]) -> Binding:
        """The names of one actor as numbers of this level; names of actors are left out."""
        found: Binding = {}
        for name, target in names.items():
            if not name.startswith("actor."):
                known = [item in table for item in _numbers(target)]
                if all(known):
                    found[name] = table[target] if isinstance(target, int) else tuple(table[item] for item in target)
        return found


def _numbers(target: int | tuple[int, ...]) -> Iterable[int]:
    return (target,) if isinstance(target, int) else target


def touched_fields(automata: Iterable[Automaton]) -> Iterator[str]:
    """Fields of a child's seat that the parent or a sibling names."""
    for automaton in automata:
        for op in automaton.op:
            for name in (op.on, *op.reads, *op.writes, *op.scratch) if op is not None else ():
                side, _, rest = name.partition(".")
                scope, _, wanted = rest.partition(".")
                if scope in ("each", "at") and side in ("up", "down"):
                    yield wanted
