"""What stands at file level: functions, variables, types and prototypes.

Rules of this file: one pass over the top of the tree, in the order of the file. Whatever could not be parsed is still
searched for declarations.
"""

from __future__ import annotations

import re

from tree_sitter import Node

from cllm_sim.auditor.facts import Function, Global, Parameter, Stmt, TypeName
from cllm_sim.auditor.syntax.conditions import Conditions
from cllm_sim.auditor.syntax.parsing import parse, troubles
from cllm_sim.auditor.syntax.preparing import prepare
from cllm_sim.auditor.syntax.statements import Statements
from cllm_sim.auditor.syntax.types import Specifiers
from cllm_sim.auditor.syntax.unit import Findings, named

_WORD = re.compile(r"[A-Za-z_]\w*")

STRAY = "a statement outside of functions"


class Declarations(Statements):
    """Lowers a whole file."""

    def again(self, text: str, offset: int) -> tuple[Node, Declarations] | None:
        """The tree of another text, read as if it stood at an offset of this text; None where not understood."""
        prepared = prepare(text, definitions=self.definitions)
        root = parse(prepared.code).root_node
        if troubles(root) or prepared.unread or root.child_count == 0:
            return None
        found = Findings(alias_names=self.found.alias_names)
        starts = [0] * self.line_at(offset)
        conditions, definitions = Conditions(()), self.definitions
        unit = Declarations(self.path, text, prepared.code, prepared.marks, conditions, found, 0, starts, definitions)
        unit.origin = self.origin_of(offset)
        return root, unit

    def file(self, root: Node) -> None:
        """Read everything below the root."""
        waiting = list(reversed(named(root)))
        while waiting:  # no recursion: errors may hold declarations, which may hold errors
            node = waiting.pop()
            kind = node.type
            if kind == "function_definition":
                self._function(node)
            elif kind == "declaration":
                self._global(node)
            elif kind in ("linkage_specification", "declaration_list"):
                waiting.extend(reversed(named(node)))
            elif kind == "ERROR":
                self.seen_errors.add(node.start_byte)
                waiting.extend(reversed(named(node)))
            elif kind in ("type_definition", "struct_specifier", "union_specifier", "enum_specifier"):
                self.statement(node)
            elif kind.endswith("_statement") and named(node) and not self._pointer_to_function(node):
                self.unread(node, STRAY)

    def _pointer_to_function(self, node: Node) -> bool:
        """`result_t (*run)(job_t);` looks like two calls where no name is known as a type."""
        outer = named(node)[0]
        inner = outer.child_by_field_name("function") if outer.type == "call_expression" else None
        if inner is None or inner.type != "call_expression":
            return False
        result, arguments = inner.child_by_field_name("function"), inner.child_by_field_name("arguments")
        starred = named(arguments) if arguments is not None else []
        if result is None or result.type != "identifier" or [one.type for one in starred] != ["pointer_expression"]:
            return False
        name = starred[0].child_by_field_name("argument")
        if name is None or name.type != "identifier":
            return False
        made = TypeName(self.words(result), function=True)
        self.found.globals.append(Global(self.words(name), self.path, self.line(name), made, None, self.when(name)))
        return True

    # ------------------------------------------------------------------------------------------------------- functions
    def _function(self, node: Node) -> None:
        body = node.child_by_field_name("body")
        specifiers = self.specifiers(node)
        declarator = node.child_by_field_name("declarator")
        if declarator is None or body is None:
            return
        name, result, parameters = self._head(node, declarator, specifiers)
        self.inside += 1
        statements: tuple[Stmt, ...]
        try:
            statements = self.body(body)
        except RecursionError:
            self.unread(node, "nested too deep")
            statements = ()
        self.inside -= 1
        place = (self.line(node), self.line_end(node))
        static = "static" in specifiers.qualifiers
        self.found.functions.append(
            Function(name, self.path, *place, result, parameters, statements, static, self.when(node))
        )  # fmt: skip

    def _head(
        self, node: Node, declarator: Node, specifiers: Specifiers
    ) -> tuple[str, TypeName, tuple[Parameter, ...]]:
        if self.marks.functions:
            for child in node.children[:3]:
                if child.start_byte in self.marks.functions:
                    self.found.heads[len(self.found.functions)] = child.start_byte
                    return self._macro_head(child.start_byte, self.marks.functions[child.start_byte])
        one = self.declarator(declarator, specifiers)
        if one.parameters is None:  # `static DEFINE_WORKER(name) { ... }`
            return one.name, one.type, ()
        old_style = [child for child in named(node) if child.type == "declaration"]
        return one.name, one.type, self.parameters(one.parameters, old_style)

    def _macro_head(self, start: int, end: int) -> tuple[str, TypeName, tuple[Parameter, ...]]:
        """`DEFINE_WORKER(name, int) { ... }`: called by its first argument that is a name, of the macro's type."""
        used = self.text[start:end]
        macro, _, arguments = used.partition("(")
        names = [one.strip() for one in arguments[:-1].split(",")]
        name = next((one for one in names if _WORD.fullmatch(one)), macro.strip())
        return name, TypeName(macro.strip()), ()

    # ------------------------------------------------------------------------------------------------------- variables
    def _global(self, node: Node) -> None:
        specifiers = self.specifiers(node)
        for declarator in node.children_by_field_name("declarator"):
            value = declarator.child_by_field_name("value") if declarator.type == "init_declarator" else None
            one = self.declarator(declarator, specifiers)
            if one.parameters is not None:
                self.prototype(one)
            elif one.name:
                initial = self.expression(value) if value is not None else None
                line = self.line(one.place)
                self.found.globals.append(Global(one.name, self.path, line, one.type, initial, self.when(one.place)))
