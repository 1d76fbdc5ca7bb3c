#include "shared_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int protection(enum shared_mode mode)
{
    return mode == SHARED_READ_ONLY ? PROT_READ : PROT_READ | PROT_WRITE;
}

static int inside(const struct shared_region *region, size_t offset, size_t size)
{
    return offset <= region->size && size <= region->size - offset;
}

struct shared_region *shared_region_create(const char *name, size_t size, enum shared_mode mode)
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
    region->address = mmap(NULL, size, protection(mode), MAP_SHARED, descriptor, 0);
    if (region->address == MAP_FAILED) {
        error = errno;
        goto fail_descriptor;
    }
    shm_unlink(name);
    close(descriptor);
    region->size = size;
    region->mode = mode;
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

int shared_region_write(struct shared_region *region, size_t offset, const void *source, size_t size)
{
    if (region->mode == SHARED_READ_ONLY)
        return EACCES;
    if (!inside(region, offset, size))
        return ERANGE;
    memcpy((char *)region->address + offset, source, size);
    return 0;
}

int shared_region_read(const struct shared_region *region, size_t offset, void *target, size_t size)
{
    if (!inside(region, offset, size))
        return ERANGE;
    memcpy(target, (const char *)region->address + offset, size);
    return 0;
}
