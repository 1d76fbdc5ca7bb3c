"""What is broken, on a terminal: what to repair, every distinct defect in a row of its own, and one of them in full.

In full is: the schedule step by step with the line at which the way back ended, then its end: for a race both sides,
what they hold and the last order between them; for a deadlock who waits for what, the circle, and who would have to
act. Rules of this file: it reads the `broken` rows of a result; what a cause is stands in `causes`.
"""

from collections.abc import Mapping, Sequence

from rich.console import Console

from cllm_sim.report.causes import Cause, causes, does, told, touched
from cllm_sim.report.lines import Data, blank, depth_of, fact, line, rows, steps
from cllm_sim.report.locks import Held, held_at_end
from cllm_sim.report.naming import place
from cllm_sim.report.orders import accesses, last_common
from cllm_sim.report.quantities import counted, listed
from cllm_sim.report.waits import Wait, circle, labels_of, left_at, named, sentence, waits, what

CAUSES_MAX = 5
STUCK_MAX = 3


def render_defects(console: Console, data: Data, full: bool = False) -> None:
    """All that is broken in a check result; `full`: every defect step by step, not only the first that has steps."""
    broken: Sequence[Data] = data.get("broken") or ()
    depth = depth_of(data)
    to_repair(console, causes(data, depth))
    overview(console, data)
    shown = [number for number, defect in enumerate(broken) if defect.get("counterexample")]
    for number in shown if full else shown[:1]:
        blank(console)
        one(console, broken[number], depth, f"defect {number + 1}, " if len(broken) > 1 else "")
    hidden = len(shown) - 1
    if hidden > 0 and not full:
        blank(console)
        line(console, f"the other {'one' if hidden == 1 else hidden} step by step: add --all", "dim")


def to_repair(console: Console, found: Sequence[Cause]) -> None:
    """What to do about it, the deepest cause first."""
    if not found:
        return
    for number, cause in enumerate(found[:CAUSES_MAX]):
        where = f"{place(cause.path, cause.line)}  " if cause.path else ""
        fact(console, "repair" if not number else "", f"{where}{cause.text}", f"→ {cause.advice}")
    if len(found) > CAUSES_MAX:
        fact(console, "", f"and {counted(len(found) - CAUSES_MAX, 'more cause')}, which may follow from these")
    blank(console)


def overview(console: Console, data: Data) -> None:
    """One row for each distinct defect: class, line, what happens, after how many steps."""
    broken: Sequence[Data] = data.get("broken") or ()
    depth = depth_of(data)
    table = []
    for number, defect in enumerate(broken, 1):
        length = len((defect.get("counterexample") or {}).get("steps") or ())
        after = counted(length, "step") if length else ""
        at = place(defect.get("path", ""), defect.get("line"))
        table.append((str(number), defect["class"], after, at, summary(defect, depth)))
    hidden = (data.get("defects") or 0) - len(broken)
    rows(console, table, styles=("dim", "bold", "dim", "", ""))
    if hidden > 0:
        line(console, f"  and {counted(hidden, 'more place')} at which the same kinds were met", "dim")


def summary(defect: Data, depth: int) -> str:
    """A defect in a few words."""
    example = defect.get("counterexample") or {}
    labels = labels_of(example, depth)
    if example.get("race"):
        first, second = example["race"]["accesses"]
        return f"{labels[first['actor']]}: {first['op']} (line {first['line']}), {labels[second['actor']]}: " + (
            f"{second['op']} (line {second['line']}): both touch {touched(example['race'])}, no order between them"
        )
    if example.get("stuck") and defect["class"] in ("deadlock", "partial-deadlock"):
        found = waits(example)
        parts = [f"{labels[wait.actor]} (line {wait.line}) for {wait.on}" for wait in found[:STUCK_MAX]]
        more = f" and {counted(len(found) - STUCK_MAX, 'other')}" if len(found) > STUCK_MAX else ""
        others = ", others go on" if defect["class"] == "partial-deadlock" else ""
        return f"wait for ever: {listed(parts) if not more else ', '.join(parts)}{more}{others}"
    return told(defect)


# ------------------------------------------------------------------------------------------------------- one in full
def one(console: Console, defect: Data, depth: int, number: str = "") -> None:
    """One defect from its first step to its end."""
    example = defect["counterexample"]
    text = "" if example.get("race") else f": {told(defect)}"
    line(console, f"{number}{defect['class']}, step by step{text}", "bold")
    steps(console, example, depth)
    if example.get("race"):
        _race(console, example, depth)
    if example.get("stuck"):
        ending(console, example, depth)


def _race(console: Console, example: Data, depth: int) -> None:
    labels = labels_of(example, depth)
    sides: Sequence[Data] = example["race"]["accesses"]
    held = held_at_end(example)
    blank(console)
    line(console, f"  NO ORDER  both touch {touched(example['race'])}, and either may come first:", "bold red")
    table = [
        (
            labels[side["actor"]],
            place(side["path"], side["line"]),
            side["op"],
            " and ".join(filter(None, [does(side), holding(held.get(side["actor"], ()))])),
        )
        for side in sides
    ]
    rows(console, table, indent=12)
    rows(console, [(missing(example, labels),)], indent=12)


def missing(example: Data, labels: Mapping[str, str]) -> str:
    """What the two sides of a race last had in common, and that nothing orders them after it."""
    first, second = accesses(example)
    found: Sequence[Data] = example["steps"]
    one_side, other = (labels[found[number]["actor"]] for number in (first, second))
    common = last_common(example, first, second)
    lacks = f"no barrier, mutex or word leads from {one_side} to {other} or back"
    if common is None:
        return f"missing: {lacks} before these two"
    step = found[common]
    at = f"step {common + 1}, {labels[step['actor']]}: {step['op']} ({place(step['path'], step['line'])})"
    return f"missing: the last that comes before both is {at}; after it {lacks}"


def holding(held: Sequence[Held]) -> str:
    """The locks in somebody's hand."""
    return f"holds {listed([lock.name for lock in held])}" if held else "holds no lock"


def ending(console: Console, example: Data, depth: int, found: Sequence[Wait] | None = None) -> None:
    """Who waits for what at the end of a schedule, the circle that they form, and who would have to act."""
    labels, left, held = labels_of(example, depth), left_at(example), held_at_end(example)
    known = waits(example) if found is None else list(found)
    if not known:
        return
    blank(console)
    table: list[tuple[str, ...]] = []
    for group in alike(known):
        mine = held.get(group[0].actor, ()) if len(group) == 1 else ()
        has = f"; {holding(mine)}" if mine else ""
        at = place(group[0].path, group[0].line)
        who, verb = named([wait.actor for wait in group], labels), "waits" if len(group) == 1 else "wait"
        table.append(("" if table else "STUCK", who, at, f"{verb} for {what(group[0], labels, left)}{has}"))
    rows(console, table, styles=("bold red", "", "", ""))
    ring = circle(known)
    if len(ring) > 1:
        fact(console, "circle", "; ".join(sentence(wait, labels, left) for wait in ring), style="bold")


def alike(found: Sequence[Wait]) -> list[list[Wait]]:
    """Waits at one line for the same thing, together."""
    groups: dict[tuple[str, int | None, tuple[str, ...]], list[Wait]] = {}
    for wait in found:
        groups.setdefault((wait.on, wait.line, wait.helpers), []).append(wait)
    return list(groups.values())
