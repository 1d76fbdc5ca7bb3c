#include "control_process.h"

#include <errno.h>
#include <stdlib.h>

struct control_process *control_process_create(int identity, struct control_process *parent)
{
    struct control_process *control;

    if (parent && parent->child_count == CONTROL_CHILDREN_MAX) {
        errno = ENOSPC;
        return NULL;
    }
    control = calloc(1, sizeof *control);
    if (!control)
        return NULL;
    control->identity = identity;
    control->state = CONTROL_IDLE;
    control->parent = parent;
    if (parent) {
        control->level = parent->level + 1;
        parent->children[parent->child_count++] = control;
    }
    return control;
}

void control_process_destroy(struct control_process *control)
{
    if (!control)
        return;
    for (int i = 0; i < control->child_count; i++)
        control_process_destroy(control->children[i]);
    free(control);
}

int control_process_distribute(struct control_process *control, size_t first, size_t count)
{
    size_t children = (size_t)control->child_count;
    size_t share;
    size_t extra;

    if (control->state == CONTROL_COLLECTING)
        return EBUSY;
    control->state = CONTROL_DISTRIBUTING;
    control->work_first = first;
    control->work_count = count;
    control->results = 0;
    control->loss = 0.0;
    if (children > 0) {
        share = count / children;
        extra = count % children;
        for (size_t i = 0; i < children; i++) {
            size_t length = share + (i < extra ? 1 : 0);
            int error = control_process_distribute(control->children[i], first, length);

            if (error)
                return error;
            first += length;
        }
    }
    control->state = CONTROL_COLLECTING;
    return 0;
}

void control_process_collect(struct control_process *control, double loss)
{
    for (; control; control = control->parent) {
        control->loss += loss;
        control->results++;
        if (control->results >= control->work_count)
            control->state = CONTROL_IDLE;
    }
}
