"""The protocol of node_zero with the names of the program under audit, and which name stands for which.

Rules of this file: the text is the shipped one, token by token; only names change, so it is as right as that is. A name
that Python or the text cannot take keeps ours.
"""

from __future__ import annotations

import builtins
import io
import keyword
import re
import tokenize
from collections.abc import Iterator
from typing import Any, NamedTuple

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Function, Site
from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.planning.layout import Layout
from cllm_sim.auditor.requirements import Subject
from cllm_sim.auditor.requirements.gradients import folding_steps, gradient_buffers
from cllm_sim.auditor.requirements.subject import site_of
from cllm_sim.auditor.vocabulary import Act
from cllm_sim.library import shipped

SHIPPED = "node_zero"
RENAMED = ("worker", "leaf", "control", "root", "Crew", "batch", "epoch", "order", "weights")
ARCHITECTURE = "Architecture"
Data = dict[str, Any]


class Pair(NamedTuple):
    """A name of ours, the program's, where that stands, and whether it can take our name's place in the text."""

    ours: str
    theirs: str
    site: Site | None
    name: str = ""


def protocol(analysis: Analysis) -> tuple[str, list[Data]]:
    """The text (an architecture file) and the mapping of names."""
    layout = Layout(Subject(analysis))
    pairs = list(_pairs(layout))
    text = shipped()[SHIPPED].read_text(encoding="utf-8")
    renamed = _usable(text, {one.ours: one.name for one in pairs if one.ours in RENAMED and one.name})
    mapping = [
        {
            "ours": one.ours,
            "theirs": one.theirs,
            "path": "" if one.site is None else one.site.path,
            "line": 0 if one.site is None else one.site.line,
        }
        for one in pairs
    ]
    return _rename(text, renamed), mapping


# --------------------------------------------------------------------------------------------------------------- names
def _pairs(layout: Layout) -> Iterator[Pair]:
    yield _function("worker", layout.worker_entry)
    yield _function("leaf", _leaf(layout))
    if layout.control_entry is not None:
        yield _function("control", layout.control_entry)
    else:
        yield Pair("control", f"{layout.control_name} (new)", None, layout.control_name)
    yield _function("root", None if layout.epochs is None else layout.epochs[0])
    if layout.pool is not None:
        yield Pair(
            "Crew", layout.type_of(layout.pool), Site(layout.pool.path, layout.pool.line), _camel(layout.pool_label)
        )
    yield _barrier(layout, "batch", layout.batch)
    yield _barrier(layout, "epoch", layout.epoch)
    yield _order(layout)
    yield Pair("compute", *_called(layout, "work"))
    yield Pair("fold", *_folding(layout))
    yield Pair("update", *_called(layout, "update"))
    yield from _memory(layout)


def _function(ours: str, function: Function | None) -> Pair:
    return (
        Pair(ours, "(new)", None) if function is None else Pair(ours, function.name, site_of(function), function.name)
    )


def _leaf(layout: Layout) -> Function | None:
    """What a worker calls to process its batch: the function that its entry calls, or the work itself."""
    work = layout.work_step
    if work is None or layout.worker is None:
        return None
    frames = layout.subject.frames(layout.worker, work[0])
    if len(frames) > 1:
        return frames[1][0]
    event = work[0].event
    return event.callees[0] if event is not None and event.callees else None


def _barrier(layout: Layout, ours: str, location: Location) -> Pair:
    known = layout.known(location)
    if known is None:
        return Pair(ours, f"{location.label} (new)", None, location.name)
    return Pair(ours, location.label, known.site, location.name)


def _order(layout: Layout) -> Pair:
    pool = layout.pool
    for member in () if pool is None else pool.members:
        if "order" in member.name.lower() and pool is not None:
            return Pair("order", f"{layout.pool_label}.{member.name}", Site(pool.path, member.line), member.name)
    subject = layout.subject
    steps = [] if subject.director is None else subject.doing(subject.director, "distribute")
    if steps and steps[0].event is not None and steps[0].event.callees:
        callee = steps[0].event.callees[0]
        return Pair("order", f"order (new), beside {callee.name}", site_of(callee))
    return Pair("order", "order (new)", None)


def _called(layout: Layout, purpose: str) -> tuple[str, Site | None]:
    """The function of a purpose that the program calls."""
    subject = layout.subject
    ranked = sorted(subject.roles, key=lambda role: role is not subject.director)
    roles = subject.workers if purpose == "work" else ranked
    for role in roles:
        for step in subject.doing(role, purpose):
            if step.event is not None and step.event.callees:
                names = dict.fromkeys(
                    callee.name for one in subject.doing(role, purpose) if one.event for callee in one.event.callees
                )
                return ", ".join(names), site_of(step.event.callees[0])
            return ("a write" if step.target is None else step.target.label), step.site
    return "(new)", None


def _folding(layout: Layout) -> tuple[str, Site | None]:
    """The accumulation: the function that is called, or the additions themselves."""
    _, steps = folding_steps(layout.subject)
    if not steps:
        return "(new)", None
    event = steps[0].event
    if event is not None and event.callees:
        return event.callees[0].name, site_of(event.callees[0])
    return "the addition of the gradients", steps[0].site


def _memory(layout: Layout) -> Iterator[Pair]:
    subject = layout.subject
    known = gradient_buffers(subject)
    for place in sorted(known.locations)[:1]:
        held = subject.analysis.inventory.memory.get(place.holder)
        yield Pair("segment", place.holder.label, None if held is None else held.declared)
    if not known.locations:
        for key in sorted(known.accessors)[:1]:
            function = next(one for one in subject.program.functions if one.key == key)
            yield Pair("segment", function.name, site_of(function))
    for role in subject.roles:
        targets = [step.target for step in subject.within(role, "update") if step.act is Act.WRITE]
        inside = [one for one in targets if one is not None and one.is_contents and one.kind == "member"]
        if inside:
            held = subject.analysis.inventory.memory.get(inside[-1].holder)
            yield Pair(
                "weights", inside[-1].holder.label, None if held is None else held.declared, inside[-1].holder.name
            )
            return


def _camel(label: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", label))


# ------------------------------------------------------------------------------------------------------------ text
def _usable(text: str, wanted: dict[str, str]) -> dict[str, str]:
    """The names that can take ours' place: identifiers, unlike each other and all that the text says otherwise."""
    taken = {token.string for token in _tokens(text) if token.type == tokenize.NAME}
    taken |= set(dir(builtins)) | set(keyword.kwlist) | set(keyword.softkwlist)
    found: dict[str, str] = {}
    for ours, theirs in wanted.items():
        if theirs.isidentifier() and not theirs.startswith("_") and theirs not in taken:
            found[ours] = theirs
            taken.add(theirs)
    return found


def _rename(text: str, names: dict[str, str]) -> str:
    """The text with names replaced; lines keep their places, only their ends move."""
    lines = text.splitlines(keepends=True)
    for token in reversed(list(_tokens(text))):
        (row, start), (_, end) = token.start, token.end
        line = lines[row - 1] if row <= len(lines) else ""
        if token.type == tokenize.NAME and token.string in names:
            lines[row - 1] = line[:start] + names[token.string] + line[end:]
        elif token.type == tokenize.STRING and token.string.strip("\"'") in names and row > 1:
            inner = token.string.strip("\"'")
            lines[row - 1] = line[:start] + token.string.replace(inner, names[inner]) + line[end:]
    return "".join(lines)


def _tokens(text: str) -> Iterator[tokenize.TokenInfo]:
    return tokenize.generate_tokens(io.StringIO(text).readline)
