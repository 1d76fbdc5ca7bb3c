"""The interface process in a form that a person can read, and in one by which two of them can be compared.

Rules of this file: it reads an interface whose assumption is complete; tags and ghost values are left out of the
listing (two states that differ only in them are one row) and kept in the signature.
"""

from typing import Any

from cllm_sim.induction.actions import DELIVER, STEP_ENDS
from cllm_sim.induction.explore import told
from cllm_sim.induction.interface import ENDS, Interface
from cllm_sim.operations import CHOICE_NAMES
from cllm_sim.semantics import READ

Group = tuple[int, int]
"""Where the leaf's text stands, and whether it has arrived."""


def _reached(interface: Interface) -> list[int]:
    """The states that some parent leads to, nearest first."""
    found = [interface.start]
    for state in found:
        for answer in sorted(interface.given[state]):
            following = interface.step(state, answer)
            if following not in found:
                found.append(following)
    return found


def signature(interface: Interface) -> object:
    """Everything about an interface that another one of the same design must share."""
    reached = _reached(interface)
    number = {state: position for position, state in enumerate(reached)}
    return tuple(
        (
            interface.offers[state],
            interface.claims[state],
            tuple((answer, number[interface.step(state, answer)]) for answer in sorted(interface.given[state])),
        )
        for state in reached
    )


def _group(interface: Interface, state: int) -> Group:
    situation, phase, _ = interface.worlds[state].node
    return situation, phase


def listing(interface: Interface) -> list[dict[str, Any]]:
    """One row per position of the leaf: the action, its line, what comes next per answer, may the step end here."""
    reached = _reached(interface)
    rows: dict[Group, int] = {}
    for state in reached:
        rows.setdefault(_group(interface, state), len(rows) + 1)
    found = []
    for group, number in rows.items():
        members = [state for state in reached if _group(interface, state) == group]
        found.append(_row(interface, members, number, rows))
    return _merged(found)


def _merged(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows that say the same are one (a text may stand at the same line with different old values)."""
    while True:
        first: dict[str, int] = {}
        same: dict[int, int] = {}
        for row in rows:
            said = repr([value for name, value in row.items() if name != "number"])
            same[row["number"]] = first.setdefault(said, row["number"])
        if len(first) == len(rows):
            break
        rows = [row for row in rows if same[row["number"]] == row["number"]]
        for row in rows:
            row["next"] = {said: same[number] for said, number in row["next"].items()}
    numbers = {row["number"]: position for position, row in enumerate(rows, 1)}
    for row in rows:
        row["number"] = numbers[row["number"]]
        row["next"] = {said: numbers[number] for said, number in row["next"].items()}
    return rows


def _row(interface: Interface, members: list[int], number: int, rows: dict[Group, int]) -> dict[str, Any]:
    first = members[0]
    place = interface.place(first)
    following: dict[str, int] = {}
    for state in members:
        for answer in sorted(interface.given[state]):
            if answer != STEP_ENDS:
                name = CHOICE_NAMES.get(answer.reply)
                said = f"{answer.reply} ({name})" if name else str(answer.reply)
                following[said] = rows[_group(interface, interface.step(state, answer))]
    one = len(set(following.values())) <= 1
    action = interface.offers[first]
    return {
        "number": number,
        "action": told(action) + (", with the tag of the order" if action.deed == DELIVER else ""),
        "reads": sorted(name for name, mode in interface.claims[first] if mode == READ and name not in action.on),
        "next": {"": next(iter(following.values()))} if one and following else following,
        "step_may_end": any(STEP_ENDS in interface.given[state] for state in members),
        "finished": action == ENDS,
        "path": place.path,
        "line": place.line,
    }
