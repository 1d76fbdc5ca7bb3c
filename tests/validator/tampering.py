"""Ways to tamper with a trace, and what the judge says to thousands of tampered ones.

    python -m tests.validator.tampering [N] [RUN...]

prints a table over N tampered traces (10,000), drawn from runs of every shipped architecture and from recorded runs
(folders that `cllm train` left): per way how many were made, rejected, legal in truth, missed, and not decided within
the budget, the seconds, and the seeds of all that were not rejected.

A tampered trace may be a run that could have been: what the judge accepts is put before the unreduced reference
(`exhaustive.py`), which knows none of the judge's aids. Where that accepts it, too, it is counted apart (`legal`);
where it does not, the judge has missed a lie. What the judge rejects although every log agrees with its own text is put
before the reference as well, where that can find an answer (`false`: rejected, yet legal).

Rules of this file: everything follows from the seeds; the closing lengths are falsified as well, except where only the
end of a log is missing.
"""

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from cllm_sim.architecture import Loaded
from cllm_sim.compose import System
from cllm_sim.library import load, shipped
from cllm_sim.trace import Event, Trace, read_trace
from cllm_sim.validator import Judgement, judge
from cllm_sim.validator import system_of as system_of_trace

from tests.validator.exhaustive import Unread, legal
from tests.validator.schedule import recorded

Logs = dict[str, list[Event]]

SYNCHRONISING = ("wait", "acquire", "release", "sleep", "down", "up", "await")
BUDGET_MOVES, BUDGET_SECONDS = 200_000, 10.0
REFERENCE_STATES = 20_000


class Tampered(NamedTuple):
    """What was done, to whom and at which event; `trace` is the result."""

    what: str
    actor: str
    at: int
    trace: Trace


class Subject(NamedTuple):
    """A run that nobody has tampered with."""

    name: str
    loaded: Loaded
    system: System
    trace: Trace


def dropped(logs: Logs, name: str, index: int, chance: random.Random) -> bool:
    del logs[name][index]
    return True


def doubled(logs: Logs, name: str, index: int, chance: random.Random) -> bool:
    logs[name].insert(index, logs[name][index])
    return True


def moved(logs: Logs, name: str, index: int, chance: random.Random) -> bool:
    """To another actor, where its time would put it."""
    others = [other for other in logs if other != name]
    if not others:
        return False
    event, target = logs[name].pop(index), logs[chance.choice(others)]
    target.insert(sum(other.end <= event.begin for other in target), event)
    return True


def role(logs: Logs, name: str, index: int, chance: random.Random) -> bool:
    """It did what another actor did somewhere: another operation, in its own time."""
    others = [event.op for other, log in logs.items() if other != name for event in log]
    others = [op for op in others if op != logs[name][index].op]
    if not others:
        return False
    logs[name][index] = logs[name][index]._replace(op=chance.choice(others))
    return True


def exchanged(logs: Logs, name: str, index: int, chance: random.Random) -> bool:
    """With the next different operation of the same actor; the times stay where they were."""
    log = logs[name]
    other = next((n for n in range(index + 1, len(log)) if log[n].op != log[index].op), None)
    if other is None:
        return False
    first, second = log[index], log[other]
    log[index] = second._replace(begin=first.begin, end=first.end)
    log[other] = first._replace(begin=second.begin, end=second.end)
    return True


def answered(logs: Logs, name: str, index: int, chance: random.Random) -> bool:
    event = logs[name][index]
    logs[name][index] = event._replace(reply=event.reply + chance.choice((-1, 1, 2)))
    return True


def valued(logs: Logs, name: str, index: int, chance: random.Random) -> bool:
    """Another number in the operation: another value stored, another region, another child's object."""
    event = logs[name][index]
    digits = [n for n, letter in enumerate(event.op) if letter.isdigit()]
    if not digits:
        return False
    at = chance.choice(digits)
    other = chance.choice([digit for digit in "0123456789" if digit != event.op[at]])
    logs[name][index] = event._replace(op=event.op[:at] + other + event.op[at + 1 :])
    return True


