/* Key-value store with a journal thread; the entry function of the old compaction thread is still there, never started.
 *
 * clean: no
 * run: ok
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define SLOTS 32
#define QUEUE 8

struct entry {
    int key;
    int value;
};

struct store {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct entry queue[QUEUE];
    int head, count;
    bool closed;
    int slots[SLOTS];
    long journalled;
};

/* Squeezes keys without a value out of the table. */
void *compaction_thread(void *argument) /* expect: CT007 */
{
    struct store *store = argument;
    pthread_mutex_lock(&store->lock);
    for (int i = 1; i < SLOTS; i++)
        if (store->slots[i - 1] == 0) {
            store->slots[i - 1] = store->slots[i];
            store->slots[i] = 0;
        }
    pthread_mutex_unlock(&store->lock);
    return NULL;
}

static void *journal_thread(void *argument)
{
    struct store *store = argument;
    pthread_mutex_lock(&store->lock);
    for (;;) {
        while (store->count == 0 && !store->closed)
            pthread_cond_wait(&store->changed, &store->lock);
        if (store->count == 0)
            break;
        struct entry entry = store->queue[store->head];
        store->head = (store->head + 1) % QUEUE;
        store->count--;
        store->slots[entry.key % SLOTS] = entry.value;
        store->journalled++;
        pthread_cond_broadcast(&store->changed);
    }
    pthread_mutex_unlock(&store->lock);
    return NULL;
}

static void store_put(struct store *store, int key, int value)
{
    pthread_mutex_lock(&store->lock);
    while (store->count == QUEUE)
        pthread_cond_wait(&store->changed, &store->lock);
    store->queue[(store->head + store->count) % QUEUE] = (struct entry){key, value};
    store->count++;
    pthread_cond_broadcast(&store->changed);
    pthread_mutex_unlock(&store->lock);
}

static void store_close(struct store *store)
{
    pthread_mutex_lock(&store->lock);
    store->closed = true;
    pthread_cond_broadcast(&store->changed);
    pthread_mutex_unlock(&store->lock);
}

int main(void)
{
    struct store store;
    pthread_t journal;

    memset(&store, 0, sizeof store);
    pthread_mutex_init(&store.lock, NULL);
    pthread_cond_init(&store.changed, NULL);
    pthread_create(&journal, NULL, journal_thread, &store);
    for (int i = 0; i < 100; i++)
        store_put(&store, i * 5, i);
    store_close(&store);
    pthread_join(journal, NULL);
    printf("%ld entries journalled, slot 0 holds %d\n", store.journalled, store.slots[0]);
    pthread_cond_destroy(&store.changed);
    pthread_mutex_destroy(&store.lock);
    return 0;
}
