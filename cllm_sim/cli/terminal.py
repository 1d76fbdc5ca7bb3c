"""The two streams: results on stdout, everything else on stderr; colour only where somebody looks and wants it.

Rules of this file: nothing else in the command line writes to a stream. A reader that goes away (`cllm list | head
-1`) is no error: the command ends as it would have ended. rich is imported when the first result is drawn.
"""

import io
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TextIO

import click

from cllm_sim.results import RunResult, worst

if TYPE_CHECKING:
    from rich.console import Console

    from cllm_sim.cli.progress import Progress

COLORS = ("auto", "always", "never")
PIPE_WIDTH = 120
"""Columns where nobody's window says how many there are."""


@dataclass(frozen=True, slots=True)
class Terminal:
    """How a command shows what it did."""

    format: str = "text"
    color: str = "auto"
    quiet: bool = False
    verbose: bool = False
    progress: bool = True

    def say(self, text: str) -> None:
        """Write to stdout."""
        write(sys.stdout, text)

    def hint(self, text: str) -> None:
        """Write something useful that is not the result to stderr, unless asked to be quiet."""
        if not self.quiet:
            write(sys.stderr, text)

    def draw(self, paint: "Callable[[Console], None]") -> None:
        """Let `paint` fill a rich console and write what it drew to stdout."""
        self.say(self.drawn(paint, sys.stdout))

    def show_page(self, markdown: str) -> None:
        """Show a page: laid out where somebody looks, as it is elsewhere."""
        if not self.colored(sys.stdout):
            self.say(markdown.strip())
            return
        from rich.markdown import Markdown

        self.draw(lambda console: console.print(Markdown(markdown)))

    def drawn(self, paint: "Callable[[Console], None]", stream: TextIO) -> str:
        """What `paint` draws, as text for this stream."""
        from rich.console import Console

        buffer = io.StringIO()
        colored = self.colored(stream)
        console = Console(
            file=buffer,
            force_terminal=colored,
            no_color=not colored,
            color_system=None if not colored else "auto" if self.color == "auto" else "standard",
            width=shutil.get_terminal_size((PIPE_WIDTH, 24)).columns,
            highlight=False,
            markup=False,
            emoji=False,
        )
        paint(console)
        return "\n".join(line.rstrip() for line in buffer.getvalue().rstrip("\n").split("\n"))

    def colored(self, stream: TextIO) -> bool:
        """Is colour wanted on this stream?"""
        if self.color != "auto":
            return self.color == "always"
        return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"

    def working(self) -> "Progress":
        """The progress line of this command; use it as a context manager."""
        from cllm_sim.cli.progress import Progress, kind_of

        kind = kind_of(sys.stderr) if not self.verbose else "every"
        return Progress(sys.stderr, kind if self.progress else "off")

    def finish(self, results: Sequence[RunResult], full: bool = False) -> int:
        """Show the results of a verb (`full`: all defects of a check) and return the exit code: the worst of theirs."""
        if self.format == "json":
            self.say(joined(results).to_json().rstrip("\n"))
        else:
            from cllm_sim.report.text import render

            for number, result in enumerate(results):
                if number:
                    self.say("")
                self.draw(partial(render, result, full=full))
        return worst([result.exit_code for result in results])


def joined(results: Sequence[RunResult]) -> RunResult:
    """One document for several results: the one that decides the exit code, with all of them in `results`."""
    if len(results) == 1:
        return results[0]
    code = worst([result.exit_code for result in results])
    deciding = next(result for result in results if result.exit_code == code)
    return RunResult({**deciding.data, "results": [result.data for result in results]})


def write(stream: TextIO, text: str) -> None:
    """Write a line or several; a reader that went away is no error."""
    try:
        click.echo(text, file=stream, color=True)  # whether there is colour was decided when it was drawn
        stream.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