def across(logs: Logs, name: str, index: int, chance: random.Random) -> bool:
    """Beyond the actor's next synchronisation; whatever lies between comes earlier, the times stay where they were."""
    log = logs[name]
    border = next((n for n in range(index + 1, len(log)) if log[n].op.startswith(SYNCHRONISING)), None)
    if border is None:
        return False
    ops = [*log[index + 1 : border + 1], log[index]]
    if [event.op for event in ops] == [event.op for event in log[index : border + 1]]:
        return False
    log[index : border + 1] = [
        event._replace(begin=at.begin, end=at.end) for event, at in zip(ops, log[index : border + 1], strict=True)
    ]
    return True


def early(logs: Logs, name: str, index: int, chance: random.Random) -> bool:
    """A synchronisation is said to be over as soon as it began, so what it waited for came too late."""
    found = [n for n, event in enumerate(logs[name]) if event.op.startswith(SYNCHRONISING) and event.end > event.begin]
    if not found:
        return False
    at = chance.choice(found)
    logs[name][at] = logs[name][at]._replace(end=logs[name][at].begin)
    return True


def late(logs: Logs, name: str, index: int, chance: random.Random) -> bool:
    """Everything that an actor did from here on is said to have been later, beyond what others waited for."""
    shift = chance.randrange(1, 400)
    logs[name][index:] = [
        event._replace(begin=event.begin + shift, end=event.end + shift) for event in logs[name][index:]
    ]
    return True


def cut(logs: Logs, name: str, index: int, chance: random.Random) -> bool:
    """The last event is missing."""
    del logs[name][-1]
    return True


WAYS: dict[str, Callable[[Logs, str, int, random.Random], bool]] = {
    "dropped": dropped,
    "doubled": doubled,
    "moved": moved,
    "role": role,
    "exchanged": exchanged,
    "answered": answered,
    "valued": valued,
    "across": across,
    "early": early,
    "late": late,
    "cut": cut,
}


def tamper(trace: Trace, what: str, seed: int) -> Tampered | None:
    """Tamper with a random event; None where this way does not fit the event that was drawn."""
    chance = random.Random(seed)
    logs: Logs = {name: list(log) for name, log in trace.actors.items()}
    name = chance.choice([name for name, log in logs.items() if log])
    index = chance.randrange(len(logs[name]))
    if not WAYS[what](logs, name, index, chance):
        return None
    lengths = trace.header.get("lengths") if what == "cut" else None
    header = {**trace.header, "lengths": lengths or {name: len(log) for name, log in logs.items()}}
    return Tampered(what, name, index, Trace(header, {name: tuple(log) for name, log in logs.items()}))


# --- thousands of them ------------------------------------------------------------------------------------------------


class Row:
    """What became of one way of tampering, and the seeds of what was not rejected."""

    def __init__(self) -> None:
        self.count: Counter[str] = Counter()
        self.seeds: dict[str, list[int]] = {"legal": [], "missed": [], "false": [], "budget": []}
        self.seconds = 0.0


def subjects(runs: Sequence[Path] = (), per_architecture: int = 3) -> list[Subject]:
    """Runs of every shipped architecture by a random scheduler, and the recorded ones in these folders."""
    found = []
    for name in shipped():
        loaded = load(name)
        for seed in range(per_architecture):
            workers, steps = ((2, 2), (3, 2), (5, 1), (2, 4), (3, 1))[seed % 5]
            system, trace = recorded(loaded, workers, steps=steps, seed=seed, late_ns=(0, 30, 200)[seed % 3])
            found.append(Subject(f"{name}/{seed}", loaded, system, trace))
    for run in runs:
        trace = read_trace(run / "trace.jsonl" if run.is_dir() else run)
        loaded = load(trace.header["architecture"])
        found.append(Subject(str(run), loaded, system_of_trace(loaded, trace), trace))
    return found


def verdict(subject: Subject, trace: Trace) -> Judgement:
    """The judge's answer within the budget."""
    return judge(
        subject.system,
        trace,
        path=subject.loaded.path,
        budget_moves=BUDGET_MOVES,
        budget_seconds=BUDGET_SECONDS,
    )


