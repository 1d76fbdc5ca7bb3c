"""Typedefs followed, and the members of records.

Rules of this file: types are resolved where they are written, since two programs side by side may give one name to
different things. Typedefs of systems, which the sources do not define, stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from cllm_sim.auditor.facts import Alias, FileFacts, Macro, MemberDeclaration, Record, TypeName
from cllm_sim.auditor.program.records import Records
from cllm_sim.auditor.program.visibility import Visibility

NESTING_MAX = 20
TYPE_IN_MACRO = re.compile(r"(?P<base>(?:(?:struct|union|enum) )?[A-Za-z_]\w*(?: [A-Za-z_]\w*)*) ?(?P<stars>\**)")
QUALIFIERS = {"const", "volatile", "static", "extern", "_Atomic", "_Thread_local", "inline", "register"}


class Types:
    """All types of the files under audit."""

    def __init__(self, files: Sequence[FileFacts], visibility: Visibility, records: Records) -> None:
        self._visibility = visibility
        self._records = records
        self.aliases: dict[str, list[tuple[str, Alias]]] = {}
        self._type_macros: dict[str, list[Macro]] = {}
        self._linked: dict[str, Record] = {}
        self._members: dict[str, dict[str, MemberDeclaration]] = {}
        self._bases: dict[tuple[str, str], TypeName] = {}
        for file in files:
            for alias in file.aliases:
                self.aliases.setdefault(alias.name, []).append((file.path, alias))
            for macro in file.macros:
                if macro.parameters is None and TYPE_IN_MACRO.fullmatch(macro.text.strip()):
                    self._type_macros.setdefault(macro.name, []).append(macro)

    # -------------------------------------------------------------------------------------------------------- types
    def resolved(self, type_name: TypeName, path: str) -> TypeName:
        """The type with typedefs followed, as seen from a file."""
        target = self.base(type_name.base, path)
        if target == TypeName(type_name.base):
            return type_name
        return _added(type_name, target)

    def base(self, base: str, path: str) -> TypeName:
        """What the base of a type stands for."""
        key = (base, path)
        known = self._bases.get(key)
        if known is None:
            known = self._bases[key] = self._follow(base, path)
        return known

    def _follow(self, base: str, path: str) -> TypeName:
        found = TypeName(base)
        seen: set[tuple[str, str]] = set()
        while (found.base, path) not in seen:
            seen.add((found.base, path))
            step = self._step(found.base, path)
            if step is None:
                break
            path, target = step
            found = _added(found, target)
        group = self._records.nearest(found.base, path)
        return found if group is None else replace(found, base=group.unique)

    def _step(self, base: str, path: str) -> tuple[str, TypeName] | None:
        aliases = self.aliases.get(base)
        if aliases:
            nearest = self._visibility.nearest(aliases, path, lambda entry: entry[0])
            return None if nearest is None else (nearest[0], nearest[1].type)
        macro = self._visibility.nearest(self._type_macros.get(base, ()), path, lambda entry: entry.path)
        return None if macro is None else (macro.path, _type_of_macro(macro))

    # ------------------------------------------------------------------------------------------------------ records
    def record(self, type_name: TypeName, path: str = "") -> Record | None:
        """The record that a type is, points to or is an array of; its members' types are resolved.

        A resolved type needs no path; one as written is resolved as the file sees it.
        """
        if type_name.function:
            return None
        base = type_name.base
        if path or base not in self._records.by_unique:
            base = self.base(base, path).base
        return self.linked(base) if base in self._records.by_unique else None

    def linked(self, unique: str) -> Record:
        """The record of a name that is its alone."""
        if unique not in self._linked:
            read = self._records.by_unique[unique].record
            members = tuple(replace(member, type=self.resolved(member.type, read.path)) for member in read.members)
            self._linked[unique] = replace(read, name=unique, members=members)
        return self._linked[unique]

    def member(self, record: Record, name: str) -> MemberDeclaration | None:
        """A member by name, also one of an anonymous struct or union inside."""
        if record.name not in self._members:
            found: dict[str, MemberDeclaration] = {}
            for member in self._all_members(record, 0):
                found.setdefault(member.name, member)
            self._members[record.name] = found
        return self._members[record.name].get(name)

    def _all_members(self, record: Record, depth: int) -> Iterator[MemberDeclaration]:
        linked = self.linked(record.name) if record.name in self._records.by_unique else record
        yield from (member for member in linked.members if member.name)
        if depth < NESTING_MAX:
            for member in linked.members:
                inner = None if member.name else self.record(member.type)
                if inner is not None:
                    yield from self._all_members(inner, depth + 1)


def _added(outer: TypeName, target: TypeName) -> TypeName:
    """The type as written with what its base stands for added up."""
    return TypeName(
        target.base,
        outer.pointers + target.pointers,
        outer.arrays + target.arrays,
        outer.qualifiers | target.qualifiers,
        outer.function or target.function,
    )


def _type_of_macro(macro: Macro) -> TypeName:
    found = TYPE_IN_MACRO.fullmatch(macro.text.strip())
    words = found["base"].split() if found else []
    base = " ".join(word for word in words if word not in QUALIFIERS)
    stars = len(found["stars"]) if found else 0
    return TypeName(base, stars, (), frozenset(QUALIFIERS.intersection(words)))
