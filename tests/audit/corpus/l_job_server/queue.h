#ifndef QUEUE_H
#define QUEUE_H

#include <pthread.h>
#include <stdbool.h>

#define QUEUE_SLOTS 4

struct job;

/* What a kind of job can do; one table per kind. */
struct job_ops {
    const char *name;
    long (*run)(const struct job *job);
};

struct job {
    const struct job_ops *ops;
    long argument;
    long *result; /* written by the server that runs the job */
};

struct queue {
    pthread_mutex_t mutex;
    pthread_cond_t space;
    pthread_cond_t jobs;
    struct job slot[QUEUE_SLOTS];
    unsigned head;
    unsigned tail;
    bool draining;
};

int queue_open(struct queue *queue);
void queue_close(struct queue *queue);
void queue_put(struct queue *queue, const struct job *job);
bool queue_take(struct queue *queue, struct job *job);
void queue_drain(struct queue *queue);

#endif
