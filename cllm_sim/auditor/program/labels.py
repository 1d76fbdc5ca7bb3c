"""How a person calls a record, and which anonymous records lie unnamed inside others.

Rules of this file: a tag names a record, else its typedef, else where it is used: "Outer.member", or a variable's name.
The reader lists the members of an unnamed inner struct or union among those of the outer record; here they are told
apart again by their places, for the order of initial values, and the inner one has the outer's label. No two records
have one label otherwise: later ones have their path behind it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cllm_sim.auditor.facts import Declare, FileFacts, MemberDeclaration, Record, TypeName
from cllm_sim.auditor.program.records import ANONYMOUS, Group, Records, place
from cllm_sim.auditor.program.types import Types
from cllm_sim.auditor.traverse import statements

NESTING_MAX = 20
TAGS = ("struct ", "union ", "enum ")

Slot = MemberDeclaration | Record
"""What one value of an initial list belongs to: a member, or an unnamed struct or union inside."""


class Labels:
    """Names of records for people."""

    def __init__(self, files: Sequence[FileFacts], records: Records, types: Types) -> None:
        self._files = files
        self._records = records
        self._types = types
        self._labels: dict[str, str] = {}
        self._owners: dict[str, tuple[str, str]] = {}
        self._by_typedef: dict[str, str] = {}
        self._unnamed: set[str] = set()
        self._inner: dict[tuple[str, str, int], list[Group]] = {}
        self._slots: dict[str, tuple[Slot, ...]] = {}
        self._made = False

    def label(self, record_name: str) -> str:
        """How a person calls a record."""
        self._make()
        return self._labels.get(record_name) or without_tag(record_name)

    def named(self) -> list[str]:
        """The records that do not lie unnamed in others."""
        self._make()
        return [group.unique for group in self._records if group.unique not in self._unnamed]

    def slots(self, record: Record) -> tuple[Slot, ...]:
        """What the values of an initial list without designators belong to, in order."""
        self._make()
        if record.name not in self._slots:
            self._slots[record.name] = tuple(self._slots_of(record))
        return self._slots[record.name]

    def _make(self) -> None:
        if self._made:
            return
        self._made = True
        self._find_typedefs()
        self._find_owners()
        self._find_inner()
        used: set[str] = set()
        self._unnamed = {unique for unique, (owner, name) in self._owners.items() if owner and not name}
        for group in self._records:
            if group.unique in self._unnamed:
                continue
            label = self._plain(group.unique, 0)
            if label in used:
                label = f"{label} ({group.record.path})"
            used.add(label)
            self._labels[group.unique] = label
        for unique in self._unnamed:
            self._labels[unique] = self._outer_label(unique)

    def _outer_label(self, unique: str) -> str:
        for _ in range(NESTING_MAX):
            if unique in self._labels:
                return self._labels[unique]
            unique = self._owners[unique][0]
        return without_tag(unique)

    def _plain(self, unique: str, depth: int) -> str:
        record = self._records.by_unique[unique].record
        if ANONYMOUS not in record.name:
            return without_tag(record.name)
        if unique in self._by_typedef:
            return self._by_typedef[unique]
        owner, name = self._owners.get(unique, ("", ""))
        if not owner:
            return name or f"{record.name.split()[0]} at {record.path}:{record.line}"
        if depth > NESTING_MAX:
            return name
        outer = self._plain(owner, depth + 1)
        return f"{outer}.{name}" if name else outer

    # ---------------------------------------------------------------------------------------------- where they are used
    def _find_typedefs(self) -> None:
        """Anonymous records that have a typedef; one of the record itself is preferred to one of a pointer to it."""
        indirect: dict[str, str] = {}
        for name, entries in self._types.aliases.items():
            for path, alias in entries:
                if ANONYMOUS not in alias.type.base or alias.type.function:
                    continue
                into = indirect if alias.type.pointers or alias.type.arrays else self._by_typedef
                into.setdefault(self._types.base(alias.type.base, path).base, name)
        for unique, name in indirect.items():
            self._by_typedef.setdefault(unique, name)

    def _find_owners(self) -> None:
        """For anonymous records: the record and the member that are of that type, or "" and a variable."""
        for group in self._records:
            for member in group.record.members:
                self._owned(member.type, group.record.path, group.unique, member.name)
        for file in self._files:
            for name, type_name in _variables(file):
                self._owned(type_name, file.path, "", name)

    def _owned(self, type_name: TypeName, path: str, owner: str, name: str) -> None:
        if ANONYMOUS in type_name.base:
            self._owners.setdefault(self._types.base(type_name.base, path).base, (owner, name))

    # ------------------------------------------------------------------------------------------------- unnamed inside
    def _find_inner(self) -> None:
        """Anonymous records that nothing refers to lie unnamed in another; the smallest around is the owner."""
        for group in self._records:
            record = group.record
            loose = group.unique not in self._owners and group.unique not in self._by_typedef
            if loose and ANONYMOUS in record.name and record.members:
                first = record.members[0]
                self._inner.setdefault((record.path, first.name, first.line), []).append(group)
        if not self._inner:
            return
        for group in sorted(self._records, key=lambda one: len(one.record.members)):
            for _, inner in self._within(group.record):
                if inner.unique != group.unique:
                    self._owners.setdefault(inner.unique, (group.unique, ""))

    def _within(self, record: Record) -> Iterator[tuple[int, Group]]:
        """Unnamed records inside a record, each with the position of its first member."""
        members = record.members
        for position, member in enumerate(members):
            for group in self._inner.get((record.path, member.name, member.line), ()):
                inner = group.record
                size = len(inner.members)
                fits = size <= len(members) - position and place(inner) > place(record)
                if fits and all(
                    one.name == other.name and one.line == other.line
                    for one, other in zip(members[position : position + size], inner.members, strict=True)
                ):
                    yield position, group

    def _slots_of(self, record: Record) -> Iterator[Slot]:
        read = self._records.by_unique[record.name].record if record.name in self._records.by_unique else record
        largest: dict[int, Group] = {}
        for position, group in self._within(read):
            known = largest.get(position)
            if known is None or len(group.record.members) > len(known.record.members):
                largest[position] = group
        position = 0
        while position < len(record.members):
            member = record.members[position]
            if position in largest:
                inner = largest[position]
                position += len(inner.record.members)
                found = self._types.record(TypeName(inner.unique))
                yield found if found is not None else inner.record
                continue
            position += 1
            unnamed = None if member.name else self._types.record(member.type)
            yield member if unnamed is None else unnamed


def _variables(file: FileFacts) -> Iterator[tuple[str, TypeName]]:
    for one in file.globals:
        yield one.name, one.type
    if any(ANONYMOUS in record.name for record in file.local_records):
        for function in file.functions:
            for stmt in statements(function.body):
                if isinstance(stmt, Declare):
                    yield stmt.name, stmt.type


def without_tag(name: str) -> str:
    """A record's name without struct or union."""
    for tag in TAGS:
        if name.startswith(tag):
            return name[len(tag) :]
    return name
