"""How a command ends: every result, error and signal becomes an exit code of `results.ExitCode` and at most one line.

Rules of this file: the class of an error decides the code (see `errors.py`, the two are kept in step); a message is one
line on stderr that begins with `cllm: `, and stdout stays empty. Only a defect of ours ever shows a traceback, and only
with `-v`.
"""

import os
import signal
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass

import click

from cllm_sim.errors import BadRequest, SubjectFailed
from cllm_sim.results import ExitCode


@dataclass
class Session:
    """What the end of a command has to know about its beginning; a verb's common options fill it in."""

    verbose: bool = False
    exit_zero: bool = False


class Terminated(KeyboardInterrupt):
    """SIGTERM: cleaned up after like Ctrl-C, and told apart by its exit code."""


class Stopped(Exception):
    """The user ended the command; the message says what is left of it."""

    def __init__(self, code: ExitCode, message: str = "") -> None:
        super().__init__(message or ("terminated" if code == ExitCode.TERMINATED else "interrupted"))
        self.code = code


def ends_when_terminated() -> None:
    """From now on SIGTERM raises `Terminated` in the main thread."""

    def terminate(*_: object) -> None:
        raise Terminated

    signal.signal(signal.SIGTERM, terminate)


def run(arguments: Sequence[str]) -> int:
    """Run a command line and return its exit code; never raises."""
    from cllm_sim.cli.verbs import commands

    session = Session()
    try:
        code = int(commands.main(list(arguments), "cllm", standalone_mode=False, obj=session) or 0)
    except click.ClickException as error:
        code = _told(ExitCode.REQUEST, _usage(error))
    except BadRequest as error:
        code = _told(ExitCode.REQUEST, str(error))
    except SubjectFailed as error:
        code = _told(ExitCode.SUBJECT, str(error))
    except Stopped as stopped:
        code = _told(stopped.code, str(stopped))
    except (click.Abort, KeyboardInterrupt):
        code = _told(ExitCode.INTERRUPTED, "interrupted")
    except Exception as error:
        code = _internal(error, session.verbose)
    return 0 if session.exit_zero and code in (ExitCode.SUBJECT, ExitCode.UNDECIDED) else code


def _told(code: ExitCode, message: str) -> int:
    """Say why, on one line whatever the message looks like."""
    click.echo(f"cllm: {' '.join(message.split())}", err=True)
    return int(code)


def _usage(error: click.ClickException) -> str:
    """Click's message, with the place where the right usage stands."""
    message = error.format_message()
    context = getattr(error, "ctx", None)
    return f"{message} (see '{context.command_path} --help')" if context is not None else message


def _internal(error: Exception, verbose: bool) -> int:
    if verbose:
        click.echo("".join(traceback.format_exception(error)).rstrip(), err=True)
    hint = "please report it with the traceback above" if verbose else "-v shows the traceback, please report it"
    return _told(ExitCode.INTERNAL, f"internal error, a defect of cllm-sim ({hint}): {type(error).__name__}: {error}")


@contextmanager
def interruptible() -> Iterator[None]:
    """Ctrl-C and SIGTERM end the command with one line, before click answers them with a blank one."""
    try:
        yield
    except KeyboardInterrupt as stop:
        code = ExitCode.TERMINATED if isinstance(stop, Terminated) else ExitCode.INTERRUPTED
        raise Stopped(code) from None


@contextmanager
def stdout_reserved() -> Iterator[None]:
    """While a verb works, whatever a user's file or a child process prints goes to stderr: stdout is for the result.

    The descriptor itself is exchanged, because a process of a training run inherits it. A file that ends the
    interpreter is told so.
    """
    sys.stdout.flush()
    try:
        kept = os.dup(1)
    except OSError:  # somebody closed stdout before they started us
        kept = -1
    try:
        if kept >= 0:
            os.dup2(2, 1)
        with redirect_stdout(sys.stderr):
            yield
    except SystemExit:
        raise BadRequest("an architecture file calls sys.exit(); take that out, loading a file must not end") from None
    finally:
        sys.stderr.flush()
        if kept >= 0:
            os.dup2(kept, 1)
            os.close(kept)


@contextmanager
def signals_seen() -> Iterator[set[int]]:
    """The numbers of all signals that arrive meanwhile, whoever handles them; filled in at the end.

    A training run answers signals itself, so this is how its command knows afterwards which one it was.
    """
    seen: set[int] = set()
    read_end, write_end = os.pipe()
    os.set_blocking(read_end, False)
    os.set_blocking(write_end, False)
    try:
        before = signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
    except ValueError:  # not the main thread, where no signal arrives
        before = None
    try:
        yield seen
    finally:
        if before is not None:
            signal.set_wakeup_fd(before)
        try:
            seen.update(os.read(read_end, 4096))
        except BlockingIOError:
            pass  # none arrived
        os.close(read_end)
        os.close(write_end)
