"""The table of a comparison: one row per subject, pairs with the words for their difference, inversions of rank.

Rules of this file: numbers from what the subjects kept; a median never without its spread; the words come from
`report.wording`. Seeds are fixed, so the same measurements give the same table.
"""

from itertools import combinations
from typing import Any

import numpy as np

from cllm_sim.comparison.subjects import Subject
from cllm_sim.report.wording import difference

RESAMPLES = 1000
BLOCK_STEPS = 5


def row_of(subject: Subject, serial: Subject | None) -> dict[str, Any]:
    """One row of the table."""
    run = subject.runs[0] if subject.runs else {}
    measured = spread_ms(subject)
    predicted = (
        subject.simulated["step_ms"]["median"] if subject.simulated and subject.simulated.get("step_ms") else None
    )
    checked = subject.small if _better(subject) else subject.checked
    contention = _contention(subject)
    return {
        "architecture": subject.loaded.name,
        "title": subject.loaded.title,
        "workers": subject.workers,
        "depth": _depth(subject),
        "slots": run.get("slots"),
        "marked_broken": subject.loaded.broken,
        "verdict": checked["verdict"] if checked else None,
        "verdict_workers": checked["scope"]["workers"] if checked else None,
        "classes": sorted({item["class"] for item in checked["broken"]}) if checked else [],
        "holds_completely_with": subject.small["scope"]["workers"]
        if subject.small and subject.small["complete"]
        else None,
        "states": checked["states"] if checked else None,
        "contention_max": contention[0],
        "contention_exact": contention[1],
        "predicted_ms": predicted,
        "predicted_interval_ms": subject.simulated.get("ci95_ms") if subject.simulated else None,
        "measured_ms": measured,
        "error_pct": _error(predicted, measured),
        "noise_floor_pct": noise_floor_pct(subject),
        "speedup_vs_serial": _speedup(measured, spread_ms(serial) if serial else None),
        "heldout_bits_per_byte": run.get("heldout_bits_per_byte"),
        "loss": run.get("loss"),
        "digest": run.get("digest"),
        "digests": [item["digest"] for item in subject.runs],
        "nonfinite_steps": [item["nonfinite_steps"] for item in subject.runs],
        "legal": _legal(subject),
        "processes": run.get("processes"),
        "repeats": len(subject.runs),
        "failures": subject.failures,
    }


def _better(subject: Subject) -> bool:
    """Does the small scope say more than the one asked for? Only where it found the design broken."""
    return bool(subject.small and subject.small["verdict"] == "broken")


def _depth(subject: Subject) -> int | None:
    for data in (subject.checked, subject.simulated):
        if data:
            depth: int = data["scope"]["depth"]
            return depth
    return None


def _contention(subject: Subject) -> tuple[int | None, bool]:
    if not subject.checked:
        return None, False
    rows = subject.checked["contention_details"]
    worst = max((row["worst"] for row in rows), default=0)
    return worst, all(row["exact"] for row in rows if row["worst"] == worst)


def _legal(subject: Subject) -> bool | None:
    verdicts = [data["legal"] for data in subject.judged]
    if not verdicts:
        return None
    return False if False in verdicts else None if None in verdicts else True


def spread_ms(subject: Subject) -> dict[str, float] | None:
    """Median, 5 and 95 percent points of the step times of all repeats together."""
    values = [value for sample in subject.samples_ms for value in sample]
    if not values:
        return None
    p05, median, p95 = np.quantile(values, [0.05, 0.5, 0.95]).tolist()
    return {"median": median, "p05": p05, "p95": p95}


def _error(predicted: float | None, measured: dict[str, float] | None) -> float | None:
    if predicted is None or measured is None:
        return None
    return 100.0 * (predicted - measured["median"]) / measured["median"]


def _speedup(measured: dict[str, float] | None, serial: dict[str, float] | None) -> float | None:
    return serial["median"] / measured["median"] if measured and serial else None


def noise_floor_pct(subject: Subject) -> float | None:
    """Half the 95 % interval of the median over repeats and blocks of steps, relative to the median.

    Whole repeats are drawn again, and within each of them blocks of consecutive steps, because steps are not
    independent.
    """
    samples = [np.asarray(sample) for sample in subject.samples_ms if len(sample)]
    if not samples:
        return None
    random = np.random.default_rng(0)
    medians = [float(np.median(_resampled(samples, random))) for _ in range(RESAMPLES)]
    low, high = np.quantile(medians, [0.025, 0.975])
    middle = float(np.median(np.concatenate(samples)))
    return float(100.0 * (high - low) / 2 / middle)


def _resampled(samples: list[Any], random: np.random.Generator) -> Any:
    drawn: list[Any] = []
    for number in random.integers(0, len(samples), len(samples)):
        sample = samples[number]
        blocks = max(1, len(sample) // BLOCK_STEPS)
        starts = random.integers(0, max(1, len(sample) - BLOCK_STEPS + 1), blocks)
        drawn.extend(sample[start : start + BLOCK_STEPS] for start in starts)
    return np.concatenate(drawn)


def pairs(subjects: list[Subject]) -> list[dict[str, Any]]:
    """Every pair with the same number of workers: how much faster the first is, in words."""
    found = []
    for first, second in combinations(subjects, 2):
        if first.workers != second.workers or not first.runs or not second.runs:
            continue
        medians = [[float(np.median(sample)) for sample in subject.samples_ms] for subject in (first, second)]
        told = difference(medians[0], medians[1])
        found.append(
            {
                "a": first.loaded.name,
                "b": second.loaded.name,
                "workers": first.workers,
                "ratio": told.ratio,
                "interval": list(told.interval),
                "wording": told.wording,
            }
        )
    return found


def inversions(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Pairs that the prediction ranks the other way round although their measured gap exceeds twice the noise of
    both.
    """
    found = []
    known = [row for row in rows if row["measured_ms"] and row["predicted_ms"] and not row["marked_broken"]]
    for a, b in combinations(known, 2):
        if a["workers"] != b["workers"]:
            continue
        gap = 100.0 * (b["measured_ms"]["median"] / a["measured_ms"]["median"] - 1)
        noise = 2 * max(a["noise_floor_pct"], b["noise_floor_pct"])
        if abs(gap) > noise and gap * (b["predicted_ms"] - a["predicted_ms"]) < 0:
            found.append(
                {
                    "a": a["architecture"],
                    "b": b["architecture"],
                    "workers": a["workers"],
                    "gap_pct": gap,
                    "noise_pct": noise,
                }
            )
    return found


def regressions(rows: list[dict[str, Any]], baseline: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows whose measured time grew beyond the noise of both measurements."""
    before = {(row["architecture"], row["workers"], row["depth"]): row for row in baseline if row.get("measured_ms")}
    found = []
    for row in rows:
        old = before.get((row["architecture"], row["workers"], row["depth"]))
        if old is None or not row["measured_ms"]:
            continue
        growth = 100.0 * (row["measured_ms"]["median"] / old["measured_ms"]["median"] - 1)
        noise = 2 * max(row["noise_floor_pct"] or 0.0, old.get("noise_floor_pct") or 0.0)
        if growth > noise:
            found.append(
                {
                    "architecture": row["architecture"],
                    "workers": row["workers"],
                    "growth_pct": growth,
                    "noise_pct": noise,
                }
            )
    return found
