"""The table of a comparison, cell by cell, for the page and for the terminal alike.

A cell has one main line and one detail line under it (a spread, a noise floor, what a verdict is about); its tone is
a word that each medium turns into a look. A column in which no row has anything to say is left out. Rules of this
file: words and numbers, no layout.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from cllm_sim.report.quantities import MISSING, between, bits, counted, listed, milliseconds, percent, short_digest
from cllm_sim.report.shape import Change, Comparison, Row

Tone = Literal["", "good", "bad", "open"]


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in one place of the table."""

    main: str = MISSING
    detail: str = ""
    tone: Tone = ""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its head, and what it says about a row."""

    title: str
    detail: str
    cell: Callable[[Comparison, Row], Cell]


@dataclass(frozen=True, slots=True)
class Table:
    """The table that is shown: columns in order, and the cells of every row."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]


def table(comparison: Comparison) -> Table:
    """All columns that at least one row has something to say in."""
    filled = {column: [column.cell(comparison, row) for row in comparison.rows] for column in COLUMNS}
    filled = {column: cells for column, cells in filled.items() if any(cell.main != MISSING for cell in cells)}
    return Table(tuple(filled), tuple(zip(*filled.values(), strict=True)))


# -------------------------------------------------------------------------------------------------------------- cells
def _architecture(comparison: Comparison, row: Row) -> Cell:
    if row.architecture in comparison.alone:
        return Cell(row.architecture, "one process")
    depth = f", depth {row.depth}" if row.depth > 1 else ""
    return Cell(row.architecture, f"{counted(row.workers, 'worker')}{depth}" if row.workers else "")


def _verdict(_: Comparison, row: Row) -> Cell:
    smaller = row.verdict_workers if row.verdict_workers not in (None, row.workers) else None
    scope = f" (with {smaller})" if smaller else ""
    if row.verdict == "broken":
        told = listed(row.classes) + scope
        return Cell("broken", f"as marked: {told}", "bad") if row.marked_broken else Cell("BROKEN", told, "bad")
    if row.verdict == "undecided":
        known = f"holds with {row.holds_completely_with}" if row.holds_completely_with else "a limit was reached"
        return Cell("undecided", known, "open")
    if row.verdict == "holds":
        return Cell("holds", (counted(row.states, "state") if row.states else "") + scope, "good")
    return Cell()


def _waiters(_: Comparison, row: Row) -> Cell:
    if row.contention_max is None:
        return Cell()
    if not row.contention_exact:
        return Cell(f"≥ {row.contention_max}", "seen so far", "open")
    return Cell(str(row.contention_max) if row.contention_max else "none", "")


def _predicted(_: Comparison, row: Row) -> Cell:
    return Cell(milliseconds(row.predicted_ms), between(*(row.predicted_interval_ms or (None, None))))


def _measured(_: Comparison, row: Row) -> Cell:
    if row.failures:
        runs = counted(len(row.failures), "run")
        return Cell(milliseconds(row.measured_ms.median if row.measured_ms else None), f"{runs} failed", "bad")
    if row.measured_ms is None:
        return Cell()
    return Cell(milliseconds(row.measured_ms.median), between(row.measured_ms.p05, row.measured_ms.p95))


def _error(_: Comparison, row: Row) -> Cell:
    noise = (
        f"noise\u00a0{percent(row.noise_floor_pct)}".replace(" ", "\u00a0") if row.noise_floor_pct is not None else ""
    )
    return Cell(percent(row.error_pct, signed=True), noise)


def _speedup(_: Comparison, row: Row) -> Cell:
    if not row.speedup_vs_serial:
        return Cell()
    low, high = row.speedup_interval or (None, None)
    spread = f"{low:.2f}–{high:.2f}" if low is not None and high is not None else ""
    return Cell(f"{row.speedup_vs_serial:.2f}x", spread)


def _loss(_: Comparison, row: Row) -> Cell:
    change = row.heldout_bits_per_byte or row.loss
    if change is None:
        return Cell()
    return Cell(bits(change.last), _from(change), "bad" if _lost(row, change) else "")


def _from(change: Change) -> str:
    return f"from\u00a0{bits(change.first)}" if change.first is not None else ""


def _lost(row: Row, change: Change) -> bool:
    """Did training go wrong? (No number at the end, or gradients that were none on the way.)"""
    return bits(change.last) in ("NaN", MISSING) or any(row.nonfinite_steps)


