"""Goal: each primitive keeps its promise between real processes. Method: forked children, exact counts, one limit.

Whoever may wait is a child, never the test itself: a wait inside the C library cannot be interrupted by a time limit.
"""

import ctypes
import os
import select
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from shutil import which

import pytest

from cllm_sim.errors import BadRequest, SubjectFailed
from real_runtime import libc
from real_runtime.memory import Layout, SharedMemory
from real_runtime.native import (
    SEMAPHORE_MAX,
    SIZE_BYTES,
    WORD_MAX,
    WORD_MIN,
    Barrier,
    Condition,
    LockMisuse,
    Mutex,
    Semaphore,
    Word,
)
from real_runtime.processes import Child, fork_actor, kill_all, process_state, wait_any

pytestmark = pytest.mark.processes

LIMIT_S = 240.0  # fires in a deadlock only


def show(error: BaseException) -> None:
    traceback.print_exception(error)
    sys.stderr.flush()


class Crew:
    """Runs functions in forked processes and waits until all of them have ended well."""

    def __init__(self) -> None:
        self.children: list[Child] = []

    def start(self, main: Callable[[], object]) -> Child:
        def quiet() -> int:
            main()
            return 0

        self.children.append(fork_actor(quiet, on_error=show))
        return self.children[-1]

    def finish(self) -> None:
        endings: list[str] = []
        while len(endings) < len(self.children):
            woken = wait_any(self.children, LIMIT_S)
            assert woken.exits, "nobody moved: a deadlock"
            endings += [ended.description for ended in woken.exits]
        assert set(endings) == {"exit code 0"}


def wait_for_sleep(child: Child) -> None:
    """Until the kernel says that the child waits for something."""
    idle = select.poll()
    for _ in range(int(LIMIT_S * 1000)):
        state = process_state(child.pid)
        assert state, "the child has ended"
        if state.letter == "S":
            return
        idle.poll(1)
    raise AssertionError("the child never waited")


@pytest.fixture
def crew() -> Iterator[Crew]:
    crew = Crew()
    yield crew
    kill_all(crew.children)


@pytest.fixture
def place() -> Iterator[Callable[[int], int]]:
    """Addresses for objects of a given size, one after another, in one shared memory."""
    layout = Layout()
    layout.add("objects", 64 * SIZE_BYTES)
    with SharedMemory.create(layout) as memory:
        free = memory.address("objects")

        def take(size_bytes: int) -> int:
            nonlocal free
            free += size_bytes
            return free - size_bytes

        yield take


@pytest.fixture
def counter(place: Callable[[int], int]) -> ctypes.c_int64:
    """A plain shared integer, unprotected."""
    return ctypes.c_int64.from_address(place(SIZE_BYTES))


def barrier_among(place: Callable[[int], int], parties: int) -> Barrier:
    return Barrier.initialise(place(Barrier.SIZE_BYTES), parties)


def test_barrier_keeps_13_processes_in_step_for_1000_rounds(crew, place, counter):
    """Each process adds one between two crossings; after the second nobody may see anything but a full round."""
    barrier, mutex = barrier_among(place, 13), Mutex.initialise(place(Mutex.SIZE_BYTES))

    def party() -> None:
        for turn in range(500):
            mutex.acquire()
            counter.value += 1
            mutex.release()
            assert barrier.wait() == 0
            assert counter.value == 13 * (turn + 1)
            assert barrier.wait() == 0

    for _ in range(13):
        crew.start(party)
    crew.finish()
    assert counter.value == 13 * 500


def test_barrier_of_one_never_waits(place):
    barrier = barrier_among(place, 1)
    assert [barrier.wait() for _ in range(3)] == [0, 0, 0]


@pytest.mark.parametrize("parties", [0, -1, 2**31])
def test_barrier_needs_a_party(place, parties):
    with pytest.raises(BadRequest, match=f"barrier of {parties} parties"):
        barrier_among(place, parties)


