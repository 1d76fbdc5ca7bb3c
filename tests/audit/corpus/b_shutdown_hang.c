/* Batch trainer whose control sets the stop order and joins at once: the workers still stand at the start of a batch.
 *
 * clean: no
 * allow: CT001
 * check: deadlock
 * run: hang
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>

#define NUM_WORKERS 3
#define NUM_BATCHES 5

static pthread_barrier_t batch_start;
static pthread_barrier_t batch_end;
static atomic_bool stop;
static float gradients[NUM_WORKERS];
static float weight;

static void compute_gradient(int worker)
{
    gradients[worker] = (weight - 0.5f * (float)worker) / NUM_WORKERS;
}

static void *worker_loop(void *argument)
{
    int worker = *(int *)argument;
    for (;;) {
        pthread_barrier_wait(&batch_start); /* expect: CT002 #1 */
        if (atomic_load(&stop))
            break;
        compute_gradient(worker);
        pthread_barrier_wait(&batch_end);
    }
    return NULL;
}

static void run_batches(void)
{
    for (int batch = 0; batch < NUM_BATCHES; batch++) {
        pthread_barrier_wait(&batch_start);
        pthread_barrier_wait(&batch_end);
        for (int w = 0; w < NUM_WORKERS; w++)
            weight -= 0.1f * gradients[w];
    }
}

int main(void)
{
    pthread_t threads[NUM_WORKERS];
    int numbers[NUM_WORKERS];

    pthread_barrier_init(&batch_start, NULL, NUM_WORKERS + 1);
    pthread_barrier_init(&batch_end, NULL, NUM_WORKERS + 1);
    for (int w = 0; w < NUM_WORKERS; w++) {
        numbers[w] = w;
        pthread_create(&threads[w], NULL, worker_loop, &numbers[w]);
    }
    run_batches();
    atomic_store(&stop, true); /* expect: CT002 #1 */
    for (int w = 0; w < NUM_WORKERS; w++)
        pthread_join(threads[w], NULL); /* expect: CT002 #1 */
    pthread_barrier_destroy(&batch_start);
    pthread_barrier_destroy(&batch_end);
    printf("weight %f\n", weight);
    return 0;
}
