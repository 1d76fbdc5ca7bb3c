/* An import of records: every error leaves through one cleanup label that unlocks; a trylock that fails has nothing to unlock.
 *
 * clean: yes
 * run: ok
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IMPORTERS 3
#define RECORDS 20
#define CAPACITY 48

struct store {
    pthread_mutex_t mutex;
    char *keys[CAPACITY];
    int used;
    pthread_mutex_t journal_mutex;
    int journal_lines;
};

struct importer {
    struct store *store;
    int number;
    int rejected;
    int unlogged;
};

static int store_add(struct store *store, const char *key)
{
    char *copy = NULL;
    int result = -EINVAL;

    pthread_mutex_lock(&store->mutex);
    if (key[0] == '\0')
        goto out;
    result = -ENOSPC;
    if (store->used == CAPACITY)
        goto out;
    result = -EEXIST;
    for (int i = 0; i < store->used; i++)
        if (strcmp(store->keys[i], key) == 0)
            goto out;
    result = -ENOMEM;
    copy = strdup(key);
    if (copy == NULL)
        goto out;
    store->keys[store->used++] = copy;
    /* pthread_mutex_unlock(&store->mutex); return 0;   -- the label does it now */
    result = 0;
out:
    pthread_mutex_unlock(&store->mutex);
    return result;
}

static int journal_note(struct store *store)
{
    if (pthread_mutex_trylock(&store->journal_mutex) != 0)
        return -EBUSY;
    store->journal_lines++;
    pthread_mutex_unlock(&store->journal_mutex);
    return 0;
}

static void *import(void *argument)
{
    struct importer *importer = argument;
    char key[24];

    for (int i = 0; i < RECORDS; i++) {
        snprintf(key, sizeof key, "k%d", (i * importer->number) % 31);
        if (store_add(importer->store, i == 5 ? "" : key) < 0)
            importer->rejected++;
        else if (journal_note(importer->store) < 0)
            importer->unlogged++;
    }
    return NULL;
}

int main(void)
{
    static struct store store = { .mutex = PTHREAD_MUTEX_INITIALIZER, .journal_mutex = PTHREAD_MUTEX_INITIALIZER };
    struct importer importers[IMPORTERS];
    pthread_t threads[IMPORTERS];
    int rejected = 0, unlogged = 0;

    for (int i = 0; i < IMPORTERS; i++) {
        importers[i] = (struct importer){ .store = &store, .number = i + 1 };
        pthread_create(&threads[i], NULL, import, &importers[i]);
    }
    for (int i = 0; i < IMPORTERS; i++) {
        pthread_join(threads[i], NULL);
        rejected += importers[i].rejected;
        unlogged += importers[i].unlogged;
    }
    printf("%d stored, %d rejected, journal complete: %s\n", store.used, rejected,
           store.journal_lines + unlogged == store.used ? "yes" : "no");
    while (store.used > 0)
        free(store.keys[--store.used]);
    pthread_mutex_destroy(&store.journal_mutex);
    pthread_mutex_destroy(&store.mutex);
    return 0;
}
