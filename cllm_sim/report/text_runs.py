"""Simulated, real and judged runs on the terminal, and the sheet of a calibration.

Rules of this file: it reads the fields of the results of simulate, train, validate and calibrate and says them; a
median never goes without its spread; the last line is the next command.
"""

from collections.abc import Mapping, Sequence
from shlex import quote
from typing import Any

from rich.console import Console

from cllm_sim.report.commands import scope_options, subject
from cllm_sim.report.lines import Data, blank, depth_of, fact, heading, line, rows, stuck, whole
from cllm_sim.report.naming import actor_labels, place
from cllm_sim.report.quantities import MISSING, between, bits, counted, listed, milliseconds, percent, rounded, share
from cllm_sim.report.text_check import promises

PARTS = {
    "compute": "compute",
    "fold": "fold",
    "update": "update",
    "barrier": "waiting at barriers",
    "lock": "waiting for locks or notifies",
    "ready": "the rest",
}
PATH_MAX = 8
CULPRITS_MAX = 5


# ----------------------------------------------------------------------------------------------------------- simulate
def render_simulate(data: Data, console: Console) -> None:
    """Show a simulation."""
    cores = counted(data["cores"], "core") if data.get("cores") else ""
    heading(console, data, cores, counted(data.get("replications") or 0, "replication"))
    promises(console, data)
    _broken(console, data)
    found = (data.get("deadlock") or {}).get("stuck") or ()
    if found:
        blank(console)
        stuck(console, found, depth_of(data))
        blank(console)
    _step(console, data.get("step_ms"), data.get("ci95_ms"))
    _shares(console, data.get("wait_share"))
    _waiters(console, data)
    _path(console, data.get("critical_path") or (), depth_of(data))
    if data.get("limit"):
        fact(console, "undecided", f"limit reached: {data['limit']}")
    rate = f", {data['events_per_second']:,.0f} a second" if data.get("events_per_second") else ""
    line(console, f"{counted(data.get('events') or 0, 'event')}{rate}")
    _written(console, data)
    name, scope = subject(data), scope_options(data)
    if found or data.get("verdict") == "broken":
        whole(console, f"is it the text?  cllm check {name}{scope}")
    else:
        whole(console, f"for real:  cllm train {name}{scope}")


def _broken(console: Console, data: Data) -> None:
    broken: Sequence[Data] = data.get("broken") or ()
    rows(
        console,
        [(row["class"], place(row.get("path") or "", row.get("line")), row["text"]) for row in broken],
        styles=("bold",),
    )


def _step(console: Console, spread: Data | None, interval: Sequence[float] | None = None) -> None:
    if not spread or spread.get("median") is None:
        return
    told = [f"5 to 95 %: {between(spread.get('p05'), spread.get('p95'))}"]
    if interval:
        told.append(f"mean with 95 % confidence: {between(*interval)}")
    fact(console, "step", f"{milliseconds(spread['median'])}   ({'; '.join(told)})")


def _shares(console: Console, shares: Mapping[str, float | None] | None) -> None:
    told = [f"{name} {share(value)}" for key, name in PARTS.items() if (value := (shares or {}).get(key)) is not None]
    if told:
        fact(console, "time", f"all actors together: {', '.join(told)}")


def _waiters(console: Console, data: Data) -> None:
    contention: Mapping[str, int] = data.get("contention") or {}
    worst = sorted(((count, name) for name, count in contention.items() if count), key=lambda item: (-item[0], item[1]))
    if worst:
        more = f" and {len(worst) - 3} more locks" if len(worst) > 3 else ""
        fact(console, "waiters", f"at most {listed([f'{count} for {name}' for count, name in worst[:3]])}{more}")
    elif contention:
        fact(console, "waiters", "nobody waited for a lock")


def _path(console: Console, path: Sequence[Data], depth: int) -> None:
    if not path:
        return
    labels = actor_labels([part["actor"] for part in path], depth)
    told = [f"{labels[part['actor']]}: {part['op']} {milliseconds(part['ms'])}" for part in path[:PATH_MAX]]
    more = f" → {len(path) - PATH_MAX} more" if len(path) > PATH_MAX else ""
    fact(console, "longest", f"chain of a typical step: {' → '.join(told)}{more}")


def _written(console: Console, data: Data) -> None:
    if data.get("output"):
        whole(console, f"written  {data['output']}")


# -------------------------------------------------------------------------------------------------------------- train
def render_train(data: Data, console: Console) -> None:
    """Show a training run."""
    heading(console, data, counted(data.get("slots") or 0, "slot"))
    processes = counted(data.get("processes") or 0, "process", "processes")
    ended = "" if data.get("complete", True) else "; the run did not come to its end"
    fact(
        console,
        "done",
        f"{counted(data.get('steps') or 0, 'step')} by {processes}{ended}",
    )
    _loss(console, data)
    _step(console, data.get("step_ms"))
    _accidents(console, data)
    fact(console, "weights", data.get("digest") or "no digest: the actors were ended in the middle of a step")
    folder = data.get("output") or data.get("run_dir")
    if folder:
        whole(console, f"written  {folder}")
        whole(console, f"was it legal?  cllm validate {quote(str(folder))}")


