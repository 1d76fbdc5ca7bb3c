/* A name cache behind a read-write lock: many readers look up, one refresher replaces entries; hits are counted atomically.
 *
 * clean: yes
 * run: ok
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define BUCKETS 32
#define READERS 3
#define LOOKUPS 400
#define REFRESHES 60

struct entry {
    char name[16];
    uint32_t address;
};

struct cache {
    pthread_rwlock_t lock;
    struct entry entries[BUCKETS];
    atomic_long hits;
    atomic_long misses;
};

static unsigned hash(const char *name)
{
    unsigned value = 5381;

    while (*name)
        value = value * 33 + (unsigned char)*name++;
    return value % BUCKETS;
}

static int cache_lookup(struct cache *cache, const char *name, uint32_t *address)
{
    struct entry *entry = &cache->entries[hash(name)];
    int found = 0;

    pthread_rwlock_rdlock(&cache->lock);
    if (strcmp(entry->name, name) == 0) {
        *address = entry->address;
        found = 1;
    }
    pthread_rwlock_unlock(&cache->lock);
    atomic_fetch_add(found ? &cache->hits : &cache->misses, 1);
    return found;
}

static void cache_store(struct cache *cache, const char *name, uint32_t address)
{
    struct entry *entry = &cache->entries[hash(name)];

    pthread_rwlock_wrlock(&cache->lock);
    snprintf(entry->name, sizeof entry->name, "%s", name);
    entry->address = address;
    pthread_rwlock_unlock(&cache->lock);
}

static void *reader(void *argument)
{
    struct cache *cache = argument;
    uint32_t address = 0;
    char name[16];
    uintptr_t sum = 0;

    for (int i = 0; i < LOOKUPS; i++) {
        snprintf(name, sizeof name, "host%d", i % 20);
        if (cache_lookup(cache, name, &address))
            sum += address & 0xff;
    }
    return (void *)sum;
}

static void *refresher(void *argument)
{
    struct cache *cache = argument;
    char name[16];

    for (int i = 0; i < REFRESHES; i++) {
        snprintf(name, sizeof name, "host%d", i % 20);
        cache_store(cache, name, 0x0a000000u + (uint32_t)i);
    }
    return NULL;
}

int main(void)
{
    static struct cache cache;
    pthread_t readers[READERS], writer;
    uintptr_t total = 0;

    if (pthread_rwlock_init(&cache.lock, NULL) != 0)
        return 1;
    pthread_create(&writer, NULL, refresher, &cache);
    for (int i = 0; i < READERS; i++)
        pthread_create(&readers[i], NULL, reader, &cache);
    pthread_join(writer, NULL);
    for (int i = 0; i < READERS; i++) {
        void *sum;

        pthread_join(readers[i], &sum);
        total += (uintptr_t)sum;
    }
    pthread_rwlock_destroy(&cache.lock);
    printf("%d lookups, sum positive: %d\n", (int)(atomic_load(&cache.hits) + atomic_load(&cache.misses)), total > 0);
    return 0;
}
