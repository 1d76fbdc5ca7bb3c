"""How far a verb is: one line that is redrawn on a terminal, a plain line every ten seconds elsewhere.

Rules of this file: it writes to stderr only, never more often than the intervals say, and leaves nothing behind on a
terminal. It has no thread: a verb that says nothing shows nothing.
"""

import os
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self, TextIO

from cllm_sim.cli.terminal import write

if TYPE_CHECKING:
    from rich.live import Live

Kind = Literal["live", "plain", "every", "off"]
INTERVAL_SECONDS: dict[Kind, float] = {"live": 0.25, "plain": 10.0, "every": 0.0}
"""`every` shows all there is to say, each on a line of its own."""


def kind_of(stream: TextIO) -> Kind:
    """Redrawn where a person looks; plain in a pipe, on a dumb terminal and in continuous integration."""
    watched = stream.isatty() and os.environ.get("TERM") != "dumb" and not os.environ.get("CI")
    return "live" if watched else "plain"


class Progress:
    """The progress line of one command: entered, told things, left (which removes it)."""

    def __init__(self, stream: TextIO, kind: Kind, clock: Callable[[], float] = time.monotonic) -> None:
        self.stream = stream
        self.kind = kind
        self.clock = clock
        self.shown_at = clock()
        self.live: Live | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.live is not None:
            self.live.stop()
            self.live = None

    def show(self, text: str) -> None:
        """Say how far it is, if the last time is long enough ago."""
        if self.kind != "off" and self.clock() - self.shown_at >= INTERVAL_SECONDS[self.kind]:
            self._now(text)

    def stage(self, text: str) -> None:
        """Say what begins now: at once where the line is redrawn, elsewhere like `show`."""
        if self.kind == "live":
            self._now(text)
        else:
            self.show(text)

    def tell(self, text: str) -> None:
        """A line that stays, whatever the interval and the kind: no progress, but a message."""
        if self.live is not None:
            self.live.console.print(text, markup=False, highlight=False)
        else:
            write(self.stream, text)

    def _now(self, text: str) -> None:
        self.shown_at = self.clock()
        if self.kind == "live":
            self._redraw(text)
        else:
            self.tell(text)

    def _redraw(self, text: str) -> None:
        from rich.console import Console
        from rich.live import Live
        from rich.text import Text

        if self.live is None:
            console = Console(file=self.stream, highlight=False)
            self.live = Live(
                console=console, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False
            )
            self.live.start()
        self.live.update(Text(text, no_wrap=True, overflow="ellipsis", style="dim"), refresh=True)
