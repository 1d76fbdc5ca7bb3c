/* Prime sieve with a progress thread that is told to stop but neither joined nor detached.
 *
 * clean: no
 * run: leak
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define SIEVERS 3
#define LIMIT 60000

struct span {
    int from, to;
    int primes;
};

static atomic_int finished;
static atomic_bool quiet;

static bool is_prime(int n)
{
    if (n < 2)
        return false;
    for (int d = 2; (long)d * d <= n; d++)
        if (n % d == 0)
            return false;
    return true;
}

static void *sieve(void *argument)
{
    struct span *span = argument;
    int primes = 0;
    for (int n = span->from; n < span->to; n++)
        primes += is_prime(n);
    span->primes = primes;
    atomic_fetch_add(&finished, 1);
    return NULL;
}

static void *progress(void *argument)
{
    const struct timespec tick = {.tv_nsec = 1000000};
    (void)argument;
    while (!atomic_load(&quiet)) {
        fprintf(stderr, "\r%d of %d spans", atomic_load(&finished), SIEVERS);
        nanosleep(&tick, NULL);
    }
    fputc('\n', stderr);
    return NULL;
}

int main(void)
{
    pthread_t sievers[SIEVERS];
    pthread_t reporter;
    struct span spans[SIEVERS];
    int total = 0;

    pthread_create(&reporter, NULL, progress, NULL); /* expect: CT003 */
    memset(spans, 0, sizeof spans);
    for (int i = 0; i < SIEVERS; i++) {
        spans[i].from = i * LIMIT / SIEVERS;
        spans[i].to = (i + 1) * LIMIT / SIEVERS;
        pthread_create(&sievers[i], NULL, sieve, &spans[i]);
    }
    for (int i = 0; i < SIEVERS; i++) {
        pthread_join(sievers[i], NULL);
        total += spans[i].primes;
    }
    atomic_store(&quiet, true);
    printf("%d primes below %d\n", total, LIMIT);
    return 0;
}
