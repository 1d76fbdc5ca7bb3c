"""Definitions and prototypes of functions by name, as linking would find them.

Rules of this file: a function of the same file is meant first, as in C; a static function is known in its own file and
in the files that include it. Several definitions are all kept: conditional compilation or several programs.
"""

from __future__ import annotations

from collections.abc import Sequence

from cllm_sim.auditor.facts import FileFacts, Function, Prototype
from cllm_sim.auditor.program.visibility import Visibility


class Functions:
    """All functions of the files under audit."""

    def __init__(self, files: Sequence[FileFacts], visibility: Visibility) -> None:
        self.all: tuple[Function, ...] = tuple(function for file in files for function in file.functions)
        self._visibility = visibility
        self._by_name: dict[str, list[Function]] = {}
        for function in self.all:
            self._by_name.setdefault(function.name, []).append(function)
        self._prototypes: dict[str, list[tuple[str, Prototype]]] = {}
        for file in files:
            for prototype in file.prototypes:
                self._prototypes.setdefault(prototype.name, []).append((file.path, prototype))
        self._found: dict[tuple[str, str], tuple[Function, ...]] = {}

    def named(self, name: str) -> Sequence[Function]:
        """All definitions of that name, in whatever file."""
        return self._by_name.get(name, ())

    def lookup(self, name: str, path: str) -> tuple[Function, ...]:
        """The definitions that a call in this file may mean."""
        if name not in self._by_name:
            return ()
        key = (name, path)
        if key not in self._found:
            self._found[key] = self._lookup(self._by_name[name], path)
        return self._found[key]

    def _lookup(self, candidates: list[Function], path: str) -> tuple[Function, ...]:
        own = tuple(function for function in candidates if function.path == path)
        if own:
            return own
        reach = self._visibility.reach(path)
        return tuple(function for function in candidates if not function.static or function.path in reach)

    def near(self, name: str, path: str) -> bool:
        """Whether this file, or one it includes, defines a function of that name."""
        reach = self._visibility.reach(path)
        return any(function.path == path or function.path in reach for function in self._by_name.get(name, ()))

    def prototype(self, name: str, path: str) -> tuple[str, Prototype] | None:
        """The nearest prototype, and the file it stands in."""
        return self._visibility.nearest(self._prototypes.get(name, []), path, lambda entry: entry[0])
