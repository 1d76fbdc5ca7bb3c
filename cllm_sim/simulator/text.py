"""One actor's running text, and what can be wrong with it.

Rules of this file: only `next` and `send`. A text is run twice side by side with the same replies; where the two part,
it is not deterministic, and everything that is said about it would be worth nothing.
"""

import traceback

from cllm_sim.compose import System
from cllm_sim.errors import BadArchitecture, CllmError, NondeterministicText
from cllm_sim.frames import chain, checked_operation, where
from cllm_sim.operations import Op, Place, Steps


class Text:
    """A run of one actor's text; `op` is the operation it wants to perform next, None once it has finished."""

    def __init__(self, system: System, actor: int) -> None:
        self._steps = system.text(actor)
        self._twin = system.text(actor)
        self.op: Op | None = None
        self._advance(None)

    def answer(self, reply: int) -> None:
        """Send the reply of the pending operation; BadArchitecture or NondeterministicText name the user's line."""
        self._advance(reply)

    def place(self) -> Place:
        """The user's line at which the text stands."""
        return where(self._steps)

    def _advance(self, reply: int | None) -> None:
        before = self.op
        self.op = _send(self._steps, reply)
        if self.op is not _send(self._twin, reply):
            raise NondeterministicText(
                f"{self.place()}: run twice with the same replies, the text did different things after "
                f"'{before or 'its start'}'; a text may depend on nothing but its arguments and the replies"
            )


def _send(steps: Steps, reply: int | None) -> Op | None:
    try:
        value = next(steps) if reply is None else steps.send(reply)
    except StopIteration:
        return None
    except (CllmError, RecursionError):
        raise
    except Exception as error:
        raise _user_error(error, steps) from None
    return checked_operation(value, steps)


def _user_error(error: Exception, steps: Steps) -> BadArchitecture:
    """An exception in a user's text, with the last line of the user's file on the way to it."""
    files = {generator.gi_code.co_filename for generator in chain(steps)}
    lines = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename in files]
    place = Place(lines[-1].filename, lines[-1].lineno or 1) if lines else where(steps)
    return BadArchitecture(f"{place}: {type(error).__name__}: {error}".replace("\n", " "))
