"""Walking through something step by step with keys: on a terminal single keys, elsewhere lines.

Enter or space: the next step; b: the one before; a number and Enter: that step; q: stop. Rules of this file: where to
go next is decided here, what is shown is the caller's business. At the end of the input the rest is shown without
waiting, so that a script can never hang.
"""

import sys
from collections.abc import Callable, Iterator

import click

HELP = "Enter next, b back, a number jumps, q quits"
NEXT, BACK, QUIT, REST = "", "b", "q", "rest"
ARROWS = {"\x1b[A": BACK, "\x1b[D": BACK, "\x1b[B": NEXT, "\x1b[C": NEXT}
LETTERS = {"b": BACK, "q": QUIT, "\x04": QUIT, "\x1b": QUIT}
ENDS = "\r\n "


def wanted() -> bool:
    """Does somebody sit before a terminal, for whom a step can wait?"""
    return sys.stdin.isatty() and sys.stdout.isatty()


def keys() -> Callable[[], str]:
    """What reads the next command: "", "b", "q", a number, or "rest" at the end of the input."""
    return _key if sys.stdin.isatty() else _line


def _line() -> str:
    row = sys.stdin.readline()
    return row.strip().lower() if row else REST


def _key() -> str:
    """One command from single keys; a number ends with Enter. Keys typed quickly may come together."""
    typed = ""
    while True:
        keys = click.getchar()
        if keys in ARROWS:
            return ARROWS[keys]
        for key in keys.lower():
            if key.isdecimal():
                typed += key
            elif key in ENDS:
                return typed
            elif key in LETTERS:
                return LETTERS[key]
            else:
                typed = ""


def visits(steps: int, ask: Callable[[], str], rest: Callable[[int], None]) -> Iterator[int]:
    """The steps to show (from 1), one after another, as the keys say.

    `rest` is told from which step on everything is to be shown, where the input ends; afterwards nothing comes.
    """
    here = 1
    while 1 <= here <= steps:
        yield here
        if here == steps:
            command = ask() if steps > 1 else QUIT
            if command in (NEXT, QUIT, REST):
                return
        else:
            command = ask()
        if command == QUIT:
            return
        if command == REST:
            rest(here + 1)
            return
        here = _target(command, here, steps)


def _target(command: str, here: int, steps: int) -> int:
    if command == NEXT:
        return here + 1
    if command == BACK:
        return max(1, here - 1)
    return min(max(1, int(command)), steps) if command.isdecimal() else here
