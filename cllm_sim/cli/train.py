"""`cllm train`: a real training run, one process per actor.

Rules of this file: options in, `api.train` called, its messages shown while it runs, its result at the end.
"""

import signal
from collections.abc import Callable
from typing import Any

import click

from cllm_sim.cli import options
from cllm_sim.cli.exit import Stopped, signals_seen, stdout_reserved
from cllm_sim.cli.progress import Progress
from cllm_sim.cli.terminal import Terminal
from cllm_sim.results import ExitCode

STEPS = 100


@click.command(
    short_help="A real training run on real processes and shared memory.",
    epilog="""\b
Examples:
  cllm train node_zero --workers 12 --steps 300
  cllm train serial --slots 12 --steps 300          the same bits, by one process
  cllm train node_zero --text ./book.txt --set hidden=128 -o ./run
  cllm train node_zero --steps 600 -o ./run --resume
  cllm train node_zero --inject nan@step=5,slot=7   a fault on purpose
""",
)
@options.architecture
@options.workers
@options.depth
@options.slots
@options.steps(STEPS, "Steps, counted from the beginning of training also where it is resumed.")
@options.seed
@options.text
@options.setting
@options.option(
    "--checkpoint-every",
    type=options.NOT_NEGATIVE,
    metavar="S",
    shown="0, only at the end",
    help="Steps between checkpoints.",
)
@options.option("--resume", is_flag=True, help="Go on from the last checkpoint in DIR.")
@options.option(
    "--inject", multiple=True, metavar="FAULT", help="nan@step=5,slot=7 or kill|stall|raise@step=5,actor=0.3."
)
@options.option(
    "--hang-after",
    "hang_after_seconds",
    type=options.Duration(),
    metavar="30s|2m",
    shown="30s",
    help="A run in which nobody moves for so long is ended.",
)
@options.option(
    "--epoch-steps", type=options.NOT_NEGATIVE, metavar="S", shown="0, one epoch", help="Steps of an epoch."
)
@options.output("reports/<architecture>-train, then -2, -3")
@options.common
def command(terminal: Terminal, architecture: str, **given: Any) -> int:
    """Train a small byte-level language model with ARCH: one process per actor, weights and gradients in shared memory.

    Every process records what it did; 'cllm validate DIR' judges the record afterwards. The same slots and seed give
    the same weights, bit for bit, whatever the design and the number of processes, or the design is broken. Ctrl-C
    ends the run after the current step and keeps its checkpoint.
    """
    from cllm_sim import api
    from real_runtime.launch import Interrupted

    result, partial = None, {}
    with terminal.working() as progress, stdout_reserved(), signals_seen() as seen:
        show = shown(progress, architecture, given["steps"] or STEPS, terminal.quiet)
        try:
            result = api.train(architecture, on_message=show, **options.passed_on(given))
        except Interrupted as interrupted:
            partial = interrupted.data
    if result is None:
        raise _stopped(partial, seen)
    return terminal.finish([result])


def _stopped(data: dict[str, Any], seen: set[int]) -> Stopped:
    """What is left of an interrupted run, and how to go on with it."""
    code = ExitCode.TERMINATED if signal.SIGTERM in seen else ExitCode.INTERRUPTED
    how = "terminated" if code == ExitCode.TERMINATED else "interrupted"
    folder = data.get("output") or data["run_dir"]
    kept = f"go on with --resume -o {folder}" if data.get("checkpoints") else f"what there is lies in {folder}"
    return Stopped(code, f"{how} after step {data['steps']} of {data['asked_steps']}; {kept}")


def shown(progress: Progress, name: str, steps: int, quiet: bool) -> Callable[[dict[str, Any]], None]:
    """What to do with a message of the run."""

    def show(message: dict[str, Any]) -> None:
        event = message["event"]
        if event == "start":
            resumed = f", resumed after step {message['first_step']}" if message["first_step"] else ""
            processes, slots, parameters = message["processes"], message["slots"], message["parameters"]
            progress.stage(f"{name}: {processes} processes, {slots} slots, {parameters:,} parameters{resumed}")
        elif event == "step":
            figures = f"{message['loss_bits']:.3f} bits per byte   {message['step_ms']:.1f} ms"
            progress.show(f"{name}: step {message['step']}/{steps}   {figures}")
        elif event == "stuck" and not quiet:
            for row in message["rows"]:
                progress.tell(f"  {row}")
        elif event == "details" and not quiet:
            progress.tell(str(message["text"]).rstrip())

    return show
