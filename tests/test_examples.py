"""The examples run as they are, with small sizes, and leave nothing but what they say.

Rules of this file: an example is started as a user would start it, in a folder of its own.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from cllm_sim.costs import parse_costs

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"
LIMIT_S = 240

COSTS = """
[machine]
cores = 2
switch_us = 3.0
wake_us = 30.0
release_us = 5.0
quantum_ms = 3.0
slowdown = 1.1

[operations]
wait = 5.0
acquire = 2.0
release = 2.0
sleep = 5.0
notify = 2.0
down = 2.0
up = 2.0
atomic = 2.0
await = 2.0
plain = 1.0
choose = 1.0
join = 1.0
next = 1.0
destroy = 1.0

[compute]
per_slot_us = 2000.0
fixed_us = 100.0

[fold]
per_operand_us = 50.0
fixed_us = 10.0

[update]
per_gradient_us = 300.0
fixed_us = 10.0

[parameters]
size = 50000
"""

pytestmark = pytest.mark.skipif(not EXAMPLES.is_dir(), reason="the examples are part of a checkout only")


def run(folder: Path, name: str, *arguments: object) -> tuple[int, str, str]:
    """Run an example in `folder`: exit code, stdout, stderr."""
    command = [sys.executable, str(EXAMPLES / name), *map(str, arguments)]
    done = subprocess.run(
        command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    return done.returncode, done.stdout, done.stderr


def test_check_in_pytest(tmp_path: Path) -> None:
    code, stdout, stderr = run(tmp_path, "check_in_pytest.py")
    assert code == 0, stdout + stderr
    assert "6 passed" in stdout
    assert list(tmp_path.iterdir()) == []  # decision 8: a check leaves nothing behind


def test_compare_two(tmp_path: Path) -> None:
    costs = tmp_path / "costs.toml"
    costs.write_text(COSTS, encoding="utf-8")
    assert parse_costs(COSTS, "costs.toml").machine.cores == 2
    code, stdout, stderr = run(tmp_path, "compare_two.py", "compared", costs)
    assert code == 0, stdout + stderr
    rows = {line.split()[0]: line.split() for line in stdout.splitlines() if "waiting at worst" in line}
    assert {name: (row[1], row[2]) for name, row in rows.items()} == {
        "node_zero": ("holds", "0"),
        "model_lock": ("holds", "2"),
    }
    assert (tmp_path / "compared" / "index.html").is_file()


@pytest.mark.processes
def test_train_and_validate(tmp_path: Path) -> None:
    code, stdout, stderr = run(tmp_path, "train_and_validate.py", "runs", 3)
    assert code == 0, stdout + stderr
    assert stdout.splitlines()[0].startswith("5 processes, loss ")
    assert stdout.splitlines()[1].endswith(": yes")
    assert stdout.splitlines()[2].endswith("legal: yes")
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["node_zero", "serial"]


def test_an_example_without_its_folder_says_how_it_is_used(tmp_path: Path) -> None:
    for name in ("compare_two.py", "train_and_validate.py"):
        code, stdout, stderr = run(tmp_path, name)
        assert (code, stdout) == (1, "")
        assert f"python examples/{name} FOLDER" in stderr