def test_mutex_makes_increments_exact(crew, place, counter):
    mutex, start = Mutex.initialise(place(Mutex.SIZE_BYTES)), barrier_among(place, 12)

    def party() -> None:
        start.wait()  # without it the first ones have ended before the last ones begin
        for _ in range(1000):
            assert mutex.acquire() == 0
            counter.value += 1
            assert mutex.release() == 0

    for _ in range(12):
        crew.start(party)
    crew.finish()
    assert counter.value == 12_000


def test_mutex_reports_release_by_a_stranger_and_double_acquire(crew, place):
    mutex = Mutex.initialise(place(Mutex.SIZE_BYTES))
    held, tried = (Semaphore.initialise(place(Semaphore.SIZE_BYTES)) for _ in range(2))

    def owner() -> None:
        with pytest.raises(LockMisuse, match="released by a process that does not hold it"):
            mutex.release()
        mutex.acquire()
        with pytest.raises(LockMisuse, match="already holds it"):
            mutex.acquire()
        held.up()
        tried.down()
        assert mutex.release() == 0  # none of this changed its owner

    def stranger() -> None:
        held.down()
        with pytest.raises(LockMisuse, match="does not hold it"):
            mutex.release()
        tried.up()

    crew.start(owner)
    crew.start(stranger)
    crew.finish()


def test_object_can_be_bound_a_second_time_by_address(place):
    address = place(Mutex.SIZE_BYTES)
    Mutex.initialise(address).acquire()
    Mutex(address).release()


def test_condition_hands_work_over_both_ways(crew, place, counter):
    """The hand-off of model_lock: one condition for both directions, 500 turns, every value seen exactly once."""
    mutex = Mutex.initialise(place(Mutex.SIZE_BYTES))
    changed = Condition.initialise(place(Condition.SIZE_BYTES), mutex)

    def party(own: int) -> None:
        for turn in range(500):
            mutex.acquire()
            while counter.value % 2 != own:
                assert changed.wait() == 0
            assert counter.value == 2 * turn + own
            counter.value += 1
            assert changed.notify() == 0
            mutex.release()

    crew.start(lambda: party(0))
    crew.start(lambda: party(1))
    crew.finish()
    assert counter.value == 1000


def test_notify_all_wakes_everybody(crew, place, counter):
    mutex = Mutex.initialise(place(Mutex.SIZE_BYTES))
    opened = Condition.initialise(place(Condition.SIZE_BYTES), mutex)
    asleep = Semaphore.initialise(place(Semaphore.SIZE_BYTES))

    def sleeper() -> None:
        mutex.acquire()
        asleep.up()  # seen before the mutex is free again, hence before anybody can notify
        while not counter.value:
            opened.wait()
        mutex.release()

    def waker() -> None:
        for _ in range(5):
            asleep.down()
        mutex.acquire()
        counter.value = 1
        assert opened.notify_all() == 0
        mutex.release()

    for _ in range(5):
        crew.start(sleeper)
    crew.start(waker)
    crew.finish()


def test_each_notify_wakes_at_least_one_of_many_sleepers(crew, place, counter):
    """Twelve processes sleep on one condition and take 100 tokens each; a lost wake-up would hang here."""
    mutex = Mutex.initialise(place(Mutex.SIZE_BYTES))
    filled = Condition.initialise(place(Condition.SIZE_BYTES), mutex)

    def taker() -> None:
        for _ in range(100):
            mutex.acquire()
            while not counter.value:
                filled.wait()
            counter.value -= 1
            mutex.release()

    def giver() -> None:
        for _ in range(1200):
            mutex.acquire()
            counter.value += 1
            filled.notify()
            mutex.release()

    for _ in range(12):
        crew.start(taker)
    crew.start(giver)
    crew.finish()
    assert counter.value == 0


def test_condition_needs_its_mutex(place):
    mutex = Mutex.initialise(place(Mutex.SIZE_BYTES))
    condition = Condition.initialise(place(Condition.SIZE_BYTES), mutex)
    with pytest.raises(LockMisuse, match="sleep on its condition"):
        condition.wait()
    assert condition.notify() == 0  # nobody asleep: lost, and no error


