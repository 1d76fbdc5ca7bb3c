"""Barrier, mutex, condition, semaphore and word in shared memory: glibc's own process-shared objects, called by ctypes.

Rules of this file. `initialise` runs once, before the processes that share an object are forked; building an object
from an address only binds it. Every operation is a callable without arguments (a word's take integers) that is made
once, so that a call costs some 0.2 microseconds of Python, and it answers with the int that `cllm_sim/operations.py`
promises. Every return code is looked at. Whatever may wait gives the interpreter lock away. No object notices the death
of a process: a supervisor sees it and ends the run, so nothing here has a time limit. Nothing has to be destroyed:
glibc keeps these objects in their own bytes alone, and they go with the shared memory.

An object must not be used after its memory is closed, nor moved or copied to other bytes.
"""

import ctypes
import errno
from collections.abc import Callable
from typing import Self

from cllm_sim.errors import BadRequest, SubjectFailed
from real_runtime.libc import checked, library, library_with_errno, require_glibc

Act = Callable[[], int]

PTHREAD_PROCESS_SHARED = 1
PTHREAD_MUTEX_ERRORCHECK = 2
PTHREAD_BARRIER_SERIAL_THREAD = -1
# One cache line each: room for the largest of `libc.STRUCT_BYTES`, and no two objects disturb each other.
SIZE_BYTES = 64
ALIGN_BYTES = 8
SEMAPHORE_MAX = 2**31 - 1
WORD_MIN, WORD_MAX = -(2**63), 2**63 - 1
# Older versions lose a wake-up in rare cases when several processes sleep on one condition (glibc bug 25847).
GLIBC_WITH_SOUND_SIGNAL = (2, 41)


class LockMisuse(SubjectFailed):
    """A mutex was used by a process that may not: released or slept on without holding it, or acquired twice."""


class Barrier:
    """A barrier for a fixed number of parties, reusable at once; who crosses last is not told (every reply is 0)."""

    SIZE_BYTES = SIZE_BYTES

    def __init__(self, address: int) -> None:
        """Bind to the barrier that `initialise` made at `address`."""
        wait = _function("pthread_barrier_wait")

        def cross() -> int:
            code = wait(address)
            if code and code != PTHREAD_BARRIER_SERIAL_THREAD:
                checked("pthread_barrier_wait", code)
            return 0

        self.wait: Act = cross

    @classmethod
    def initialise(cls, address: int, parties: int) -> Self:
        """Make a barrier of `parties` at `address`; raises BadRequest for less than one party."""
        _check_place(address)
        if not 1 <= parties <= SEMAPHORE_MAX:
            raise BadRequest(f"a barrier of {parties} parties cannot be made: at least one party is needed")
        attributes = _shared_attributes("pthread_barrierattr")
        code = library()["pthread_barrier_init"](ctypes.c_void_p(address), attributes, ctypes.c_uint(parties))
        checked("pthread_barrier_init", code)
        return cls(address)


class Mutex:
    """A mutex that knows its owner: raises LockMisuse where it is released by somebody else or acquired twice."""

    SIZE_BYTES = SIZE_BYTES

    def __init__(self, address: int) -> None:
        """Bind to the mutex that `initialise` made at `address`."""
        lock, unlock = _function("pthread_mutex_lock"), _function("pthread_mutex_unlock")

        def acquire() -> int:
            code = lock(address)
            if code:
                _raise_misuse("pthread_mutex_lock", code)
            return 0

        def release() -> int:
            code = unlock(address)
            if code:
                _raise_misuse("pthread_mutex_unlock", code)
            return 0

        self.address = address
        self.acquire: Act = acquire
        self.release: Act = release

    @classmethod
    def initialise(cls, address: int) -> Self:
        """Make a free mutex at `address`."""
        _check_place(address)
        attributes = _shared_attributes("pthread_mutexattr")
        code = library()["pthread_mutexattr_settype"](attributes, PTHREAD_MUTEX_ERRORCHECK)
        checked("pthread_mutexattr_settype", code)
        checked("pthread_mutex_init", library()["pthread_mutex_init"](ctypes.c_void_p(address), attributes))
        return cls(address)


class Condition:
    """A condition variable, bound to the one mutex it is used with; `wait` may also return without any `notify`."""

    SIZE_BYTES = SIZE_BYTES

    def __init__(self, address: int, mutex: Mutex) -> None:
        """Bind to the condition that `initialise` made at `address`."""
        sleep, guard = _function("pthread_cond_wait", 2), mutex.address

        def wait() -> int:
            code = sleep(address, guard)
            if code:
                _raise_misuse("pthread_cond_wait", code)
            return 0

        # Waking everybody is a legal `notify` that woke some sleepers without cause; losing one would be a hang.
        signal = "pthread_cond_signal" if require_glibc() >= GLIBC_WITH_SOUND_SIGNAL else "pthread_cond_broadcast"
        self.wait: Act = wait
        self.notify: Act = _checked_act(signal, address)
        self.notify_all: Act = _checked_act("pthread_cond_broadcast", address)

    @classmethod
    def initialise(cls, address: int, mutex: Mutex) -> Self:
        """Make a condition with nobody asleep at `address`."""
        _check_place(address)
        attributes = _shared_attributes("pthread_condattr")
        checked("pthread_cond_init", library()["pthread_cond_init"](ctypes.c_void_p(address), attributes))
        return cls(address, mutex)


