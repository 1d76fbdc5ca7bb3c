"""How all figures look, and how they are written so that the same result gives the same bytes.

Everything must read in black and white: work is solid and of different darkness, waiting is light and hatched, lines
differ in marker and dash. Rules of this file: settings start from matplotlib's own defaults, never from those of the
user; no date, no version and no random id gets into a file. Sizes are inches, font sizes points.
"""

import io
import warnings
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Patch

WIDTH = 8.0
PNG_DPI = 144
LEGEND_MAX = 5

INK = "#1a1a1a"
FAINT = "#8a8a8a"
GRID = "#d5d5d5"

SETTINGS: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.labelsize": 8.5,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "text.color": INK,
    "text.parse_math": False,  # names come from users and may hold a dollar sign
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "hatch.linewidth": 0.6,
    "figure.constrained_layout.w_pad": 0.08,
    "figure.constrained_layout.h_pad": 0.06,
    "svg.fonttype": "path",
    "savefig.facecolor": "white",
}


@dataclass(frozen=True, slots=True)
class Fill:
    """How one category of time is filled."""

    label: str
    face: str
    hatch: str = ""


FILLS = {
    "compute": Fill("compute", "#2f6690"),
    "fold": Fill("fold", "#e0a044"),
    "update": Fill("update", "#16161f"),
    "other": Fill("other work", "#e6e6e6"),
    "barrier": Fill("waits at a barrier", "#ffffff", "/////"),
    "lock": Fill("waits for a lock or a notify", "#f3d9d2", "xxxxx"),
    "ready": Fill("ready, short operations", "#ffffff", "||||"),
}
"""Work first, then waiting, then the rest; the order of stacks and legends."""

WAITS = ("barrier", "lock")
HATCH_COLOUR = "#5a5a5a"


@dataclass(frozen=True, slots=True)
class Line:
    """How one architecture is drawn."""

    colour: str
    marker: str
    dash: str | tuple[float, tuple[float, ...]]


LINES = (
    Line("#16161f", "o", "-"),
    Line("#b5542c", "s", "--"),
    Line("#2f6690", "^", "-."),
    Line("#4f8a3d", "D", (0.0, (6.0, 1.5))),
    Line("#7a7a7a", "v", ":"),
    Line("#8c4a91", "P", (0.0, (2.0, 1.0))),
    Line("#a88d2a", "X", (0.0, (1.0, 2.5))),
)


def line(index: int) -> Line:
    """The look of the architecture with this index."""
    return LINES[index % len(LINES)]


@dataclass(frozen=True, slots=True)
class Picture:
    """One figure that can be drawn: file name without ending, title, and one sentence that says what to see."""

    name: str
    title: str
    caption: str
    draw: Callable[[], Figure]


def category(name: str) -> str:
    """A category that is drawn; what is unknown counts as other work."""
    return name if name in FILLS else "other"


def patch(name: str) -> Patch:
    """Legend entry of a category."""
    fill = FILLS[name]
    return Patch(facecolor=fill.face, edgecolor=HATCH_COLOUR, hatch=fill.hatch, linewidth=0.5, label=fill.label)


def legend(figure: Figure, used: Collection[str]) -> None:
    """The categories that occur, below the figure, in as many lines as they need."""
    handles = [patch(name) for name in FILLS if name in used]
    columns = len(handles) if len(handles) <= LEGEND_MAX else -(-len(handles) // 2)
    figure.legend(handles=handles, loc="outside lower center", ncols=columns, handlelength=2.6)


def boxes(axis: Axes, name: str, corners: Sequence[tuple[float, float, float, float]]) -> None:
    """Fill boxes (left, right, low, high) as one category: one collection, for every hatched patch costs a pattern."""
    fill = FILLS[name]
    outlines = [[(left, low), (left, high), (right, high), (right, low)] for left, right, low, high in corners]
    axis.add_collection(
        PolyCollection(outlines, facecolor=fill.face, edgecolor=HATCH_COLOUR, linewidth=0.25, hatch=fill.hatch or None)
    )


def canvas(height: float) -> Figure:
    """An empty figure of the common width."""
    figure = Figure(figsize=(WIDTH, height), dpi=PNG_DPI, layout="constrained")  # laid out as large as it is written
    FigureCanvasAgg(figure)
    return figure


@contextmanager
def settings(name: str) -> Iterator[None]:
    """Our settings and nobody else's; `name` decides the ids of an SVG, the same in every run."""
    with mpl.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")  # a user's name may be in any script
        mpl.rcdefaults()
        mpl.rcParams.update(SETTINGS)
        mpl.rcParams["svg.hashsalt"] = name
        yield


def rendered(picture: Picture) -> tuple[bytes, bytes]:
    """The figure as SVG and as PNG."""
    with settings(picture.name):
        figure = settled(picture.draw())
        return _bytes(figure, "svg"), _bytes(figure, "png")


def settled(figure: Figure) -> Figure:
    """Lay the figure out once and keep that, rounded.

    The solver of the layout walks over sets of objects, so its last bits differ from run to run, and with them the ids
    that the SVG makes of positions.
    """
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for axes in figure.axes:
        place = axes.get_position(original=True).bounds
        axes.set_position((round(place[0], 6), round(place[1], 6), round(place[2], 6), round(place[3], 6)))
    return figure


def _bytes(figure: Figure, ending: str) -> bytes:
    metadata = {"svg": dict.fromkeys(("Creator", "Date", "Format", "Type")), "png": {"Software": None}}[ending]
    buffer = io.BytesIO()
    figure.savefig(buffer, format=ending, dpi=PNG_DPI, metadata=metadata)
    return buffer.getvalue()
