"""Expressions: from the parser's nodes to facts.

Rules of this file: parentheses vanish; `NULL`, `true` and `false` are numbers with their spelling as text; a compound
literal is a cast of a list. What is not understood becomes `Opaque` with whatever could be read inside it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from tree_sitter import Node

from cllm_sim.auditor.facts import (
    Assign,
    Binary,
    Block,
    Call,
    Cast,
    Conditional,
    Declare,
    Do,
    Expr,
    If,
    Index,
    InitialList,
    Loop,
    Member,
    Name,
    Number,
    Return,
    SizeOf,
    Stmt,
    Switch,
    Text,
    TypeExpr,
    TypeName,
    Unary,
    Variants,
)
from cllm_sim.auditor.syntax.types import PRIMITIVE, Types
from cllm_sim.auditor.syntax.unit import DEEPEST, named

CHAIN_MAX = 60
"""How many operators may follow each other in one expression before it is only kept as a list of operands."""

_INTEGER = re.compile(r"(0[xX][0-9a-fA-F]+|0[bB][01]+|[0-9]+)([uUlLzZ]*)(?:i(?:8|16|32|64))?\Z")
_ESCAPES = {"n": 10, "t": 9, "r": 13, "0": 0, "a": 7, "b": 8, "f": 12, "v": 11, "e": 27, "\\": 92, "'": 39, '"': 34}
_WRITTEN = {"n": "\n", "t": "\t", '"': '"', "\\": "\\", "'": "'", "\n": ""}
_SIGNED_TYPES = frozenset(("-", "+", "*", "&"))


class Expressions(Types):
    """Lowers expressions."""

    def expression(self, node: Node) -> Expr:
        """An expression's facts."""
        handler = _HANDLERS.get(node.type)
        if handler is None:
            return self._unknown(node)
        self.depth += 1
        try:
            if self.depth > DEEPEST:
                self.unread(node, "nested too deep")
                return self.opaque(node)
            return handler(self, node)
        finally:
            self.depth -= 1

    def _field(self, node: Node, field: str) -> Expr:
        child = node.child_by_field_name(field)
        return self.expression(child) if child is not None else self.opaque(node)

    def parts(self, nodes: list[Node]) -> tuple[Expr, ...]:
        """What can be read in nodes that have no known shape."""
        found: list[Expr] = []
        for node in nodes:
            if node.is_error:
                self.seen_errors.add(node.start_byte)
            if node.type in _HANDLERS:
                found.append(self.expression(node))
            elif node.named_child_count:
                found.extend(self._deeper(node))
        return tuple(found)

    def _deeper(self, node: Node) -> tuple[Expr, ...]:
        self.depth += 1
        try:
            if self.depth > DEEPEST:
                return ()
            if node.type.endswith("_statement") or node.type in ("declaration", "compound_statement"):
                return tuple(inside(self.statement(node)))
            return self.parts(named(node))
        finally:
            self.depth -= 1

    def _unknown(self, node: Node) -> Expr:
        if node.type == "ERROR":
            self.seen_errors.add(node.start_byte)
        return self.opaque(node, self.parts(named(node)))

    # ---------------------------------------------------------------------------------------------------------- leaves
    def _name(self, node: Node) -> Expr:
        if self.marks.types and node.start_byte + self.shift in self.marks.types:
            return TypeExpr(self.written_type(self.marks.types[node.start_byte + self.shift]), *self.place(node))
        name = self.words(node)
        if name in PRIMITIVE:
            return TypeExpr(TypeName(name), *self.place(node))
        return Name(name, *self.place(node))

    def written_type(self, text: str) -> TypeName:
        """A type from its text: words, then stars."""
        stars = text.count("*")
        qualifiers = frozenset(word for word in text.replace("*", " ").split() if word in ("const", "volatile"))
        base = " ".join(word for word in text.replace("*", " ").split() if word not in qualifiers)
        if text.startswith(("typeof", "__typeof")):
            return TypeName(" ".join(text.split()))
        return TypeName(base, stars, (), qualifiers)

    def _number(self, node: Node) -> Expr:
        text = self.words(node)
        line, column = self.place(node)
        if text[:1] in {"-", "+"}:  # the parser takes the sign in, C does not
            digits = text[1:].lstrip()
            return Unary(text[0], Number(integer(digits), digits, line, column + 1), line, column)
        return Number(integer(text), text, line, column)

    def _known_word(self, node: Node) -> Expr:
        text = self.words(node)
        return Number(1 if text.lower() == "true" else 0, text, *self.place(node))

    def _character(self, node: Node) -> Expr:
        text = self.words(node)
        return Number(_character_value(text), text, *self.place(node))

    def _text(self, node: Node) -> Expr:
        return Text(_string_value(self.words(node)), *self.place(node))

    def _joined_text(self, node: Node) -> Expr:
        pieces = [self.words(child) for child in node.named_children if child.type == "string_literal"]
        return Text("".join(map(_string_value, pieces)), *self.place(node))

    # ------------------------------------------------------------------------------------------------------- operators
    def _parenthesized(self, node: Node) -> Expr:
        while node.type == "parenthesized_expression":  # ((((x)))) is no nesting of facts
            children = named(node)
            if len(children) != 1:
                return self.opaque(node, self.parts(children))
            node = children[0]
        if node.type == "compound_statement":
            return self.opaque(node, tuple(inside(self.statement(node))))
        return self.expression(node)

    def _binary(self, node: Node) -> Expr:
        chain: list[Node] = []
        left: Node | None = node
        while left is not None and left.type == "binary_expression":
            chain.append(left)
            left = left.child_by_field_name("left")
        if len(chain) > CHAIN_MAX:
            operands = [one.child_by_field_name("right") for one in reversed(chain)]
            return self.opaque(node, tuple(self.expression(one) for one in (left, *operands) if one is not None))
        value = self._cast_operand(chain[-1], left)
        if value is not None:
            chain.pop()
        else:
            value = self.expression(left) if left is not None else self.opaque(node)
        for one in reversed(chain):
            operator = one.child_by_field_name("operator")
            value = Binary(operator.type if operator else "?", value, self._field(one, "right"), *self.place(one))
        return value

    def _cast_operand(self, node: Node, left: Node | None) -> Expr | None:
        """`(type) - x` looks like a subtraction; it is a cast where the name is known as a type."""
        if left is None or left.type != "parenthesized_expression" or left.named_child_count != 1:
            return None
        inner, operator = left.named_children[0], node.child_by_field_name("operator")
        if inner.type != "identifier" or operator is None or operator.type not in _SIGNED_TYPES:
            return None
        if not self.is_type(self.words(inner)):
            return None
        operand = Unary(operator.type, self._field(node, "right"), *self.place(operator))
        return Cast(TypeName(self.words(inner)), operand, *self.place(node))

    def is_type(self, name: str) -> bool:
        """Is a name known as a type, by this file or by how such names are made?"""
        return name in self.found.alias_names or name in PRIMITIVE or name.endswith("_t")

    def _comma(self, node: Node) -> Expr:
        operands: list[Node | None] = []
        right: Node | None = node
        while right is not None and right.type == "comma_expression":
            operands.append(right.child_by_field_name("left"))
            right = right.child_by_field_name("right")
        operands.append(right)
        values = [self.expression(one) for one in operands if one is not None]
        if len(values) > CHAIN_MAX:
            return self.opaque(node, tuple(values))
        value = values[0]
        for other in values[1:]:
            value = Binary(",", value, other, *self.place(node))
        return value

    def _unary(self, node: Node) -> Expr:
        operator = node.child_by_field_name("operator")
        return Unary(operator.type if operator else "?", self._field(node, "argument"), *self.place(node))

    def _update(self, node: Node) -> Expr:
        operator, argument = node.child_by_field_name("operator"), node.child_by_field_name("argument")
        if operator is None or argument is None:
            return self.opaque(node)
        before = operator.start_byte < argument.start_byte
        spelling = f"{operator.type}x" if before else f"x{operator.type}"
        return Unary(spelling, self.expression(argument), *self.place(node))

    def _assign(self, node: Node) -> Expr:
        operator = node.child_by_field_name("operator")
        target, value = self._field(node, "left"), self._field(node, "right")
        return Assign(operator.type if operator else "=", target, value, *self.place(node))

    def _conditional(self, node: Node) -> Expr:
        condition = self._field(node, "condition")
        then = node.child_by_field_name("consequence")  # absent in `a ?: b`
        return Conditional(
            condition,
            self.expression(then) if then is not None else condition,
            self._field(node, "alternative"),
            *self.place(node),
        )

    # ----------------------------------------------------------------------------------------------- access and calls
    def _member(self, node: Node) -> Expr:
        operator, field = node.child_by_field_name("operator"), node.child_by_field_name("field")
        name = self.words(field) if field is not None else ""
        base = self._field(node, "argument")
        return Member(base, name, operator is not None and operator.type == "->", *self.place(node))

    def _index(self, node: Node) -> Expr:
        return Index(self._field(node, "argument"), self._field(node, "index"), *self.place(node))

    def _call(self, node: Node) -> Expr:
        function, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        if function is None or arguments is None:
            return self.opaque(node, self.parts(named(node)))
        values = tuple(self._argument(child) for child in named(arguments))
        if function.type == "parenthesized_expression" and len(values) == 1 and function.named_child_count == 1:
            inner = function.named_children[0]
            if inner.type == "identifier" and self.is_type(self.words(inner)):
                return Cast(TypeName(self.words(inner)), values[0], *self.place(node))
        if function.type == "identifier" and values and self.words(function) == "offsetof":
            values = (self._as_type(values[0]), *values[1:])
        return Call(self.expression(function), values, *self.place(node))

    @staticmethod
    def _as_type(value: Expr) -> Expr:
        return TypeExpr(TypeName(value.name), value.line, value.column) if isinstance(value, Name) else value

    def _argument(self, node: Node) -> Expr:
        if node.type == "compound_statement":
            return self.opaque(node, tuple(inside(self.statement(node))))
        return self.expression(node)

    def _cast(self, node: Node) -> Expr:
        type_node = node.child_by_field_name("type")
        if type_node is None:
            return self.opaque(node, self.parts(named(node)))
        return Cast(self.descriptor(type_node), self._field(node, "value"), *self.place(node))

    def _size(self, node: Node) -> Expr:
        type_node = node.child_by_field_name("type")
        if type_node is not None:
            return SizeOf(self.descriptor(type_node), None, *self.place(node))
        value = self._field(node, "value")
        if isinstance(value, TypeExpr):
            return SizeOf(value.type, None, *self.place(node))
        return SizeOf(None, value, *self.place(node))

    def _type(self, node: Node) -> Expr:
        return TypeExpr(self.descriptor(node), *self.place(node))

    def _alignment(self, node: Node) -> Expr:
        return Call(Name("_Alignof", *self.place(node)), self.parts(named(node)), *self.place(node))

    # ----------------------------------------------------------------------------------------------------------- lists
    def _list(self, node: Node) -> Expr:
        items: list[tuple[str, Expr]] = []
        for child in named(node):
            if child.type == "initializer_pair":
                designators = child.children_by_field_name("designator")
                path = "".join(self._designator(one) for one in designators)
                items.append((path, self._field(child, "value")))
            elif (several := self._items_of_macro(child)) is not None:
                items += several
            else:
                items.append(("", self.expression(child)))
        return InitialList(tuple(items), *self.place(node))

    def _items_of_macro(self, node: Node) -> tuple[tuple[str, Expr], ...] | None:
        """`LIST(X)` in a list, where that stands for several elements, each with its comma."""
        function = node.child_by_field_name("function") if node.type == "call_expression" else None
        if function is None or self.definitions is None or not self.definitions.body(self.words(function)):
            return None
        offset = node.start_byte + self.shift
        text = self.definitions.wholly_expanded(self.words(node), self.origin_of(offset))
        made = self.again(f"int x[] = {{{text}}};", offset) if text is not None and text.endswith(",") else None
        if made is None:
            return None
        root, unit = made
        declarator = root.named_children[0].child_by_field_name("declarator")
        value = declarator.child_by_field_name("value") if declarator is not None else None
        read = unit.expression(value) if value is not None else None
        return read.items if isinstance(read, InitialList) else None

    def _designator(self, node: Node) -> str:
        text = self.code_words(node)
        return f".{text}" if node.type == "field_identifier" else text

    def _generic(self, node: Node) -> Expr:
        parts = [child for child in named(node) if child.type != "type_descriptor"]
        return self.opaque(node, self.parts(parts))


