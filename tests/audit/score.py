"""`make audit-score`: precision and recall of the rules over the corpus, per code, and every miss and false alarm.

A finding is a hit when it has the code of an expected one and shares a line with it; further findings of the same
defect are neither; allowed ones are neither. Rules of this file: texts are audited without comments.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from cllm_sim.auditor.findings import Finding
from cllm_sim.auditor.judging import judge

from tests.audit.auditing import analysed
from tests.audit.markers import Program, programs

GOAL = 0.95

FALSE_ALARMS = {"h_rwreg": "a lock guard written as a macro around `for` is not opened, so the lock is not seen"}
"""Clean programs that are known to have a finding; the score counts it as false all the same."""


@dataclass(slots=True)
class Score:
    """What one program, or all of them, came to."""

    hits: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    false: Counter[str] = field(default_factory=Counter)
    allowed: int = 0
    notes: list[str] = field(default_factory=list)

    def add(self, other: Score) -> None:
        """Take another score in."""
        self.hits += other.hits
        self.missed += other.missed
        self.false += other.false
        self.allowed += other.allowed
        self.notes += other.notes

    @property
    def precision(self) -> float:
        """The share of findings that are right."""
        return _share(self.hits.total(), self.false.total())

    @property
    def recall(self) -> float:
        """The share of defects that were found."""
        return _share(self.hits.total(), self.missed.total())


def _share(good: int, bad: int) -> float:
    return good / (good + bad) if good + bad else 1.0


def lines_of(finding: Finding) -> set[tuple[str, int]]:
    """All lines a finding shows."""
    sites = [finding.site, *(note.site for note in finding.notes)]
    return {(site.path, site.line) for site in sites}


def score(program: Program) -> Score:
    """The score of one program."""
    findings, _ = judge(analysed(program.bare(), program.bind))
    result = Score()
    explained: set[int] = set()
    for one in program.expected:
        matching = [i for i, f in enumerate(findings) if f.code == one.code and lines_of(f) & one.lines]
        explained.update(matching)
        if matching:
            result.hits[one.code] += 1
        else:
            result.missed[one.code] += 1
            result.notes.append(f"MISSED {program.name} {one.code} at {_shown(one.lines)}")
    for index, finding in enumerate(findings):
        if index in explained:
            continue
        allowed = {(finding.code, *line) for line in lines_of(finding)} & program.allowed
        if allowed or finding.code in program.allowed_anywhere:
            result.allowed += 1
        else:
            result.false[finding.code] += 1
            result.notes.append(f"FALSE  {program.name} {finding.site} {finding.code} {finding.message}")
    return result


def _shown(lines: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{path}:{line}" for path, line in sorted(lines))


def main(arguments: list[str]) -> int:
    """Score the whole corpus, or the programs whose names begin like the arguments."""
    total = Score()
    chosen = [one for one in programs() if not arguments or one.name.startswith(tuple(arguments))]
    for program in chosen:
        total.add(score(program))
    print("\n".join(total.notes))
    codes = sorted({*total.hits, *total.missed, *total.false})
    print(f"\n{'code':8}{'found':>7}{'missed':>8}{'false':>7}")
    for code in codes:
        print(f"{code:8}{total.hits[code]:7}{total.missed[code]:8}{total.false[code]:7}")
    clean = sum(one.clean for one in chosen)
    print(f"\n{len(chosen)} programs ({clean} clean), {total.allowed} allowed consequences")
    print(f"precision {total.precision:.1%}   recall {total.recall:.1%}   (asked: at least {GOAL:.0%} each)")
    return 0 if total.precision >= GOAL and total.recall >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
