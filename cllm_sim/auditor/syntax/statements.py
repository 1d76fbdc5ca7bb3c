"""Statements: from the parser's nodes to facts, with conditional compilation as `Variants`.

Rules of this file: the braces of a function, a loop or a branch are no `Block`; braces elsewhere are. A macro used as a
loop becomes a `Loop` of kind "for" whose condition is the macro's use as a call. A chain of `else if` that is longer
than facts may be nested goes on as independent statements and is named as not read.
"""

from __future__ import annotations

from collections.abc import Callable

from tree_sitter import Node

from cllm_sim.auditor.facts import (
    Alias,
    Block,
    Call,
    Case,
    Declare,
    Do,
    Expr,
    If,
    Jump,
    Label,
    Loop,
    Name,
    Opaque,
    Return,
    Stmt,
    Switch,
    TypeExpr,
    Variants,
)
from cllm_sim.auditor.syntax.conditions import Path
from cllm_sim.auditor.syntax.expressions import Expressions
from cllm_sim.auditor.syntax.types import Specifiers
from cllm_sim.auditor.syntax.unit import DEEPEST, named

ELSE_IF_MAX = 60

Placed = tuple[Path, tuple[Stmt, ...], int]
"""A statement with the branches of conditional compilation around it and its line."""


class Statements(Expressions):
    """Lowers statements."""

    def statement(self, node: Node) -> list[Stmt]:
        """A statement's facts; a declaration of three variables becomes three."""
        self.depth += 1
        try:
            if self.depth > DEEPEST:
                self.unread(node, "nested too deep")
                return [Do(self.opaque(node), self.line(node))]
            handler = _HANDLERS.get(node.type)
            if handler is not None:
                return handler(self, node)
            if not node.is_named:
                return []
            return [Do(self.expression(node), self.line(node))]
        finally:
            self.depth -= 1

    # ----------------------------------------------------------------------------------------------------------- bodies
    def body(self, node: Node | None) -> tuple[Stmt, ...]:
        """The statements of a branch, a loop's body or a function's: without the braces around them."""
        if node is None:
            return ()
        if node.type == "compound_statement":
            return self.items(named(node), node)
        if node.type == "else_clause":
            return tuple(one for child in named(node) for one in self.body(child))
        return self.items([node], node)

    def items(self, nodes: list[Node], owner: Node) -> tuple[Stmt, ...]:
        """The statements that stand in one list; those under conditions that begin in there become `Variants`."""
        start, end = owner.start_byte + self.shift, owner.end_byte + self.shift
        conditional = self.conditions.any and self.conditions.between(start, end)
        placed: list[Placed] = []
        around = len(self.conditions.at(start)) if conditional else 0
        skip = False
        for place, child in enumerate(nodes):
            if skip:
                skip = False
                continue
            statements = self._loop_of_macro(child, nodes[place + 1]) if place + 1 < len(nodes) else None
            skip = statements is not None
            if statements is None:
                statements = self.statement(child)
            if child.has_error:
                statements = [*statements, *self._lost(child)]
            path = self.conditions.at(child.start_byte + self.shift) if conditional else ()
            placed.append((path, tuple(statements), self.line(child)))
        if not conditional:
            return tuple(one for _, statements, _ in placed for one in statements)
        common = self.conditions.at(start)
        shared = [_shared(common, path) for path, _, _ in placed]
        cut = [(path[same:], statements, line) for (path, statements, line), same in zip(placed, shared, strict=True)]
        assert around == len(common)
        return _varied(cut, self)

    def _lost(self, node: Node) -> list[Stmt]:
        """What can be read in errors inside a statement that its own facts have no place for."""
        found: list[Stmt] = []
        waiting = [node]
        while waiting:
            at = waiting.pop()
            if at.is_error and at.start_byte not in self.seen_errors:
                self.seen_errors.add(at.start_byte)
                parts = self.parts(named(at))
                if parts:
                    found.append(Do(self.opaque(at, parts), self.line(at)))
            elif at.has_error and not at.is_error:
                waiting.extend(reversed(at.children))
        return found

    def _loop_of_macro(self, node: Node, following: Node) -> list[Stmt] | None:
        """`list_for_each(p, head) { ... }`: a call without semicolon, then a block."""
        if node.type != "expression_statement" or following.type != "compound_statement":
            return None
        children = node.children
        if len(children) != 2 or not children[1].is_missing or children[0].type != "call_expression":
            return None
        call = self.expression(children[0])
        if not isinstance(call, Call) or not isinstance(call.function, Name):
            return None
        return [Loop("for", (), call, None, self.body(following), self.line(node), call.function.name)]

    # ------------------------------------------------------------------------------------------------------- statements
    def _do(self, node: Node) -> list[Stmt]:
        children = [child for child in named(node) if not child.is_missing]
        return [Do(self.expression(child), self.line(child)) for child in children]

    def _block(self, node: Node) -> list[Stmt]:
        return [Block(self.body(node), self.line(node), self.line_end(node))]

    def _if(self, node: Node) -> list[Stmt]:
        if self.marks.loops and node.start_byte + self.shift in self.marks.loops:
            return self._marked_loop(node, "consequence")
        chain: list[Node] = []
        at: Node | None = node
        last: Node | None = None
        while at is not None:
            chain.append(at)
            last = at.child_by_field_name("alternative") or self._borrowed_else(at)
            following = named(last) if last is not None else []
            ordinary = len(following) == 1 and following[0].type == "if_statement"
            at = following[0] if ordinary and following[0].start_byte + self.shift not in self.marks.loops else None
        other = self.body(last)
        loose: list[Stmt] = []
        if len(chain) > ELSE_IF_MAX:
            self.unread(chain[ELSE_IF_MAX], "a chain of else if this long is read as independent statements from here")
            for late in chain[ELSE_IF_MAX:]:
                loose.append(If(self._condition(late), self._then(late), (), self.line(late)))
            other = (*loose, *other)
        for one in reversed(chain[:ELSE_IF_MAX]):
            other = (If(self._condition(one), self._then(one), other, self.line(one)),)
        return list(other)

    def _borrowed_else(self, node: Node) -> Node | None:
        """The `else` behind a loop macro that the parser was shown as an `if`: it belongs to the `if` around."""
        inner = node.child_by_field_name("consequence")
        if inner is None or inner.type != "if_statement" or inner.start_byte + self.shift not in self.marks.loops:
            return None
        return inner.child_by_field_name("alternative")

    def _then(self, node: Node) -> tuple[Stmt, ...]:
        return self.body(node.child_by_field_name("consequence"))

    def _condition(self, node: Node) -> Expr:
        condition = node.child_by_field_name("condition")
        return self.expression(condition) if condition is not None else self.opaque(node)

    def _marked_loop(self, node: Node, body_field: str) -> list[Stmt]:
        """A loop macro that the parser was shown as a `while`."""
        macro = self.marks.loops[node.start_byte + self.shift]
        condition = node.child_by_field_name("condition")
        place = self.place(node)
        call = Call(Name(macro, *place), self._listed(condition), *place)
        return [Loop("for", (), call, None, self.body(node.child_by_field_name(body_field)), place[0], macro)]

    def _listed(self, node: Node | None) -> tuple[Expr, ...]:
        """The operands of commas, as a call would have them as arguments."""
        found: list[Expr] = []
        while node is not None and node.type == "parenthesized_expression":
            children = named(node)
            if len(children) != 1 or children[0].is_missing:
                return self.parts([child for child in children if not child.is_missing])
            node = children[0]
        while node is not None and node.type == "comma_expression":
            left = node.child_by_field_name("left")
            if left is not None:
                found.append(self.expression(left))
            node = node.child_by_field_name("right")
        if node is not None:
            found.append(self.expression(node))
        return tuple(found)

    def _while(self, node: Node) -> list[Stmt]:
        if self.marks.loops and node.start_byte + self.shift in self.marks.loops:
            return self._marked_loop(node, "body")
        body = self.body(node.child_by_field_name("body"))
        return [Loop("while", (), self._condition(node), None, body, self.line(node))]

    def _do_while(self, node: Node) -> list[Stmt]:
        body = self.body(node.child_by_field_name("body"))
        return [Loop("do", (), self._condition(node), None, body, self.line(node))]

    def _for(self, node: Node) -> list[Stmt]:
        start_node = node.child_by_field_name("initializer")
        condition, step = node.child_by_field_name("condition"), node.child_by_field_name("update")
        start = tuple(self.statement(start_node)) if start_node is not None else ()
        return [
            Loop(
                "for",
                start,
                self.expression(condition) if condition is not None and not condition.is_missing else None,
                self.expression(step) if step is not None and not step.is_missing else None,
                self.body(node.child_by_field_name("body")),
                self.line(node),
            )
        ]

    def _switch(self, node: Node) -> list[Stmt]:
        body = node.child_by_field_name("body")
        before: list[Stmt] = []
        cases: list[Case] = []
        for child in self._flat_cases(body):
            if child.type == "case_statement":
                cases.append(self._case(child))
            elif cases:  # what the parser put behind a case
                last = cases.pop()
                cases.append(Case(last.value, (*last.body, *self.statement(child)), last.line))
            else:
                before += self.statement(child)
        return [*before, Switch(self._condition(node), tuple(cases), self.line(node))]

    @staticmethod
    def _flat_cases(body: Node | None) -> list[Node]:
        if body is None:
            return []
        return named(body) if body.type == "compound_statement" else [body]

    def _case(self, node: Node) -> Case:
        value = node.child_by_field_name("value")
        return Case(self._case_value(value), self.items(self._case_body(node, value), node), self.line(node))

    @staticmethod
    def _case_body(node: Node, value: Node | None) -> list[Node]:
        return [child for child in named(node) if value is None or child.start_byte != value.start_byte]

    def _case_value(self, value: Node | None) -> Expr | None:
        if value is None:
            return None
        operator = value.child_by_field_name("operator") if value.type == "binary_expression" else None
        if operator is not None and self.words(operator).endswith("."):  # `1 ... 5`, shown to the parser as `1 || 5`
            return Opaque(" ".join(self.words(value).split()), self.parts(named(value)), *self.place(value))
        return self.expression(value)

    def _stray_case(self, node: Node) -> list[Stmt]:
        """A case that stands deeper than in the list of its switch."""
        value = node.child_by_field_name("value")
        called = f"case {self.words(value)}" if value is not None else "default"
        return [Label(called, self.line(node)), *self.items(self._case_body(node, value), node)]

    def _return(self, node: Node) -> list[Stmt]:
        children = [child for child in named(node) if not child.is_missing]
        return [Return(self.expression(children[0]) if children else None, self.line(node))]

    def _goto(self, node: Node) -> list[Stmt]:
        label = node.child_by_field_name("label")
        if label is None:  # a computed one
            return [Do(self.opaque(node, self.parts(named(node))), self.line(node))]
        return [Jump("goto", self.words(label), self.line(node))]

    def _break(self, node: Node) -> list[Stmt]:
        return [Jump("break", "", self.line(node))]

    def _continue(self, node: Node) -> list[Stmt]:
        return [Jump("continue", "", self.line(node))]

    def _label(self, node: Node) -> list[Stmt]:
        label = node.child_by_field_name("label")
        found: list[Stmt] = [Label(self.words(label) if label is not None else "", self.line(node))]
        for child in named(node):
            if label is None or child.start_byte != label.start_byte:
                found += self.statement(child)
        return found

    def _nested(self, node: Node) -> list[Stmt]:
        """Wrappers without a meaning of their own here: the statements inside."""
        return [one for child in named(node) for one in self.statement(child)]

    def _error(self, node: Node) -> list[Stmt]:
        """What the parser could not place: the statements and expressions that can be read in it."""
        self.seen_errors.add(node.start_byte)
        found: list[Stmt] = []
        loose: list[Node] = []
        for child in named(node):
            if child.type in _HANDLERS and child.type != "ERROR":
                found += self.statement(child)
            else:
                loose.append(child)
        parts = self.parts(loose)
        if parts or not found:
            found.insert(0, Do(self.opaque(node, parts), self.line(node)))
        return found

    # ----------------------------------------------------------------------------------------------------- declarations
    def _declare(self, node: Node) -> list[Stmt]:
        calls = self._calls_that_look_like_a_declaration(node)
        if calls is not None:
            return calls
        specifiers = self.specifiers(node)
        found: list[Stmt] = []
        for declarator in node.children_by_field_name("declarator"):
            found += self._declared_one(declarator, specifiers)
        return found

    def _declared_one(self, node: Node, specifiers: Specifiers) -> list[Stmt]:
        value = node.child_by_field_name("value") if node.type == "init_declarator" else None
        one = self.declarator(node, specifiers)
        if one.parameters is not None:
            self.prototype(one)
            return []
        initial = self.expression(value) if value is not None else None
        return [Declare(one.name, one.type, initial, *self.place(one.place))] if one.name else []

    def _calls_that_look_like_a_declaration(self, node: Node) -> list[Stmt] | None:
        """`TRACE(x)` without semicolon and `work(y);` on the next line look like `TRACE(x) work(y)`, a prototype."""
        type_node, declarator = node.child_by_field_name("type"), node.child_by_field_name("declarator")
        if type_node is None or declarator is None or type_node.type != "macro_type_specifier":
            return None
        if declarator.type != "function_declarator":
            return None
        first, second = type_node.child_by_field_name("name"), declarator.child_by_field_name("declarator")
        if first is None or second is None or second.type != "identifier":
            return None
        arguments = declarator.child_by_field_name("parameters")
        return [
            Do(Call(Name(self.words(first), *self.place(first)), self._guessed(type_node), *self.place(first)),
               self.line(first)),
            Do(Call(Name(self.words(second), *self.place(second)), self._guessed(arguments), *self.place(second)),
               self.line(second)),
        ]  # fmt: skip

    def _guessed(self, node: Node | None) -> tuple[Expr, ...]:
        """Arguments that the parser took for types or parameters."""
        found: list[Expr] = []
        for child in named(node) if node is not None else []:
            if child.type not in ("type_descriptor", "parameter_declaration"):
                continue
            type_node = child.child_by_field_name("type")
            if type_node is not None and type_node.type == "type_identifier" and child.named_child_count == 1:
                found.append(Name(self.words(type_node), *self.place(type_node)))
            else:
                found.append(TypeExpr(self.descriptor(child), *self.place(child)))
        return tuple(found)

    def _typedef(self, node: Node) -> list[Stmt]:
        specifiers = self.specifiers(node)
        for declarator in node.children_by_field_name("declarator"):
            one = self.declarator(declarator, specifiers)
            if one.name:
                self.found.aliases.append(Alias(one.name, self.as_object(one), self.line(one.place)))
                self.found.alias_names.add(one.name)
        return []

    def _type_only(self, node: Node) -> list[Stmt]:
        self.base(node, set())
        return []

    def _inner_function(self, node: Node) -> list[Stmt]:
        """A function inside a function: nearly always a macro that the parser mistook."""
        found: list[Stmt] = []
        type_node, declarator = node.child_by_field_name("type"), node.child_by_field_name("declarator")
        for one in (type_node, declarator):
            if one is not None and one.type in ("macro_type_specifier", "function_declarator"):
                name = one.child_by_field_name("name") or one.child_by_field_name("declarator")
                if name is not None and name.type == "identifier":
                    arguments = self._guessed(one.child_by_field_name("parameters") or one)
                    call = Call(Name(self.words(name), *self.place(name)), arguments, *self.place(name))
                    found.append(Do(call, self.line(name)))
        body = node.child_by_field_name("body")
        return [*found, *(self._block(body) if body is not None else [])]


