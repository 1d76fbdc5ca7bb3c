"""Where a running text stands: the user's file and line, and the frames of its `yield from` chain.

Rules of this file: frames are looked at, never changed. Every message to a user that names a line of a text gets it
here.
"""

from collections.abc import Iterator
from types import GeneratorType
from typing import Any

from cllm_sim.operations import Op, Place, Steps, expected_operation


def chain(steps: Any) -> "Iterator[GeneratorType[Any, Any, Any]]":
    """Every generator of a `yield from` chain, the outermost first."""
    while isinstance(steps, GeneratorType):
        yield steps
        steps = steps.gi_yieldfrom


def where(steps: Steps) -> Place:
    """The user's line at which a running text stands."""
    innermost = list(chain(steps))[-1]
    line = innermost.gi_frame.f_lineno if innermost.gi_frame is not None else innermost.gi_code.co_firstlineno
    return Place(innermost.gi_code.co_filename, line)


def checked_operation(value: Any, steps: Steps) -> Op:
    """The value, if it is an operation; else BadArchitecture that names the line which yielded it."""
    if isinstance(value, Op):
        return value
    raise expected_operation(value, where(steps))
