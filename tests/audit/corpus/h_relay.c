/* Three stages in a line, one slot between neighbours, a pair of semaphores per slot, and a sentinel that closes the line.
 *
 * clean: yes
 * check: holds
 * run: ok
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>

#define WORDS 50
#define LAST (-1)

typedef struct {
    sem_t vacant;
    sem_t filled;
    int value;
} slot;

static slot raw, cooked;
static long served;

static void slot_open(slot *s)
{
    sem_init(&s->vacant, 0, 1);
    sem_init(&s->filled, 0, 0);
}

static void slot_close(slot *s)
{
    sem_destroy(&s->vacant);
    sem_destroy(&s->filled);
}

static void slot_put(slot *s, int value)
{
    sem_wait(&s->vacant);
    s->value = value;
    sem_post(&s->filled);
}

static int slot_take(slot *s)
{
    int value;

    sem_wait(&s->filled);
    value = s->value;
    sem_post(&s->vacant);
    return value;
}

static void *fetch(void *unused)
{
    for (int i = 0; i < WORDS; i++)
        slot_put(&raw, i);
    slot_put(&raw, LAST);
    return unused;
}

static void *cook(void *unused)
{
    int value;

    do {
        value = slot_take(&raw);
        slot_put(&cooked, value == LAST ? LAST : 3 * value);
    } while (value != LAST);
    return unused;
}

static void *serve(void *unused)
{
    for (int value = slot_take(&cooked); value != LAST; value = slot_take(&cooked))
        served += value;
    return unused;
}

int main(void)
{
    pthread_t fetcher, cooker, server;

    slot_open(&raw);
    slot_open(&cooked);
    pthread_create(&fetcher, NULL, fetch, NULL);
    pthread_create(&cooker, NULL, cook, NULL);
    pthread_create(&server, NULL, serve, NULL);
    pthread_join(fetcher, NULL);
    pthread_join(cooker, NULL);
    pthread_join(server, NULL);
    slot_close(&raw);
    slot_close(&cooked);
    printf("served %ld\n", served);
    return served == 3L * WORDS * (WORDS - 1) / 2 ? 0 : 1;
}
