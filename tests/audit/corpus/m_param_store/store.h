#ifndef STORE_H
#define STORE_H

#include <stddef.h>

/* Parameters and one gradient segment per worker, together in one shared mapping. */
struct store {
    float *base;
    size_t bytes;
    size_t parameters;
};

int store_map(struct store *store, size_t parameters);
void store_unmap(struct store *store);
float *store_parameters(const struct store *store);
float *store_gradients(const struct store *store);

/* The parameters that worker `index` of `workers` owns; the first ones get one more each until nothing is left over. */
void store_span(const struct store *store, size_t workers, size_t index, size_t *first, size_t *end);

#endif
