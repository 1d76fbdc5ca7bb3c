"""Reads many files: what is known comes from the cache, the rest is read by all processor cores.

Rules of this file: the order of the results is that of the sources; a file that cannot be read is named and never
stops the others. Processes are only worth their start for many files; where they cannot be had, this one does it all.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import NamedTuple

from cllm_sim.auditor.facts import FileFacts
from cllm_sim.auditor.sources import Source, Unreadable, binary, contents
from cllm_sim.auditor.syntax.cache import FactsCache, collector_paused, packed, unpacked
from cllm_sim.auditor.syntax.reading import read

PARALLEL_FROM = 30
"""So many files to be read are worth starting processes for."""

BATCH_BYTES = 128 * 1024
"""How much text a process is given at a time."""

Progress = Callable[[int, int], None]
"""Called with how many files are done and how many there are."""


class _Task(NamedTuple):
    place: int
    path: str
    data: bytes
    key: str


def read_all(
    sources: Sequence[Source], cache: Path | None = None, progress: Progress | None = None
) -> tuple[list[FileFacts], list[Unreadable]]:
    """The facts of every file that can be read, in the order of the sources, and the files that cannot be read.

    `cache` is the user's cache folder; without it nothing is kept.
    """
    kept = FactsCache(cache)
    results: dict[int, FileFacts] = {}
    unreadable: list[Unreadable] = []
    tasks: list[_Task] = []
    done = 0

    def tell() -> None:
        if progress is not None:
            progress(done, len(sources))

    for place, source in enumerate(sources):
        task = _task(place, source, kept, unreadable)
        known = kept.get(task.key) if task is not None else None
        if known is not None:
            results[place] = known
        elif task is not None:
            tasks.append(task)
            continue
        done += 1
        tell()
    for place, facts in _made(tasks, kept):
        results[place] = facts
        done += 1
        tell()
    if tasks:
        kept.prune()
    return [results[place] for place in sorted(results)], unreadable


def _task(place: int, source: Source, kept: FactsCache, unreadable: list[Unreadable]) -> _Task | None:
    try:
        data = contents(source.file)
        why = binary(data)
    except OSError as error:
        why = error.strerror or str(error)
    except ValueError as error:
        why = str(error)
    if why is None:
        return _Task(place, source.path, data, kept.key(source.path, data))
    unreadable.append(Unreadable(source.path, None, why))
    return None


def _made(tasks: list[_Task], kept: FactsCache) -> Iterator[tuple[int, FileFacts]]:
    """The facts of files that are read now; some of them twice where a process was lost."""
    left = {task.place: task for task in tasks}
    if len(tasks) > PARALLEL_FROM and _can_fork():
        try:
            for place, facts in _in_parallel(tasks, kept):
                del left[place]
                yield place, facts
        except (BrokenProcessPool, OSError):  # no memory, no more processes allowed: go on alone
            pass
    for task in left.values():
        yield task.place, _one(task, kept)


def _one(task: _Task, kept: FactsCache) -> FileFacts:
    facts = read(task.path, task.data)
    if kept.folder is not None:
        kept.put(task.key, packed(facts))
    return facts


def _can_fork() -> bool:
    return sys.platform == "linux" and "fork" in multiprocessing.get_all_start_methods() and _cores() > 1


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1


def _in_parallel(tasks: list[_Task], kept: FactsCache) -> Iterator[tuple[int, FileFacts]]:
    # Forked and not spawned: a spawned process would run the user's script once more, and ours only computes.
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", DeprecationWarning
        )  # "this process is multi-threaded": its threads do not matter
        pool = ProcessPoolExecutor(_cores(), multiprocessing.get_context("fork"))
        with pool:
            waiting = [pool.submit(_batch, batch, kept) for batch in _batches(tasks)]
            try:
                for finished in as_completed(waiting):
                    for place, data in finished.result():
                        facts = unpacked(data)
                        assert facts is not None
                        yield place, facts
            finally:
                pool.shutdown(cancel_futures=True)


def _batches(tasks: list[_Task]) -> list[list[_Task]]:
    """Large files first, so that the last process does not work alone for long."""
    batches: list[list[_Task]] = []
    size = BATCH_BYTES
    for task in sorted(tasks, key=lambda task: -len(task.data)):
        if size >= BATCH_BYTES:
            batches.append([])
            size = 0
        batches[-1].append(task)
        size += len(task.data)
    return batches


def _batch(tasks: list[_Task], kept: FactsCache) -> list[tuple[int, bytes]]:
    made = []
    with collector_paused():
        for task in tasks:
            data = packed(read(task.path, task.data))
            kept.put(task.key, data)
            made.append((task.place, data))
    return made
