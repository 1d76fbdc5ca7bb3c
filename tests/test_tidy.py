"""Limits of style that a reader feels, as a ratchet: each message is `file:line: what is wrong`.

Rules of this file: sizes only shrink. A place that has to be longer stands in `LONGER_FUNCTIONS` or `LONGER_FILES` with
its size of today and the reason; an entry that is no longer needed fails as well. The words looked for are put together
here at run time, so that this file does not find itself. Import directions are import-linter's; only the architecture
files, which are no package, are judged here.
"""

import ast
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("cllm_sim", "real_runtime", "models", "tests", "benchmarks", "examples")
TEXTS = (*SOURCES, "docs", "requirements", "reports/README.md", ".ci")
TEXT_ENDINGS = set(".c .cfg .css .h .html .j2 .js .json .md .py .sh .svg .toml .txt".split()) | {""}
SELF = Path(__file__).resolve()

FUNCTION_LINES_MAX = 60
FILE_LINES_MAX = 600
LONGER_FUNCTIONS: dict[str, int] = {}
"""`path:name` -> lines of today."""
LONGER_FILES: dict[str, int] = {}
"""path -> lines of today."""

EMPTY_NAMES = {"base", "common", "helper", "helpers", "manager", "misc", "util", "utils"}
LEFT_OVER = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK|W" r"IP)\b")
MACHINE = re.compile(r"(?<![\w.])/(?:wo" r"rk|ro" r"ot|ho" r"me/[a-z]+|Us" r"ers|op" r"t/pyp" r"i)\b")
REGISTRY = re.compile(r"pyp" r"i\.org|python" r"hosted\.org|extra-index" r"-url|--index" r"-url h")
BETTER: dict[str, str] = {
    "sla" + "ve": "worker",
    "coordi" + "nator": "control",
    "white" + "list": "allowed names",
    "black" + "list": "refused names",
    "mini" + "batch": "batch",
    "obvi" + "ously": "(leave it out)",
}
WORDS = re.compile(rf"\b({'|'.join(BETTER)})s?\b", re.IGNORECASE)

pytestmark = pytest.mark.skipif(not (ROOT / "pyproject.toml").exists(), reason="judges the sources of a checkout")


def python_files() -> list[Path]:
    return [
        path for folder in SOURCES for path in sorted((ROOT / folder).rglob("*.py")) if "__pycache__" not in path.parts
    ]


def text_files() -> Iterator[Path]:
    for name in TEXTS:
        path = ROOT / name
        candidates = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in candidates:
            if file.is_file() and file.suffix in TEXT_ENDINGS and "__pycache__" not in file.parts:
                yield file
    for file in sorted(ROOT.iterdir()):
        if file.is_file() and file.suffix in TEXT_ENDINGS - {""} | {".yml", ".yaml"}:
            yield file


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def matches(pattern: re.Pattern[str], say: Callable[[re.Match[str]], str]) -> list[str]:
    return [
        f"{relative(path)}:{number}: {say(found)}"
        for path in text_files()
        if path != SELF
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (found := pattern.search(line))
    ]


def report(messages: list[str]) -> None:
    if messages:
        pytest.fail("\n".join(messages), pytrace=False)


