"""The figures: that there is one for everything there is data for, that nothing in them overlaps or is cut off, and
that they say in words what they leave out.
"""

from collections.abc import Callable
from itertools import combinations
from typing import Any

import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from cllm_sim import check
from cllm_sim.report import figures
from cllm_sim.report.evidence import schedule_of
from cllm_sim.report.figures import Picture, locks, schedule, shares, style, timeline, tree
from cllm_sim.report.shape import read_comparison

from tests.report import sample

SAMPLES = {"demo": sample.demo, "lists": sample.lists, "deep": sample.deep, "checked": sample.checked_only}
MARGIN = 3.0
"""Pixels that stay free at the edges."""
TOUCHING = 0.8
"""Texts whose boxes share a line of pixels do not overlap for the eye."""


def pictures(make: Callable[[], sample.Result]) -> dict[str, Picture]:
    return {picture.name: picture for picture in figures.pictures(read_comparison(make()))}


ALL = [
    pytest.param(picture, id=f"{name}-{picture.name}")
    for name, make in SAMPLES.items()
    for picture in pictures(make).values()
]


def texts(figure: Figure, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Bbox]]:
    """All texts that are really drawn, with the room that they take, each place once."""
    found: dict[tuple[Any, ...], tuple[str, Bbox]] = {}
    draw = Text.draw

    def noted(text: Text, renderer: Any) -> None:
        draw(text, renderer)
        if text.get_visible() and text.get_text().strip():
            box = text.get_window_extent(renderer)
            found[text.get_text(), round(box.x0), round(box.y0)] = (text.get_text(), box)

    monkeypatch.setattr(Text, "draw", noted)
    figure.canvas.draw()
    return list(found.values())


def clash(first: Bbox, second: Bbox) -> bool:
    wide = min(first.x1, second.x1) - max(first.x0, second.x0)
    high = min(first.y1, second.y1) - max(first.y0, second.y0)
    return wide > TOUCHING and high > TOUCHING


@pytest.mark.parametrize("picture", ALL)
def test_nothing_overlaps_or_is_cut_off(picture: Picture, monkeypatch: pytest.MonkeyPatch) -> None:
    with style.settings(picture.name):
        figure = style.settled(picture.draw())
        found = texts(figure, monkeypatch)
        width, height = figure.canvas.get_width_height()
    assert found
    room = Bbox.from_bounds(MARGIN, MARGIN, width - 2 * MARGIN, height - 2 * MARGIN)
    cut = [text for text, box in found if box.x0 < room.x0 or box.y0 < room.y0 or box.x1 > room.x1 or box.y1 > room.y1]
    assert cut == []
    assert [(one, other) for (one, a), (other, b) in combinations(found, 2) if clash(a, b)] == []


