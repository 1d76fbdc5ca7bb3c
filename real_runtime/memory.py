"""One piece of shared memory for a whole run: laid out by name, reserved up front, gone with its last process.

Rules of this file: the memory has no name in any file system (memfd), so nothing can be left behind after a crash and
two runs cannot collide. Its length is sealed, so no process can pull it away from under another. Whatever must not fail
later is reserved at creation: a machine that is too small says so before anything has started, instead of killing a
process in the middle of a run. Children get the memory by fork; nobody opens it a second time.
"""

import errno
import math
import mmap
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from cllm_sim.errors import BadRequest
from real_runtime.cgroup import memory_left_bytes
from real_runtime.libc import require_glibc

CACHE_LINE_BYTES = 64
PAGE_BYTES = mmap.PAGESIZE
MIB = 1024 * 1024


class NotEnoughMemory(BadRequest):
    """The shared memory of a run does not fit into what this machine, or its container, has left."""


@dataclass(frozen=True, slots=True)
class Part:
    """One named part: where it begins, how long it is, and the array that it holds (`strides` in bytes)."""

    offset: int
    nbytes: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    strides: tuple[int, ...]
    reserved: bool


class Layout:
    """The plan of a shared memory: parts are added one after another, each gets its own offset.

    A part that is not `reserved` takes memory only where it is written (logs); a machine that has none left at that
    moment kills the writer, so everything a step needs stays reserved.
    """

    def __init__(self) -> None:
        self.parts: dict[str, Part] = {}
        self.nbytes = 0

    def add(self, name: str, nbytes: int, align: int = CACHE_LINE_BYTES, *, reserved: bool = True) -> int:
        """Plan `nbytes` plain bytes that begin at a multiple of `align`; the offset is returned."""
        return self._place(name, (nbytes,), np.dtype(np.uint8), (1,), nbytes, align, reserved)

    def array(
        self,
        name: str,
        shape: tuple[int, ...],
        dtype: DTypeLike,
        align: int = CACHE_LINE_BYTES,
        *,
        row_align: int | None = None,
        reserved: bool = True,
    ) -> int:
        """Plan an array; the offset is returned.

        With `row_align` (4096 for gradient rows) every index of the first axis begins at a multiple of that many bytes,
        so that two writers never share a page; the gap belongs to nobody and is not part of the view.
        """
        kind = np.dtype(dtype)
        assert not kind.hasobject, f"{name}: {kind} holds Python objects, which cannot be shared"
        strides = [kind.itemsize] * len(shape)
        for axis in range(len(shape) - 2, -1, -1):
            strides[axis] = strides[axis + 1] * shape[axis + 1]
        if row_align is not None:
            assert shape, f"{name} has no rows to align"
            assert row_align % kind.itemsize == 0, f"{name}: rows cannot begin at multiples of {row_align} bytes"
            strides[0] = _rounded_up(strides[0], row_align)
            align = math.lcm(align, row_align)
        nbytes = strides[0] * shape[0] if shape else kind.itemsize
        return self._place(name, shape, kind, tuple(strides), nbytes, align, reserved)

    def reserved_ranges(self) -> Iterator[range]:
        """The byte ranges that must exist before the run begins, in whole pages, adjoining ones joined."""
        begin = end = 0
        for part in self.parts.values():  # offsets only ever grow
            if not part.reserved or not part.nbytes:
                continue
            first = part.offset // PAGE_BYTES * PAGE_BYTES
            if first > end:
                yield from [range(begin, end)] if end > begin else []
                begin = first
            end = max(end, _rounded_up(part.offset + part.nbytes, PAGE_BYTES))
        yield from [range(begin, end)] if end > begin else []

    def _place(
        self,
        name: str,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        strides: tuple[int, ...],
        nbytes: int,
        align: int,
        reserved: bool,
    ) -> int:
        assert name not in self.parts, f"{name} is planned twice"
        assert nbytes >= 0, f"{name} has {nbytes} bytes"
        assert align > 0, f"{name} is aligned to {align} bytes"
        assert align % dtype.alignment == 0, f"{name}: {dtype} cannot be aligned to {align} bytes"
        offset = _rounded_up(self.nbytes, align)
        self.parts[name] = Part(offset, nbytes, shape, dtype, strides, reserved)
        self.nbytes = offset + nbytes
        return offset


