"""What to repair: the causes that the defects of a check show, each with its line and what to do about it.

A cause is read off the counterexamples: a barrier declared for a number that does not come, locks taken in two orders,
a notify that nobody heard, a wait that nobody left can end, two accesses that nothing orders. What lies deepest comes
first; a defect whose root is known (a wrong count) is not explained a second time by what follows from it.

Rules of this file: it reads results and claims only what they show; names are the user's, with their lines. Keep it in
step with the words of `changes`, `needs` and `places`.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from cllm_sim.report.locks import Held, held_at_end
from cllm_sim.report.naming import base_name, family
from cllm_sim.report.quantities import counted, listed
from cllm_sim.report.waits import Wait, circle, labels_of, left_at, named, sentence, waits, what
from cllm_sim.report.wakeups import missed

Data = Mapping[str, Any]
DECLARED = re.compile(r"(.+) is declared for (\d+) parties, but (\d+) actors wait on it")
AFTER = re.compile(r" \(after [\d,]+ steps?\)$")

ADVICE = {
    "stale-read": "let whoever folds wait for whoever writes: a barrier that both cross between the two",
    "lost-update": "fold what is there before the next result is written over it",
    "lost-batch": "fold every segment once between the computing and the update",
    "double-processing": "compute once, fold once and update once per order; the update empties all segments",
    "role": "only leaves compute: move the compute into `leaf`",
    "ownership": "write into=me.segment; only the fold of the control writes anything of others",
    "lock-misuse": "give back a mutex only where it is held, and by whoever took it",
    "barrier-misuse": "destroy a barrier only where nobody can wait on it any more",
    "use-after-destroy": "destroy it after the last use, with a join or a barrier between",
    "contention": "let everybody work on what is its own, and meet at a barrier instead of taking a lock in turn",
    "coverage": "make the shares cover every item exactly once, the remainder included",
}
FOLLOWING = frozenset({"stale-read", "lost-update", "lost-batch", "double-processing"})
"""Classes that usually follow from another defect: repair that one first."""


class Cause(NamedTuple):
    """Something to repair: its line, what is wrong, what to do; `weight` 0 lies deepest."""

    weight: int
    path: str
    line: int | None
    text: str
    advice: str


def causes(data: Data, depth: int) -> list[Cause]:
    """All different causes of a result, the deepest first."""
    found: dict[Cause, None] = {}
    for defect in data.get("broken") or ():
        found.update(dict.fromkeys(causes_of(data, defect, depth)))
    first = {(cause.weight, cause.path, cause.line, cause.advice): cause for cause in reversed(found)}
    kept = [cause for cause in found if first[cause.weight, cause.path, cause.line, cause.advice] is cause]
    return sorted(kept, key=lambda cause: cause.weight)


def causes_of(data: Data, defect: Data, depth: int) -> list[Cause]:
    """The causes that one defect shows."""
    counts = list(_wrong_counts(data, defect, depth))
    if counts:
        return counts
    found = [cause for rule in RULES for cause in rule(defect, depth)]
    if found or defect["class"] not in ADVICE:
        return found
    weight = 3 if defect["class"] in FOLLOWING else 1
    return [Cause(weight, defect.get("path", ""), defect.get("line"), told(defect), _advice(data, defect))]


def _advice(data: Data, defect: Data) -> str:
    """What to do about a class; a value that is missing without any race was written by nobody."""
    if defect["class"] != "stale-read" or any(row["class"] == "race" for row in data.get("broken") or ()):
        return ADVICE[defect["class"]]
    if told(defect).startswith("applies"):
        return "fold into it before the update, on every way through the text"
    return "let somebody compute it on every way through the text, before the fold: here nobody does"


def told(defect: Data) -> str:
    """What a defect's own text says, without the number of steps."""
    return AFTER.sub("", str(defect["text"]))