@pytest.mark.parametrize(("name", "workers"), [("early_reduce", 3), ("leaves_early", 12), ("count_too_small", 2)])
def test_a_counterexample_can_be_read(name: str, workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    found: dict[str, Any] = {row["class"]: row for row in check(name, workers=workers).broken}
    for kind, defect in found.items():
        if not defect["counterexample"]["steps"]:
            continue  # wrong from the start: there is nothing to draw
        row = schedule_of(name, workers, defect)
        assert row is not None
        drawn = schedule.picture(read_comparison({"graphs": [row]}).graphs[0], f"{name}-{kind}")
        test_nothing_overlaps_or_is_cut_off(drawn, monkeypatch)
        assert len({node["group"] for node in row["nodes"]}) <= 6


@pytest.mark.parametrize("picture", ALL)
def test_captions_are_one_sentence(picture: Picture) -> None:
    assert picture.caption.endswith(".")
    assert "\n" not in picture.caption
    assert picture.title


def test_the_demo_has_all_figures() -> None:
    assert list(pictures(sample.demo)) == [
        "timeline-model_lock",
        "timeline-node_zero",
        "predicted-measured",
        "shares",
        "speedup",
        "locks",
        "tree",
        "happens-before-unguarded",
    ]
    assert figures.missing(read_comparison(sample.demo())) == []


def test_what_is_missing_is_said() -> None:
    checked = read_comparison(sample.checked_only())
    assert [picture.name for picture in figures.pictures(checked)] == ["locks", "happens-before-unguarded"]
    assert [reason.partition(":")[0] for reason in figures.missing(checked)] == [
        "timeline",
        "predicted against measured step time",
        "where the time goes",
        "speed-up",
        "control tree",
    ]


def test_an_empty_comparison_has_no_figure() -> None:
    assert figures.pictures(read_comparison({})) == []
    assert len(figures.missing(read_comparison({}))) == len(figures.FIGURES)


def test_the_same_picture_has_the_same_bytes() -> None:
    picture = pictures(sample.demo)["locks"]
    assert figures.rendered(picture) == figures.rendered(picture)


def test_the_settings_of_the_user_do_not_matter() -> None:
    import matplotlib as mpl

    picture = pictures(sample.demo)["speedup"]
    before = figures.rendered(picture)
    with mpl.rc_context({"font.size": 20, "axes.grid": True, "svg.fonttype": "none", "savefig.bbox": "tight"}):
        assert figures.rendered(picture) == before
        assert mpl.rcParams["font.size"] == 20


def test_no_version_and_no_date_in_the_files() -> None:
    svg, png = figures.rendered(pictures(sample.demo)["speedup"])
    assert b"Matplotlib" not in svg + png
    assert b"<dc:date>" not in svg
    assert b"Software" not in png


def test_many_actors_are_told() -> None:
    deep = read_comparison(sample.deep())
    item = next(one for one in deep.timelines if one.kind == "real")
    shown = timeline._rows(item.actors)
    assert [item.actors[number] for number in shown[:3]] == ["0", "0.0", "0.0.0"]
    assert (
        timeline._title(item, len(shown), len(item.actors)) == "node_zero · real run · 157 processes, 14 of them shown"
    )


def test_many_actors_are_put_together_by_level() -> None:
    deep = read_comparison(sample.deep())
    mine = [share for share in deep.shares if share.architecture == "node_zero"]
    found = shares.bars(mine, "real")
    assert [bar.label for bar in found] == ["control", "12 inner controls", "144 workers"]
    assert all(sum(bar.parts.values()) == pytest.approx(1) for bar in found)
    assert found[2].least < found[2].parts["compute"] < found[2].most


def test_a_deep_tree_is_folded() -> None:
    deep = read_comparison(sample.deep())
    found = tree.layout(deep.trees[0])
    assert len(found.graph) == 13
    assert {name: len(below) for name, below in found.below.items()} == {f"0.{index}": 12 for index in range(12)}


def test_locks_of_one_name_are_one_line() -> None:
    found = locks.families(read_comparison(sample.demo()))
    assert [(one.label, one.checked) for one in found] == [
        ("model_lock: model", 11),
        ("model_lock: lock (12 locks)", 1),
        ("unguarded: lock (12 locks)", 1),
    ]
    assert found[0].controls == {0}


def test_a_lock_in_every_seat_may_have_one_row() -> None:
    lock = {"architecture": "a", "workers": 2, "object": "0.*/lock", "worst_checked": 1}
    assert [one.label for one in locks.families(read_comparison({"locks": [lock]}))] == ["a: lock (one each)"]


def test_the_looks_differ_without_colour() -> None:
    assert len({(line.marker, str(line.dash)) for line in style.LINES}) == len(style.LINES)
    work = [brightness(fill.face) for fill in style.FILLS.values() if not fill.hatch]
    assert min(abs(one - other) for one, other in combinations(work, 2)) > 25
    hatches = [fill.hatch for fill in style.FILLS.values() if fill.hatch]
    assert len(set(hatches)) == len(hatches)


def brightness(colour: str) -> float:
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return 0.299 * red + 0.587 * green + 0.114 * blue


def test_names_may_hold_anything() -> None:
    row = {"architecture": "my $x_1$ <b>&", "workers": 2, "predicted_ms": 2.0, "measured_ms": {"median": 2.1}}
    found = figures.pictures(read_comparison({"rows": [row]}))
    assert [picture.name for picture in found] == ["predicted-measured"]
    assert figures.rendered(found[0])[0].startswith(b"<?xml")
