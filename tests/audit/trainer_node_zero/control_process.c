#include "control_process.h"

#include <stdlib.h>

struct control_process *control_process_create(const struct sphere *sphere)
{
    struct control_process *control = calloc(1, sizeof *control);

    if (!control)
        return NULL;
    control->sphere = sphere;
    return control;
}

void control_process_destroy(struct control_process *control)
{
    free(control);
}

struct message control_process_open(struct control_process *control, enum message_kind kind, size_t first,
                                    size_t count)
{
    struct message order = {
        .kind = kind,
        .round = ++control->round,
        .first = first,
        .count = count,
    };

    return order;
}

bool control_process_collect(struct control_process *control, const struct sphere *child,
                             const struct message *report)
{
    if (child->parent != control->sphere || report->kind != MESSAGE_GRADIENTS)
        return false;
    if (report->round != control->round || report->count == 0)
        return false;
    control->epoch_windows += report->count;
    control->epoch_loss += report->loss;
    control->busy_seconds += report->busy_seconds;
    return true;
}

double control_process_close_epoch(struct control_process *control)
{
    double mean = control->epoch_windows ? control->epoch_loss / (double)control->epoch_windows : 0.0;

    control->epoch_windows = 0;
    control->epoch_loss = 0.0;
    return mean;
}
