"""The words for what synchronises: who waits where, with what count, and what nobody ever does.

Rules of this file: facts of the inventory in words, nothing is judged beyond "never". Chapters and terminal say the
same about an object because both take it from here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cllm_sim.report.audit.shape import Inventory, Place, Segment, SyncObject
from cllm_sim.report.quantities import counted, listed

PLACES_MAX = 4


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of object: its words, and the uses without which it orders nothing, each with what to say then."""

    key: str
    one: str
    many: str
    uses: tuple[tuple[frozenset[str], str], ...]
    unused: str
    counted: bool = False

    def of(self, inventory: Inventory) -> tuple[SyncObject, ...]:
        """All objects of this kind."""
        found: tuple[SyncObject, ...] = getattr(inventory, self.key)
        return found


def _needs(*operations: str, otherwise: str) -> tuple[frozenset[str], str]:
    return frozenset(operations), otherwise


KINDS = (
    Kind("barriers", "barrier", "barriers", (_needs("wait", otherwise="never waited on"),), "never waited on", True),
    Kind("mutexes", "mutex", "mutexes", (_needs("lock", otherwise="never locked"),), "never locked"),
    Kind(
        "conditions",
        "condition",
        "conditions",
        (
            _needs("sleep", "wait", otherwise="nobody waits on it"),
            _needs("signal", "broadcast", otherwise="nobody signals it"),
        ),
        "neither waited on nor signalled",
    ),
    Kind(
        "semaphores",
        "semaphore",
        "semaphores",
        (_needs("down", "wait", otherwise="nobody waits on it"), _needs("up", "post", otherwise="nobody posts it")),
        "neither waited on nor posted",
        True,
    ),
    Kind("atomics", "atomic", "atomics", (), "never used"),
    Kind(
        "flags",
        "plain flag",
        "plain flags",
        (_needs("read", "load", otherwise="never read"), _needs("write", "store", otherwise="never set")),
        "neither set nor read",
    ),
    Kind(
        "regions",
        "shared region",
        "shared regions",
        (_needs("read", "load", "write", "store", otherwise="never read nor written"),),
        "created and never used",
    ),
)

VERBS = {
    "sleep for a time": "sleeps for a time",
    "down": "waits",
    "try down": "tries to take",
    "up": "posts",
    "lock shared": "locks for reading",
    "try to lock": "tries to lock",
}
ALIKE = {"try to lock": "lock", "lock shared": "lock", "sleep for a time": "sleep", "try down": "down"}
KNOWN = frozenset({"unlock", "map", "unmap", "open", "unlink", "initialise", "destroy", "allocate", "free"}).union(
    *(operations for kind in KINDS for operations, _ in kind.uses)
)


def never(kind: Kind, item: SyncObject) -> str:
    """What nobody ever does with the object; empty where it is really used."""
    if not item.waits:
        return kind.unused
    done = {ALIKE.get(place.operation, place.operation) for place in item.waits}
    if done - KNOWN:  # an operation that this file has no word for may be the one that seems to be missing
        return ""
    return listed([words for operations, words in kind.uses if not operations & done])


def unused(kind: Kind, inventory: Inventory) -> tuple[SyncObject, ...]:
    """All objects of a kind that lack a use."""
    return tuple(item for item in kind.of(inventory) if never(kind, item))


def count_of(item: SyncObject) -> str:
    """The expression an object is initialised with; several where they differ."""
    return listed(list(dict.fromkeys(place.count for place in item.initialised if place.count)), "or")


def facts(kind: Kind, item: SyncObject) -> list[str]:
    """The important facts about an object, the most important first."""
    told = []
    if kind.counted:
        told.append(_initialised(item))
    if item.waits:
        told += uses(item.waits)
    lacking = never(kind, item)
    if lacking:
        told.append(lacking)
    if item.initialised and not item.destroyed and kind.key in ("barriers", "mutexes", "conditions", "semaphores"):
        told.append("never destroyed")
    if item.dead:
        told.append(f"used in code that nobody reaches ({places(item.dead)})")
    note = "" if lacking and "used" in item.note else item.note  # the same in other words
    return [fact for fact in (*told, note) if fact]


def _initialised(item: SyncObject) -> str:
    if not item.initialised:
        return "never initialised"
    count = count_of(item)
    where = places(item.initialised)
    return f"count {count} ({where})" if count else f"initialised ({where})"


def uses(found: Iterable[Place]) -> list[str]:
    """`worker waits (src/pool.c:120, 140)` for every role and operation."""
    groups: dict[tuple[str, str], list[Place]] = {}
    for place in found:
        groups.setdefault((place.role or "somebody", place.operation or "use"), []).append(place)
    return [f"{role} {verb(operation)} ({places(where)})" for (role, operation), where in groups.items()]


def verb(operation: str) -> str:
    """What somebody does who does this."""
    return VERBS.get(operation, f"{operation}es" if operation.endswith(("s", "sh", "ch")) else f"{operation}s")


def places(found: Sequence[Place]) -> str:
    """`src/pool.c:120, 140; src/main.c:7`: each file once, and not more than can be read."""
    lines: dict[str, list[str]] = {}
    unique = list(dict.fromkeys((place.path, place.line) for place in found if place.known))
    for path, line in unique[:PLACES_MAX]:
        lines.setdefault(path, []).append(str(line))
    told = "; ".join(f"{path}:{', '.join(numbers)}" for path, numbers in lines.items())
    return f"{told} and {len(unique) - PLACES_MAX} more" if len(unique) > PLACES_MAX else told


def summary(kind: Kind, inventory: Inventory) -> str:
    """`2 barriers, 1 never waited on`, or that there is none."""
    found = kind.of(inventory)
    if not found:
        return "none"
    lacking: dict[str, int] = {}
    for item in unused(kind, inventory):
        lacking[never(kind, item)] = lacking.get(never(kind, item), 0) + 1
    parts = [f"{number} {words}" if len(found) > 1 else words for words, number in lacking.items()]
    return ", ".join([counted(len(found), kind.one, kind.many), *parts])


def segment_facts(segment: Segment) -> list[str]:
    """Size, share of each thread, and who touches it."""
    share = f"each from {segment.offset}" if segment.offset else ""
    if segment.length:
        share = f"{share}, {segment.length} long" if share else f"each {segment.length} long"
    told = [f"size {segment.size}" if segment.size else "", share]
    told += [f"written by {_by_role(segment.written)}" if segment.written else "never written"]
    told += [f"read by {_by_role(segment.read)}" if segment.read else "never read"]
    return [part for part in told if part]


def _by_role(found: Sequence[Place]) -> str:
    groups: dict[str, list[Place]] = {}
    for place in found:
        groups.setdefault(place.role or "somebody", []).append(place)
    return listed([f"{role} ({places(where)})" for role, where in groups.items()])
