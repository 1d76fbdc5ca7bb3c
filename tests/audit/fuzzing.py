"""Whole audits of sources nobody would write: mutated, truncated, spliced, with bytes from anywhere.

Run as `python -m tests.audit.fuzzing N` it makes N of them, audits each as `cllm audit` does, and prints what the
slowest took and how much memory was used. Rules of this file: every case follows from its number alone.
"""

from __future__ import annotations

import random
import resource
import sys
import time
from collections.abc import Iterator

from cllm_sim.auditor import syntax
from cllm_sim.auditor.analysis import Analysis, Options
from cllm_sim.auditor.facts import FileFacts
from cllm_sim.auditor.judging import judge

from tests.audit.markers import programs

TOKENS = (
    "{ } ( ) [ ] ; , * & -> . = == ++ -- #if 0\n #endif\n #else\n #define X(a) a\n /* */ // \" ' \\ \\\n for(;;) "
    "while(1) goto out; out: return 0; switch(x){ case 1: default: pthread_barrier_wait(&b); pthread_mutex_lock(&m); "
    "pthread_create(&t, 0, f, 0); struct s { int x; }; typedef int t; static _Atomic int a; 0x7fffffffffffffff '\\0'"
).split(" ")
SECONDS_MAX = 20.0


def sources() -> list[bytes]:
    """The texts that cases are made of: every file of the corpus."""
    return [text.encode() for program in programs() for text in program.files.values()]


def case(number: int, texts: list[bytes]) -> bytes:
    """The source of case `number`."""
    draw = random.Random(number)
    data = bytearray(draw.choice(texts))
    for _ in range(draw.randint(1, 12)):
        _change(data, draw, texts)
    return bytes(data)


def _change(data: bytearray, draw: random.Random, texts: list[bytes]) -> None:
    at = draw.randrange(len(data) + 1)
    to = min(len(data), at + draw.randint(1, 200))
    kind = draw.randrange(8)
    if kind == 0:
        del data[at:]
    elif kind == 1:
        del data[at:to]
    elif kind == 2:
        data[at:at] = draw.choice(TOKENS).encode()
    elif kind == 3:
        data[at:at] = draw.randbytes(draw.randint(1, 40))
    elif kind == 4:
        other = draw.choice(texts)
        begin = draw.randrange(len(other))
        data[at:to] = other[begin : begin + draw.randint(1, 600)]
    elif kind == 5:
        data[at:at] = data[at:to] * draw.randint(1, 20)
    elif kind == 6:
        data[at:at] = draw.choice((b"(", b"{", b"[", b"if(x)", b"-", b"*", b"x?")) * draw.randint(1, 3000)
    elif data:
        data[min(at, len(data) - 1)] = draw.randrange(256)


def audited(data: bytes) -> FileFacts:
    """One audit of one source, all rules; whatever it raises is a defect."""
    facts = syntax.read("case.c", data)
    analysis = Analysis([facts], Options(oracle_seconds=1.0, oracle_states=2_000))
    judge(analysis)
    return facts


def run(first: int, count: int) -> Iterator[tuple[int, float]]:
    """Audit cases; yields each number with the seconds it took."""
    texts = sources()
    for number in range(first, first + count):
        started = time.perf_counter()
        try:
            audited(case(number, texts))
        except Exception as error:
            raise AssertionError(f"case {number}: {type(error).__name__}: {error}") from error
        yield number, time.perf_counter() - started


def main(arguments: list[str]) -> int:
    """Audit as many cases as asked for (10,000 by default), beginning with a number (0 by default)."""
    count = int(arguments[0]) if arguments else 10_000
    first = int(arguments[1]) if len(arguments) > 1 else 0
    slowest = max(run(first, count), key=lambda one: one[1])
    memory_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{count} cases from {first}: none failed; slowest {slowest[1]:.2f} s (case {slowest[0]}), {memory_mib:.0f} MiB"
    )
    return 0 if slowest[1] <= SECONDS_MAX and memory_mib < 1024 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
