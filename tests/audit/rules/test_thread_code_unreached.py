"""CT007: code for threads that nothing reaches."""

from tests.audit.auditing import found
from tests.audit.rules.thread_programs import HEAD, crew

CALLER = "pthread_create(&thread, NULL, thread_main, NULL); pthread_join(thread, NULL);"
LOCK = "static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;"
BODY = "{ pthread_mutex_lock(&lock); result++; pthread_mutex_unlock(&lock); "
USE = "pthread_mutex_lock(&lock); result++; pthread_mutex_unlock(&lock);"


def unreached(shared: str, caller: str = CALLER) -> list[str]:
    """The functions that are reported."""
    return [one.subject for one in found(crew(USE, caller, LOCK + shared), "CT007")]


def test_an_entry_that_is_never_started() -> None:
    assert unreached(f"static void *old_main(void *argument) {BODY} return argument; }}") == ["old_main"]


def test_an_entry_that_only_dead_code_starts() -> None:
    shared = f"""static void *old_main(void *argument) {BODY} return argument; }}
void begin_old(pthread_t *thread);
void begin_old(pthread_t *thread) {{ pthread_create(thread, NULL, old_main, NULL); }}"""
    [one] = found(crew(USE, CALLER, LOCK + shared), "CT007")
    assert one.subject == "old_main"
    assert "only by code that nothing reaches" in one.message


def test_a_static_function_that_synchronises() -> None:
    assert unreached(f"static void old(void) {BODY} }}") == ["old"]


def test_only_the_outermost_of_a_dead_chain() -> None:
    shared = f"static void inner(void) {BODY} }} static void *outer(void *argument) {{ inner(); return argument; }}"
    assert unreached(shared) == ["outer"]


def test_callbacks_and_tables_are_left_alone() -> None:
    shared = f"""static void *later(void *argument) {BODY} return argument; }}
extern void at_exit_of_frame(void *(*call)(void *));"""
    assert unreached(shared, CALLER + "at_exit_of_frame(later);") == []
    table = f"""static void *later(void *argument) {BODY} return argument; }}
static void *(*const table[])(void *) = {{later}};
extern void take(void *(*const *calls)(void *));"""
    assert unreached(table, CALLER + "take(table);") == []


def test_functions_without_threads_in_mind() -> None:
    assert unreached("static void *next_of(void *argument) { return argument; }") == []
    assert unreached("static int unused_sum(int a, int b) { return a + b; }") == []


def test_a_library_starts_its_threads_from_what_it_offers() -> None:
    text = (
        HEAD
        + """
static int result;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void *main_of_pool(void *argument)
{
    pthread_mutex_lock(&lock);
    result++;
    pthread_mutex_unlock(&lock);
    return argument;
}
int pool_open(pthread_t *thread);
int pool_open(pthread_t *thread) { return pthread_create(thread, NULL, main_of_pool, NULL); }
"""
    )
    assert found(text, "CT007") == []
