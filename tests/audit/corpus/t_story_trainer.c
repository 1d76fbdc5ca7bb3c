/* A trainer that grew: a parked control thread, an old sequential path, and an epoch barrier that nobody crosses.
 *
 * clean: no
 * allow: CT004
 * run: ok
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_WORKERS 12
#define PARAMETERS 16
#define BATCHES 24
#define EPOCHS 2

typedef struct {
    int worker_count;
    float weights[PARAMETERS];
    float gradients[MAX_WORKERS][PARAMETERS];
    pthread_barrier_t epoch_barrier; /* expect: CB001 #1 */
    pthread_mutex_t state_lock;
    pthread_cond_t state_changed;
    bool finished;
} trainer;

typedef struct {
    trainer *owner;
    int index;
} worker;

static void train_batch(const float *weights, float *gradient, int batch)
{
    for (int p = 0; p < PARAMETERS; p++)
        gradient[p] += weights[p] - 0.1f * (float)((batch * 3 + p) % 10);
}

static void apply_gradient(trainer *t, const float *gradient)
{
    for (int p = 0; p < PARAMETERS; p++)
        t->weights[p] -= 0.01f * gradient[p];
}

static void *worker_main(void *argument)
{
    worker *self = argument;
    trainer *t = self->owner;
    for (int batch = self->index; batch < BATCHES; batch += t->worker_count)
        train_batch(t->weights, t->gradients[self->index], batch);
    return NULL;
}

/* Waits until somebody says that all is over. */
static void *control_main(void *argument) /* expect: CT005 #2 */
{
    trainer *t = argument;
    pthread_mutex_lock(&t->state_lock);
    while (!t->finished)
        pthread_cond_wait(&t->state_changed, &t->state_lock); /* expect: CT005 #2 */
    pthread_mutex_unlock(&t->state_lock);
    return NULL;
}

static void epoch_parallel(trainer *t)
{
    pthread_t threads[MAX_WORKERS];
    worker workers[MAX_WORKERS];

    memset(t->gradients, 0, sizeof t->gradients);
    for (int w = 0; w < t->worker_count; w++) {
        workers[w] = (worker){t, w};
        if (pthread_create(&threads[w], NULL, worker_main, &workers[w]) != 0)
            abort();
    }
    for (int w = 0; w < t->worker_count; w++)
        pthread_join(threads[w], NULL);
    for (int w = 0; w < t->worker_count; w++)
        apply_gradient(t, t->gradients[w]);
}

/* The way it was before there were threads. */
static void epoch_sequential(trainer *t) /* expect: CT006 #3 */
{
    float gradient[PARAMETERS];
    for (int batch = 0; batch < BATCHES; batch++) {
        memset(gradient, 0, sizeof gradient);
        train_batch(t->weights, gradient, batch);
        apply_gradient(t, gradient);
    }
}

static void train(trainer *t)
{
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
        if (t->worker_count > 1)
            epoch_parallel(t);
        else
            epoch_sequential(t); /* expect: CT006 #3 */
        printf("epoch %d: %.4f\n", epoch, t->weights[1]);
    }
}

int main(void)
{
    static trainer t;
    pthread_t control;
    const char *wanted = getenv("TRAINER_WORKERS");

    t.worker_count = wanted != NULL ? atoi(wanted) : 4;
    if (t.worker_count < 1 || t.worker_count > MAX_WORKERS)
        t.worker_count = MAX_WORKERS;
    pthread_barrier_init(&t.epoch_barrier, NULL, (unsigned)t.worker_count); /* expect: CB001 #1 */
    pthread_mutex_init(&t.state_lock, NULL);
    pthread_cond_init(&t.state_changed, NULL);
    pthread_create(&control, NULL, control_main, &t); /* expect: CT005 #2 */

    train(&t);

    pthread_mutex_lock(&t.state_lock);
    t.finished = true;
    pthread_cond_broadcast(&t.state_changed);
    pthread_mutex_unlock(&t.state_lock);
    pthread_join(control, NULL);
    pthread_cond_destroy(&t.state_changed);
    pthread_mutex_destroy(&t.state_lock);
    pthread_barrier_destroy(&t.epoch_barrier);
    return 0;
}
