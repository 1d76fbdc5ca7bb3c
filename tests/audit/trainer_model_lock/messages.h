#ifndef MESSAGES_H
#define MESSAGES_H

#include <pthread.h>
#include <stddef.h>

enum message_kind {
    MESSAGE_BATCH,
    MESSAGE_GRADIENTS,
    MESSAGE_STOP
};

struct message {
    enum message_kind kind;
    int sender;
    size_t first;
    size_t count;
    double loss;
};

struct mailbox {
    pthread_mutex_t guard;
    pthread_cond_t arrived;
    struct message *slots;
    size_t capacity;
    size_t head;
    size_t used;
};

struct mailbox *mailbox_create(size_t capacity);
void mailbox_destroy(struct mailbox *mailbox);

/* ENOSPC when the box is full. */
int mailbox_post(struct mailbox *mailbox, const struct message *message);

/* Sleeps until there is a message. */
void mailbox_take(struct mailbox *mailbox, struct message *message);

#endif
