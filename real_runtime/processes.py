"""Processes for a single-threaded supervisor: fork an actor, notice its end by pidfd, kill and collect, see its state.

Rules of this file: the supervisor forks from its main thread, because the kernel ties the children's lives to the
thread that forked them. Ends are noticed by pidfd only: an inherited pipe stays open as long as any grandchild lives.
Signals go through the pidfd too, since a process id may belong to somebody else by then. A forked child never returns
into its parent's code, whatever happens.
"""

import gc
import math
import os
import select
import signal
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from cllm_sim.errors import BadRequest
from real_runtime.cgroup import quota_cores
from real_runtime.libc import death_tie

ALL_SIGNALS = frozenset(signal.valid_signals())
# EX_SOFTWARE of sysexits.h: the actor's own code raised; its report went to the caller's callback.
EXIT_EXCEPTION = 70
# Where memory runs out the kernel should end an actor, whose supervisor then reports it, and not the supervisor.
OOM_SCORE_ACTOR = "300"
STATE_WORDS = {
    "R": "running",
    "S": "waiting",
    "D": "waiting inside the kernel",
    "T": "stopped by a signal",
    "t": "stopped by a debugger",
    "Z": "ended",
    "X": "ended",
}


@dataclass(eq=False, slots=True)
class Child:
    """A forked process. `pidfd` is open until the process has been collected; then `end` says how it ended."""

    pid: int
    pidfd: int
    end: "Exit | None" = None


@dataclass(frozen=True, slots=True)
class Exit:
    """How a child ended, also in words: exit code, minus the signal's number, or None if somebody else collected it."""

    child: Child
    status: int | None
    description: str


@dataclass(frozen=True, slots=True)
class Woken:
    """Why a wait ended: children that ended, in the order given, and descriptors that can be read; or neither."""

    exits: tuple[Exit, ...]
    readable: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ProcessState:
    """What the kernel says about a process: one letter (R running, S waiting, D in the kernel, T stopped, Z ended)."""

    letter: str
    cpu_seconds: float

    @property
    def words(self) -> str:
        """The letter in words."""
        return STATE_WORDS.get(self.letter, f"in state {self.letter}")


def fork_actor(
    main: Callable[[], int], *, on_error: Callable[[BaseException], None], close_fds: Iterable[int] = ()
) -> Child:
    """Run `main` in a new process that ends with its return value as exit code, and dies with this one at the latest.

    In the child Ctrl-C is ignored (the supervisor answers it), every other signal does what it does by default, and
    `close_fds` are closed. An exception of `main` is handed to `on_error` in the child, and the exit code is
    EXIT_EXCEPTION. What the child leaves in Python's output buffers is dropped. Raises BadRequest where the system
    cannot do this.
    """
    death_tie()
    assert threading.current_thread() is threading.main_thread(), "actors are forked by the main thread only"
    # Ignoring this signal is inherited, and would let the kernel forget children before they can be told apart.
    if signal.getsignal(signal.SIGCHLD) == signal.SIG_IGN:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    descriptors, supervisor = tuple(close_fds), os.getpid()
    # Collecting garbage in a child would write to every object, and thereby copy the parent's pages.
    gc.freeze()
    # A handler of the parent's that ran in the child before it has its own could carry it back into the parent's code.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ALL_SIGNALS)
    try:
        pid = os.fork()
        if not pid:
            _be_actor(main, on_error, descriptors, supervisor, mask)
    except OSError as error:
        raise BadRequest(f"no further process can be started ({error.strerror}): use fewer --workers") from error
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        gc.unfreeze()
    return Child(pid, _opened_pidfd(pid))


