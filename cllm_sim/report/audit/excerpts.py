"""Source lines with a mark under what is meant, and places as evidence.

Rules of this file: lines come from the result, never from a file. The indentation of a line is left out and the mark
moves with it; a column that lies outside the line gives no mark rather than a wrong one.
"""

import re

from cllm_sim.report.audit.blocks import Evidence, Excerpt
from cllm_sim.report.audit.shape import Audit, Place

NAME = re.compile(r"[&*]*[A-Za-z_]\w*(?:(?:->|\.)\w+|\[[^\]]*\])*")
"""An expression that names something: `&trainer->workers[i].lock`."""
PROGRAM_TEXT = re.compile(r"[;{}]\s*(/\*.*)?$|^\s*#\s*(if|ifdef|ifndef|define|include)\b|^\s*(for|while|if) \(")


def excerpt(audit: Audit, place: Place, words: str = "", subject: str = "") -> Excerpt:
    """One line of the program, marked at the place's column; where that is not known, at the name of the subject."""
    source = audit.source(place)
    shown = source.replace("\t", " ").strip()
    start, length = _marked(source, shown, place.column) if place.column else _named(shown, subject)
    where = str(place) if place.known else ""
    role = "" if place.role in words else place.role  # the words say already who it is
    return Excerpt(where, place.line, shown, start, length, words, role, chain(place))


def _marked(source: str, shown: str, column: int) -> tuple[int | None, int]:
    """Where the mark begins in the line as it is shown, and how long it is."""
    start = column - 1 - (len(source) - len(source.lstrip()))
    if not 0 <= start < len(shown):
        return None, 1
    name = NAME.match(shown, start)
    return start, len(name[0]) if name else 1


def _named(shown: str, subject: str) -> tuple[int | None, int]:
    """The only place in the line where the subject's own name stands."""
    name = re.split(r"\.|->", subject)[-1]
    found = [match.start() for match in re.finditer(rf"\b{re.escape(name)}\b", shown)] if name else []
    return (found[0], len(name)) if len(found) == 1 else (None, 1)


def chain(place: Place) -> tuple[str, ...]:
    """How the role gets there: the calls, outermost first."""
    return tuple(f"{step.function} {step}".strip() for step in place.how)


def evidence(audit: Audit, place: Place, words: str = "") -> Evidence:
    """A place that a claim rests on; what it says is words or, where it reads like one, a line of the program."""
    source, told = audit.source(place).strip(), place.text
    if not source and PROGRAM_TEXT.search(told):
        source, told = told.strip(), ""
    if told.strip() == source:
        told = ""
    said = "; ".join(part for part in (words, told) if part)
    return Evidence(str(place) if place.known else "", source, said, place.role, chain(place))
