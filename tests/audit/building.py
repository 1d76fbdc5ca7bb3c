"""Building C programs with gcc and running them within a limit, for tests that compare a claim with a real run.

Rules of this file: a program that exceeds its limit is killed with everything it started; nothing is decided here.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

COMPILER = shutil.which("gcc")
FLAGS = ("-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-pthread")
TSAN = ("-fsanitize=thread",)
COMPILE_LIMIT_S = 120
RACE = "ThreadSanitizer: data race"
LEAK = "ThreadSanitizer: thread leak"
USE_AFTER_FREE = "ThreadSanitizer: heap-use-after-free"

needs_compiler = pytest.mark.skipif(COMPILER is None, reason="no gcc here")


class Ran(NamedTuple):
    """How a program ended: its exit code (None: killed after its limit) and what it printed."""

    code: int | None
    output: str


def build(sources: Sequence[Path], program: Path, *flags: str) -> str:
    """Compile and link; what gcc said, which is empty where there was nothing to say. Raises where it fails."""
    assert COMPILER is not None
    command = [COMPILER, *FLAGS, *flags, *map(str, sources), "-o", str(program), "-lm", "-lrt"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=COMPILE_LIMIT_S, check=False)
    assert done.returncode == 0, f"gcc refuses {', '.join(source.name for source in sources)}:\n{done.stderr}"
    return done.stderr


def ran(program: Path, limit_s: float, *arguments: str) -> Ran:
    """Run a program in its own folder; a late one is killed with its children."""
    # Where addresses are drawn from more bits than gcc's runtime expects, it refuses to start; exit code 0 tells its
    # own report from the program's end, which is what is asked about.
    environment = {**os.environ, "TSAN_OPTIONS": "exitcode=66 halt_on_error=0"}
    process = subprocess.Popen(
        [str(program), *arguments],
        cwd=program.parent,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=limit_s)
    except subprocess.TimeoutExpired:
        output = _killed(process)
        return Ran(None, output)
    except BaseException:
        _killed(process)
        raise
    return Ran(process.returncode, output)


def _killed(process: subprocess.Popen[str]) -> str:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    output, _ = process.communicate()
    return output