# ---------------------------------------------------------------------------------------------------- barriers counted
def _wrong_counts(data: Data, defect: Data, depth: int) -> Iterator[Cause]:
    for place in defect.get("places") or ():
        told = DECLARED.fullmatch(place.get("note") or "")
        if told is None:
            continue
        name, declared, come = told[1], int(told[2]), int(told[3])
        if declared > come and _may_come_later(data, defect, name):
            continue
        only = "" if declared < come else "only "
        come_said = counted(come, "actor waits", "actors wait")
        text = f"barrier {name} is declared for {declared} parties, but {only}{come_said} on it"
        users = _users(data, name, depth)
        text += f": {users}" if users else ""
        text += f". Any {declared} of them go on without the rest" if declared < come else ". Nobody ever gets past it"
        yield Cause(0, place["path"], place.get("line"), text, _count_advice(data, declared, come))


def _may_come_later(data: Data, defect: Data, name: str) -> bool:
    """Somebody is stuck elsewhere, and waits on this barrier were never reached: more actors may belong to it."""
    example = defect.get("counterexample") or {}
    elsewhere = any(row["waits_for"] != name for row in example.get("stuck") or ())
    waiting = f".{family(name)}.wait("
    return elsewhere and any(waiting in str(row.get("text")) for row in data.get("unreached") or ())


def _users(data: Data, name: str, depth: int) -> str:
    """Who waits on a barrier in the counterexamples, and where: `control (line 33), worker 0.0 and 0.1 (line 26)`."""
    lines: dict[int, list[str]] = {}
    labels: dict[str, str] = {}
    for defect in data.get("broken") or ():
        example = defect.get("counterexample") or {}
        labels |= labels_of(example, depth)
        steps = [row for row in example.get("steps") or () if row["op"] == f"wait {name}"]
        for row in (*steps, *(row for row in example.get("stuck") or () if row["waits_for"] == name)):
            at = lines.setdefault(row["line"], [])
            if row["actor"] not in at:
                at.append(row["actor"])
    return listed([f"{named(sorted(who), labels)} (line {line})" for line, who in sorted(lines.items())])


def _count_advice(data: Data, declared: int, come: int) -> str:
    workers = (data.get("scope") or {}).get("workers") or 0
    counts = {workers + 1: "Barrier(), which counts a control and its workers", workers: "lambda workers: workers"}
    right = f"declare it for {come}" + (f" ({counts[come]})" if come in counts else "")
    if declared < come:
        return f"{right}, or let only {declared} of them wait on it"
    missing = declared - come
    others = f"let {'the other one' if missing == 1 else f'the other {missing}'} wait on it, too"
    return f"{others}, or {right}" if declared in counts else f"{right}, or {others}"


# --------------------------------------------------------------------------------------------------------------- locks
def _lock_orders(defect: Data, depth: int) -> Iterator[Cause]:
    """Actors that wait for one another's locks: each holds what the next one wants."""
    example = defect.get("counterexample") or {}
    ring = circle(waits(example))
    if not ring or any(wait.kind != "mutex" for wait in ring):
        return
    labels, held = labels_of(example, depth), held_at_end(example)
    parts = []
    for wait in ring:
        mine = [lock for lock in held.get(wait.actor, ()) if any(lock.name == other.on for other in ring)]
        who = labels[wait.actor]
        has = listed([f"{lock.name} (line {lock.line})" for lock in mine])
        parts.append(f"{who} holds {has} and wants {wait.on} (line {wait.line})")
    if len(ring) == 1:
        advice = f"a mutex is no counter: give {family(ring[0].on)} back before taking it again"
        text = f"{labels[ring[0].actor]} wants {ring[0].on}, which it holds itself"
        yield Cause(1, ring[0].path, ring[0].line, text, advice)
        return
    names = sorted({family(wait.on) for wait in ring})
    advice = f"take {listed(names)} in the same order everywhere, for example {' before '.join(names)}"
    if len(names) == 1:
        advice = f"take the {names[0]} of several in one fixed order, never in a circle"
    yield Cause(1, ring[0].path, ring[0].line, "; ".join(parts), advice)