def inside(statements: list[Stmt] | tuple[Stmt, ...]) -> list[Expr]:
    """The expressions of statements in their order, where only expressions can be told (a statement expression)."""
    found: list[Expr] = []
    for statement in statements:
        match statement:
            case Do():
                found.append(statement.expression)
            case Declare():
                if statement.initial is not None:
                    place = (statement.line, statement.column)
                    found.append(Assign("=", Name(statement.name, *place), statement.initial, *place))
            case Block():
                found += inside(statement.body)
            case If():
                found += [statement.condition, *inside(statement.then), *inside(statement.other)]
            case Loop():
                found += inside(statement.start)
                found += [one for one in (statement.condition, statement.step) if one is not None]
                found += inside(statement.body)
            case Switch():
                found += [statement.subject, *(one for case in statement.cases for one in inside(case.body))]
            case Return():
                found += [statement.value] if statement.value is not None else []
            case Variants():
                found += [one for _, body in statement.branches for one in inside(body)]
            case _:
                pass
    return found


def integer(text: str) -> int | None:
    """The value of an integer constant."""
    found = _INTEGER.match(text.replace("'", ""))
    if found is None or len(text) > 80:
        return None
    digits = found[1]
    try:
        if len(digits) > 1 and digits[0] == "0" and digits.isdigit():
            return int(digits, 8)
        return int(digits, 0)
    except ValueError:
        return None


