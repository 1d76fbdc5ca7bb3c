"""Sources and folders nobody would wish for: the audit names what it cannot read and never crashes or hangs.

Rules of this file: cases follow from their numbers (`fuzzing.py`); the normal run makes a few, nightly ten thousand in
a process of their own, whose memory is measured as a whole.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cllm_sim import api
from cllm_sim.errors import BadRequest

from tests.audit.fuzzing import case, run, sources

ROOT = Path(__file__).resolve().parents[2]
CASES = 150
NIGHTLY_CASES = 10_000
NIGHTLY_LIMIT_S = 3600
SOUND = """\
#include <pthread.h>

static pthread_mutex_t spare;

int main(void)
{
    pthread_mutex_init(&spare, NULL);
    pthread_mutex_destroy(&spare);
    return 0;
}
"""


# -------------------------------------------------------------------------------------------------------------- fuzzing
def test_equal_numbers_give_equal_cases() -> None:
    texts = sources()
    assert [case(number, texts) for number in range(20)] == [case(number, texts) for number in range(20)]
    assert len({case(number, texts) for number in range(20)}) == 20


@pytest.mark.parametrize("first", range(0, CASES, 30))
def test_no_case_fails(first: int) -> None:
    assert [number for number, _ in run(first, 30)] == list(range(first, first + 30))


@pytest.mark.nightly
@pytest.mark.timeout(NIGHTLY_LIMIT_S + 60)
def test_ten_thousand_cases_in_bounded_memory() -> None:
    """The module's own limits (seconds per case, a gibibyte in all) decide its exit code."""
    command = [sys.executable, "-m", "tests.audit.fuzzing", str(NIGHTLY_CASES)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=NIGHTLY_LIMIT_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{NIGHTLY_CASES} cases from 0: none failed" in done.stdout


# ---------------------------------------------------------------------------------------------------- folders and files
def audited(*paths: Path) -> dict[str, Any]:
    return api.audit(*map(str, paths)).data


def unreadable(data: dict[str, Any]) -> dict[str, str]:
    return {one["path"]: one["why"] for one in data["unreadable"]}


def codes(data: dict[str, Any]) -> list[str]:
    return [one["code"] for one in data["findings"]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one sound file, whose one finding must be reported whatever lies beside it."""
    (tmp_path / "sound.c").write_text(SOUND, encoding="utf-8")
    return tmp_path


def test_the_sound_file_alone(folder: Path) -> None:
    data = audited(folder)
    assert codes(data) == ["CL001"]
    assert data["unreadable"] == []


def test_a_folder_that_contains_itself_is_read_once(folder: Path) -> None:
    (folder / "again").symlink_to(folder, target_is_directory=True)
    (folder / "deeper").mkdir()
    (folder / "deeper" / "up").symlink_to("..", target_is_directory=True)
    data = audited(folder)
    assert data["files"] == 1
    assert codes(data) == ["CL001"]


def test_links_that_lead_in_a_circle_are_named(folder: Path) -> None:
    (folder / "one.c").symlink_to("two.c")
    (folder / "two.c").symlink_to("one.c")
    data = audited(folder)
    assert set(unreadable(data)) == {"one.c", "two.c"}
    assert codes(data) == ["CL001"]


def test_a_link_to_nothing_is_named(folder: Path) -> None:
    (folder / "gone.c").symlink_to("nowhere.c")
    assert set(unreadable(audited(folder))) == {"gone.c"}


def test_an_unreadable_folder_is_named(folder: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read every folder")
    closed = folder / "closed"
    closed.mkdir()
    (closed / "hidden.c").write_text(SOUND, encoding="utf-8")
    closed.chmod(0)
    try:
        data = audited(folder)
    finally:
        closed.chmod(0o700)
    assert set(unreadable(data)) == {"closed"}
    assert codes(data) == ["CL001"]


def test_an_unreadable_file_is_named(folder: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read every file")
    closed = folder / "closed.c"
    closed.write_text(SOUND, encoding="utf-8")
    closed.chmod(0)
    data = audited(folder)
    assert set(unreadable(data)) == {"closed.c"}
    assert codes(data) == ["CL001"]


def test_text_that_is_not_utf8_is_read(folder: Path) -> None:
    latin = SOUND.replace("static", "/* L\xf6sung: stra\xdfe */\nstatic").replace("spare", "other")
    (folder / "latin.c").write_bytes(latin.encode("latin-1"))
    data = audited(folder)
    assert codes(data) == ["CL001", "CL001"]
    assert data["unreadable"] == []


def test_a_binary_file_is_named(folder: Path) -> None:
    (folder / "picture.c").write_bytes(bytes(range(256)) * 40)
    data = audited(folder)
    assert set(unreadable(data)) == {"picture.c"}
    assert codes(data) == ["CL001"]


def test_a_pipe_with_the_name_of_a_source_is_named_and_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe.c")
    data = audited(folder)
    assert set(unreadable(data)) == {"pipe.c"}
    assert codes(data) == ["CL001"]


def test_a_folder_with_the_name_of_a_source_is_a_folder(folder: Path) -> None:
    (folder / "parts.c").mkdir()
    (folder / "parts.c" / "part.c").write_text(SOUND.replace("spare", "part"), encoding="utf-8")
    assert codes(audited(folder)) == ["CL001", "CL001"]


@pytest.mark.parametrize(
    "text",
    [
        "static const unsigned char table[] = {" + "0x7f," * 210_000 + "};\n",
        "int x" + " " * 1_100_000 + ";\n",
        "int main(void) { return " + "1 + " * 270_000 + "1; }\n",
        "#define LONG " + "a " * 550_000 + "\n",
        "/*" + "*" * 1_100_000 + "*/\n",
        'char *s = "' + "x" * 1_100_000 + '";\n',
        "x" * 1_100_000,
    ],
    ids=["table", "blanks", "sum", "macro", "comment", "string", "word"],
)
def test_a_line_of_a_megabyte(folder: Path, text: str) -> None:
    (folder / "wide.c").write_text(text, encoding="utf-8")
    assert codes(audited(folder)) == ["CL001"]


@pytest.mark.parametrize(
    "text",
    [
        "int main(void) { return " + "(" * 20_000 + "1" + ")" * 20_000 + "; }\n",
        "int main(void) {\n" + "{\n" * 5_000 + "}\n" * 5_000 + "}\n",
        "void f(int x) {\n" + "if (x) {\n" * 3_000 + "}\n" * 3_000 + "}\n",
        "void f(int x) {\n" + "if (x) ; else\n" * 3_000 + ";\n}\n",
        "struct s {\n" * 2_000 + "int x;\n" + "} s;\n" * 2_000,
        "int f(void) { return " + "f(" * 5_000 + ")" * 5_000 + "; }\n",
        "int " + "*" * 20_000 + "p;\n",
        "#if 1\n" * 5_000 + "int x;\n" + "#endif\n" * 5_000,
        "{" * 50_000,
    ],
    ids=["parentheses", "blocks", "ifs", "elses", "records", "calls", "pointers", "conditions", "open"],
)
def test_deep_nesting(folder: Path, text: str) -> None:
    (folder / "deep.c").write_text(text, encoding="utf-8")
    assert codes(audited(folder)) == ["CL001"]


@pytest.mark.parametrize("count", [2, 40])
def test_macros_and_functions_that_mean_each_other(folder: Path, count: int) -> None:
    macros = "".join(f"#define M{i}(x) M{(i + 1) % count}(x) M{(i + 1) % count}(x)\n" for i in range(count))
    calls = "".join(
        f"void f{i}(int x) {{ f{(i + 1) % count}(x); f{(i + 2) % count}(x); M{i}(x); }}\n" for i in range(count)
    )
    forward = "".join(f"void f{i}(int x);\n" for i in range(count))
    (folder / "circle.c").write_text(macros + forward + calls, encoding="utf-8")
    assert codes(audited(folder)) == ["CL001"]


def test_an_empty_file_is_fine(folder: Path) -> None:
    (folder / "empty.c").write_bytes(b"")
    data = audited(folder)
    assert data["files"] == 2
    assert codes(data) == ["CL001"]


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="there is no C source here"):
        audited(tmp_path)
