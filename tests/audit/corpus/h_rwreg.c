/* A name registry: a linked list behind a reader-writer lock that is taken and given back by scope macros built on `for`.
 *
 * clean: yes
 * run: ok
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define SCOPED_(take, give, n) for (int once_##n = ((take), 1); once_##n; once_##n = ((give), 0))
#define SCOPED(take, give, n) SCOPED_(take, give, n)
#define READING(reg) SCOPED(pthread_rwlock_rdlock(&(reg)->rw), pthread_rwlock_unlock(&(reg)->rw), rd)
#define WRITING(reg) SCOPED(pthread_rwlock_wrlock(&(reg)->rw), pthread_rwlock_unlock(&(reg)->rw), wr)

#define LOOKERS 3
#define WRITERS 2
#define KEYS 40

struct entry {
    struct entry *next;
    int key;
    int hits;
};

struct registry {
    pthread_rwlock_t rw;
    struct entry *first;
    int entries;
};

struct party {
    struct registry *reg;
    int id;
    int found;
};

static int registry_has(struct registry *reg, int key)
{
    int found = 0;

    READING(reg) {
        for (struct entry *e = reg->first; e && !found; e = e->next)
            found = e->key == key;
    }
    return found;
}

static void registry_put(struct registry *reg, int key)
{
    WRITING(reg) {
        struct entry **at = &reg->first;

        while (*at && (*at)->key < key)
            at = &(*at)->next;
        if (*at && (*at)->key == key) {
            (*at)->hits++;
        } else {
            struct entry *e = malloc(sizeof *e);

            if (!e)
                abort();
            *e = (struct entry){.next = *at, .key = key, .hits = 1};
            *at = e;
            reg->entries++;
        }
    }
}

static void *writer(void *arg)
{
    struct party *me = arg;

    for (int i = 0; i < KEYS; i++)
        registry_put(me->reg, (i * 13 + me->id) % KEYS);
    return NULL;
}

static void *looker(void *arg)
{
    struct party *me = arg;

    for (int i = 0; i < 4 * KEYS; i++)
        me->found += registry_has(me->reg, (i * 5 + me->id) % KEYS);
    return NULL;
}

int main(void)
{
    struct registry reg = {.rw = PTHREAD_RWLOCK_INITIALIZER};
    struct party party[LOOKERS + WRITERS];
    pthread_t thread[LOOKERS + WRITERS];
    int hits = 0, found = 0;

    for (int i = 0; i < LOOKERS + WRITERS; i++) {
        party[i] = (struct party){.reg = &reg, .id = i};
        pthread_create(&thread[i], NULL, i < WRITERS ? writer : looker, &party[i]);
    }
    for (int i = 0; i < LOOKERS + WRITERS; i++) {
        pthread_join(thread[i], NULL);
        found += party[i].found;
    }
    for (struct entry *e = reg.first, *next; e; e = next) {
        next = e->next;
        hits += e->hits;
        free(e);
    }
    pthread_rwlock_destroy(&reg.rw);
    printf("%d entries, %d hits\n", reg.entries, hits);
    return hits == WRITERS * KEYS && found >= 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
