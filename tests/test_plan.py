"""The plan's table: it has the plan's rows, what it names exists, and a recorded run shows what a run can show.

Rules of this file: one real run of node_zero serves all tests of the runtime; what holds for every behaviour is the
checker's. A row that says `met` or `partly` names at least one promise or test, an open one says what is missing.
"""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cllm_sim import check, train
from cllm_sim.cli.verbs import VERBS
from cllm_sim.compose import System, compose
from cllm_sim.errors import BadRequest
from cllm_sim.library import load
from cllm_sim.metrics import phases_ms, steps
from cllm_sim.promises import OPTIONAL, PROMISES
from cllm_sim.results import RunResult
from cllm_sim.slots import ARITY, even_share
from cllm_sim.trace import Trace, read_trace
from cllm_sim.tree import Tree, checked_tree

ROOT = Path(__file__).resolve().parents[1]
PLAN = ROOT / "docs" / "master-plan.toml"
PAGE = ROOT / "docs" / "plan.md"
WORKERS, STEPS = 2, 3
ACTORS = ("0", "0.0", "0.1")

pytestmark = pytest.mark.skipif(not PLAN.exists(), reason="judges the documentation of a checkout")

Row = dict[str, str]


# ------------------------------------------------------------------------------------------------------------ the table
def requirements() -> list[dict[str, str]]:
    found: list[dict[str, str]] = tomllib.loads(PLAN.read_text(encoding="utf-8"))["requirement"]
    return found


def rows() -> list[Row]:
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    head, _, *body = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [dict(zip(head, cells, strict=True)) for cells in body]


def promises_of(row: Row) -> list[str]:
    return re.findall(r'promise "([^"]+)"', row["shown by"])


def named_tests(row: Row) -> list[str]:
    return re.findall(r"`(tests/[^`]+)`", row["shown by"])


def test_the_page_has_the_rows_of_the_plan() -> None:
    wanted = [(row["id"], row["text"]) for row in requirements()]
    assert [(row["id"], row["requirement"]) for row in rows()] == wanted


def test_every_row_says_what_shows_it_or_what_is_missing() -> None:
    for row in rows():
        shown = bool(promises_of(row) or named_tests(row))
        assert (row["id"], shown) == (row["id"], row["status"] in ("met", "partly"))
        assert row["status"] in ("met", "partly", "open")
        assert row["remarks"] or row["status"] == "met"


def test_the_promise_that_the_plan_names_is_named() -> None:
    named = {row["id"]: promises_of(row) for row in rows()}
    missing = [row["id"] for row in requirements() if row.get("promise") and row["promise"] not in named[row["id"]]]
    assert missing == []


def test_every_promise_and_test_named_exists() -> None:
    for row in rows():
        assert set(promises_of(row)) <= {*PROMISES, *OPTIONAL}
        for name in named_tests(row):
            file, _, function = name.partition("::")
            assert f"def {function}(" in (ROOT / file).read_text(encoding="utf-8"), name


def test_node_zero_keeps_every_promise_named() -> None:
    kept = {row["name"] for row in check("node_zero", workers=3).promises if row["verdict"] == "holds"}
    assert {name for row in rows() for name in promises_of(row)} <= kept


# ------------------------------------------------------------------------------------------------------- a recorded run
@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    folder = tmp_path_factory.mktemp("plan") / "run"
    return train("node_zero", workers=WORKERS, steps=STEPS, output=str(folder))


@pytest.fixture(scope="module")
def trace(run: RunResult) -> Trace:
    return read_trace(Path(run.run_dir) / run.trace)


def performed(trace: Trace, actor: str) -> list[str]:
    """The operations of an actor, without the values written."""
    return [" ".join(event.op.split(" ")[:2]) for event in trace.actors[actor]]


@pytest.mark.processes
def test_everybody_is_a_process_of_its_own(run: RunResult, trace: Trace) -> None:
    """NZ1."""
    assert run.processes == len(ACTORS)
    assert tuple(trace.actors) == ACTORS


@pytest.mark.processes
def test_the_control_coordinates_and_never_computes(trace: Trace) -> None:
    """NZ2, NZ3."""
    batch = ["choose", "write 0/order", "wait 0/batch", "wait 0/batch", "fold 0/segment", "update weights"]
    assert performed(trace, "0")[: len(batch) * STEPS] == batch * STEPS
    assert not any(name.startswith("compute") for name in performed(trace, "0"))


def test_the_number_of_workers_is_enforced() -> None:
    """NZ4."""
    architecture = load("node_zero").architecture
    assert architecture.arity == ARITY
    assert checked_tree(ARITY, 1, architecture.arity, None, "node_zero").size == 1 + ARITY
    with pytest.raises(BadRequest, match="--workers 13"):
        train("node_zero", workers=ARITY + 1, steps=1)


@pytest.mark.processes
def test_workers_hold_no_lock(trace: Trace) -> None:
    """NZ5, BA7."""
    assert not any(name.startswith(("acquire", "sleep")) for actor in ACTORS for name in performed(trace, actor))
    locked = check("model_lock", workers=2, promise=["uncontended"])
    assert "contention" in {row["class"] for row in locked.broken}


@pytest.mark.processes
def test_everybody_crosses_every_barrier(trace: Trace) -> None:
    """BA1, BA3, BA5: two crossings per batch; the end of the epoch and the stop cross Point A once more each."""
    for actor in ACTORS:
        names = performed(trace, actor)
        assert (names.count("wait 0/batch"), names.count("wait 0/epoch")) == (2 * STEPS + 2, 1)


