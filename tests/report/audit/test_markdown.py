"""The Markdown documents: the same words as the page, links that lead somewhere, nothing that becomes markup."""

import re
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from cllm_sim.report.audit import markdown, page

from tests.report.audit import hostile, sample


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("audit")
    page.write(sample.sample(), folder)
    return read(folder)


def read(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in sorted((folder / "documents").glob("*.md"))}


def drawn(text: str) -> str:
    """The document as GitHub's Markdown would draw it, markup in it included."""
    return MarkdownIt("commonmark", {"html": True}).enable("table").render(text)


def test_each_document_has_its_title_and_its_answer(documents: dict[str, str]) -> None:
    assert [name[:1] for name in documents] == list("12345678")
    for number, text in enumerate(documents.values(), 1):
        lines = text.splitlines()
        assert lines[0].startswith(f"# {number}. ")
        assert lines[2] == r"Audit of trainer\_model\_lock"
        assert lines[4].startswith("**")
        assert lines[4].endswith("**")


def test_the_documents_say_what_the_page_says(documents: dict[str, str]) -> None:
    whole = re.sub(r"<[^>]+>", "", page.render(sample.sample()).replace("<br>", " "))
    for words in (
        "looked for: a call of isnan, isinf or isfinite, or a norm, between backward and the update",
        "Nothing was found where it accumulates the results.",
        "What to do: give each worker a gradient segment of its own and wait at a barrier instead",
    ):
        assert words in " ".join(whole.split())
        assert any(words in text for text in documents.values())


def test_tables_have_one_width(documents: dict[str, str]) -> None:
    for text in documents.values():
        for table in re.findall(r"(?:^\|.*\n?)+", text, re.MULTILINE):
            assert len({len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}) == 1


def test_links_lead_to_a_place_in_a_document(documents: dict[str, str]) -> None:
    found = [link for text in documents.values() for link in re.findall(r"\]\(([^)#]*)#([^)]+)\)", text)]
    assert len(found) > 10
    assert [link for link in found if f'<a id="{link[1]}"></a>' not in documents[link[0]]] == []
    assert "](thread-roles.svg)" in documents["1-architecture-analysis.md"]


def test_a_finding_stands_there_with_its_mark(documents: dict[str, str]) -> None:
    assert (
        "`src/trainer.c:188` caller set here\n\n```c\ntrainer->running = 0;\n         ^^^^^^^\n```\n"
        in documents["5-gap-analysis.md"]
    )


def test_strangers_cannot_write_markup(tmp_path: Path) -> None:
    page.write(hostile.hostile(), tmp_path)
    for name, text in read(tmp_path).items():
        html = drawn(text)
        assert "<script" not in html, name
        assert 'href="y"' not in html, name
        assert "&lt;script&gt;" in html, name
        assert set(re.findall(r"<h1>(\d)\.", html)) == {name[:1]}


@pytest.mark.parametrize("text", ["a`b", "``", "`", "x", "a ``` b", "", "a|b"])
def test_code_comes_back_as_it_was(text: str) -> None:
    html = drawn(f"x {markdown.code(text)} y")
    shown = re.search(r"<code>(.*?)</code>", html)
    assert shown is not None or text == ""
    assert shown is None or shown[1].strip() == text


def test_a_fence_is_longer_than_any_within() -> None:
    assert markdown.fenced("```\nx\n````\n", "c") == "`````c\n```\nx\n````\n`````"
