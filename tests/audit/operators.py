"""Sixteen ways to break a correct C program, each with the codes that a good auditor would then report.

An operator takes a program of the corpus (without comments) and yields broken variants of it: one change each, in
one place. Rules of this file: an operator applies only where the change surely makes a defect (a barrier wait that is
dropped, not any call); the program it starts from is clean, so whatever is found in a variant is due to the change.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

Files = dict[str, str]
WAIT = re.compile(r"^\s*(?:\w+\s*=\s*)?pthread_barrier_wait\s*\([^;]*\)\s*;\s*$")
BARRIER_INIT = re.compile(r"(pthread_barrier_init\s*\([^,;]+,[^,;]+,\s*)((?:[^();]|\([^()]*\))+)(\))")
JOIN = re.compile(r"^\s*(?:pthread_join|thrd_join)\s*\([^;]*\)\s*;\s*$")
LOCK = re.compile(r"^\s*(?:pthread_mutex_lock|mtx_lock)\s*\(\s*([^;]*?)\s*\)\s*;\s*$")
UNLOCK = re.compile(r"^\s*(?:pthread_mutex_unlock|mtx_unlock)\s*\(\s*([^;]*?)\s*\)\s*;\s*$")
SLEEP = re.compile(r"(?:pthread_cond_wait|cnd_wait)\s*\(\s*([^,;]+?)\s*,")
SIGNAL = re.compile(
    r"^\s*(?:pthread_cond_signal|pthread_cond_broadcast|cnd_signal|cnd_broadcast)\s*\(\s*([^;]*?)\s*\)\s*;"
)
POST = re.compile(r"^\s*sem_post\s*\(\s*([^;]*?)\s*\)\s*;\s*$")
INIT = re.compile(
    r"^\s*(?:if\s*\(\s*)?(pthread_barrier_init|pthread_mutex_init|pthread_cond_init|sem_init|mtx_init)\s*\(([^;]*?)\)\s*;\s*$"
)
DESTROY = re.compile(
    r"^\s*(?:pthread_barrier_destroy|pthread_mutex_destroy|sem_destroy|mtx_destroy)\s*\([^;]*\)\s*;\s*$"
)
ATOMIC = re.compile(r"\b(?:_Atomic\s+(?:int|bool)|_Atomic\s*\(\s*(?:int|bool)\s*\)|atomic_int|atomic_bool)\b")
WORK = re.compile(
    r"^(\s*)((?:[\w.\->\[\]]+\s*[+]?=\s*)?(?:process_batch|compute_\w+|forward|backward|crunch|do_work|train_batch)\s*\([^;]*\)\s*;)\s*$"
)
THREAD = re.compile(r"^(?:static\s+)?void\s*\*\s*\w+\s*\(\s*void\s*\*\s*\w+\s*\)")


FOLD = re.compile(
    r"^\s*(?:[\w.\->\[\]]+\s*\+?=\s*)?\w*(?:accumulate|fold|reduce|combine|sum|apply|update|merge|average|collect|gather)\w*"
    r"\s*\([^;]*\)\s*;\s*$"
)


class Variant(NamedTuple):
    """A broken program: where it was changed, and its files."""

    place: str
    files: Files


class Operator(NamedTuple):
    """A way to break programs, and the codes of which at least one must be reported."""

    name: str
    codes: frozenset[str]
    variants: Callable[[Files], Iterator[Variant]]


def _lines(files: Files) -> Iterator[tuple[str, int, str, list[str]]]:
    """The lines of all files, those that `#if 0` leaves out excepted."""
    for name, text in files.items():
        lines = text.split("\n")
        dead = False
        for index, line in enumerate(lines):
            dead = bool(re.match(r"\s*#\s*if\s+0\b", line)) or (dead and not re.match(r"\s*#\s*(?:endif|else)\b", line))
            if not dead:
                yield name, index, line, lines


def _with(files: Files, name: str, lines: list[str]) -> Files:
    return {**files, name: "\n".join(lines)}


def _replaced(files: Files, name: str, lines: list[str], index: int, *new: str) -> Variant:
    return Variant(f"{name}:{index + 1}", _with(files, name, [*lines[:index], *new, *lines[index + 1 :]]))


def _blank_when(pattern: re.Pattern[str]) -> Callable[[Files], Iterator[Variant]]:
    def variants(files: Files) -> Iterator[Variant]:
        for name, index, line, lines in _lines(files):
            if pattern.match(line) and not _guards(lines, index):
                yield _replaced(files, name, lines, index, "")

    return variants


def _guards(lines: list[str], index: int) -> bool:
    """Is the line the only statement of an `if`, `for` or `else` without braces? (Blanking it would take another.)"""
    before = lines[index - 1].rstrip() if index else ""
    return bool(re.search(r"(?:\belse|\bdo|\))\s*$", before)) and not before.endswith(";")


def _drop_join(files: Files) -> Iterator[Variant]:
    for name, index, line, lines in _lines(files):
        if JOIN.match(line):
            yield _replaced(files, name, lines, index, re.sub(r"\S.*", ";", line))


def _count(change: str) -> Callable[[Files], Iterator[Variant]]:
    def variants(files: Files) -> Iterator[Variant]:
        for name, index, line, lines in _lines(files):
            if BARRIER_INIT.search(line):
                yield _replaced(files, name, lines, index, BARRIER_INIT.sub(rf"\1(\2) {change}\3", line))

    return variants


def _drop_all_locking(files: Files) -> Iterator[Variant]:
    """Take every lock and unlock of one mutex away (where no condition sleeps with it)."""
    mutexes = {match[1] for _, _, line, _ in _lines(files) if (match := LOCK.match(line))}
    for mutex in sorted(mutexes):
        whole = "\n".join(files.values())
        if re.search(r"(?:cond_wait|cnd_wait|timedwait)\s*\([^;]*" + re.escape(mutex), whole):
            continue
        pattern = re.compile(
            r"^(\s*)(?:pthread_mutex_|mtx_)(?:un)?lock\s*\(\s*" + re.escape(mutex) + r"\s*\)\s*;", re.M
        )
        yield Variant(mutex, {name: pattern.sub(r"\1;", text) for name, text in files.items()})


def _while_to_if(files: Files) -> Iterator[Variant]:
    for name, index, line, lines in _lines(files):
        here = re.match(r"^(\s*)while(\s*\(.*\)\s*\{?\s*)$", line)
        inside = re.match(r"^\s*while\s*\(.*\)\s*(?:pthread_cond_wait|cnd_wait)\s*\(.*;\s*$", line)
        follows = index + 1 < len(lines) and SLEEP.search(lines[index + 1])
        if inside or (here and follows):
            yield _replaced(files, name, lines, index, line.replace("while", "if", 1))


def _drop_signals(files: Files) -> Iterator[Variant]:
    """Take all signals of one condition away (if somebody sleeps there without a time limit)."""
    conditions = {match[1] for _, _, line, _ in _lines(files) if (match := SIGNAL.match(line))}
    members = {re.sub(r".*(?:->|\.)|&", "", condition) for condition in conditions}
    whole = "\n".join(files.values())
    for member in sorted(members):
        if not re.search(r"(?:pthread_cond_wait|cnd_wait)\s*\([^;]*\b" + re.escape(member) + r"\b", whole):
            continue
        pattern = re.compile(
            r"(?:pthread_cond_signal|pthread_cond_broadcast|cnd_signal|cnd_broadcast)\s*\([^;]*\b"
            + re.escape(member) + r"\s*\)\s*;"
        )  # fmt: skip
        yield Variant(member, {name: pattern.sub(";", text) for name, text in files.items()})


def _drop_posts(files: Files) -> Iterator[Variant]:
    members = {re.sub(r".*(?:->|\.)|&", "", m[1]) for _, _, line, _ in _lines(files) if (m := POST.match(line))}
    for member in sorted(members):
        pattern = re.compile(r"sem_post\s*\([^;]*\b" + re.escape(member) + r"\s*\)\s*;")
        zero = re.compile(r"sem_init\s*\([^;]*\b" + re.escape(member) + r"\s*,[^,]*,\s*0\s*\)")
        if zero.search("\n".join(files.values())):
            yield Variant(member, {name: pattern.sub(";", text) for name, text in files.items()})


def _plain_flag(files: Files) -> Iterator[Variant]:
    """Make every atomic flag plain (calls of atomic operations become plain accesses)."""
    if not any(ATOMIC.search(text) for text in files.values()):
        return
    changed = {}
    for name, text in files.items():
        text = ATOMIC.sub("volatile int", text)
        text = re.sub(r"\batomic_load(?:_explicit)?\s*\(\s*&\s*([\w.\->]+)(?:\s*,[^()]*)?\)", r"(\1)", text)
        text = re.sub(
            r"\batomic_store(?:_explicit)?\s*\(\s*&\s*([\w.\->]+)\s*,\s*([^(),]+)(?:,[^()]*)?\)", r"(\1 = \2)", text
        )
        text = re.sub(
            r"\batomic_fetch_add(?:_explicit)?\s*\(\s*&\s*([\w.\->]+)\s*,\s*1(?:\s*,[^()]*)?\)", r"(\1++)", text
        )
        changed[name] = text
    if not any("atomic_" in re.sub(r"#include.*", "", text) for text in changed.values()):
        yield Variant("all atomics", changed)


def _lock_around_work(files: Files) -> Iterator[Variant]:
    for name, index, line, lines in _lines(files):
        match = WORK.match(line)
        if match is None or _guards(lines, index):
            continue
        first = next(
            (i for i, one in enumerate(lines) if re.match(r"^(?:static|struct|int|void|enum|typedef)\b", one)), None
        )
        if first is None or first >= index or "pthread.h" not in "\n".join(lines):
            continue
        guarded = f"{match[1]}pthread_mutex_lock(&model_guard); {match[2]} pthread_mutex_unlock(&model_guard);"
        changed = [*lines[:index], guarded, *lines[index + 1 :]]
        changed[first] = f"static pthread_mutex_t model_guard = PTHREAD_MUTEX_INITIALIZER; {changed[first]}"
        yield Variant(f"{name}:{index + 1}", _with(files, name, changed))


def _leave_early(files: Files) -> Iterator[Variant]:
    """A worker leaves before a barrier, under a condition on data."""
    for name, index, line, lines in _lines(files):
        if WAIT.match(line) and not _guards(lines, index) and _in_thread(lines, index):
            indent = re.match(r"\s*", line)
            assert indent is not None
            bail = f"{indent[0]}if (rand() % 7 == 3) return NULL; {line.strip()}"
            yield _replaced(files, name, lines, index, bail)


def _in_thread(lines: list[str], index: int) -> bool:
    """Does a line stand in a function that looks like a thread's entry?"""
    for before in range(index, -1, -1):
        if re.match(r"^\}", lines[before]) and before != index:
            return False
        if THREAD.match(lines[before]):
            return True
    return False


