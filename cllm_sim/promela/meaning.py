"""What every operation does, in Promela, by hand: the second opinion about `semantics.py`.

An operation becomes options, and an option is one step: a condition and statements that are executed together. Several
options of one place mean that somebody else chooses (the environment, or who is woken), or that a reply decides where
the text goes on. A step that breaks a rule sets `broken` and goes on as ours does.

Rules of this file: nothing of `semantics.py` is used. A value that a reply carries is compared with the replies that
the text is known to distinguish; any other fails an assertion. Keep in step with the table in `operations.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from cllm_sim.compose import Bound
from cllm_sim.operations import CHOICE_NAMES, Kind, Verb
from cllm_sim.promela.layout import Layout, Parking


@dataclass(frozen=True)
class Option:
    """One step: from which place, under what condition, what it does, to which place; and a note for the reader.

    `to` is None where the checker has not met the reply, so that the text's way is not known. `broken` are conditions
    under which the step breaks a rule. `others` says when everybody else has finished after it, where that is not
    simply when they have finished before.
    """

    at: int
    guard: tuple[str, ...]
    body: tuple[str, ...]
    to: int | None
    note: str = ""
    broken: tuple[str, ...] = ()
    others: str = ""


@dataclass(frozen=True)
class Here:
    """One operation of one actor, with the variables of the model."""

    layout: Layout
    actor: int
    node: int
    only: str
    bound: Bound

    @property
    def value(self) -> str:
        """The variable of the operation's object."""
        return self.layout.value[self.bound.on]

    def place(self, phase: int = 0) -> int:
        """The place here: about to begin, parked, or woken."""
        return self.layout.places[self.actor].number[self.node, phase]

    def after(self, reply: int = 0) -> int | None:
        """The place that a reply leads to."""
        return self.layout.places[self.actor].after(self.node, reply)

    def when(self, *conditions: str) -> tuple[str, ...]:
        """These conditions, and that the cursor stands where this operation is meant."""
        return tuple(filter(None, (self.only, *conditions)))

    def option(
        self, *guard: str, body: tuple[str, ...] = (), reply: int = 0, broken: tuple[str, ...] = (), note: str = ""
    ) -> Option:
        """A step that completes the operation."""
        return Option(self.place(), self.when(*guard), body, self.after(reply), note, broken)


def move(layout: Layout, actor: int, place: int | None) -> str:
    """The statement by which an actor goes to a place."""
    return "assert(false)" if place is None else f"{layout.at[actor]} = {place}"


def options(layout: Layout, actor: int, node: int) -> list[Option]:
    """All steps of an actor at a node."""
    found: list[Option] = []
    op = layout.places[actor].automaton.op[node]
    if op is None:
        return found
    bound = layout.system.bound(actor, op)
    if bound.at:  # names the child under the cursor, and there is none
        nowhere = Here(layout, actor, node, f"{layout.cursor[actor]} == 0" if actor in layout.cursor else "", bound)
        found.append(nowhere.option(broken=("true",), note="no child is under the cursor"))
    for only, variant in layout.variants(actor, node):
        here = Here(layout, actor, node, only, variant)
        needed = layout.system.objects[variant.on].mutex if variant.verb is Verb.SLEEP else variant.on
        dead = layout.dead(needed) if variant.verb is not Verb.JOIN else ""
        steps = VERBS[variant.verb](here)
        if dead:
            found.append(here.option(dead, broken=("true",), note="after its destruction"))
            steps = [_alive(here, step, dead) for step in steps]
        found.extend(steps)
    return found


def _alive(here: Here, step: Option, dead: str) -> Option:
    """A step that begins an operation needs its object alive; one that completes it does not look."""
    if step.at != here.place():
        return step
    return replace(step, guard=(*step.guard, f"!({dead})"))


# --- synchronisation --------------------------------------------------------------------------------------------------


def _wait(here: Here) -> list[Option]:
    full = here.layout.system.objects[here.bound.on].parties - 1
    one_more = (f"{here.value}++",)
    arrives = Option(here.place(), here.when(f"{here.value} < {full}"), one_more, here.place(1), "arrives")
    last = here.option(f"{here.value} >= {full}", body=(f"release_{here.value}()",), note="is the last to arrive")
    return [arrives, replace(last, others=_others_finish(here))]


