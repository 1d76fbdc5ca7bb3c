#ifndef REGION_H
#define REGION_H

#include <stddef.h>

typedef struct {
    void *base;
    size_t size;
} Region;

int region_create(Region *region, size_t size);
void region_release(Region *region);

#endif
