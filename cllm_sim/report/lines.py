"""How results look on a terminal: headings, indented facts, tables without frames, and steps of a counterexample.

Every line fits `WIDTH_MAX` columns (a path or a command that has to be copied is never broken). The words say
everything; colour only repeats them: red for broken, yellow for undecided, green for holds, dim for what changed
nothing. Rules of this file: layout only; nothing is interpreted as markup, because names and texts come from users.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cllm_sim.report.naming import actor_labels, place
from cllm_sim.report.quantities import counted

WIDTH_MAX = 100
MARGIN = 2
WORD = 9
PLACE_MAX = 32
STYLES = {"holds": "green", "BROKEN": "bold red", "ILLEGAL": "bold red", "undecided": "yellow", "stuck": "red"}
Data = Mapping[str, Any]


def width(console: Console) -> int:
    """Columns that are used: those of the window, but never more than can be read."""
    return min(WIDTH_MAX, console.width)


def line(console: Console, text: str, style: str = "") -> None:
    """One line or paragraph, broken between words."""
    console.print(Text(text, style=style), width=width(console))


def whole(console: Console, text: str, style: str = "") -> None:
    """One line that is never broken: a command to copy, a path."""
    console.print(Text(text, style=style), soft_wrap=True, overflow="ignore", crop=False)


def blank(console: Console) -> None:
    """An empty line."""
    console.print()


def heading(console: Console, data: Data, *more: str) -> None:
    """The name, and what the result speaks about."""
    scope = data.get("scope") or {}
    steps = scope.get("steps")
    parts = [
        actors(scope, alone=data.get("processes") == 1),
        f"depth {scope['depth']}" if (scope.get("depth") or 1) > 1 else "",
        counted(steps, "step") if steps else "any number of steps" if data.get("verb") == "check" else "",
        *more,
        f"seed {data['seed']}" if data.get("seed") is not None else "",
        f"{scope['memory']} memory" if data.get("verb") == "check" and scope.get("memory") else "",
    ]
    row = _grid()
    row.add_row(
        Text(str(data.get("architecture") or ""), style="bold"), Text(", ".join(part for part in parts if part))
    )
    console.print(row, width=width(console))


def who_of(data: Data) -> str:
    """Whom a check result speaks about: `1 control + 2 workers`, `a single actor`, `any depth`."""
    if data.get("any_depth") and not (data.get("scope") or {}).get("workers"):
        return "any depth"
    return actors(data.get("scope") or {}, alone=data.get("processes") == 1) or "a single actor"


def depth_of(data: Data) -> int:
    """Levels below the root: 0 for a single actor."""
    scope = data.get("scope") or {}
    depth: int | None = scope.get("depth")
    return depth if depth is not None else 1 if scope.get("workers") else 0


def actors(scope: Data, alone: bool = False) -> str:
    """`1 control + 12 workers`."""
    workers = scope.get("workers")
    if alone or not workers:
        return "a single actor" if alone else ""
    return (
        f"1 control + {counted(workers, 'worker')}"
        if (scope.get("depth") or 1) == 1
        else f"{workers} workers a control"
    )


def fact(console: Console, word: str, *texts: str, style: str = "") -> None:
    """An indented line that begins with a word: `  holds     no deadlock, no race`; more texts stand below."""
    row = _grid(pad=(0, 0))
    row.add_column(width=MARGIN)
    row.add_column(width=max(WORD, len(word)) + 1, no_wrap=True)
    row.add_column()
    for number, text in enumerate(texts or ("",)):
        row.add_row("", Text(word if not number else "", style=STYLES.get(word, style)), Text(text, style=style))
    console.print(row, width=width(console))


def rows(console: Console, found: Iterable[Sequence[str]], indent: int = MARGIN, styles: Sequence[str] = ()) -> None:
    """Columns that line up; the last one is broken between words."""
    table = _grid()
    cells = [list(row) for row in found]
    if not cells:
        return
    table.add_column(width=max(0, indent - 2))
    for column in range(len(cells[0])):
        last = column == len(cells[0]) - 1
        table.add_column(no_wrap=not last, overflow="fold", style=styles[column] if column < len(styles) else "")
    for row in cells:
        table.add_row("", *(Text(cell) for cell in row))
    console.print(table, width=width(console))


def _grid(pad: tuple[int, int] = (0, 2)) -> Table:
    return Table.grid(padding=(0, pad[1], 0, pad[0]), pad_edge=False)


# ---------------------------------------------------------------------------------------------------- counterexamples
def steps(console: Console, example: Data, depth: int) -> None:
    """The numbered steps of a counterexample in a tree so deep, with the line at which the way back ended."""
    found: Sequence[Data] = example.get("steps") or ()
    labels = actor_labels([step["actor"] for step in found], depth)
    widths = _widths(found, labels)
    back = example.get("no_way_back")
    if back == 0 and found:
        _no_way_back(console)
    for start, end in _parts(len(found), back):
        table = _grid()
        table.add_column(width=3, justify="right")
        table.add_column(width=widths[0], no_wrap=True)
        table.add_column(width=widths[1], no_wrap=True)
        table.add_column(width=widths[2], overflow="fold")
        table.add_column(overflow="fold")
        for number in range(start, end):
            step = found[number]
            dim = "" if step.get("changes") or step.get("faults") else "dim"
            cells = (
                str(number + 1),
                labels[step["actor"]],
                short_place(step.get("path", ""), step.get("line")),
                step.get("op", ""),
            )
            table.add_row(*(Text(cell, style=dim) for cell in cells), _changes(step))
        console.print(table, width=width(console))
        if back and end == back:
            _no_way_back(console)


def short_place(path: str, number: int | None) -> str:
    """`file:line`, a long name without its middle, the line always."""
    whole_place = place(path, number)
    if len(whole_place) <= PLACE_MAX:
        return whole_place
    tail = f":{number}" if number else ""
    return f"{whole_place[: PLACE_MAX - len(tail) - 1]}…{tail}"


def _parts(count: int, back: int | None) -> list[tuple[int, int]]:
    return [(0, back), (back, count)] if back and back < count else [(0, count)]


def _widths(found: Sequence[Data], labels: Mapping[str, str]) -> tuple[int, int, int]:
    names = max((len(labels[step["actor"]]) for step in found), default=0)
    places = max((len(place(step.get("path", ""), step.get("line"))) for step in found), default=0)
    operations = max((len(step.get("op", "")) for step in found), default=0)
    return names, min(places, PLACE_MAX), min(operations, 30)


def changes_of(step: Data) -> str:
    """What a step changed; a notify that nobody hears changes nothing, and that is worth a word."""
    changed = step.get("changes") or ()
    deaf = not changed and str(step.get("op", "")).startswith("notify")
    return "wakes nobody" if deaf else ", ".join(changed)


def _changes(step: Data) -> Text:
    text = Text(changes_of(step))
    for fault in step.get("faults") or ():
        text.append(f"{chr(10) if text.plain else ''}{fault['class']}: {fault['text']}", style="bold red")
    return text


def _no_way_back(console: Console) -> None:
    line(console, "  ──  no way back: every continuation from here ends badly  ──", "bold")


def stuck(console: Console, found: Sequence[Data], depth: int) -> None:
    """Who cannot go on in a tree so deep, where, and what would have to happen."""
    labels = actor_labels([row["actor"] for row in found], depth)
    table = _grid()
    table.add_column(width=MARGIN - 2)
    for last in (False, False, False, True):
        table.add_column(no_wrap=not last, overflow="fold")
    for number, row in enumerate(found):
        needs = f": needs {row['needs']}" if row.get("needs") else ""
        cells = (
            labels[row["actor"]],
            place(row.get("path", ""), row.get("line")),
            f"waits for {row['waits_for']}{needs}",
        )
        table.add_row("", Text("" if number else "stuck", style=STYLES["stuck"]), *(Text(cell) for cell in cells))
    console.print(table, width=width(console))
