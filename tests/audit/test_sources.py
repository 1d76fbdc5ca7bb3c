"""Finding sources: every file once, under the name the user knows it by, and nothing opened that is no file."""

import os
import socket
from pathlib import Path

import pytest

from cllm_sim.auditor.sources import SIZE_MAX, Found, contents, find, shown
from cllm_sim.errors import BadRequest

ROOT_USER = not hasattr(os, "getuid") or os.getuid() == 0


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to make files in, which is also where the user stands."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("int a;\n", encoding="utf-8")


def paths(found: Found) -> list[str]:
    return [source.path for source in found.sources]


def refused(found: Found) -> dict[str, str]:
    return {one.path: one.why for one in found.unreadable}


# -------------------------------------------------------------------------------------------------------- what is found
def test_sources_and_headers_below_a_folder(folder):
    make(folder, "b.c", "a.h", "sub/deep/c.c", "sub/x.cpp", "Makefile", "d.C", "e.c.orig")
    found = find(["."])
    assert [(one.path, one.kind) for one in found.sources] == [
        ("a.h", "header"),
        ("b.c", "source"),
        ("sub/deep/c.c", "source"),
    ]
    assert found.unreadable == []
    assert all(one.file.read_bytes() == b"int a;\n" for one in found.sources)


def test_paths_are_shown_as_the_user_would_write_them(folder):
    make(folder, "src/a.c", "src/sub/b.c")
    assert paths(find(["src"])) == ["src/a.c", "src/sub/b.c"]
    assert paths(find(["./src/"])) == ["src/a.c", "src/sub/b.c"]
    assert paths(find([str(folder / "src")])) == ["a.c", "sub/b.c"]
    assert paths(find(["src/a.c"])) == ["src/a.c"]
    assert paths(find([str(folder / "src" / "a.c")])) == ["a.c"]


def test_from_a_folder_below(folder, monkeypatch):
    make(folder, "src/a.c", "build/x.txt")
    monkeypatch.chdir(folder / "build")
    assert paths(find(["../src"])) == ["../src/a.c"]


def test_a_file_named_directly_may_have_any_ending(folder):
    make(folder, "generated.inc", "x.hpp")
    assert [(one.path, one.kind) for one in find(["generated.inc", "x.hpp"]).sources] == [
        ("generated.inc", "source"),
        ("x.hpp", "source"),
    ]


def test_a_file_counts_once_however_often_it_is_named(folder):
    make(folder, "src/a.c", "src/b.c")
    assert paths(find(["src", "src/a.c", ".", "src/../src"])) == ["src/a.c", "src/b.c"]


def test_two_files_never_share_a_name(folder):
    make(folder, "one/a.c", "two/a.c", "two/b.c")
    found = find([str(folder / "one"), str(folder / "two")])
    assert paths(found) == sorted([str(folder / "one/a.c"), str(folder / "two/a.c"), "b.c"])


def test_hidden_folders_are_left_out_unless_named(folder):
    make(folder, ".git/a.c", "src/.cache/b.c", "src/c.c")
    (folder / "linked").symlink_to(folder / ".git")
    assert paths(find(["."])) == ["linked/a.c", "src/c.c"]
    assert paths(find([".git"])) == [".git/a.c"]


def test_nothing_found(folder):
    make(folder, "README.md")
    assert find(["."]) == Found([], [])


@pytest.mark.parametrize("name", ["missing", "missing.c", "a\nb.c", "", "a.c/b.c", "x" * 5000, "a\0b"])
def test_a_path_that_does_not_exist_is_a_bad_request(folder, name):
    make(folder, "a.c")
    with pytest.raises(BadRequest) as caught:
        find([name])
    assert "\n" not in str(caught.value)
    assert "\0" not in str(caught.value)


# ---------------------------------------------------------------------------------------------------------------- links
def test_loops_of_links_end(folder):
    make(folder, "src/a.c", "src/sub/b.c")
    (folder / "src/sub/up").symlink_to(folder / "src")
    (folder / "src/self").symlink_to(".")
    (folder / "loop.c").symlink_to("loop.c")
    found = find(["."])
    assert paths(found) == ["src/a.c", "src/sub/b.c"]
    assert list(refused(found)) == ["loop.c"]


