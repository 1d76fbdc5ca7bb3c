"""The loop inside an actor's process: the architecture's own generator, driven by native actions, recorded.

Rules of this file: one operation after another, the clock read outside of the action, no decision of its own.
"""

import time
from types import GeneratorType

from cllm_sim.frames import checked_operation, where
from cllm_sim.operations import Op, Steps
from real_runtime.perform import Act, Performer, Workplace
from real_runtime.record import Recorder


def drive(place: Workplace, actor: int) -> int:
    """Run one actor's text to its end; returns the process's exit code."""
    steps = place.system.text(actor)
    performer, recorder = Performer(place, actor), Recorder(place.board, actor)
    table: dict[Op, tuple[Act, int]] = {}
    clock = time.monotonic_ns
    try:
        op = next(steps)
        while True:
            known = table.get(op) if type(op) is Op else None  # whatever else a text yields may not even be hashable
            if known is None:
                checked_operation(op, steps)
                known = table[op] = (performer.action(op), recorder.label(place.system.describe(actor, op)))
            act, label = known
            recorder.begin(label)
            begin = clock()
            reply = act()
            recorder.end(label, reply, begin, clock())
            op = steps.send(reply)
    except StopIteration:
        recorder.finish()
    except Exception as error:
        _tell_place(error, steps)
        raise
    place.board.finished[actor].store(1)
    return 0


def _tell_place(error: Exception, steps: Steps) -> None:
    """Where an operation failed, its text still stands at it; where the text itself failed, the traceback says so."""
    if isinstance(steps, GeneratorType) and steps.gi_frame is not None:
        error.add_note(f"The text stood at {where(steps)}")
