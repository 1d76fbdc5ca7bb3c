"""Facts kept from one audit to the next, for the user who made them.

Rules of this file: an entry is found by what it depends on (content, shown path, the reader's own code) and by nothing
else. Entries are only read from a folder that belongs to the user and that nobody else may enter, and may hold facts
and nothing else. A damaged or missing entry, a full disk or a read-only folder only costs time.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import io
import os
import pickle
import stat
import sys
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path

from cllm_sim.auditor import facts
from cllm_sim.auditor.facts import FileFacts

FOLDER = "audit-facts"
SIZE_MAX = 256 * 1024 * 1024
"""What all entries may take together; the ones that were made longest ago go first."""

_ENDING = ".facts"


class FactsCache:
    """The entries of one folder; without a usable folder there are none and none are kept."""

    def __init__(self, above: Path | None) -> None:
        self.folder = _own_folder(above) if above is not None else None

    def key(self, path: str, data: bytes) -> str:
        """What an entry is found by."""
        digest = hashlib.sha256(version())
        digest.update(path.encode("utf-8", "surrogatepass") + b"\0")
        digest.update(data)
        return digest.hexdigest()

    def get(self, key: str) -> FileFacts | None:
        """The facts kept under a key."""
        if self.folder is None:
            return None
        try:
            return unpacked((self.folder / f"{key}{_ENDING}").read_bytes())
        except OSError:
            return None

    def put(self, key: str, packed: bytes) -> None:
        """Keep packed facts; half an entry is never left behind."""
        if self.folder is None:
            return
        partial = self.folder / f".{key}.{os.getpid()}.partial"
        try:
            partial.write_bytes(packed)
            partial.replace(self.folder / f"{key}{_ENDING}")
        except OSError:
            with contextlib.suppress(OSError):
                partial.unlink()

    def prune(self, most: int = SIZE_MAX) -> None:
        """Remove the oldest entries until the rest takes clearly less than allowed."""
        if self.folder is None:
            return
        entries: list[tuple[float, int, Path]] = []
        with contextlib.suppress(OSError), os.scandir(self.folder) as found:
            for entry in found:
                with contextlib.suppress(OSError):  # another audit may have removed it
                    status = entry.stat(follow_symlinks=False)
                    entries.append((status.st_mtime, status.st_size, Path(entry.path)))
        total = sum(size for _, size, _ in entries)
        if total <= most:
            return
        for _, size, path in sorted(entries):
            with contextlib.suppress(OSError):
                path.unlink()
            total -= size
            if total <= most * 3 // 4:
                return


@cache
def version() -> bytes:
    """Stands for the code that makes facts: another reader, another parser or another Python makes other entries."""
    digest = hashlib.sha256(repr(sys.version_info[:2]).encode())
    for name in ("tree-sitter", "tree-sitter-c"):
        with contextlib.suppress(metadata.PackageNotFoundError):
            digest.update(metadata.version(name).encode())
    here = Path(__file__).parent
    for file in sorted([*here.glob("*.py"), Path(facts.__file__)]):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.digest()


def packed(value: FileFacts) -> bytes:
    """Facts as bytes."""
    return pickle.dumps(value, protocol=5)


def unpacked(data: bytes) -> FileFacts | None:
    """Facts from bytes; None where the bytes are damaged or hold anything else."""
    try:
        with collector_paused():
            value = _OnlyFacts(io.BytesIO(data)).load()
    except Exception:  # whatever the bytes are: there simply is no entry
        return None
    return value if isinstance(value, FileFacts) else None


@contextlib.contextmanager
def collector_paused() -> Iterator[None]:
    """Facts hold no cycles; looking for some while a million of them are made takes longer than making them."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


class _OnlyFacts(pickle.Unpickler):
    """Takes the classes of `facts.py` and nothing else."""

    def find_class(self, module: str, name: str) -> object:
        found = getattr(facts, name, None) if module == facts.__name__ else None
        if isinstance(found, type) and found.__module__ == facts.__name__:
            return found
        raise pickle.UnpicklingError(f"{module}.{name} is no fact")


def _own_folder(above: Path) -> Path | None:
    folder = above / FOLDER
    try:
        above.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        status = folder.lstat()
    except OSError:
        return None
    private = stat.S_ISDIR(status.st_mode) and not status.st_mode & 0o077
    return folder if private and (not hasattr(os, "getuid") or status.st_uid == os.getuid()) else None
