"""What an actor is called in a report: an address such as `0.3` becomes "worker 0.3", the root "control".

Rules of this file: names only. An actor that is no address (one beside the tree) keeps its own name.
"""

import re
from collections.abc import Collection, Iterable

ADDRESS = re.compile(r"0(\.\d+)*")
PREFIXED = re.compile(r"(0(?:\.(?:\d+|\*))*)/(.+)")


def level(name: str) -> int | None:
    """How far below the root an actor lies; None for an actor beside the tree."""
    return name.count(".") if ADDRESS.fullmatch(name) else None


def parents(names: Iterable[str]) -> frozenset[str]:
    """All actors that have a child among the names."""
    return frozenset(name.rpartition(".")[0] for name in names if "." in name)


def actor_label(name: str, controls: Collection[str]) -> str:
    """`control`, `control 0.3`, `worker 0.3.11`, or the name itself; `controls` are the actors that have children."""
    if level(name) is None:
        return name
    if name == "0":
        return "control" if controls else "single actor"
    return f"control {name}" if name in controls else f"worker {name}"


def actor_labels(names: Collection[str], depth: int | None = None) -> dict[str, str]:
    """The labels of all actors of one run; of some of them where the `depth` of their tree is given."""
    controls = parents(names)
    if depth:
        controls |= {name for name in names if (below := level(name)) is not None and below < depth}
    return {name: actor_label(name, controls) for name in names}


def tree_names(count: int, workers: int) -> tuple[str, ...]:
    """The addresses of a complete tree of `count` actors, controls before their children; numbers where none fits."""
    if count == 1:
        return ("0",)
    depth, size, width = 0, 1, 1
    while size < count and workers > 0 and depth < count:
        depth, width = depth + 1, width * workers
        size += width
    return tuple(_below("0", depth, workers)) if size == count else tuple(f"actor {index}" for index in range(count))


def _below(address: str, depth: int, workers: int) -> Iterable[str]:
    yield address
    for index in range(workers if depth else 0):
        yield from _below(f"{address}.{index}", depth - 1, workers)


def family(name: str) -> str:
    """An object's name without the actor that it belongs to: `0.3/lock` and `0.4/lock` are both `lock`."""
    found = PREFIXED.fullmatch(name)
    return found[2] if found else name


def slug(text: str) -> str:
    """A name that any file system takes."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text.rpartition("/")[2].removesuffix(".py")).strip("-") or "unnamed"


def base_name(path: str) -> str:
    """The file's own name, as it stands before a line number."""
    return path.rpartition("/")[2]


def place(path: str, line: int | None) -> str:
    """`node_zero.py:33`, or as much of it as is known."""
    return f"{base_name(path)}:{line}" if path and line else base_name(path)
