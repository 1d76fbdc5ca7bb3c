"""Traces on disk: what is written is read back, and a damaged file is refused at its line."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cllm_sim.errors import BadRequest
from cllm_sim.trace import HEADER_FIELDS, SCHEMA, Event, Trace, read_trace, write_trace

HEADER = dict.fromkeys(HEADER_FIELDS) | {"schema": SCHEMA, "clock": "real", "workers": 2, "complete": True}
LOGS = {
    "0": (Event("choose", 1, 0, 5), Event("wait 0/batch", 0, 6, 1_000_000_000_000)),
    "0.0": (Event("wait 0/batch", 0, 3, 9),),
    "0.1": (),
}


def test_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    trace = Trace(HEADER, LOGS)
    assert trace.events == 3
    write_trace(path, trace)
    again = read_trace(path)
    assert again.actors == LOGS
    assert again.header == {**HEADER, "lengths": {"0": 2, "0.0": 1, "0.1": 0}}
    assert list(again.actors) == list(LOGS)


def test_every_log_ends_with_its_own_length(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    write_trace(path, Trace(HEADER, LOGS))
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert rows[0]["schema"] == SCHEMA
    assert [row for row in rows[1:] if "length" in row] == [
        {"actor": "0", "length": 2},
        {"actor": "0.0", "length": 1},
        {"actor": "0.1", "length": 0},
    ]


Logs = dict[str, tuple[Event, ...]]
EVENTS = st.builds(Event, st.text(max_size=20), st.integers(), st.integers(0, 2**62), st.integers(0, 2**62))


@settings(deadline=None, derandomize=True, max_examples=40)
@given(st.dictionaries(st.text(min_size=1, max_size=8), st.lists(EVENTS, max_size=5).map(tuple), max_size=4))
def test_any_names_and_numbers_come_back(
    tmp_path_factory: pytest.TempPathFactory, logs: dict[str, tuple[Event, ...]]
) -> None:
    path = tmp_path_factory.mktemp("traces") / "trace.jsonl"
    write_trace(path, Trace(HEADER, logs))
    assert read_trace(path).actors == logs


def test_the_same_trace_is_the_same_bytes(tmp_path: Path) -> None:
    write_trace(tmp_path / "one", Trace(HEADER, LOGS))
    write_trace(tmp_path / "two", Trace(dict(reversed(HEADER.items())), LOGS))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


EVENT = '{"actor": "0", "op": "choose", "reply": 1, "begin": 0, "end": 5}'
TOP = json.dumps(HEADER)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], ":1: is no trace of this version (expected schema 'cllm-trace/1')"),
        (["{}"], ":1: is no trace of this version"),
        ([TOP.replace(SCHEMA, "cllm-trace/9")], ":1: is no trace of this version"),
        (["[]"], ":1: is no line of a trace"),
        ([EVENT], ":1: is no trace of this version"),
        ([TOP, "x"], ":2: is no JSON: "),
        ([TOP, EVENT, EVENT[:30]], ":3: is no JSON: "),
        ([TOP, EVENT, ""], ":3: is no JSON: "),
        ([TOP, "3"], ":2: is no line of a trace"),
        ([TOP, '{"op": "choose"}'], ":2: is no line of a trace"),
        ([TOP, '{"actor": 0, "length": 3}'], ":2: is no line of a trace"),
        ([TOP, EVENT.replace('"reply": 1, ', "")], ":2: an event needs op, reply, begin and end"),
        ([TOP, EVENT.replace("1", '"one"')], ":2: an event needs op, reply, begin and end"),
        ([TOP, EVENT, '{"actor": "0", "length": "1"}'], ":3: a closing line needs the number of events of its log"),
        ([TOP, EVENT, '{"actor": "0", "length": null}'], ":3: a closing line needs the number"),
    ],
)
def test_damaged_files_are_refused_at_their_line(tmp_path: Path, lines: list[str], message: str) -> None:
    path = tmp_path / "trace.jsonl"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    with pytest.raises(BadRequest) as raised:
        read_trace(path)
    assert str(raised.value).startswith(f"{path}{message}")
    assert "\n" not in str(raised.value)


def test_a_log_without_its_closing_line_has_no_length(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    path.write_text(f"{TOP}\n{EVENT}\n", encoding="utf-8")
    assert read_trace(path).header["lengths"] == {}


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "trace.jsonl"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadRequest, match="cannot be read as a trace"):
        read_trace(path)
