"""Finds the C files that the user means, and says which of them cannot be read.

Rules of this file: nothing is executed or followed twice. Every real folder and every real file counts once, and a
real one is shown rather than a link to it; only regular files are ever opened; hidden folders are left out unless they
are named. A path is shown as the user would write it: below a folder named by a relative path it begins with that path,
below one named by an absolute path it is relative to the folder.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cllm_sim.errors import BadRequest

SIZE_MAX = 16 * 1024 * 1024
"""Larger files are generated or no source at all."""

SNIFFED = 8192
ENDINGS = {".c": "source", ".h": "header"}

Kind = Literal["source", "header"]


@dataclass(frozen=True, slots=True)
class Source:
    """A file to be read: how it is shown, where it lies, and what it is by its name."""

    path: str
    file: Path
    kind: Kind


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What the user meant and we could not read, and why; `line` where only a part of a file is concerned."""

    path: str
    line: int | None
    why: str


@dataclass(frozen=True, slots=True)
class Found:
    """What lies below the named paths, both in the order of their shown paths."""

    sources: list[Source]
    unreadable: list[Unreadable]


def find(paths: Sequence[str]) -> Found:
    """The C files below the named folders, and the files named directly; a path that does not exist raises."""
    search = _Search()
    for named in paths:
        search.enter(named)
    search.follow_links()
    sources = sorted(search.sources, key=lambda source: (source.path, str(source.file)))
    return Found(_distinct(sources), sorted(search.unreadable, key=lambda one: (one.path, one.why)))


def shown(path: str) -> str:
    """A path that can be printed: what is no text or would move the cursor is shown with backslashes."""
    text = path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in text)


def contents(file: Path) -> bytes:
    """The bytes of a regular file of reasonable size; raises OSError or ValueError with the reason."""
    return _opened(file, SIZE_MAX + 1)


def _opened(file: Path, most: int) -> bytes:
    # A pipe may have taken the file's place since it was looked at: without O_NONBLOCK we would wait for a writer.
    descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    with os.fdopen(descriptor, "rb") as opened:
        _check(os.fstat(opened.fileno()))
        data = opened.read(most)
    if len(data) > SIZE_MAX:
        raise ValueError(_too_large(len(data)))
    return data


def _check(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise ValueError("no regular file")
    if status.st_size > SIZE_MAX:
        raise ValueError(_too_large(status.st_size))


def _too_large(size: int) -> str:
    return f"larger than {SIZE_MAX // 1024 // 1024} MiB"


def binary(data: bytes) -> str | None:
    """Why bytes are no source text, or None."""
    place = data.find(b"\0")
    if place < 0:
        return None
    utf16 = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    return "UTF-16 text, which compilers do not take" if utf16 else "binary: it holds a NUL byte"


class _Search:
    """One walk over everything that was named."""

    def __init__(self) -> None:
        self.sources: list[Source] = []
        self.unreadable: list[Unreadable] = []
        self._folders: set[tuple[int, int]] = set()
        self._files: set[Path] = set()
        self._links: list[tuple[Path, Path]] = []

    def enter(self, named: str) -> None:
        """One path as the user named it."""
        path = Path(named)
        try:
            status = path.stat()
        except FileNotFoundError:
            raise BadRequest(f"{shown(named)}: there is no such file or folder") from None
        except (OSError, ValueError) as error:  # not allowed, a loop of links, a NUL in the name
            raise BadRequest(f"{shown(named)}: cannot be read: {_reason(error)}") from None
        if not named:
            raise BadRequest("an empty path was named; name a file or a folder")
        if stat.S_ISDIR(status.st_mode):
            self._folder(path, Path() if path.is_absolute() else path)
        else:
            self._file(path, Path(path.name) if path.is_absolute() else path)

    def follow_links(self) -> None:
        """Links come last, so that a real file or folder is known by its own name."""
        while self._links:
            path, name = self._links.pop(0)
            try:
                status = path.stat()
            except OSError as error:
                if path.suffix in ENDINGS:
                    self._unreadable(name, f"the link leads nowhere: {_reason(error)}")
                continue
            if stat.S_ISDIR(status.st_mode):
                self._folder(path, name)
            elif path.suffix in ENDINGS:
                self._file(path, name)

    def _folder(self, top: Path, top_name: Path) -> None:
        waiting = [(top, top_name)]
        while waiting:
            folder, name = waiting.pop()
            try:
                status = folder.stat()
                if (status.st_dev, status.st_ino) in self._folders:
                    continue
                self._folders.add((status.st_dev, status.st_ino))
                with os.scandir(folder) as found:
                    entries = sorted(found, key=lambda entry: entry.name)
            except OSError as error:
                self._unreadable(name, _reason(error))
                continue
            for entry in entries:
                self._entry(entry, Path(entry.path), name / entry.name, waiting)

    def _entry(self, entry: os.DirEntry[str], path: Path, name: Path, waiting: list[tuple[Path, Path]]) -> None:
        try:
            hidden = entry.name.startswith(".") and entry.is_dir()
            if hidden:
                return
            if entry.is_symlink():
                self._links.append((path, name))
            elif entry.is_dir(follow_symlinks=False):
                waiting.append((path, name))
            elif path.suffix in ENDINGS:
                self._file(path, name)
        except OSError as error:
            self._unreadable(name, _reason(error))

    def _file(self, path: Path, name: Path) -> None:
        try:
            real = path.resolve()
            if real in self._files:
                return
            self._files.add(real)
            _check(path.stat())
            why = binary(_opened(path, SNIFFED))
        except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: a loop of links, in older Pythons
            why = _reason(error)
        if why is not None:
            self._unreadable(name, why)
            return
        kind: Kind = "header" if path.suffix == ".h" else "source"
        self.sources.append(Source(shown(str(name)), path, kind))

    def _unreadable(self, name: Path, why: str) -> None:
        self.unreadable.append(Unreadable(shown(str(name)), None, why))


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror[0].lower() + error.strerror[1:]
    return str(error)


def _distinct(sources: list[Source]) -> list[Source]:
    """Two files never share a shown path: where they would, both are shown with their whole path."""
    seen: dict[str, int] = {}
    for source in sources:
        seen[source.path] = seen.get(source.path, 0) + 1
    return sorted(
        (
            source if seen[source.path] == 1 else Source(shown(str(source.file)), source.file, source.kind)
            for source in sources
        ),
        key=lambda source: source.path,
    )
