"""The three screens of `docs/how-to/read-a-counterexample.md`: what `cllm check` says of three mistakes, word for word.

Rules of this file: the command is started as a user starts it; only the time that a search took may differ. After a
change that is meant, `python -m tests.report.test_screens` writes the screens anew.
"""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "how-to" / "read-a-counterexample.md"
SECONDS = re.compile(r", [\d.,]+ s$", re.MULTILINE)
SCREEN = re.compile(
    r"^```text\n(\$ cllm check (examples/broken/(\w+)\.py) --workers 2)\n(.*?)^```$", re.MULTILINE | re.DOTALL
)
NAMES = ("two_locks", "lost_wakeup", "wrong_count")

pytestmark = pytest.mark.skipif(not PAGE.exists(), reason="judges the documentation of a checkout")


def command(name: str) -> list[str]:
    return ["check", f"examples/broken/{name}.py", "--workers", "2"]


def screens() -> dict[str, str]:
    return {found[3]: found[4] for found in SCREEN.finditer(PAGE.read_text(encoding="utf-8"))}


@pytest.mark.parametrize("name", NAMES)
def test_the_screen_is_what_the_command_says(name: str, cllm: Callable[..., Any]) -> None:
    code, stdout, _ = cllm(*command(name), cwd=ROOT)
    assert code == 1
    assert SECONDS.sub(", 0 s", stdout) == SECONDS.sub(", 0 s", screens()[name])


def test_a_single_step_is_what_the_command_shows(cllm: Callable[..., Any]) -> None:
    shown = re.search(
        r"^```text\n(step (\d+) of 8 .*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    assert shown is not None
    schedule = "0:stop,0,0,0.0,0.1,0,0.0,0.1"
    arguments = ("replay", "leaves_early", schedule, "--workers", 2, "--pause")
    code, stdout, _ = cllm(*arguments, cwd=ROOT, stdin=f"{shown[2]}\nq\n")
    assert code == 0
    assert stdout.partition("step 1")[2].partition("\nstep ")[2] == shown[1].removeprefix("step ")


@pytest.mark.parametrize("name", NAMES)
def test_the_texts_are_short(name: str) -> None:
    rows = (ROOT / "examples" / "broken" / f"{name}.py").read_text(encoding="utf-8").splitlines()
    assert sum(bool(row.strip()) for row in rows) <= 36


REPAIRS = {
    "two_locks": ("log and total in the same order", "worker 0.0 holds 0/log (line 18) and wants 0/total (line 21)"),
    "lost_wakeup": ("look at done again (line 28)", "while nobody sleeps on it: the notify is lost"),
    "wrong_count": ("declare it for 3 (Barrier()", "declared for 2 parties, but 3 actors wait on it"),
}


@pytest.mark.parametrize("name", NAMES)
def test_the_screen_says_what_to_repair(name: str) -> None:
    repair = " ".join(screens()[name].partition("repair ")[2].partition("\n\n")[0].split())
    assert all(words in repair for words in REPAIRS[name])


def write() -> None:
    """Write the screens of the page anew."""
    page = PAGE.read_text(encoding="utf-8")
    for name in NAMES:
        line = [str(Path(sys.executable).with_name("cllm")), *command(name)]
        shown = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False).stdout
        block = f"```text\n$ cllm {' '.join(command(name))}\n{shown}```"
        place = re.compile(
            rf"^```text\n(?:SCREEN {name}\n|\$ cllm {re.escape(' '.join(command(name)))}\n.*?)```$", re.M | re.S
        )
        page = place.sub(block.replace("\\", r"\\"), page)
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    write()
