"""A check as JUnit XML, for continuous integration: one test case for each promise, one suite for each result.

A broken promise is a failure whose text is the counterexample. An undecided one is an error, not skipped: most readers
show a skipped test as harmless, and a promise of which nothing is known must not turn a build green.

Rules of this file: the words are those of the terminal. Characters that XML cannot hold are replaced.
"""

import io
import re
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from rich.console import Console

from cllm_sim.report.causes import causes_of, told
from cllm_sim.report.lines import depth_of, line, who_of
from cllm_sim.report.sarif_check import defects_of
from cllm_sim.report.text_defects import one, to_repair

Data = Mapping[str, Any]
WIDTH = 100
FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(results: Sequence[Data]) -> str:
    """The report of one or several check results as XML."""
    root = Element("testsuites", name="cllm check")
    for data in results:
        _suite(root, data)
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _suite(root: Element, data: Data) -> None:
    promises: Sequence[Data] = data["promises"]
    verdicts = [row["verdict"] for row in promises]
    suite = SubElement(
        root,
        "testsuite",
        name=_clean(f"{data.get('architecture')}, {who_of(data)}"),
        tests=str(len(promises)),
        failures=str(verdicts.count("broken")),
        errors=str(verdicts.count("undecided")),
        skipped="0",
        time=f"{data.get('seconds') or 0:.3f}",
    )
    properties = SubElement(suite, "properties")
    for name in ("states", "transitions", "complete", "reductions", "file_sha256"):
        SubElement(properties, "property", name=name, value=_clean(_said(data.get(name))))
    for row in promises:
        _case(suite, data, row)


def _said(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _case(suite: Element, data: Data, row: Data) -> None:
    case = SubElement(suite, "testcase", classname=_clean(str(data.get("architecture"))), name=row["name"])
    if row["verdict"] == "undecided":
        limit = data.get("limit") or "a limit was reached"
        SubElement(case, "error", type="undecided", message=_clean(f"undecided: {limit}"))
    elif row["verdict"] == "broken":
        found = defects_of(data, row["name"])
        first = told(found[0]) if found else "broken"
        failure = SubElement(case, "failure", type=str(row["class"]), message=_clean(f"{row['class']}: {first}"))
        failure.text = _clean("\n" + _story(data, found) + "\n")


def _story(data: Data, found: Sequence[Data]) -> str:
    """What to repair, and the first way to break the promise, step by step, as a terminal shows it."""
    console = Console(file=io.StringIO(), width=WIDTH, color_system=None, force_terminal=False, highlight=False)
    depth = depth_of(data)
    to_repair(console, [cause for defect in found[:1] for cause in causes_of(data, defect, depth)])
    for defect in found[:1]:
        if defect.get("counterexample"):
            one(console, defect, depth)
        else:
            line(console, told(defect))
    stream = console.file
    assert isinstance(stream, io.StringIO)
    return "\n".join(row.rstrip() for row in stream.getvalue().rstrip("\n").split("\n"))


def _clean(text: str) -> str:
    return FORBIDDEN.sub("�", text)
