/* Work stealing: ranges are halved until small, own end popped, other ends stolen; an atomic count of open ranges ends it.
 *
 * clean: yes
 * run: ok
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define THIEVES 3
#define DEPTH 64
#define GRAIN 16
#define UPTO 3000

#define COUNTERS(X) X(run) X(split) X(stolen)

struct range {
    int lo, hi;
};

struct deque {
    pthread_mutex_t lock;
    int head, tail;
    struct range slot[DEPTH];
};

struct thief {
    pthread_t thread;
    int id;
    long primes;
#define MEMBER(name) unsigned long n_##name;
    COUNTERS(MEMBER)
#undef MEMBER
};

static struct deque deques[THIEVES];
static atomic_int open_ranges;

static void push(struct deque *d, struct range r)
{
    atomic_fetch_add(&open_ranges, 1);
    pthread_mutex_lock(&d->lock);
    if (d->tail - d->head == DEPTH)
        abort();
    d->slot[d->tail++ % DEPTH] = r;
    pthread_mutex_unlock(&d->lock);
}

static int pop(struct deque *d, struct range *r, int from_head)
{
    int got = 0;

    pthread_mutex_lock(&d->lock);
    if (d->head != d->tail) {
        *r = from_head ? d->slot[d->head++ % DEPTH] : d->slot[--d->tail % DEPTH];
        got = 1;
    }
    pthread_mutex_unlock(&d->lock);
    return got;
}

static int find(struct thief *me, struct range *r)
{
    if (pop(&deques[me->id], r, 0))
        return 1;
    for (int k = 1; k < THIEVES; k++)
        if (pop(&deques[(me->id + k) % THIEVES], r, 1)) {
            me->n_stolen++;
            return 1;
        }
    return 0;
}

static int is_prime(int n)
{
    for (int d = 2; d * d <= n; d++)
        if (n % d == 0)
            return 0;
    return n > 1;
}

static void handle(struct thief *me, struct range r)
{
    if (r.hi - r.lo > GRAIN) {
        int mid = r.lo + (r.hi - r.lo) / 2;

        me->n_split++;
        push(&deques[me->id], (struct range){r.lo, mid});
        push(&deques[me->id], (struct range){mid, r.hi});
    } else {
        me->n_run++;
        for (int n = r.lo; n < r.hi; n++)
            me->primes += is_prime(n);
    }
    atomic_fetch_sub(&open_ranges, 1);
}

static void *steal(void *arg)
{
    struct thief *me = arg;
    struct range r;

    while (atomic_load(&open_ranges) > 0) {
        if (find(me, &r))
            handle(me, r);
        else
            sched_yield();
    }
    return NULL;
}

int main(void)
{
    struct thief thieves[THIEVES];
    long primes = 0;

    for (int i = 0; i < THIEVES; i++)
        pthread_mutex_init(&deques[i].lock, NULL);
    push(&deques[0], (struct range){0, UPTO});
    for (int i = 0; i < THIEVES; i++) {
        thieves[i] = (struct thief){.id = i};
        pthread_create(&thieves[i].thread, NULL, steal, &thieves[i]);
    }
    for (int i = 0; i < THIEVES; i++) {
        pthread_join(thieves[i].thread, NULL);
        primes += thieves[i].primes;
#define SHOW(name) printf(#name " %lu ", thieves[i].n_##name);
        COUNTERS(SHOW)
#undef SHOW
        putchar('\n');
    }
    for (int i = 0; i < THIEVES; i++)
        pthread_mutex_destroy(&deques[i].lock);
    printf("%ld primes\n", primes);
    return primes == 430 ? EXIT_SUCCESS : EXIT_FAILURE;
}
