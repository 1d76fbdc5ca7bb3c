"""`cllm list`: the shipped architectures by name, with the first line of each file.

Rules of this file: what a file says about itself is shown, nothing else is known about it.
"""

from typing import TYPE_CHECKING

import click

from cllm_sim.cli import options
from cllm_sim.cli.exit import stdout_reserved
from cllm_sim.cli.terminal import Terminal

if TYPE_CHECKING:
    from rich.console import Console

    from cllm_sim.architecture import Loaded


@click.command(short_help="The shipped architectures.")
@options.plain
def command(terminal: Terminal) -> int:
    """Show the shipped architectures, the first line of each, and which of them are broken on purpose.

    Each of them is a short file to read and to copy from; -v shows where it lies.
    """
    from cllm_sim.library import load, shipped

    with stdout_reserved():
        found = [load(name) for name in shipped()]
    terminal.draw(lambda console: draw(console, found, with_path=terminal.verbose))
    terminal.hint("check one: cllm check NAME --workers 3")
    return 0


def draw(console: "Console", found: "list[Loaded]", with_path: bool) -> None:
    """The sound ones, then the broken ones."""
    from rich.text import Text

    width = max(len(loaded.name) for loaded in found)
    for loaded in sorted(found, key=lambda loaded: (loaded.broken, loaded.name)):
        mark = "BROKEN" if loaded.broken else ""
        title = loaded.title.removeprefix("BROKEN").removeprefix(":").strip()
        row = Text.assemble((f"{loaded.name:{width}}", "bold"), "  ", (f"{mark:6}", "red"), "  ", title)
        console.print(row, soft_wrap=True)
        if with_path:
            console.print(Text(f"{'':{width}}  {'':6}  {loaded.path}", style="dim"), soft_wrap=True)
