"""One step of macro expansion, on the level of expressions and statements.

Rules of this file: the compiler would see one definition, the audit sees all; of several, the nearest file's first one
that could be read is taken. Macros that lead back to themselves are not expanded, so whoever expands again and again
comes to an end; a name that is also defined as a function means the function. A body that joins tokens is read once its
arguments are known, and what it leads to by its joined names is held against it like what it names itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import networkx

from cllm_sim.auditor.facts import Call, Expr, FileFacts, Macro, Name, Number, Stmt, TypeExpr
from cllm_sim.auditor.program.functions import Functions
from cllm_sim.auditor.program.nodes import Effort, nodes
from cllm_sim.auditor.program.substitute import REST, Substitution, TooDeep, rest
from cllm_sim.auditor.program.visibility import SAME_FILE, Visibility
from cllm_sim.auditor.syntax.joining import joined_text, joins, read_joined
from cllm_sim.auditor.traverse import expressions, statements

ELLIPSIS = "..."
JOINED_MAX = 5_000
"""How many different joined bodies of a program are read; those beyond say nothing."""


class Macros:
    """All macros of the files under audit."""

    def __init__(self, files: Sequence[FileFacts], visibility: Visibility, functions: Functions) -> None:
        self._visibility = visibility
        self._functions = functions
        self._by_name: dict[str, list[Macro]] = {}
        for file in files:
            for macro in file.macros:
                self._by_name.setdefault(macro.name, []).append(macro)
        self._recursive: frozenset[str] | None = None
        self._leads: networkx.DiGraph[str] = networkx.DiGraph()
        self._joined: dict[tuple[str, int, str], Macro | None] = {}
        self._passing: dict[tuple[str, int, str], bool] = {}
        self.made = 0  # nodes made by the last expansion
        self._found: dict[tuple[str, str, int | None], Macro | None] = {}

    def expand(self, use: Call | Name, path: str) -> Expr | tuple[Stmt, ...] | None:
        """What a use of a macro stands for, or None where it is no use of one."""
        self.made = 0
        name = use.function if isinstance(use, Call) else use
        if not isinstance(name, Name) or name.name not in self._by_name:
            return None
        if isinstance(use, Call):
            macro = self.find(name.name, path, len(use.arguments))
            if macro is not None:
                return self._body(macro, self._given(macro, use, path), use)
        macro = self.find(name.name, path, None)
        if macro is None:
            return None
        result = self._body(macro, {}, use)
        if not isinstance(use, Call):
            return result
        if result is None or isinstance(result, tuple):
            return None
        moved = Substitution({}, use.line, use.column).expression(use)
        return Call(result, moved.arguments, use.line, use.column) if isinstance(moved, Call) else None

    def expanded(self, use: Call | Name, path: str, effort: Effort) -> Expr | None:
        """What a use stands for, where that is an expression; its size counts as effort."""
        if effort.spent:
            return None
        found = self.expand(use, path)
        effort.spend(self.made)
        return None if isinstance(found, tuple) else found

    def find(self, name: str, path: str, arguments: int | None) -> Macro | None:
        """The definition meant by a use with so many arguments (None: without parentheses)."""
        if name not in self._by_name:
            return None
        key = (name, path, arguments)
        if key not in self._found:
            self._found[key] = self._find(name, path, arguments)
        return self._found[key]

    def _find(self, name: str, path: str, arguments: int | None) -> Macro | None:
        fitting = [
            macro for macro in self._by_name[name] if _fits(macro, arguments) and (_is_read(macro) or joins(macro))
        ]
        best = self._visibility.nearest(fitting, path, lambda macro: macro.path)
        if best is None or self._means_function(best, path) or name in self.recursive:
            return None
        return best

    def _means_function(self, macro: Macro, path: str) -> bool:
        if self._visibility.rank(macro.path, path) == SAME_FILE:
            return self._functions.near(macro.name, path)
        return bool(self._functions.lookup(macro.name, path))

    def _body(self, macro: Macro, arguments: Mapping[str, Expr], use: Call | Name) -> Expr | tuple[Stmt, ...] | None:
        read = self._with_joined(macro, arguments)
        if read is None:
            return None
        substitution = Substitution(arguments, use.line, use.column)
        try:
            if read.expression is not None:
                return substitution.expression(read.expression)
            return None if read.statements is None else substitution.statements(read.statements)
        except TooDeep:
            return None
        finally:
            self.made += substitution.made

    # ----------------------------------------------------------------------------------------------- joined tokens
    def _given(self, macro: Macro, use: Call, path: str) -> dict[str, Expr]:
        """The arguments of a use; those that are handed on to be joined are opened first, as C does."""
        arguments = _arguments(macro, use)
        if not _is_read(macro) or not self._hands_on(macro):
            return arguments
        return {name: self._opened(one, path) for name, one in arguments.items()}

    def _hands_on(self, macro: Macro) -> bool:
        """Does a macro use one that joins tokens?"""
        key = (macro.path, macro.line, macro.name)
        if key not in self._passing:
            self._passing[key] = any(joins(one) for name in self._mentions(macro) for one in self._by_name[name])
        return self._passing[key]

    def _opened(self, argument: Expr, path: str) -> Expr:
        """An argument that is a macro for one word, replaced by that word."""
        while isinstance(argument, Name):
            macro = self.find(argument.name, path, None)
            if macro is None or not isinstance(macro.expression, Name | Number):
                break
            argument = macro.expression
        return argument

    def _with_joined(self, macro: Macro | None, arguments: Mapping[str, Expr]) -> Macro | None:
        """A macro whose body joins tokens, read with its arguments; others are as they are."""
        if macro is None or _is_read(macro):
            return macro
        text = joined_text(macro, {name: word for name, one in arguments.items() if (word := _word(one))})
        if text is None:
            return None
        key = (macro.path, macro.line, text)
        if key not in self._joined and len(self._joined) < JOINED_MAX:
            self._joined[key] = self._admitted(macro, read_joined(macro, text))
        return self._joined.get(key)

    def _admitted(self, macro: Macro, made: Macro | None) -> Macro | None:
        """A body that was joined, unless a name that came about leads back to the macro."""
        if made is None or macro.name in self.recursive:
            return None
        graph = self._leads
        graph.add_node(macro.name)
        uses = set(self._mentions(made))
        if any(one in graph and networkx.has_path(graph, one, macro.name) for one in uses):
            return None
        graph.add_edges_from((macro.name, one) for one in uses)
        return made

    @property
    def recursive(self) -> frozenset[str]:
        """Names of macros whose expansion leads back to themselves."""
        if self._recursive is None:
            graph = self._leads
            for name, macros in self._by_name.items():
                for macro in macros:
                    graph.add_edges_from((name, other) for other in self._mentions(macro))
            loops = {name for name in graph if graph.has_edge(name, name)}
            for group in networkx.strongly_connected_components(graph):
                loops |= group if len(group) > 1 else set()
            self._recursive = frozenset(loops)
        return self._recursive

    def _mentions(self, macro: Macro) -> Iterable[str]:
        """Macros that the body of a macro uses."""
        roots = [macro.expression] if macro.expression is not None else []
        for stmt in statements(macro.statements or ()):
            roots.extend(expressions(stmt))
        parameters = macro.parameters or ()
        for node in nodes(*roots):
            called = isinstance(node, Call)
            name = node.function if isinstance(node, Call) else node
            if not isinstance(name, Name) or name.name in parameters:
                continue
            if any(called or other.parameters is None for other in self._by_name.get(name.name, ())):
                yield name.name


def _is_read(macro: Macro) -> bool:
    return macro.expression is not None or macro.statements is not None


def _word(argument: Expr) -> str:
    """An argument's text if it is one word, as it must be to be joined."""
    match argument:
        case Name(name=word) | Number(text=word):
            return word
        case TypeExpr(type=type) if not type.pointers and not type.arrays and not type.qualifiers:
            return type.base if type.base.isidentifier() else ""
        case _:
            return ""


def _is_variadic(macro: Macro) -> bool:
    return bool(macro.parameters) and macro.parameters is not None and macro.parameters[-1].endswith(ELLIPSIS)


def _fits(macro: Macro, arguments: int | None) -> bool:
    if macro.parameters is None or arguments is None:
        return macro.parameters is None and arguments is None
    if _is_variadic(macro):
        return arguments >= len(macro.parameters) - 1
    return arguments == len(macro.parameters)


def _arguments(macro: Macro, use: Call) -> dict[str, Expr]:
    parameters = macro.parameters or ()
    arguments: dict[str, Expr] = {}
    if _is_variadic(macro):
        fixed = len(parameters) - 1
        name = parameters[-1].removesuffix(ELLIPSIS).strip() or REST
        arguments[name] = rest(use.arguments[fixed:], use.line, use.column)
        parameters = parameters[:-1]
    arguments.update(zip(parameters, use.arguments, strict=False))
    return arguments
