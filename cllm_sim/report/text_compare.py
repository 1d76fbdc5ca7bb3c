"""A comparison on the terminal: verdict in one sentence, table, notes, differences, and what is broken how.

Rules of this file: the same cells as on the page (`tables`, `headline`), laid out without frames.
"""

import json

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from cllm_sim.report import tables
from cllm_sim.report.commands import replay_command
from cllm_sim.report.headline import headline
from cllm_sim.report.lines import Data, blank, line, rows, whole, width
from cllm_sim.report.quantities import MISSING
from cllm_sim.report.shape import Comparison, read_comparison
from cllm_sim.results import RunResult

UNLIMITED = 1_000
VERDICT_WIDTH = 14
TONES = {"": "", "good": "green", "bad": "bold red", "open": "yellow"}
LEFT_OUT = ("record", "speed\u2011up", "weights", "loss", "error")
"""Columns that a narrow window does without, in this order; the notes below the table say what matters of them."""


def render_compare(data: Data, console: Console) -> None:
    """Show a comparison."""
    comparison = read_comparison(json.loads(RunResult(data).to_json()))
    line(console, headline(comparison), "bold")
    blank(console)
    _table(comparison, console)
    told = tables.notes(comparison)
    if told:
        blank(console)
        rows(console, [("-", note) for note in told])
    pairs = tables.pair_lines(comparison)
    if pairs:
        blank(console)
        rows(console, [(pair, wording, f"(ratio {interval})" if interval else "") for pair, wording, interval in pairs])
    _broken(comparison, console)
    if data.get("output"):
        blank(console)
        whole(console, f"look at it:  {data['output']}/index.html")


def _table(comparison: Comparison, console: Console) -> None:
    """The table, without the columns that the window has no room for."""
    whole_table = tables.table(comparison)
    left_out: set[str] = set()
    table = _drawn(whole_table, left_out)
    for title in LEFT_OUT:
        if Measurement.get(console, console.options.update(width=UNLIMITED), table).maximum <= width(console):
            break
        left_out.add(title)
        table = _drawn(whole_table, left_out)
    console.print(table, width=width(console))


def _drawn(found: tables.Table, left_out: set[str]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0), pad_edge=False)
    kept = [number for number, column in enumerate(found.columns) if column.title not in left_out]
    for number in kept:
        verdict = found.columns[number].title == "verdict"
        table.add_column(no_wrap=not verdict, max_width=VERDICT_WIDTH if verdict else None, overflow="fold")
    table.add_row(*(Text(found.columns[number].title, style="bold") for number in kept))
    for row in found.rows:
        table.add_row(*(_cell(row[number]) for number in kept))
    return table


def _cell(cell: tables.Cell) -> Text:
    text = Text(cell.main if cell.main != MISSING or not cell.detail else "", style=TONES[cell.tone])
    if cell.detail:
        text.append(f"\n{cell.detail}", style="dim")
    return text


def _broken(comparison: Comparison, console: Console) -> None:
    for example in comparison.stories:
        blank(console)
        title = " ".join(part for part in (example.architecture, example.defect) if part)
        line(console, f"{title}: {example.text}")
        command = replay_command(example)
        if command:
            whole(console, f"walk through it:  {command}")
