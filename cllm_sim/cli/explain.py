"""`cllm explain`: what a class of defect, a promise or an exit code means, and what to do about it.

Rules of this file: the pages stand in `cllm_sim/explain`; here they are found and shown.
"""

import difflib
from typing import TYPE_CHECKING

import click

from cllm_sim.cli import options
from cllm_sim.cli.terminal import Terminal
from cllm_sim.errors import BadRequest

if TYPE_CHECKING:
    from cllm_sim.explain import Page


def complete(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    """Codes that begin like this; a shell takes each as one word."""
    from cllm_sim.explain import pages

    return [code for page in pages() for code in page.codes if code.startswith(incomplete) and " " not in code]


@click.command(
    short_help="What a class of defect, a promise or an exit code means.",
    epilog="""\b
Examples:
  cllm explain race
  cllm explain no deadlock
  cllm explain 3
""",
)
@click.argument("code", metavar="[CODE]", nargs=-1, shell_complete=complete)
@options.plain
def command(terminal: Terminal, code: tuple[str, ...]) -> int:
    """Explain CODE: a class of defect (race), a promise (no race) or an exit code (3). Without CODE, list all."""
    from cllm_sim.explain import pages

    known = pages()
    if not code:
        terminal.say(listed(known))
        return 0
    asked = " ".join(code)
    page = next((page for page in known if asked.lower() in map(str.lower, page.codes)), None)
    if page is None:
        names = [name for page in known for name in page.codes]
        near = difflib.get_close_matches(asked if asked.isupper() else asked.lower(), names, n=1)
        hint = f"Did you mean '{near[0]}'?" if near else "'cllm explain' lists all."
        raise BadRequest(f"nothing called '{asked}' is explained. {hint}")
    terminal.show_page(page.text)
    return 0


def listed(known: "list[Page]") -> str:
    """All codes by kind, each with the first line of its page."""
    width = max(len(page.codes[0]) for page in known)
    parts = []
    for kind in dict.fromkeys(page.kind for page in known):
        rows = [f"  {page.codes[0]:{width}}  {page.title}" for page in known if page.kind == kind]
        parts.append("\n".join([f"{kind}:", *rows]))
    return "\n\n".join(parts)
