/* A trainer whose main thread hands batches to workers by conditions; the mutex guards the hand-off, never the work itself.
 *
 * clean: yes
 * check: holds
 * run: ok
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

#define WORKERS 3
#define STEPS 5
#define PARAMETERS 6

struct worker {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t has_work;
    pthread_cond_t complete;
    bool pending; /* a batch is waiting for, or being processed by, the worker */
    bool stop;
    int batch;
    double gradient[PARAMETERS];
};

static double weights[PARAMETERS];

static void process_batch(struct worker *worker)
{
    for (int k = 0; k < PARAMETERS; k++)
        worker->gradient[k] = weights[k] - (double)((worker->batch + k) % 4);
}

static void *worker_main(void *argument)
{
    struct worker *self = argument;

    for (;;) {
        pthread_mutex_lock(&self->mutex);
        while (!self->pending && !self->stop)
            pthread_cond_wait(&self->has_work, &self->mutex);
        if (self->stop) {
            pthread_mutex_unlock(&self->mutex);
            return NULL;
        }
        pthread_mutex_unlock(&self->mutex);

        process_batch(self);

        pthread_mutex_lock(&self->mutex);
        self->pending = false;
        pthread_cond_signal(&self->complete);
        pthread_mutex_unlock(&self->mutex);
    }
}

static void give(struct worker *worker, int batch)
{
    pthread_mutex_lock(&worker->mutex);
    worker->batch = batch;
    worker->pending = true;
    pthread_cond_signal(&worker->has_work);
    pthread_mutex_unlock(&worker->mutex);
}

static void await(struct worker *worker)
{
    pthread_mutex_lock(&worker->mutex);
    while (worker->pending)
        pthread_cond_wait(&worker->complete, &worker->mutex);
    pthread_mutex_unlock(&worker->mutex);
}

static void dismiss(struct worker *worker)
{
    pthread_mutex_lock(&worker->mutex);
    worker->stop = true;
    pthread_cond_signal(&worker->has_work);
    pthread_mutex_unlock(&worker->mutex);
    pthread_join(worker->thread, NULL);
    pthread_cond_destroy(&worker->complete);
    pthread_cond_destroy(&worker->has_work);
    pthread_mutex_destroy(&worker->mutex);
}

static void apply(const struct worker *workers)
{
    for (int k = 0; k < PARAMETERS; k++) {
        double sum = 0;

        for (int i = 0; i < WORKERS; i++)
            sum += workers[i].gradient[k];
        weights[k] -= 0.1 * sum / WORKERS;
    }
}

int main(void)
{
    static struct worker workers[WORKERS];

    for (int i = 0; i < WORKERS; i++) {
        pthread_mutex_init(&workers[i].mutex, NULL);
        pthread_cond_init(&workers[i].has_work, NULL);
        pthread_cond_init(&workers[i].complete, NULL);
        pthread_create(&workers[i].thread, NULL, worker_main, &workers[i]);
    }
    for (int step = 0; step < STEPS; step++) {
        for (int i = 0; i < WORKERS; i++)
            give(&workers[i], step * WORKERS + i);
        for (int i = 0; i < WORKERS; i++)
            await(&workers[i]);
        apply(workers);
    }
    for (int i = 0; i < WORKERS; i++)
        dismiss(&workers[i]);
    printf("first weight after %d steps: %.4f\n", STEPS, weights[0]);
    return 0;
}
