"""CL005: opposite orders, and what makes them harmless."""

import pytest

from tests.audit.auditing import found
from tests.audit.rules.lock_programs import codes, program, two_roles

FORWARD = "pthread_mutex_lock(&m); pthread_mutex_lock(&k); x++; pthread_mutex_unlock(&k); pthread_mutex_unlock(&m);"
BACKWARD = "pthread_mutex_lock(&k); pthread_mutex_lock(&m); x++; pthread_mutex_unlock(&m); pthread_mutex_unlock(&k);"
GATE = "static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;"
FORKS = "static pthread_mutex_t forks[3]; static int eaten[3];"
SET_UP = "for (int i = 0; i < 3; i++) pthread_mutex_init(&forks[i], NULL);"
EAT = "eaten[id]++; pthread_mutex_unlock(&forks[a]); pthread_mutex_unlock(&forks[b]);"


def gated(body: str) -> str:
    return f"pthread_mutex_lock(&gate); {body} pthread_mutex_unlock(&gate);"


def test_two_roles_with_opposite_orders() -> None:
    (finding,) = found(two_roles(FORWARD, BACKWARD), "CL005")
    assert "first takes m, then k" in finding.message or "first takes k, then m" in finding.message
    assert {note.role for note in finding.notes} == {"first", "second"}
    assert len(finding.notes) == 4


def test_threads_of_one_role_with_opposite_orders() -> None:
    assert codes(program(f"if (argument) {{ {FORWARD} }} else {{ {BACKWARD} }}")) == ["CL005"]


def test_a_circle_of_three() -> None:
    declarations = "static pthread_mutex_t n = PTHREAD_MUTEX_INITIALIZER;"
    third = FORWARD.replace("&m", "&n").replace("&k", "&m")
    inner = FORWARD.replace("&k", "&n").replace("&m", "&k")
    text = program(
        f"switch (chance(3)) {{ case 0: {FORWARD} break; case 1: {inner} break; default: {third} }}",
        declarations=declarations,
    )
    (finding,) = found(text, "CL005")
    assert len(finding.notes) == 6


@pytest.mark.parametrize(
    "text",
    [
        two_roles(gated(FORWARD), gated(BACKWARD), declarations=GATE),
        two_roles(FORWARD, FORWARD),
        two_roles(FORWARD, "x++;", before=BACKWARD),
        two_roles(FORWARD, "x++;", after=BACKWARD),
        two_roles(
            FORWARD, "pthread_mutex_lock(&k); if (pthread_mutex_trylock(&m) == 0) pthread_mutex_unlock(&m); "
            "pthread_mutex_unlock(&k);",
        ),
        two_roles(FORWARD + BACKWARD, "x++;"),
    ],
    ids=["under a gate", "one order", "before the threads", "after the threads", "try-lock", "one thread alone"],
)  # fmt: skip
def test_no_finding(text: str) -> None:
    assert codes(text) == []


@pytest.mark.parametrize(
    ("choose", "expected"),
    [
        ("int a = id, b = (id + 1) % 3; pthread_mutex_lock(&forks[a]); pthread_mutex_lock(&forks[b]);", ["CL005"]),
        ("int a = id, b = (id + 1) % 3; if (a > b) { int h = a; a = b; b = h; } pthread_mutex_lock(&forks[a]); "
         "pthread_mutex_lock(&forks[b]);", []),
        ("int a = id, b = (id + 1) % 3; if (id == 2) { pthread_mutex_lock(&forks[b]); pthread_mutex_lock(&forks[a]); } "
         "else { pthread_mutex_lock(&forks[a]); pthread_mutex_lock(&forks[b]); }", []),
    ],
    ids=["all around", "lower first", "one the other way"],
)  # fmt: skip
def test_dining_philosophers(choose: str, expected: list[str]) -> None:
    worker = f"int id = (int)(long)argument; {choose} {EAT}"
    assert codes(program(worker, declarations=FORKS, before=SET_UP, argument="(void *)(long)i")) == expected


def test_variables_of_one_record_are_told_apart() -> None:
    declarations = """struct account { pthread_mutex_t lock; long balance; };
static struct account savings, current;
static void move(struct account *from, struct account *to)
{
    pthread_mutex_lock(&from->lock);
    pthread_mutex_lock(&to->lock);
    from->balance--;
    to->balance++;
    pthread_mutex_unlock(&to->lock);
    pthread_mutex_unlock(&from->lock);
}"""
    before = "pthread_mutex_init(&savings.lock, NULL); pthread_mutex_init(&current.lock, NULL);"
    opposite = two_roles(
        "move(&savings, &current);", "move(&current, &savings);", declarations=declarations, before=before
    )
    (finding,) = found(opposite, "CL005")
    assert "savings.lock" in finding.message
    same = two_roles("move(&savings, &current);", "move(&savings, &current);", declarations=declarations, before=before)
    assert codes(same) == []
