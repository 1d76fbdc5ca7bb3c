"""CS004 and CS005: regions that nobody uses, and regions written against their rights."""

from __future__ import annotations

import pytest

from tests.audit.auditing import found
from tests.audit.rules.memory_programs import HEAD, crew

MAP = "mmap(NULL, 64, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)"
MODULE = f"""
struct region {{ void *base; size_t size; }};
static int region_open(struct region *region, size_t size)
{{
    region->base = {MAP};
    region->size = size;
    return region->base == MAP_FAILED ? -1 : 0;
}}
static void region_close(struct region *region)
{{
    if (region->base)
        munmap(region->base, region->size);
}}
static struct {{ struct region region; long sums[WORKERS]; }} training;
"""
FILL = "    training.sums[id] = id;"
SHOWN = 'printf("%ld", training.sums[0]);\n    region_close(&training.region);'
OPEN = "if (region_open(&training.region, 64) != 0)\n        return 1;"

UNUSED = {
    "global": crew(
        "static long *shared;\nstatic long sums[WORKERS];",
        "    sums[id] = id;",
        before=f"shared = {MAP};\n    if (shared == MAP_FAILED)\n        return 1;",
        after='printf("%ld", sums[0]);\n    munmap(shared, 64);',
    ),
    "module": crew(MODULE, FILL, before=OPEN, after=SHOWN),
}

USED = {
    "written by the workers": crew(
        "static long *shared;",
        "    shared[id] = id;",
        before=f"shared = {MAP};",
        after='printf("%ld", shared[0]);\n    munmap(shared, 64);',
    ),
    "by way of a function": crew(
        MODULE.replace(
            "static struct {",
            "static long *region_longs(struct region *region)\n{\n    return region->base;\n}\nstatic struct {",
        ),
        "    region_longs(&training.region)[id] = id;\n    training.sums[id] = id;",
        before=OPEN,
        after=SHOWN,
    ),
    "no threads": f"{HEAD}\nint main(void)\n{{\n    long *shared = {MAP};\n\n"
    "    munmap(shared, 64);\n    return 0;\n}\n",
}


@pytest.mark.parametrize("name", UNUSED)
def test_unused_regions_are_found(name: str) -> None:
    """One finding."""
    assert len(found(UNUSED[name], "CS004")) == 1


@pytest.mark.parametrize("name", USED)
def test_used_regions_are_none(name: str) -> None:
    """Nothing."""
    assert found(USED[name], "CS004") == []


TABLE = """
enum mode {{ READ_ONLY, READ_WRITE }};
static int *open_table(enum mode mode)
{{
    return mmap(NULL, 64, mode == READ_ONLY ? PROT_READ : PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}}
static int *table;
"""


def _table(mode: str) -> str:
    return crew(
        TABLE.format(), "    table[id] = id;", before=f"table = open_table({mode});", after='printf("%d", table[0]);'
    )


def test_a_mode_that_a_wrapper_chooses() -> None:
    """The argument of the call decides."""
    assert len(found(_table("READ_ONLY"), "CS005")) == 1
    assert found(_table("READ_WRITE"), "CS005") == []


def test_reading_a_read_only_region() -> None:
    """Is what it is for."""
    text = crew(
        "static int *table;",
        '    printf("%d", table[id]);',
        before="table = mmap(NULL, 64, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);",
    )
    assert found(text, "CS005") == []


def test_opened_to_read_and_mapped_to_write() -> None:
    """The mapping fails."""
    text = crew(
        "static int *table;",
        "    table[id] = id;",
        before='int file = shm_open("/table", O_RDONLY, 0);\n'
        "    table = mmap(NULL, 64, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);",
        after='printf("%d", table[0]);',
    )
    assert len(found(text, "CS005")) == 1
    assert found(text.replace("O_RDONLY", "O_RDWR"), "CS005") == []
