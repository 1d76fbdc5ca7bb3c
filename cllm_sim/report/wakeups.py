"""Why somebody sleeps for ever: a notify that came before the sleep, one that woke somebody else, or none at all.

Rules of this file: it reads the steps of a counterexample (operations and the words of `changes`) and claims only what
they show.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from cllm_sim.report.locks import FREED
from cllm_sim.report.naming import family
from cllm_sim.report.waits import Wait

Step = Mapping[str, Any]


class Missed(NamedTuple):
    """What happened, and what to do."""

    text: str
    advice: str


def missed(example: Mapping[str, Any], wait: Wait, labels: Mapping[str, str]) -> Missed | None:
    """Why nobody wakes this sleeper; None where its steps are not known."""
    steps = resolved(example.get("steps") or ())
    sleep = _last(steps, wait.actor, f"sleep {wait.on}")
    if sleep is None:
        return None
    notifies = [
        number for number, step in enumerate(steps, 1) if step["actor"] != wait.actor and _notifies(step, wait.on)
    ]
    since = _looked(steps, wait.actor, sleep) or 0  # what came before its last look, it could have seen
    earlier = [number for number in notifies if since < number < sleep and not _woken(steps[number - 1])]
    later = [number for number in notifies if number > sleep]
    who = labels.get(wait.actor, wait.actor)
    if later:
        return _woke_others(steps, wait, labels, later[-1])
    if earlier:
        return _too_early(steps, wait, labels, (earlier[-1], sleep))
    text = f"{who} sleeps on {wait.on} (step {sleep}), and nobody notifies it"
    return Missed(text, f"notify {family(wait.on)} on every way through the texts of those who could")


def resolved(steps: Sequence[Step]) -> list[Step]:
    """The steps with the child under a cursor by its name: `notify 0/at/wake` is `notify 0.1/wake`."""
    cursors: dict[str, str] = {}
    found: list[Step] = []
    for step in steps:
        verb, _, name = str(step["op"]).partition(" ")
        owner, at, rest = name.partition("/at/")
        if at and owner in cursors:
            step = {**step, "op": f"{verb} {cursors[owner]}/{rest}"}
        for change in step.get("changes") or ():
            if change.startswith("cursor at "):
                cursors[step["actor"]] = change.removeprefix("cursor at ")
        found.append(step)
    return found


def _notifies(step: Step, on: str) -> bool:
    verb, _, name = str(step["op"]).partition(" ")
    return verb in ("notify", "notify_all") and name == on


def _woken(step: Step) -> list[str]:
    return [change.removeprefix("wakes ") for change in step.get("changes") or () if change.startswith("wakes ")]


def _last(steps: Sequence[Step], actor: str, op: str) -> int | None:
    return max(
        (number for number, step in enumerate(steps, 1) if (step["actor"], step["op"]) == (actor, op)), default=None
    )


def _woke_others(steps: Sequence[Step], wait: Wait, labels: Mapping[str, str], number: int) -> Missed | None:
    woken = _woken(steps[number - 1])
    if not woken:
        return None
    names = " and ".join(labels.get(name, name) for name in woken)
    by = labels.get(steps[number - 1]["actor"], steps[number - 1]["actor"])
    who = labels.get(wait.actor, wait.actor)
    text = f"the notify of {wait.on} by {by} (step {number}) woke {names}; {who} sleeps on"
    return Missed(text, "use notify_all, or a condition of its own for each thing that is waited for")


def _too_early(steps: Sequence[Step], wait: Wait, labels: Mapping[str, str], numbers: tuple[int, int]) -> Missed:
    """A notify while nobody slept: what the sleeper had looked at before, and whether it could have changed since."""
    number, sleep = numbers
    who = labels.get(wait.actor, wait.actor)
    by = labels.get(steps[number - 1]["actor"], steps[number - 1]["actor"])
    at = steps[number - 1]["line"]
    text = (
        f"{by} notifies {wait.on} in step {number} (line {at}) while nobody sleeps on it: the notify is lost. "
        f"{who} goes to sleep in step {sleep} (line {steps[sleep - 1]['line']}), and nobody notifies again"
    )
    looked = _looked(steps, wait.actor, sleep)
    if looked is None:
        advice = "set a variable before the notify, and look at it under the mutex, in a loop, before going to sleep"
        return Missed(f"{text}. {who} looks at nothing before it sleeps", advice)
    name = str(steps[looked - 1]["op"]).partition(" ")[2]
    changed = [n for n in range(looked + 1, sleep) if _changes(steps[n - 1], name)]
    freed = [n for n in range(looked + 1, sleep) if steps[n - 1]["actor"] == wait.actor and _frees(steps[n - 1])]
    if changed and freed:
        text += (
            f". It had looked at {name} in step {looked} (line {steps[looked - 1]['line']}), gave the lock back in "
            f"step {freed[0]} (line {steps[freed[0] - 1]['line']}), and {name} was changed in step {changed[-1]}"
        )
    advice = (
        f"look at {family(name)} again (line {steps[looked - 1]['line']}) after taking the lock, and keep it until "
        f"the sleep gives it back: while not ...: yield {family(wait.on)}.wait()"
    )
    return Missed(text, advice)


def _looked(steps: Sequence[Step], actor: str, sleep: int) -> int | None:
    """The last step before the sleep in which the sleeper read something."""
    found = [
        number
        for number, step in enumerate(steps[: sleep - 1], 1)
        if step["actor"] == actor and str(step["op"]).partition(" ")[0] in ("read", "load")
    ]
    return found[-1] if found else None


def _changes(step: Step, name: str) -> bool:
    return any(change.startswith(f"{name} ") and " → " in change for change in step.get("changes") or ())


def _frees(step: Step) -> bool:
    return any(FREED.fullmatch(change) for change in step.get("changes") or ())
