#ifndef CONTROL_PROCESS_H
#define CONTROL_PROCESS_H

#include <stddef.h>

enum {
    CONTROL_CHILDREN_MAX = 12
};

enum control_state {
    CONTROL_IDLE,
    CONTROL_DISTRIBUTING,
    CONTROL_COLLECTING
};

struct control_process {
    int identity;
    int level;
    enum control_state state;
    struct control_process *parent;
    struct control_process *children[CONTROL_CHILDREN_MAX];
    int child_count;
    size_t work_first;
    size_t work_count;
    size_t results;
    double loss;
};

struct control_process *control_process_create(int identity, struct control_process *parent);

/* Destroys the whole tree below `control` too. */
void control_process_destroy(struct control_process *control);

/* Hands the range down to the children, level by level. */
int control_process_distribute(struct control_process *control, size_t first, size_t count);

/* Reports a result up to the root. */
void control_process_collect(struct control_process *control, double loss);

#endif
