"""Goal: no end of a process goes unseen, none survives its supervisor, and nothing is left. Method: real processes."""

import ctypes
import faulthandler
import gc
import os
import resource
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NoReturn

import pytest

from cllm_sim.errors import BadRequest
from real_runtime import processes
from real_runtime.processes import (
    EXIT_EXCEPTION,
    Child,
    Exit,
    fork_actor,
    kill_all,
    process_state,
    usable_cores,
    wait_any,
)

pytestmark = pytest.mark.processes

LIMIT_S = 240.0  # fires in a deadlock only
PR_SET_CHILD_SUBREAPER = 36


def ignore(error: BaseException) -> None:
    pass


def writer(descriptor: int) -> Callable[[BaseException], None]:
    """A callback that reports through a pipe."""

    def write(error: BaseException) -> None:
        os.write(descriptor, repr(error).encode())

    return write


def sleep_for_ever() -> NoReturn:
    while True:
        signal.pause()


def open_descriptors() -> list[str]:
    return sorted(entry.name for entry in Path("/proc/self/fd").iterdir())


def children_of_this_process() -> list[int]:
    return [int(pid) for pid in Path("/proc/self/task", str(os.getpid()), "children").read_text().split()]


@pytest.fixture
def crew() -> Iterator[list[Child]]:
    """Children of a test; killed at its end, after which no process and no descriptor may be left."""
    before, living = open_descriptors(), children_of_this_process()
    crew: list[Child] = []
    yield crew
    kill_all(crew)
    assert open_descriptors() == before
    assert children_of_this_process() == living


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    yield reading, writing
    for descriptor in (reading, writing):
        try:
            os.close(descriptor)
        except OSError:
            pass  # the test closed it


def the_only_exit(crew: list[Child]) -> Exit:
    woken = wait_any(crew, LIMIT_S)
    assert len(woken.exits) == 1, "nobody ended: the limit was reached"
    return woken.exits[0]


def fault() -> NoReturn:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    faulthandler.disable()  # the test runner switched it on
    os.kill(os.getpid(), signal.SIGSEGV)
    sleep_for_ever()


def leave() -> NoReturn:
    sys.exit(0)


@pytest.mark.parametrize(
    ("main", "status", "description"),
    [
        (lambda: 0, 0, "exit code 0"),
        (lambda: 3, 3, "exit code 3"),
        (lambda: 1 / 0, EXIT_EXCEPTION, "exit code 70"),
        (leave, EXIT_EXCEPTION, "exit code 70"),
        (lambda: os.kill(os.getpid(), signal.SIGKILL), -9, "killed by signal SIGKILL"),
        (lambda: os.kill(os.getpid(), signal.SIGTERM), -15, "killed by signal SIGTERM"),
        (lambda: os.kill(os.getpid(), signal.SIGRTMIN + 3), -37, "killed by signal 37"),
        (fault, -11, "killed by signal SIGSEGV"),
    ],
)
def test_every_end_is_told_in_words(crew, main, status, description):
    crew.append(fork_actor(main, on_error=ignore))
    ended = the_only_exit(crew)
    assert (ended.status, ended.description) == (status, description)
    assert ended.child is crew[0]
    assert ended.child.end is ended


def test_an_exception_reaches_the_callback_in_the_child(crew, pipe):
    reading, writing = pipe

    def fail() -> int:
        raise ValueError("slot 7 is not finite")

    crew.append(fork_actor(fail, on_error=writer(writing)))
    assert the_only_exit(crew).status == EXIT_EXCEPTION
    assert os.read(reading, 100) == b"ValueError('slot 7 is not finite')"


