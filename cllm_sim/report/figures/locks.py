"""Lock contention: how many actors ever wait for a mutex at once, and how long each of them did in the real run.

Left: the worst case that the checker found beside the worst case of the simulation. Right: one mark an actor. Locks
that every seat has (`0.3/lock`, `0.4/lock`) are one line: the worst of them, and the waits of each actor added up.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from cllm_sim.report.figures.style import HATCH_COLOUR, INK, Picture, canvas
from cllm_sim.report.naming import family, parents, tree_names
from cllm_sim.report.quantities import counted, listed
from cllm_sim.report.shape import Comparison, Lock, widest

LINES_MAX = 16
BAR = 0.34


@dataclass(frozen=True, slots=True)
class Family:
    """All locks of one name in one architecture."""

    architecture: str
    name: str
    owners: str
    checked: int | None
    simulated: int | None
    waits_ms: tuple[float, ...]
    controls: frozenset[int]

    @property
    def label(self) -> str:
        return f"{self.architecture}: {self.name}{self.owners}"

    @property
    def worst(self) -> int:
        return max(self.checked or 0, self.simulated or 0)


def pictures(comparison: Comparison) -> list[Picture]:
    """One picture, of the most contended locks of all architectures at their largest number of workers."""
    found = families(comparison)
    if not found:
        return []
    return [Picture("locks", "Lock contention", _caption(comparison, found), partial(_draw, found))]


def families(comparison: Comparison) -> list[Family]:
    """The locks, put together by name, most contended first."""
    found: dict[tuple[str, str], list[Lock]] = defaultdict(list)
    for architecture in dict.fromkeys(lock.architecture for lock in comparison.locks):
        for lock in widest(comparison.locks, architecture):
            found[architecture, family(lock.object)].append(lock)
    together = [_family(architecture, name, locks) for (architecture, name), locks in found.items()]
    return sorted(together, key=lambda item: (-item.worst, -sum(item.waits_ms), item.label))[:LINES_MAX]


def _family(architecture: str, name: str, locks: Sequence[Lock]) -> Family:
    actors = max(len(lock.wait_ms_total_measured) for lock in locks)
    waits = [0.0] * actors
    for lock in locks:
        for actor, wait_ms in enumerate(lock.wait_ms_total_measured):
            waits[actor] += wait_ms
    names = tree_names(actors, locks[0].workers)
    above = parents(names)
    controls = frozenset(index for index, actor in enumerate(names) if actor in above)
    return Family(
        architecture,
        name,
        _owners(locks),
        max((lock.worst_checked for lock in locks if lock.worst_checked is not None), default=None),
        max((lock.worst_simulated for lock in locks if lock.worst_simulated is not None), default=None),
        tuple(waits),
        controls,
    )


def _owners(locks: Sequence[Lock]) -> str:
    """How many locks there are of this name: `0.*/lock` stands for one in each seat."""
    if any("*" in lock.object for lock in locks):
        return " (one each)"
    return f" ({len(locks)} locks)" if len(locks) > 1 else ""


def _caption(comparison: Comparison, found: Sequence[Family]) -> str:
    worst = found[0]
    without = [
        row.architecture
        for row in comparison.rows
        if row.contention_max == 0 and row.verdict == "holds" and row.contention_exact
    ]
    rest = [name for name in dict.fromkeys(without) if name not in comparison.alone]
    waiting = counted(worst.worst, "actor waits", "actors wait")
    most = f"At most {waiting} at once for '{worst.name}' in {worst.architecture}"
    return f"{most}; nobody ever waits for a lock in {listed(rest)}." if rest else f"{most}."


def _draw(found: Sequence[Family]) -> Figure:
    measured = any(item.waits_ms for item in found)
    figure = canvas(1.15 + 0.34 * len(found))
    axes = figure.subplots(1, 2 if measured else 1, sharey=True, squeeze=False)[0]
    _worst(axes[0], found)
    axes[0].set_yticks(range(len(found)), [item.label for item in found])
    axes[0].set_ylim(len(found) - 0.4, -0.6)
    axes[0].tick_params(axis="y", length=0)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower left", ncols=2)
    if measured:
        _waits(axes[1], found)
        figure.legend(*axes[1].get_legend_handles_labels(), loc="outside lower right", ncols=2)
    return figure


def _worst(axis: Axes, found: Sequence[Family]) -> None:
    looks = (
        ("checked", "in every interleaving (checked)", "#3c3c3c", "", -1),
        ("simulated", "in the simulation", "#ffffff", "/////", 1),
    )
    for kind, label, face, hatch, side in looks:
        known = [(place, getattr(item, kind)) for place, item in enumerate(found) if getattr(item, kind) is not None]
        if not known:
            continue
        places, values = zip(*known, strict=True)
        bars = axis.barh(
            [place + side * BAR / 2 for place in places], values, height=BAR, color=face, edgecolor=HATCH_COLOUR,
            linewidth=0.6, hatch=hatch, label=label,
        )  # fmt: skip
        axis.bar_label(bars, fmt="{:.0f}", padding=3, fontsize=7.5)
    axis.set_xlim(0, 1.15 * max(1, *(item.worst for item in found)))
    axis.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    axis.set_title("most actors that wait at once")
    axis.set_xlabel("actors")
    axis.grid(True, axis="x")


def _waits(axis: Axes, found: Sequence[Family]) -> None:
    kinds: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
    for place, item in enumerate(found):
        for actor, wait_ms in enumerate(item.waits_ms):
            control = actor in item.controls
            kinds[control].append((wait_ms, place + (-0.2 if control else 0.1 * (actor % 3))))
    for control, points in kinds.items():
        if points:
            label, marker, face = ("a control", "s", INK) if control else ("a worker", "o", "none")
            axis.plot(
                *zip(*points, strict=True), marker, markersize=4, markerfacecolor=face, markeredgecolor=INK,
                markeredgewidth=0.7, linestyle="none", label=label,
            )  # fmt: skip
    most = max((wait_ms for item in found for wait_ms in item.waits_ms), default=0.0)
    axis.set_xlim(-0.03 * (most or 1), 1.08 * (most or 1))
    axis.xaxis.set_major_locator(MaxNLocator(nbins=5))
    axis.tick_params(axis="y", length=0)
    axis.set_title("measured: time each actor waited")
    axis.set_xlabel("ms in the whole run")
    axis.grid(True, axis="x")
