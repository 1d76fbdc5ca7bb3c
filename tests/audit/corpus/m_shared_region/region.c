#include "region.h"

#include <sys/mman.h>

int region_create(Region *region, size_t size)
{
    void *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0); /* expect: CS004 #1 */

    if (base == MAP_FAILED)
        return -1;
    region->base = base;
    region->size = size;
    return 0;
}

void region_release(Region *region)
{
    munmap(region->base, region->size);
    region->base = NULL;
    region->size = 0;
}
