"""CB001: a barrier nobody waits on."""

from tests.audit.auditing import found
from tests.audit.rules.barrier_programs import CONTROL, HEAD, TWO_WAITS, crew


def test_initialised_and_never_waited_on() -> None:
    text = crew("results[id]++;")
    [one] = found(text, "CB001")
    assert "pthread_barrier_init" in text.splitlines()[one.site.line - 1]
    assert "gate is initialised" in one.message
    assert any(note.text == "declared here" for note in one.notes)


def test_only_declared() -> None:
    [one] = found(crew(TWO_WAITS, CONTROL, shared="static pthread_barrier_t other;"), "CB001")
    assert "other is declared" in one.message


def test_waits_count_wherever_they_are() -> None:
    assert found(crew(TWO_WAITS, CONTROL), "CB001") == []
    shared = "static void meet(pthread_barrier_t *barrier) { pthread_barrier_wait(barrier); }"
    assert found(crew("meet(&gate);", shared=shared, count="WORKERS"), "CB001") == []


def test_a_wait_that_nothing_reaches_is_shown() -> None:
    shared = "void forgotten(void); void forgotten(void) { pthread_barrier_wait(&gate); }"
    [one] = found(crew("results[id]++;", shared=shared), "CB001")
    assert any("forgotten" in note.text for note in one.notes)


def test_a_callback_may_wait() -> None:
    shared = """static void arrive(void) { pthread_barrier_wait(&gate); }
extern void at_the_end_of_each_frame(void (*call)(void));"""
    assert found(crew("at_the_end_of_each_frame(arrive); results[id]++;", shared=shared), "CB001") == []


def test_one_of_two_barriers_in_wrappers() -> None:
    text = (
        HEAD
        + """
struct gate { pthread_barrier_t barrier; };
static struct gate opening, closing;
static int result;
static void gate_init(struct gate *gate) { pthread_barrier_init(&gate->barrier, NULL, 2); }
static void gate_cross(struct gate *gate) { pthread_barrier_wait(&gate->barrier); }
static void *worker_main(void *unused) { result++; gate_cross(&opening); return unused; }
int main(void)
{
    pthread_t thread;
    gate_init(&opening);
    gate_init(&closing);
    pthread_create(&thread, NULL, worker_main, NULL);
    gate_cross(&opening);
    pthread_join(thread, NULL);
    return result;
}
"""
    )
    [one] = found(text, "CB001")
    assert one.subject == "closing"
