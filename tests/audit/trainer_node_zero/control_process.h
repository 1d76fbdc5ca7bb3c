#ifndef CONTROL_PROCESS_H
#define CONTROL_PROCESS_H

#include "lattice_hierarchy.h"
#include "messages.h"

#include <stdbool.h>
#include <stddef.h>

/* The book of one control: the round it has open and what its children reported. */
struct control_process {
    const struct sphere *sphere;
    unsigned long round;
    size_t epoch_windows;
    double epoch_loss;
    double busy_seconds;
};

struct control_process *control_process_create(const struct sphere *sphere);
void control_process_destroy(struct control_process *control);

/* Opens the next round and returns its order. */
struct message control_process_open(struct control_process *control, enum message_kind kind, size_t first,
                                    size_t count);

/* Enters a child's report; false when it is stale, empty or not from a child of this control. */
bool control_process_collect(struct control_process *control, const struct sphere *child,
                             const struct message *report);

/* Mean loss of the epoch; begins the next one. */
double control_process_close_epoch(struct control_process *control);

#endif
