"""A schedule on a terminal: as a listing, one step at a time, or with the times of the simulator.

Rules of this file: it reads what `cllm replay` collects (the steps of a counterexample with `source`, `waiting` and
`next`; for a timeline also `timing`); who waits for whom is said in the words of `waits`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console

from cllm_sim.report.lines import Data, blank, changes_of, fact, line, rows, steps, width
from cllm_sim.report.naming import actor_labels, place
from cllm_sim.report.quantities import counted, rounded
from cllm_sim.report.text_defects import alike, ending
from cllm_sim.report.waits import labels_of, left_at, named, waits, what

BAR = {"compute": "#", "fold": "+", "update": "u", "barrier": ".", "lock": "~", "ready": ","}
OTHER = ":"
LEGEND = "# compute  + fold  u update  : short operations  . waits at a barrier  ~ waits for a lock or notify"
NAME_MAX = 14


def listing(console: Console, walk: Data, depth: int) -> None:
    """All steps, then who is stuck at their end, or that nobody is."""
    if walk["steps"]:
        steps(console, walk, depth)
    finish(console, walk, depth)


def finish(console: Console, walk: Data, depth: int) -> None:
    """The end of a schedule."""
    if walk["stuck"]:
        ending(console, walk, depth)
    else:
        line(console, f"{counted(len(walk['steps']), 'step')}; nobody is stuck here")


def one_step(console: Console, walk: Data, number: int, depth: int) -> None:
    """One step (from 1): who moved, the line as it stands in the file, what changed, who waits for whom, who can go."""
    step = walk["steps"][number - 1]
    labels = labels_of(walk, depth)
    where = place(step["path"], step["line"])
    line(console, f"step {number} of {len(walk['steps'])}  {labels[step['actor']]}  {where}", "bold")
    fact(console, "line", step["source"])
    seen = f"it is {step['value']}" if step.get("value") is not None else "changes nothing"
    changed = changes_of(step) or seen
    fact(console, "does", f"{step['op']}: {changed}")
    for fault in step["faults"]:
        fact(console, "BROKEN", f"{fault['class']}: {fault['text']}")
    if walk.get("no_way_back") == number:
        line(console, "  ──  no way back: every continuation from here ends badly  ──", "bold")
    _waiting(console, step, labels)
    fact(console, "able", _able(step["next"], labels), style="dim")


def _waiting(console: Console, step: Data, labels: Mapping[str, str]) -> None:
    groups, left = alike(waits(step, step["waiting"])), left_at(step)
    told = [
        f"{named([wait.actor for wait in group], labels)} (line {group[0].line}) for {what(group[0], labels, left)}"
        for group in groups
    ]
    if told:
        fact(console, "waits", *told)


def _able(entries: Sequence[str], labels: Mapping[str, str]) -> str:
    told = []
    for entry in entries:
        name, _, choice = entry.partition(":")
        told.append(f"{labels.get(name, name)}{f' ({choice})' if choice else ''}")
    return ", ".join(told) or "nobody can go next"


# ------------------------------------------------------------------------------------------------------------ timeline
def timeline(console: Console, walk: Data, depth: int) -> None:
    """The same schedule with the times of the simulator: when each step happened, and what everybody did meanwhile."""
    timing, found = walk["timing"], walk["steps"]
    labels = labels_of(walk, depth)
    table = [
        (str(number), f"{at:,.3f} ms", labels[step["actor"]], place(step["path"], step["line"]), step["op"])
        for number, (at, step) in enumerate(zip(timing["steps_ms"], found, strict=True), 1)
    ]
    rows(console, table, styles=("dim", "", "", "", ""))
    blank(console)
    bars(console, timing["timeline"], timing["end_ms"], depth)
    costs = f"costs: {timing['costs']}" if timing.get("costs") else ""
    fact(
        console,
        "simulated",
        f"{rounded(timing['end_ms'])} ms, {counted(timing['cores'], 'core')}; {costs}".rstrip("; "),
    )
    fact(console, "", "the order is the schedule's: who comes early waits for its turn", style="dim")
    if timing["same_end"]:
        fact(console, "end", "the same state as the checker's, compared object by object")
    finish(console, walk, depth)


def bars(console: Console, found: Data, end_ms: float, depth: int) -> None:
    """A bar for each actor, as wide as the window allows; a column shows what took most of its time."""
    labels = actor_labels(list(found["actors"]), depth)
    name = min(NAME_MAX, max(len(label) for label in labels.values()))
    columns = max(10, width(console) - name - 4)
    if not end_ms:
        return
    for number, actor in enumerate(found["actors"]):
        mine = [event for event in found["events"] if event[0] == number]
        line(console, f"{labels[actor][:name]:<{name}}  {_bar(mine, end_ms, columns)}")
    line(console, f"{'':<{name}}  0{f'{rounded(end_ms)} ms':>{columns - 1}}", "dim")
    line(console, LEGEND, "dim")


def _bar(events: Sequence[Sequence[Any]], end_ms: float, columns: int) -> str:
    cells: list[dict[str, float]] = [{} for _ in range(columns)]
    for event in events:
        kind, begin, end = event[1], event[2] * columns / end_ms, event[3] * columns / end_ms
        for column in range(int(begin), min(columns, int(end) + 1)):
            part = min(end, column + 1) - max(begin, column)
            cells[column][kind] = cells[column].get(kind, 0.0) + part
    return "".join(BAR.get(max(cell, key=cell.__getitem__), OTHER) if cell else " " for cell in cells)