def _digest(_: Comparison, row: Row) -> Cell:
    different = row.different_digests
    if not different:
        return Cell()
    if len(different) > 1:
        return Cell(f"{len(different)} different", f"in {len(row.digests)} runs", "bad")
    runs = len([digest for digest in row.digests if digest])
    return Cell(short_digest(different[0]), f"in all {runs} runs" if runs > 1 else "", "")


def _legal(_: Comparison, row: Row) -> Cell:
    if row.legal is None:
        return Cell()
    return Cell("legal", "", "good") if row.legal else Cell("ILLEGAL", "", "bad")


COLUMNS = (
    Column("architecture", "", _architecture),
    Column("verdict", "all interleavings", _verdict),
    Column("waiters", "most at one lock", _waiters),
    Column("predicted", "95 % interval", _predicted),
    Column("measured", "5 to 95 %", _measured),
    Column("error", "beside the noise", _error),
    Column("speed\u2011up", "over serial", _speedup),
    Column("loss", "bits per byte", _loss),
    Column("weights", "digest", _digest),
    Column("record", "judged", _legal),
)


# -------------------------------------------------------------------------------------------------------------- notes
def notes(comparison: Comparison) -> list[str]:
    """What the table leaves unsaid: which digests, which steps were not finite, what was predicted how well."""
    told = [
        _weights(comparison, row)
        for row in comparison.rows
        if len(row.different_digests) > 1 or any(row.nonfinite_steps)
    ]
    told += [f"{comparison.label(row)}: {failure}" for row in comparison.rows for failure in row.failures]
    told += _shared_digest(comparison)
    told += _prediction(comparison)
    if comparison.bigram_bits_per_byte is not None:
        told.append(f"the text's own bigram entropy is {bits(comparison.bigram_bits_per_byte)} bits per byte")
    told += [
        f"{item.architecture} with {counted(item.workers, 'worker')} became {percent(item.growth_pct)} slower than the "
        "baseline"
        for item in comparison.regressions
    ]
    return told


def _weights(comparison: Comparison, row: Row) -> str:
    runs = counted(len(row.digests), "run")
    different = row.different_digests
    digests = f"{counted(len(different), 'digest')} in {runs} ({', '.join(map(short_digest, different))})"
    steps = [MISSING if steps is None else str(steps) for steps in row.nonfinite_steps]
    lost = f"; steps with NaN or Inf: {listed(steps)}" if any(row.nonfinite_steps) else ""
    return f"{comparison.label(row)}: {digests}{lost}"


def _shared_digest(comparison: Comparison) -> list[str]:
    """Who ended with the same bits."""
    alike: dict[str, list[Row]] = {}
    for row in comparison.rows:
        if len(row.different_digests) == 1:
            alike.setdefault(row.different_digests[0], []).append(row)
    told = []
    for digest, rows in alike.items():
        runs = sum(max(1, len([one for one in row.digests if one])) for row in rows)
        if runs > 1:
            names = listed(list(dict.fromkeys(row.architecture for row in rows)))
            told.append(f"{names}: one digest in all {runs} runs ({short_digest(digest)})")
    return told


def _prediction(comparison: Comparison) -> list[str]:
    told = []
    if comparison.median_error_pct is not None:
        told.append(f"the median error of the predicted step time is {percent(comparison.median_error_pct)}")
    if comparison.inversions:
        pairs = [f"{item.a} and {item.b} with {item.workers} workers" for item in comparison.inversions]
        told.append(f"ranked the wrong way round by the prediction: {listed(pairs)}")
    elif (
        comparison.inversions is not None and len({row.architecture for row in comparison.rows if row.predicted_ms}) > 1
    ):
        told.append("the prediction ranks no pair the wrong way round beyond twice the noise")
    return told


def pair_lines(comparison: Comparison) -> list[tuple[str, str, str]]:
    """Every pair: who against whom, the words, and the interval of the ratio."""
    several = len({pair.workers for pair in comparison.pairs}) > 1
    lines = []
    for pair in comparison.pairs:
        scope = f", {counted(pair.workers, 'worker')}" if several else ""
        low, high = pair.interval or (None, None)
        interval = f"{low:.2f} to {high:.2f}" if low is not None and high is not None else ""
        lines.append((f"{pair.a} against {pair.b}{scope}", pair.wording or MISSING, interval))
    return lines


def broken_unexpectedly(rows: Sequence[Row]) -> list[Row]:
    """Rows that are broken although their file does not say so."""
    return [row for row in rows if row.verdict == "broken" and not row.marked_broken]
