/* A stock ledger whose lock is taken in ledger_begin and released in ledger_end or ledger_abort, never in one function.
 *
 * clean: yes
 * run: ok
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define GOODS 6
#define CLERKS 3
#define ORDERS 50

typedef struct ledger {
    pthread_mutex_t lock;
    int stock[GOODS];
    int draft[GOODS];
    int committed;
    int aborted;
} ledger_t;

typedef struct clerk {
    ledger_t *ledger;
    unsigned seed;
} clerk_t;

static void must(int error, const char *what)
{
    if (error != 0) {
        fprintf(stderr, "%s failed: %d\n", what, error);
        abort();
    }
}

static void ledger_begin(ledger_t *ledger)
{
    must(pthread_mutex_lock(&ledger->lock), "lock");
    for (int i = 0; i < GOODS; i++)
        ledger->draft[i] = ledger->stock[i];
}

static void ledger_end(ledger_t *ledger)
{
    for (int i = 0; i < GOODS; i++)
        ledger->stock[i] = ledger->draft[i];
    ledger->committed++;
    must(pthread_mutex_unlock(&ledger->lock), "unlock");
}

static void ledger_abort(ledger_t *ledger)
{
    ledger->aborted++;
    must(pthread_mutex_unlock(&ledger->lock), "unlock");
}

static int order(ledger_t *ledger, int good, int amount)
{
    ledger_begin(ledger);
    if (ledger->draft[good] < amount) {
        ledger_abort(ledger);
        return -1;
    }
    ledger->draft[good] -= amount;
    ledger_end(ledger);
    return 0;
}

static void *clerk_main(void *argument)
{
    clerk_t *clerk = argument;
    int refused = 0;

    for (int i = 0; i < ORDERS; i++) {
        clerk->seed = clerk->seed * 1664525u + 1013904223u;
        if (order(clerk->ledger, (int)(clerk->seed >> 24) % GOODS, 1 + i % 3) != 0)
            refused++;
    }
    return (void *)(long)refused;
}

int main(void)
{
    ledger_t ledger = { .lock = PTHREAD_MUTEX_INITIALIZER, .stock = { 40, 40, 40, 40, 40, 40 } };
    clerk_t clerks[CLERKS];
    pthread_t threads[CLERKS];
    long refused = 0;

    for (unsigned i = 0; i < CLERKS; i++) {
        clerks[i].ledger = &ledger;
        clerks[i].seed = 1000u * (i + 1);
        must(pthread_create(&threads[i], NULL, clerk_main, &clerks[i]), "create");
    }
    for (int i = 0; i < CLERKS; i++) {
        void *value;

        must(pthread_join(threads[i], &value), "join");
        refused += (long)value;
    }
    must(pthread_mutex_destroy(&ledger.lock), "destroy");
    printf("%d orders, aborts match: %s\n", ledger.committed + ledger.aborted, refused == ledger.aborted ? "yes" : "no");
    return 0;
}
