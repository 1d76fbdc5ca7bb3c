/* Trainer with a guard against divergence: a worker whose loss is not finite returns and leaves the others at the barrier.
 *
 * clean: no
 * allow: CT002
 * check: deadlock
 * run: ok
 */
#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define TRY(call)                                              \
    do {                                                       \
        if ((call) != 0) {                                     \
            fprintf(stderr, "line %d: %s\n", __LINE__, #call); \
            exit(1);                                           \
        }                                                      \
    } while (0)

typedef struct {
    int workers;
    int batches;
} config_t;

typedef struct {
    const config_t *cfg;
    pthread_barrier_t barrier;
    bool stop;
    double weight;
    double *segment;
} trainer_t;

typedef struct {
    trainer_t *trainer;
    int id;
    pthread_t thread;
} worker_t;

static double train_batch(const trainer_t *trainer, int id)
{
    double error = trainer->weight - 1.0 / (id + 1);
    return error * error * 0.5;
}

static void *worker_entry(void *argument)
{
    worker_t *self = argument;
    trainer_t *trainer = self->trainer;
    for (;;) {
        pthread_barrier_wait(&trainer->barrier); /* expect: CB003 #1 */
        if (trainer->stop)
            return NULL;
        double loss = train_batch(trainer, self->id);
        if (!isfinite(loss)) {
            fprintf(stderr, "worker %d: loss diverged\n", self->id);
            return NULL; /* expect: CB003 #1 */
        }
        trainer->segment[self->id] = loss;
        pthread_barrier_wait(&trainer->barrier); /* expect: CB003 #1 */
    }
}

static void control_loop(trainer_t *trainer)
{
    for (int batch = 0; batch < trainer->cfg->batches; batch++) {
        pthread_barrier_wait(&trainer->barrier);
        pthread_barrier_wait(&trainer->barrier);
        double sum = 0.0;
        for (int w = 0; w < trainer->cfg->workers; w++)
            sum += trainer->segment[w];
        trainer->weight += 0.1 * sum;
    }
    trainer->stop = true;
    pthread_barrier_wait(&trainer->barrier);
}

int main(void)
{
    const config_t cfg = {.workers = 3, .batches = 6};
    trainer_t trainer = {.cfg = &cfg};
    worker_t *workers = calloc((size_t)cfg.workers, sizeof *workers);

    trainer.segment = calloc((size_t)cfg.workers, sizeof *trainer.segment);
    if (workers == NULL || trainer.segment == NULL)
        return 1;
    TRY(pthread_barrier_init(&trainer.barrier, NULL, (unsigned)cfg.workers + 1));
    for (int w = 0; w < cfg.workers; w++) {
        workers[w].trainer = &trainer;
        workers[w].id = w;
        TRY(pthread_create(&workers[w].thread, NULL, worker_entry, &workers[w]));
    }
    control_loop(&trainer);
    for (int w = 0; w < cfg.workers; w++)
        TRY(pthread_join(workers[w].thread, NULL));
    TRY(pthread_barrier_destroy(&trainer.barrier));
    printf("weight %.5f\n", trainer.weight);
    free(trainer.segment);
    free(workers);
    return 0;
}
