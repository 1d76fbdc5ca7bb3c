#ifndef LATTICE_HIERARCHY_H
#define LATTICE_HIERARCHY_H

enum {
    LATTICE_NEIGHBOURS = 12
};

/* One sphere of the tree; `position` is its place 0 to 11 around the parent. */
struct sphere {
    const struct sphere *parent;
    int position;
};

struct lattice {
    struct sphere *spheres;
    int count;
};

/* A full tree of twelve children a sphere; `levels` 1 is the root alone. */
struct lattice *lattice_create(int levels);
void lattice_destroy(struct lattice *lattice);

const struct sphere *lattice_root(const struct lattice *lattice);

/* NULL when the tree has no such sphere. */
const struct sphere *lattice_child(const struct lattice *lattice, const struct sphere *parent, int position);

#endif
