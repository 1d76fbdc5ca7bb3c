#ifndef SHARED_MEMORY_H
#define SHARED_MEMORY_H

#include <stddef.h>

enum shared_mode {
    SHARED_READ_ONLY,
    SHARED_READ_WRITE
};

struct shared_region {
    void *address;
    size_t size;
    enum shared_mode mode;
};

/* A named region that other processes could map too; NULL with errno set when it cannot be had. */
struct shared_region *shared_region_create(const char *name, size_t size, enum shared_mode mode);
void shared_region_destroy(struct shared_region *region);

int shared_region_write(struct shared_region *region, size_t offset, const void *source, size_t size);
int shared_region_read(const struct shared_region *region, size_t offset, void *target, size_t size);

#endif
