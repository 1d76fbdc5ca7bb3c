"""Running SPIN: a Promela text in, the numbers that it counts out.

Without partial-order reduction, exhaustive, every state stored whole; a search that is not complete is an error here.
Rules of this file: `transitions` is without the arrival in the initial state, which SPIN counts as one.
"""

import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

LIMIT_SECONDS = 600
COMPILE = ("-DNOREDUCE", "-DSAFETY", "-DMEMLIM=4000", "-DVECTORSZ=4096", "-w", "-o", "pan", "pan.c")


class Counts(NamedTuple):
    """What SPIN says of a model; `errors` are invalid end states, or violated assertions."""

    states: int
    transitions: int
    errors: int
    seconds: float


def missing() -> str:
    """Why SPIN cannot be run here; empty if it can."""
    absent = [name for name in ("spin", "gcc") if shutil.which(name) is None]
    return f"not installed: {', '.join(absent)} (Debian: apt-get install spin gcc)" if absent else ""


def compiled(model: str, folder: Path, *, optimised: bool = False, breadth_first: bool = False) -> None:
    """Turn a model into the program `pan` in a folder; whatever SPIN or the compiler has to say is an error."""
    (folder / "model.pml").write_text(model, encoding="utf-8")
    said = _run(folder, "spin", "-a", "model.pml")
    assert not said, said
    _run(folder, "gcc", "-O2" if optimised else "-O0", *(("-DBFS",) if breadth_first else ()), *COMPILE)


def searched(folder: Path, *, assertions: bool, table_bits: int = 16, depth: int = 100_000) -> Counts:
    """Search with `pan`; errors are violated assertions, or else invalid end states."""
    ignored = "-E" if assertions else "-A"
    said = _run(folder, "./pan", ignored, "-c0", "-b", f"-m{depth}", f"-w{table_bits}")
    assert "Full statespace search" in said, said
    assert "max search depth too small" not in said, said
    return Counts(
        int(_number(r"(\d+) states, stored", said)),
        int(_number(r"(\d+) transitions", said)) - 1,
        int(_number(r"errors: (\d+)", said)),
        _number(r"elapsed time ([\d.e+-]+) seconds", said),
    )


def first_error(folder: Path, *, assertions: bool) -> int | None:
    """How many steps lead to the error that `pan`, compiled to go breadth first, meets first; None if there is none.

    SPIN counts the steps before the one that violates an assertion, which is counted here as well.
    """
    said = _run(folder, "./pan", "-E" if assertions else "-A", "-m100000")
    found = re.search(r"pan:1: (assertion violated|invalid end state).*\(at depth (\d+)\)", said)
    assert bool(found) == bool(_number(r"errors: (\d+)", said)), said
    return int(found[2]) + assertions if found else None


def replayed(folder: Path) -> list[str]:
    """What SPIN tells of the steps of the trail that `pan` has left."""
    said = _run(folder, "spin", "-t", "model.pml")
    return [line.strip() for line in said.partition("spin: trail ends")[0].splitlines() if ".py:" in line]


def _run(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout + done.stderr


def _number(pattern: str, text: str) -> float:
    found = re.search(pattern, text)
    assert found, f"no '{pattern}' in: {text}"
    return float(found[1])
