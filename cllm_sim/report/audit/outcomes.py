"""Embedded results of the protocol that the plan leads to: what was run, what came out, with which spread.

Rules of this file: a run that is not there is told as not run; the numbers are those of the results, and a comparison
shows the same table as its own report does.
"""

from collections.abc import Callable, Mapping
from shlex import join
from typing import Any

from cllm_sim.report import tables
from cllm_sim.report.audit.blocks import Block, Cell, Code, Listing, Paragraph, Section, Table, Tone, cell
from cllm_sim.report.audit.shape import Results
from cllm_sim.report.headline import headline
from cllm_sim.report.quantities import between, bits, counted, listed, milliseconds, rounded, share
from cllm_sim.report.shape import read_comparison

Data = Mapping[str, Any]
TONES: dict[str, Tone] = {"holds": "good", "broken": "bad", "undecided": "open"}
VERBS = ("check", "simulate", "train", "compare")
DONE = {"check": "checked", "simulate": "simulated", "train": "trained", "compare": "compared"}


def ran(results: Results | None) -> str:
    """`checked (holds), simulated and trained`, or nothing."""
    told = []
    for verb in VERBS:
        data = getattr(results, verb) if results is not None else {}
        if data:
            verdict = data.get("verdict") if verb in ("check", "simulate") else None
            told.append(f"{DONE[verb]} ({verdict})" if verdict else DONE[verb])
    return listed(told)


def sections(results: Results | None) -> tuple[Section, ...]:
    """One section for each verb."""
    if results is None:
        words = "The protocol of the plan was neither checked nor run in this audit."
        return (Section(("The protocol that the plan leads to",), (Paragraph((words,)),)),)
    return tuple(_section(verb, getattr(results, verb)) for verb in VERBS)


def _section(verb: str, data: Data) -> Section:
    title = (f"The protocol of the plan, {DONE[verb]}",)
    if not data:
        return Section(title, (Paragraph((f"It was not {DONE[verb]} in this audit.",)),))
    return Section(title, (Paragraph(_subject(data)), *TOLD[verb](data), *_command(data)))


def _subject(data: Data) -> tuple[Any, ...]:
    scope = data.get("scope") or {}
    parts = [
        counted(scope["workers"], "worker") if scope.get("workers") else "",
        counted(scope["steps"], "step") if scope.get("steps") else "",
        f"seed {data['seed']}" if data.get("seed") is not None else "",
        f"{rounded(data['seconds'], 2)} s" if data.get("seconds") is not None else "",
    ]
    told = ", ".join(part for part in parts if part)
    return (Code(str(data.get("architecture") or "the protocol")), f": {told}." if told else ".")


def _command(data: Data) -> tuple[Block, ...]:
    command = data.get("command")
    if not command:
        return ()
    return (Listing(command if isinstance(command, str) else join(map(str, command))),)


def _facts(found: Mapping[str, Any]) -> Table:
    rows = [(cell(name), value if isinstance(value, Cell) else cell(str(value))) for name, value in found.items()]
    return Table(("what", "value"), tuple(rows))


# ------------------------------------------------------------------------------------------------------------- verbs
def _check(data: Data) -> tuple[Block, ...]:
    promises = data.get("promises") or ()
    found: dict[str, Any] = {
        "verdict": Cell((str(data.get("verdict")),), "", TONES.get(str(data.get("verdict")), "")),
        "looked at": _looked(data),
    }
    rows = tuple((cell(row["name"]), Cell((row["verdict"],), row.get("class") or "", TONES.get(row["verdict"], "")))
                 for row in promises)  # fmt: skip
    more: tuple[Block, ...] = (Table(("promise", "verdict"), rows),) if rows else ()
    return (_facts(found), *more)


def _looked(data: Data) -> str:
    parts = [
        counted(data["states"], "state") if data.get("states") is not None else "",
        counted(data["transitions"], "step") if data.get("transitions") is not None else "",
        searched(data.get("complete"), data.get("limit") or ""),
    ]
    return ", ".join(part for part in parts if part) or "–"


def searched(complete: bool | None, limit: str) -> str:
    """Was every interleaving looked at, and if not, why?"""
    if complete is None or complete:
        return "complete" if complete else ""
    return "not every interleaving was searched" + (f": {limit}" if limit else "")


def _simulate(data: Data) -> tuple[Block, ...]:
    found: dict[str, Any] = {}
    if data.get("verdict"):
        found["verdict"] = Cell((str(data["verdict"]),), "", TONES.get(str(data["verdict"]), ""))
    found |= _step_time(data, "simulated step")
    shares = data.get("wait_share") or {}
    if shares:
        found["time of all actors"] = ", ".join(f"{name} {share(value)}" for name, value in shares.items() if value)
    if data.get("events") is not None:
        found["events"] = f"{data['events']:,}"
    return (_facts(found),) if found else ()


def _step_time(data: Data, name: str) -> dict[str, Any]:
    times = data.get("step_ms") or {}
    if times.get("median") is None:
        return {}
    spread = between(times.get("p05"), times.get("p95"))
    return {name: cell(milliseconds(times["median"]), f"5 to 95 %: {spread}" if spread else "")}


def _train(data: Data) -> tuple[Block, ...]:
    found: dict[str, Any] = {}
    if data.get("steps") is not None:
        processes = counted(data["processes"], "process", "processes") if data.get("processes") else ""
        found["steps"] = cell(f"{data['steps']:,}", f"by {processes}" if processes else "")
    for key, name in (("loss", "training loss"), ("heldout_bits_per_byte", "held-out loss")):
        change = data.get(key) or {}
        if change.get("last") is not None:
            first = f"from {bits(change['first'])}" if change.get("first") is not None else ""
            found[name] = cell(f"{bits(change['last'])} bits per byte", first)
    found |= _step_time(data, "measured step")
    if data.get("nonfinite_steps") is not None:
        steps = data["nonfinite_steps"]
        lost = len(steps) if isinstance(steps, list | tuple) else int(steps)
        found["steps with NaN or Inf"] = Cell((str(lost),), "", "bad" if lost else "good")
    if data.get("digest"):
        found["digest of the weights"] = Cell((Code(str(data["digest"])),))
    return (_facts(found),) if found else ()


def _compare(data: Data) -> tuple[Block, ...]:
    comparison = read_comparison(dict(data))
    drawn = tables.table(comparison)
    columns = tuple(column.title for column in drawn.columns)
    rows = tuple(tuple(Cell((one.main,), one.detail, one.tone) for one in row) for row in drawn.rows)
    found: list[Block] = [Paragraph((headline(comparison),))]
    if rows:
        found.append(Table(columns, rows))
    pairs = tuple((cell(pair), cell(words), cell(ratio)) for pair, words, ratio in tables.pair_lines(comparison))
    if pairs:
        found.append(Table(("pair", "measured step", "ratio lies in"), pairs))
    return tuple(found)


TOLD: dict[str, Callable[[Data], tuple[Block, ...]]] = {
    "check": _check,
    "simulate": _simulate,
    "train": _train,
    "compare": _compare,
}