def _others_finish(here: Here) -> str:
    """When everybody else has finished after a last arrival: before it, or by being released."""
    ways = {other: [here.layout.finished(other)] for other in range(len(here.layout.at)) if other != here.actor}
    for parking, parked in here.layout.parked(here.bound.on):
        places = here.layout.places[parking.actor]
        place = places.after(parking.node, 0)
        if parking.actor != here.actor and place is not None and place >= places.finished:
            ways[parking.actor].append(f"({parked})")
    return " && ".join(f"({' || '.join(conditions)})" for conditions in ways.values()) or "true"


def _acquire(here: Here) -> list[Option]:
    return [here.option(f"{here.value} == 0", body=(f"{here.value} = {here.actor + 1}",))]


def _release(here: Here) -> list[Option]:
    return [here.option(body=(f"{here.value} = 0",), broken=(f"{here.value} != {here.actor + 1}",))]


def _sleep(here: Here) -> list[Option]:
    mutex = here.layout.value[here.layout.system.objects[here.bound.on].mutex]
    me = here.actor + 1
    not_mine = (f"{mutex} != {me}",)
    found = [Option(here.place(), here.when(), (f"{mutex} = 0",), here.place(1), "falls asleep", not_mine)]
    if here.layout.system.spurious:
        found.append(Option(here.place(1), here.when(), (), here.place(2), "wakes by itself"))
    free = here.when(f"{mutex} == 0")
    return [*found, Option(here.place(2), free, (f"{mutex} = {me}",), here.after(), "has the mutex again")]


def _notify(here: Here) -> list[Option]:
    sleepers = here.layout.parked(here.bound.on)
    found = [
        here.option(asleep, body=(_wake(here.layout, parking),), note=f"wakes {here.layout.name(parking.actor)}")
        for parking, asleep in sleepers
    ]
    return [*found, here.option(*(f"!({asleep})" for _, asleep in sleepers), note="nobody sleeps")]


def _notify_all(here: Here) -> list[Option]:
    sleepers = here.layout.parked(here.bound.on)
    body = tuple(f"if :: {asleep} -> {_wake(here.layout, parking)} :: else fi" for parking, asleep in sleepers)
    return [here.option(body=body, note="wakes all sleepers")]


def _wake(layout: Layout, sleeper: Parking) -> str:
    return move(layout, sleeper.actor, layout.places[sleeper.actor].number[sleeper.node, 2])


def _down(here: Here) -> list[Option]:
    return [here.option(f"{here.value} > 0", body=(f"{here.value}--",))]


def _up(here: Here) -> list[Option]:
    return [here.option(body=(f"{here.value}++",))]


def _destroy(here: Here) -> list[Option]:
    gone = here.layout.gone.get(here.bound.on)
    body = f"{gone} = true" if gone else f"{here.value} = -1"
    return [here.option(body=(body,), broken=(f"{here.value} > 0",))]


def _join(here: Here) -> list[Option]:
    return [here.option(here.layout.finished(here.bound.on))]


# --- words, variables and choices -------------------------------------------------------------------------------------


def _replied(here: Here, *body: str) -> list[Option]:
    """The reply is the value before: one step for every place that the text goes to."""
    places = here.layout.places[here.actor]
    replies: dict[int, list[int]] = {}
    for reply in sorted(places.automaton.edges[here.node]):
        place = places.after(here.node, reply)
        assert place is not None
        replies.setdefault(place, []).append(reply)
    found = []
    for known in replies.values():
        condition = " || ".join(f"{here.value} == {reply}" for reply in known)
        note = f"the value is {' or '.join(map(str, known))}"
        found.append(here.option(f"({condition})", body=body, reply=known[0], note=note))
    strange = tuple(f"{here.value} != {reply}" for known in replies.values() for reply in known)
    return [*found, Option(here.place(), here.when(*strange), (), None, "a value that the checker has not met")]


def _load(here: Here) -> list[Option]:
    return _replied(here)


def _store(here: Here) -> list[Option]:
    return [here.option(body=(f"{here.value} = {here.bound.op.value}",))]


def _add(here: Here) -> list[Option]:
    return _replied(here, f"{here.value} = {here.value} + ({here.bound.op.value})")


def _exchange(here: Here) -> list[Option]:
    op = here.bound.op
    return _replied(here, f"{here.value} = ({here.value} == {op.expected} -> {op.value} : {here.value})")


def _await(here: Here) -> list[Option]:
    return [here.option(f"{here.value} == {here.bound.op.value}", reply=here.bound.op.value)]


def _choose(here: Here) -> list[Option]:
    return [here.option(reply=choice, note=CHOICE_NAMES.get(choice, str(choice))) for choice in here.bound.op.options]


