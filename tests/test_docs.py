"""The documentation says what the code does: tables against their sources, links, examples run and compared.

Rules of this file: a fact that stands in the code is compared with it, never repeated here. Blocks marked `pycon` are
run as doctests, blocks marked `console` as commands; what they show must be what is said (`...`: and so on).
"""

import doctest
import pkgutil
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import cllm_sim
from cllm_sim import BATCH, EPOCH, STOP, Barrier, Condition, Mutex, Region, Semaphore, Team, Variable, Word, check
from cllm_sim.cli.verbs import VERBS
from cllm_sim.costs import KINDS, CostModel, Operations
from cllm_sim.errors import BadArchitecture
from cllm_sim.grammar import check_source
from cllm_sim.library import shipped
from cllm_sim.new_file import new_file
from cllm_sim.operations import RULES, Op, Verb, choose, compute, fold, join, update
from cllm_sim.promises import CLASS_PROMISE, OPTIONAL, PROMISES

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
HEADLINES = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "reports" / "README.md"]

pytestmark = pytest.mark.skipif(not (ROOT / "pyproject.toml").exists(), reason="judges the documentation of a checkout")

Row = dict[str, str]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def tables(text: str) -> Iterator[list[Row]]:
    """All Markdown tables of a text, each row a dictionary by the words of the table's head."""
    for block in re.findall(r"(?:^\|.*\|$\n?)+", text, re.MULTILINE):
        head, _, *rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in block.splitlines()]
        yield [dict(zip(head, row, strict=True)) for row in rows]


def table(page: str, *columns: str) -> list[Row]:
    """The first table of a page that has these columns."""
    return next(rows for rows in tables(text_of(DOCS / page)) if set(columns) <= set(rows[0]))


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a page that are marked with this language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text_of(page), re.MULTILINE | re.DOTALL)


def pages_with(language: str) -> list[Any]:
    return [pytest.param(page, id=name_of(page)) for page in PAGES if blocks(page, language)]


# ----------------------------------------------------------------------------------------------------------- operations
def made(expression: str) -> Op:
    """The operation that an expression of the table makes."""
    handles: dict[str, Any] = {
        "barrier": Barrier(name="barrier"),
        "mutex": Mutex("mutex"),
        "condition": Condition("mutex", "condition"),
        "semaphore": Semaphore("semaphore"),
        "word": Word("word"),
        "variable": Variable("variable"),
        "team": Team("down", 2),
        **{name: Region(name) for name in ("weights", "region", "scratch", "total")},
        "compute": compute,
        "fold": fold,
        "update": update,
        "choose": choose,
        "join": join,
        "BATCH": BATCH,
        "EPOCH": EPOCH,
        "STOP": STOP,
    }
    operation = eval(expression, handles)  # the page's own expressions, nobody else's
    assert isinstance(operation, Op)
    return operation


def operations_table() -> list[Row]:
    return table("operations.md", "made by", "verb", "can block", "cost key")


def test_the_operations_table_has_every_verb_once() -> None:
    assert [row["verb"] for row in operations_table()] == [str(verb) for verb in Verb]


def test_the_operations_table_agrees_with_the_rules() -> None:
    told = {
        Verb(row["verb"]): (row["can block"] != "no", row[touched].startswith("plain: "), row["cost key"])
        for row in operations_table()
        for touched in row
        if touched.startswith("order")
    }
    assert told == {verb: tuple(rule) for verb, rule in RULES.items()}


def test_what_makes_an_operation_makes_this_operation() -> None:
    for row in operations_table():
        expressions = re.findall(r"`(.*?)`", row["made by"])
        assert expressions
        assert {made(expression).verb for expression in expressions} == {Verb(row["verb"])}


def test_the_cost_tables_are_those_of_the_cost_model() -> None:
    told = table("operations.md", "table", "keys")
    rows = {row["table"].strip("`[]"): re.findall(r"`(\w+)`", row["keys"]) for row in told}
    assert list(rows) == list(CostModel.model_fields)
    for section, keys in rows.items():
        fields = getattr(CostModel.model_fields[section].annotation, "model_fields", {})
        assert keys == (list(fields) if section not in ("operations", "learner") else [])


