#include "lattice_hierarchy.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>

/* The twelve contact points of a face-centred cubic packing. */
static const double DIRECTIONS[LATTICE_NEIGHBOURS][3] = {
    {1, 1, 0},  {1, -1, 0},  {-1, 1, 0},  {-1, -1, 0},
    {1, 0, 1},  {1, 0, -1},  {-1, 0, 1},  {-1, 0, -1},
    {0, 1, 1},  {0, 1, -1},  {0, -1, 1},  {0, -1, -1},
};

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

static void place(struct sphere *sphere, struct sphere *parent, int position)
{
    double scale = pow(0.25, parent->level) / sqrt(2.0);

    sphere->parent = parent;
    sphere->level = parent->level + 1;
    sphere->position = position;
    for (int axis = 0; axis < 3; axis++)
        sphere->centre[axis] = parent->centre[axis] + scale * DIRECTIONS[position][axis];
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
    lattice->levels = levels;
    lattice->spheres = calloc((size_t)lattice->count, sizeof *lattice->spheres);
    if (!lattice->spheres) {
        free(lattice);
        return NULL;
    }
    for (int i = 1; i < lattice->count; i++) {
        int parent = (i - 1) / LATTICE_NEIGHBOURS;

        place(&lattice->spheres[i], &lattice->spheres[parent], (i - 1) % LATTICE_NEIGHBOURS);
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

struct sphere *lattice_child(struct lattice *lattice, const struct sphere *parent, int position)
{
    ptrdiff_t index = (parent - lattice->spheres) * LATTICE_NEIGHBOURS + 1 + position;

    if (position < 0 || position >= LATTICE_NEIGHBOURS || index >= lattice->count)
        return NULL;
    return &lattice->spheres[index];
}

double lattice_distance(const struct sphere *a, const struct sphere *b)
{
    double sum = 0.0;

    for (int axis = 0; axis < 3; axis++) {
        double difference = a->centre[axis] - b->centre[axis];

        sum += difference * difference;
    }
    return sqrt(sum);
}