def _next(here: Here) -> list[Option]:
    cursor = here.layout.cursor[here.actor]
    last = len(here.layout.system.actors[here.actor].children)
    return [
        here.option(f"{cursor} < {last}", body=(f"{cursor}++",), reply=1, note="one more child"),
        here.option(f"{cursor} == {last}", body=(f"{cursor} = 0",), reply=0, note="no more child"),
    ]


# --- work -------------------------------------------------------------------------------------------------------------


def _compute(here: Here) -> list[Option]:
    broken = () if here.layout.system.actors[here.actor].leaf else ("true",)  # only leaves compute
    return [here.option(body=tuple(_delivers(here, item) for item in here.bound.writes), broken=broken)]


def _delivers(here: Here, item: int) -> str:
    """A whole result into a region, which must be empty and one's own."""
    owner = here.layout.system.objects[item].owner
    own = "true" if owner is None or owner == here.actor else "false"
    return f"deliver({here.layout.value[item]}, {own})"


def _fold(here: Here) -> list[Option]:
    parts = here.bound.op.value
    value = here.layout.value
    body = [f"fold_part({value[item]}, {parts})" for item in here.bound.reads]
    for item in here.bound.writes:
        body.append(f"deliver_part({value[item]}, {parts})" if parts > 1 else _delivers(here, item))
    return [here.option(body=tuple(body))]


def _update(here: Here) -> list[Option]:
    value = here.layout.value
    stale = tuple(f"{value[item]} != 1" for item in here.bound.reads)
    left = [value[item] for item in here.layout.regions() if item not in here.bound.reads]
    lost = tuple(f"({name} != 0 && {name} != 2)" for name in left)
    return [here.option(body=("empty_all_regions()",), broken=(*stale, *lost))]


VERBS: dict[Verb, Callable[[Here], list[Option]]] = {
    Verb.WAIT: _wait,
    Verb.ACQUIRE: _acquire,
    Verb.RELEASE: _release,
    Verb.SLEEP: _sleep,
    Verb.NOTIFY: _notify,
    Verb.NOTIFY_ALL: _notify_all,
    Verb.DOWN: _down,
    Verb.UP: _up,
    Verb.LOAD: _load,
    Verb.STORE: _store,
    Verb.ADD: _add,
    Verb.EXCHANGE: _exchange,
    Verb.AWAIT: _await,
    Verb.READ: _load,
    Verb.WRITE: _store,
    Verb.COMPUTE: _compute,
    Verb.FOLD: _fold,
    Verb.UPDATE: _update,
    Verb.CHOOSE: _choose,
    Verb.JOIN: _join,
    Verb.NEXT: _next,
    Verb.DESTROY: _destroy,
}

REGION_STEPS = """\
/* A region: 0 empty, 1 fresh, 2 folded, -k: k slices delivered, 10 + k: k of its slices folded. */

inline deliver(region, own) {
	broken = broken || !own || region != 0;
	region = 1
}

inline deliver_part(region, parts) {
	if
	:: region > 0 -> broken = true; region = 1
	:: region <= 0 && region - 1 > -parts -> region = region - 1
	:: else -> region = 1
	fi
}

inline fold_part(region, parts) {
	if
	:: region <= 0 || region == 2 -> broken = true
	:: region == 1 -> region = (parts > 1 -> 11 : 2)
	:: region > 10 -> region = (region - 9 < parts -> region + 1 : 2)
	:: else -> assert(false)
	fi
}
"""


def may_break(option: Option) -> bool:
    """Can this step break a rule?"""
    return bool(option.broken) or any("deliver" in statement or "fold_part" in statement for statement in option.body)


def releases(layout: Layout) -> list[str]:
    """For every barrier the statements that let all parked actors go on."""
    found = []
    for item in layout.used:
        if layout.system.objects[item].kind is not Kind.BARRIER:
            continue
        parked: dict[int, list[str]] = {}
        for parking, condition in layout.parked(item):
            goes = move(layout, parking.actor, layout.places[parking.actor].after(parking.node, 0))
            parked.setdefault(parking.actor, []).append(f"\t:: {condition} -> {goes}")
        lines = [f"inline release_{layout.value[item]}() {{"]
        for ways in parked.values():
            lines.extend(("\tif", *ways, "\t:: else", "\tfi;"))
        lines.extend((f"\t{layout.value[item]} = 0", "}\n"))
        found.append("\n".join(lines))
    return found
