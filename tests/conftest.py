"""What all tests share: a home and a cache of their own, the command line as a fixture, the check that nothing is left.

Rules of this file: no test may touch the user's files, so the environment is set before any test module is imported
(matplotlib reads it once). At the end of the run no process of ours may be alive and no entry of ours may lie in
`/dev/shm`; other test runs on the same machine are not mistaken for ours.
"""

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

MARK = f"CLLM_TEST_RUN={uuid.uuid4().hex}"
"""Stands in the environment of every process that these tests start, so that orphans are known as ours, too."""

SHARED_MEMORY = Path("/dev/shm")
PROCESSES = Path("/proc")
COMMAND_LIMIT_S = 120
GRACE_MS = 5_000
"""How long a process may take to end after the last test; only ever used up by a process that stays."""

HOME = pytest.StashKey[Path]()


class Outcome(NamedTuple):
    """What a command said: its exit code, stdout and stderr."""

    code: int
    stdout: str
    stderr: str


def pytest_configure(config: pytest.Config) -> None:
    home = Path(tempfile.mkdtemp(prefix="cllm-tests-"))
    config.stash[HOME] = home
    name, _, value = MARK.partition("=")
    os.environ[name] = value
    os.environ["HOME"] = str(home)
    os.environ["XDG_CACHE_HOME"] = str(home / "cache")
    os.environ["XDG_CONFIG_HOME"] = str(home / "config")
    os.environ["MPLBACKEND"] = "Agg"
    for setting in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "MPLCONFIGDIR"):
        os.environ.pop(setting, None)


def pytest_unconfigure(config: pytest.Config) -> None:
    shutil.rmtree(config.stash[HOME], ignore_errors=True)


@pytest.fixture
def cllm(tmp_path: Path) -> Callable[..., Outcome]:
    """`cllm(*arguments, cwd=, env=, stdin=, limit_s=)` runs the installed command, by default in the test's own folder.

    `env` is added to the environment. A command that exceeds the limit is killed with all its children, and the test
    fails with what it had said until then.
    """

    def run(
        *arguments: object,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: str | None = None,
        limit_s: float = COMMAND_LIMIT_S,
    ) -> Outcome:
        command = [str(Path(sys.executable).with_name("cllm")), *map(str, arguments)]
        return run_limited(command, cwd or tmp_path, {**os.environ, **(env or {})}, stdin, limit_s)

    return run


def run_limited(command: list[str], cwd: Path, env: Mapping[str, str], stdin: str | None, limit_s: float) -> Outcome:
    """Run `command` in a process group of its own, so that a late one can be killed together with its children."""
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )
    try:
        stdout, stderr = process.communicate(stdin, timeout=limit_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        stdout, stderr = process.communicate()
        pytest.fail(f"{' '.join(command)}: not done after {limit_s} s\n{stdout}\n{stderr}")
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise
    return Outcome(process.returncode, stdout, stderr)


# ------------------------------------------------------------------------------------------------------ nothing is left
@pytest.fixture(scope="session", autouse=True)
def nothing_left() -> Iterator[None]:
    """After the last test: no process that these tests started, and no new entry of theirs in /dev/shm."""
    if not PROCESSES.is_dir():
        yield
        return
    segments_before = shared_memory()
    processes_before = ours()
    yield
    left = [f"process {pid}: {title}" for pid, title in (ours().items() - processes_before.items()) if not ends(pid)]
    strangers = held_by_others()
    left += [f"{SHARED_MEMORY / name}" for name in sorted(shared_memory() - segments_before - strangers)]
    if left:
        pytest.fail("left behind by these tests:\n  " + "\n  ".join(left), pytrace=False)


def shared_memory() -> set[str]:
    return {entry.name for entry in SHARED_MEMORY.iterdir()} if SHARED_MEMORY.is_dir() else set()


def processes() -> Iterator[tuple[int, Path]]:
    for entry in PROCESSES.iterdir():
        if entry.name.isdecimal():
            yield int(entry.name), entry


def ours() -> dict[int, str]:
    """Live processes that descend from this one or carry our mark: process id -> command line.

    The mark finds orphans; descent finds children forked from this very process, whose recorded environment is older
    than the mark. The standard library's own resource tracker lives until the interpreter ends and is not counted.
    """
    parents: dict[int, int] = {}
    marked: dict[int, bool] = {}
    titles: dict[int, str] = {}
    for pid, entry in processes():
        with contextlib.suppress(OSError):  # it ended, or belongs to another user
            state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            if state in "ZX":
                continue
            titles[pid] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
            parents[pid] = int(parent)
            marked[pid] = MARK.encode() in (entry / "environ").read_bytes().split(b"\0")
    found = {pid for pid in parents if marked.get(pid) or descends(pid, parents)} - {os.getpid()}
    return {pid: titles[pid] for pid in found if "resource_tracker" not in titles[pid]}


def descends(pid: int, parents: Mapping[int, int]) -> bool:
    ancestor = parents.get(pid)
    while ancestor is not None and ancestor != os.getpid():
        ancestor = parents.get(ancestor)
    return ancestor is not None


def ends(pid: int) -> bool:
    """Does the process end by itself within the grace period?"""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        waiter = select.poll()
        waiter.register(descriptor, select.POLLIN)
        return bool(waiter.poll(GRACE_MS))
    finally:
        os.close(descriptor)


def held_by_others() -> set[str]:
    """Names in /dev/shm that a process which is not ours holds open or mapped: another test run's, say."""
    mine = {os.getpid(), *ours()}
    names: set[str] = set()
    for pid, entry in processes():
        if pid in mine:
            continue
        with contextlib.suppress(OSError):  # it ended, or belongs to another user
            names.update(shared_names((entry / "maps").read_text(errors="replace").split()))
            names.update(shared_names(str(link.readlink()) for link in (entry / "fd").iterdir()))
    return names


def shared_names(paths: Iterator[str] | list[str]) -> set[str]:
    prefix = f"{SHARED_MEMORY}/"
    return {path.removeprefix(prefix) for path in paths if path.startswith(prefix)}
