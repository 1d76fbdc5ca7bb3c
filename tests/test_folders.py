"""Where verbs leave their files: never over somebody's earlier ones, never where they cannot."""

import fcntl
import os
from pathlib import Path

import pytest

from cllm_sim.errors import BadRequest
from cllm_sim.folders import RESULT_FILE, cache_folder, output_folder, write_result
from cllm_sim.results import SCHEMA, RunResult


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory of the test."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def used(folder: Path, name: str = RESULT_FILE) -> Path:
    """A folder that holds a result."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("{}")
    return folder


def refused(*arguments: object, **options: bool) -> str:
    with pytest.raises(BadRequest) as caught:
        output_folder(*arguments, **options)  # type: ignore[arg-type]
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_the_default_is_the_next_free_one(here: Path) -> None:
    names = []
    for _ in range(3):
        folder = output_folder("node_zero-train", None)
        used(folder)
        names.append(str(folder))
    assert names == ["reports/node_zero-train", "reports/node_zero-train-2", "reports/node_zero-train-3"]


def test_a_folder_that_a_refused_run_has_left_is_taken_again(here: Path) -> None:
    first = output_folder("a", None)
    (first / "lock").write_text("process 1 since 00:00:00")
    assert output_folder("a", None) == first
    assert output_folder("", str(first)) == first


def test_a_folder_in_use_is_left_alone(here: Path) -> None:
    first = output_folder("a", None)
    with (first / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert output_folder("a", None) == Path("reports/a-2")
        used(first)
        assert "reports/a: run directory in use by another run" in refused("", "reports/a", overwrite=True)
        assert (first / RESULT_FILE).exists()
    assert output_folder("", "reports/a", overwrite=True) == first


def test_a_file_where_the_default_would_be(here: Path) -> None:
    (here / "reports").write_text("")
    assert "reports: is a file, not a folder" in refused("a", None)
    (here / "reports").unlink()
    (here / "reports").mkdir()
    (here / "reports" / "a").write_text("")
    assert "is a file, not a folder" in refused("a", None)


def test_an_existing_folder_is_refused_unasked(here: Path) -> None:
    folder = used(here / "out")
    assert "exists already; use another -o, --overwrite or --resume" in refused("", str(folder))
    assert (folder / RESULT_FILE).read_text() == "{}"


def test_an_empty_folder_and_a_new_one_are_taken(here: Path) -> None:
    (here / "empty").mkdir()
    assert output_folder("", "empty") == Path("empty")
    assert output_folder("", "new/and/deep").is_dir()


@pytest.mark.parametrize("marker", ["result.json", "trace.jsonl", "metrics.jsonl", "costs.toml"])
def test_overwriting_empties_a_folder_of_ours(here: Path, marker: str) -> None:
    folder = used(here / "out", marker)
    used(folder / "checkpoints" / "step-000001")
    outside = used(here / "outside")
    (folder / "link").symlink_to(outside)
    assert output_folder("", str(folder), overwrite=True) == folder
    assert {entry.name for entry in folder.iterdir()} <= {"lock"}
    assert (outside / RESULT_FILE).exists()


def test_overwriting_refuses_a_folder_of_somebody_else(here: Path) -> None:
    folder = used(here / "photos", "holiday.jpg")
    assert "holds no result of ours, so it is not overwritten" in refused("", str(folder), overwrite=True)
    assert (folder / "holiday.jpg").exists()


def test_a_file_is_no_folder(here: Path) -> None:
    (here / "file").write_text("mine")
    for options in ({}, {"overwrite": True}, {"resume": True}):
        assert "file: is a file, not a folder" in refused("", "file", **options)
    assert "cannot" in refused("", "file/below")
    assert (here / "file").read_text() == "mine"


def test_places_that_cannot_be_written(here: Path) -> None:
    assert "cannot" in refused("", "/proc/out")
    assert "cannot" in refused("", "x" * 300)


@pytest.mark.skipif(os.geteuid() == 0, reason="whoever is root may write everywhere")
def test_a_read_only_folder(here: Path) -> None:
    (here / "closed").mkdir(mode=0o555)
    assert "cannot be written; choose another folder with -o" in refused("", "closed")
    assert "cannot be created" in refused("", "closed/below")


def test_resuming_needs_a_folder(here: Path) -> None:
    assert "nothing to resume, there is no such run directory" in refused("", "none", resume=True)
    assert "nothing to resume: there is no reports/a" in refused("a", None, resume=True)


def test_resuming_goes_on_in_the_last_one(here: Path) -> None:
    used(output_folder("a", None))
    last = used(output_folder("a", None))
    assert output_folder("a", None, resume=True) == last == Path("reports/a-2")
    assert output_folder("", "reports/a", resume=True) == Path("reports/a")
    assert (last / RESULT_FILE).exists()


def test_a_result_is_written_whole(here: Path) -> None:
    path = write_result(here, RunResult({"schema": SCHEMA, "verb": "train", "exit_code": 0}))
    assert path == here / RESULT_FILE
    assert [entry.name for entry in here.iterdir()] == [RESULT_FILE]
    assert path.read_text().endswith("}\n")


def test_the_cache_follows_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert cache_folder() == Path("/somewhere/cllm-sim")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "cllm-sim"
