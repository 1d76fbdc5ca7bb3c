/* A gradient accumulator: every worker's segment gets the remainder added to its length, so the segments overlap.
 *
 * clean: no
 * run: race
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define NUM_WORKERS 4
#define PARAMETERS 1030
#define BATCHES 200

struct segment {
    size_t offset;
    size_t length;
};

struct worker {
    pthread_t thread;
    struct segment segment;
    float *gradients;
    unsigned seed;
};

static void segment_of(struct segment *segment, size_t total, size_t workers, size_t index)
{
    size_t share = total / workers;

    segment->offset = index * share;
    segment->length = share + total % workers; /* expect: CS001 #1 */
}

static void process_batch(struct worker *worker)
{
    float *own = worker->gradients + worker->segment.offset;

    for (size_t i = 0; i < worker->segment.length; i++) {
        worker->seed = worker->seed * 1664525u + 1013904223u;
        own[i] += (float)(worker->seed >> 24) / 256.0f; /* expect: CS001 #1 */ /* allow: CR001 */
    }
}

static void *worker_main(void *argument)
{
    struct worker *worker = argument;

    for (int batch = 0; batch < BATCHES; batch++)
        process_batch(worker);
    return NULL;
}

int main(void)
{
    struct worker workers[NUM_WORKERS];
    float *gradients = calloc(PARAMETERS, sizeof *gradients);
    double sum = 0;

    if (gradients == NULL)
        return 1;
    for (size_t i = 0; i < NUM_WORKERS; i++) {
        segment_of(&workers[i].segment, PARAMETERS, NUM_WORKERS, i); /* expect: CS001 #1 */
        workers[i].gradients = gradients;
        workers[i].seed = (unsigned)i + 1;
        pthread_create(&workers[i].thread, NULL, worker_main, &workers[i]);
    }
    for (size_t i = 0; i < NUM_WORKERS; i++)
        pthread_join(workers[i].thread, NULL);
    for (size_t i = 0; i < PARAMETERS; i++)
        sum += gradients[i];
    free(gradients);
    printf("mean gradient %.1f\n", sum / PARAMETERS);
    return 0;
}
