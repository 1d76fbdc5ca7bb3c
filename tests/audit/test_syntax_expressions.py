"""Expressions as the reader understands them."""

import pytest

from cllm_sim.auditor.facts import Call, Do, Name

from tests.audit.spelling import expression, read, spelt, statements


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a + b * c", "(a + (b * c))"),
        ("a - b - c", "((a - b) - c)"),
        ("((a))", "a"),
        ("a && !b || ~c", "((a && (! b)) || (~ c))"),
        ("a = b += c", "(a = (b += c))"),
        ("a <<= 2, b |= 3", "((a <<= 2) , (b |= 3))"),
        ("x++ + --y", "((x++ x) + (--x y))"),
        ("*p->next[i].data = &q", "((* p->next[i].data) = (& q))"),
        ("a ? b : c ? d : e", "(a ? b : (c ? d : e))"),
        ("a ?: b", "(a ? a : b)"),
        ("f(a, g(), &h)", "f(a, g(), (& h))"),
        ("p->run(p)", "p->run(p)"),
        ("(*run)(x)", "(* run)(x)"),
        ("a, b, c", "((a , b) , c)"),
    ],
)
def test_operators(text, expected):
    assert expression(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12", "12"),
        ("0x1Ful", "0x1Ful=31"),
        ("017", "017=15"),
        ("0b101", "0b101=5"),
        ("1.5f", "1.5f=None"),
        ("1e3", "1e3=None"),
        ("'a'", "'a'=97"),
        ("'\\n'", "'\\n'=10"),
        ("'\\x41'", "'\\x41'=65"),
        ("'\\0'", "'\\0'=0"),
        ("L'a'", "L'a'=97"),
        ("NULL", "NULL=0"),
        ("true", "true=1"),
        ("false", "false=0"),
        ('"a\\tb"', "'a\\tb'"),
        ('"a" "b"', "'ab'"),
        ('"a" PRIu64 "b"', "'ab'"),
        ('"say \\"no\\" // not a comment"', "'say \"no\" // not a comment'"),
    ],
)
def test_constants(text, expected):
    assert expression(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(int) x", "<int>x"),
        ("(struct pool *) x", "<struct pool*>x"),
        ("(unsigned long) (x)", "<unsigned long>x"),
        ("(volatile int *) x", "<volatile int*>x"),
        ("(const struct pool **) x", "<const struct pool**>x"),
        ("(void (*)(int)) x", "<void function>x"),
        ("(x)(y)", "x(y)"),
        ("(size_t)(y)", "<size_t>y"),
        ("(my_thing_t)(y)", "<my_thing_t>y"),
        ("(count) - y", "(count - y)"),
        ("sizeof *p", "sizeof((* p))"),
        ("sizeof(struct pool)", "sizeof<struct pool>"),
        ("sizeof(int)", "sizeof<int>"),
        ("sizeof(x)", "sizeof(x)"),
        ("sizeof x / sizeof x[0]", "(sizeof(x) / sizeof(x[0]))"),
        ("(struct point){1, .y = 2, [3] = 4}", "<struct point>{1, .y = 2, [3] = 4}"),
        ("f((struct point){0})", "f(<struct point>{0})"),
        ("f(x, int)", "f(x, <int>)"),
        ("va_arg(list, unsigned long)", "va_arg(list, <unsigned long>)"),
        ("va_arg(list, char *)", "va_arg(list, <char*>)"),
        ("container_of(p, struct pool, link)", "container_of(p, <struct pool>, link)"),
        ("CAST(thing *, p)", "CAST(<thing*>, p)"),
        ("offsetof(struct pool, a.b)", "offsetof(<struct pool>, a.b)"),
        ("offsetof(pool, a)", "offsetof(<pool>, a)"),
        ("_Alignof(int)", "_Alignof(<int>)"),
    ],
)
def test_types_in_expressions(text, expected):
    assert expression(text) == expected


def test_a_name_that_the_file_makes_a_type_is_a_cast():
    before = "typedef int Count;"
    assert expression("(Count)(y)", before) == "<Count>y"
    assert expression("(Count) - y", before) == "<Count>(- y)"
    assert expression("(Count) * y", before) == "<Count>(* y)"
    assert expression("(Other) * y", before) == "(Other * y)"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("x = ({ int y = f(a); y + 1; })", "[(y = f(a)), (y + 1)]"),
        ("x = ({ if (a) b(); while (c()) d(); e; })", "[a, b(), c(), d(), e]"),
        ("x = _Generic(y, int: f(1), default: g(2))", "[y, f(1), g(2)]"),
    ],
)
def test_what_is_not_understood_keeps_its_parts(text, parts):
    assert expression(text).endswith(f"{parts})")


def test_inline_assembly_keeps_its_text_and_operands():
    found = expression('__asm__ volatile("lock; addl %1, %0" : "+m"(total) : "r"(amount()) : "memory")')
    assert found.startswith("?")
    assert "memory" in found
    assert "total" in found
    assert "amount()" in found


def test_every_expression_knows_its_place():
    facts = read("void f(void)\n{\n    lock(&pool->gate);\n}\n")
    (statement,) = facts.functions[0].body
    assert isinstance(statement, Do)
    assert isinstance(statement.expression, Call)
    call = statement.expression
    assert (call.line, call.column) == (3, 5)
    assert (call.arguments[0].line, call.arguments[0].column) == (3, 10)


def test_columns_count_characters():
    facts = read('void f(void)\n{\n    say("größer"); /* äöü */ go();\n}\n')
    last = facts.functions[0].body[-1]
    assert isinstance(last, Do)
    assert isinstance(last.expression, Call)
    assert (last.expression.line, last.expression.column) == (3, 30)


def test_names_beyond_ascii_are_kept():
    assert expression("zähler += größe") == "(zähler += größe)"


def test_long_chains_of_operators_keep_their_operands():
    facts = read("void f(void) { x = " + " + ".join(f"g({number})" for number in range(500)) + "; }")
    (statement,) = facts.functions[0].body
    assert isinstance(statement, Do)
    assert spelt(statement.expression).count("g(") >= 500


def test_product_of_a_macro_unit():
    assert expression("n = 64 KB", "#define KB *1024") == "(n = (64 * KB))"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("g(1, n * size)", "g(1, (n * size))"),
        ("g(n * SIZE, 1)", "g((n * SIZE), 1)"),
        ("g(1, sizeof *p)", "g(1, sizeof((* p)))"),
    ],
)
def test_a_product_in_a_call_is_no_declaration(text, expected):
    assert expression(text) == expected


def test_a_call_through_a_parenthesised_name_stays_a_call():
    assert statements("(free)(p);") == "free(p);"


def test_names_are_names():
    facts = read("void f(void) { return_value; }")
    (statement,) = facts.functions[0].body
    assert isinstance(statement, Do)
    assert statement.expression == Name("return_value", 1, 16)