def test_every_cost_key_has_a_cost() -> None:
    fields = {field.alias or name for name, field in Operations.model_fields.items()}
    assert fields == {rule.cost_key for rule in RULES.values()} - set(KINDS)


# --------------------------------------------------------------------------------------------- promises, architectures
def test_the_promises_table_is_that_of_the_code() -> None:
    rows = {row["promise"]: set(row["classes when broken"].split(", ")) for row in table("architecture.md", "promise")}
    assert tuple(rows) == (*PROMISES, *OPTIONAL)
    wanted: dict[str, set[str]] = {}
    for kind, names in CLASS_PROMISE.items():
        for name in names:
            wanted.setdefault(name, set()).add(kind.removesuffix("-on-weights"))
    assert rows == wanted


def architectures_table() -> list[Row]:
    return table("architectures.md", "file", "verdict", "classes")


def architecture_name(row: Row) -> str:
    found = re.fullmatch(r"\[(\w+)\]\(\.\./models/(\w+)\.py\)", row["file"])
    assert found is not None
    assert found[1] == found[2]
    return found[1]


def test_every_shipped_architecture_is_described() -> None:
    assert sorted(architecture_name(row) for row in architectures_table()) == sorted(shipped())
    described = text_of(DOCS / "architectures.md").partition("## The sound ones")[2]
    assert [name for name in shipped() if not re.search(rf"\*\*{name}\*\*|^\| {name} ", described, re.MULTILINE)] == []


@pytest.mark.parametrize("row", architectures_table() if PAGES else [], ids=architecture_name)
def test_an_architecture_has_the_verdict_that_is_told(row: Row) -> None:
    result = check(architecture_name(row), workers=2)
    assert result.complete
    assert result.verdict == row["verdict"]
    assert ", ".join(sorted({broken["class"] for broken in result.broken})) == row["classes"]


@pytest.mark.parametrize("name", sorted(shipped()) if PAGES else [])
def test_both_ways_to_find_races_agree(name: str) -> None:
    """Decision 2."""
    found = [check(name, workers=2, races=races, reductions="none") for races in ("next", "monitor")]
    assert [result.complete for result in found] == [True, True]
    classes = [{broken["class"] for broken in result.broken} for result in found]
    assert classes[0] == classes[1]


# ------------------------------------------------------------------------------------------------------------- modules
def test_every_module_is_described() -> None:
    """`architecture.md` names every module of both packages, subpackages as a whole."""
    told: set[str] = set()
    for row in table("architecture.md", "module", "what it is"):
        folder = ""
        for entry in re.findall(r"`(.*?)`", row["module"]):
            folder = entry.partition("/")[0] if entry.startswith(("cllm_sim/", "real_runtime/")) else folder
            told.add(f"{folder}/{entry.removeprefix(f'{folder}/')}".removesuffix(".py").removesuffix("/"))
    real = {
        f"{package}/{module.name}"
        for package in ("cllm_sim", "real_runtime")
        for module in pkgutil.iter_modules([str(ROOT / package)])
    }
    assert {name for name in told if "models" not in name} == real


def test_no_module_hides_a_public_function() -> None:
    """Decision 5."""
    modules = {module.name for module in pkgutil.iter_modules(cllm_sim.__path__)}
    assert modules & set(cllm_sim.__all__) == set()
    assert {"checker", "simulator", "validator"} <= modules
    assert callable(cllm_sim.check)


def test_what_is_not_done_cannot_be_asked_for() -> None:
    """`limits.md` lists verbs that are not there; it has to change with the first of them."""
    not_done = text_of(DOCS / "limits.md").partition("## Not done")[2].partition("## ")[0]
    named = {name for name in re.findall(r"`cllm ([\w-]+)", not_done) if name not in ("replay", "check")}
    assert named == {"replay-step"}
    assert named & set(VERBS) == set()


