"""`cllm replay`: one schedule, walked through step by step with the lines of the text.

Rules of this file: `api.replay` walks, here its steps are shown. On a terminal every step waits for Enter.
"""

import sys
from pathlib import Path
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
    waits = sys.stdin.isatty() and sys.stdout.isatty() if pause is None else pause
    steps = walk["steps"]
    for number, row in enumerate(steps, 1):
        terminal.draw(lambda console, row=row, number=number: step(console, number, row))  # type: ignore[misc]
        if waits and number < len(steps):
            waits = _enter()
    terminal.draw(lambda console: ending(console, walk))
    return 0


def _enter() -> bool:
    """Wait for Enter; at the end of the input the rest is shown without waiting."""
    return bool(sys.stdin.readline())


def step(console: "Console", number: int, row: Row) -> None:
    """One step: number, actor, place, operation, and below it what changed and what it broke."""
    from rich.text import Text

    place = f"{Path(row['path']).name}:{row['line']}"
    console.print(Text(f"{number:>4}  {row['actor']:<9} {place:<24} {row['op']}"), soft_wrap=True)
    for change in row["changes"]:
        console.print(Text(f"{'':<16}{change}", style="dim"), soft_wrap=True)
    for fault in row["faults"]:
        console.print(Text(f"{'':<16}{fault['class'].upper()}: {fault['text']}", style="bold red"), soft_wrap=True)


def ending(console: "Console", walk: Row) -> None:
    """Who waits for what at the end, or that the walk can go on."""
    from rich.text import Text

    for row in walk["stuck"]:
        place = f"{Path(row['path']).name}:{row['line']}"
        console.print(
            Text(f"stuck {row['actor']:<9} {place:<24} waits for {row['needs']}", style="red"), soft_wrap=True
        )
    if not walk["stuck"]:
        console.print(f"{len(walk['steps'])} steps; nobody is stuck here", soft_wrap=True)
