"""What the calls of the threading libraries do: POSIX threads, C11 threads, semaphores, atomics, memory.

One table from a function's name to what it does to which argument. Rules of this file: data only; a wrapper of the
program under audit is never listed here, it is found by what it calls.
"""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a shared object is."""

    BARRIER = "barrier"
    MUTEX = "mutex"
    CONDITION = "condition"
    SEMAPHORE = "semaphore"
    ATOMIC = "atomic"
    REGION = "region"
    THREAD = "thread"
    MEMORY = "memory"
    PROCESS = "process"


class Act(StrEnum):
    """What an event does."""

    INIT = "initialise"
    DESTROY = "destroy"
    WAIT = "wait"  # at a barrier
    LOCK = "lock"
    LOCK_SHARED = "lock shared"
    TRY_LOCK = "try to lock"
    UNLOCK = "unlock"
    SLEEP = "sleep"  # at a condition
    TIMED_SLEEP = "sleep for a time"  # at a condition, with a time limit
    NOTIFY = "signal"
    NOTIFY_ALL = "broadcast"
    DOWN = "down"
    TRY_DOWN = "try down"
    UP = "up"
    CREATE = "create"
    JOIN = "join"
    DETACH = "detach"
    CANCEL = "cancel"
    END_THREAD = "end of thread"
    END_PROCESS = "end of process"
    FORK = "fork"
    ALLOCATE = "allocate"
    FREE = "free"
    OPEN = "open"  # a named region
    MAP = "map"
    UNMAP = "unmap"
    UNLINK = "unlink"
    LOAD = "load"
    STORE = "store"
    CHANGE = "change"  # atomic read-modify-write
    READ = "read"
    WRITE = "write"
    PAUSE = "pause"
    CALL = "call"


SYNCHRONISES = frozenset({
    Act.WAIT, Act.LOCK, Act.LOCK_SHARED, Act.TRY_LOCK, Act.UNLOCK, Act.SLEEP, Act.TIMED_SLEEP, Act.NOTIFY,
    Act.NOTIFY_ALL, Act.DOWN, Act.TRY_DOWN, Act.UP, Act.CREATE, Act.JOIN,
})  # fmt: skip
BLOCKS = frozenset({Act.WAIT, Act.LOCK, Act.LOCK_SHARED, Act.SLEEP, Act.DOWN, Act.JOIN})
LOCKS = frozenset({Act.LOCK, Act.LOCK_SHARED})
ATOMIC = frozenset({Act.LOAD, Act.STORE, Act.CHANGE})
PLAIN = frozenset({Act.READ, Act.WRITE})
WRITES = frozenset({Act.WRITE, Act.STORE, Act.CHANGE})


@dataclass(frozen=True, slots=True)
class Known:
    """What one library function does. Numbers are positions of arguments.

    `target` is the object (by address, or by value where `by_value`); `value` the count of a barrier, the initial
    value of a semaphore, the value stored, the size allocated; `partner` the mutex of a condition; `entry` and
    `argument` belong to a thread's creation; `reads` and `writes` are arguments whose memory is read or written.
    """

    act: Act
    kind: Kind
    target: int | None = 0
    value: int | None = None
    partner: int | None = None
    entry: int | None = None
    argument: int | None = None
    by_value: bool = False
    reads: tuple[int, ...] = ()
    writes: tuple[int, ...] = ()
    modes: tuple[int, ...] = ()


def _table() -> dict[str, Known]:
    table: dict[str, Known] = {}

    def add(names: str, act: Act, kind: Kind, target: int | None = 0, **more: object) -> None:
        for name in names.split():
            table[name] = Known(act, kind, target, **more)  # type: ignore[arg-type]  # the fields of Known, by name

    _barriers(add)
    _locks(add)
    _threads(add)
    _atomics(add)
    _memory(add)
    return table


def _barriers(add) -> None:  # type: ignore[no-untyped-def]  # a closure of one file
    add("pthread_barrier_init", Act.INIT, Kind.BARRIER, value=2)
    add("pthread_barrier_wait", Act.WAIT, Kind.BARRIER)
    add("pthread_barrier_destroy", Act.DESTROY, Kind.BARRIER)


def _locks(add) -> None:  # type: ignore[no-untyped-def]
    mutex, condition, semaphore = Kind.MUTEX, Kind.CONDITION, Kind.SEMAPHORE
    add("pthread_mutex_init mtx_init pthread_spin_init pthread_rwlock_init", Act.INIT, mutex)
    add("pthread_mutex_destroy mtx_destroy pthread_spin_destroy pthread_rwlock_destroy", Act.DESTROY, mutex)
    add("pthread_mutex_lock mtx_lock pthread_spin_lock pthread_rwlock_wrlock", Act.LOCK, mutex)
    add("pthread_rwlock_rdlock", Act.LOCK_SHARED, mutex)
    add("pthread_mutex_trylock mtx_trylock pthread_spin_trylock pthread_rwlock_trywrlock", Act.TRY_LOCK, mutex)
    add("pthread_rwlock_tryrdlock pthread_mutex_timedlock mtx_timedlock", Act.TRY_LOCK, mutex)
    add("pthread_mutex_unlock mtx_unlock pthread_spin_unlock pthread_rwlock_unlock", Act.UNLOCK, mutex)
    add("pthread_cond_init cnd_init", Act.INIT, condition)
    add("pthread_cond_destroy cnd_destroy", Act.DESTROY, condition)
    add("pthread_cond_wait cnd_wait", Act.SLEEP, condition, partner=1)
    add("pthread_cond_timedwait cnd_timedwait", Act.TIMED_SLEEP, condition, partner=1)
    add("pthread_cond_signal cnd_signal", Act.NOTIFY, condition)
    add("pthread_cond_broadcast cnd_broadcast", Act.NOTIFY_ALL, condition)
    add("sem_init", Act.INIT, semaphore, value=2)
    add("sem_destroy", Act.DESTROY, semaphore)
    add("sem_wait", Act.DOWN, semaphore)
    add("sem_trywait sem_timedwait", Act.TRY_DOWN, semaphore)
    add("sem_post", Act.UP, semaphore)


def _threads(add) -> None:  # type: ignore[no-untyped-def]
    thread, process = Kind.THREAD, Kind.PROCESS
    add("pthread_create", Act.CREATE, thread, entry=2, argument=3)
    add("thrd_create", Act.CREATE, thread, entry=1, argument=2)
    add("pthread_join thrd_join", Act.JOIN, thread, by_value=True)
    add("pthread_detach thrd_detach", Act.DETACH, thread, by_value=True)
    add("pthread_cancel pthread_kill", Act.CANCEL, thread, by_value=True)
    add("pthread_exit thrd_exit", Act.END_THREAD, thread, None)
    add("exit _exit _Exit abort quick_exit __assert_fail", Act.END_PROCESS, process, None)
    add("fork vfork", Act.FORK, process, None)
    add("usleep sleep nanosleep clock_nanosleep sched_yield pthread_yield thrd_yield thrd_sleep pause", Act.PAUSE,
        thread, None)  # fmt: skip


def _atomics(add) -> None:  # type: ignore[no-untyped-def]
    atomic = Kind.ATOMIC
    add("atomic_init", Act.INIT, atomic, value=1)
    loads = "atomic_load atomic_load_explicit __atomic_load_n __atomic_load atomic_flag_test"
    add(loads, Act.LOAD, atomic)
    stores = "atomic_store atomic_store_explicit __atomic_store_n __atomic_store"
    add(stores, Act.STORE, atomic, value=1)
    add("atomic_flag_clear atomic_flag_clear_explicit __sync_lock_release __atomic_clear", Act.STORE, atomic)
    operations = "add sub or and xor"
    changes = [f"atomic_fetch_{name}{ending}" for name in operations.split() for ending in ("", "_explicit")]
    changes += [f"__atomic_fetch_{name}" for name in operations.split()]
    changes += [f"__atomic_{name}_fetch" for name in operations.split()]
    changes += [f"__sync_fetch_and_{name}" for name in operations.split()]
    changes += [f"__sync_{name}_and_fetch" for name in operations.split()]
    changes += ["atomic_exchange", "atomic_exchange_explicit", "__atomic_exchange_n", "__sync_lock_test_and_set"]
    add(" ".join(changes), Act.CHANGE, atomic, value=1)
    swaps = "atomic_compare_exchange_strong atomic_compare_exchange_weak atomic_compare_exchange_strong_explicit"
    swaps += " atomic_compare_exchange_weak_explicit __atomic_compare_exchange_n __sync_bool_compare_and_swap"
    add(swaps + " __sync_val_compare_and_swap", Act.CHANGE, atomic, value=2)
    add("atomic_flag_test_and_set atomic_flag_test_and_set_explicit __atomic_test_and_set", Act.CHANGE, atomic)


def _memory(add) -> None:  # type: ignore[no-untyped-def]
    memory, region = Kind.MEMORY, Kind.REGION
    add("malloc valloc", Act.ALLOCATE, memory, None, value=0)
    add("calloc aligned_alloc reallocarray", Act.ALLOCATE, memory, None, value=1)
    add("realloc", Act.ALLOCATE, memory, None, value=1)
    add("posix_memalign", Act.ALLOCATE, memory, 0, value=2)
    add("free", Act.FREE, memory, 0, by_value=True)
    add("shm_open", Act.OPEN, region, None, value=0, modes=(1,))
    add("shm_unlink", Act.UNLINK, region, None, value=0)
    add("shmget", Act.OPEN, region, None, value=1, modes=(2,))
    add("shmat", Act.MAP, region, None, modes=(2,))
    add("mmap mmap64", Act.MAP, region, None, value=1, modes=(2, 3))
    add("munmap shmdt", Act.UNMAP, region, 0, by_value=True)
    add("memcpy memmove strcpy strncpy __builtin_memcpy", Act.CALL, memory, None, writes=(0,), reads=(1,))
    add("memset bzero", Act.CALL, memory, None, writes=(0,))
    add("fread fgets sprintf snprintf vsprintf vsnprintf", Act.CALL, memory, None, writes=(0,))
    add("read recv", Act.CALL, memory, None, writes=(1,))
    add("memcmp strcmp strncmp", Act.CALL, memory, None, reads=(0, 1))
    add("qsort", Act.CALL, memory, None, writes=(0,))


KNOWN: dict[str, Known] = _table()

SYNCHRONISATION_TYPES: dict[str, Kind] = {
    "pthread_barrier_t": Kind.BARRIER,
    "pthread_mutex_t": Kind.MUTEX,
    "pthread_rwlock_t": Kind.MUTEX,
    "pthread_spinlock_t": Kind.MUTEX,
    "mtx_t": Kind.MUTEX,
    "pthread_cond_t": Kind.CONDITION,
    "cnd_t": Kind.CONDITION,
    "sem_t": Kind.SEMAPHORE,
    "pthread_t": Kind.THREAD,
    "thrd_t": Kind.THREAD,
    "pthread_once_t": Kind.ATOMIC,
    "once_flag": Kind.ATOMIC,
}

ATOMIC_PREFIXES = ("atomic_", "_Atomic")
"""A type whose base begins so (atomic_int, atomic_bool, ...) or that is qualified `_Atomic` is atomic."""

STATIC_INITIALISERS = frozenset({
    "PTHREAD_MUTEX_INITIALIZER", "PTHREAD_COND_INITIALIZER", "PTHREAD_RWLOCK_INITIALIZER", "PTHREAD_ONCE_INIT",
    "PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP", "PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP", "ONCE_FLAG_INIT",
    "PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP", "ATOMIC_FLAG_INIT",
})  # fmt: skip
