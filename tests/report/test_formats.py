"""A check for other programs: SARIF that an independent reader accepts, JUnit XML, and the page."""

import json
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from cllm_sim import check
from cllm_sim.library import load, shipped
from cllm_sim.report import junit, sarif_check, write_graphs, write_report
from cllm_sim.report.check_page import headline, page, pictures
from cllm_sim.report.evidence import schedule_of
from cllm_sim.report.figures import rendered
from cllm_sim.results import RunResult

Result = dict[str, Any]
BROKEN = [name for name in sorted(shipped()) if load(name).broken]


@pytest.fixture(scope="module")
def results() -> dict[str, Result]:
    return {name: check(name, workers=2).data for name in (*BROKEN, "node_zero")}


def undecided() -> Result:
    return check("node_zero", workers=3, reductions="none", max_states=5).data


# ---------------------------------------------------------------------------------------------------------------- sarif
def run(data: Result) -> Result:
    found: Result = json.loads(sarif_check.render([data]))["runs"][0]
    return found


def test_an_independent_reader_accepts_it(results: dict[str, Result]) -> None:
    sarif = pytest.importorskip("sarif_pydantic").Sarif
    text = sarif_check.render([*results.values(), undecided()])
    read = sarif.model_validate_json(text)
    assert len(read.runs) == len(results) + 1
    unknown = {name for one in read.runs for name in extra(one)}
    assert unknown <= {
        ("Run", "columnKind"),
        ("Invocation", "exitCode"),
        ("Invocation", "toolExecutionNotifications"),
    }


def extra(part: Any) -> Iterator[tuple[str, str]]:
    """(class, property) of everything that the reader did not know."""
    if isinstance(part, list):
        for item in part:
            yield from extra(item)
    elif hasattr(type(part), "model_fields"):
        yield from ((type(part).__name__, name) for name in part.model_extra or ())
        for name in type(part).model_fields:
            yield from extra(getattr(part, name))


def test_one_result_for_each_broken_promise(results: dict[str, Result]) -> None:
    for data in results.values():
        found = run(data)
        wanted = [row["name"].replace(" ", "-") for row in data["promises"] if row["verdict"] == "broken"]
        assert [result["ruleId"] for result in found["results"]] == wanted
        rules = [rule["id"] for rule in found["tool"]["driver"]["rules"]]
        assert all(rules[result["ruleIndex"]] == result["ruleId"] for result in found["results"])


def test_the_steps_come_back_in_their_order(results: dict[str, Result]) -> None:
    """One thread flow for each actor; together they are the schedule, then who is stuck."""
    for data in results.values():
        schedules = {
            row["counterexample"]["schedule"]: row["counterexample"] for row in data["broken"] if row["counterexample"]
        }
        for result in run(data)["results"]:
            for flow in result.get("codeFlows", ()):
                threads = flow["threadFlows"]
                ids = [thread["id"] for thread in threads]
                assert len(ids) == len(set(ids))
                steps = sorted((at["executionOrder"], who["id"], at) for who in threads for at in who["locations"])
                assert [number for number, *_ in steps] == list(range(1, len(steps) + 1))
                shown = [(who, line(at)) for _, who, at in steps]
                wanted = [
                    [(row["actor"], row["line"]) for row in (*example["steps"], *example["stuck"])]
                    for example in schedules.values()
                ]
                assert shown in wanted


def line(at: Result) -> int:
    number: int = at["location"]["physicalLocation"]["region"]["startLine"]
    return number


def test_both_sides_of_a_race_are_essential(results: dict[str, Result]) -> None:
    result = next(one for one in run(results["early_reduce"])["results"] if one["ruleId"] == "no-race")
    threads = result["codeFlows"][0]["threadFlows"]
    essential = [
        (thread["id"], line(at)) for thread in threads for at in thread["locations"] if at["importance"] == "essential"
    ]
    assert {("0", 38), ("0.0", 31)} <= set(essential)
    assert "To do: " in result["message"]["text"]


def test_update_before_use_shows_a_race_on_what_update_writes(results: dict[str, Result]) -> None:
    result = next(one for one in run(results["count_too_small"])["results"] if one["ruleId"] == "update-before-use")
    assert "update weights" in result["message"]["text"]


def test_what_is_undecided_is_no_result() -> None:
    found = run(undecided())
    assert found["results"] == []
    told = [row["message"]["text"] for row in found["invocations"][0]["toolExecutionNotifications"]]
    assert any(text.startswith("undecided: no deadlock") for text in told)


# ---------------------------------------------------------------------------------------------------------------- junit
def suites(*results: Result) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(junit.render(results)))


