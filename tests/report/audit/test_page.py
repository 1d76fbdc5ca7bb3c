"""The page of an audit: complete, self-contained, escaped, the same bytes again, readable on telephone and paper."""

import re
import shutil
import subprocess
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from cllm_sim.errors import BadRequest
from cllm_sim.report.audit.page import render, write

from tests.report.audit import hostile, sample

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
PDF_TEXT = shutil.which("pdftotext")
QUIET = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-breakpad --disable-crash-reporter --disable-dev-shm-usage"
).split()
PHONE = 390
VOID = {"meta", "br", "img", "link", "input", "hr", "path", "use", "rect", "circle"}
CHAPTERS = (
    "architecture-analysis", "barrier-usage", "control-thread", "shared-memory", "gap-analysis", "implementation-plan",
    "code-changes", "test-results",
)  # fmt: skip


class Outline(HTMLParser):
    """Tags, ids, references and text of a page; nesting is checked on the way."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.references: list[str] = []
        self.tags: list[str] = []
        self.open: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.references += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href", "action")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text.append(data)


def outline(page: str) -> Outline:
    parser = Outline()
    parser.feed(page)
    parser.close()
    assert parser.open == []
    return parser


def text_of(page: str) -> str:
    return " ".join(" ".join(outline(page).text).split())


@pytest.fixture(scope="module")
def page() -> str:
    return render(sample.sample())


# -------------------------------------------------------------------------------------------------------------- words
def test_title_verdict_figures_and_contents_come_first(page: str) -> None:
    parts = [
        "<title>Audit of trainer_model_lock</title>",
        'class="headline">12 workers and a control thread that is only parked',
        '<span class="value bad">4</span> <span class="label">errors</span>',
        '<span class="value">2 of 11</span> <span class="label">requirements met</span>',
        '<span class="value bad">0 of 2</span> <span class="label">barriers waited on</span>',
        *[f'<a href="#{name}">' for name in CHAPTERS],
        *[f'class="chapter" id="{name}"' for name in CHAPTERS],
        "How this was made",
        "cllm audit trainer_model_lock --check",
    ]
    places = [page.find(part) for part in parts]
    assert -1 not in places
    assert places == sorted(places)
    assert 3 <= page.count('<span class="value') <= 5


def test_each_document_says_its_part(page: str) -> None:
    told = dict(zip(CHAPTERS, page.split('<section class="chapter"')[1:], strict=True))
    text = {name: text_of(f"<section{part}") if name != CHAPTERS[-1] else part for name, part in told.items()}
    assert "worker (num_threads of them, entering worker_thread ): it reaches batch processing" in text[CHAPTERS[0]]
    assert "--bind work=FUNC" in text[CHAPTERS[0]]
    assert "assembly, not C" in text[CHAPTERS[0]]
    assert "2 barriers are declared, none is waited on" in text[CHAPTERS[1]]
    assert "None in 7 files (1,240 lines): looked for declarations" in text[CHAPTERS[1]]
    assert "It does not compute: no path from its entry function" in text[CHAPTERS[2]]
    assert "Nothing was found where it distributes the batches." in text[CHAPTERS[2]]
    assert "caller (caller) distributes the batches and accumulates" in text[CHAPTERS[2]]
    assert "only constructed" in text[CHAPTERS[3]]
    assert "written by worker (src/pool.c:77); never read" in text[CHAPTERS[3]]
    assert "looked for: a call of isnan" in text[CHAPTERS[4]]
    assert "kept for the next protocol version" in text[CHAPTERS[4]]
    assert "Comes here because: the barrier has to stand" in text[CHAPTERS[5]]
    assert "pthread_barrier_wait(&trainer->batch_barrier)" in text[CHAPTERS[6]]
    assert "2 sketches of changes" in text[CHAPTERS[6]]
    assert "no way back" in told[CHAPTERS[7]]
    assert "2.03x faster" in told[CHAPTERS[7]]


def test_evidence_is_folded_under_its_claim_with_its_source_line(page: str) -> None:
    claim = page[page.index("<code>Trainer.batch_barrier</code>: count num_threads + 1") :]
    claim = claim[: claim.index("</details>")]
    assert '<details class="evidence">' in claim
    assert "<summary>2 places</summary>" in claim
    assert '<code class="place">src/trainer.c:84</code> initialised for num_threads + 1' in claim
    assert "pthread_barrier_init(&amp;trainer-&gt;batch_barrier, NULL, trainer-&gt;num_threads + 1);</code>" in claim
    assert "<details open" not in page


def test_a_finding_shows_both_sides_with_their_marks(page: str) -> None:
    found = page[page.index('id="finding-4"') : page.index('id="finding-5"')]
    assert "<pre>while (trainer-&gt;<mark>running</mark>) {</pre>" in found
    assert "control gets there by way of control_thread src/trainer.c:95" in found
    assert '<code class="place">src/trainer.c:188</code> <b>caller</b> set here' in found
    assert "cllm explain CR002" in found


def test_both_graphs_are_drawn_and_told_in_words(page: str) -> None:
    assert page.count('role="img"') == 2
    assert "the 9 arrows in words" in page
    assert "<code>Worker.wake</code> → <code>worker computes</code>: releases" in page


def test_the_page_refers_to_nothing_outside_and_to_nothing_missing(page: str) -> None:
    found = outline(page)
    assert re.findall(r"https?://|//www\.|@import", page) == []
    assert re.findall(r"url\((?!#)[^)]*\)", page) == []
    assert {"script", "link", "iframe", "object", "img"} & set(found.tags) == set()
    assert len(found.ids) == len(set(found.ids))
    assert {value.removeprefix("#") for value in found.references} <= set(found.ids)
    assert set(re.findall(r"url\(#([^)]+)\)", page)) <= set(found.ids)


def test_the_same_result_gives_the_same_bytes(page: str) -> None:
    assert render(sample.sample()) == page


# -------------------------------------------------------------------------------------------------------------- edges
def test_an_empty_audit_says_what_was_looked_for() -> None:
    page = render(sample.empty())
    text = text_of(page)
    assert "No finding in 1 file (3 lines); no thread is started." in text
    assert text.count("None in 1 file (3 lines): looked for") == 7
    assert "No order between threads was found" in text
    assert "12 rules looked at every object and role in 1 file (3 lines) and found nothing." in text
    assert "The protocol of the plan was neither checked nor run in this audit." in text
    assert "<svg" not in page
    assert "waited on</span>" not in page


def test_strangers_cannot_write_markup() -> None:
    page = render(hostile.hostile())
    found = outline(page)
    assert {"script", "img", "iframe", "object"} & set(found.tags) == set()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "{{7*7}}" in page
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert all(value.startswith("#") for value in found.references)


def test_without_source_lines_places_still_stand() -> None:
    page = render({**sample.sample(), "sources": {}})
    assert '<code class="place">src/trainer.c:84</code> initialised for num_threads + 1' in page
    assert '<code class="line"></code>' not in page


# -------------------------------------------------------------------------------------------------------------- files
def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def test_page_and_documents_are_written_whole(page: str, tmp_path: Path) -> None:
    written = write(sample.sample(), tmp_path)
    assert set(files(tmp_path)) == set(written)
    assert {f"documents/{number}-{name}.md" for number, name in enumerate(CHAPTERS, 1)} < set(written)
    assert (tmp_path / "index.html").read_text(encoding="utf-8") == page
    first = files(tmp_path)
    write(sample.sample(), tmp_path)
    assert files(tmp_path) == first


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "documents").write_text("a file in the way", encoding="utf-8")
    with pytest.raises(BadRequest, match=r"documents.*cannot be written"):
        write(sample.empty(), tmp_path)


def test_another_verbs_result_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="result of 'check'"):
        write({"schema": "cllm/1", "verb": "check"}, tmp_path)
    assert files(tmp_path) == {}


# -------------------------------------------------------------------------------------------------- telephone and paper
def chromium(tmp_path: Path, *arguments: str) -> str:
    assert CHROMIUM is not None
    command = [CHROMIUM, *QUIET, f"--user-data-dir={tmp_path / 'profile'}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=240, check=True).stdout


def long_names() -> dict[str, Any]:
    """The audit with names and lines that have no place to be broken."""
    data = sample.sample()
    name = "a_name_without_an_end" * 12
    data["inventory"]["barriers"][0]["name"] = name
    data["findings"][0].update(message=name, subject=name, source=f"{name} = {name};")
    data["requirements"][0]["evidence"][0]["text"] = name
    data["plan"][0].update(title=name, patch=f"+{name}")
    data["graphs"]["roles"]["nodes"][0]["label"] = name
    return data


@pytest.mark.processes
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
@pytest.mark.parametrize("width", [PHONE, 1280])
@pytest.mark.parametrize("make", [sample.sample, long_names, hostile.hostile])
def test_the_page_does_not_scroll_sideways(make: Any, width: int, tmp_path: Path) -> None:
    opened = render(make()).replace("<details", "<details open")
    frame = f'<iframe id="page" style="width:{width}px;height:3000px;border:0" srcdoc="{escape(opened)}"></iframe>'
    measure = (
        "<script>const page = document.getElementById('page'); page.onload = () => { const inside = page.contentWindow;"
        "document.title = `${inside.innerWidth} ${inside.document.documentElement.scrollWidth}` }</script>"
    )
    (tmp_path / "measured.html").write_text(f"<!DOCTYPE html><title>not yet</title>{frame}{measure}", encoding="utf-8")
    done = chromium(tmp_path, "--window-size=1500,3000", "--dump-dom", f"file://{tmp_path / 'measured.html'}")
    title = re.search(r"<title>(\d+) (\d+)</title>", done)
    assert title is not None
    assert int(title[1]) == width
    assert int(title[2]) <= width


@pytest.mark.processes
@pytest.mark.skipif(CHROMIUM is None or PDF_TEXT is None, reason="no chromium or no pdftotext on this machine")
def test_what_is_folded_is_printed(tmp_path: Path) -> None:
    assert PDF_TEXT is not None
    write(sample.sample(), tmp_path)
    paper = tmp_path / "page.pdf"
    chromium(tmp_path, "--no-pdf-header-footer", f"--print-to-pdf={paper}", f"file://{tmp_path / 'index.html'}")
    done = subprocess.run(
        [PDF_TEXT, "-layout", str(paper), "-"], capture_output=True, text=True, timeout=60, check=True
    )
    text = " ".join(done.stdout.split())
    assert "pthread_barrier_init(&trainer->epoch_barrier, NULL, trainer->num_threads + 1);" in text
    assert "forward and backward are one step without a result" in text
    assert "yield me.wake.wait()" in text