def wait_any(children: Iterable[Child], timeout_s: float | None, extra_fds: Iterable[int] = ()) -> Woken:
    """Sleep until a child ends, a descriptor can be read, or the time is over (None: no limit); collects who ended.

    Children that were collected before are passed over.
    """
    waiting = [child for child in children if child.end is None]
    descriptors = tuple(extra_fds)
    poller = select.poll()
    for descriptor in [child.pidfd for child in waiting] + list(descriptors):
        poller.register(descriptor, select.POLLIN)
    assert waiting or descriptors or timeout_s is not None, "there is nothing left that could end this wait"
    limit_ms = None if timeout_s is None else max(0, math.ceil(timeout_s * 1000))  # below 0 would be without limit
    ready = {descriptor for descriptor, _ in poller.poll(limit_ms)}
    exits = tuple(_collected(child) for child in waiting if child.pidfd in ready)
    return Woken(exits, tuple(descriptor for descriptor in descriptors if descriptor in ready))


def kill_all(children: Sequence[Child], limit_s: float = 30.0) -> tuple[Exit, ...]:
    """Kill every child that still lives, stopped or not, and collect them all; how each of them ended.

    A process that hangs inside the kernel cannot be killed; whoever is left after the limit has no `end`.
    """
    alive = [child for child in children if child.end is None]
    for child in alive:
        with suppress(ProcessLookupError):  # somebody else has collected it
            signal.pidfd_send_signal(child.pidfd, signal.SIGKILL)
    exits: list[Exit] = []
    deadline = time.monotonic() + limit_s
    while len(exits) < len(alive) and (left_s := deadline - time.monotonic()) > 0:
        exits += wait_any(alive, left_s).exits
    return tuple(exits)


def usable_cores() -> int:
    """Cores this process may really use, at least 1: its affinity mask, or its group's quota (rounded down) if less."""
    cores = len(os.sched_getaffinity(0))
    quota = quota_cores()
    return cores if quota is None else max(1, min(cores, int(quota)))


def process_state(pid: int) -> ProcessState | None:
    """State and processor time so far (user and system, in seconds, steps of 10 ms); None where there is no process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name before the last bracket may hold anything, blanks and brackets included.
    fields = text.rpartition(")")[2].split()
    return ProcessState(fields[0], (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"))


def _be_actor(
    main: Callable[[], int],
    on_error: Callable[[BaseException], None],
    close_fds: Sequence[int],
    supervisor: int,
    mask: Iterable[int],
) -> NoReturn:
    """The child's whole life."""
    code = EXIT_EXCEPTION
    try:
        _inherit_nothing(close_fds, supervisor)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        code = main()
    except BaseException as error:
        code = EXIT_EXCEPTION
        on_error(error)
    finally:
        os._exit(code)


def _inherit_nothing(close_fds: Sequence[int], supervisor: int) -> None:
    """Undo what a child takes over from its parent, and tie its life to the parent's."""
    death_tie()()
    if os.getppid() != supervisor:
        os.kill(os.getpid(), signal.SIGKILL)
    for number in ALL_SIGNALS:
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for descriptor in close_fds:
        with suppress(OSError):
            os.close(descriptor)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(OOM_SCORE_ACTOR, encoding="ascii")


def _opened_pidfd(pid: int) -> int:
    """The pidfd of a child that nobody else can have collected; without one the child is ended again."""
    try:
        return os.pidfd_open(pid)
    except OSError as error:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise BadRequest(
            f"a process cannot be watched ({error.strerror}): see `ulimit -n`; Linux 5.4 is needed"
        ) from error


def _collected(child: Child) -> Exit:
    try:
        info = os.waitid(os.P_PIDFD, child.pidfd, os.WEXITED)
        assert info is not None  # only WNOHANG gives None
        status = info.si_status if info.si_code == os.CLD_EXITED else -info.si_status
        description = _in_words(status) + (" (core dumped)" if info.si_code == os.CLD_DUMPED else "")
        child.end = Exit(child, status, description)
    except ChildProcessError:
        child.end = Exit(child, None, "ended; how is unknown, because another part of the program collected it")
    os.close(child.pidfd)
    child.pidfd = -1
    return child.end


def _in_words(status: int) -> str:
    if status >= 0:
        return f"exit code {status}"
    try:
        return f"killed by signal {signal.Signals(-status).name}"
    except ValueError:
        return f"killed by signal {-status}"
