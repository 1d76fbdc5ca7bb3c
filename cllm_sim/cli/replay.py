"""`cllm replay`: one schedule, walked through step by step with the lines of the text, or driven by the simulator.

Rules of this file: the checker walks, the simulator times, reports draw; here is chosen what is shown and when.
"""

import json
import sys
from typing import Any

import click

from cllm_sim.cli import options, stepping
from cllm_sim.cli.exit import stdout_reserved
from cllm_sim.cli.terminal import Terminal

Row = dict[str, Any]


@click.command(
    short_help="Walk through one schedule, step by step.",
    epilog="""\b
Examples:
  cllm replay node_zero 0:batch,0,0,0.0,0.1 --workers 2
  cllm replay node_zero 0:batch,0,0,0.0,0.1 --workers 2 --timeline
  cllm check early_reduce --workers 2     its counterexamples end with such a command

\b
On a terminal every step waits for a key: Enter or space goes on, b goes back, a number and Enter jumps there, q quits.
""",
)
@click.argument("architecture", metavar="ARCH", type=options.ArchitectureName())
@click.argument("schedule", metavar="SCHEDULE")
@options.workers
@options.depth
@options.setting
@options.option("--pause/--no-pause", default=None, shown="on a terminal", help="Wait for a key after every step.")
@options.option("--timeline", is_flag=True, help="Let the simulator drive the same schedule, and show its times.")
@options.costs
@options.output("none, nothing is written")
@options.common
def command(terminal: Terminal, architecture: str, schedule: str, pause: bool | None, **given: Any) -> int:
    """Show what every step of SCHEDULE does: who moved, at which line, what changed; and who is stuck at its end.

    A schedule is 'actor[:choice],...', as 'cllm check' prints it; '-' reads it from standard input. A move that the
    text does not allow is refused with those that it does. With --timeline the simulator performs exactly these steps
    with the durations of a cost model, and must end in the same state; -o then leaves timeline.json (for Perfetto) and
    a picture.
    """
    from cllm_sim import api

    if schedule == "-":
        schedule = sys.stdin.read()
    with stdout_reserved():
        walk = api.replay(architecture, schedule, notify=terminal.hint, **options.passed_on(given))
    depth: int = walk["scope"]["depth"]
    if terminal.format == "json":
        terminal.say(json.dumps(walk, indent=2, ensure_ascii=False))
    elif "timing" in walk:
        terminal.draw(lambda console: _report().timeline(console, walk, depth))
    elif stepping.wanted() if pause is None else pause:
        _step_by_step(terminal, walk)
    else:
        terminal.draw(lambda console: _report().listing(console, walk, depth))
    return 0


def _report() -> Any:
    from cllm_sim.report import text_replay

    return text_replay


def _step_by_step(terminal: Terminal, walk: Row) -> None:
    """Show a step, wait for a key, go where it says."""
    depth, total = walk["scope"]["depth"], len(walk["steps"])

    shown = [0]

    def show(number: int) -> None:
        shown.append(number)
        terminal.draw(lambda console: _report().one_step(console, walk, number, depth))

    def rest(first: int) -> None:
        for number in range(first, total + 1):
            show(number)

    terminal.hint(f"{total} steps: {stepping.HELP}")
    for number in stepping.visits(total, stepping.keys(), rest):
        show(number)
    if shown[-1] == total:
        terminal.draw(lambda console: _report().finish(console, walk, depth))
