"""Finding and loading architecture files: shipped names, a user's own path, and one clear line for everything else."""

import hashlib
import os
import sys
from pathlib import Path

import pytest

from cllm_sim.checker import run
from cllm_sim.errors import BadArchitecture, BadRequest
from cllm_sim.library import PACKAGE, load, shipped, shipped_folder

MINE = shipped()["node_zero"].read_text(encoding="utf-8")


def write(folder: Path, source: str | bytes, name: str = "mine.py") -> Path:
    path = folder / name
    path.write_bytes(source if isinstance(source, bytes) else source.encode())
    return path


def refusal(reference: object, **settings: str) -> str:
    with pytest.raises(BadRequest) as raised:
        load(str(reference), settings)
    message = str(raised.value)
    assert "\n" not in message
    return message


# --- what is shipped --------------------------------------------------------------------------------------------------
def test_every_shipped_file_loads_and_says_what_it_is() -> None:
    assert {"serial", "unguarded", "model_lock", "node_zero", "sliced_reduce", "work_queue"} <= set(shipped())
    for name, path in shipped().items():
        loaded = load(name)
        assert (loaded.name, loaded.path) == (name, str(path))
        assert loaded.title.endswith((".", "others", "it", "queue"))
        assert loaded.broken == loaded.title.startswith("BROKEN: ")
        assert loaded.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_models_are_data_beside_the_package() -> None:
    folder = shipped_folder()
    assert folder in (PACKAGE / "_models", PACKAGE.parent / "models")
    assert not (folder / "__init__.py").exists()


def test_the_current_folder_is_not_searched_for_shipped_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, MINE.replace("Node Zero", "Another"), "node_zero.py")
    write(tmp_path, MINE, "mine.py")
    monkeypatch.chdir(tmp_path)
    assert load("node_zero").title.startswith("Node Zero")
    assert load("node_zero.py").title.startswith("Another")
    assert load("./mine.py").name == "mine"
    assert "no architecture called 'mine'" in refusal("mine")


# --- a user's own -----------------------------------------------------------------------------------------------------
def test_a_file_in_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "a folder with spaces" / "ümlaut"
    folder.mkdir(parents=True)
    path = write(folder, MINE)
    before = list(sys.path)
    loaded = load(str(path))
    assert sys.path == before
    assert (loaded.name, loaded.path) == ("mine", str(path.resolve()))
    assert run(loaded, workers=2).holds
    monkeypatch.chdir(folder)
    assert load("mine.py").path == loaded.path
    assert load("../ümlaut/mine.py").sha256 == loaded.sha256


def test_two_files_of_one_name_are_kept_apart(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    one = load(str(write(tmp_path / "one", MINE)))
    two = load(str(write(tmp_path / "two", MINE.replace("Node Zero:", "Two:"))))
    assert one.sha256 != two.sha256
    assert (one.title[:9], two.title[:4]) == ("Node Zero", "Two:")


@pytest.mark.parametrize("change", [lambda text: text.replace("\n", "\r\n"), lambda text: "\ufeff" + text])
def test_line_ends_and_byte_order_mark(tmp_path: Path, change) -> None:
    path = write(tmp_path, change(MINE))
    loaded = load(str(path))
    assert loaded.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    result = run(loaded, workers=2, reductions="symmetry")
    assert (result.states, result.unreached) == (152, [])


def test_a_link_is_followed(tmp_path: Path) -> None:
    path = write(tmp_path, MINE)
    (tmp_path / "link.py").symlink_to(path)
    loaded = load(str(tmp_path / "link.py"))
    assert loaded.path == str(path)
    assert run(loaded, workers=2).unreached == []


SETTABLE = MINE.replace(
    "architecture = Architecture(", "def architecture(parties='1', other='x'):\n    return Architecture("
)


def test_settings_go_to_an_architecture_that_takes_them(tmp_path: Path) -> None:
    path = str(write(tmp_path, SETTABLE))
    assert load(path, {"parties": "2", "cores": "4"}).settings == (("parties", "2"),)
    assert load(path).settings == ()
    assert load("node_zero", {"parties": "2"}).settings == ()


TITLES = [('"""Mine."""', "Mine."), ("", "mine"), ('"""   """', "mine"), ('"""\n\nTwo\nThree"""', "Two")]


@pytest.mark.parametrize(("doc", "title"), TITLES)
def test_the_title_is_the_first_line_of_the_docstring(tmp_path: Path, doc: str, title: str) -> None:
    assert load(str(write(tmp_path, doc + "\n" + MINE.split("\n", 1)[1]))).title == title


# --- one clear line ---------------------------------------------------------------------------------------------------
def test_an_unknown_name_gets_a_suggestion() -> None:
    message = refusal("node_zer0")
    assert message.startswith("no architecture called 'node_zer0'. Did you mean 'node_zero'? Shipped: ")
    assert "Did you mean" not in refusal("xyzzy")
    assert all(name in message for name in shipped())


@pytest.mark.parametrize("reference", ["./nothing.py", "nothing.py", "folder/nothing"])
def test_a_missing_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reference: str) -> None:
    monkeypatch.chdir(tmp_path)
    assert refusal(reference) == f"{reference}: no such architecture file"


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert "no such architecture file" in refusal(tmp_path)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may read everything")
def test_an_unreadable_file(tmp_path: Path) -> None:
    path = write(tmp_path, MINE)
    path.chmod(0)
    assert "cannot be read: Permission denied" in refusal(path)


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    assert "cannot be read" in refusal(write(tmp_path, b"\xff\xfe\x00x"))
    assert ":1: not valid Python" in refusal(write(tmp_path, b"x = 1\x00\n"))