def _loss(console: Console, data: Data) -> None:
    told = []
    for key, name in (("loss", "training"), ("heldout_bits_per_byte", "held-out")):
        change = data.get(key)
        if change:
            told.append(f"{name} {bits(change.get('first'))} → {bits(change.get('last'))}")
    bigram = data.get("bigram_bits_per_byte")
    beside = f" (bigram entropy {bits(bigram)})" if bigram is not None else ""
    if told:
        fact(console, "loss", f"{', '.join(told)} bits per byte{beside}")


def _accidents(console: Console, data: Data) -> None:
    """Steps that were aborted or clipped, and whose fault that was."""
    if data.get("nonfinite_steps"):
        culprits = [_culprit(row) for row in (data.get("culprits") or ())[:CULPRITS_MAX]]
        fact(
            console,
            "aborted",
            f"{counted(data['nonfinite_steps'], 'step')} with NaN or Inf, weights untouched",
            *culprits,
        )
    if data.get("clipped_steps"):
        bound = f" (norm above {rounded(data['gradient_clip_val'])})" if data.get("gradient_clip_val") else ""
        fact(console, "clipped", f"{counted(data['clipped_steps'], 'step')}{bound}")
    if data.get("restarts"):
        fact(console, "restarts", str(data["restarts"]))


def _culprit(row: Any) -> str:
    return (
        ", ".join(f"{name} {value}" for name, value in row.items() if value is not None)
        if isinstance(row, Mapping)
        else str(row)
    )


# ----------------------------------------------------------------------------------------------------------- validate
def render_validate(data: Data, console: Console) -> None:
    """Show a judgement."""
    clock = data.get("clock")
    heading(console, data, f"{clock} run" if clock else "")
    name = data.get("architecture")
    events = counted(data.get("events") or 0, "event")
    if data.get("legal") is False:
        _illegal(console, data.get("first_illegal") or {})
    elif data.get("legal") is None:
        fact(
            console,
            "undecided",
            f"a limit was reached after {data.get('events_judged') or 0:,} of {events}; nothing illegal so far",
        )
    else:
        fact(console, "legal", f"{events} form a behaviour of {name}")
        promises(console, data)
        _broken(console, data)
    _times(console, data)
    if data.get("legal") is False or any(row["verdict"] == "broken" for row in data.get("promises") or ()):
        whole(console, f"can the text do that?  cllm check {subject(data)}{scope_options(data)}")
    else:
        other = "node_zero" if data["architecture"] == "model_lock" else "model_lock"
        whole(console, f"side by side with others:  cllm compare {subject(data)} {other}{scope_options(data)}")


def _illegal(console: Console, first: Data) -> None:
    fact(console, "ILLEGAL", str(first.get("text") or "the record is no behaviour of the text"))
    where = place(first.get("path") or "", first.get("line"))
    if where:
        fact(console, "", f"the text stands at {where} there")
    for key, word in (("possible_replies", "possible answers here"), ("possible_ops", "possible operations here")):
        if first.get(key):
            fact(console, "", f"{word}: {', '.join(map(str, first[key]))}")


def _times(console: Console, data: Data) -> None:
    measured = data.get("measured_ms") or {}
    if measured.get("median") is None:
        return
    spread = between(measured.get("p05"), measured.get("p95"))
    fact(console, "measured", f"{milliseconds(measured['median'])} a step   (5 to 95 %: {spread})")
    if data.get("predicted_ms") is not None:
        noise = (
            f"; noise of the measurement {percent(data['noise_floor_pct'])}"
            if data.get("noise_floor_pct") is not None
            else ""
        )
        error = percent(data.get("error_pct"), signed=True)
        fact(console, "predicted", f"{milliseconds(data['predicted_ms'])} a step: {error}{noise}")
    phases = data.get("per_phase") or {}
    found = [
        (name, milliseconds((phases.get("predicted") or {}).get(name)), milliseconds(value))
        for name, value in (phases.get("measured") or {}).items()
        if value
    ]
    if found:
        rows(console, [("phase", "predicted", "measured"), *found], indent=12)


# ---------------------------------------------------------------------------------------------------------- calibrate
def render_calibrate(data: Data, console: Console) -> None:
    """Show what a calibration measured, value by value."""
    sheet: Sequence[Any] = data.get("sheet") or ()
    table = [row for row in sheet if isinstance(row, Mapping)]
    if table:
        names = list(dict.fromkeys(name for row in table for name in row))
        rows(console, [names, *([_plain(row.get(name)) for name in names] for row in table)])
    for row in sheet:
        if not isinstance(row, Mapping):
            line(console, f"  {row}")
    line(console, f"took {rounded(data['seconds'], 2)} s" if data.get("seconds") is not None else "")
    whole(console, f"written  {data.get('costs')}")
    whole(console, "use it:  cllm simulate node_zero")


def _plain(value: Any) -> str:
    if isinstance(value, float):
        return rounded(value)
    if isinstance(value, list):
        return (
            between(*value)
            if len(value) == 2 and all(isinstance(item, float | int) for item in value)
            else ", ".join(map(str, value))
        )
    return MISSING if value is None else str(value)
