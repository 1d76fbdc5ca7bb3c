#include "lattice_hierarchy.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

static int spheres_of(int levels)
{
    int total = 0;
    int width = 1;

    for (int level = 0; level < levels; level++) {
        total += width;
        width *= LATTICE_NEIGHBOURS;
    }
    return total;
}

struct lattice *lattice_create(int levels)
{
    struct lattice *lattice;

    if (levels < 1 || levels > 5) {
        errno = EINVAL;
        return NULL;
    }
    lattice = calloc(1, sizeof *lattice);
    if (!lattice)
        return NULL;
    lattice->count = spheres_of(levels);
    lattice->spheres = calloc((size_t)lattice->count, sizeof *lattice->spheres);
    if (!lattice->spheres) {
        free(lattice);
        return NULL;
    }
    for (int i = 1; i < lattice->count; i++) {
        lattice->spheres[i].parent = &lattice->spheres[(i - 1) / LATTICE_NEIGHBOURS];
        lattice->spheres[i].position = (i - 1) % LATTICE_NEIGHBOURS;
    }
    return lattice;
}

void lattice_destroy(struct lattice *lattice)
{
    if (!lattice)
        return;
    free(lattice->spheres);
    free(lattice);
}

const struct sphere *lattice_root(const struct lattice *lattice)
{
    return &lattice->spheres[0];
}

const struct sphere *lattice_child(const struct lattice *lattice, const struct sphere *parent, int position)
{
    ptrdiff_t index = (parent - lattice->spheres) * LATTICE_NEIGHBOURS + 1 + position;

    if (position < 0 || position >= LATTICE_NEIGHBOURS || index >= lattice->count)
        return NULL;
    return &lattice->spheres[index];
}
