"""Numbers as people read them: three figures that mean something, the unit behind them, a median never without its
spread.

Rules of this file: numbers to text, nothing else. A number that is missing is a dash; one that is none says so.
"""

import math

MISSING = "–"


def rounded(value: float, figures: int = 3) -> str:
    """Three significant figures without an exponent: 0.0123, 1.68, 20.3, 1,240."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if value == 0:
        return "0"
    value = round(value, figures - 1 - math.floor(math.log10(abs(value))))
    decimals = figures - 1 - math.floor(math.log10(abs(value)))  # again: 99.96 has become 100
    return f"{value:,.{max(0, min(decimals, 6))}f}"


def milliseconds(value: float | None) -> str:
    """`20.3 ms`, or a dash."""
    return MISSING if value is None else f"{rounded(value)} ms"


def between(low: float | None, high: float | None) -> str:
    """`19.8–21.9`, or nothing where an end is missing."""
    return "" if low is None or high is None else f"{rounded(low)}–{rounded(high)}"


def percent(value: float | None, signed: bool = False) -> str:
    """`4.1 %` of a value given in percent; with a sign where the direction matters."""
    if value is None:
        return MISSING
    if math.isnan(value):
        return "NaN"
    if abs(value) >= 10:
        return f"{value:{'+' if signed else ''},.0f} %"
    return f"{value:{'+' if signed else ''}.1f} %"


def share(value: float) -> str:
    """`31 %` of a fraction of 1."""
    return f"{100 * value:.0f} %"


def bits(value: float | None) -> str:
    """A loss: two decimals, `NaN` where training went wrong, a dash where it is unknown."""
    return MISSING if value is None else "NaN" if math.isnan(value) else f"{value:.2f}"


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 step`, `8,196 steps`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def listed(words: list[str] | tuple[str, ...], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def short_digest(digest: str | None) -> str:
    """The first characters of a digest, enough to tell two apart."""
    return MISSING if not digest else digest.rpartition(":")[2][:10]