def _kept_locks(defect: Data, depth: int) -> Iterator[Cause]:
    """Somebody waits for a lock whose holder has left, or waits for something else with the lock in its hand."""
    example = defect.get("counterexample") or {}
    found = {wait.actor: wait for wait in waits(example)}
    labels, held, left = labels_of(example, depth), held_at_end(example), left_at(example)
    for wait in found.values():
        holder = wait.helpers[0] if wait.kind == "mutex" and wait.helpers else ""
        lock = next((lock for lock in held.get(holder, ()) if lock.name == wait.on), None)
        if lock is None:
            continue
        if holder in left:
            text = f"{labels[holder]} took {lock.name} (line {lock.line}) and left with it (line {left[holder]})"
            yield Cause(1, lock.path, lock.line, text, f"give {family(lock.name)} back before the end")
        elif holder in found and found[holder].kind != "mutex":
            keeps = found[holder]
            text = (
                f"{labels[holder]} holds {lock.name} (line {lock.line}) while it waits for {what(keeps, labels, left)}"
            )
            advice = f"give {family(lock.name)} back before line {keeps.line}; others need it to get there"
            yield Cause(1, keeps.path, keeps.line, text, advice)


# ------------------------------------------------------------------------------------------------- conditions, barriers
def _lost_notifies(defect: Data, depth: int) -> Iterator[Cause]:
    example = defect.get("counterexample") or {}
    labels = labels_of(example, depth)
    for wait in waits(example):
        if wait.kind == "condition":
            told = missed(example, wait, labels)
            if told is not None:
                yield Cause(1, wait.path, wait.line, told.text, told.advice)


def _nobody_comes(defect: Data, depth: int) -> Iterator[Cause]:
    """A barrier at which some wait for those who have left, or who wait elsewhere."""
    example = defect.get("counterexample") or {}
    found = waits(example)
    if any(wait.kind not in ("barrier", "word", "semaphore", "actor") for wait in found):
        return
    labels, left = labels_of(example, depth), left_at(example)
    ring = circle(found)
    free = [wait for wait in found if wait.kind in ("word", "semaphore")]
    if free:  # whoever waits for these waits for anybody, so a circle through them proves nothing
        found, ring = free, []
    if len(ring) > 1:
        text = "; ".join(f"{sentence(wait, labels, left)} (line {wait.line})" for wait in ring)
        yield Cause(2, ring[0].path, ring[0].line, text, _ring_advice(ring, labels))
        return
    for group in _together(found):
        first = group[0]
        gone = [name for name in first.helpers if name in left]
        elsewhere = [wait for wait in found if wait.actor in first.helpers and wait.on != first.on]
        who = named([wait.actor for wait in group], labels)
        verb = "waits" if len(group) == 1 else "wait"
        text = f"{who} {verb} for {what(first, labels, left)}{_passed_by(example, first, labels)}"
        if elsewhere:
            text += "; " + "; ".join(
                f"{labels[wait.actor]} waits for {wait.on} (line {wait.line})" for wait in elsewhere
            )
        yield Cause(2, first.path, first.line, text, _come_advice(first, gone, elsewhere))


def _passed_by(example: Data, wait: Wait, labels: Mapping[str, str]) -> str:
    """The last step that took a word away from the value that somebody waits for."""
    wanted = re.match(r".* to become (-?\d+), it is", wait.needs) if wait.kind == "word" else None
    for number, step in reversed(list(enumerate(example.get("steps") or (), 1))):
        if wanted and any(change.startswith(f"{wait.on} {wanted[1]} → ") for change in step.get("changes") or ()):
            who = labels.get(step["actor"], step["actor"])
            return f"; it was {wanted[1]} until step {number}, '{step['op']}' by {who} (line {step['line']})"
    return ""


def _ring_advice(ring: Sequence[Wait], labels: Mapping[str, str]) -> str:
    """One of a circle has to do first what the one before it waits for."""
    barriers = [wait for wait in ring if wait.kind == "barrier"]
    names = list(dict.fromkeys(family(wait.on) for wait in barriers))
    if len(barriers) == len(ring) and len(names) > 1:
        return f"let all cross {listed(names)} in the same order, equally often"
    start = ring.index(barriers[0]) if barriers else 0
    first, following = ring[start], ring[(start + 1) % len(ring)]
    does = f"has to cross {family(first.on)}" if first.kind == "barrier" else f"has to let {labels[first.actor]} go on"
    return f"break the circle: {labels[following.actor]} {does} before it waits at line {following.line}"