def test_a_callback_that_fails_does_not_bring_the_child_back(crew):
    def fail_again(error: BaseException) -> None:
        raise RuntimeError from error

    crew.append(fork_actor(lambda: 1 // 0, on_error=fail_again))
    assert the_only_exit(crew).status == EXIT_EXCEPTION


def test_a_wait_ends_by_descriptor_by_time_or_by_child(crew, pipe):
    reading, writing = pipe
    crew.append(fork_actor(sleep_for_ever, on_error=ignore))
    assert wait_any(crew, 0.0, [reading]) == processes.Woken((), ())
    assert wait_any(crew, -1.0, [reading]) == processes.Woken((), ())
    os.write(writing, b"x")
    assert wait_any(crew, LIMIT_S, [reading]) == processes.Woken((), (reading,))
    signal.pidfd_send_signal(crew[0].pidfd, signal.SIGKILL)
    assert the_only_exit(crew).status == -9
    with pytest.raises(AssertionError, match="nothing left"):
        wait_any(crew, None)


def test_several_ends_are_told_in_the_order_of_the_children(crew):
    crew += [fork_actor(partial(int, code), on_error=ignore) for code in range(1, 6)]
    statuses: list[int | None] = []
    while len(statuses) < 5:
        exits = wait_any(crew, LIMIT_S).exits
        assert exits, "nobody ended: the limit was reached"
        assert [ended.status for ended in exits] == sorted(ended.status or 0 for ended in exits)
        statuses += [ended.status for ended in exits]
    assert sorted(status or 0 for status in statuses) == [1, 2, 3, 4, 5]


@pytest.fixture
def reaper() -> Iterator[None]:
    """Orphans of a test come to this process, so that the test can collect them."""
    prctl = ctypes.CDLL(None)["prctl"]
    assert prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
    yield
    assert prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0) == 0


def test_a_killed_child_is_seen_although_its_own_child_lives(crew, pipe, reaper):
    """The grandchild inherits everything its parent had, and lives on; a pipe between the two would stay open."""
    reading, writing = pipe
    answer, report = os.pipe()
    try:

        def with_report() -> int:
            grandchild = os.fork()
            if not grandchild:
                os.read(reading, 1)
                os._exit(0)
            os.write(report, str(grandchild).encode())
            sleep_for_ever()

        crew.append(fork_actor(with_report, on_error=ignore))
        grandchild = int(os.read(answer, 20))
        signal.pidfd_send_signal(crew[0].pidfd, signal.SIGKILL)
        assert the_only_exit(crew).description == "killed by signal SIGKILL"
        state = process_state(grandchild)
        assert state is not None
        assert state.letter != "Z"
        os.write(writing, b"x")
        assert os.waitpid(grandchild, 0) == (grandchild, 0)
    finally:
        os.close(answer)
        os.close(report)


def test_children_die_with_their_supervisor(crew, pipe, reaper):
    """An intermediate process plays the supervisor; it is killed, and its three actors must follow by themselves."""
    reading, writing = pipe

    def supervisor() -> int:
        actors = [fork_actor(sleep_for_ever, on_error=ignore) for _ in range(3)]
        os.write(writing, " ".join(str(actor.pid) for actor in actors).encode())
        sleep_for_ever()

    crew.append(fork_actor(supervisor, on_error=ignore))
    actors = [int(word) for word in os.read(reading, 100).split()]
    orphans = [Child(actor, os.pidfd_open(actor)) for actor in actors]
    signal.pidfd_send_signal(crew[0].pidfd, signal.SIGKILL)
    the_only_exit(crew)
    try:
        statuses = [the_only_exit([orphan]).status for orphan in orphans]
    finally:
        kill_all(orphans)
    assert statuses == [-9, -9, -9]


def test_kill_all_ends_running_stopped_and_ended_children(crew):
    crew += [fork_actor(sleep_for_ever, on_error=ignore) for _ in range(3)]
    crew.append(fork_actor(lambda: 4, on_error=ignore))
    signal.pidfd_send_signal(crew[1].pidfd, signal.SIGSTOP)
    os.waitid(os.P_PIDFD, crew[3].pidfd, os.WEXITED | os.WNOWAIT)  # has ended, is not collected
    exits = kill_all(crew, LIMIT_S)
    assert {ended.child.pid: ended.status for ended in exits} == dict(
        zip([child.pid for child in crew], [-9, -9, -9, 4], strict=True)
    )
    assert kill_all(crew) == ()
    assert {child.pidfd for child in crew} == {-1}


def test_a_child_that_somebody_else_collected_is_still_reported(crew):
    crew.append(fork_actor(lambda: 0, on_error=ignore))
    os.waitpid(crew[0].pid, 0)
    ended = the_only_exit(crew)
    assert ended.status is None
    assert "another part of the program collected it" in ended.description


def test_kill_all_passes_over_what_somebody_else_collected(crew):
    crew.append(fork_actor(lambda: 0, on_error=ignore))
    os.waitpid(crew[0].pid, 0)
    assert [ended.status for ended in kill_all(crew, LIMIT_S)] == [None]


def test_children_can_be_told_apart_where_their_signal_was_ignored(crew):
    """With SIGCHLD ignored the kernel would collect children by itself."""
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        crew.append(fork_actor(lambda: 5, on_error=ignore))
        assert the_only_exit(crew).status == 5
    finally:
        signal.signal(signal.SIGCHLD, before)


def test_actors_ignore_ctrl_c_and_none_of_the_parents_handlers_runs_in_them(crew):
    outside = os.getpid()
    seen: list[int] = []

    def note(number: int, frame: object) -> None:
        seen.append(os.getpid())

    def handlers() -> int:
        os.kill(os.getpid(), signal.SIGINT)
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
        assert signal.getsignal(signal.SIGUSR1) == signal.SIG_DFL
        assert not signal.pthread_sigmask(signal.SIG_BLOCK, [])
        return 0

    before = {number: signal.signal(number, note) for number in (signal.SIGUSR1, signal.SIGTERM)}
    try:
        crew.append(fork_actor(handlers, on_error=ignore))
        assert the_only_exit(crew).description == "exit code 0"
        os.kill(outside, signal.SIGUSR1)
        assert seen == [outside]
        assert not signal.pthread_sigmask(signal.SIG_BLOCK, [])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def test_given_descriptors_are_closed_in_the_child_only(crew, pipe):
    reading, writing = pipe

    def look() -> int:
        return 1 if Path(f"/proc/self/fd/{reading}").exists() or not Path(f"/proc/self/fd/{writing}").exists() else 0

    crew.append(fork_actor(look, on_error=ignore, close_fds=[reading, 9999]))
    assert the_only_exit(crew).status == 0
    assert Path(f"/proc/self/fd/{reading}").exists()


def test_garbage_collection_is_frozen_in_the_child_only(crew):
    crew.append(fork_actor(lambda: 0 if gc.get_freeze_count() > 1000 else 1, on_error=ignore))
    assert the_only_exit(crew).status == 0
    assert gc.get_freeze_count() == 0


def test_actors_are_the_first_to_go_when_memory_runs_out(crew):
    crew.append(fork_actor(lambda: int(Path("/proc/self/oom_score_adj").read_text()) // 10, on_error=ignore))
    assert the_only_exit(crew).status == int(processes.OOM_SCORE_ACTOR) // 10


def test_only_the_main_thread_forks():
    caught: list[BaseException] = []

    def try_it() -> None:
        try:
            fork_actor(lambda: 0, on_error=ignore)
        except AssertionError as error:
            caught.append(error)

    thread = threading.Thread(target=try_it)
    thread.start()
    thread.join(LIMIT_S)
    assert [str(error) for error in caught] == ["actors are forked by the main thread only"]


def test_no_process_is_left_where_it_cannot_be_watched(crew, monkeypatch):
    def refused(pid: int) -> int:
        raise OSError(24, os.strerror(24))

    monkeypatch.setattr(os, "pidfd_open", refused)
    with pytest.raises(BadRequest, match=r"cannot be watched \(Too many open files\)"):
        fork_actor(sleep_for_ever, on_error=ignore)


def test_a_refused_fork_is_a_clear_error_and_leaves_the_signals_alone(monkeypatch):
    def refused() -> int:
        raise BlockingIOError(11, os.strerror(11))

    monkeypatch.setattr(os, "fork", refused)
    with pytest.raises(BadRequest, match="no further process can be started"):
        fork_actor(lambda: 0, on_error=ignore)
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, [])
    assert gc.get_freeze_count() == 0


def until(true: Callable[[], bool]) -> None:
    """Wait for something the kernel does soon, without using the processor meanwhile."""
    idle = select.poll()
    for _ in range(int(LIMIT_S * 1000)):
        if true():
            return
        idle.poll(1)
    raise AssertionError("it never happened")


def letter_of(child: Child) -> str | None:
    state = process_state(child.pid)
    return state.letter if state else None


def test_waiting_stopped_and_busy_can_be_told_apart(crew):
    def spin() -> NoReturn:
        while True:
            pass

    crew += [fork_actor(sleep_for_ever, on_error=ignore), fork_actor(spin, on_error=ignore)]
    waiting, busy = crew
    until(lambda: letter_of(waiting) == "S")
    until(lambda: letter_of(busy) == "R")
    until(lambda: (process_state(busy.pid) or pytest.fail("gone")).cpu_seconds > 0)
    signal.pidfd_send_signal(waiting.pidfd, signal.SIGSTOP)
    os.waitid(os.P_PIDFD, waiting.pidfd, os.WSTOPPED)
    stopped = process_state(waiting.pid)
    assert stopped is not None
    assert stopped.words == "stopped by a signal"
    kill_all(crew)
    assert process_state(waiting.pid) is None


def test_a_name_with_blanks_and_brackets_does_not_confuse_the_state(crew, pipe):
    reading, writing = pipe

    def renamed() -> NoReturn:
        Path("/proc/self/comm").write_text(") R 1 (x")
        os.write(writing, b"x")
        sleep_for_ever()

    crew.append(fork_actor(renamed, on_error=ignore))
    os.read(reading, 1)
    until(lambda: letter_of(crew[0]) == "S")


@pytest.mark.parametrize(("quota", "cores"), [(None, 4), (0.5, 1), (1.5, 1), (2.0, 2), (64.0, 4)])
def test_cores_are_those_of_the_mask_and_of_the_quota(monkeypatch, quota, cores):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1, 2, 3})
    monkeypatch.setattr(processes, "quota_cores", lambda: quota)
    assert usable_cores() == cores


def test_cores_of_this_machine():
    assert 1 <= usable_cores() <= len(os.sched_getaffinity(0))


def test_a_hundred_kills_leave_nothing(crew):
    """Children are killed at whatever instruction they have reached, their first ones included."""
    before = open_descriptors()
    for _ in range(25):
        actors = [fork_actor(sleep_for_ever, on_error=ignore) for _ in range(4)]
        assert [ended.status for ended in kill_all(actors, LIMIT_S)] == [-9] * 4
    assert open_descriptors() == before
