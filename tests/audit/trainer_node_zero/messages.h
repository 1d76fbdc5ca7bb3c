#ifndef MESSAGES_H
#define MESSAGES_H

#include <stddef.h>

enum message_kind {
    MESSAGE_BATCH,
    MESSAGE_EPOCH,
    MESSAGE_STOP,
    MESSAGE_GRADIENTS
};

/* Downward an order for a range of windows, upward the report on a worker's share of it. */
struct message {
    enum message_kind kind;
    unsigned long round;
    size_t first;
    size_t count;
    double loss;
    double busy_seconds;
};

/* Holds the latest message. One thread posts; whoever reads has crossed a barrier since. */
struct mailbox {
    struct message latest;
};

void mailbox_post(struct mailbox *mailbox, const struct message *message);
void mailbox_read(const struct mailbox *mailbox, struct message *message);

#endif
