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


@pytest.mark.parametrize("order", [("one.c", "two.c"), ("two.c", "one.c")])
def test_a_flag_of_a_record_whose_name_another_program_uses_too(order: tuple[str, str]) -> None:
    """Two programs in one folder, each with a record of its own under one name: both are looked at."""
    texts = {
        f"{name}.c": crew(
            f"static struct config {{ int width, {flag}; }} config;",
            f"    while (!config.{flag})\n        config.width++;",
            after=f"config.{flag} = 1;",
        )
        for name, flag in (("one", "stop"), ("two", "closed"))
    }
    assert found({name: texts[name] for name in order}, "CR003") == []
