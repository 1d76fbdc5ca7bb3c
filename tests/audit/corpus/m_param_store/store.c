#include "store.h"

#include <sys/mman.h>

int store_map(struct store *store, size_t parameters)
{
    void *base;

    store->parameters = parameters;
    store->bytes = 2 * parameters * sizeof(float);
    base = mmap(NULL, store->bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED)
        return -1;
    store->base = base;
    return 0;
}

void store_unmap(struct store *store)
{
    munmap(store->base, store->bytes);
    store->base = NULL;
}

float *store_parameters(const struct store *store)
{
    return store->base;
}

float *store_gradients(const struct store *store)
{
    return store->base + store->parameters;
}

void store_span(const struct store *store, size_t workers, size_t index, size_t *first, size_t *end)
{
    size_t share = store->parameters / workers;
    size_t spare = store->parameters % workers;

    *first = index * share + (index < spare ? index : spare);
    *end = *first + share + (index < spare ? 1 : 0);
}
