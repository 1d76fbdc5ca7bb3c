"""The verdict of a whole comparison in one sentence, made of what its rows say and of nothing else.

Rules of this file: what went wrong unexpectedly comes first; a median is told with its spread; nothing is claimed for
a scope that was not looked at.
"""

from collections.abc import Sequence

from cllm_sim.report.quantities import counted, listed, rounded
from cllm_sim.report.shape import Comparison, Pair, Row, SubjectType
from cllm_sim.report.tables import broken_unexpectedly

NAMES_MAX = 4


def headline(comparison: Comparison) -> str:
    """One sentence: who holds, who is broken, who is open, and what the fastest of those that hold costs."""
    parts = [
        part for part in (_wrong(comparison), _holding(comparison), _broken(comparison), _open(comparison)) if part
    ]
    cost = _cost(comparison)
    if not parts and not cost:
        return "Nothing was compared."
    sentence = "; ".join([*parts, cost] if cost else parts)
    named = any(sentence.startswith(name) for name in comparison.architectures)  # a name keeps its own spelling
    return f"{sentence if named else sentence[0].upper() + sentence[1:]}."


def _names(rows: Sequence[Row]) -> str:
    names = list(dict.fromkeys(row.architecture for row in rows))
    if len(names) > NAMES_MAX:
        return f"{', '.join(names[:NAMES_MAX])} and {len(names) - NAMES_MAX} more"
    return listed(names)


def _wrong(comparison: Comparison) -> str:
    broken = broken_unexpectedly(comparison.rows)
    illegal = [row for row in comparison.rows if row.legal is False]
    failed = [row for row in comparison.rows if row.failures and not row.marked_broken]
    told = []
    if broken:
        told.append(
            f"{_told_broken(broken)}, and nothing in its file says so" if len(broken) == 1 else _told_broken(broken)
        )
    if illegal:
        told.append(f"what {_names(illegal)} really did is no legal behaviour of its text")
    if failed:
        told.append(f"runs of {_names(failed)} failed")
    if comparison.regressions:
        told.append(f"{_names_of(comparison.regressions)} became slower than the baseline")
    return "; ".join(told)


def _names_of(items: Sequence[SubjectType]) -> str:
    return listed(list(dict.fromkeys(item.architecture for item in items)))


def _holding(comparison: Comparison) -> str:
    holding = [row for row in comparison.rows if row.verdict == "holds"]
    if not holding:
        return ""
    names = list(dict.fromkeys(row.architecture for row in holding))
    verb = "holds" if len(names) == 1 else "hold"
    scope = _scope(comparison, holding)
    return f"{_names(holding)} {verb} in every interleaving{scope}"


def _scope(comparison: Comparison, rows: Sequence[Row]) -> str:
    counts = sorted({row.workers for row in rows if row.architecture not in comparison.alone})
    return f" with {listed([str(count) for count in counts])} worker{'s' if counts != [1] else ''}" if counts else ""


def _told_broken(rows: Sequence[Row]) -> str:
    return listed(
        [
            f"{name} is broken ({listed(_classes(rows, name))})"
            for name in dict.fromkeys(row.architecture for row in rows)
        ]
    )


def _classes(rows: Sequence[Row], name: str) -> list[str]:
    return list(dict.fromkeys(found for row in rows if row.architecture == name for found in row.classes)) or [
        "no class told"
    ]


def _broken(comparison: Comparison) -> str:
    marked = [row for row in comparison.rows if row.verdict == "broken" and row.marked_broken]
    return _told_broken(marked) if marked else ""


def _open(comparison: Comparison) -> str:
    open_rows = [row for row in comparison.rows if row.verdict == "undecided"]
    if not open_rows:
        return ""
    known = sorted({row.holds_completely_with for row in open_rows if row.holds_completely_with})
    smaller = f", and holds with {listed([str(count) for count in known])}" if known else ""
    return f"{_names(open_rows)} is undecided within the limits{_scope(comparison, open_rows)}{smaller}"


def _cost(comparison: Comparison) -> str:
    """What the fastest sound design costs, and how that compares."""
    sound = [row for row in comparison.rows if not row.marked_broken and row.verdict in ("holds", "undecided", None)]
    widest = max((row.workers for row in sound if row.architecture not in comparison.alone), default=0)
    measured = [
        row for row in sound if row.measured_ms and row.workers == widest and row.architecture not in comparison.alone
    ]
    if not measured:
        return _predicted_cost([row for row in sound if row.predicted_ms and row.workers == widest])
    best = min(measured, key=lambda row: row.measured_ms.median if row.measured_ms else 0.0)
    assert best.measured_ms is not None
    spread = best.measured_ms
    told = (
        f" ({rounded(spread.p05)} to {rounded(spread.p95)})"
        if spread.p05 is not None and spread.p95 is not None
        else ""
    )
    against = [words for pair in comparison.pairs if (words := _against(pair, best, measured))]
    ratio = f", {listed(against)}" if against else ""
    return f"with {counted(widest, 'worker')} {best.architecture} takes {rounded(spread.median)} ms a step{told}{ratio}"


def _predicted_cost(rows: Sequence[Row]) -> str:
    if not rows:
        return ""
    best = min(rows, key=lambda row: row.predicted_ms or 0.0)
    low, high = best.predicted_interval_ms or (None, None)
    spread = f" ({rounded(low)} to {rounded(high)})" if low is not None and high is not None else ""
    return f"{best.architecture} is predicted to take {rounded(best.predicted_ms or 0.0)} ms a step{spread}"


def _against(pair: Pair, best: Row, measured: Sequence[Row]) -> str:
    """The words of a pair, seen from the fastest."""
    others = {row.architecture for row in measured if row is not best}
    if pair.workers not in (0, best.workers) or not pair.wording:
        return ""
    if pair.a == best.architecture and pair.b in others:
        return _phrase(pair.wording, pair.b)
    if pair.b == best.architecture and pair.a in others:
        mirrored = pair.wording.replace("slower", "\0").replace("faster", "slower").replace("\0", "faster")
        return _phrase(mirrored, pair.a)
    return ""


def _phrase(wording: str, other: str) -> str:
    return f"{wording} than {other}" if wording.endswith(("faster", "slower")) else f"{wording} from {other}"
