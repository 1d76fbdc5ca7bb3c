#include "shared_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct shared_region *shared_region_create(const char *name, size_t size)
{
    struct shared_region *region = calloc(1, sizeof *region);
    int descriptor;
    int error;

    if (!region)
        return NULL;
    descriptor = shm_open(name, O_CREAT | O_EXCL | O_RDWR, S_IRUSR | S_IWUSR);
    if (descriptor < 0) {
        error = errno;
        goto fail_region;
    }
    if (ftruncate(descriptor, (off_t)size) != 0) {
        error = errno;
        goto fail_descriptor;
    }
    region->address = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (region->address == MAP_FAILED) {
        error = errno;
        goto fail_descriptor;
    }
    shm_unlink(name);
    close(descriptor);
    region->size = size;
    return region;

fail_descriptor:
    shm_unlink(name);
    close(descriptor);
fail_region:
    free(region);
    errno = error;
    return NULL;
}

void shared_region_destroy(struct shared_region *region)
{
    if (!region)
        return;
    munmap(region->address, region->size);
    free(region);
}

void *shared_region_slice(const struct shared_region *region, size_t offset, size_t size)
{
    if (offset > region->size || size > region->size - offset)
        return NULL;
    return (char *)region->address + offset;
}
