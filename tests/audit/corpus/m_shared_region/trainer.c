/* A trainer that creates a shared gradient region through its own module, while the workers use gradients on the heap.
 *
 * clean: no
 * run: ok
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "region.h"

#define WORKERS 3
#define WEIGHTS 16
#define EPOCHS 4

typedef struct {
    pthread_t thread;
    const float *weights;
    float *gradients;
    int rank;
} Worker;

typedef struct {
    Region gradient_region; /* expect: CS004 #1 */
    float weights[WEIGHTS];
    Worker workers[WORKERS];
} Training;

static void process_batch(Worker *worker)
{
    for (int k = 0; k < WEIGHTS; k++)
        worker->gradients[k] = worker->weights[k] - (float)((worker->rank + k) % 5);
}

static void *worker_main(void *argument)
{
    process_batch(argument);
    return NULL;
}

static void update(Training *training)
{
    for (int k = 0; k < WEIGHTS; k++) {
        float sum = 0;

        for (int i = 0; i < WORKERS; i++)
            sum += training->workers[i].gradients[k];
        training->weights[k] -= 0.2f * sum / WORKERS;
    }
}

static int training_start(Training *training)
{
    if (region_create(&training->gradient_region, WORKERS * WEIGHTS * sizeof(float)) != 0) /* expect: CS004 #1 */
        return -1;
    for (int i = 0; i < WORKERS; i++) {
        Worker *worker = &training->workers[i];

        worker->rank = i;
        worker->weights = training->weights;
        worker->gradients = calloc(WEIGHTS, sizeof(float));
        if (worker->gradients == NULL)
            return -1;
    }
    return 0;
}

static void training_end(Training *training)
{
    for (int i = 0; i < WORKERS; i++)
        free(training->workers[i].gradients);
    region_release(&training->gradient_region);
}

int main(void)
{
    static Training training;

    if (training_start(&training) != 0) {
        perror("training_start");
        return 1;
    }
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
        for (int i = 0; i < WORKERS; i++)
            pthread_create(&training.workers[i].thread, NULL, worker_main, &training.workers[i]);
        for (int i = 0; i < WORKERS; i++)
            pthread_join(training.workers[i].thread, NULL);
        update(&training);
    }
    printf("first weight %.4f\n", (double)training.weights[0]);
    training_end(&training);
    return 0;
}
