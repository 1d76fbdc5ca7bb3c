"""Reading many files: in parallel, with a cache that only ever costs or saves time."""

import os
import pickle
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from cllm_sim.auditor import syntax
from cllm_sim.auditor.facts import FileFacts, Site
from cllm_sim.auditor.sources import Source, find
from cllm_sim.auditor.syntax import cache as caching
from cllm_sim.auditor.syntax import many
from cllm_sim.auditor.syntax.cache import FOLDER, FactsCache, packed, unpacked


@pytest.fixture
def program(tmp_path: Path) -> list[Source]:
    """Fifty files, so many that they are read in parallel where that is possible."""
    folder = tmp_path / "program"
    folder.mkdir()
    for number in range(50):
        text = f"int n{number};\nvoid f{number}(void) {{ g({number}); }}\n" * (1 + number % 7)
        (folder / f"{number:02}.c").write_text(text, encoding="utf-8")
    return find([str(folder)]).sources


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No processes."""
    monkeypatch.setattr(many, "_can_fork", lambda: False)


def entries(above: Path) -> list[Path]:
    return sorted((above / FOLDER).iterdir())


def expected(program: list[Source]) -> list[FileFacts]:
    return [syntax.read(source.path, source.file.read_bytes()) for source in program]


def no_reading(path: str, data: bytes) -> FileFacts:
    raise AssertionError(f"{path} was read again")


# ---------------------------------------------------------------------------------------------------------------- many
@pytest.mark.processes
def test_in_parallel_it_is_as_one_by_one(program, tmp_path):
    read, unreadable = syntax.read_all(program, tmp_path / "cache")
    assert read == expected(program)
    assert unreadable == []
    assert len(entries(tmp_path / "cache")) == len(program)


@pytest.mark.usefixtures("alone")
def test_without_a_cache_nothing_is_kept(program, tmp_path):
    read, _ = syntax.read_all(program[:5])
    assert read == expected(program[:5])
    assert [path.name for path in tmp_path.iterdir()] == ["program"]


@pytest.mark.usefixtures("alone")
def test_progress_counts_every_file_once(program, tmp_path):
    told: list[tuple[int, int]] = []
    program[3].file.unlink()
    syntax.read_all(program[:6], tmp_path / "cache", lambda done, total: told.append((done, total)))
    assert told == [(number, 6) for number in range(1, 7)]
    told.clear()
    syntax.read_all(program[:6], tmp_path / "cache", lambda done, total: told.append((done, total)))
    assert told == [(number, 6) for number in range(1, 7)]


@pytest.mark.usefixtures("alone")
def test_what_cannot_be_read_is_named_and_stops_nothing(program):
    program[1].file.unlink()
    program[2].file.write_bytes(b"int a;\n" * 2000 + b"\0")
    program[3].file.unlink()
    os.mkfifo(program[3].file)
    read, unreadable = syntax.read_all(program[:5])
    assert [one.path for one in read] == ["00.c", "04.c"]
    assert [(one.path, one.line, one.why) for one in unreadable] == [
        ("01.c", None, "No such file or directory"),
        ("02.c", None, "binary: it holds a NUL byte"),
        ("03.c", None, "no regular file"),
    ]


@pytest.mark.processes
def test_a_lost_process_costs_time_only(program, monkeypatch):
    def lost(tasks, kept):
        yield tasks[0].place, many._one(tasks[0], kept)
        raise BrokenProcessPool("a process died")

    monkeypatch.setattr(many, "_in_parallel", lost)
    assert syntax.read_all(program)[0] == expected(program)


# --------------------------------------------------------------------------------------------------------------- cache
@pytest.mark.usefixtures("alone")
def test_what_is_known_is_not_read_again(program, tmp_path, monkeypatch):
    first = syntax.read_all(program, tmp_path / "cache")
    monkeypatch.setattr(many, "read", no_reading)
    assert syntax.read_all(program, tmp_path / "cache") == first


@pytest.mark.usefixtures("alone")
def test_an_entry_depends_on_content_path_and_reader(program, tmp_path, monkeypatch):
    kept = FactsCache(tmp_path)
    data = program[0].file.read_bytes()
    key = kept.key("a.c", data)
    assert kept.key("a.c", data) == key
    assert kept.key("b.c", data) != key
    assert kept.key("a.c", data + b" ") != key
    assert kept.key("a.", b"c" + data) != key
    monkeypatch.setattr(caching, "version", lambda: b"another reader")
    assert kept.key("a.c", data) != key


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("damage", [b"", b"no pickle", pickle.dumps("a text"), pickle.dumps(Path("x")), None])
def test_a_damaged_entry_is_ignored(program, tmp_path, damage):
    first = syntax.read_all(program[:3], tmp_path)
    for entry in entries(tmp_path):
        entry.write_bytes(entry.read_bytes()[:-20] if damage is None else damage)
    assert syntax.read_all(program[:3], tmp_path) == first
    assert all(unpacked(entry.read_bytes()) is not None for entry in entries(tmp_path))


class Evil:
    """Would run a command when it is unpickled by a reader that takes anything."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self):
        return Path.touch, (self.target,)


def test_an_entry_holds_facts_and_nothing_else(tmp_path):
    assert unpacked(pickle.dumps(Evil(tmp_path / "ran"))) is None
    assert unpacked(pickle.dumps([Evil(tmp_path / "ran")])) is None
    assert unpacked(pickle.dumps(Site("a.c", 1))) is None
    assert not (tmp_path / "ran").exists()
    whole = FileFacts("a.c", 1)
    assert unpacked(packed(whole)) == whole


@pytest.mark.usefixtures("alone")
def test_the_folder_is_the_users_own(program, tmp_path):
    syntax.read_all(program[:1], tmp_path)
    assert (tmp_path / FOLDER).stat().st_mode & 0o777 == 0o700


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("mode", [0o777, 0o750, 0o701])
def test_a_folder_that_others_may_enter_is_not_used(program, tmp_path, mode):
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER).chmod(mode)
    assert syntax.read_all(program[:1], tmp_path)[0] == expected(program[:1])
    assert entries(tmp_path) == []


@pytest.mark.usefixtures("alone")
def test_a_link_in_the_place_of_the_folder_is_not_followed(program, tmp_path):
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / FOLDER).symlink_to(tmp_path / "elsewhere")
    assert syntax.read_all(program[:1], tmp_path / "cache")[0] == expected(program[:1])
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.usefixtures("alone")
def test_a_folder_that_cannot_be_made_costs_time_only(program, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert syntax.read_all(program[:2], tmp_path / "file")[0] == expected(program[:2])


@pytest.mark.usefixtures("alone")
def test_a_full_disk_costs_time_only(program, tmp_path, monkeypatch):
    def full(self: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    assert syntax.read_all(program[:2], tmp_path)[0] == expected(program[:2])
    assert entries(tmp_path) == []


def test_the_oldest_entries_go_first(tmp_path):
    kept = FactsCache(tmp_path)
    assert kept.folder is not None
    for number in range(10):
        kept.put(f"{number}", b"x" * 100)
        os.utime(kept.folder / f"{number}.facts", (number, number))
    kept.prune(1000)
    assert len(entries(tmp_path)) == 10
    kept.prune(999)
    assert [entry.stem for entry in entries(tmp_path)] == ["3", "4", "5", "6", "7", "8", "9"]
