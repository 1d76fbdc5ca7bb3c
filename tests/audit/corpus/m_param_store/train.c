/* A parameter store in a shared mapping: workers write the gradients of their spans, the main thread updates between two barriers.
 *
 * clean: yes
 * check: holds
 * run: ok
 */
#include "store.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { WORKERS = 3, PARAMETERS = 50, STEPS = 4 };

struct training {
    struct store store;
    pthread_barrier_t begin;
    pthread_barrier_t end;
};

struct worker {
    struct training *training;
    pthread_t thread;
    size_t index;
};

static void process_batch(const struct store *store, size_t first, size_t end, int step)
{
    const float *parameters = store_parameters(store);
    float *gradients = store_gradients(store);

    for (size_t k = first; k < end; k++)
        gradients[k] = parameters[k] - (float)((k + (size_t)step) % 4);
}

static void *worker_main(void *argument)
{
    struct worker *worker = argument;
    struct training *training = worker->training;
    size_t first, end;

    store_span(&training->store, WORKERS, worker->index, &first, &end);
    for (int step = 0; step < STEPS; step++) {
        pthread_barrier_wait(&training->begin);
        process_batch(&training->store, first, end, step);
        pthread_barrier_wait(&training->end);
    }
    return NULL;
}

static void update(const struct store *store)
{
    float *parameters = store_parameters(store);
    const float *gradients = store_gradients(store);

    for (size_t k = 0; k < store->parameters; k++)
        parameters[k] -= 0.25f * gradients[k];
}

int main(void)
{
    struct training training;
    struct worker workers[WORKERS];
    float sum = 0;

    if (store_map(&training.store, PARAMETERS) != 0) {
        perror("store_map");
        return EXIT_FAILURE;
    }
    pthread_barrier_init(&training.begin, NULL, WORKERS + 1);
    pthread_barrier_init(&training.end, NULL, WORKERS + 1);
    for (size_t i = 0; i < WORKERS; i++) {
        workers[i].training = &training;
        workers[i].index = i;
        pthread_create(&workers[i].thread, NULL, worker_main, &workers[i]);
    }
    for (int step = 0; step < STEPS; step++) {
        pthread_barrier_wait(&training.begin);
        pthread_barrier_wait(&training.end);
        update(&training.store);
    }
    for (size_t i = 0; i < WORKERS; i++)
        pthread_join(workers[i].thread, NULL);
    for (size_t k = 0; k < PARAMETERS; k++)
        sum += store_parameters(&training.store)[k];
    pthread_barrier_destroy(&training.end);
    pthread_barrier_destroy(&training.begin);
    store_unmap(&training.store);
    printf("sum of the parameters %.3f\n", (double)sum);
    return EXIT_SUCCESS;
}
