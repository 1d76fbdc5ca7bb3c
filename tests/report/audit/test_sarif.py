"""SARIF: accepted by an independent reader, complete, and honest about what was suppressed or not understood.

The reader is sarif-pydantic. It knows most of the standard and keeps what it does not know; the few properties of
SARIF 2.1.0 that it lacks are listed here, anything else that it does not know is a mistake of ours.
"""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import pytest
from pydantic import BaseModel

from cllm_sim.errors import BadRequest
from cllm_sim.report.audit.sarif import render

from tests.report.audit import hostile, sample

Sarif = pytest.importorskip("sarif_pydantic", reason="the reader is there in the development environment only").Sarif

BEYOND_THE_READER = {
    ("Run", "columnKind"),
    ("Invocation", "exitCode"),
    ("Invocation", "toolExecutionNotifications"),
    ("Result", "baselineState"),
    ("Result", "suppressions"),
}
LEVELS = {"error", "warning", "note"}


def log(data: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(render(data))
    return found


def run(data: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = log(data)["runs"][0]
    return found


def unknown(part: Any) -> Iterator[tuple[str, str]]:
    """(class, property) of everything that the reader did not know."""
    if isinstance(part, BaseModel):
        yield from ((type(part).__name__, name) for name in part.model_extra or ())
        for name in type(part).model_fields:
            yield from unknown(getattr(part, name))
    elif isinstance(part, list):
        for item in part:
            yield from unknown(item)


def uris(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if "uri" in part:
            yield part["uri"]
        for item in part.values():
            yield from uris(item)
    elif isinstance(part, list):
        for item in part:
            yield from uris(item)


# ----------------------------------------------------------------------------------------------------------- standard
@pytest.mark.parametrize("make", [sample.sample, sample.empty, hostile.hostile])
def test_an_independent_reader_knows_every_property(make: Any) -> None:
    text = render(make())
    assert set(unknown(Sarif.model_validate_json(text))) <= BEYOND_THE_READER
    assert render(make()) == text
    found = json.loads(text)
    assert found["version"] == "2.1.0"
    assert "sarif-schema-2.1.0.json" in found["$schema"]


def test_the_reader_would_notice_a_property_that_is_none() -> None:
    broken = log(sample.sample())
    broken["runs"][0]["results"][0]["levels"] = "error"
    assert ("Result", "levels") in set(unknown(Sarif.model_validate(broken)))


def test_what_the_reader_lacks_has_the_values_of_the_standard() -> None:
    found = run(sample.sample())
    assert found["columnKind"] == "unicodeCodePoints"
    assert {result.get("baselineState") for result in found["results"]} == {"new", "unchanged", None}
    for result in found["results"]:
        assert {item["kind"] for item in result["suppressions"]} <= {"inSource"}
        assert result["level"] in LEVELS
        assert 0 <= result.get("rank", 0) <= 100


# ------------------------------------------------------------------------------------------------------------ content
def test_rules_have_words_and_results_point_at_them() -> None:
    found = run(sample.sample())
    rules = found["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == sorted({*sample.sample()["rules"], "CL001"})
    barrier = next(rule for rule in rules if rule["id"] == "CB001")
    assert barrier["name"] == "barrier-never-waited"
    assert barrier["shortDescription"]["text"].startswith("A barrier is declared")
    assert barrier["help"]["text"].endswith("More: cllm explain CB001")
    assert barrier["defaultConfiguration"] == {"level": "warning"}
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in found["results"])


def test_a_result_has_place_both_sides_and_a_flow_for_each_role() -> None:
    result = next(result for result in run(sample.sample())["results"] if result["ruleId"] == "CR002")
    assert result["level"] == "error"
    assert result["rank"] == 90.0
    assert result["properties"] == {"confidence": "high", "subject": "Trainer.running", "role": "control"}
    assert result["partialFingerprints"] == {"codePathSubject/v1": "CR002:src/pool.c:Trainer.running"}
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "src/pool.c", "uriBaseId": "SRCROOT"}
    assert {key: place["region"][key] for key in ("startLine", "startColumn", "endColumn")} == {
        "startLine": 113,
        "startColumn": 21,
        "endColumn": 28,
    }
    assert place["region"]["snippet"]["text"] == "    while (trainer->running) {"
    (related,) = result["relatedLocations"]
    assert related["message"]["text"] == "caller: set here"
    flows = result["codeFlows"][0]["threadFlows"]
    assert [flow["id"] for flow in flows] == ["control", "caller"]
    lines = [
        [step["location"]["physicalLocation"]["region"]["startLine"] for step in flow["locations"]] for flow in flows
    ]
    assert lines == [[95, 113], [40, 184, 188]]


def test_two_sides_of_one_role_have_flows_of_their_own() -> None:
    result = next(result for result in run(sample.sample())["results"] if result["ruleId"] == "CT002")
    flows = result["codeFlows"][0]["threadFlows"]
    assert [flow["id"] for flow in flows] == ["worker", "caller", "caller (2)"]


def test_every_finding_is_a_result_and_so_is_what_was_suppressed() -> None:
    data = sample.sample()
    results = run(data)["results"]
    assert len(results) == len(data["findings"]) + len(data["suppressed"])
    suppressed = [result for result in results if result["suppressions"]]
    assert [result["ruleId"] for result in suppressed] == ["CL001"]
    assert suppressed[0]["suppressions"][0]["justification"] == "kept for the next protocol version"


def test_the_base_line_is_told_only_where_it_is_known() -> None:
    data = sample.sample()
    states = [result.get("baselineState") for result in run(data)["results"]]
    assert states[:2] == ["new", "new"]
    assert states[5] == "unchanged"
    for finding in data["findings"]:
        del finding["new"]
    assert all("baselineState" not in result for result in run(data)["results"])


def test_what_was_not_understood_is_a_notification() -> None:
    (invocation,) = run(sample.sample())["invocations"]
    assert invocation["executionSuccessful"] is True
    assert invocation["exitCode"] == 1
    assert invocation["commandLine"] == "cllm audit trainer_model_lock --check"
    (note,) = invocation["toolExecutionNotifications"]
    assert note["message"]["text"] == "not understood: assembly, not C"
    assert "region" not in note["locations"][0]["physicalLocation"]
    assert run({**sample.sample(), "exit_code": 4})["invocations"][0]["executionSuccessful"] is False


def test_paths_are_percent_encoded() -> None:
    data = sample.sample()
    path = "src/a b#c%d:ü.c"
    data["findings"] = [{**data["findings"][0], "path": path, "notes": []}]
    (uri,) = set(uris(run(data)["results"][:1]))
    assert uri == "src/a%20b%23c%25d%3A%C3%BC.c"
    assert unquote(uri) == path
    data["findings"][0]["path"] = "/elsewhere/a b.c"
    place = run(data)["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "file:///elsewhere/a%20b.c"}


def test_an_empty_audit_is_a_run_without_results() -> None:
    found = run(sample.empty())
    assert found["results"] == []
    assert len(found["tool"]["driver"]["rules"]) == 12
    assert "commandLine" not in found["invocations"][0]


def test_another_verbs_result_is_refused() -> None:
    with pytest.raises(BadRequest, match="result of 'check'"):
        render({"schema": "cllm/1", "verb": "check"})
