"""What an actor writes about itself can be read at every instant, by somebody else, and says when it is not all."""

import numpy as np
import pytest

from cllm_sim.compose import System, compose
from cllm_sim.job import Job
from cllm_sim.library import load
from cllm_sim.tree import Tree
from real_runtime import record
from real_runtime.board import LABEL_BYTES, Board, create_board
from real_runtime.learner import Learner, LearnerSettings
from real_runtime.record import Recorder, doing, label_text, log_is_whole, read_log
from real_runtime.text import Corpus

BYTES = np.arange(200, dtype=np.uint8)
TEXT = Corpus("bytes", BYTES, BYTES, "", 400)

ACTOR = 1
CAPACITY = 10


@pytest.fixture(scope="module")
def system() -> System:
    return compose(load("node_zero").architecture, Tree(2, 1))


@pytest.fixture
def board(system: System) -> Board:
    learner = Learner(LearnerSettings(context=1, embedding=1, hidden=(1,), rows_per_slot=1), TEXT)
    return create_board(system, Job(system), learner, 0, 1, CAPACITY)


def test_events_come_back(board: Board) -> None:
    recorder = Recorder(board, ACTOR)
    labels = [recorder.label(text) for text in ("wait 0/batch", "read 0/order", "write 0/größe 3")]
    assert len(set(labels)) == 3
    assert min(labels) > 0
    for number, label in enumerate([*labels, labels[0]]):
        recorder.begin(label)
        recorder.end(label, number - 1, 1_000 + 10 * number, 1_005 + 10 * number)
    events = list(read_log(board, ACTOR, 1_000))
    assert events == [
        ("wait 0/batch", -1, 0, 5),
        ("read 0/order", 0, 10, 15),
        ("write 0/größe 3", 1, 20, 25),
        ("wait 0/batch", 2, 30, 35),
    ]
    assert log_is_whole(board, ACTOR)
    assert list(read_log(board, ACTOR + 1, 0)) == []
    assert log_is_whole(board, ACTOR + 1)


def test_a_long_log_is_read_in_pieces(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "_ROWS_AT_ONCE", 3)
    recorder = Recorder(board, ACTOR)
    label = recorder.label("x")
    for number in range(CAPACITY):
        recorder.end(label, number, number, number)
    assert [event.reply for event in read_log(board, ACTOR, 0)] == list(range(CAPACITY))


def test_a_full_log_keeps_its_beginning_and_says_so(board: Board) -> None:
    recorder = Recorder(board, ACTOR)
    label = recorder.label("x")
    for number in range(CAPACITY + 5):
        recorder.end(label, number, number, number)
        assert log_is_whole(board, ACTOR) == (number < CAPACITY)
    assert [event.reply for event in read_log(board, ACTOR, 0)] == list(range(CAPACITY))
    assert list(read_log(board, ACTOR + 1, 0)) == []


def test_a_full_table_of_texts_says_so(board: Board) -> None:
    recorder = Recorder(board, ACTOR)
    long = "y" * (LABEL_BYTES - 100)
    label = recorder.label(long)
    assert label_text(board, ACTOR, label) == long
    assert recorder.label("z" * 200) == 0
    last = recorder.label("z" * 97)
    assert label_text(board, ACTOR, last) == "z" * 97
    assert recorder.label("") == 0
    recorder.end(last, 0, 0, 0)
    assert log_is_whole(board, ACTOR)
    recorder.end(0, 0, 0, 0)
    assert not log_is_whole(board, ACTOR)
    assert label_text(board, ACTOR, 0) == ""


def test_what_an_actor_is_doing(board: Board) -> None:
    recorder = Recorder(board, ACTOR)
    assert doing(board, ACTOR).words == "before its first operation"
    label = recorder.label("wait 0/batch")
    recorder.begin(label)
    assert doing(board, ACTOR) == ("wait 0/batch", True, False)
    assert doing(board, ACTOR).words == "in 'wait 0/batch'"
    recorder.end(label, 0, 0, 0)
    assert doing(board, ACTOR).words == "after 'wait 0/batch'"
    recorder.finish()
    assert doing(board, ACTOR).finished
    assert doing(board, ACTOR).words == "at the end of its text"


def test_an_event_counts_once_it_is_complete(board: Board) -> None:
    """Between any two stores of a recording, what can be read are whole events."""
    recorder = Recorder(board, ACTOR)
    label = recorder.label("x")
    recorder.end(label, 7, 7, 7)
    board.logs[ACTOR][4:7] = 9  # killed after the third of four numbers
    assert [event.reply for event in read_log(board, ACTOR, 0)] == [7]