class Semaphore:
    """A counting semaphore."""

    SIZE_BYTES = SIZE_BYTES

    def __init__(self, address: int) -> None:
        """Bind to the semaphore that `initialise` made at `address`."""
        wait, post = library_with_errno()["sem_wait"], library_with_errno()["sem_post"]
        wait.argtypes = post.argtypes = [ctypes.c_void_p]

        def down() -> int:
            while wait(address):
                # A signal handler of Python's runs before the next turn, and may raise.
                if ctypes.get_errno() != errno.EINTR:
                    checked("sem_wait", ctypes.get_errno())
            return 0

        def up() -> int:
            if post(address):
                if ctypes.get_errno() == errno.EOVERFLOW:
                    raise SubjectFailed(f"a semaphore went beyond {SEMAPHORE_MAX:,}: the text ups more than it downs")
                checked("sem_post", ctypes.get_errno())
            return 0

        self.down: Act = down
        self.up: Act = up

    @classmethod
    def initialise(cls, address: int, value: int = 0) -> Self:
        """Make a semaphore at `address` that counts `value`; raises BadRequest below 0 and above 2**31 - 1."""
        _check_place(address)
        if not 0 <= value <= SEMAPHORE_MAX:
            raise BadRequest(f"a semaphore cannot begin at {value}: use 0 to {SEMAPHORE_MAX:,}")
        if library_with_errno()["sem_init"](ctypes.c_void_p(address), PTHREAD_PROCESS_SHARED, ctypes.c_uint(value)):
            checked("sem_init", ctypes.get_errno())
        return cls(address)


class Word:
    """A shared 64-bit integer whose operations all happen in one order for everybody, on every kind of processor.

    Python has no atomic instructions, so each word carries its own mutex, and a condition for those who await a value.
    """

    SIZE_BYTES = 3 * SIZE_BYTES

    def __init__(self, address: int) -> None:
        """Bind to the word that `initialise` made at `address`."""
        mutex = Mutex(address)
        changed = Condition(address + SIZE_BYTES, mutex)
        self._acquire, self._release = mutex.acquire, mutex.release
        self._sleep, self._wake_all = changed.wait, changed.notify_all
        # Item 0 is the value, item 1 how many sleep; a memoryview refuses what does not fit, ctypes would cut it off.
        self._items = memoryview((ctypes.c_int64 * 2).from_address(address + 2 * SIZE_BYTES)).cast("B").cast("q")

    @classmethod
    def initialise(cls, address: int, value: int = 0) -> Self:
        """Make a word at `address`; raises BadRequest for a value that 64 bits cannot hold."""
        if not WORD_MIN <= value <= WORD_MAX:
            raise BadRequest(f"a word cannot begin at {value}: it holds 64 bits with sign")
        Condition.initialise(address + SIZE_BYTES, Mutex.initialise(address))
        word = cls(address)
        word._items[0], word._items[1] = value, 0
        return word

    def load(self) -> int:
        """The value."""
        self._acquire()
        value = self._items[0]
        self._release()
        return value

    def store(self, value: int) -> int:
        """Set the value; the reply is 0. Raises SubjectFailed where 64 bits are too few; so do `add` and `exchange`."""
        self._acquire()
        try:
            self._set(value)
        finally:
            self._release()
        return 0

    def add(self, delta: int) -> int:
        """Add to the value; the reply is the value before."""
        self._acquire()
        try:
            before = self._items[0]
            self._set(before + delta)
        finally:
            self._release()
        return before

    def exchange(self, old: int, new: int) -> int:
        """Set the value to `new` where it is `old`; the reply is the value before, in both cases."""
        self._acquire()
        try:
            before = self._items[0]
            if before == old:
                self._set(new)
        finally:
            self._release()
        return before

    def wait_until(self, value: int) -> int:
        """Sleep until the word has this value, which is the reply. A value set only for a moment may be missed."""
        items = self._items
        self._acquire()
        try:
            while items[0] != value:
                items[1] += 1
                try:
                    self._sleep()
                finally:
                    items[1] -= 1
        finally:
            self._release()
        return value

    def _set(self, value: int) -> None:
        """Write the value and wake whoever waits; the mutex is held."""
        try:
            self._items[0] = value
        except ValueError as error:
            raise SubjectFailed(
                f"a word was set to {value}, but holds 64 bits with sign: use smaller numbers"
            ) from error
        if self._items[1]:
            self._wake_all()


def _function(name: str, arguments: int = 1) -> Callable[..., int]:
    """The C function that takes addresses and returns an error code."""
    function = library()[name]
    function.argtypes = [ctypes.c_void_p] * arguments
    return function


def _checked_act(name: str, address: int) -> Act:
    function = _function(name)

    def act() -> int:
        code = function(address)
        if code:
            checked(name, code)
        return 0

    return act


def _shared_attributes(kind: str) -> ctypes.Array[ctypes.c_char]:
    """An attributes object of `kind` that says: shared between processes. It takes 8 bytes at most and owns nothing."""
    attributes = ctypes.create_string_buffer(SIZE_BYTES)
    checked(f"{kind}_init", library()[f"{kind}_init"](attributes))
    checked(f"{kind}_setpshared", library()[f"{kind}_setpshared"](attributes, PTHREAD_PROCESS_SHARED))
    return attributes


def _raise_misuse(call: str, code: int) -> None:
    if code == errno.EPERM:
        verb = "released" if call == "pthread_mutex_unlock" else "given back to sleep on its condition"
        raise LockMisuse(f"a mutex was {verb} by a process that does not hold it: acquire it first")
    if code == errno.EDEADLK:
        raise LockMisuse("a mutex was acquired by the process that already holds it: release it first")
    checked(call, code)


def _check_place(address: int) -> None:
    assert address > 0, "a shared object needs a place"
    assert address % ALIGN_BYTES == 0, f"a shared object cannot be placed at {address:#x}"
