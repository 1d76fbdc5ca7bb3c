"""When a run counts as hung, and who is named first; with a clock and process states of the test's own."""

import numpy as np
import pytest

from cllm_sim.compose import System, compose
from cllm_sim.job import Job
from cllm_sim.library import load
from cllm_sim.tree import Tree
from real_runtime import stillness as module
from real_runtime.board import EVENTS, WORKED, Board, create_board
from real_runtime.learner import Learner, LearnerSettings
from real_runtime.processes import Child, ProcessState
from real_runtime.record import Recorder
from real_runtime.stillness import BUSY_LIMITS, Stillness
from real_runtime.text import Corpus

BYTES = np.arange(200, dtype=np.uint8)
TEXT = Corpus("bytes", BYTES, BYTES, "", 400)

LIMIT_SECONDS = 10.0
LOOK_SECONDS = 0.5


class Scene:
    """Three actors, waiting, and a clock."""

    def __init__(self, system: System, board: Board) -> None:
        self.now = 100.0
        self.board = board
        self.states = {pid: ProcessState("S", 1.0) for pid in range(3)}
        self.recorders = [Recorder(board, actor) for actor in range(3)]
        self.children = [Child(pid, -1) for pid in range(3)]
        self.stillness = Stillness(system, board, self.children, LIMIT_SECONDS)

    def look(self, after_seconds: float = LOOK_SECONDS) -> bool:
        self.now += after_seconds
        return self.stillness.too_long()

    def seconds_until_hung(self, limit: float) -> float:
        """How long it takes until the run counts as hung; nothing else changes."""
        began = self.now
        while not self.look():
            assert self.now - began < limit
        return self.now - began


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    system = compose(load("node_zero").architecture, Tree(2, 1))
    learner = Learner(LearnerSettings(context=1, embedding=1, hidden=(1,), rows_per_slot=1), TEXT)
    scene = Scene(system, create_board(system, Job(system), learner, 0, 1, 100))
    monkeypatch.setattr(module, "monotonic", lambda: scene.now)
    monkeypatch.setattr(module, "process_state", scene.states.get)
    scene.look()
    return scene


def test_all_wait(scene: Scene) -> None:
    assert LIMIT_SECONDS < scene.seconds_until_hung(20) <= LIMIT_SECONDS + 3 * LOOK_SECONDS


@pytest.mark.parametrize("letter", ["R", "D"])
def test_somebody_is_busy_for_long_but_not_for_ever(scene: Scene, letter: str) -> None:
    scene.states[2] = ProcessState(letter, 1.0)
    assert scene.seconds_until_hung(1000) > BUSY_LIMITS * LIMIT_SECONDS
    rows, hung = scene.stillness.report(4)
    assert str(hung).startswith(f"no work came to an end for 200 s in step 4: {rows[0]}")


def test_processor_time_is_movement(scene: Scene) -> None:
    for number in range(100):
        scene.states[1] = ProcessState("S", 1.0 + number)
        assert not scene.look()
    assert scene.seconds_until_hung(20) > LIMIT_SECONDS


def test_an_event_is_movement(scene: Scene) -> None:
    label = scene.recorders[0].label("x")
    for _ in range(3 * int(LIMIT_SECONDS / LOOK_SECONDS)):
        assert not scene.look()
        scene.recorders[0].end(label, 0, 0, 0)
    assert scene.seconds_until_hung(20) > LIMIT_SECONDS


def test_events_without_work_are_no_progress(scene: Scene) -> None:
    """Somebody asks for ever; that nobody works shows later than that nobody moves."""
    label = scene.recorders[0].label("load 0/word")
    began = scene.now
    while not scene.look():
        scene.recorders[0].end(label, 0, 0, 0)
    assert scene.now - began > BUSY_LIMITS * LIMIT_SECONDS


def test_work_is_progress(scene: Scene) -> None:
    for _ in range(3 * BUSY_LIMITS * int(LIMIT_SECONDS / LOOK_SECONDS)):
        scene.board.counts[1][WORKED] += 1
        scene.board.counts[1][EVENTS] += 1
        assert not scene.look()


def test_the_end_of_an_actor_is_movement(scene: Scene) -> None:
    while scene.now < 100.0 + LIMIT_SECONDS - 1:
        assert not scene.look()
    scene.children[2].end = object()  # type: ignore[assignment]
    assert scene.seconds_until_hung(20) > LIMIT_SECONDS


def test_a_machine_that_was_asleep_is_no_hang(scene: Scene) -> None:
    scene.look()
    assert not scene.look(after_seconds=3600.0)
    assert scene.seconds_until_hung(20) > LIMIT_SECONDS / 2


def test_the_likely_cause_comes_first(scene: Scene) -> None:
    for actor, op in enumerate(["wait 0/batch", "compute 0.0/segment", "wait 0/batch"]):
        scene.recorders[actor].begin(scene.recorders[actor].label(op))
    scene.states[1] = ProcessState("T", 1.0)
    scene.seconds_until_hung(20)
    rows, hung = scene.stillness.report(2)
    assert rows == [
        "worker 0.0 is stopped by a signal in 'compute 0.0/segment'",
        "control 0 is waiting in 'wait 0/batch' (2 of 3 parties are there)",
        "worker 0.1 is waiting in 'wait 0/batch' (2 of 3 parties are there)",
    ]
    assert str(hung) == f"nobody moved for 10 s in step 2: {rows[0]} (and 2 more); all processes were ended"


def test_who_is_between_two_operations_comes_before_who_waits(scene: Scene) -> None:
    label = scene.recorders[2].label("read 0/order")
    scene.recorders[2].end(label, 0, 0, 0)
    scene.recorders[0].begin(scene.recorders[0].label("wait 0/batch"))
    scene.recorders[1].finish()
    scene.children[1].end = object()  # type: ignore[assignment]
    scene.seconds_until_hung(20)
    rows, _ = scene.stillness.report(2)
    assert rows == [
        "worker 0.1 is waiting after 'read 0/order'",
        "control 0 is waiting in 'wait 0/batch' (1 of 3 parties are there; actors that have finished: 1)",
    ]
