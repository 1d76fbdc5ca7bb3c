"""The written report: complete, self-contained, the same bytes again, and readable on a telephone."""

import json
import re
import shutil
import subprocess
from html import escape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from cllm_sim.errors import BadRequest
from cllm_sim.report import figure_names, write_graphs, write_report
from cllm_sim.report.html import inlined, settings
from cllm_sim.report.shape import read_comparison
from cllm_sim.results import RunResult, read_result

from tests.report import sample

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
QUIET = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-breakpad --disable-crash-reporter --disable-dev-shm-usage"
).split()
PHONE = 390
VOID = {"meta", "br", "img", "link", "input", "hr", "path", "use", "rect", "circle"}


class Outline(HTMLParser):
    """Ids, references and nesting of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.references: list[str] = []
        self.tags: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in ("src", "href", "xlink:href", "action", "data", "poster", "srcset"):
                self.references.append(value or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


def outline(page: str) -> Outline:
    parser = Outline()
    parser.feed(page)
    parser.close()
    return parser


def page_of(report: Path) -> str:
    return (report / "index.html").read_text(encoding="utf-8")


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


# ---------------------------------------------------------------------------------------------------------------- files
def test_all_files_are_there(report: Path) -> None:
    names = figure_names(RunResult(sample.demo()))
    assert set(files(report)) == {"result.json", "timeline.json", "index.html", *names}
    assert {Path(name).suffix for name in names} == {".svg", ".png"}
    assert read_result(report / "result.json").data["figures"] == names
    assert all((report / name).stat().st_size > 1000 for name in names)


def test_made_again_from_the_file_it_has_the_same_bytes(report: Path, tmp_path: Path) -> None:
    shutil.copy(report / "result.json", tmp_path)
    written = write_report(read_result(tmp_path / "result.json"), tmp_path)
    assert "result.json" not in written
    assert files(tmp_path) == files(report)


def test_a_result_that_is_there_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text("mine", encoding="utf-8")
    write_report(RunResult(sample.checked_only()), tmp_path)
    assert (tmp_path / "result.json").read_text(encoding="utf-8") == "mine"


def test_only_a_comparison_or_a_check_has_a_report(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="result of 'train'"):
        write_report(RunResult({"schema": "cllm/1", "verb": "train"}), tmp_path)
    with pytest.raises(BadRequest, match="result of 'check' has another shape"):
        write_report(RunResult({"schema": "cllm/1", "verb": "check"}), tmp_path)
    assert files(tmp_path) == {}


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "figures").write_text("a file in the way", encoding="utf-8")
    with pytest.raises(BadRequest, match=r"figures.*cannot be written"):
        write_report(RunResult(sample.checked_only()), tmp_path)


def test_a_field_of_another_shape_is_named() -> None:
    data = sample.checked_only()
    data["rows"][1]["workers"] = "many"
    with pytest.raises(BadRequest, match=r"rows\[1\]\.workers"):
        read_comparison(data)


def test_an_event_of_nobody_is_refused() -> None:
    line = {"architecture": "a", "kind": "real", "actors": ["0"], "events": [[1, "fold", 0, 1]]}
    with pytest.raises(BadRequest, match="beyond the 1 listed"):
        read_comparison({"timelines": [line]})


def test_the_picture_of_a_deadlock(tmp_path: Path) -> None:
    stuck = [
        {"actor": "0", "waits_for": "0/batch", "needs": "2 parties, 1 have arrived (0)", "path": "a.py", "line": 7}
    ]
    result = {
        "verb": "simulate",
        "architecture": "a",
        "scope": {"workers": 1},
        "deadlock": {"stuck": stuck, "edges": []},
    }
    assert write_graphs(RunResult(result), tmp_path) == ["wait-for-a.svg", "wait-for-a.png"]
    assert write_graphs(RunResult({**result, "deadlock": {"stuck": [], "edges": []}}), tmp_path / "none") == []


# ----------------------------------------------------------------------------------------------------------------- page
def test_the_page_refers_to_nothing_outside(report: Path) -> None:
    page = page_of(report)
    found = outline(page)
    assert re.findall(r"https?://|//www\.|@import", page) == []
    assert [value for value in found.references if not value.startswith("#")] == []
    assert re.findall(r"url\((?!#)[^)]*\)", page) == []
    assert {"script", "link", "iframe", "object", "img"} & set(found.tags) == set()


def test_ids_are_unique_and_references_lead_somewhere(report: Path) -> None:
    page = page_of(report)
    found = outline(page)
    assert len(found.ids) == len(set(found.ids))
    assert {value.removeprefix("#") for value in found.references} <= set(found.ids)
    assert set(re.findall(r"url\(#([^)]+)\)", page)) <= set(found.ids)
    assert found.open == []


def test_the_page_says_what_has_to_be_said_from_top_to_bottom(report: Path) -> None:
    page = page_of(report)
    result = sample.demo()
    digests = [digest[:10] for digest in result["rows"][1]["digests"]]
    parts = [
        'class="headline"',
        "as marked: race and stale-read",
        f"3 digests in 3 runs ({', '.join(digests)}); steps with NaN or Inf: 4, 0 and 9",
        "one digest in all 9 runs",
        "bigram entropy is 3.52",
        "Is the difference real?",
        "2.03x slower",
        "Timeline of model_lock",
        "Where each actor",
        "Lock contention",
        "What is broken, step by step",
        "cllm replay unguarded 0:batch,0,0,0,0,0,0,0,0.0,0.0,0.1,0.1 --workers 2",
        "How this was made",
        "cllm compare serial unguarded model_lock node_zero --workers 12 --repeats 3",
        "<dt>seed</dt><dd>1</dd>",
        "<dt>python</dt><dd>3.11.7</dd>",
    ]
    place = 0
    for part in parts:
        place = page.find(part, place)
        assert place >= 0, f"{part} is missing, or stands too far up"


def test_every_figure_stands_on_the_page(report: Path) -> None:
    page = page_of(report)
    assert page.count("<figure id=") == page.count('role="img"') == len(figure_names(RunResult(sample.demo()))) // 2


def test_names_are_escaped(tmp_path: Path) -> None:
    data = sample.checked_only()
    for row in data["rows"]:
        row["architecture"] = "<script>alert(1)</script>"
    data["counterexamples"][0]["text"] = "a < b & c"
    write_report(RunResult(data), tmp_path)
    page = page_of(tmp_path)
    assert "<script" not in page
    assert "a &lt; b &amp; c" in page


def test_what_is_missing_is_said_on_the_page(tmp_path: Path) -> None:
    write_report(RunResult(sample.checked_only()), tmp_path)
    page = page_of(tmp_path)
    assert "Not shown:" in page
    assert "control tree: no waiting was measured" in page
    assert json.loads((tmp_path / "timeline.json").read_text(encoding="utf-8"))["traceEvents"] == []


def test_an_svg_gets_ids_of_its_own() -> None:
    svg = '<svg xmlns="http://x" viewBox="0 0 1 1"><!-- t --><g id="a"/><use xlink:href="#a"/></svg>'
    assert inlined("f", 'A "b"', f'<?xml version="1.0"?>\n{svg}') == (
        '<svg viewBox="0 0 1 1" role="img" aria-label="A &#34;b&#34;"><g id="f-a"/><use xlink:href="#f-a"/></svg>'
    )


def test_settings_leave_out_what_is_not_known() -> None:
    known = settings(read_comparison({"seed": 0, "scope": {"depth": 1}, "text": {"name": "corpus", "bytes": 9}}))
    assert known == [("depth", "1"), ("seed", "0"), ("text", "name corpus, bytes 9")]


# ------------------------------------------------------------------------------------------------------------ telephone
@pytest.mark.processes
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
@pytest.mark.parametrize("width", [PHONE, 1100])
def test_the_page_does_not_scroll_sideways(report: Path, tmp_path: Path, width: int) -> None:
    assert CHROMIUM is not None
    opened = page_of(report).replace("<details>", "<details open>")
    frame = f'<iframe id="page" style="width:{width}px;height:3000px;border:0" srcdoc="{escape(opened)}"></iframe>'
    measure = (
        "<script>const page = document.getElementById('page'); page.onload = () => { const inside = page.contentWindow;"
        "document.title = `${inside.innerWidth} ${inside.document.documentElement.scrollWidth}` }</script>"
    )
    (tmp_path / "measured.html").write_text(f"<!DOCTYPE html><title>not yet</title>{frame}{measure}", encoding="utf-8")
    command = [CHROMIUM, *QUIET, f"--user-data-dir={tmp_path / 'profile'}", "--window-size=1300,3000", "--dump-dom"]
    done = subprocess.run(
        [*command, f"file://{tmp_path / 'measured.html'}"], capture_output=True, text=True, timeout=120, check=True
    )
    title = re.search(r"<title>(\d+) (\d+)</title>", done.stdout)
    assert title is not None
    assert int(title[1]) == width
    assert int(title[2]) <= width
