"""CS001, CS002, CS003 and the inventory of segments."""

from __future__ import annotations

import pytest

from cllm_sim.auditor.rules.support.segments import segments
from cllm_sim.auditor.rules.support.segments_run import Run

from tests.audit.auditing import analysed, found
from tests.audit.rules.memory_programs import HEAD, crew

USE = 'printf("%d", cells[5]);'


def _cells(body: str, *, size: int = 100, workers: int = 3) -> str:
    return crew(f"#define SIZE {size}\nstatic int cells[SIZE + 8];", body, workers=workers, after=USE)


def _given(place: str, *, total: int = 120) -> str:
    """Workers whose parts main writes into their records."""
    return f"""{HEAD}
#define WORKERS 4
#define TOTAL {total}
struct worker {{ pthread_t thread; int *cells; int offset, length; }};

static void *work(void *argument)
{{
    struct worker *self = argument;

    for (int i = 0; i < self->length; i++)
        self->cells[self->offset + i] = i;
    return NULL;
}}

int main(void)
{{
    static int cells[TOTAL + 8];
    static struct worker workers[WORKERS];
    int begin = 0;

    for (int i = 0; i < WORKERS; i++) {{
        workers[i].cells = cells;
        {place}
        begin += workers[i].length;
    }}
    for (int i = 0; i < WORKERS; i++)
        pthread_create(&workers[i].thread, NULL, work, &workers[i]);
    for (int i = 0; i < WORKERS; i++)
        pthread_join(workers[i].thread, NULL);
    printf("%d %d", cells[5], begin);
    return 0;
}}
"""


ROWS = """    for (int y = id * 10; y {to} (id + 1) * 10; y++)
        for (int x = 1; x < WIDTH - 1; x++)
            cells[y][x] = x;"""


def _rows(to: str, *, allocated: bool = True) -> str:
    declared = "static int (*cells)[WIDTH];" if allocated else "static int cells[31][WIDTH];"
    return crew(
        f"#define WIDTH 50\n{declared}", ROWS.replace("{to}", to), workers=3, after='printf("%d", cells[5][5]);',
        before="cells = calloc(31, sizeof *cells);" if allocated else "",
    )  # fmt: skip


OVERLAP = {
    "the last row is the next one's first": _rows("<="),
    "and in an array of rows": _rows("<=", allocated=False),
    "inclusive end": _cells("    for (int i = id * 30; i <= (id + 1) * 30; i++)\n        cells[i] = i;", size=90),
    "stride too short": _cells(
        "    int first = id * 29;\n    for (int i = 0; i < 30; i++)\n        cells[first + i] = i;"
    ),
    "pointer into the buffer": _cells(
        "    int *part = cells + id * 25;\n    for (int i = 0; i < 26; i++)\n        part[i] = i;"
    ),
    "remainder for everybody": _given(
        "workers[i].offset = i * (TOTAL / WORKERS);\n        workers[i].length = TOTAL / WORKERS + TOTAL % WORKERS;",
        total=121,
    ),
    "memset of too much": _cells("    memset(cells + id * 20, id, 21 * sizeof(int));\n", size=60),
}

DISJOINT = {
    "own rows": _rows("<"),
    "own rows of an array": _rows("<", allocated=False),
    "own parts": _cells("    for (int i = id * 30; i < (id + 1) * 30; i++)\n        cells[i] = i;", size=90),
    "one element each": _cells("    cells[id] = id;\n    cells[id] += 2;"),
    "every third": _cells("    for (int i = id; i < SIZE; i += WORKERS)\n        cells[i] = i;"),
    "last one takes the rest": _cells(
        "    int share = SIZE / WORKERS, first = id * share, last = first + share;\n    if (id == WORKERS - 1)\n"
        "        last = SIZE;\n    for (int i = first; i < last; i++)\n        cells[i] = i;"
    ),
    "the first ones one more": _given(
        "workers[i].length = TOTAL / WORKERS + (i < TOTAL % WORKERS ? 1 : 0);\n        workers[i].offset = begin;",
        total=122,
    ),
    "everything by everybody under a lock": crew(
        "static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;\nstatic int cells[9];",
        "    pthread_mutex_lock(&guard);\n    for (int i = id; i < 9; i++)\n        cells[i]++;\n"
        "    pthread_mutex_unlock(&guard);",
        after=USE,
    ),
}


@pytest.mark.parametrize("name", OVERLAP)
def test_overlaps_are_found(name: str) -> None:
    """One finding, naming the buffer."""
    findings = found(OVERLAP[name], "CS001")
    assert len(findings) == 1
    assert "cells" in findings[0].subject


