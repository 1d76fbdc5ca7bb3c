"""`cllm audit` as users meet it: exit codes, formats, questions, baselines, and requests that cannot be met.

Rules of this file: commands run in this process where that is enough (stdout and stderr are looked at), and as the
installed command once, for the whole way.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from importlib.resources import files as resource_files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from cllm_sim.auditor.judging import rules_known
from cllm_sim.cli.exit import run

from tests.audit.markers import CORPUS

WRONG_COUNT = CORPUS / "b_count_too_large.c"
CLEAN = CORPUS / "t_node_zero"
HANGS = CORPUS / "b_shutdown_hang.c"
NOTE_ONLY = CORPUS / "l_unused_mutex.c"
TOPICS = ("barriers", "control", "shared-memory", "threads")
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def audit(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """`audit(*arguments)` -> exit code, stdout, stderr; run in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def audited(*arguments: object) -> tuple[int, str, str]:
        capfd.readouterr()
        code = run(["audit", *map(str, arguments)])
        return (code, *capfd.readouterr())

    return audited


def document(audit: Run, *arguments: object) -> dict[str, Any]:
    _, stdout, _ = audit(*arguments, "--format", "json")
    found: dict[str, Any] = json.loads(stdout)
    return found


# ----------------------------------------------------------------------------------------------------------- exit codes
def test_a_clean_program_ends_with_0(audit: Run) -> None:
    code, stdout, stderr = audit(CLEAN)
    assert code == 0
    assert "0 findings" in stdout
    assert stderr == ""


def test_a_finding_ends_with_1_and_is_shown_with_both_sides(audit: Run) -> None:
    code, stdout, stderr = audit(WRONG_COUNT)
    assert code == 1
    assert "CB002" in stdout
    assert "b_count_too_large.c:54" in stdout  # the initialisation
    assert "b_count_too_large.c:62" in stdout  # a wait
    assert stderr == ""


def test_a_broken_protocol_ends_with_1(audit: Run) -> None:
    code, stdout, _ = audit(HANGS, "--check", "--workers", "2", "--min-severity", "error")
    assert code == 1
    assert "stuck" in stdout


def test_a_protocol_that_holds_changes_nothing(audit: Run) -> None:
    code, stdout, _ = audit(CLEAN, "--check", "--workers", "2")
    assert code == 0
    assert "holds" in stdout


def test_a_search_without_an_answer_ends_with_3(audit: Run) -> None:
    """Twelve workers, a control and main are more threads than can be searched at all."""
    code, stdout, _ = audit(CLEAN, "--check", "--workers", "12", "--budget", "1s")
    assert code == 3
    assert "not possible" in stdout or "undecided" in stdout


def test_the_installed_command_says_the_same(cllm: Callable[..., Any]) -> None:
    done = cllm("audit", WRONG_COUNT)
    assert done.code == 1
    assert "CB002" in done.stdout
    assert done.stderr == ""


# --------------------------------------------------------------------------------------------------- what is left out
@pytest.mark.parametrize(("severity", "code"), [("note", 1), ("warning", 0), ("error", 0)])
def test_findings_that_weigh_less_are_left_out(audit: Run, severity: str, code: int) -> None:
    found = document(audit, NOTE_ONLY, "--min-severity", severity)
    assert found["exit_code"] == code
    assert all(one["severity"] == "note" for one in found["findings"])
    assert bool(found["findings"]) is bool(code)


@pytest.fixture
def earlier(audit: Run, tmp_path: Path) -> Path:
    """A program of one finding with an audit of it."""
    shutil.copy(WRONG_COUNT, tmp_path / "program.c")
    assert audit("program.c", "-o", "earlier")[0] == 1
    return tmp_path / "earlier"


def test_what_the_baseline_knows_is_not_new(audit: Run, earlier: Path) -> None:
    for baseline in (earlier, earlier / "result.json"):
        found = document(audit, "program.c", "--baseline", baseline)
        assert found["exit_code"] == 0
        assert [one["new"] for one in found["findings"]] == [False]


def test_lines_may_move_since_the_baseline(audit: Run, earlier: Path, tmp_path: Path) -> None:
    program = tmp_path / "program.c"
    program.write_text("\n\n\n" + program.read_text(encoding="utf-8"), encoding="utf-8")
    assert audit("program.c", "--baseline", earlier)[0] == 0


