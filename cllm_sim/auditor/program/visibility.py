"""Which files a file sees: its includes, followed by base name, and how near another file is.

Rules of this file: headers are looked for among the files under audit only. An include is compared by its last part;
where several files bear that name, those whose path ends as the include was written are meant, the nearest first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import PurePosixPath
from typing import TypeVar

from cllm_sim.auditor.facts import FileFacts

Item = TypeVar("Item")

SAME_FILE, INCLUDED, SAME_FOLDER, ELSEWHERE = range(4)


class Visibility:
    """The includes of all files, and the order in which definitions in other files are preferred."""

    def __init__(self, files: Sequence[FileFacts]) -> None:
        self._includes = {file.path: file.includes for file in files}
        self._by_base_name: dict[str, list[str]] = {}
        for file in files:
            self._by_base_name.setdefault(file.path.rpartition("/")[2], []).append(file.path)
        self._reach: dict[str, frozenset[str]] = {}

    def reach(self, path: str) -> frozenset[str]:
        """All files that a file includes, directly or through others; itself only if it includes itself."""
        known = self._reach.get(path)
        if known is not None:
            return known
        found: set[str] = set()
        waiting = [path]
        while waiting:
            here = waiting.pop()
            for include in self._includes.get(here, ()):
                for target in self._targets(include, here):
                    if target not in found:
                        found.add(target)
                        waiting.append(target)
        self._reach[path] = frozenset(found)
        return self._reach[path]

    def _targets(self, include: str, path: str) -> Iterable[str]:
        written = include.strip().strip('<>"')
        candidates = self._by_base_name.get(written.rpartition("/")[2], [])
        if len(candidates) < 2:
            return candidates
        ending = "/".join(part for part in PurePosixPath(written).parts if part not in ("..", "."))
        same_end = [name for name in candidates if name == ending or name.endswith("/" + ending)]
        nearest = [name for name in same_end if _folder(name) == _folder(path)]
        return nearest or same_end or candidates

    def rank(self, definition: str, path: str) -> int:
        """How near a definition's file is to the file that uses it; smaller is nearer."""
        if definition == path:
            return SAME_FILE
        if definition in self.reach(path):
            return INCLUDED
        return SAME_FOLDER if _folder(definition) == _folder(path) else ELSEWHERE

    def nearest(self, items: Sequence[Item], path: str, path_of: Callable[[Item], str]) -> Item | None:
        """The item whose file is nearest; of several equally near ones the first."""
        if len(items) < 2:
            return items[0] if items else None
        return min(items, key=lambda item: self.rank(path_of(item), path))


def _folder(path: str) -> str:
    return path.rpartition("/")[0]