@pytest.mark.parametrize("name", DISJOINT)
def test_disjoint_parts_are_none(name: str) -> None:
    """Nothing, neither overlap nor loss."""
    assert found(DISJOINT[name], "CS001", "CS002") == []


LOST = {
    "constants": _cells(
        "    int share = SIZE / WORKERS;\n    for (int i = id * share; i < (id + 1) * share; i++)\n"
        "        cells[i] = i;"
    ),
    "given out": _given(
        "workers[i].length = TOTAL / WORKERS;\n        workers[i].offset = i * (TOTAL / WORKERS);", total=121
    ),
    "added up": _given(
        "int share = TOTAL / WORKERS;\n        workers[i].length = share;\n        workers[i].offset = i * share;",
        total=121,
    ),
}

KEPT = {
    "divides evenly": LOST["constants"].replace("SIZE 100", "SIZE 99"),
    "rounded up and cut": _cells(
        "    int share = (SIZE + WORKERS - 1) / WORKERS, last = (id + 1) * share;\n    if (last > SIZE)\n"
        "        last = SIZE;\n    for (int i = id * share; i < last; i++)\n        cells[i] = i;"
    ),
    "main does the rest": crew(
        "#define SIZE 100\nstatic int cells[SIZE];",
        "    int share = SIZE / WORKERS;\n    for (int i = id * share; i < (id + 1) * share; i++)\n"
        "        cells[i] = i;",
        after=f"for (int i = SIZE - SIZE % WORKERS; i < SIZE; i++)\n        cells[i] = i;\n    {USE}",
    ),
    "an average, no share": crew(
        "static int sums[WORKERS];",
        "    sums[id] = id;",
        after='int all = sums[0] + sums[1] + sums[2];\n    printf("%d", all / WORKERS);',
    ),
    "proportional ends": _cells(
        "    for (int i = SIZE * id / WORKERS; i < SIZE * (id + 1) / WORKERS; i++)\n        cells[i] = i;"
    ),
}


@pytest.mark.parametrize("name", LOST)
def test_lost_remainders_are_found(name: str) -> None:
    """One finding for one division."""
    assert len(found(LOST[name], "CS002")) >= 1


@pytest.mark.parametrize("name", KEPT)
def test_kept_remainders_are_none(name: str) -> None:
    """Nothing."""
    assert found(KEPT[name], "CS001", "CS002") == []


def test_a_buffer_that_is_only_written() -> None:
    """Also if it is changed in place; not if somebody reads it, returns it, or a function outside gets it."""
    only = crew("static double seen[WORKERS];", "    seen[id] += id;")
    assert [one.subject for one in found(only, "CS003")] == ["seen"]
    for after in (
        'printf("%f", seen[0]);',
        "write(1, seen, sizeof seen);",
        'double *all = seen;\n    free(all == NULL ? all : NULL);\n    printf("%f", *all);',
    ):
        assert found(crew("static double seen[WORKERS];", "    seen[id] += id;", after=after), "CS003") == []


def test_a_buffer_behind_a_helper() -> None:
    """A reader that is given the buffer reads it."""
    text = crew(
        "static double seen[WORKERS];",
        "    seen[id] = id;",
        extra="static double sum(const double *all, int n)\n{\n    double s = 0;\n\n    for (int i = 0; i < n; i++)\n"
        "        s += all[i];\n    return s;\n}\n",
        after='printf("%f", sum(seen, WORKERS));',
    )
    assert found(text, "CS003") == []


def test_the_inventory_of_segments() -> None:
    """Name, size, begin and length in the program's words, and who writes and reads."""
    text = _cells(
        "    int first = id * 30;\n    for (int i = first; i < first + 30; i++)\n        cells[i] = i;", size=90
    )
    (one,) = segments(analysed(text))
    assert (one.label, one.size, one.offset, one.length, one.role) == ("cells", "SIZE + 8", "first", "30", "work")
    assert [use.role for use in one.written] == ["work"]
    assert [use.role for use in one.read] == ["main"]


def test_runs_meet() -> None:
    """Runs of stride one by their ends, others by their elements."""
    assert Run(0, 9, 1).meets(Run(9, 12, 1))
    assert not Run(0, 8, 1).meets(Run(9, 12, 1))
    assert not Run(0, 9, 3).meets(Run(1, 10, 3))
    assert Run(0, 9, 3).meets(Run(3, 12, 3))