def test_only_what_is_new_since_the_baseline_ends_with_1(audit: Run, earlier: Path, tmp_path: Path) -> None:
    program = tmp_path / "program.c"
    program.write_text(program.read_text(encoding="utf-8") + "\nstatic pthread_mutex_t spare;\n", encoding="utf-8")
    found = document(audit, "program.c", "--baseline", earlier)
    assert found["exit_code"] == 1
    assert {one["code"]: one["new"] for one in found["findings"]} == {"CB002": False, "CL001": True}


# -------------------------------------------------------------------------------------------------------- one question
@pytest.mark.parametrize("topic", TOPICS)
@pytest.mark.parametrize("program", [CLEAN, WRONG_COUNT], ids=["clean", "defect"])
def test_one_question_is_answered_alone(audit: Run, topic: str, program: Path) -> None:
    code, stdout, stderr = audit(program, "--show", topic)
    assert code == (0 if program is CLEAN else 1)
    assert stderr == ""
    everything = audit(program)[1]
    assert stdout.strip()
    assert stdout != everything


def test_the_question_about_barriers_names_each_with_its_waits(audit: Run) -> None:
    stdout = audit(CLEAN, "--show", "barriers")[1]
    for text in ("point_a", "point_b", "NZ_WORKERS + 1", "worker.c:17", "control.c:25"):
        assert text in stdout


def test_the_question_about_threads_names_each_entry(audit: Run) -> None:
    stdout = audit(CLEAN, "--show", "threads")[1]
    assert "nz_worker_main" in stdout
    assert "nz_control_main" in stdout