def _shared(one: Path, other: Path) -> int:
    """How many steps two paths have in common."""
    count = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine[0] is not theirs[0] or mine[1] != theirs[1]:
            break
        count += 1
    return count


def _varied(placed: list[Placed], unit: Statements) -> tuple[Stmt, ...]:
    """Put the statements of each conditional together."""
    found: list[Stmt] = []
    at = 0
    while at < len(placed):
        path = placed[at][0]
        if not path:
            found += placed[at][1]
            at += 1
            continue
        group = path[0][0]
        end = at
        while end < len(placed) and placed[end][0] and placed[end][0][0][0] is group:
            end += 1
        branches = []
        for number, branch in enumerate(group.branches):
            inner = [(one[1:], stmts, line) for one, stmts, line in placed[at:end] if one[0][1] == number]
            branches.append((branch.condition, _varied(inner, unit)))
        if not group.has_else:
            branches.append(("", ()))
        found.append(Variants(tuple(branches), unit.line_at(group.start)))
        at = end
    return tuple(found)


_HANDLERS: dict[str, Callable[[Statements, Node], list[Stmt]]] = {
    "expression_statement": Statements._do,
    "compound_statement": Statements._block,
    "if_statement": Statements._if,
    "while_statement": Statements._while,
    "do_statement": Statements._do_while,
    "for_statement": Statements._for,
    "switch_statement": Statements._switch,
    "case_statement": Statements._stray_case,
    "return_statement": Statements._return,
    "goto_statement": Statements._goto,
    "break_statement": Statements._break,
    "continue_statement": Statements._continue,
    "labeled_statement": Statements._label,
    "attributed_statement": Statements._nested,
    "seh_try_statement": Statements._nested,
    "seh_except_clause": Statements._nested,
    "seh_finally_clause": Statements._nested,
    "ERROR": Statements._error,
    "declaration": Statements._declare,
    "type_definition": Statements._typedef,
    "struct_specifier": Statements._type_only,
    "union_specifier": Statements._type_only,
    "enum_specifier": Statements._type_only,
    "function_definition": Statements._inner_function,
}
