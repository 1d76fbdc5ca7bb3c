"""CT002: threads that are left waiting on the way out."""

from tests.audit.auditing import found
from tests.audit.rules.barrier_programs import AND_STOP, CONTROL, UNTIL_STOP, crew
from tests.audit.rules.thread_programs import HEAD


def left(text: str) -> list[str]:
    """Codes of threads that are left waiting (or are joined for ever, or have other waits)."""
    return [one.code for one in found(text, "CT001", "CT002", "CB002", "CB003")]


def test_one_more_crossing_after_the_flag() -> None:
    assert left(crew(UNTIL_STOP, AND_STOP)) == []


def test_the_flag_without_a_crossing() -> None:
    [one] = found(crew(UNTIL_STOP, CONTROL + "\n    stop = true;"), "CT001", "CT002")
    assert one.code == "CT002"
    assert "main never crosses the barrier again" in one.message


def test_the_crossing_before_the_flag() -> None:
    assert left(crew(UNTIL_STOP, CONTROL + "\n    pthread_barrier_wait(&gate);\n    stop = true;")) == ["CT002"]


def test_a_control_that_gives_up_without_an_order() -> None:
    control = """for (int round = 0; round < ROUNDS; round++) {
        pthread_barrier_wait(&gate);
        pthread_barrier_wait(&gate);
        if (results[0] > 1000)
            return 1;
    }
    stop = true;
    pthread_barrier_wait(&gate);"""
    [one] = found(crew(UNTIL_STOP, control), "CT001", "CT002")
    assert "main may leave here without setting stop" in one.message
    assert left(crew(UNTIL_STOP, control.replace("return 1;", "break;"))) == []
    assert left(crew(UNTIL_STOP, control.replace("return 1;", "exit(1);"))) == []


def test_bad_arguments_before_anything_begins() -> None:
    text = crew(UNTIL_STOP, AND_STOP).replace("int ids[WORKERS];", 'int ids[WORKERS];\n    if (getenv("X")) return 2;')
    assert left(text) == []


STREAM = (
    HEAD
    + """
static sem_t filled;
static int values[100], sum;
static int parse(int i) { return i * 7 % 11; }
static void *reader(void *unused)
{
    for (int i = 0; i < 20; i++) {
        if (parse(i) > 9)
            return unused;
        values[i] = parse(i);
        sem_post(&filled);
    }
    values[20] = -1;
    sem_post(&filled);
    return unused;
}
static void *adder(void *unused)
{
    for (int i = 0;; i++) {
        sem_wait(&filled);
        if (values[i] == -1)
            return unused;
        sum += values[i];
    }
}
int main(void)
{
    pthread_t threads[2];
    sem_init(&filled, 0, 0);
    pthread_create(&threads[0], NULL, reader, NULL);
    pthread_create(&threads[1], NULL, adder, NULL);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    sem_destroy(&filled);
    return sum > 0 ? 0 : 1;
}
"""
)


def test_a_stream_without_its_end_mark() -> None:
    [one] = found(STREAM, "CT001", "CT002")
    assert "without the last post of filled" in one.message
    assert left(STREAM.replace("return unused;\n        values", "break;\n        values")) == []