# --------------------------------------------------------------------------------------------------------------- links
def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as code hosts make them."""
    heads = re.findall(r"^#+ (.*)$", text_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def links(page: Path) -> list[str]:
    """Targets of relative links, those in code left out."""
    prose = re.sub(r"^```.*?^```$|`[^`\n]*`(?!\])", "", text_of(page), flags=re.MULTILINE | re.DOTALL)
    return [target for target in re.findall(r"\]\(([^)\s]+)\)", prose) if not re.match(r"[a-z]+:", target)]


@pytest.mark.parametrize("page", [page for page in (*HEADLINES, *PAGES) if page.exists()], ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    dead = []
    for target in links(page):
        path, _, anchor = target.partition("#")
        goal = (page.parent / path).resolve() if path else page
        if not goal.exists() or (anchor and anchor not in anchors(goal)):
            dead.append(target)
    assert dead == []


def test_every_page_can_be_reached_from_the_architecture() -> None:
    reached, pending = set[Path](), [DOCS / "architecture.md"]
    while pending:
        page = pending.pop()
        if page in reached:
            continue
        reached.add(page)
        for target in links(page):
            goal = (page.parent / target.partition("#")[0]).resolve()
            if goal == DOCS / "decisions":
                pending.extend(goal.glob("*.md"))
            elif goal.suffix == ".md" and DOCS in goal.parents:
                pending.append(goal)
    assert [name_of(page) for page in PAGES if page not in reached] == []


# ----------------------------------------------------------------------------------------------------- what is shown
@pytest.mark.parametrize("page", pages_with("pycon"))
def test_python_on_a_page_does_what_is_shown(page: Path) -> None:
    source = "\n".join(blocks(page, "pycon"))
    example = doctest.DocTestParser().get_doctest(source, {}, name_of(page), str(page), 0)
    told: list[str] = []
    found = doctest.DocTestRunner(verbose=False).run(example, out=told.append)
    assert found.attempted
    assert not found.failed, "".join(told)


@pytest.mark.parametrize("page", pages_with("console"))
def test_commands_on_a_page_say_what_is_shown(page: Path, cllm: Callable[..., tuple[int, str, str]]) -> None:
    for block in blocks(page, "console"):
        for session in block.split("$ ")[1:]:
            command, _, shown = session.partition("\n")
            name, *arguments = shlex.split(command)
            assert name == "cllm"
            code, stdout, stderr = cllm(*arguments)
            assert code == 0, stderr
            assert doctest.OutputChecker().check_output(shown, stdout, doctest.ELLIPSIS), stdout


def refusals() -> list[tuple[str, str]]:
    """Texts shown as refused, each with the answer that is shown below it."""
    page = text_of(DOCS / "how-to" / "write-an-architecture.md")
    return re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)\n```", page, re.DOTALL)


@pytest.mark.parametrize(("source", "answer"), refusals() if PAGES else [])
def test_a_text_shown_as_refused_is_refused_with_these_words(source: str, answer: str) -> None:
    with pytest.raises(BadArchitecture) as refused:
        check_source("mine.py", source)
    assert str(refused.value) == answer


def test_the_rules_of_a_text_are_shown() -> None:
    assert len(refusals()) == 4


@pytest.mark.parametrize(
    ("number", "replacement"),
    [
        (0, "yield team.meet.wait"),
        (1, 'yield "meet"'),
        (2, "seen = [order]\n        yield team.meet.wait()"),
    ],
)
def test_a_change_of_the_new_file_is_answered_as_shown(number: int, replacement: str, tmp_path: Path) -> None:
    row = table("how-to/write-an-architecture.md", "change", "answer")[number]
    assert f"`{replacement.splitlines()[0]}`" in row["change"]
    source = new_file("mine")
    original, mark = "yield team.meet.wait()", "  # Point A: from here"
    assert source.count(original + mark) == 1
    changed = tmp_path / "mine.py"
    changed.write_text(source.replace(original + mark, replacement + mark), encoding="utf-8")
    with pytest.raises(BadArchitecture) as refused:
        check(str(changed), workers=2)
    place, _, answer = str(refused.value).partition(": ")
    assert place.rpartition(":")[0] == str(changed)
    assert answer == row["answer"].strip("`")
