#ifndef SHARED_MEMORY_H
#define SHARED_MEMORY_H

#include <stddef.h>

struct shared_region {
    void *address;
    size_t size;
};

/* A named region that every thread may read and write; NULL with errno set when it cannot be had. */
struct shared_region *shared_region_create(const char *name, size_t size);
void shared_region_destroy(struct shared_region *region);

/* The bytes [offset, offset + size) of the region; NULL when they do not lie inside. */
void *shared_region_slice(const struct shared_region *region, size_t offset, size_t size);

#endif
