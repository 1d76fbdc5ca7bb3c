"""What the control groups of Linux leave to this process: processor time and memory, version 1 and 2.

Rules of this file: it reads and never writes; whatever is missing, unreadable or unlimited counts as no limit. A limit
may stand at any level above a process, so every level up to the root is read and the smallest wins. Inside a container
the path in /proc/self/cgroup may name a folder that is not visible; walking up ends at the container's own root, which
is the right one.
"""

from collections.abc import Iterator
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
OWN_GROUPS = Path("/proc/self/cgroup")


def quota_cores(root: Path = ROOT, own_groups: Path = OWN_GROUPS) -> float | None:
    """Processor seconds per second that this process may use together with its group; None where there is no quota."""
    quotas = [_quota_v2(folder) for folder in _levels("", root, own_groups)]
    quotas += [_quota_v1(folder) for folder in _levels("cpu", root, own_groups)]
    return min((quota for quota in quotas if quota is not None), default=None)


def memory_left_bytes(root: Path = ROOT, own_groups: Path = OWN_GROUPS) -> int | None:
    """Bytes that this process may still use before its group is full; None where there is no limit.

    Cached pages of files count as free: the kernel drops them before it refuses memory. Shared memory does not.
    """
    lefts = [_left(folder, "memory.max", "memory.current", "") for folder in _levels("", root, own_groups)]
    for folder in _levels("memory", root, own_groups):
        lefts.append(_left(folder, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_"))
    return min((left for left in lefts if left is not None), default=None)


def _levels(controller: str, root: Path, own_groups: Path) -> Iterator[Path]:
    """The folders from this process's group up to the root, for one controller of version 1, or "" for version 2."""
    for line in (_text(own_groups) or "").splitlines():
        _, controllers, path = line.split(":", 2)
        if controller not in controllers.split(","):
            continue
        # Systems that run both versions at once mount the second one below "unified".
        for top in [root / controllers, root / controller] if controller else [root, root / "unified"]:
            folder = top / path.lstrip("/")
            yield folder
            yield from (above for above in folder.parents if above.is_relative_to(top))


def _quota_v2(folder: Path) -> float | None:
    words = (_text(folder / "cpu.max") or "").split()
    return int(words[0]) / int(words[1]) if len(words) == 2 and words[0] != "max" else None


def _quota_v1(folder: Path) -> float | None:
    quota, period = _number(folder / "cpu.cfs_quota_us"), _number(folder / "cpu.cfs_period_us")
    return quota / period if quota is not None and period and quota > 0 else None


def _left(folder: Path, limit_file: str, used_file: str, prefix: str) -> int | None:
    limit, used = _number(folder / limit_file), _number(folder / used_file)
    if limit is None or used is None:
        return None
    cached = 0
    for line in (_text(folder / "memory.stat") or "").splitlines():
        key, _, amount = line.partition(" ")
        if key in (f"{prefix}inactive_file", f"{prefix}active_file"):
            cached += int(amount)
    return max(0, limit - max(0, used - cached))


def _number(path: Path) -> int | None:
    text = (_text(path) or "").strip()
    return int(text) if text.lstrip("-").isdigit() else None


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return None
