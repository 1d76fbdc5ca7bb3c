/* A trainer of two files: the model lock is held for whole batches, one more lock is never taken, the workers' error segments are never read.
 *
 * clean: no
 * bind: work=train_batch
 * run: ok
 */
#include "model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define NUM_WORKERS 4
#define INPUTS 6
#define HIDDEN 10
#define BATCH 16
#define BATCHES_PER_EPOCH 8
#define EPOCHS 3

typedef struct {
    Model *model;
    float *errors; /* the worker's own segment of the trainer's array */
    unsigned seed;
    pthread_t thread;
} Worker;

typedef struct {
    Model model;
    Worker workers[NUM_WORKERS];
    float errors[NUM_WORKERS * BATCH]; /* expect: CS003 #3 */
} Trainer;

static float draw(unsigned *state)
{
    *state = *state * 1103515245u + 12345u;
    return (float)(*state >> 16 & 0x7fff) / 32768.0f;
}

static double train_batch(Worker *worker)
{
    double loss = 0;

    for (int sample = 0; sample < BATCH; sample++) {
        float input[INPUTS], target = 0, error;

        for (int i = 0; i < INPUTS; i++) {
            input[i] = draw(&worker->seed);
            target += (i % 2 ? 0.3f : -0.2f) * input[i];
        }
        error = model_train_sample(worker->model, input, target, 0.01f);
        worker->errors[sample] = error; /* expect: CS003 #3 */
        loss += error;
    }
    return loss / BATCH;
}

static void *worker_main(void *argument)
{
    Worker *worker = argument;
    Model *model = worker->model;

    for (int batch = 0; batch < BATCHES_PER_EPOCH; batch++) {
        model_acquire(model); /* expect: CL002 #1 */
        model->loss_sum += train_batch(worker); /* expect: CL002 #1 */
        model->batches_seen++;
        model_release(model);
    }
    return NULL;
}

static int run_epoch(Trainer *trainer)
{
    int started = 0;

    while (started < NUM_WORKERS) {
        Worker *worker = &trainer->workers[started];

        if (pthread_create(&worker->thread, NULL, worker_main, worker) != 0)
            break;
        started++;
    }
    for (int i = 0; i < started; i++)
        pthread_join(trainer->workers[i].thread, NULL);
    return started == NUM_WORKERS ? 0 : -1;
}

int main(void)
{
    static Trainer trainer;
    int status = EXIT_SUCCESS;

    if (model_create(&trainer.model, INPUTS, HIDDEN) != 0)
        return EXIT_FAILURE;
    for (int i = 0; i < NUM_WORKERS; i++) {
        trainer.workers[i].model = &trainer.model;
        trainer.workers[i].errors = trainer.errors + i * BATCH; /* expect: CS003 #3 */
        trainer.workers[i].seed = 77u * (unsigned)(i + 1);
    }
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
        if (run_epoch(&trainer) != 0) {
            fputs("an epoch failed\n", stderr);
            status = EXIT_FAILURE;
            break;
        }
        printf("epoch %d: %ld batches, loss finite: %s\n", epoch, trainer.model.batches_seen,
               isfinite(trainer.model.loss_sum) ? "yes" : "no");
    }
    model_free(&trainer.model);
    return status;
}
