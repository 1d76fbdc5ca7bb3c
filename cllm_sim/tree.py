"""The shape of a control tree: addresses, parents, children.

An address is the path from the root control: `0` is the root, `0.3` its child number 3, `0.3.11` that one's child 11.
A node's role follows from whether it has children. Rules of this file: integers and strings only.
"""

from dataclasses import dataclass

from cllm_sim.errors import BadRequest


@dataclass(frozen=True, slots=True)
class Tree:
    """A complete tree in which every control has `workers` children and leaves lie `depth` levels below the root.

    `workers` = 0 and `depth` = 0 is the tree of a single actor.
    """

    workers: int
    depth: int

    @property
    def leaves(self) -> int:
        """Number of actors without children."""
        return int(self.workers**self.depth)

    @property
    def size(self) -> int:
        """Number of actors (1 + 12 = 13; 1 + 12 + 144 = 157)."""
        return sum(self.workers**level for level in range(self.depth + 1))

    def children(self, address: str) -> tuple[str, ...]:
        """Addresses of a node's children, in index order."""
        if address.count(".") >= self.depth:
            return ()
        return tuple(f"{address}.{index}" for index in range(self.workers))

    def addresses(self) -> tuple[str, ...]:
        """All addresses, every control before its children (depth first)."""
        found: list[str] = []
        pending = ["0"]
        while pending:
            address = pending.pop()
            found.append(address)
            pending.extend(reversed(self.children(address)))
        return tuple(found)


def parent(address: str) -> str | None:
    """The control above a node; None for the root."""
    return address.rpartition(".")[0] or None


def checked_tree(workers: int, depth: int, arity: int, depth_max: int | None, name: str) -> Tree:
    """A tree that can be built; raises BadRequest for what makes no sense."""
    if workers < 1:
        raise BadRequest(f"--workers {workers}: a control needs at least one worker")
    if workers > arity:
        raise BadRequest(f"--workers {workers}: {name} declares an arity of {arity}; add a level instead (--depth 2)")
    if depth < 1:
        raise BadRequest(f"--depth {depth}: at least one level of workers is needed")
    if depth_max is not None and depth > depth_max:
        raise BadRequest(f"--depth {depth}: {name} is written for at most {depth_max} level(s) of workers")
    if workers**depth > 12**6:
        raise BadRequest(f"--workers {workers} --depth {depth}: more than {12**6} leaves")
    return Tree(workers, depth)
