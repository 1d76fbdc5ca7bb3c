"""Who does the steps: one process for all actors, or one process per actor.

One for all: the process stands at the head of its loop from beginning to end, so its own position tells no two states
apart. The one exception is the end: the step after which everybody has finished goes to `end_finished`, which is the
only valid end.

One per actor, which SPIN searches faster, because it looks only at the steps of the place where an actor stands. A
process is moved by its own steps alone, but an actor by those of others, too: released at a barrier, woken by a notify.
Places between which others may move an actor therefore share one position, and the position follows from `at_<actor>`:
again it tells no two states apart. Where somebody is parked at the last barrier of its text, that position is one of a
finished actor, too, and SPIN takes it for a valid end; for verdicts there is the other form.

Rules of this file: every step is one `d_step`; where SPIN replays a trail, it says who does what at which line.
"""

from collections.abc import Iterator
from pathlib import PurePath

from cllm_sim.operations import Verb
from cllm_sim.promela.layout import Layout, Places
from cllm_sim.promela.meaning import Option, may_break, move, options


def plain(text: str) -> str:
    """Text that cannot end a comment, in ASCII (SPIN's preprocessor reads bytes)."""
    return text.replace("*/", "* /").encode("ascii", "replace").decode("ascii")


def _told(layout: Layout, actor: int) -> Iterator[tuple[Option, str]]:
    """Every step of an actor, and what is to be said of it."""
    places = layout.places[actor]
    for node in places.nodes:
        op = places.automaton.op[node]
        if op is None:
            continue
        place = places.automaton.place[node]
        told = f"{layout.name(actor)}  {PurePath(place.path).name}:{place.line}  {layout.system.describe(actor, op)}"
        for option in options(layout, actor, node):
            yield option, f"{told}: {option.note}" if option.note else told


def _statements(layout: Layout, actor: int, option: Option, told: str) -> str:
    """What a step does, without its condition."""
    body = (*option.body, move(layout, actor, option.to))
    if may_break(option):
        body = (f"broken = {' || '.join(option.broken) or 'false'}", *body, "judge()")
    quoted = plain(told).replace("\\", "/").replace('"', "'").replace("%", "%%")
    return "; ".join((f'printf("{quoted}\\n")', *body))


# --- one process for all ----------------------------------------------------------------------------------------------


def one_for_all(layout: Layout) -> str:
    """The process `everybody`."""
    rows = ["active proctype everybody() {"]
    started = all(places.number[0, 0] >= places.finished for places in layout.places)
    if not started:
        rows.append("\tdo")
        for actor in range(len(layout.places)):
            for option, told in _told(layout, actor):
                rows.extend(_alternatives(layout, actor, option, told))
        rows.append("\tod;")
    rows.extend(("end_finished:", "\tnothing_more", "}", ""))
    return "\n".join(rows)


def _alternatives(layout: Layout, actor: int, option: Option, told: str) -> list[str]:
    """A step as one or two alternatives of the loop: one that stays in it, one that leaves it as the last of all."""
    guard = " && ".join((f"{layout.at[actor]} == {option.at}", *option.guard))
    statements = _statements(layout, actor, option, told)
    if option.to is None or option.to < layout.places[actor].finished:
        return [f"\t:: d_step {{ {guard} -> {statements} }}"]
    others = option.others or layout.others_finished(actor)
    return [
        f"\t:: d_step {{ {guard} && !({others}) -> {statements} }}",
        f"\t:: d_step {{ {guard} && {others} -> {statements} }}; goto end_finished",
    ]


# --- one process per actor --------------------------------------------------------------------------------------------


def one_per_actor(layout: Layout) -> str:
    """The processes, named like the variables that tell where their texts stand."""
    return "\n".join(_process(layout, actor) for actor in range(len(layout.places)))


def _process(layout: Layout, actor: int) -> str:
    places = layout.places[actor]
    shared = _Positions(places)
    labels = {
        position: f"{'end_' if any(place >= places.finished for place in shared[position]) else ''}position_{position}"
        for position in sorted(set(shared.of.values()))
    }
    rows: dict[int, list[str]] = {position: [] for position in labels}
    for option, told in _told(layout, actor):
        position = shared.of[option.at]
        here = (f"{layout.at[actor]} == {option.at}",) if len(shared[position]) > 1 else ()
        guard = " && ".join((*here, *option.guard)) or "true"
        goes = labels[position if option.to is None else shared.of[option.to]]
        statements = _statements(layout, actor, option, told)
        rows[position].append(f"\t:: d_step {{ {guard} -> {statements} }}; goto {goes}")
    text = [f"active proctype actor_{layout.at[actor]}() {{"]
    for position, steps in rows.items():
        body = ("\tif", *steps, "\tfi;") if steps else ("\tfalse;",)
        text.extend((f"{labels[position]}:", *body))
    return "\n".join((*text, "\tnothing_more", "}", ""))


class _Positions:
    """Which places of a text share a position: `of[place]` is the first of them."""

    def __init__(self, places: Places) -> None:
        self.of = {place: place for place in places.number.values()}
        for (node, phase), place in places.number.items():
            op = places.automaton.op[node]
            if op is None or phase != 1:
                continue
            after = places.after(node, 0) if op.verb is Verb.WAIT else places.number[node, 2]
            if after is not None:
                self._join(place, after)

    def _join(self, one: int, two: int) -> None:
        first, second = sorted((self.of[one], self.of[two]))
        for place, position in self.of.items():
            if position == second:
                self.of[place] = first

    def __getitem__(self, position: int) -> list[int]:
        return [place for place, other in self.of.items() if other == position]