@pytest.mark.processes
def test_every_text_comes_to_its_end(run: RunResult, trace: Trace) -> None:
    """BA6."""
    assert run.complete
    assert trace.header["complete"]


@pytest.mark.processes
def test_everybody_writes_a_segment_of_its_own(run: RunResult, trace: Trace) -> None:
    """LF1, SM1."""
    for actor in ACTORS[1:]:
        written = [name for name in performed(trace, actor) if name.startswith(("compute", "fold", "update"))]
        assert written == [f"compute {actor}/segment"] * STEPS
    assert run.loss["last"] < run.loss["first"]  # the weights that all read are those that the control wrote


@pytest.mark.processes
def test_accumulation_and_waiting_are_measured(trace: Trace) -> None:
    """IN5."""
    spent = phases_ms(trace, steps(trace))
    assert len(steps(trace)) == STEPS
    assert all(spent[key] for key in ("compute", "fold", "update", "barrier"))


@pytest.mark.processes
def test_a_gradient_that_is_not_finite_changes_nothing(tmp_path: Path) -> None:
    """LF5: with every step aborted the weights stay those at the beginning."""
    inject = [f"nan@step={step},slot=7" for step in (1, 2)]
    given: Any = {"workers": WORKERS, "steps": 2, "inject": inject}
    run = train("node_zero", output=str(tmp_path / "run"), **given)
    assert (run.nonfinite_steps, [found["slot"] for found in run.culprits]) == (2, [7, 7])
    assert run.heldout_bits_per_byte["first"] == run.heldout_bits_per_byte["last"]
    assert all(found["parameter"] for found in run.culprits)


# ------------------------------------------------------------------------------------------------------------- the tree
def deep() -> System:
    return compose(load("node_zero").architecture, Tree(2, 2))


def test_every_node_has_the_same_shape_and_knows_its_place() -> None:
    """RC1, RC9."""
    system = deep()
    for number, actor in enumerate(system.actors):
        assert len(actor.children) in (0, 2)
        assert [system.actors[child].index for child in actor.children] == list(range(len(actor.children)))
        assert all(system.actors[child].parent == number for child in actor.children)
        assert [system.actors[child].name for child in actor.children] == [
            f"{actor.name}.{index}" for index in range(len(actor.children))
        ]


@pytest.mark.processes
def test_work_is_handed_down_level_by_level(tmp_path: Path) -> None:
    """RC2, RC3, RC4: an inner node reads its parent's order, hands it to its own crew and folds what they deliver."""
    run = train("node_zero", workers=2, depth=2, slots=12, steps=1, output=str(tmp_path / "run"))
    trace = read_trace(Path(run.run_dir) / run.trace)
    assert performed(trace, "0.1")[:7] == [
        "wait 0/batch",
        "read 0/order",
        "write 0.1/order",
        "wait 0.1/batch",
        "wait 0.1/batch",
        "fold 0.1/segment",
        "wait 0/batch",
    ]
    computing = {actor for actor in trace.actors if any(name.startswith("compute") for name in performed(trace, actor))}
    assert computing == {actor.name for actor in deep().actors if actor.leaf}


def test_load_is_even_across_children() -> None:
    """RC8, the part that is met."""
    for workers in range(1, ARITY + 1):
        for total in range(workers, 3 * ARITY):
            sizes = [len(even_share(child, workers, total)) for child in range(workers)]
            assert max(sizes) - min(sizes) <= 1


# --------------------------------------------------------------------------------------------------------- the modules
def sources() -> dict[str, Path]:
    """Dotted name -> file of every module of both packages."""
    found = {}
    for package in ("cllm_sim", "real_runtime"):
        for path in sorted((ROOT / package).rglob("*.py")):
            if "_models" not in path.parts:
                name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
                found[name.removesuffix(".__init__")] = path
    return found


def imported(path: Path) -> Iterator[str]:
    """Dotted names of what a file imports, inside functions as well; `from a import b` may mean module `a.b`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def started_as_programs(modules: dict[str, Path]) -> set[str]:
    """Modules that another one starts in a fresh interpreter: `python -m NAME`."""
    told = "\n".join(path.read_text(encoding="utf-8") for path in modules.values())
    return {name for name in re.findall(r'"-m",\s*"([\w.]+)"', told) if name in modules}


def test_every_module_is_reached_from_an_entry_point() -> None:
    """IN1, IN3: from the command line, the Python interface, and the programs that these start."""
    modules = sources()
    pending = ["cllm_sim", "cllm_sim.cli", *(f"cllm_sim.cli.{verb}" for verb in VERBS), *started_as_programs(modules)]
    reached: set[str] = set()
    while pending:
        name = pending.pop()
        if name in reached or name not in modules:
            continue
        reached.add(name)
        pending += [name.rpartition(".")[0], *imported(modules[name])]
        if "pkgutil.iter_modules(__path__)" in modules[name].read_text(encoding="utf-8"):
            pending += [other for other in modules if other.rpartition(".")[0] == name]
    assert sorted(set(modules) - reached) == []


def test_there_is_one_way_to_start_an_actor() -> None:
    """IN2: only one module forks, and no library of threads or pools is used but to read the sources of an audit."""
    forbidden = {"multiprocessing", "concurrent", "asyncio", "_thread"}
    readers = {"cllm_sim.auditor.syntax.many"}
    forks, foreign = [], []
    for name, path in sources().items():
        text = path.read_text(encoding="utf-8")
        forks += [name] if re.search(r"\bos\.(fork|posix_spawn)|threading\.Thread\(|from threading", text) else []
        foreign += [name for found in imported(path) if found.split(".")[0] in forbidden and name not in readers]
    assert (forks, foreign) == (["real_runtime.processes"], [])
