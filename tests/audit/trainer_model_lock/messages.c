#include "messages.h"

#include <errno.h>
#include <stdlib.h>

struct mailbox *mailbox_create(size_t capacity)
{
    struct mailbox *mailbox = calloc(1, sizeof *mailbox);

    if (!mailbox)
        return NULL;
    mailbox->slots = calloc(capacity, sizeof *mailbox->slots);
    if (!mailbox->slots)
        goto fail_mailbox;
    if (pthread_mutex_init(&mailbox->guard, NULL) != 0)
        goto fail_slots;
    if (pthread_cond_init(&mailbox->arrived, NULL) != 0)
        goto fail_guard;
    mailbox->capacity = capacity;
    return mailbox;

fail_guard:
    pthread_mutex_destroy(&mailbox->guard);
fail_slots:
    free(mailbox->slots);
fail_mailbox:
    free(mailbox);
    return NULL;
}

void mailbox_destroy(struct mailbox *mailbox)
{
    if (!mailbox)
        return;
    pthread_cond_destroy(&mailbox->arrived);
    pthread_mutex_destroy(&mailbox->guard);
    free(mailbox->slots);
    free(mailbox);
}

int mailbox_post(struct mailbox *mailbox, const struct message *message)
{
    int error = 0;

    pthread_mutex_lock(&mailbox->guard);
    if (mailbox->used == mailbox->capacity) {
        error = ENOSPC;
    } else {
        mailbox->slots[(mailbox->head + mailbox->used) % mailbox->capacity] = *message;
        mailbox->used++;
        pthread_cond_signal(&mailbox->arrived);
    }
    pthread_mutex_unlock(&mailbox->guard);
    return error;
}

void mailbox_take(struct mailbox *mailbox, struct message *message)
{
    pthread_mutex_lock(&mailbox->guard);
    while (mailbox->used == 0)
        pthread_cond_wait(&mailbox->arrived, &mailbox->guard);
    *message = mailbox->slots[mailbox->head];
    mailbox->head = (mailbox->head + 1) % mailbox->capacity;
    mailbox->used--;
    pthread_mutex_unlock(&mailbox->guard);
}
