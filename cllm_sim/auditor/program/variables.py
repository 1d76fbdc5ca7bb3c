"""Variables: parameters, locals and globals, found by name as a function or a file sees them.

Rules of this file: the declarations of one function are merged, the first wins; locals that macros declare count. An
`extern` declaration inside a function speaks of the global. A global's definition is preferred to its declarations, and
a definition in the same file to others; a static one of another source file is never meant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from cllm_sim.auditor.facts import (
    Call,
    Declare,
    Do,
    Expr,
    FileFacts,
    Function,
    Global,
    Name,
    Site,
    Stmt,
    TypeName,
)
from cllm_sim.auditor.program.expand import Macros
from cllm_sim.auditor.program.types import Types
from cllm_sim.auditor.program.visibility import SAME_FILE, Visibility
from cllm_sim.auditor.traverse import statements

MACRO_DEPTH_MAX = 8


@dataclass(frozen=True, slots=True)
class Variable:
    """A parameter, local variable or global; its type has aliases resolved."""

    name: str
    kind: str  # "parameter", "local" or "global"
    type: TypeName
    site: Site
    function: str  # "" for a global
    static: bool
    path: str


@dataclass(frozen=True, slots=True)
class Declared:
    """A variable with the value it starts with."""

    variable: Variable
    initial: Expr | None
    extern: bool = False


class Variables:
    """All variables of the files under audit."""

    def __init__(self, files: Sequence[FileFacts], visibility: Visibility, types: Types, macros: Macros) -> None:
        self._visibility = visibility
        self._types = types
        self._macros = macros
        self._globals: dict[str, list[Declared]] = {}
        for file in files:
            for one in file.globals:
                self._globals.setdefault(one.name, []).append(self._global(one))
        self._found: dict[tuple[str, str], Declared | None] = {}
        self._locals: dict[int, tuple[Function, dict[str, Declared], Mapping[str, Variable]]] = {}

    def _global(self, one: Global) -> Declared:
        qualifiers = one.type.qualifiers
        variable = Variable(
            name=one.name,
            kind="global",
            type=self._types.resolved(one.type, one.path),
            site=Site(one.path, one.line),
            function="",
            static="static" in qualifiers,
            path=one.path,
        )
        return Declared(variable, one.initial, "extern" in qualifiers and one.initial is None)

    # -------------------------------------------------------------------------------------------------------- locals
    def locals(self, function: Function) -> Mapping[str, Variable]:
        """Parameters and locals of a function."""
        return self._of(function)[2]

    def _of(self, function: Function) -> tuple[Function, dict[str, Declared], Mapping[str, Variable]]:
        known = self._locals.get(id(function))
        if known is None:
            found: dict[str, Declared] = {}
            for one in self._declared(function):
                found.setdefault(one.variable.name, one)
            plain = MappingProxyType({name: one.variable for name, one in found.items()})
            # The function is kept with its entry, so that its identity stays its own.
            known = self._locals[id(function)] = (function, found, plain)
        return known

    def _declared(self, function: Function) -> Iterator[Declared]:
        path, name = function.path, function.name
        for parameter in function.parameters:
            if parameter.name and parameter.name != "...":
                type_name = _as_parameter(self._types.resolved(parameter.type, path))
                site = Site(path, function.line)
                yield Declared(Variable(parameter.name, "parameter", type_name, site, name, False, path), None)
        for one in self.declarations(function.body, path, 0):
            if "extern" in one.type.qualifiers:
                continue
            type_name = self._types.resolved(one.type, path)
            static = "static" in one.type.qualifiers
            site = Site(path, one.line, one.column)
            yield Declared(Variable(one.name, "local", type_name, site, name, static, path), one.initial)

    def declarations(self, body: Sequence[Stmt], path: str, depth: int) -> Iterator[Declare]:
        """The declarations in a body, those made by macros included."""
        for stmt in statements(body):
            if isinstance(stmt, Declare):
                yield stmt
            elif isinstance(stmt, Do) and isinstance(stmt.expression, Call | Name) and depth < MACRO_DEPTH_MAX:
                made = self._macros.expand(stmt.expression, path)
                if isinstance(made, tuple):
                    yield from self.declarations(made, path, depth + 1)

    # -------------------------------------------------------------------------------------------------------- lookup
    def declared(self, name: str, function: Function | None, path: str) -> Declared | None:
        """What a name means in a function of a file (or at file level), if it means a variable."""
        if function is not None:
            local = self._of(function)[1].get(name)
            if local is not None:
                return local
        if name not in self._globals:
            return None
        key = (name, path)
        if key not in self._found:
            self._found[key] = self._global_for(self._globals[name], path)
        return self._found[key]

    def _global_for(self, candidates: list[Declared], path: str) -> Declared | None:
        reach = self._visibility.reach(path)
        known = [
            one
            for one in candidates
            if not one.variable.static or not path or one.variable.path == path or one.variable.path in reach
        ]
        if not known:
            return None

        def order(one: Declared) -> tuple[bool, bool, int, bool]:
            rank = self._visibility.rank(one.variable.path, path)
            foreign = rank != SAME_FILE or one.extern
            return (one.extern, foreign or not one.variable.static, rank, one.initial is None)

        return self._with_sizes(min(known, key=order), known)

    def _with_sizes(self, best: Declared, known: list[Declared]) -> Declared:
        """A tentative definition (`int x[];`) learns its sizes and its value from another one in the same file."""
        if best.initial is not None:
            return best
        for one in known:
            if one.initial is not None and one.variable.path == best.variable.path:
                return replace(best, initial=one.initial)
        return best

    def all_globals(self) -> Iterator[Declared]:
        """Every declaration at file level, in the order of the files."""
        for entries in self._globals.values():
            yield from entries

    def definitions(self, name: str) -> list[str]:
        """The files that hold a definition of a global of that name."""
        return list(dict.fromkeys(one.variable.path for one in self._globals.get(name, ()) if not one.extern))


def _as_parameter(type_name: TypeName) -> TypeName:
    """An array as a parameter is a pointer."""
    if len(type_name.arrays) != 1:
        return type_name
    return replace(type_name, pointers=type_name.pointers + 1, arrays=())
