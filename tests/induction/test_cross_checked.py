"""The induction and explicit trees of depth 1, 2 and 3 agree: nothing that holds by induction is broken on a tree."""

import random
from pathlib import Path

import pytest

from cllm_sim import checker
from cllm_sim.errors import BadArchitecture
from cllm_sim.induction import prove
from cllm_sim.library import load

from tests.induction.designs import MODELS, RIGHT, below_root

TREES = ((1, 1), (2, 1), (1, 2), (2, 2), (1, 3), (2, 3))

SMALL = 4
"""Trees with more leaves are searched with both reductions."""

WORDS = [
    "yield team.order.write(order)",
    "yield team.order.write(BATCH)",
    "yield team.batch.wait()",
    "yield team.epoch.wait()",
    "yield fold(team.each.segment, into=me.segment)",
    "yield me.last.write(order)",
    "order = yield me.last.read()",
    "order = yield team.order.read()",
    "return",
]


@pytest.mark.parametrize(("workers", "depth"), [*TREES[:-1], (12, 1)])
def test_node_zero_on_explicit_trees(workers, depth):
    assert checker.run(load("node_zero"), workers=workers, depth=depth).verdict == "holds"
    assert prove(load("node_zero"), fanouts=(workers,)).verdict == "holds"


@pytest.mark.parametrize(("workers", "depth"), [(12, 2), (3, 3), (2, 4), (1, 6)])
def test_node_zero_on_larger_trees(workers, depth):
    assert checker.run(load("node_zero"), workers=workers, depth=depth, reductions="both").verdict == "holds"


@pytest.mark.parametrize("name", ["sliced_reduce"])
def test_a_reduce_in_slices_on_explicit_trees(name):
    assert prove(load(name), fanouts=(2, 3)).verdict == "holds"
    for workers, depth in ((2, 2), (3, 2), (2, 3)):
        assert checker.run(load(name), workers=workers, depth=depth, reductions="both").verdict == "holds"


def _seen(loaded, workers, depth) -> str:
    how = "both" if workers**depth > SMALL else "symmetry"
    seen = checker.run(loaded, workers=workers, depth=depth, reductions=how, max_states=60_000, budget_seconds=60)
    return str(seen.verdict)


def text_of(loaded) -> str:
    return Path(loaded.path).read_text(encoding="utf-8")


def agree(loaded) -> str:
    """The verdict by induction, after comparing it with explicit trees."""
    result = prove(loaded, fanouts=(1, 2), budget_seconds=60, max_states=30_000)
    if result.verdict == "holds":
        for workers, depth in TREES:
            assert _seen(loaded, workers, depth) != "broken", (workers, depth, text_of(loaded))
    return str(result.verdict)


def edited(randomly: random.Random, text: str) -> str:
    """The statements of a right control with one or two of them lost, doubled, moved, or new."""
    lines = text.splitlines()
    for _ in range(randomly.choice((1, 1, 2))):
        place = randomly.choice([index for index, line in enumerate(lines) if "yield" in line])
        margin = lines[place][: len(lines[place]) - len(lines[place].lstrip())]
        kind = randomly.randrange(4)
        if kind == 0:
            lines[place] = f"{margin}pass"
        elif kind == 1:
            lines.insert(place, lines[place])
        elif kind == 2:
            lines[place] = margin + randomly.choice(WORDS)
        else:
            lines.insert(place, margin + randomly.choice(WORDS))
    return "\n".join(lines) + "\n"


def sweep(folder: Path, seed: int, count: int) -> list[str]:
    randomly = random.Random(seed)
    verdicts = []
    for _ in range(count):
        statements = edited(randomly, RIGHT)
        try:
            verdicts.append(agree(below_root(folder, statements, randomly.choice(("0", "BATCH")))))
        except BadArchitecture:
            verdicts.append("unusable")
    return verdicts


def test_random_controls_below_the_root(tmp_path):
    verdicts = sweep(tmp_path, seed=7, count=24)
    assert "holds" in verdicts
    assert "broken" in verdicts


@pytest.mark.nightly
def test_many_random_controls_below_the_root(tmp_path):
    verdicts = sweep(tmp_path, seed=11, count=400)
    assert verdicts.count("holds") > 20


@pytest.mark.nightly
def test_every_statement_of_node_zero_lost_or_doubled(tmp_path):
    lines = (MODELS / "node_zero.py").read_text(encoding="utf-8").splitlines()
    for place in [index for index, line in enumerate(lines) if line.strip().startswith(("yield", "order = yield"))]:
        margin = lines[place][: len(lines[place]) - len(lines[place].lstrip())]
        for replaced in ([f"{margin}yield from ()"], [lines[place], lines[place]]):
            path = tmp_path / "edited.py"
            path.write_text("\n".join([*lines[:place], *replaced, *lines[place + 1 :]]), encoding="utf-8")
            agree(load(str(path)))