def test_a_real_name_goes_before_a_link(folder):
    make(folder, "z/real.c", "z/sub/b.c")
    (folder / "a_link.c").symlink_to(folder / "z/real.c")
    (folder / "a_folder").symlink_to(folder / "z")
    assert paths(find(["."])) == ["z/real.c", "z/sub/b.c"]


def test_links_out_of_the_folder_are_followed_once(folder):
    make(folder, "other/a.c", "src/b.c")
    (folder / "src/one").symlink_to(folder / "other")
    (folder / "src/two").symlink_to(folder / "other")
    assert paths(find(["src"])) == ["src/b.c", "src/one/a.c"]


def test_a_link_that_leads_nowhere_is_named(folder):
    (folder / "a.c").symlink_to(folder / "gone.c")
    (folder / "text").symlink_to(folder / "gone")
    assert list(refused(find(["."]))) == ["a.c"]


# --------------------------------------------------------------------------------------------------- what is no source
def test_pipes_sockets_and_devices_are_never_opened(folder):
    make(folder, "a.c")
    os.mkfifo(folder / "pipe.c")
    with socket.socket(socket.AF_UNIX) as made:
        made.bind("socket.h")
        (folder / "null.c").symlink_to("/dev/null")
        (folder / "folder.c").mkdir()
        found = find(["."])
    assert paths(found) == ["a.c"]
    assert refused(found) == dict.fromkeys(["null.c", "pipe.c", "socket.h"], "no regular file")
    assert refused(find(["pipe.c"])) == {"pipe.c": "no regular file"}


def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(folder):
    os.mkfifo(folder / "a.c")
    with pytest.raises(ValueError, match="no regular file"):
        contents(folder / "a.c")


def test_binary_files_are_named(folder):
    (folder / "a.c").write_bytes(b"int a;\0int b;")
    (folder / "b.c").write_bytes("int a;".encode("utf-16"))
    found = find(["."])
    assert found.sources == []
    assert refused(found) == {
        "a.c": "binary: it holds a NUL byte",
        "b.c": "UTF-16 text, which compilers do not take",
    }


def test_too_large_files_are_named(folder):
    with (folder / "a.c").open("wb") as file:
        file.truncate(SIZE_MAX + 1)
    with (folder / "b.c").open("wb") as file:
        file.write(b"int a;\n")
    found = find(["."])
    assert paths(found) == ["b.c"]
    assert refused(found) == {"a.c": "larger than 16 MiB"}
    with pytest.raises(ValueError, match="larger"):
        contents(folder / "a.c")


@pytest.mark.skipif(ROOT_USER, reason="root may read everything")
def test_what_may_not_be_read_is_named(folder):
    make(folder, "a.c", "closed/b.c", "c.c")
    (folder / "a.c").chmod(0)
    (folder / "closed").chmod(0)
    try:
        found = find(["."])
    finally:
        (folder / "closed").chmod(0o700)
    assert paths(found) == ["c.c"]
    assert refused(found) == {"a.c": "permission denied", "closed": "permission denied"}


def test_a_folder_that_cannot_be_listed_is_named(folder, monkeypatch):
    make(folder, "a.c", "closed/b.c")
    real = os.scandir

    def scandir(path):
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    found = find(["."])
    assert paths(found) == ["a.c"]
    assert refused(found) == {"closed": "permission denied"}


# ---------------------------------------------------------------------------------------------------------------- names
def test_names_that_are_no_text_are_shown_with_backslashes(folder):
    raw = os.fsencode(folder) + b"/b\xff.c"
    try:
        os.close(os.open(raw, os.O_CREAT | os.O_WRONLY))
    except OSError:
        pytest.skip("this file system takes no such names")
    make(folder, "line\nend.c", "blank space.c", "größe.c")
    found = find(["."])
    assert paths(found) == ["b\\xff.c", "blank space.c", "größe.c", "line\\nend.c"]
    assert all(contents(one.file) is not None for one in found.sources)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.c", "a.c"),
        ("ä b.c", "ä b.c"),
        ("\x1b[31m.c", "\\x1b[31m.c"),
        ("\udcff.c", "\\xff.c"),
        ("a\u202e.c", "a\\u202e.c"),
    ],
)
def test_shown(path, expected):
    assert shown(path) == expected
