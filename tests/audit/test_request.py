"""Requests of an audit: what is refused, what the exit code says, how a baseline and a severity filter."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from cllm_sim.auditor.request import Request, run
from cllm_sim.errors import BadRequest
from cllm_sim.folders import RESULT_FILE

SPARE = """
#include <pthread.h>
static pthread_mutex_t spare = PTHREAD_MUTEX_INITIALIZER;
int main(void) { return 0; }
"""
CLEAN = "int main(void) { return 0; }\n"
RACE = """
#include <pthread.h>
static long total;
static void *run(void *v) { for (int i = 0; i < 100; i++) total++; return v; }
int main(void)
{
    pthread_t t[2];
    for (int i = 0; i < 2; i++)
        pthread_create(&t[i], 0, run, 0);
    for (int i = 0; i < 2; i++)
        pthread_join(t[i], 0);
    return (int)total;
}
"""


@pytest.fixture
def request_(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Request:
    """A request for the program in program.c, with nothing special asked."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "program.c").write_text(SPARE)
    return Request(
        (str(tmp_path / "program.c"),), (), None, False, (2, 3), 5.0, 200_000, None, "note", None, lambda _: None
    )  # fmt: skip


def write(request: Request, text: str) -> Request:
    Path(request.paths[0]).write_text(text)
    return request


def codes(data: dict[str, object]) -> list[str]:
    findings = data["findings"]
    assert isinstance(findings, list)
    return [one["code"] for one in findings]


def test_an_audit_is_a_result(request_: Request) -> None:
    data = run(request_).data
    assert (data["verb"], data["architecture"], data["exit_code"]) == ("audit", "program.c", 1)
    assert codes(data) == ["CL001"]
    assert data["paths"] == [request_.paths[0]]
    assert data["skeleton"] is None
    assert len(data["file_sha256"]) == 64


def test_a_clean_program_ends_with_zero(request_: Request) -> None:
    data = run(write(request_, CLEAN)).data
    assert (codes(data), data["exit_code"]) == ([], 0)


def test_the_least_severity(request_: Request) -> None:
    assert run(replace(request_, min_severity="warning")).data["exit_code"] == 0
    assert codes(run(replace(write(request_, RACE), min_severity="error")).data) == ["CR001"]


def test_a_baseline_makes_known_findings_old(request_: Request, tmp_path: Path) -> None:
    stored = tmp_path / RESULT_FILE
    stored.write_text(json.dumps(run(request_).data))
    again = run(replace(request_, baseline=str(stored))).data
    assert [one["new"] for one in again["findings"]] == [False]
    assert again["exit_code"] == 0
    folder = run(replace(write(request_, "\n\n" + SPARE), baseline=str(tmp_path))).data
    assert [one["new"] for one in folder["findings"]] == [False]
    more = run(
        replace(
            write(request_, SPARE.replace("int main", "static pthread_mutex_t other;\nint main")), baseline=str(stored)
        )
    )
    assert sorted(one["new"] for one in more.data["findings"]) == [False, True]
    assert more.data["exit_code"] == 1


def test_equal_sources_have_equal_digests(request_: Request) -> None:
    first = run(request_).data["file_sha256"]
    assert run(request_).data["file_sha256"] == first
    assert run(write(request_, CLEAN)).data["file_sha256"] != first


REFUSED = {
    "no path": ({"paths": ()}, "at least one file"),
    "no such path": ({"paths": ("nowhere.c",)}, "nowhere.c"),
    "no such severity": ({"min_severity": "fatal"}, "--min-severity fatal"),
    "no workers": ({"workers": (0,), "check": True}, "--workers 0"),
    "too many workers": ({"workers": (13,), "check": True}, "--workers 13"),
    "a binding without a name": ({"bind": ("work",)}, "--bind work"),
    "a binding without a function": ({"bind": ("work=",)}, "--bind work="),
    "a binding of commas": ({"bind": ("work=,",)}, "names no function"),
    "a binding of nothing known": ({"bind": ("work=mill",)}, "no function of this name"),
    "an unknown purpose": ({"bind": ("play=main",)}, "no such purpose"),
    "no such baseline": ({"baseline": "nowhere.json"}, "nowhere.json"),
    "no such plan": ({"plan": "nowhere.toml"}, "nowhere.toml"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str, request_: Request) -> None:
    change, words = REFUSED[name]
    with pytest.raises(BadRequest) as refused:
        run(replace(request_, **change))  # type: ignore[arg-type]  # fields by name
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_folder_without_sources_is_refused(request_: Request, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadRequest, match="no C source"):
        run(replace(request_, paths=(str(tmp_path / "empty"),)))


def test_an_export_that_exists_is_refused(request_: Request, tmp_path: Path) -> None:
    (tmp_path / "there.py").write_text("")
    with pytest.raises(BadRequest, match="exists already"):
        run(replace(request_, export=str(tmp_path / "there.py")))


def test_another_result_is_no_baseline(request_: Request, tmp_path: Path) -> None:
    stored = tmp_path / RESULT_FILE
    stored.write_text(json.dumps({**run(request_).data, "verb": "check"}))
    with pytest.raises(BadRequest):
        run(replace(request_, baseline=str(stored)))


def test_bound_functions_are_the_work(request_: Request) -> None:
    text = RACE.replace("static void *run", "static void mill(void) { total++; }\nstatic void *run").replace(
        "total++; return", "mill(); return"
    )
    assert not run(write(request_, text)).data["inventory"]["roles"][1]["reaches_work"]
    data = run(replace(request_, bind=("work=mill",))).data
    assert data["inventory"]["roles"][1]["reaches_work"]


def test_bytes_that_are_no_text_are_no_crash(request_: Request) -> None:
    Path(request_.paths[0]).write_bytes(b"\xff\xfe\x00 int main(void) { return 0; }\x80")
    assert run(request_).data["exit_code"] in {0, 1}
