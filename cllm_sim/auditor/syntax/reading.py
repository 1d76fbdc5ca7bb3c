"""Reads one file: bytes in, facts out.

Rules of this file: never raises, whatever the bytes are; what was not understood is named in `unread` with its lines,
and what is around it is read all the same.
"""

from __future__ import annotations

import re

from cllm_sim.auditor.facts import FileFacts, Macro, Unread
from cllm_sim.auditor.syntax.attempts import best_attempt
from cllm_sim.auditor.syntax.cache import collector_paused
from cllm_sim.auditor.syntax.conditions import Conditions
from cllm_sim.auditor.syntax.declarations import Declarations
from cllm_sim.auditor.syntax.expanding import Expander
from cllm_sim.auditor.syntax.lexical import Lexed, decode
from cllm_sim.auditor.syntax.macros import macro_of
from cllm_sim.auditor.syntax.suppressions import suppressions_of
from cllm_sim.auditor.syntax.unit import Findings

NOT_UNDERSTOOD = "not understood"

_INCLUDE = re.compile(r"\s*(<[^>\n]*>|\"[^\"\n]*\"|\w+)")


def read(path: str, data: bytes) -> FileFacts:
    """Everything that a C file says. Never raises; what was not understood is in `unread`."""
    with collector_paused():
        return _read(path, decode(data))


def _read(path: str, text: str) -> FileFacts:
    attempt = best_attempt(text)
    prepared = attempt.prepared
    lexed, conditions, unread = prepared.lexed, prepared.conditions, prepared.unread
    found = Findings()
    unit = Declarations(
        path, text, attempt.code, prepared.marks, conditions, found, 0, lexed.starts, prepared.definitions
    )
    unit.file(attempt.tree.root_node)
    for node in attempt.troubles:
        unread.append(Unread(unit.line(node), unit.line_end(node), NOT_UNDERSTOOD))
    macros = _macros(path, lexed, conditions, found)
    if prepared.marks.uses or found.heads:
        expander = Expander(path, prepared, found)
        unread += expander.heads()
        unread += expander.declarations()
    return _facts(path, lexed, macros, found, unread)


def _facts(path: str, lexed: Lexed, macros: tuple[Macro, ...], found: Findings, unread: list[Unread]) -> FileFacts:
    return FileFacts(
        path=path,
        lines=len(lexed.starts) - (1 if lexed.text.endswith("\n") or not lexed.text else 0),
        functions=tuple(found.functions),
        records=tuple(found.records),
        globals=tuple(found.globals),
        aliases=tuple(found.aliases),
        constants=tuple(found.constants),
        macros=macros,
        prototypes=tuple(found.prototypes),
        includes=_includes(lexed),
        suppressions=suppressions_of(lexed),
        unread=_merged([*unread, *found.unread]),
        local_records=tuple(found.local_records),
    )


def _macros(path: str, lexed: Lexed, conditions: Conditions, found: Findings) -> tuple[Macro, ...]:
    macros = (
        macro_of(path, lexed, directive, conditions.when(directive.start), found)
        for directive in lexed.directives
        if directive.keyword == "define"
    )
    return tuple(macro for macro in macros if macro is not None)


def _includes(lexed: Lexed) -> tuple[str, ...]:
    found: list[str] = []
    for directive in lexed.directives:
        if directive.keyword in ("include", "include_next", "import"):
            named = _INCLUDE.match(lexed.text, directive.rest, directive.end)
            if named:
                found.append(named[1].strip('<>"'))
    return tuple(found)


def _merged(unread: list[Unread]) -> tuple[Unread, ...]:
    """In the order of the file; stretches of the same kind that touch become one."""
    merged: list[Unread] = []
    for one in sorted(unread, key=lambda entry: (entry.why, entry.line, entry.line_end)):
        last = merged[-1] if merged else None
        if last is not None and last.why == one.why and one.line <= last.line_end + 1:
            merged[-1] = Unread(last.line, max(last.line_end, one.line_end), one.why)
        else:
            merged.append(one)
    return tuple(sorted(merged, key=lambda entry: (entry.line, entry.line_end, entry.why)))
