"""The text a learner reads: bytes from a file, a folder or Python's own standard library, split into two parts.

Rules of this file: the same files give the same corpus everywhere (sorted names, whole files, no clock, no randomness);
the held-out part consists of whole blocks spread over the text, never of its tail alone, because the tail of a sorted
folder is a different kind of text; every refusal is a `BadRequest` of one line.
"""

import hashlib
import os
import platform
import stat
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cllm_sim.errors import BadRequest

Bytes = NDArray[np.uint8]

TEXT_BYTES_MIN = 8_192
"""Less text than this cannot be split into two parts that both mean something."""

TEXT_BYTES_MAX = 1 << 30
"""More than this would not fit beside the processes; also keeps every position within 32 bits."""

DEFAULT_BYTES_MAX = 8_000_000

_HELDOUT_EVERY = 20  # one block of twenty: 5 %
_HELDOUT_BYTES_MIN = 1_024
_BLOCK_BYTES_MIN, _BLOCK_BYTES_MAX = 128, 4_096

_DEFAULT_PACKAGES = ("asyncio", "collections", "email", "http", "json", "logging", "unittest", "urllib", "xml")
_MACHINE_SPECIFIC = ("_sysconfigdata", "sitecustomize", "usercustomize")
_TEST_FOLDERS = frozenset({"test", "tests"})


@dataclass(frozen=True, slots=True, eq=False)
class Corpus:
    """A text split for training: `train` and `heldout` are read-only byte vectors that together hold all `bytes` bytes.

    Both parts are blocks put end to end, so about one context in a thousand runs over a seam between two blocks.
    `sha256` (64 hex digits) is that of the whole text before it was split.
    """

    name: str
    train: Bytes
    heldout: Bytes
    sha256: str
    bytes: int


def load_text(path: Path | None) -> Corpus:
    """Read the text at `path` (a file, or a folder read recursively); None reads Python's own standard library.

    In a folder, hidden names are left out, and so are files that hold a NUL byte (binary). Raises BadRequest where
    there is nothing to read, too little, too much, or a file may not be read.
    """
    if path is None:
        return _split(f"Python {platform.python_version()} standard library", _standard_library())
    try:
        if stat.S_ISDIR(path.stat().st_mode):
            pieces = [piece for file in _files_below(path) if b"\0" not in (piece := _read(file))]
            return _split(path.resolve().name, b"".join(pieces), path)
        return _split(path.name, _read(path), path)
    except FileNotFoundError as error:
        raise BadRequest(f"text {error.filename} does not exist: give --text a file or a folder") from error
    except OSError as error:
        raise BadRequest(f"text {error.filename or path} cannot be read: {error.strerror or error}") from error


def _read(file: Path) -> bytes:
    status = file.stat()
    if not stat.S_ISREG(status.st_mode):  # a pipe or a device would be read without end
        raise BadRequest(f"text {file} is neither a file nor a folder: give --text a regular file or a folder")
    if status.st_size > TEXT_BYTES_MAX:
        raise BadRequest(_too_large(file, status.st_size))
    return file.read_bytes()


def _files_below(folder: Path) -> Iterator[Path]:
    """Regular files, sorted by name within each folder; links to folders are not followed, so there are no cycles."""

    def refuse(error: OSError) -> None:
        raise error  # by default, a folder that may not be listed would be passed over in silence

    bytes_total = 0
    for root, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            file = Path(root, name)
            if name.startswith(".") or not file.is_file():
                continue
            bytes_total += file.stat().st_size
            if bytes_total > TEXT_BYTES_MAX:
                raise BadRequest(_too_large(folder, bytes_total))
            yield file


def _too_large(path: Path, size_bytes: int) -> str:
    return f"text {path} holds {size_bytes:,} bytes or more: at most {TEXT_BYTES_MAX:,} are read, give a part of it"


def _standard_library() -> bytes:
    """Sources of the interpreter's own library: whole files in a fixed order up to the limit, tests left out."""
    folder = Path(sysconfig.get_path("stdlib"))
    files = sorted(folder.glob("*.py"))
    for package in _DEFAULT_PACKAGES:
        files += sorted((folder / package).rglob("*.py"))
    pieces: list[bytes] = []
    bytes_total = 0
    for file in files:
        if file.name.startswith(_MACHINE_SPECIFIC) or _TEST_FOLDERS & set(file.relative_to(folder).parts):
            continue
        piece = _read(file)
        if bytes_total + len(piece) > DEFAULT_BYTES_MAX:
            break
        bytes_total += len(piece)
        pieces.append(piece)
    if bytes_total < TEXT_BYTES_MIN:
        raise BadRequest(
            "Python's standard library sources were not found on this machine: give a text with --text PATH"
        )
    return b"".join(pieces)


def _split(name: str, text: bytes, path: Path | None = None) -> Corpus:
    if len(text) < TEXT_BYTES_MIN:
        what = "is empty" if not text else f"holds only {len(text):,} bytes"
        raise BadRequest(f"text {path or name} {what}: at least {TEXT_BYTES_MIN:,} bytes of text are needed")
    everything = np.frombuffer(text, np.uint8)
    chosen = _heldout_mask(everything.size)
    train, heldout = everything[~chosen], everything[chosen]
    train.flags.writeable = heldout.flags.writeable = False
    return Corpus(name, train, heldout, hashlib.sha256(text).hexdigest(), len(text))


def _heldout_mask(size: int) -> NDArray[np.bool_]:
    """True for the bytes of every twentieth block (more often in a short text, so that the minimum is reached)."""
    block = min(max(size // 160, _BLOCK_BYTES_MIN), _BLOCK_BYTES_MAX)
    every = min(_HELDOUT_EVERY, size // _HELDOUT_BYTES_MIN)
    blocks, rest = divmod(size, block)
    chosen = np.arange(blocks) % every == every // 2
    return np.concatenate([np.repeat(chosen, block), np.zeros(rest, np.bool_)])


def bigram_bits_per_byte(corpus: Corpus) -> float:
    """Entropy of a byte given the byte before it, in bits, measured on the held-out part itself.

    Definition: with n(a, b) the number of neighbouring pairs (a, b) in `corpus.heldout`, n(a) the sum of n(a, b) over
    b, and N all pairs, it is the sum over all pairs of n(a, b) / N * log2(n(a) / n(a, b)). Being fitted to the very
    bytes it is measured on (the plug-in estimate), it is a lower bound: no model that looks at one byte only can do
    better there.
    """
    pairs = corpus.heldout[:-1].astype(np.intp) * 256 + corpus.heldout[1:]
    counts = np.bincount(pairs, minlength=65_536).reshape(256, 256).astype(np.float64)
    before = np.broadcast_to(counts.sum(axis=1, keepdims=True), counts.shape)
    seen = counts > 0
    return float((counts[seen] * np.log2(before[seen] / counts[seen])).sum() / pairs.size)