def _character_value(text: str) -> int | None:
    content = text[text.find("'") + 1 : -1]
    if len(content) == 1:
        return ord(content)
    if content.startswith("\\"):
        rest = content[1:]
        if rest in _ESCAPES:
            return _ESCAPES[rest]
        try:
            return int(rest[1:], 16) if rest[:1] == "x" else int(rest, 8)
        except ValueError:
            return None
    return None


def _string_value(text: str) -> str:
    if '"' not in text:  # a macro's `#name`, which the parser was shown as a string
        return ""
    content = text[text.find('"') + 1 :]
    content = content[:-1] if content.endswith('"') else content
    if "\\" not in content:
        return content
    return re.sub(r"\\(.)", lambda found: _WRITTEN.get(found[1], found[0]), content, flags=re.DOTALL)


_HANDLERS: dict[str, Callable[[Expressions, Node], Expr]] = {
    "identifier": Expressions._name,
    "type_identifier": Expressions._name,
    "field_identifier": Expressions._name,
    "number_literal": Expressions._number,
    "char_literal": Expressions._character,
    "string_literal": Expressions._text,
    "concatenated_string": Expressions._joined_text,
    "true": Expressions._known_word,
    "false": Expressions._known_word,
    "null": Expressions._known_word,
    "parenthesized_expression": Expressions._parenthesized,
    "binary_expression": Expressions._binary,
    "comma_expression": Expressions._comma,
    "unary_expression": Expressions._unary,
    "pointer_expression": Expressions._unary,
    "update_expression": Expressions._update,
    "assignment_expression": Expressions._assign,
    "conditional_expression": Expressions._conditional,
    "field_expression": Expressions._member,
    "subscript_expression": Expressions._index,
    "call_expression": Expressions._call,
    "cast_expression": Expressions._cast,
    "compound_literal_expression": Expressions._cast,
    "sizeof_expression": Expressions._size,
    "type_descriptor": Expressions._type,
    "alignof_expression": Expressions._alignment,
    "initializer_list": Expressions._list,
    "generic_expression": Expressions._generic,
}
