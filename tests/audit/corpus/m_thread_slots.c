/* A prime sieve by ranges: per-thread slots indexed by id without a lock, and a signal handler with volatile sig_atomic_t.
 *
 * clean: yes
 * run: ok
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>

#define THREADS 3
#define LIMIT 20000

struct slot {
    int id;
    int primes;
    int largest;
    char padding[52]; /* keeps the slots on separate cache lines */
};

static struct slot slots[THREADS];
static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

static int is_prime(int n)
{
    for (int d = 2; d * d <= n; d++)
        if (n % d == 0)
            return 0;
    return n > 1;
}

static void *search(void *argument)
{
    int id = ((struct slot *)argument)->id;
    int first = (int)((long)LIMIT * id / THREADS);
    int last = (int)((long)LIMIT * (id + 1) / THREADS);

    for (int n = first; n < last; n++) {
        if (!is_prime(n))
            continue;
        slots[id].primes++;
        slots[id].largest = n;
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    int primes = 0;

    for (int i = 0; i < THREADS; i++) {
        slots[i].id = i;
        pthread_create(&threads[i], NULL, search, &slots[i]);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);

    /* Only the main thread is left: the report can be cut short by Ctrl-C. */
    signal(SIGINT, on_interrupt);
    for (int i = 0; i < THREADS && !interrupted; i++) {
        primes += slots[i].primes;
        printf("range %d: %d primes, the largest is %d\n", i, slots[i].primes, slots[i].largest);
    }
    printf("%d primes below %d\n", primes, LIMIT);
    return 0;
}