def test_semaphore_lets_as_many_pass_as_were_let(crew, place, counter):
    """Twelve takers, 1,200 ups by the parent; the mutex inside counts, the semaphore ends at zero."""
    tokens = Semaphore.initialise(place(Semaphore.SIZE_BYTES), 200)
    mutex = Mutex.initialise(place(Mutex.SIZE_BYTES))

    def taker() -> None:
        for _ in range(100):
            assert tokens.down() == 0
            mutex.acquire()
            counter.value += 1
            mutex.release()

    for _ in range(12):
        crew.start(taker)
    for _ in range(1000):
        assert tokens.up() == 0
    crew.finish()
    assert counter.value == 1200


def test_semaphore_goes_on_waiting_after_a_signal(crew, place):
    """A handler of Python's cuts the wait short, runs, and the wait is taken up again until the semaphore is upped."""
    ready, stage = Semaphore.initialise(place(Semaphore.SIZE_BYTES)), Word.initialise(place(Word.SIZE_BYTES))

    def waiter() -> None:
        signal.signal(signal.SIGUSR1, lambda number, frame: stage.exchange(1, 2))
        stage.store(1)
        ready.down()
        assert stage.load() == 3

    waiting = crew.start(waiter)

    def disturber() -> None:
        stage.wait_until(1)
        wait_for_sleep(waiting)
        signal.pidfd_send_signal(waiting.pidfd, signal.SIGUSR1)
        stage.wait_until(2)
        wait_for_sleep(waiting)
        stage.store(3)
        ready.up()

    crew.start(disturber)
    crew.finish()


@pytest.mark.parametrize("value", [-1, SEMAPHORE_MAX + 1])
def test_semaphore_refuses_impossible_counts(place, value):
    with pytest.raises(BadRequest, match=f"cannot begin at {value}"):
        Semaphore.initialise(place(Semaphore.SIZE_BYTES), value)


def test_semaphore_reports_overflow(place):
    semaphore = Semaphore.initialise(place(Semaphore.SIZE_BYTES), SEMAPHORE_MAX)
    with pytest.raises(SubjectFailed, match="the text ups more than it downs"):
        semaphore.up()


def test_word_replies(place):
    word = Word.initialise(place(Word.SIZE_BYTES), -7)
    assert word.load() == -7
    assert word.store(5) == 0
    assert word.add(3) == 5
    assert word.exchange(8, 1) == 8
    assert word.exchange(8, 2) == 1
    assert word.load() == 1
    assert word.wait_until(1) == 1


def test_word_adds_are_exact_and_never_answer_twice_the_same(crew, place):
    word, total = (Word.initialise(place(Word.SIZE_BYTES)) for _ in range(2))
    start = barrier_among(place, 12)

    def party() -> None:
        start.wait()
        total.add(sum(word.add(1) for _ in range(1000)))

    for _ in range(12):
        crew.start(party)
    crew.finish()
    assert word.load() == 12_000
    assert total.load() == sum(range(12_000))


def test_word_exchange_is_a_lock(crew, place, counter):
    lock, start = Word.initialise(place(Word.SIZE_BYTES)), barrier_among(place, 4)

    def party() -> None:
        start.wait()
        for _ in range(300):
            while lock.exchange(0, 1):
                lock.wait_until(0)
            counter.value += 1
            lock.store(0)

    for _ in range(4):
        crew.start(party)
    crew.finish()
    assert counter.value == 1200


def test_word_wakes_everybody_who_waits_for_its_value(crew, place):
    """Six processes wait, two for each value; a seventh passes through all of the values, and waits itself."""
    word, arrived = (Word.initialise(place(Word.SIZE_BYTES)) for _ in range(2))

    def waiter(value: int) -> None:
        assert word.wait_until(value) == value
        arrived.add(1)

    def changer() -> None:
        for value in (1, 2, 3):
            word.store(value)
            assert arrived.wait_until(2 * value) == 2 * value

    for value in (1, 1, 2, 2, 3, 3):
        crew.start(partial(waiter, value))
    crew.start(changer)
    crew.finish()


