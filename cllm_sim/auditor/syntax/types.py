"""Types as written: specifiers, declarators, records and enumerations.

Rules of this file: names of types are not followed. A type that involves a function (pointer to one, array of such)
has `function` set; its base and its pointers are those of the function's result. The members of an anonymous struct
or union inside a record are members of that record as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from tree_sitter import Node

from cllm_sim.auditor.facts import Expr, MemberDeclaration, Parameter, Prototype, Record, TypeName
from cllm_sim.auditor.syntax.unit import Unit, Use

QUALIFIERS = {
    "const": "const",
    "volatile": "volatile",
    "_Atomic": "_Atomic",
    "static": "static",
    "extern": "extern",
    "_Thread_local": "_Thread_local",
    "thread_local": "_Thread_local",
    "__thread": "_Thread_local",
}
PRIMITIVE = frozenset(
    "int char void short long unsigned signed float double bool _Bool size_t ssize_t struct union enum".split()
)
SPECIFIERS = frozenset(
    "primitive_type sized_type_specifier type_identifier struct_specifier union_specifier enum_specifier "
    "macro_type_specifier".split()
)
_POINTERS = frozenset(("pointer_declarator", "abstract_pointer_declarator"))
_ARRAYS = frozenset(("array_declarator", "abstract_array_declarator"))
_FUNCTIONS = frozenset(("function_declarator", "abstract_function_declarator"))
_BRACKETS = frozenset(("parenthesized_declarator", "abstract_parenthesized_declarator", "attributed_declarator"))
_NAMES = frozenset(("identifier", "field_identifier", "type_identifier", "primitive_type"))
DECLARATORS = _POINTERS | _ARRAYS | _FUNCTIONS | _BRACKETS | _NAMES | {"init_declarator"}


class Specifiers(NamedTuple):
    """What stands before the declarators: the base of the type and its qualifiers."""

    base: str
    qualifiers: frozenset[str]


@dataclass(slots=True)
class Declarator:
    """What a declarator says of its name; `parameters` is the list of a function that it declares."""

    name: str
    place: Node
    type: TypeName
    parameters: Node | None


class Types(Unit):
    """Lowers types and what declares them."""

    # ------------------------------------------------------------------------------------------------------ specifiers
    def specifiers(self, node: Node) -> Specifiers:
        """The base and the qualifiers of a declaration, a parameter, a cast's type or the like."""
        base = ""
        qualifiers: set[str] = set()
        for child in node.named_children:
            kind = child.type
            if kind in ("storage_class_specifier", "type_qualifier"):
                known = QUALIFIERS.get(self.code_words(child))
                if known:
                    qualifiers.add(known)
            elif kind in SPECIFIERS and not base:
                base = self.base(child, qualifiers)
        return Specifiers(base, frozenset(qualifiers))

    def base(self, node: Node, qualifiers: set[str]) -> str:
        """The base of a type; qualifiers that stand inside it are added to the set."""
        kind = node.type
        if kind == "type_identifier":
            stands_for = self.marks.types.get(node.start_byte + self.shift) if self.marks.types else None
            return stands_for or self.words(node)
        if kind == "primitive_type":
            return self.words(node)
        if kind in ("struct_specifier", "union_specifier"):
            return self.record(node)
        if kind == "enum_specifier":
            return self.enumeration(node)
        if kind == "sized_type_specifier":
            parts = self.code_words(node).split()
            qualifiers.update(QUALIFIERS[part] for part in parts if part in QUALIFIERS)
            return " ".join(part for part in parts if part not in QUALIFIERS)
        return self.code_words(node)

    def descriptor(self, node: Node) -> TypeName:
        """The type in a cast, a sizeof or a compound literal."""
        specifiers = self.specifiers(node)
        declarator = node.child_by_field_name("declarator")
        return self.declarator(declarator, specifiers).type if declarator else TypeName(*_plain(specifiers))

    # ----------------------------------------------------------------------------------------------------- declarators
    def declarator(self, node: Node, specifiers: Specifiers) -> Declarator:
        """Walk from a declarator's outside to its name."""
        layers: list[Node] = []
        qualifiers: set[str] = set()
        at: Node | None = node
        while at is not None and at.type not in _NAMES:
            if at.type in _POINTERS or at.type in _ARRAYS or at.type in _FUNCTIONS:
                layers.append(at)
            inner = at.child_by_field_name("declarator")
            for child in at.named_children:
                if child.type == "type_qualifier" and self.code_words(child) in QUALIFIERS:
                    qualifiers.add(QUALIFIERS[self.code_words(child)])
                elif inner is None and child.type in DECLARATORS and at.type in _BRACKETS:
                    inner = child
            at = inner
        parameters = None
        if layers and layers[-1].type in _FUNCTIONS and at is not None:
            parameters = layers.pop().child_by_field_name("parameters")
        if qualifiers:
            specifiers = Specifiers(specifiers.base, specifiers.qualifiers | qualifiers)
        return Declarator(self.words(at) if at else "", at or node, self._composed(layers, specifiers), parameters)

    def _composed(self, layers: list[Node], specifiers: Specifiers) -> TypeName:
        if not layers:
            return TypeName(*_plain(specifiers))
        function = False
        pointers = 0
        arrays: list[Expr | None] = []
        for layer in reversed(layers):
            if layer.type in _FUNCTIONS:
                function, pointers = True, 0
            elif layer.type in _POINTERS:
                pointers += 1
            else:
                size = layer.child_by_field_name("size")
                arrays.append(self.expression(size) if size else None)
        return TypeName(specifiers.base, pointers, tuple(arrays), specifiers.qualifiers, function)

    def parameters(self, node: Node | None, old_style: list[Node]) -> tuple[Parameter, ...]:
        """A function's parameters; `old_style` are the declarations between a K&R list and its body."""
        if node is None:
            return ()
        declared = {name: type_name for one in old_style for name, type_name in self._declared(one)}
        found: list[Parameter] = []
        for child in node.named_children:
            if child.type == "identifier":
                name = self.words(child)
                found.append(Parameter(name, declared.get(name, TypeName("int"))))
            elif child.type == "parameter_declaration":
                specifiers = self.specifiers(child)
                declarator = child.child_by_field_name("declarator")
                if declarator is None:
                    if specifiers.base != "void":
                        found.append(Parameter("", TypeName(*_plain(specifiers))))
                    continue
                one = self.declarator(declarator, specifiers)
                found.append(Parameter(one.name, self.as_object(one)))
            elif child.type == "variadic_parameter":
                found.append(Parameter("...", TypeName("...")))
        return tuple(found)

    def prototype(self, one: Declarator) -> None:
        """A function that is declared without a body."""
        entry = Prototype(one.name, self.line(one.place), one.type, self.parameters(one.parameters, []))
        self.found.prototypes.append(entry)

    @staticmethod
    def as_object(one: Declarator) -> TypeName:
        """A parameter declared as a function is a pointer to one."""
        if one.parameters is None:
            return one.type
        return TypeName(one.type.base, one.type.pointers, one.type.arrays, one.type.qualifiers, True)

    def _declared(self, node: Node) -> list[tuple[str, TypeName]]:
        specifiers = self.specifiers(node)
        found = []
        for declarator in node.children_by_field_name("declarator"):
            one = self.declarator(declarator, specifiers)
            found.append((one.name, self.as_object(one)))
        return found

    # --------------------------------------------------------------------------------------------------------- records
    def record(self, node: Node) -> str:
        """The name of a struct or union; its members are recorded if they stand here."""
        keyword = "union" if node.type == "union_specifier" else "struct"
        name_node = node.child_by_field_name("name")
        line, column = self.place(node)
        name = f"{keyword} {self.words(name_node)}" if name_node else f"{keyword} <anonymous {line}:{column}>"
        body = node.child_by_field_name("body")
        if body is None:
            return name
        self.depth += 1
        if self.depth > 50:
            self.unread(node, "nested too deep")
            members: tuple[MemberDeclaration, ...] = ()
        else:
            members = tuple(self._members(body))
        self.depth -= 1
        place = self.found.local_records if self.inside else self.found.records
        place.append(Record(name, self.path, line, members, self.when(node)))
        return name

    def _members(self, body: Node) -> list[MemberDeclaration]:
        members: list[MemberDeclaration] = []
        for child in with_uses(body.named_children, self.uses_in(body)):
            if isinstance(child, Use):
                members += self._members_of_macro(child)
                continue
            if child.type != "field_declaration":
                continue
            known = len(self.found.records), len(self.found.local_records)
            specifiers = self.specifiers(child)
            declarators = child.children_by_field_name("declarator")
            for declarator in declarators:
                one = self.declarator(declarator, specifiers)
                members.append(MemberDeclaration(one.name, self.as_object(one), self.line(one.place)))
            if not declarators and "<anonymous" in specifiers.base:
                new = (*self.found.records[known[0] :], *self.found.local_records[known[1] :])
                members += [member for record in new if record.name == specifiers.base for member in record.members]
        return members

    def _members_of_macro(self, use: Use) -> list[MemberDeclaration]:
        made = self.use_as(use, "struct {%s;};") or self.use_as(use, "struct {%s};")
        if made is None:
            return []
        root, unit = made
        unit.statement(root.named_children[0])
        return list(unit.found.records[-1].members) if unit.found.records else []

    def _constants_of_macro(self, use: Use, position: int) -> int:
        made = self.use_as(use, "enum {%s};")
        if made is None:
            return position
        root, unit = made
        unit.statement(root.named_children[0])
        self.found.constants += [(name, value, position + place) for name, value, place in unit.found.constants]
        return position + len(unit.found.constants)

    def enumeration(self, node: Node) -> str:
        """The name of an enumeration; its constants are recorded if they stand here."""
        name_node = node.child_by_field_name("name")
        line, column = self.place(node)
        body = node.child_by_field_name("body")
        if body is not None:
            position = 0
            for child in with_uses(body.named_children, self.uses_in(body)):
                if isinstance(child, Use):
                    position = self._constants_of_macro(child, position)
                    continue
                if child.type != "enumerator":
                    continue
                called, value = child.child_by_field_name("name"), child.child_by_field_name("value")
                if called is not None:
                    entry = (self.words(called), self.expression(value) if value else None, position)
                    self.found.constants.append(entry)
                    position += 1
        return f"enum {self.words(name_node)}" if name_node else f"enum <anonymous {line}:{column}>"


def with_uses(nodes: list[Node], uses: list[Use]) -> list[Node | Use]:
    """Nodes and uses of macros between them in the order of the text; a use inside a node belongs to that."""
    if not uses:
        return list(nodes)
    loose = [use for use in uses if not any(node.start_byte <= use.start < node.end_byte for node in nodes)]
    return sorted((*nodes, *loose), key=lambda one: one.start if isinstance(one, Use) else one.start_byte)


def _plain(specifiers: Specifiers) -> tuple[str, int, tuple[Expr | None, ...], frozenset[str]]:
    return specifiers.base, 0, (), specifiers.qualifiers