def _together(found: Sequence[Wait]) -> list[list[Wait]]:
    groups: dict[tuple[str, int | None], list[Wait]] = {}
    for wait in found:
        groups.setdefault((wait.on, wait.line), []).append(wait)
    return list(groups.values())


def _come_advice(wait: Wait, gone: Sequence[str], elsewhere: Sequence[Wait]) -> str:
    if wait.kind == "barrier" and gone:
        return f"take the wait at line {wait.line} out, or let the others come once more before they leave"
    if wait.kind == "barrier" and elsewhere:
        return f"whoever waits at line {elsewhere[0].line} has to cross {family(wait.on)} first"
    if wait.kind == "word":
        return f"bring {family(wait.on)} to the value waited for on every way, and leave it there until it was seen"
    if wait.kind == "semaphore":
        return f"every down of {family(wait.on)} needs an up of its own"
    return "somebody has to get there on every way through the text"


# --------------------------------------------------------------------------------------------------------------- races
def _no_order(defect: Data, depth: int) -> Iterator[Cause]:
    example = defect.get("counterexample") or {}
    race = example.get("race")
    if not race:
        return
    labels = labels_of(example, depth)
    first, second = race["accesses"]
    text = f"{side(first, labels)} and {side(second, labels)} both touch {touched(race)}, and nothing orders them"
    yield Cause(2, first["path"], first["line"], text, _order_advice(first, second, _locks(example, first, second)))


def touched(race: Data) -> str:
    """What both sides of a race access, as exactly as the result says it."""
    return str(race["accesses"][0].get("touches") or race["object"])


def does(access: Data) -> str:
    """What a side does to it, where the result says so."""
    return f"{access['does']} it" if access.get("does") else ""


def side(access: Data, labels: Mapping[str, str]) -> str:
    """`'fold 0/segment' by control (line 38)`."""
    return f"'{access['op']}' by {labels[access['actor']]} ({base_name(access['path'])}:{access['line']})"


def _locks(example: Data, first: Data, second: Data) -> tuple[list[Held], list[Held]]:
    held = held_at_end(example)
    return list(held.get(first["actor"], ())), list(held.get(second["actor"], ()))


def _order_advice(first: Data, second: Data, held: tuple[list[Held], list[Held]]) -> str:
    if first["line"] == second["line"]:
        return f"hold one mutex around line {first['line']}, or give each its own"
    lines = f"lines {first['line']} and {second['line']}"
    if held[0] and held[1]:
        return f"hold the same mutex around {lines}: {held[0][-1].name} and {held[1][-1].name} are two"
    if held[0] or held[1]:
        lock, other = (held[0][-1], second) if held[0] else (held[1][-1], first)
        return f"hold {lock.name} around line {other['line']} as well, or let both cross a barrier between {lines}"
    return f"let both cross a barrier between {lines}, or hold one mutex around each"


# ----------------------------------------------------------------------------------------------------------- livelock
def _going_round(defect: Data, depth: int) -> Iterator[Cause]:
    if defect["class"] != "livelock":
        return
    lines = sorted({place["line"] for place in defect.get("places") or () if place.get("note") == "goes round here"})
    at = f" at {counted(len(lines), 'line')} {listed([str(line) for line in lines])}" if lines else ""
    text = f"the text can go round{at.replace('1 line ', 'line ').replace(f'{len(lines)} lines', 'lines')} for ever"
    yield Cause(2, defect.get("path", ""), defect.get("line"), text, "let every round wait for somebody's progress")


RULES: tuple[Callable[[Data, int], Iterator[Cause]], ...] = (
    _lock_orders,
    _kept_locks,
    _lost_notifies,
    _nobody_comes,
    _no_order,
    _going_round,
)
__all__ = ["Cause", "causes", "causes_of", "does", "side", "told", "touched"]