@pytest.mark.parametrize("act", ["store", "add", "exchange"])
def test_word_refuses_what_64_bits_cannot_hold_and_stays_usable(place, act):
    word = Word.initialise(place(Word.SIZE_BYTES), WORD_MAX)
    calls = {
        "store": lambda: word.store(WORD_MIN - 1),
        "add": lambda: word.add(1),
        "exchange": lambda: word.exchange(WORD_MAX, WORD_MAX + 1),
    }
    with pytest.raises(SubjectFailed, match="64 bits with sign"):
        calls[act]()
    assert word.load() == WORD_MAX
    with pytest.raises(BadRequest, match="64 bits"):
        Word.initialise(place(Word.SIZE_BYTES), WORD_MAX + 1)


def test_objects_stay_within_their_bytes():
    """Every object is made and used in the middle of painted memory; the paint before and behind it must stay."""
    kinds = libc.STRUCT_BYTES[os.uname().machine]
    paint = b"\xa5"
    for kind, use in [
        ("pthread_barrier_t", lambda at: Barrier.initialise(at, 1).wait()),
        ("pthread_mutex_t", lambda at: Mutex.initialise(at).acquire()),
        ("pthread_cond_t", lambda at: Condition.initialise(at, Mutex(at)).notify_all()),
        ("sem_t", lambda at: Semaphore.initialise(at, 1).down()),
    ]:
        bytes_around = ctypes.create_string_buffer(paint * (4 * SIZE_BYTES), 4 * SIZE_BYTES)
        begin = -(-ctypes.addressof(bytes_around) // SIZE_BYTES) * SIZE_BYTES + SIZE_BYTES
        use(begin)
        offset = begin - ctypes.addressof(bytes_around)
        assert bytes_around.raw[:offset] == paint * offset
        behind = bytes_around.raw[offset + kinds[kind] :]
        assert behind == paint * len(behind)


def test_the_sizes_are_those_of_the_c_compiler(tmp_path):
    compiler = which("cc")
    if compiler is None:
        pytest.skip("no C compiler on this machine; the table is checked where there is one")
    kinds = libc.STRUCT_BYTES[os.uname().machine]
    sizes = ", ".join(f"sizeof({kind})" for kind in kinds)
    source = tmp_path / "sizes.c"
    source.write_text(
        "#include <pthread.h>\n#include <semaphore.h>\n#include <stdio.h>\n"
        f'int main(void) {{ printf("{"%zu " * len(kinds)}", {sizes}); return 0; }}\n'
    )
    subprocess.run([compiler, str(source), "-o", str(tmp_path / "sizes")], check=True, timeout=LIMIT_S)
    answer = subprocess.run([tmp_path / "sizes"], check=True, timeout=LIMIT_S, capture_output=True, text=True)
    assert [int(word) for word in answer.stdout.split()] == list(kinds.values())
    assert all(size <= SIZE_BYTES for table in libc.STRUCT_BYTES.values() for size in table.values())


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """A machine that is not ours; nothing of it is remembered afterwards."""
    libc.require_glibc.cache_clear()
    yield monkeypatch
    monkeypatch.undo()
    libc.require_glibc.cache_clear()


def test_another_system_is_refused_in_one_line(elsewhere):
    elsewhere.setattr(sys, "platform", "darwin")
    with pytest.raises(BadRequest, match=r"^train needs Linux with glibc .*, this is darwin: .*$"):
        SharedMemory.create(Layout())


def test_another_c_library_is_refused(elsewhere):
    elsewhere.setattr(os, "confstr", lambda name: None)
    with pytest.raises(BadRequest, match="another C library"):
        SharedMemory.create(Layout())


def test_another_processor_is_refused(elsewhere):
    elsewhere.setattr("platform.machine", lambda: "mips")
    with pytest.raises(BadRequest, match="this is mips"):
        SharedMemory.create(Layout())


def test_importing_looks_nothing_up():
    """Every module of the native layer can be imported where there is neither glibc nor anything else of Unix."""
    program = (
        "import ctypes, numpy, os, sys; ctypes.CDLL = None; sys.modules['fcntl'] = None;"
        "del os.EX_SOFTWARE, os.fork, os.pidfd_open, os.memfd_create, os.confstr;"
        "import real_runtime.memory, real_runtime.native, real_runtime.processes"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=LIMIT_S, cwd=Path(libc.__file__).parents[1])
