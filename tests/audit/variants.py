"""`make audit-score`, second part: recall over variants of the clean programs, broken by operators.

A variant counts as found when a finding has one of its operator's codes; the clean program it comes from has none.
Rules of this file: variants are made, not stored; equal corpora give equal variants.
"""

from __future__ import annotations

import sys
from collections import Counter

from tests.audit.auditing import found
from tests.audit.markers import programs
from tests.audit.operators import OPERATORS, Files, Operator

RECALL_MIN = 0.9
VARIANTS_MIN = 200

ELEMENTS = "locks of many elements have one name, and which of them is held is not told apart"
BUILDS = "only one of two builds (#ifdef) has the wrong count"
ORDER = "which neighbours' elements meet is arithmetic that is not followed"
NOT_FOUND = {
    ("b_phase_shared", "drop a barrier wait"): ORDER,
    ("b_two_builds", "count one too large"): BUILDS,
    ("b_two_builds", "count one too small"): BUILDS,
    ("h_dining", "drop an unlock"): ELEMENTS,
    ("h_dining", "drop all locking"): ELEMENTS,
    ("h_futures", "drop an unlock"): ELEMENTS,
    ("h_futures", "destroy before the join"): ELEMENTS,
    ("l_ordered_accounts", "drop an unlock"): ELEMENTS,
    ("l_ordered_accounts", "drop all locking"): ELEMENTS,
    ("l_work_handoff", "drop an unlock"): ELEMENTS,
    ("m_param_store", "accumulate before the wait"): "memory of a mapped region behind a function's result",
}
"""Variants that are known not to be found (some of each pair), and why; everything else is found."""


def all_variants() -> list[tuple[str, Operator, str, Files]]:
    """Every variant: the program's name, the operator, the place and the broken files."""
    return [
        (program.name, operator, variant.place, variant.files)
        for program in programs()
        if program.clean
        for operator in OPERATORS
        for variant in operator.variants(program.bare())
    ]


def is_found(operator: Operator, files: Files, bind: dict[str, tuple[str, ...]] | None = None) -> bool:
    """Does the auditor report a variant?"""
    return any(one.code in operator.codes for one in found(files, bind=bind))


def main() -> int:
    """Audit all variants; print recall per operator and every miss."""
    made, seen = Counter[str](), Counter[str]()
    binds = {program.name: program.bind for program in programs()}
    for name, operator, place, files in all_variants():
        made[operator.name] += 1
        if is_found(operator, files, binds[name]):
            seen[operator.name] += 1
        else:
            print(f"MISSED {name} {place}: {operator.name}")
    print(f"\n{'operator':28}{'variants':>9}{'found':>7}{'recall':>8}")
    for operator in OPERATORS:
        number = made[operator.name]
        share = seen[operator.name] / number if number else 1.0
        print(f"{operator.name:28}{number:9}{seen[operator.name]:7}{share:8.0%}")
    recall = seen.total() / max(made.total(), 1)
    print(f"\n{made.total()} variants, recall {recall:.1%}   (asked: at least {VARIANTS_MIN} variants)")
    return 0 if recall >= RECALL_MIN and made.total() >= VARIANTS_MIN else 1


if __name__ == "__main__":
    sys.exit(main())
