"""CR003: flags that nobody looks at."""

from __future__ import annotations

import pytest

from tests.audit.auditing import found
from tests.audit.rules.memory_programs import crew

UNREAD = {
    "set": crew("static bool done;", '    printf("%d", id);', after="done = true;"),
    "never touched": crew("static struct { int sum, stop; } all;", '    printf("%d", id + all.sum);'),
    "atomic": crew("static atomic_bool cancelled;", '    printf("%d", id);', after="atomic_store(&cancelled, true);"),
    "threads set it to 1": crew("static unsigned dirty;", "    dirty = 1;", after="dirty = 0;"),
    "read by dead code": crew(
        "static bool done;\nint is_done(void);\nint is_done(void) { return done; }",
        '    printf("%d", id);',
        after="done = true;",
    ),
}

READ = {
    "tested": crew(
        "static bool done;", '    printf("%d", id);', after='done = true;\n    if (done)\n        puts("x");'
    ),
    "counted": crew(
        "static atomic_int finished;", "    atomic_fetch_add(&finished, id);", after='printf("%d", finished);'
    ),
    "handed on": crew(
        "static int stop;\nvoid watch(int *flag);", '    printf("%d", id);', after="watch(&stop);\n    stop = 1;"
    ),
    "a number of things": crew("static unsigned long n_run;", "    n_run = id;"),
    "a flag by neither": crew("static unsigned dirty;", "    dirty = id;"),
    "no flag by its name": crew("static int width;", '    printf("%d", id);', after="width = 3;"),
}


@pytest.mark.parametrize("name", UNREAD)
def test_unread_flags_are_found(name: str) -> None:
    """One finding."""
    assert len(found(UNREAD[name], "CR003")) == 1


@pytest.mark.parametrize("name", READ)
def test_read_flags_are_none(name: str) -> None:
    """Nothing."""
    assert found(READ[name], "CR003") == []