def answer(subject: Subject, tampered: Tampered) -> str:
    """What becomes of one tampered trace: rejected, legal, missed, false or budget."""
    found = verdict(subject, tampered.trace)
    if found.legal is None:
        return "budget"
    true = reference(subject, tampered, REFERENCE_STATES if found.legal is False else None)
    if found.legal:
        return "legal" if true else "missed"
    return "false" if true else "rejected"


def reference(subject: Subject, tampered: Tampered, states_max: int | None) -> bool | None:
    """Is it a legal trace in truth? None where that was not found out within some states."""
    lengths = tampered.trace.header["lengths"]
    if any(lengths[name] != len(log) for name, log in tampered.trace.actors.items()):
        return False
    try:
        return (
            legal(subject.system, tampered.trace, states_max) if states_max else legal(subject.system, tampered.trace)
        )
    except Unread:
        return False


def attempts(pool: Sequence[Subject], number: int) -> Iterator[tuple[Subject, Tampered, int]]:
    """So many tampered traces, all ways and all runs in turn; a way that does not fit what was drawn is drawn again."""
    ways, made, seed = list(WAYS), 0, 0
    while made < number:
        what, subject = ways[seed % len(ways)], pool[(seed // len(ways)) % len(pool)]
        tampered = tamper(subject.trace, what, seed)
        if tampered is not None and tampered.trace.actors != subject.trace.actors:
            made += 1
            yield subject, tampered, seed
        seed += 1


def campaign(pool: Sequence[Subject], number: int) -> dict[str, Row]:
    """Judge so many tampered traces; one row per way."""
    rows = {what: Row() for what in WAYS}
    for subject, tampered, seed in attempts(pool, number):
        begin = time.perf_counter()
        what = answer(subject, tampered)
        row = rows[tampered.what]
        row.seconds += time.perf_counter() - begin
        row.count["made"] += 1
        row.count[what] += 1
        if what in row.seeds:
            row.seeds[what].append(seed)
    return rows


COLUMNS = ("made", "rejected", "legal", "missed", "false", "budget")


def table(rows: dict[str, Row]) -> str:
    """The rows, their sum, and the seeds of every trace that was not rejected."""
    lines = ["".join([f"{'way':12}", *(f"{name:>10}" for name in COLUMNS), f"{'seconds':>10}"])]
    for what, row in rows.items():
        lines.append("".join([f"{what:12}", *(f"{row.count[name]:>10,}" for name in COLUMNS), f"{row.seconds:>10.1f}"]))
    total = {name: sum(row.count[name] for row in rows.values()) for name in COLUMNS}
    seconds = sum(row.seconds for row in rows.values())
    lines.append("".join([f"{'all':12}", *(f"{total[name]:>10,}" for name in COLUMNS), f"{seconds:>10.1f}"]))
    lies = total["made"] - total["legal"]
    lines.append(f"rejected {total['rejected']:,} of {lies:,} that are no legal traces: {share(rows):.3%}")
    for what, row in rows.items():
        lines.extend(f"{kind}, {what}: seeds {' '.join(map(str, seeds))}" for kind, seeds in row.seeds.items() if seeds)
    return "\n".join(lines)


def share(rows: dict[str, Row]) -> float:
    """The share of tampered traces rejected, those that are legal in truth apart."""
    made = sum(row.count["made"] - row.count["legal"] for row in rows.values())
    return sum(row.count["rejected"] for row in rows.values()) / made if made else 1.0


def main() -> int:
    """Print the table; 1 if an untouched trace is rejected, or less than 99.9 % of the others are."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("number", type=int, nargs="?", default=10_000)
    parser.add_argument("runs", type=Path, nargs="*")
    options = parser.parse_args()
    pool = subjects(options.runs)
    wrong = [subject.name for subject in pool if not verdict(subject, subject.trace).legal]
    print(f"untouched: {len(pool)} traces, {len(wrong)} rejected {', '.join(wrong)}".rstrip(), flush=True)
    rows = campaign(pool, options.number)
    print(table(rows))
    return int(bool(wrong) or share(rows) < 0.999 or any(row.seeds["false"] for row in rows.values()))


if __name__ == "__main__":
    sys.exit(main())
