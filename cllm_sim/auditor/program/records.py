"""Structs and unions of all files: which definitions are copies of one record, and which only share a name.

Rules of this file: within one file definitions of one name are variants under #if and are merged. Copies
in several files are one record, unless both files hold a main and thus are two programs. Any other record of that name
is another one; it has its path in its name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from cllm_sim.auditor.facts import FileFacts, Record
from cllm_sim.auditor.program.printing import type_text
from cllm_sim.auditor.program.visibility import Visibility

ANONYMOUS = "<anonymous"


@dataclass(slots=True)
class Group:
    """One record, and all files that hold a copy of its definition."""

    record: Record  # as read, under the name it has in its file
    signature: tuple[tuple[str, str], ...]
    paths: list[str]
    unique: str
    has_main: bool


class Records:
    """All records, by the name in the sources and by the name that is theirs alone."""

    def __init__(self, files: Sequence[FileFacts], visibility: Visibility) -> None:
        self._visibility = visibility
        self._groups: dict[str, list[Group]] = {}
        self.by_unique: dict[str, Group] = {}
        for file in files:
            has_main = any(function.name == "main" for function in file.functions)
            merged: dict[str, Record] = {}
            for record in (*file.records, *file.local_records):
                merged[record.name] = _merge(merged[record.name], record) if record.name in merged else record
            for record in merged.values():
                self._enter(record, file.path, has_main)

    def _enter(self, record: Record, path: str, has_main: bool) -> None:
        groups = self._groups.setdefault(record.name, [])
        signature = _signature(record)
        for group in groups:
            if group.signature == signature and not (has_main and group.has_main):
                group.paths.append(path)
                group.has_main = group.has_main or has_main
                return
        unique = record.name if not groups else f"{record.name} ({path})"
        group = Group(record, signature, [path], unique, has_main)
        groups.append(group)
        self.by_unique[unique] = group

    def nearest(self, base: str, path: str) -> Group | None:
        """The record that a name means in a file."""
        groups = self._groups.get(base)
        if not groups:
            return None
        if len(groups) == 1:
            return groups[0]
        return min(groups, key=lambda group: min(self._visibility.rank(place, path) for place in group.paths))

    def __iter__(self) -> Iterator[Group]:
        return iter(self.by_unique.values())


def place(record: Record) -> tuple[int, int]:
    """Line and column of a record; the column of a named one is not known, and taken as the first."""
    if ANONYMOUS in record.name:
        _, _, column = record.name.rstrip(">").rpartition(":")
        if column.isdigit():
            return record.line, int(column)
    return record.line, 0


def _merge(first: Record, second: Record) -> Record:
    """Two definitions in one file: the members of both."""
    names = {member.name for member in first.members}
    return replace(first, members=first.members + tuple(one for one in second.members if one.name not in names))


def _signature(record: Record) -> tuple[tuple[str, str], ...]:
    return tuple((member.name, type_text(member.type)) for member in record.members)