# ------------------------------------------------------------------------------------------------------------- formats
@pytest.mark.parametrize("program", [CLEAN, WRONG_COUNT, CORPUS / "m_shared_region"], ids=lambda path: path.stem)
def test_the_document_fits_the_schema_and_nothing_else_is_said(audit: Run, program: Path) -> None:
    code, stdout, stderr = audit(program, "--format", "json")
    found = json.loads(stdout)
    schema = json.loads((resource_files("cllm_sim") / "result.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(found, schema)
    assert found["verb"] == "audit"
    assert found["exit_code"] == code
    assert stderr == ""


def test_equal_sources_give_equal_documents(audit: Run) -> None:
    documents = [document(audit, WRONG_COUNT) for _ in range(2)]
    for one in documents:
        for changing in ("seconds", "wall_seconds", "environment"):
            one.pop(changing, None)
    assert documents[0] == documents[1]


def test_comments_are_no_evidence(audit: Run, tmp_path: Path) -> None:
    """The corpus's own markers say what is expected; without any comment the findings are the same."""
    from tests.audit.markers import without_comments

    (tmp_path / WRONG_COUNT.name).write_text(without_comments(WRONG_COUNT.read_text(encoding="utf-8")))
    with_them, without = document(audit, WRONG_COUNT), document(audit, WRONG_COUNT.name)

    def places(found: dict[str, Any]) -> list[tuple[str, int, str]]:
        return [(one["code"], one["line"], one["message"]) for one in found["findings"]]

    assert places(with_them) == places(without)
    assert [one["status"] for one in with_them["requirements"]] == [one["status"] for one in without["requirements"]]


def test_sarif_names_the_rule_and_the_place(audit: Run) -> None:
    code, stdout, stderr = audit(WRONG_COUNT, "--format", "sarif")
    log = json.loads(stdout)
    assert (code, stderr) == (1, "")
    assert log["version"] == "2.1.0"
    (one_run,) = log["runs"]
    (result,) = one_run["results"]
    assert result["ruleId"] == "CB002"
    assert result["locations"][0]["physicalLocation"]["region"]["startLine"] == 54
    assert {rule["id"] for rule in one_run["tool"]["driver"]["rules"]} <= {rule.code for rule in rules_known()}


def test_the_page_is_one_whole_page(audit: Run) -> None:
    code, stdout, stderr = audit(WRONG_COUNT, "--format", "html")
    assert (code, stderr) == (1, "")
    assert stdout.lstrip().lower().startswith("<!doctype html>")
    assert stdout.rstrip().endswith("</html>")
    assert "CB002" in stdout
    assert "http://" not in stdout.replace("http://www.w3.org/", "")


def test_an_audit_leaves_files_only_where_it_is_told_to(audit: Run, tmp_path: Path) -> None:
    audit(WRONG_COUNT)
    assert list(tmp_path.iterdir()) == []
    audit(WRONG_COUNT, "-o", "here")
    assert [one.name for one in tmp_path.iterdir()] == ["here"]
    assert (tmp_path / "here" / "result.json").is_file()


def test_a_function_can_be_bound(audit: Run) -> None:
    found = document(audit, CORPUS / "b_epoch_stop.c", "--bind", "work=move_particles")
    assert any("move_particles" in json.dumps(one) for one in found["inventory"]["roles"])


def test_the_protocol_is_exported_once(audit: Run, tmp_path: Path) -> None:
    assert audit(CLEAN, "--export", "protocol.py")[0] == 0
    compile((tmp_path / "protocol.py").read_text(encoding="utf-8"), "protocol.py", "exec")
    assert run(["check", "./protocol.py", "--workers", "2"]) == 0


# ------------------------------------------------------------------------------------------------- what cannot be met
FILES = {
    "program.c": "int main(void) { return 0; }\n",
    "bad.toml": "requirement = = 1\n",
    "other.toml": "[other]\nkey = 1\n",
    "bad.json": "{",
    "other.json": '{"schema": "other"}\n',
    "there.py": "",
}
CASES: dict[str, tuple[list[str], str]] = {
    "no path": ([], "Missing argument 'PATH...'"),
    "no such path": (["nowhere"], "nowhere: there is no such file or folder"),
    "no C source": (["empty"], "empty: there is no C source here"),
    "unknown function": (["program.c", "--bind", "work=nix"], "--bind work=nix: no function of this name"),
    "unknown purpose": (["program.c", "--bind", "luck=main"], "no such purpose; there are work"),
    "no function": (["program.c", "--bind", "work"], "write purpose=function"),
    "no plan": (["program.c", "--plan", "nowhere.toml"], "nowhere.toml: cannot be read"),
    "bad plan": (["program.c", "--plan", "bad.toml"], "bad.toml: is no TOML"),
    "another file as plan": (["program.c", "--plan", "other.toml"], "other.toml"),
    "no baseline": (["program.c", "--baseline", "nowhere"], "nowhere: cannot be read as a result"),
    "bad baseline": (["program.c", "--baseline", "bad.json"], "bad.json"),
    "another file as baseline": (["program.c", "--baseline", "other.json"], "other.json"),
    "export exists": (["program.c", "--export", "there.py"], "there.py: exists already"),
    "too many workers": (["program.c", "--check", "--workers", "13"], "--workers 13"),
    "no workers": (["program.c", "--check", "--workers", "0"], "--workers 0"),
    "bad budget": (["program.c", "--check", "--budget", "soon"], "write 60s, 2m or 1h"),
    "bad limit": (["program.c", "--check", "--max-states", "0"], "--max-states"),
    "unknown severity": (["program.c", "--min-severity", "fatal"], "'error', 'warning', 'note'"),
    "unknown question": (["program.c", "--show", "locks"], "'barriers'"),
    "unknown format": (["program.c", "--format", "xml"], "'sarif'"),
    "unknown option": (["program.c", "--strict"], "--strict"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_request_that_cannot_be_met_ends_with_2_and_one_line(audit: Run, tmp_path: Path, name: str) -> None:
    for file, text in FILES.items():
        (tmp_path / file).write_text(text, encoding="utf-8")
    (tmp_path / "empty").mkdir()
    arguments, message = CASES[name]
    before = sorted(tmp_path.rglob("*"))
    code, stdout, stderr = audit(*arguments)
    assert (code, stdout) == (2, "")
    assert stderr.startswith("cllm: ")
    assert stderr.count("\n") == 1
    assert message in stderr
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("output", ["json", "sarif", "html"])
def test_a_bad_request_leaves_stdout_empty_in_every_format(audit: Run, output: str) -> None:
    code, stdout, stderr = audit("nowhere", "--format", output)
    assert (code, stdout) == (2, "")
    assert stderr.count("\n") == 1
