#ifndef SPLIT_H
#define SPLIT_H

#include <stddef.h>

enum { MAX_WORKERS = 8 };

struct config {
    size_t workers;
    size_t samples;
    size_t epochs;
};

struct share {
    size_t offset;
    size_t count;
};

/* Divides the samples of one epoch among the workers. */
void split_samples(const struct config *config, struct share *shares);

#endif