class SharedMemory:
    """A mapped layout, filled with zeros. Processes forked after `create` see the same bytes at the same addresses.

    `close` belongs after the last use of every address: an address does not keep the memory alive, a view does.
    """

    def __init__(self, layout: Layout, mapping: mmap.mmap) -> None:
        """Use `create`."""
        self.layout = layout
        self._mapping: mmap.mmap | None = mapping
        # Views are cut from this array and not from the mapping: only `frombuffer` holds on to the bytes themselves, so
        # that closing cannot take them away from under a view.
        self._bytes: NDArray[np.uint8] | None = np.frombuffer(mapping, np.uint8)
        self._begin = self._bytes.ctypes.data

    @classmethod
    def create(cls, layout: Layout) -> Self:
        """Reserve and map the memory of `layout`.

        Raises NotEnoughMemory, or BadRequest where this is not Linux with glibc or another limit is reached.
        """
        require_glibc()
        ranges = list(layout.reserved_ranges())
        needed_bytes = sum(len(part) for part in ranges)
        if needed_bytes > available_bytes():
            raise _too_small(needed_bytes)
        # The pages are anonymous, so the length is a whole number of them and never nothing.
        length_bytes = max(PAGE_BYTES, _rounded_up(layout.nbytes, PAGE_BYTES))
        try:
            return cls(layout, _mapped(length_bytes, ranges))
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.ENOMEM, errno.EFBIG):
                raise _too_small(needed_bytes, length_bytes, error) from error
            raise BadRequest(f"shared memory cannot be created: {error.strerror}; see `ulimit -a`") from error

    def view(self, name: str) -> NDArray[Any]:
        """The array of a part, shape and dtype as planned; writing to it is seen by every process."""
        part = self.layout.parts[name]
        assert self._bytes is not None, "the shared memory is closed"
        return np.ndarray(part.shape, part.dtype, self._bytes, part.offset, part.strides)

    def address(self, name: str) -> int:
        """Where the part begins in this process, and in every process forked from it."""
        assert self._bytes is not None, "the shared memory is closed"
        return self._begin + self.layout.parts[name].offset

    def close(self) -> None:
        """Give the memory back; where views are still in use, it goes with the last of them. May be called twice."""
        self._bytes = None
        mapping, self._mapping = self._mapping, None
        if mapping is not None:
            try:
                mapping.close()
            except BufferError:
                pass  # a view still uses it, and holds the last reference now

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def available_bytes() -> int:
    """Memory this process may still take: what the kernel calls available, or less where a control group limits it."""
    match = re.search(r"^MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text(encoding="utf-8"), re.MULTILINE)
    machine_bytes = int(match[1]) * 1024 if match else os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    group_bytes = memory_left_bytes()
    return machine_bytes if group_bytes is None else min(machine_bytes, group_bytes)


def _mapped(length_bytes: int, ranges: list[range]) -> mmap.mmap:
    import fcntl  # absent on some systems, where this module must still be importable

    descriptor = os.memfd_create("cllm", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        os.ftruncate(descriptor, length_bytes)
        for part in ranges:
            os.posix_fallocate(descriptor, part.start, len(part))
        seals = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
        return mmap.mmap(descriptor, length_bytes)
    finally:
        os.close(descriptor)  # the mapping keeps a descriptor of its own


def _too_small(needed_bytes: int, length_bytes: int = 0, error: OSError | None = None) -> NotEnoughMemory:
    cause = f" ({error.strerror} for {length_bytes / MIB:,.1f} MiB of address space)" if error else ""
    return NotEnoughMemory(
        f"train needs {needed_bytes / MIB:,.1f} MiB of shared memory, {available_bytes() / MIB:,.1f} MiB are available"
        f"{cause}: use fewer --slots, fewer --workers or a smaller model"
    )


def _rounded_up(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple
