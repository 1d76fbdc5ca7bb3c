"""Constant values."""

import pytest

from cllm_sim.auditor.program.constants import operate

from tests.audit.linking import constant, linked

SOURCE = """
#define WORKERS 12
#define PARTIES (WORKERS + 1)
#define ARRAY_LEN(x) (sizeof(x) / sizeof((x)[0]))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
enum { RED, GREEN, BLUE = 7, GREY, BLACK = GREY * 2, WHITE };
enum shape { ROUND, SQUARE };
const int parties = WORKERS + 1;
static const long limit = PARTIES * 2;
int variable = 4;
const int *pointer = 0;
int primes[] = {2, 3, 5, 7};
const char *names[WORKERS];
char text[] = "four";
double grid[3][WORKERS];
struct Pool { int slots[WORKERS]; char tag[8]; } pool;
int f(int n, int WIDTH, char given[9]) {
    static const int inner = GREEN + 1;
    const int RED = 5;
    int plain = 3;
    char local[WORKERS];
    int sized[n];
    return 0;
}
"""


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("12", 12),
        ("0x10", 16),
        ("'a'", 97),
        ("1.5", None),
        # names
        ("WORKERS", 12),
        ("PARTIES", 13),
        ("GREEN", 1),
        ("BLUE", 7),
        ("GREY", 8),
        ("BLACK", 16),
        ("WHITE", 17),
        ("SQUARE", 1),
        ("parties", 13),
        ("limit", 26),
        ("inner", 2),
        ("RED", 5),
        ("plain", None),
        ("variable", None),
        ("pointer", None),
        ("n", None),
        ("WIDTH", None),
        ("unheard", None),
        # arithmetic
        ("PARTIES - 1", 12),
        ("-GREEN", -1),
        ("~0", -1),
        ("!WORKERS", 0),
        ("+WORKERS", 12),
        ("WORKERS / 5", 2),
        ("(0 - 7) / 2", -3),
        ("(0 - 7) % 2", -1),
        ("1 / 0", None),
        ("1 << 4", 16),
        ("256 >> 4", 16),
        ("1 << 100000", None),
        ("WORKERS == 12 && GREEN", 1),
        ("n && 0", 0),
        ("1 || n", 1),
        ("n || 0", None),
        ("WORKERS > 5 ? 1 : n", 1),
        ("n ? 1 : 1", None),
        ("(n, 3)", 3),
        ("(size_t)WORKERS", 12),
        ("MAX(WORKERS, 20)", 20),
        ("n + 1", None),
        ("f(1)", None),
        ("n++", None),
        ("&n", None),
        # sizes
        ("sizeof(char)", 1),
        ("sizeof(uint32_t)", 4),
        ("sizeof(int)", None),
        ("sizeof n", None),
        ("sizeof local", 12),
        ("sizeof(local)", 12),
        ("sizeof pool.tag", 8),
        ("sizeof text", 5),
        ('sizeof("four")', 5),
        ("sizeof given", None),
        ("sizeof primes / sizeof primes[0]", 4),
        ("sizeof(primes) / sizeof(int)", 4),
        ("sizeof(primes) / sizeof(*primes)", 4),
        ("ARRAY_LEN(primes)", 4),
        ("ARRAY_LEN(names)", 12),
        ("ARRAY_LEN(pool.slots)", 12),
        ("ARRAY_LEN(grid)", 3),
        ("ARRAY_LEN(grid[0])", 12),
        ("sizeof(grid) / sizeof(grid[0][0])", 36),
        ("ARRAY_LEN(sized)", None),
        ("ARRAY_LEN(given)", None),
        ("ARRAY_LEN(pointer)", None),
        ("sizeof(primes) / sizeof(long)", None),
    ],
)
def test_constants(expression: str, value: int | None) -> None:
    assert constant(linked(SOURCE), expression, "f") == value


def test_at_file_level_locals_do_not_hide() -> None:
    assert constant(linked(SOURCE), "RED") == 0


def test_each_file_has_its_own_constants() -> None:
    program = linked({"a.c": "#define N 1\nenum { M = 1 };", "b.c": "#define N 2\nenum { M = 2 };"})
    assert [constant(program, name, path=path) for name in "NM" for path in ("a.c", "b.c")] == [1, 2, 1, 2]


def test_constants_of_headers() -> None:
    program = linked({"a.c": '#include "a.h"', "a.h": "#define N (M * 2)\nenum { L = 2, M };"})
    assert constant(program, "N") == 6


def test_constants_that_need_themselves_are_unknown() -> None:
    source = "const int a = b; const int b = a;\nenum { X = Y, Y = X };\n#define P Q\n#define Q P\n"
    program = linked(source)
    assert [constant(program, name) for name in "abXYPQ"] == [None] * 6


@pytest.mark.parametrize(
    ("operator", "left", "right", "result"),
    [
        ("/", 7, -2, -3),
        ("%", 7, -2, 1),
        ("%", 1, 0, None),
        ("<<", 1, -1, None),
        (">>", -8, 1, -4),
        ("*", 1 << 100, 1 << 100, None),
        ("&", 6, 3, 2),
        ("|", 6, 3, 7),
        ("^", 6, 3, 5),
        ("!=", 6, 3, 1),
        ("<", 6, 3, 0),
        ("<=", 3, 3, 1),
        (">=", 6, 3, 1),
        ("||", 0, 0, 0),
        ("?", 1, 1, None),
    ],
)
def test_operators(operator: str, left: int, right: int, result: int | None) -> None:
    assert operate(operator, left, right) == result
