"""Checking a skeleton: every interleaving of its threads, told in the lines and names of the C program.

Rules of this file: the checker is asked through its public function, with the text that a person would check by hand; a
defect that only the way of asking makes (threads that are left when the process ends, busy waiting) is no defect.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Any

from cllm_sim import checker, library
from cllm_sim.auditor.facts import Site
from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.skeleton.model import Broken, CheckOutcome, Skeleton, Step, Stuck
from cllm_sim.errors import CllmError
from cllm_sim.operations import CHOICE_NAMES

PROMISED = ("no deadlock", "no race", "sound use", "progress")
FOREIGN = (
    "control never computes", "own segment only", "exactly once", "fresh", "update before use", "twelvefold",
)  # fmt: skip
"""Promises that only a trainer of ours makes."""

MAIN = "0"
NOWHERE = Site("", 0)


def check(
    skeleton: Skeleton, workers: int = 2, budget_seconds: float = 20.0, max_states: int = 150_000
) -> CheckOutcome:
    """Every interleaving of a skeleton; `undecided` when a limit is hit before something is found."""
    if not skeleton.made:
        return CheckOutcome(workers, "undecided", 0, 0, False, 0.0, skeleton.refused)
    with tempfile.TemporaryDirectory(prefix="cllm-skeleton-") as folder:
        path = Path(folder) / "skeleton.py"
        path.write_text(skeleton.text, encoding="utf-8")
        try:
            result = checker.run(
                library.load(str(path)),
                workers=workers,
                reductions="partial-order",
                races="next",
                without=FOREIGN,
                budget_seconds=budget_seconds,
                max_states=max_states,
            ).data
        except CllmError as error:
            return CheckOutcome(workers, "undecided", 0, 0, False, 0.0, str(error).replace(folder, ""))
    if result["limit"]:
        result["limit"] = result["limit"].replace(folder, "").lstrip("/")
    return _outcome(skeleton, workers, result)


def _outcome(skeleton: Skeleton, workers: int, result: dict[str, Any]) -> CheckOutcome:
    told = Told(skeleton)
    rows = [row for row in result["broken"] if _counts(row)]
    doubtful = [row for row in rows if told.doubtful(row)]
    broken = tuple(told.broken(row) for row in rows if row not in doubtful)
    never = _never_started(skeleton, {row["line"] for row in result["unreached"]})
    complete = result["complete"] and not doubtful and not never
    verdict = "broken" if broken else "holds" if complete else "undecided"
    limit = result["limit"] or ("which lock or condition is meant is not always known" if doubtful else "")
    limit = limit or (f"{never} is never started, so its conditions were misread" if never else "")
    kinds = {one.kind for one in broken}
    promises = tuple(
        row if row["verdict"] != "broken" or row["class"] in kinds else {**row, "verdict": "holds", "class": None}
        for row in result["promises"]
    )
    return CheckOutcome(
        workers,
        verdict,
        result["states"],
        result["transitions"],
        complete,
        result["seconds"],
        limit,
        promises,
        broken,
    )


def _never_started(skeleton: Skeleton, unreached: set[int]) -> str:
    """A thread that nothing starts, though it is there: the guard against holding because nothing happens."""
    starts: dict[str, list[int]] = {}
    for number, line in enumerate(skeleton.text.split("\n"), 1):
        found = re.match(r"\s+yield (\w+)_start(\[.*\])?\.up\(\)  # ", line)
        if found is not None:
            starts.setdefault(found[1], []).append(number)
    return next((name for name, lines in starts.items() if all(line in unreached for line in lines)), "")


def _counts(row: dict[str, Any]) -> bool:
    """Is this a defect of the program? The end of the main thread ends all others; going round is no hang."""
    example = row["counterexample"]
    if example is None:
        return row["class"] in {"race", "lock-misuse"}
    if row["class"] in {"deadlock", "partial-deadlock"}:
        return not any(one["actor"] == MAIN for one in example["finished"])
    if row["class"] == "livelock":
        return example["no_way_back"] is not None
    return True


def _as_number(change: str) -> str:
    """The checker calls the numbers 1 to 3 by the names of a trainer's orders."""
    numbers = {f"→ {name}": f"→ {number}" for number, name in CHOICE_NAMES.items()}
    return numbers.get(change, change)