def _double_init(files: Files) -> Iterator[Variant]:
    for name, index, line, lines in _lines(files):
        if INIT.match(line) and not line.strip().startswith("if") and not _guards(lines, index):
            yield _replaced(files, name, lines, index, f"{line} {line.strip()}")


def _destroy_before_join(files: Files) -> Iterator[Variant]:
    """Destroy an object before the threads that use it are joined."""
    for name, index, line, lines in _lines(files):
        if not DESTROY.match(line) or _guards(lines, index):
            continue
        joins = [i for i in range(max(0, index - 12), index) if JOIN.match(lines[i])]
        if not joins or any(re.match(r"^\}", one) for one in lines[joins[0] : index]):
            continue
        at = joins[0]
        while at and (re.match(r"^\s*(?:for|while)\b", lines[at - 1]) or lines[at - 1].rstrip().endswith("{")):
            at -= 1
            if re.match(r"^\s*(?:for|while)\b", lines[at]):
                break
        changed = [*lines[:at], f"{line.rstrip()} {lines[at].strip()}", *lines[at + 1 : index], "", *lines[index + 1 :]]
        yield Variant(f"{name}:{index + 1}", _with(files, name, changed))


def _unused_lock(files: Files) -> Iterator[Variant]:
    for name, index, line, lines in _lines(files):
        if re.match(r"^(?:static\s+)?(?:struct\s+\w+\s*\{|int main)", line) and "pthread.h" in "\n".join(lines):
            spare = "static pthread_mutex_t spare_guard = PTHREAD_MUTEX_INITIALIZER; "
            yield _replaced(files, name, lines, index, spare + line)
            return