BAD = [
    ("", "is no architecture: it must end with 'architecture = Architecture("),
    ("architecture = 3\n", "is no architecture"),
    ("x = (\n", "mine.py:1: not valid Python: '(' was never closed"),
    ("x = 1\n\n1 // 0\n", "mine.py:3: ZeroDivisionError"),
    ("import nothing_of_this_name\n", "mine.py:1: ModuleNotFoundError"),
    ("def f():\n    raise ValueError('two\\nlines')\n\nf()\n", "mine.py:2: ValueError: two lines"),
    ("import sys\nsys.exit(0)\n", "mine.py:2: SystemExit: 0"),
    ("from cllm_sim import *\nx = Barrier(2)\n", "mine.py:2: TypeError: Barrier(parties): expected a function"),
    ("def architecture():\n    return 1 // 0\n", "mine.py:2: ZeroDivisionError"),
    ("def architecture(needed):\n    return 1\n", "TypeError: architecture() missing 1 required positional argument"),
    ("from cllm_sim import Architecture\narchitecture = Architecture\n", "TypeError"),
    ("def architecture():\n    return 'nothing'\n", "is no architecture"),
]


@pytest.mark.parametrize(("source", "message"), BAD)
def test_a_file_that_is_no_architecture(tmp_path: Path, source: str, message: str) -> None:
    path = write(tmp_path, source)
    told = refusal(path)
    assert told.startswith(str(path))
    assert message in told


END = (
    "architecture = Architecture(root, worker, control, leaf, team=Crew, shared=(weights,), promises=(uncontended,))\n"
)
MISMADE = [
    ("Architecture(root, worker, control)", "needs root, worker, control and leaf (or only root and leaf)"),
    ("Architecture(root, worker, leaf=leaf)", "needs root, worker, control and leaf"),
    ("Architecture(root, worker, control, leaf, team=Crew())", "TypeError"),
    ("Architecture(root, worker, control, leaf, team=Seat)", "team must be a class derived from Team"),
    ("Architecture(root, worker, control, leaf, team=Crew, shared=(weights))", "shared must be a tuple"),
    ("Architecture(root, worker, control, leaf, team=Crew, shared=(Crew,))", "shared must be a tuple"),
    ("Architecture(root, worker, control, leaf, team=Crew, promises=(uncontended))", "promises must be a tuple"),
    ("Architecture(len, worker, control, leaf, team=Crew)", "root is no text: it must be a function that yields"),
    ("Architecture(worker, worker, control, leaf, team=Crew)", "root takes 3 arguments, expected 2"),
    ("Architecture(root, root, control, leaf, team=Crew)", "worker takes 2 arguments, expected 3"),
    (
        "Architecture(root, worker, control, leaf, others={'main': root})",
        "others['main'] takes 2 arguments, expected 1",
    ),
]


@pytest.mark.parametrize(("made", "message"), MISMADE)
def test_an_architecture_that_is_mismade(tmp_path: Path, made: str, message: str) -> None:
    path = write(tmp_path, MINE.replace(END, f"architecture = {made}\n"))
    told = refusal(path)
    assert told.startswith(str(path))
    assert message in told


def test_a_text_that_is_no_generator_is_told_its_line(tmp_path: Path) -> None:
    source = MINE.replace(END, "def idle(me, work):\n    return 3\n\n" + END.replace("(root", "(idle"))
    line = source[: source.index("def idle")].count("\n") + 1
    assert refusal(write(tmp_path, source)).startswith(f"{tmp_path / 'mine.py'}:{line}: root is no text")


def test_an_error_of_ours_keeps_its_message(tmp_path: Path) -> None:
    path = write(tmp_path, "from cllm_sim.errors import BadArchitecture\nraise BadArchitecture('as it is')\n")
    with pytest.raises(BadArchitecture, match=r"^as it is$"):
        load(str(path))