class Told:
    """Tells rows of the checker's result in the program's words."""

    def __init__(self, skeleton: Skeleton) -> None:
        self.skeleton = skeleton
        names = sorted({*skeleton.objects}, key=len, reverse=True)
        self._names = re.compile("|".join(rf"\b{re.escape(name)}(_\d+)*\b" for name in names)) if names else None
        actors = sorted(skeleton.actors, key=len, reverse=True)
        self._actors = re.compile("|".join(rf"(?<![\w.]){re.escape(name)}(?![\w.])" for name in actors if name != MAIN))

    def doubtful(self, row: dict[str, Any]) -> bool:
        """Does a defect rest on an object of which it is not known which of many it is?"""
        if row["class"] == "race" or not self.skeleton.vague:
            return False
        example = row["counterexample"] or {"stuck": []}
        named = {self._known(one["waits_for"]) for one in example["stuck"]} | set(re.findall(r"\w+", row["text"]))
        return any(name in self.skeleton.vague or self._known(name) in self.skeleton.vague for name in named)

    def broken(self, row: dict[str, Any]) -> Broken:
        """One broken promise."""
        example = row["counterexample"] or {"steps": [], "stuck": [], "schedule": ""}
        steps = tuple(self._step(step) for step in example["steps"])
        stuck = tuple(self._stuck(one) for one in example["stuck"])
        first, other, locations = self._sides(row, example, stuck)
        return Broken(
            row["class"],
            self._message(row, example, stuck),
            first,
            other,
            locations,
            example["schedule"],
            steps,
            stuck,
            self._spurious(example),
        )

    def _sides(
        self, row: dict[str, Any], example: dict[str, Any], stuck: tuple[Stuck, ...]
    ) -> tuple[Site, Site | None, tuple[Location, ...]]:
        race = example.get("race")
        if race:
            one, two = race["accesses"]
            locations = self.skeleton.locations.get(self._known(race["object"]), ())
            return self.site(one["line"]), self.site(two["line"]), locations
        if stuck:
            return stuck[0].site, (stuck[1].site if len(stuck) > 1 else None), ()
        return self.site(row["line"]), None, ()

    def _known(self, name: str) -> str:
        """The object that a name of the checker is an element of."""
        while name not in self.skeleton.objects and "_" in name:
            name = name.rpartition("_")[0]
        return name

    def site(self, line: int) -> Site:
        """The line of C that a line of the skeleton comes from."""
        found = self.skeleton.lines.get(line)
        return found.site if found is not None else NOWHERE

    def actor(self, name: str) -> str:
        """The thread that an actor is."""
        return self.skeleton.actors.get(name, name)

    def words(self, text: str) -> str:
        """A text of the checker with the program's names."""
        if self._names is not None:
            text = self._names.sub(self._object, text)
        text = self._actors.sub(lambda found: self.actor(found[0]), text) if len(self.skeleton.actors) > 1 else text
        return re.sub(r"(?<=by )0\b|(?<=\()0(?=[,)])|(?<=, )0(?=[,)])|^0(?= )", "main", text)

    def _object(self, found: re.Match[str]) -> str:
        name = self._known(found[0])
        label = self.skeleton.objects.get(name, (found[0], None))[0]
        number = found[0][len(name) :].strip("_").replace("_", "][")
        return f"{label}[{number}]" if number else label

    def _step(self, step: dict[str, Any]) -> Step:
        changes = tuple(self.words(_as_number(change)) for change in step["changes"])
        return Step(self.actor(step["actor"]), self.words(step["op"]), self.site(step["line"]), changes)

    def _stuck(self, row: dict[str, Any]) -> Stuck:
        waits = row["waits_for"]
        waits = self.actor(waits) if waits in self.skeleton.actors else self.words(waits)
        needs = self.words(row["needs"])
        return Stuck(self.actor(row["actor"]), waits, needs, self.site(row["line"]))

    def _message(self, row: dict[str, Any], example: dict[str, Any], stuck: tuple[Stuck, ...]) -> str:
        if row["class"] in {"deadlock", "partial-deadlock"} and stuck:
            who = "; ".join(f"{one.actor} waits for {one.waits_for} at {one.site}" for one in stuck)
            return f"{who} (after {len(example['steps'])} steps)"
        return self.words(row["text"])

    def _spurious(self, example: dict[str, Any]) -> tuple[tuple[str, Site], ...]:
        """The choices on the way that stand for conditions or values of the program that could not be followed."""
        found: dict[tuple[str, Site], None] = {}
        for step in example["steps"]:
            choice = self.skeleton.choices.get(step["line"])
            if choice and step["op"] == "choose" and choice not in {"asks again", "goes round again"}:
                found.setdefault((choice, self.site(step["line"])), None)
        return tuple(found)