def functions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from `def` to the end, without the docstring."""
    total = (node.end_lineno or node.lineno) - node.lineno + 1
    if ast.get_docstring(node, clean=False) is not None:
        docstring = node.body[0]
        total -= (docstring.end_lineno or docstring.lineno) - docstring.lineno + 1
    return total


def ratchet(what: str, sizes: dict[str, tuple[int, int]], limit: int, longer: dict[str, int]) -> list[str]:
    """Messages for all that is too long, and for permissions larger than needed. `sizes`: key -> (line, size)."""
    messages = []
    for key, (line, size) in sizes.items():
        allowed = max(limit, longer.get(key, 0))
        if size > allowed:
            messages.append(f"{key.split(':')[0]}:{line}: {what} {key} has {size} lines, {allowed} are allowed")
    for key, allowed in longer.items():
        size = sizes.get(key, (0, 0))[1]
        if size < allowed:
            messages.append(f"{relative(SELF)}:1: {key} has only {size} lines now: lower or remove its {allowed}")
    return messages


def test_functions_are_short() -> None:
    sizes: dict[str, tuple[int, int]] = {}
    for path in python_files():
        for name, node in functions(ast.parse(path.read_text(encoding="utf-8"))):
            key = f"{relative(path)}:{name}"
            sizes[key] = max(sizes.get(key, (0, 0)), (node.lineno, length(node)), key=lambda entry: entry[1])
    report(ratchet("function", sizes, FUNCTION_LINES_MAX, LONGER_FUNCTIONS))


def test_files_are_short() -> None:
    sizes = {relative(path): (1, len(path.read_text(encoding="utf-8").splitlines())) for path in python_files()}
    report(ratchet("file", sizes, FILE_LINES_MAX, LONGER_FILES))


def test_the_ratchet_finds_both_directions() -> None:
    assert ratchet("file", {"a.py": (1, 11)}, 10, {}) == ["a.py:1: file a.py has 11 lines, 10 are allowed"]
    assert ratchet("file", {"a.py": (1, 11)}, 10, {"a.py": 11}) == []
    assert len(ratchet("file", {"a.py": (1, 11)}, 10, {"a.py": 12})) == 1


def test_modules_say_what_they_are_for() -> None:
    report(
        [
            f"{relative(path)}:1: the module has no docstring"
            for path in python_files()
            if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
        ]
    )


def test_modules_have_telling_names() -> None:
    report([f"{relative(path)}:1: '{path.stem}' says nothing" for path in python_files() if path.stem in EMPTY_NAMES])


def test_no_left_over_marks() -> None:
    report(matches(LEFT_OVER, lambda found: f"'{found[0]}' is left over"))


def test_no_machine_paths() -> None:
    report(matches(MACHINE, lambda found: f"'{found[0]}' is a path of one machine"))


def test_no_registry() -> None:
    report(matches(REGISTRY, lambda found: f"'{found[0]}' names a package registry"))


def test_words() -> None:
    report(matches(WORDS, lambda found: f"say '{BETTER[found[1].lower()]}', not '{found[0]}'"))


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        (LEFT_OVER, "# " + "TO" + "DO: later"),
        (MACHINE, "open('/" + "work/main/x')"),
        (MACHINE, "see /" + "root/.cache"),
        (REGISTRY, "https://pyp" + "i.org/simple"),
        (WORDS, "the Coordi" + "nators"),
    ],
)
def test_the_patterns_find_what_they_are_for(pattern: re.Pattern[str], line: str) -> None:
    assert pattern.search(line)


@pytest.mark.parametrize(
    "line", ["models/" + "work_queue.py", "docs/" + "work/x", "a framework/rooted tree", "HA" + "CKING"]
)
def test_the_patterns_leave_the_rest_alone(line: str) -> None:
    assert not MACHINE.search(line)
    assert not LEFT_OVER.search(line)


# --------------------------------------------------------------------------------------------------- architecture files
def imports(path_or_source: Path | str) -> Iterator[tuple[int, str]]:
    """Line and module of every import; a relative one keeps its dots."""
    source = path_or_source if isinstance(path_or_source, str) else path_or_source.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, "." * node.level + (node.module or "")


def foreign_imports(source: Path | str) -> Iterator[tuple[int, str]]:
    """Imports that an architecture file may not have: it knows the facade `cllm_sim` and the standard library."""
    for line, name in imports(source):
        if name != "cllm_sim" and name.split(".")[0] not in sys.stdlib_module_names:
            yield line, name


def test_architecture_files_import_the_facade_only() -> None:
    report(
        [
            f"{relative(path)}:{line}: imports {name}; an architecture file imports from cllm_sim only"
            for path in sorted((ROOT / "models").rglob("*.py"))
            for line, name in foreign_imports(path)
        ]
    )


def test_foreign_imports_are_found() -> None:
    source = "from cllm_sim import Steps\nimport numpy\nfrom cllm_sim.tree import Tree\nfrom . import node_zero\n"
    assert list(foreign_imports(source)) == [(2, "numpy"), (3, "cllm_sim.tree"), (4, ".")]


def test_models_is_no_package() -> None:
    assert not list((ROOT / "models").rglob("__init__.py"))


def test_nothing_imports_models() -> None:
    report(
        [
            f"{relative(path)}:{line}: imports models, which is data"
            for path in python_files()
            for line, name in imports(path)
            if name.split(".")[0] == "models"
        ]
    )
