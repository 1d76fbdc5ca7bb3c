"""`cllm replay`: one schedule, walked through step by step with the lines of the text.

Rules of this file: `api.replay` walks, here its steps are shown. On a terminal every step waits for Enter.
"""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from cllm_sim.cli import options
from cllm_sim.cli.exit import stdout_reserved
from cllm_sim.cli.terminal import Terminal

if TYPE_CHECKING:
    from rich.console import Console

Row = dict[str, Any]


@click.command(
    short_help="Walk through one schedule, step by step.",
    epilog="""\b
Examples:
  cllm replay node_zero 0:batch,0,0,0.0,0.1 --workers 2
  cllm check early_reduce --workers 2     its counterexamples end with such a command
""",
)
@click.argument("architecture", metavar="ARCH", type=options.ArchitectureName())
@click.argument("schedule", metavar="SCHEDULE")
@options.workers
@options.depth
@options.setting
@options.option("--pause/--no-pause", default=None, shown="on a terminal", help="Wait for Enter after every step.")
@options.plain
def command(terminal: Terminal, architecture: str, schedule: str, pause: bool | None, **given: Any) -> int:
    """Show what every step of SCHEDULE does: who moved, at which line, what changed; and who is stuck at its end.

    A schedule is 'actor[:choice],...', as 'cllm check' prints it; '-' reads it from standard input. A move that the
    text does not allow is refused with those that it does.
    """
    from cllm_sim import api

    if schedule == "-":
        schedule = sys.stdin.read()
    with stdout_reserved():
        walk = api.replay(architecture, schedule, **options.passed_on(given))
    depth: int = given["depth"] or 1
    waits = sys.stdin.isatty() and sys.stdout.isatty() if pause is None else pause
    drawn = terminal.drawn(lambda console: steps(console, walk, depth), sys.stdout)
    for number, block in enumerate(blocks(drawn) if waits else [drawn] if walk["steps"] else []):
        if number and waits:
            waits = bool(sys.stdin.readline())  # at the end of the input the rest is shown without waiting
        terminal.say(block)
    terminal.draw(lambda console: ending(console, walk, depth))
    return 0


def steps(console: "Console", walk: Row, depth: int) -> None:
    """All steps, as a counterexample shows them."""
    from cllm_sim.report import lines

    lines.steps(console, walk, depth)


def blocks(drawn: str) -> Iterator[str]:
    """The drawn steps one by one: a line that begins with a number begins a step."""
    block: list[str] = []
    for row in drawn.split("\n"):
        if block and click.unstyle(row)[:4].strip().isdecimal():
            yield "\n".join(block)
            block = []
        block.append(row)
    yield "\n".join(block)


def ending(console: "Console", walk: Row, depth: int) -> None:
    """Who waits for what at the end, or that nobody does."""
    from cllm_sim.report import lines

    if walk["stuck"]:
        lines.blank(console)
        lines.stuck(console, walk["stuck"], depth)
    else:
        lines.line(console, f"{len(walk['steps'])} steps; nobody is stuck here")
