#include "queue.h"

#include <string.h>

static void lock(struct queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
}

static void unlock(struct queue *queue)
{
    pthread_mutex_unlock(&queue->mutex);
}

static unsigned length(const struct queue *queue)
{
    return queue->tail - queue->head;
}

int queue_open(struct queue *queue)
{
    int error;

    memset(queue, 0, sizeof *queue);
    error = pthread_mutex_init(&queue->mutex, NULL);
    if (error)
        return error;
    error = pthread_cond_init(&queue->space, NULL);
    if (error)
        goto no_space;
    error = pthread_cond_init(&queue->jobs, NULL);
    if (error)
        goto no_jobs;
    return 0;
no_jobs:
    pthread_cond_destroy(&queue->space);
no_space:
    pthread_mutex_destroy(&queue->mutex);
    return error;
}

void queue_close(struct queue *queue)
{
    pthread_cond_destroy(&queue->jobs);
    pthread_cond_destroy(&queue->space);
    pthread_mutex_destroy(&queue->mutex);
}

void queue_put(struct queue *queue, const struct job *job)
{
    lock(queue);
    while (length(queue) == QUEUE_SLOTS)
        pthread_cond_wait(&queue->space, &queue->mutex);
    queue->slot[queue->tail++ % QUEUE_SLOTS] = *job;
    unlock(queue);
    pthread_cond_signal(&queue->jobs);
}

bool queue_take(struct queue *queue, struct job *job)
{
    bool taken = false;

    lock(queue);
    for (;;) {
        if (length(queue) > 0) {
            *job = queue->slot[queue->head++ % QUEUE_SLOTS];
            taken = true;
            break;
        }
        if (queue->draining)
            break;
        pthread_cond_wait(&queue->jobs, &queue->mutex);
    }
    unlock(queue);
    if (taken)
        pthread_cond_signal(&queue->space);
    return taken;
}

void queue_drain(struct queue *queue)
{
    lock(queue);
    queue->draining = true;
    pthread_cond_broadcast(&queue->jobs);
    unlock(queue);
}
