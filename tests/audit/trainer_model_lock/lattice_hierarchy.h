#ifndef LATTICE_HIERARCHY_H
#define LATTICE_HIERARCHY_H

enum {
    LATTICE_NEIGHBOURS = 12
};

/* One sphere of the tree; `position` is its place 0 to 11 around the parent. */
struct sphere {
    struct sphere *parent;
    int level;
    int position;
    double centre[3];
};

struct lattice {
    struct sphere *spheres;
    int count;
    int levels;
};

/* A full tree of twelve children a sphere; `levels` 1 is the root alone. */
struct lattice *lattice_create(int levels);
void lattice_destroy(struct lattice *lattice);

struct sphere *lattice_child(struct lattice *lattice, const struct sphere *parent, int position);
double lattice_distance(const struct sphere *a, const struct sphere *b);

#endif