def _fold_before_wait(files: Files) -> Iterator[Variant]:
    """Accumulate before the barrier wait that makes it safe."""
    for name, index, line, lines in _lines(files):
        if WAIT.match(line) and index + 1 < len(lines) and FOLD.match(lines[index + 1]) and not _guards(lines, index):
            changed = [*lines[:index], lines[index + 1], line, *lines[index + 2 :]]
            yield Variant(f"{name}:{index + 1}", _with(files, name, changed))


HANGS = frozenset({"CB002", "CB003", "CB004", "CT001", "CT002"})

OPERATORS = (
    Operator("drop a barrier wait", HANGS | {"CB001", "CR001"}, _blank_when(WAIT)),
    Operator("accumulate before the wait", frozenset({"CR001"}), _fold_before_wait),
    Operator("count one too large", frozenset({"CB002", "CB004"}), _count("+ 1")),
    Operator("count one too small", frozenset({"CB002", "CB004"}), _count("- 1")),
    Operator("drop a join", frozenset({"CT003", "CD001", "CR001"}), _drop_join),
    Operator("drop an unlock", frozenset({"CL004", "CL003"}), _blank_when(UNLOCK)),
    Operator("drop all locking", frozenset({"CR001", "CR002", "CL001"}), _drop_all_locking),
    Operator("test once before sleeping", frozenset({"CW002"}), _while_to_if),
    Operator("drop the signals", frozenset({"CW005", "CT001", "CT002"}), _drop_signals),
    Operator("drop the posts", frozenset({"CP002", "CT001", "CT002"}), _drop_posts),
    Operator("make atomics plain", frozenset({"CR001", "CR002"}), _plain_flag),
    Operator("lock around the work", frozenset({"CL002"}), _lock_around_work),
    Operator("leave before a barrier", HANGS, _leave_early),
    Operator("initialise twice", frozenset({"CD002"}), _double_init),
    Operator("destroy before the join", frozenset({"CD001"}), _destroy_before_join),
    Operator("a lock nobody takes", frozenset({"CL001"}), _unused_lock),
)
