"""Goal: shared memory is where the plan says, is shared, is reserved, cannot shrink, and is gone afterwards."""

import errno
import os
import resource
import sys
import traceback
from pathlib import Path

import numpy as np
import pytest

from cllm_sim.errors import BadRequest
from real_runtime import memory as memory_module
from real_runtime.memory import PAGE_BYTES, Layout, NotEnoughMemory, SharedMemory, available_bytes
from real_runtime.processes import fork_actor, kill_all, wait_any

LIMIT_S = 240.0  # fires in a deadlock only
MIB = 1024 * 1024


def own_descriptors() -> list[int]:
    """Descriptors of this process that lead to shared memory of ours."""
    found = []
    for entry in Path("/proc/self/fd").iterdir():
        try:
            if str(entry.readlink()).startswith("/memfd:cllm"):
                found.append(int(entry.name))
        except FileNotFoundError:
            continue  # the descriptor that lists the folder
    return found


def own_mappings() -> int:
    return Path("/proc/self/maps").read_text().count("/memfd:cllm")


def test_parts_follow_each_other_without_overlap():
    layout = Layout()
    assert layout.add("first", 5) == 0
    assert layout.add("second", 5) == 64
    assert layout.add("third", 1, align=1) == 69
    assert layout.array("numbers", (3,), np.float64, align=8) == 72
    assert layout.nbytes == 96


def test_rows_begin_at_pages_and_the_view_shows_only_the_rows():
    layout = Layout()
    layout.add("before", 1)
    assert layout.array("rows", (3, 1025), np.float32, row_align=4096) == 4096
    assert layout.add("after", 1) == 4096 + 3 * 8192
    with SharedMemory.create(layout) as memory:
        rows = memory.view("rows")
        assert rows.shape == (3, 1025)
        assert rows.dtype == np.float32
        assert [rows[index].ctypes.data % 4096 for index in range(3)] == [0, 0, 0]
        assert all(rows[index].flags.c_contiguous for index in range(3))
        rows[:] = 7
        del rows
        assert memory.view("before").sum() == memory.view("after").sum() == 0


def test_every_kind_of_view_begins_as_zeros_at_its_address():
    layout = Layout()
    layout.array("scalar", (), np.int64)
    layout.array("cube", (2, 3, 4), np.float64)
    layout.add("bytes", 10)
    layout.array("nothing", (0, 4), np.float32)
    with SharedMemory.create(layout) as memory:
        for name in layout.parts:
            assert not memory.view(name).any()
            assert memory.view(name).ctypes.data == memory.address(name)
        memory.view("cube")[1, 2, 3] = 1.5
        assert memory.view("cube").ravel()[-1] == 1.5
        assert memory.view("scalar").shape == ()


def test_wrong_plans_are_refused():
    layout = Layout()
    layout.add("twice", 1)
    with pytest.raises(AssertionError, match="planned twice"):
        layout.add("twice", 1)
    with pytest.raises(AssertionError, match="cannot be shared"):
        layout.array("objects", (1,), object)
    with pytest.raises(AssertionError, match="cannot be aligned"):
        layout.array("odd", (1,), np.float64, align=3)


def test_reserved_ranges_are_whole_pages_joined_where_they_touch():
    layout = Layout()
    layout.add("one", 10)
    layout.add("two", 10)
    layout.add("log", 5 * PAGE_BYTES, reserved=False)
    layout.add("three", 10)
    layout.add("empty", 0, align=PAGE_BYTES)
    first, second = layout.reserved_ranges()
    assert first == range(PAGE_BYTES)
    assert second == range(5 * PAGE_BYTES, 6 * PAGE_BYTES)
    assert list(Layout().reserved_ranges()) == []


def test_only_reserved_parts_take_memory():
    layout = Layout()
    layout.add("weights", 4 * MIB)
    layout.add("log", 4096 * MIB, reserved=False)
    with SharedMemory.create(layout) as memory:
        (descriptor,) = own_descriptors()
        assert os.fstat(descriptor).st_size == 4100 * MIB
        assert os.fstat(descriptor).st_blocks * 512 == 4 * MIB
        memory.view("log")[-1] = 1
        assert os.fstat(descriptor).st_blocks * 512 <= 4 * MIB + 2 * MIB  # one page, huge ones included


