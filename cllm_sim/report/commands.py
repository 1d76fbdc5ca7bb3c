"""Commands that a reader can copy: the one that made a result, and the next one.

Rules of this file: text only; a name or a schedule that the shell would take apart is quoted.
"""

from collections.abc import Mapping
from shlex import join, quote
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cllm_sim.report.shape import Comparison, Counterexample


def replay_command(example: "Counterexample") -> str:
    """The command that walks through a counterexample."""
    if not example.schedule:
        return ""
    workers = f" --workers {example.workers}" if example.workers else ""
    return f"cllm replay {quote(example.architecture)} {quote(example.schedule)}{workers}"


def command(comparison: "Comparison") -> str:
    """The command that made the result, as one would type it; nothing where it was made from Python."""
    return comparison.command if isinstance(comparison.command, str) else join(comparison.command)


def subject(data: Mapping[str, Any]) -> str:
    """The architecture as it was named on the command line: a path where the file is the user's own."""
    name = str(data.get("architecture") or "ARCH")
    command = data.get("command") or ()
    typed = [word for word in (command.split() if isinstance(command, str) else command) if word.endswith(f"{name}.py")]
    return quote(typed[0] if typed else name)


def scope_options(data: Mapping[str, Any]) -> str:
    """` --workers 3 --depth 2`, as far as it differs from what a command takes by itself."""
    scope = data.get("scope") or {}
    workers = f" --workers {scope['workers']}" if scope.get("workers") else ""
    depth = f" --depth {scope['depth']}" if (scope.get("depth") or 1) > 1 else ""
    return workers + depth
