"""`cllm new`: a commented architecture of one's own to start from.

Rules of this file: it writes one file and never over another.
"""

from pathlib import Path

import click

from cllm_sim.cli import options
from cllm_sim.cli.terminal import Terminal
from cllm_sim.errors import BadRequest


@click.command(
    short_help="Write a commented architecture of your own to start from.",
    epilog="""\b
Example:
  cllm new mine && cllm check ./mine.py --workers 3
""",
)
@click.argument("name", metavar="NAME")
@options.plain
def command(terminal: Terminal, name: str) -> int:
    """Write NAME.py to the current folder: a small design that holds, with what every line is for and what to try.

    The file can be checked, simulated and trained like a shipped one, from any folder: its path takes the name's place.
    """
    from cllm_sim.new_file import new_file

    stem = name.removesuffix(".py")
    if not stem.isidentifier():
        raise BadRequest(
            f"new {name}: a name is made of letters, digits and _, and begins with no digit, for example 'mine'"
        )
    path = Path(f"{stem}.py")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(new_file(stem))
    except FileExistsError:
        raise BadRequest(f"{path}: exists already; choose another name") from None
    except OSError as error:
        raise BadRequest(f"{path}: cannot be written: {error.strerror}") from None
    terminal.say(str(path))
    terminal.hint(f"check it: cllm check ./{path} --workers 3")
    return 0
