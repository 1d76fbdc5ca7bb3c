"""CD002: objects made twice."""

import pytest

from tests.audit.auditing import found
from tests.audit.rules.lock_programs import codes, line_of, program

Q = "static pthread_mutex_t q;"
USE = "pthread_mutex_lock(&q); x++; pthread_mutex_unlock(&q);"
INIT = "pthread_mutex_init(&q, NULL);"
DESTROY = "pthread_mutex_destroy(&q);"
SETUP = "static int made; static void setup(void) { if (!made) { pthread_mutex_init(&q, NULL); made = 1; } }"
EACH = "for (int i = 0; i < 3; i++)"


@pytest.mark.parametrize(
    "text",
    [
        program(USE, declarations=Q, before=INIT + INIT),
        program(USE, declarations=Q, before=f"{EACH} {{ {INIT} }}"),
        program(INIT + USE, declarations=Q),
        program(
            "pthread_mutex_lock(&a[x]); pthread_mutex_unlock(&a[x]);",
            declarations="static pthread_mutex_t a[3];",
            before=f"{EACH} {{ pthread_mutex_init(&a[i], NULL); pthread_mutex_init(&a[i], NULL); }}",
        ),
        program("pthread_mutex_lock(&m); x++; pthread_mutex_unlock(&m);", before="pthread_mutex_init(&m, NULL);"),
    ],
    ids=["twice", "in every round", "by each thread", "each element twice", "declared with an initialiser"],
)
def test_made_twice(text: str) -> None:
    assert codes(text) == ["CD002"]


@pytest.mark.parametrize(
    "text",
    [
        program(USE, declarations=Q, before=INIT),
        program(USE, declarations=Q, before=INIT + DESTROY + INIT, after=DESTROY),
        program(USE, declarations=Q, before=f"{EACH} {{ {INIT} {DESTROY} }} {INIT}"),
        program(USE, declarations=Q, before=f"if (chance(2)) {INIT} else {INIT}"),
        program(USE, declarations=Q + SETUP, before="setup(); setup();"),
        program(
            "pthread_mutex_lock(&a[x]); pthread_mutex_unlock(&a[x]);", declarations="static pthread_mutex_t a[3];",
            before=f"{EACH} pthread_mutex_init(&a[i], NULL);",
        ),
        program(
            "pthread_mutex_lock(&a[x]); pthread_mutex_unlock(&a[x]);", declarations="static pthread_mutex_t a[3];",
            before="int at; each_slot(at) { pthread_mutex_init(&a[at], NULL); }",
        ),
    ],
    ids=["once", "destroyed between", "rounds", "either way", "guarded", "elements", "elements by a loop macro"],
)  # fmt: skip
def test_made_once(text: str) -> None:
    assert codes(text) == []


def test_objects_allocated_anew_are_others() -> None:
    declarations = """struct line { pthread_mutex_t lock; };
static struct line *made(void)
{
    struct line *line = malloc(sizeof *line);
    if (line != NULL)
        pthread_mutex_init(&line->lock, NULL);
    return line;
}"""
    worker = "struct line *line = argument; pthread_mutex_lock(&line->lock); pthread_mutex_unlock(&line->lock);"
    text = program(
        worker, declarations=declarations, before="struct line *lines[3]; " + EACH + " lines[i] = made();",
        argument="lines[i]",
    )  # fmt: skip
    assert codes(text) == []


def test_the_second_call_is_shown() -> None:
    declarations = Q + "\nstatic void open_(void)\n{\n    pthread_mutex_init(&q, NULL);\n}"
    text = program(USE, declarations=declarations, before="open_();\n    open_(); x = 0;")
    (finding,) = found(text, "CD002")
    assert finding.site.line == line_of(text, "pthread_mutex_init")
    assert line_of(text, "open_(); x = 0;") in {site.line for note in finding.notes for site in note.how}