@pytest.mark.processes
def test_children_see_the_same_bytes_at_the_same_address():
    layout = Layout()
    layout.array("numbers", (4,), np.int64)
    with SharedMemory.create(layout) as memory:
        numbers = memory.view("numbers")

        def child() -> int:
            numbers[0] = memory.address("numbers")
            memory.view("numbers")[1] = 2
            memory.close()
            return 0

        children = [fork_actor(child, on_error=lambda error: traceback.print_exception(error, file=sys.stderr))]
        try:
            assert [ended.description for ended in wait_any(children, LIMIT_S).exits] == ["exit code 0"]
        finally:
            kill_all(children)
        assert list(numbers) == [memory.address("numbers"), 2, 0, 0]


def test_the_length_is_sealed():
    layout = Layout()
    layout.add("part", PAGE_BYTES)
    with SharedMemory.create(layout):
        (descriptor,) = own_descriptors()
        for length in (0, 2 * PAGE_BYTES):
            with pytest.raises(PermissionError):
                os.ftruncate(descriptor, length)
        assert not os.get_inheritable(descriptor)


def test_nothing_is_left_behind():
    names_before = sorted(Path("/dev/shm").iterdir())
    layout = Layout()
    layout.add("part", MIB)
    for _ in range(3):
        memory = SharedMemory.create(layout)
        memory.view("part")[:] = 1
        memory.close()
        memory.close()
    assert own_descriptors() == []
    assert own_mappings() == 0
    assert sorted(Path("/dev/shm").iterdir()) == names_before
    with pytest.raises(AssertionError, match="closed"):
        memory.view("part")


def test_a_view_outlives_close():
    layout = Layout()
    layout.array("part", (8,), np.int64)
    memory = SharedMemory.create(layout)
    view = memory.view("part")
    memory.close()
    view[:] = 3
    assert view.sum() == 24
    del view
    assert own_mappings() == 0


def test_too_much_is_refused_before_anything_is_taken():
    layout = Layout()
    layout.add("weights", available_bytes() + 64 * MIB)
    with pytest.raises(
        NotEnoughMemory, match=r"^train needs [\d,.]+ MiB of shared memory, [\d,.]+ MiB are available: "
    ):
        SharedMemory.create(layout)
    assert own_descriptors() == []


def test_a_full_machine_while_reserving_is_the_same_error(monkeypatch):
    def full(descriptor: int, offset: int, length: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    layout = Layout()
    layout.add("weights", MIB)
    with pytest.raises(NotEnoughMemory, match=r"needs 1\.0 MiB .*\(No space left on device"):
        SharedMemory.create(layout)
    assert own_descriptors() == []


def test_another_limit_is_named(monkeypatch):
    def none_left(name: str, flags: int) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(os, "memfd_create", none_left)
    with pytest.raises(BadRequest, match="Too many open files") as caught:
        SharedMemory.create(Layout())
    assert not isinstance(caught.value, NotEnoughMemory)


def test_the_limit_on_file_sizes_counts():
    """The kernel's own refusal, without any stand-in."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    layout = Layout()
    layout.add("log", 64 * MIB, reserved=False)
    resource.setrlimit(resource.RLIMIT_FSIZE, (MIB, hard))
    try:
        with pytest.raises(NotEnoughMemory, match=r"File too large for 64.0 MiB"):
            SharedMemory.create(layout)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_the_limit_of_the_control_group_counts(monkeypatch):
    monkeypatch.setattr(memory_module, "memory_left_bytes", lambda: 3 * MIB)
    assert available_bytes() == 3 * MIB
    layout = Layout()
    layout.add("weights", 4 * MIB)
    with pytest.raises(NotEnoughMemory, match=r"needs 4\.0 MiB of shared memory, 3\.0 MiB are available"):
        SharedMemory.create(layout)