def test_one_case_for_each_promise(results: dict[str, Result]) -> None:
    for data, suite in zip(results.values(), suites(*results.values()), strict=True):
        cases = suite.findall("testcase")
        assert [case.get("name") for case in cases] == [row["name"] for row in data["promises"]]
        failed = [case.get("name") for case in cases if case.find("failure") is not None]
        assert failed == [row["name"] for row in data["promises"] if row["verdict"] == "broken"]
        assert suite.get("failures") == str(len(failed))
        assert suite.get("tests") == str(len(cases))


def test_the_failure_is_the_counterexample(results: dict[str, Result]) -> None:
    data = results["leaves_early"]
    failure = suites(data)[0].find("testcase[@name='no deadlock']/failure")
    assert failure is not None
    assert failure.get("type") == "deadlock"
    text = failure.text or ""
    assert "repair    leaves_early.py:45" in text
    assert all(step["op"] in text for step in data["counterexample"]["steps"])
    assert "STUCK  control" in text
    assert all(len(row) <= junit.WIDTH for row in text.splitlines())


def test_undecided_is_an_error_and_not_skipped() -> None:
    root = ElementTree.fromstring(junit.render([undecided()]))
    errors = root.findall("testsuite/testcase/error")
    assert root.get("errors") == str(len(errors))
    assert errors
    assert "undecided" in str(errors[0].get("message"))
    assert root.findall(".//skipped") == []


def test_what_xml_cannot_hold_is_replaced(results: dict[str, Result]) -> None:
    data = {**results["leaves_early"], "architecture": "a\x00b<&>"}
    assert str(suites(data)[0].get("name")).startswith("a�b<&>")


# ----------------------------------------------------------------------------------------------------------------- page
class Outline(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in ("script", "link", "img", "iframe", "object")
        self.ids += [value or "" for name, value in attrs if name == "id"]

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.mark.parametrize("name", ["early_reduce", "leaves_early", "node_zero"])
def test_the_page_says_it_all(results: dict[str, Result], name: str) -> None:
    data = results[name]
    outline = Outline()
    text = page(data)
    outline.feed(text)
    shown = " ".join(" ".join(outline.text).split())
    assert "http://" not in text
    assert "https://" not in text
    assert len(outline.ids) == len(set(outline.ids))
    assert headline(data) in shown
    for defect in data["broken"]:
        assert f"{defect['class']} ({name}.py:{defect['line']})" in shown
        assert f"cllm replay {name} {defect['counterexample']['schedule']} --workers 2" in shown
    assert ("What to repair" in shown) == bool(data["broken"])


def test_a_page_is_left_with_the_pictures_and_can_be_made_again(results: dict[str, Result], tmp_path: Path) -> None:
    result = RunResult(results["leaves_early"])
    names = write_graphs(result, tmp_path)
    assert names == ["wait-for-leaves_early.svg", "wait-for-leaves_early.png"]
    first = (tmp_path / "index.html").read_bytes()
    assert write_report(result, tmp_path) == ["index.html"]
    assert (tmp_path / "index.html").read_bytes() == first


# ------------------------------------------------------------------------------------------------------------- pictures
def test_the_steps_are_drawn_in_order_with_both_sides_marked(results: dict[str, Result]) -> None:
    defect = next(row for row in results["early_reduce"]["broken"] if row["class"] == "race")
    graph = schedule_of("early_reduce", 2, defect)
    assert graph is not None
    assert [node["id"] for node in graph["nodes"]] == [
        str(n + 1) for n in range(len(defect["counterexample"]["steps"]))
    ]
    sides = [(node["group"], node["label"]) for node in graph["nodes"] if node["mark"] == "side"]
    assert sides == [("0", "fold 0/segment  :38"), ("0.0", "compute 0.0/segment  :31")]
    styles = {edge["style"] for edge in graph["edges"]}
    assert styles == {"own", "order", "missing"}


def test_a_long_schedule_shows_its_end(results: dict[str, Result]) -> None:
    defect = results["leaves_early"]["broken"][0]
    steps = defect["counterexample"]["steps"]
    long = {**defect, "counterexample": {**defect["counterexample"], "steps": [*steps] * 8}}
    graph = schedule_of("x", 2, long)
    assert graph is not None
    assert len(graph["nodes"]) == 40
    assert graph["nodes"][-1]["id"] == str(8 * len(steps))
    assert schedule_of("x", 2, {"text": "", "counterexample": None}) is None


def test_every_defect_of_a_class_can_be_drawn(results: dict[str, Result]) -> None:
    for name in ("leaves_early", "early_reduce"):
        data = results[name]
        for picture in pictures(data, data["broken"][0]):
            svg, png = rendered(picture)
            assert svg.startswith(b"<?xml")
            assert png.startswith(b"\x89PNG")
            assert rendered(picture)[0] == svg
            assert picture.caption.endswith(".")
