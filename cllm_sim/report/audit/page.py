"""`index.html` and the eight Markdown documents of an audit, from the same chapters.

The page is one file that needs nothing else: its pictures are SVG within it. Rules of this file: it fills
`templates/page.html.j2` and writes files; what is said is made in `chapters`, how it looks stands in
`templates/page.css`. Everything is escaped by jinja2; what `inline` makes and the pictures are
marked as safe, after escaping.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from cllm_sim.errors import BadRequest
from cllm_sim.report.audit import drawing, findings, headlines, markdown
from cllm_sim.report.audit.blocks import Block, Chapter, Code, Figure, Link, Section, Words
from cllm_sim.report.audit.chapters import chapters
from cllm_sim.report.audit.shape import Audit, read_audit
from cllm_sim.report.figures.style import Picture, rendered
from cllm_sim.report.html import inlined

PAGE_FILE = "index.html"
DOCUMENTS_FOLDER = "documents"


def render(data: Mapping[str, Any]) -> str:
    """The whole page; raises BadRequest where the result is none of an audit."""
    audit = read_audit(data)
    made = chapters(audit)
    return _page(audit, made, [(one, rendered(one)[0].decode()) for one in pictures(audit, made)])


def write(data: Mapping[str, Any], folder: Path | str) -> list[str]:
    """Write the page and the documents to `folder` (made where it is missing); returns the names of the files.

    Raises BadRequest where the result is none of an audit and where the folder cannot be written.
    """
    folder = Path(folder)
    audit = read_audit(data)
    made = chapters(audit)
    drawn = [(one, rendered(one)[0]) for one in pictures(audit, made)]
    contents = {f"{DOCUMENTS_FOLDER}/{one.name}.svg": svg for one, svg in drawn}
    for chapter in made:
        text = markdown.document(audit, chapter, {one.id: one for one in made})
        contents[f"{DOCUMENTS_FOLDER}/{chapter.file}"] = text.encode()
    contents[PAGE_FILE] = _page(audit, made, [(one, svg.decode()) for one, svg in drawn]).encode()
    for name, content in contents.items():
        _write(folder / name, content)
    return list(contents)


def _write(target: Path, content: bytes) -> None:
    """A file that is whole or not there."""
    partial = target.with_name(f".{target.name}.partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(content)
        partial.replace(target)
    except OSError as error:
        raise BadRequest(f"{target}: cannot be written: {error.strerror}") from None


# -------------------------------------------------------------------------------------------------------------- page
def _page(audit: Audit, made: Sequence[Chapter], drawn: Sequence[tuple[Picture, str]]) -> str:
    environment = Environment(
        loader=PackageLoader("cllm_sim.report.audit", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
    )
    return environment.get_template("page.html.j2").render(
        title=headlines.title(audit),
        headline=headlines.verdict(audit),
        key_figures=headlines.key_figures(audit),
        chapters=made,
        links={chapter.id: [findings.link(audit, number) for number in chapter.findings] for chapter in made},
        pictures={one.name: inlined(one.name, one.title, svg) for one, svg in drawn},
        settings=headlines.settings(audit),
        command=headlines.command(audit),
        inline=inline,
        kind_of=lambda block: type(block).__name__,
    )


def pictures(audit: Audit, made: Sequence[Chapter]) -> list[Picture]:
    """The pictures that the chapters have places for."""
    return [drawing.picture(audit, figure) for chapter in made for figure in _figures(chapter.blocks)]


def _figures(blocks: Sequence[Block]) -> list[Figure]:
    found: list[Figure] = []
    for block in blocks:
        if isinstance(block, Figure):
            found.append(block)
        elif isinstance(block, Section):
            found += _figures(block.blocks)
    return found


def inline(words: Words) -> Markup:
    """A sentence as HTML."""
    return Markup("").join(_piece(piece) for piece in words)


def _piece(piece: str | Code | Link) -> Markup:
    if isinstance(piece, Link):
        return Markup('<a href="#{}">{}</a>').format(piece.anchor, piece.text)
    if isinstance(piece, Code):
        return Markup("<code>{}</code>").format(str(piece))
    return Markup.escape(piece)
